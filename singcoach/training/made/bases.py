"""What edits begin with: real takes, and real takes moved to another pitch and throat."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from singcoach.audio.reading import read_audio
from singcoach.core.arrays import ANALYSIS_RATE, FloatArray, RealArray
from singcoach.core.music import Note
from singcoach.errors import InputError
from singcoach.jobs import NO_JOB, Job
from singcoach.pitch.f0 import PitchSession, track_pitch
from singcoach.pitch.notes import find_notes
from singcoach.training.edits.voice import Singing, shifted
from singcoach.training.edits.world import analyse_voice

SHORTEST_S, LONGEST_S = 15.0, 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A stretch of a recording of one good singer alone."""

    corpus: str
    singer: str
    song: str
    path: Path
    start_s: float = 0.0
    end_s: float = LONGEST_S


def find_recordings(data: Path) -> tuple[Recording, ...]:
    """Return the licence-clean solo takes in ``data``: vocadito, the long one in two parts."""
    folder = data / "vocadito" / "Audio"
    takes = (
        ("S1", "vocadito_1", 0.0, 16.6),
        ("S1", "vocadito_1", 16.6, 33.2),
        ("S7", "vocadito_10", 0.0, LONGEST_S),
        ("S11", "vocadito_14", 0.0, LONGEST_S),
    )
    return tuple(
        Recording(
            corpus="vocadito",
            singer=singer,
            song=name,
            path=folder / f"{name}.wav",
            start_s=start_s,
            end_s=end_s,
        )
        for singer, name, start_s, end_s in takes
        if (folder / f"{name}.wav").is_file()
    )


def find_other_recordings(folder: Path) -> tuple[Recording, ...]:
    """Return the recordings of any folder of solo singing, for corpora that do not ship.

    The singer is the name of the file up to its first underscore.

    Raises
    ------
    InputError
        When there is none.
    """
    files = [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in (".flac", ".wav", ".mp3", ".ogg", ".m4a")
    ]
    if not files:
        raise InputError(
            f"There are no recordings in {folder.name or folder}",
            hint="Give a folder of solo singing",
        )
    return tuple(
        Recording(
            corpus=folder.resolve().name,
            singer=path.stem.split("_")[0],
            song=path.stem,
            path=path,
        )
        for path in files
    )


def read_recording(recording: Recording) -> FloatArray:
    """Return the voice, 16 kHz, shape ``(n_samples,)``; one shorter than 15 s is repeated.

    Less than 10 s of singing is not scored, and the same song twice is still the same song.

    Raises
    ------
    InputError
        When the file cannot be read.
    """
    audio = read_audio(recording.path, sample_rate=ANALYSIS_RATE, channels=1)[0]
    first, last = (round(s * ANALYSIS_RATE) for s in (recording.start_s, recording.end_s))
    audio = audio[first:last]
    if audio.size == 0:
        raise InputError(f"{recording.path.name} holds no sound", hint="Leave the file out")
    times = int(np.ceil(SHORTEST_S * ANALYSIS_RATE / audio.size))
    return np.tile(audio, min(times, 4))


def analyse(audio: FloatArray, *, session: PitchSession, job: Job = NO_JOB) -> Singing:
    """Track the pitch, find the notes and return the parameters of a voice."""
    pitch = track_pitch(audio, session=session, job=job.part(0.0, 0.1))
    notes = find_notes(pitch, audio, sample_rate=ANALYSIS_RATE, job=job.part(0.1, 0.2))
    return analyse_voice(
        audio, sample_rate=ANALYSIS_RATE, pitch=pitch, notes=notes, job=job.part(0.2, 1.0)
    )


def moved(singing: Singing, *, semitones: float, throat: float) -> Singing:
    """Return the voice at another pitch and with another length of the vocal tract.

    Parameters
    ----------
    semitones
        Added to the pitch.
    throat
        Factor of the formant frequencies; 1.06 is a tract 6 % shorter.
    """
    if semitones == 0.0 and throat == 1.0:
        return singing
    bins = np.arange(singing.spectrum.shape[1], dtype=np.float64)
    return replace(
        singing,
        f0_hz=shifted(singing.f0_hz, 100.0 * semitones),
        spectrum=np.exp(_stretched(np.log(singing.spectrum), bins / throat)),
        aperiodicity=np.clip(_stretched(singing.aperiodicity, bins / throat), 1e-3, 1.0),
        notes=tuple(_raised(note, semitones) for note in singing.notes),
    )


def _raised(note: Note, semitones: float) -> Note:
    height = note.midi + note.cents_deviation / 100.0 + semitones
    midi = int(np.floor(height + 0.5))
    return replace(note, midi=midi, cents_deviation=100.0 * (height - midi))


def _stretched(rows: RealArray, places: RealArray) -> RealArray:
    """Return the rows read at fractional bins, held beyond the last."""
    low = np.clip(np.floor(places).astype(np.int64), 0, rows.shape[1] - 2)
    share = np.clip(places - low, 0.0, 1.0)
    return np.asarray(rows[:, low] * (1.0 - share) + rows[:, low + 1] * share)
