"""Pitch accuracy by section on melodies whose accuracy is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from singcoach.core.music import Key, Note, Phrase, PitchTrack, SongNote
from singcoach.report.pitch_sections import MOST_SECTIONS, PitchSections, pitch_sections

HOP_S = 0.016
MELODY = (60, 62, 64, 65, 67, 69, 67, 65, 64, 62, 60, 64, 67, 64, 62, 60)
NOTE_S = 0.5


class Sung:
    """A melody of half-second notes, a rest of 0.6 s after every eight."""

    def __init__(
        self,
        *,
        n_notes: int = 64,
        off_cents: np.ndarray | None = None,
        vibrato_cents: float = 0.0,
        scoop_cents: float = 0.0,
        shift_semitones: float = 0.0,
        sing_until: int | None = None,
        heights: np.ndarray | None = None,
    ) -> None:
        index = np.arange(n_notes)
        onsets = index * NOTE_S + (index // 8) * 0.6
        written = np.array([MELODY[i % len(MELODY)] for i in index], dtype=float)
        if heights is not None:
            written = heights
        sung = written + shift_semitones
        if off_cents is not None:
            sung = sung + off_cents / 100.0
        last = n_notes if sing_until is None else sing_until
        times_s = np.arange(int((onsets[-1] + 2.0) / HOP_S)) * HOP_S
        midi = np.full(times_s.size, np.nan)
        self.notes = []
        for i in range(last):
            inside = (times_s >= onsets[i]) & (times_s < onsets[i] + NOTE_S - 0.05)
            local = times_s[inside] - onsets[i]
            wave = vibrato_cents / 100.0 * np.sin(2 * np.pi * 5.5 * local)
            scoop = -scoop_cents / 100.0 * np.clip(1.0 - local / 0.1, 0.0, 1.0)
            midi[inside] = sung[i] + wave + scoop
            self.notes.append(
                Note(
                    onset_s=float(onsets[i]),
                    offset_s=float(onsets[i] + NOTE_S - 0.05),
                    midi=round(sung[i]),
                    cents_deviation=0.0,
                )
            )
        self.pitch = PitchTrack(
            times_s=times_s,
            f0_hz=440.0 * 2.0 ** ((midi - 69.0) / 12.0),
            confidence=np.where(np.isnan(midi), 0.0, 1.0),
            hop_s=HOP_S,
        )
        self.phrases = [
            Phrase(start_s=float(onsets[i]), end_s=float(onsets[min(i + 7, last - 1)] + NOTE_S))
            for i in range(0, last, 8)
        ]
        self.song = [
            SongNote(
                onset_s=float(onsets[i]),
                offset_s=float(onsets[i] + NOTE_S - 0.05),
                midi=round(written[i]),
                syllable="la",
                kind="normal",
                line=int(i // 8),
            )
            for i in index
        ]

    def judged(self, *, song: bool = False, backing_key: Key | None = None) -> PitchSections:
        return pitch_sections(
            self.pitch,
            notes=self.notes,
            phrases=self.phrases,
            song=self.song if song else (),
            backing_key=backing_key,
        )


def accuracies(found: PitchSections) -> list[float]:
    assert all(s.accuracy is not None for s in found.sections)
    return [s.accuracy for s in found.sections if s.accuracy is not None]


@pytest.mark.parametrize("song", [True, False])
def test_singing_in_tune_scores_full_in_every_section(song: bool) -> None:
    found = Sung().judged(song=song)
    assert len(found.sections) >= 4
    assert min(accuracies(found)) > 0.97
    assert found.accuracy == pytest.approx(1.0, abs=0.03)
    assert found.reference == ("song" if song else "scale")


@pytest.mark.parametrize("song", [True, False])
def test_expressive_singing_costs_nothing(song: bool) -> None:
    plain = Sung().judged(song=song)
    rich = Sung(vibrato_cents=90.0, scoop_cents=200.0).judged(song=song)
    assert rich.accuracy == pytest.approx(plain.accuracy, abs=0.05)


@pytest.mark.parametrize("song", [True, False])
def test_one_section_off_is_shown_where_it_is(song: bool) -> None:
    off = np.zeros(64)
    off[16:32] = 70.0
    found = Sung(off_cents=off).judged(song=song)
    inside = [s for s in found.sections if 9.0 < (s.start_s + s.end_s) / 2 < 18.0]
    outside = [s for s in found.sections if not 9.0 < (s.start_s + s.end_s) / 2 < 18.0]
    assert inside
    assert max(s.accuracy for s in inside if s.accuracy is not None) < 0.6
    assert min(s.accuracy for s in outside if s.accuracy is not None) > 0.8


def test_flat_section_leans_down_against_the_song() -> None:
    off = np.zeros(64)
    off[:16] = -30.0
    found = Sung(off_cents=off).judged(song=True)
    assert found.sections[0].lean_cents == pytest.approx(-30.0, abs=7.0)
    assert found.sections[-1].lean_cents == pytest.approx(0.0, abs=7.0)


def test_random_pitches_earn_little() -> None:
    heights = np.random.default_rng(3).uniform(55.0, 70.0, 64)
    found = Sung(heights=heights).judged()
    assert found.accuracy is not None
    assert found.accuracy < 0.35


def test_stopping_early_is_not_rewarded_against_a_song() -> None:
    found = Sung(sing_until=32).judged(song=True)
    assert found.coverage == pytest.approx(0.5, abs=0.02)
    assert found.accuracy == pytest.approx(0.5, abs=0.04)
    assert found.sections[-1].state == "not_sung"
    assert found.sections[-1].accuracy is None
    assert found.sections[0].state == "sung"


def test_a_section_sung_in_part_says_so() -> None:
    found = Sung(n_notes=32, sing_until=26).judged(song=True)
    assert found.sections[-1].state == "part"
    assert found.sections[-1].accuracy is not None
    assert found.sections[-1].accuracy < 0.7


def test_singing_only_a_few_seconds_says_nothing() -> None:
    found = Sung(n_notes=8).judged()
    assert found.accuracy is None
    assert found.reference is None
    assert all(s.accuracy is None and s.state == "too_little" for s in found.sections)


@pytest.mark.parametrize("song", [True, False])
@pytest.mark.parametrize("shift", [-12.0, 5.0, 12.3])
def test_key_and_octave_are_the_singers_own(song: bool, shift: float) -> None:
    found = Sung(shift_semitones=shift).judged(song=song)
    assert found.accuracy == pytest.approx(1.0, abs=0.03)


def test_slow_drift_is_followed() -> None:
    drift = np.linspace(0.0, 40.0, 64)
    found = Sung(off_cents=drift).judged()
    assert found.accuracy is not None
    assert found.accuracy > 0.9


def test_change_of_key_for_good_is_followed() -> None:
    heights = np.array([MELODY[i % 16] + (1.0 if i >= 64 else 0.0) for i in range(128)])
    found = Sung(n_notes=128, heights=heights).judged()
    assert min(accuracies(found)) > 0.9


def test_a_few_notes_outside_the_scale_are_no_change_of_key() -> None:
    heights = np.array([MELODY[i % 16] + (1.0 if 60 <= i < 68 else 0.0) for i in range(128)])
    found = Sung(n_notes=128, heights=heights).judged()
    assert min(accuracies(found)) < 0.9


def test_out_of_tune_with_the_music_is_heard_against_its_key() -> None:
    key = Key(tonic=0, mode="major", tuning_cents=0.0, strength=0.9)
    assert Sung().judged(backing_key=key).accuracy == pytest.approx(1.0, abs=0.03)
    flat = Sung(shift_semitones=-0.45).judged(backing_key=key)
    assert flat.reference == "backing"
    assert flat.accuracy is not None
    assert flat.accuracy < 0.5
    assert flat.sections[0].lean_cents == pytest.approx(-45.0, abs=5.0)


def test_nothing_sung_gives_nothing() -> None:
    empty = PitchTrack(times_s=np.zeros(0), f0_hz=np.zeros(0), confidence=np.zeros(0), hop_s=HOP_S)
    found = pitch_sections(empty, notes=(), phrases=())
    assert found == PitchSections(sections=(), accuracy=None, reference=None, coverage=None)
    silent = Sung(sing_until=0).judged(song=True)
    assert silent.accuracy is None
    assert silent.sections == ()


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 220))
def test_sections_are_few_ordered_and_hold_every_note(n_notes: int) -> None:
    sung = Sung(n_notes=n_notes)
    found = sung.judged()
    assert len(found.sections) <= MOST_SECTIONS
    assert sum(s.n_notes for s in found.sections) == n_notes
    for before, after in zip(found.sections, found.sections[1:], strict=False):
        assert before.end_s <= after.start_s
