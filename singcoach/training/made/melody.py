"""Random tonal melodies with phrases and rests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from singcoach.core.arrays import RealArray

_MAJOR = (0, 2, 4, 5, 7, 9, 11)
_MINOR = (0, 2, 3, 5, 7, 8, 10)
_BEATS = (0.5, 1.0, 1.5, 2.0)
_BEAT_ODDS = (0.42, 0.36, 0.10, 0.12)
_STEPS = (-4, -3, -2, -1, 0, 1, 2, 3, 4)
_STEP_ODDS = (0.03, 0.04, 0.12, 0.25, 0.10, 0.25, 0.12, 0.05, 0.04)
_RANGE_DEGREES = 5
_TIMING_S = 0.010


@dataclass(frozen=True, slots=True, kw_only=True)
class MelodyNote:
    """One note as it shall be sung; ``phrase`` counts from 0."""

    onset_s: float
    offset_s: float
    midi: int
    phrase: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Melody:
    """A melody in one key; ``duration_s`` includes the silence around it."""

    tonic: int
    mode: Literal["major", "minor"]
    tempo_bpm: float
    notes: tuple[MelodyNote, ...]
    duration_s: float


def compose(generator: np.random.Generator, *, centre_midi: float, seconds: float) -> Melody:
    """Return a melody of about ``seconds`` around a middle pitch.

    Phrases of 4 to 9 notes end on a long note of the tonic triad and are parted by rests of 0.5 to
    1.1 s. Steps are small as in song melodies (two thirds of them a second or a repetition), within
    five degrees of the middle. Onsets deviate by 10 ms (standard deviation) as good singers' do.
    """
    tonic = int(generator.integers(12))
    mode: Literal["major", "minor"] = "major" if generator.random() < 0.6 else "minor"
    scale = _MAJOR if mode == "major" else _MINOR
    tempo_bpm = float(generator.uniform(70.0, 112.0))
    beat_s = 60.0 / tempo_bpm
    degrees = _degrees_near(tonic, scale, centre_midi)
    middle = len(degrees) // 2
    place = middle
    now_s = float(generator.uniform(0.5, 0.9))
    notes: list[MelodyNote] = []
    phrase = 0
    while now_s < seconds - 3.0:
        count = int(generator.integers(4, 10))
        for index in range(count):
            last = index == count - 1
            beats = float(generator.choice(_BEATS, p=_BEAT_ODDS))
            if last:
                beats = float(generator.uniform(1.8, 3.2))
                place = _nearest_triad(degrees, place, tonic, scale)
            length_s = beats * beat_s
            onset_s = now_s + float(np.clip(generator.normal(0.0, _TIMING_S), -0.025, 0.025))
            if index:
                notes[-1] = _ending(notes[-1], onset_s)
            notes.append(
                MelodyNote(
                    onset_s=onset_s,
                    offset_s=now_s + length_s,
                    midi=degrees[place],
                    phrase=phrase,
                )
            )
            now_s += length_s
            step = int(generator.choice(_STEPS, p=_STEP_ODDS))
            if abs(place + step - middle) > _RANGE_DEGREES:
                step = -step
            place = min(len(degrees) - 1, max(0, place + step))
        now_s += float(generator.uniform(0.5, 1.1))
        phrase += 1
    return Melody(
        tonic=tonic,
        mode=mode,
        tempo_bpm=tempo_bpm,
        notes=tuple(notes),
        duration_s=notes[-1].offset_s + 0.6,
    )


def _ending(note: MelodyNote, offset_s: float) -> MelodyNote:
    return MelodyNote(onset_s=note.onset_s, offset_s=offset_s, midi=note.midi, phrase=note.phrase)


def _degrees_near(tonic: int, scale: tuple[int, ...], centre_midi: float) -> list[int]:
    wanted: RealArray = np.arange(128, dtype=np.float64)
    inside = [int(m) for m in wanted if (int(m) - tonic) % 12 in scale]
    nearest = int(np.abs(np.array(inside) - centre_midi).argmin())
    first = max(0, nearest - _RANGE_DEGREES - 1)
    return inside[first : nearest + _RANGE_DEGREES + 2]


def _nearest_triad(degrees: list[int], place: int, tonic: int, scale: tuple[int, ...]) -> int:
    triad = {scale[0], scale[2], scale[4]}
    places = [i for i, midi in enumerate(degrees) if (midi - tonic) % 12 in triad]
    return min(places, key=lambda i: (abs(i - place), i))
