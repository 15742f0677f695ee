"""Two takes of one melody whose times are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from singcoach.core.arrays import RealArray
from singcoach.core.music import PitchTrack
from singcoach.errors import Cancelled
from singcoach.jobs import Job
from singcoach.report.alignment import Alignment, align_takes

HOP_S = 0.016
RNG = np.random.default_rng(7)
STEPS = RNG.choice([-4, -2, -1, 1, 2, 3, 5], size=60)
HEIGHTS = 62 + np.clip(np.cumsum(STEPS), -8, 8)
LENGTHS_S = RNG.choice([0.25, 0.4, 0.6, 0.9], size=60)
RESTS_S = np.where(np.arange(60) % 7 == 6, 0.8, 0.04)


def melody(
    *,
    n_notes: int = 60,
    first_note: int = 0,
    start_s: float = 1.0,
    tempo: float = 1.0,
    rubato: float = 0.0,
    shift: float = 0.0,
    vibrato_cents: float = 0.0,
    rest_after: dict[int, float] | None = None,
    heights: RealArray | None = None,
) -> tuple[PitchTrack, RealArray]:
    """The track and the onset of each of its notes."""
    chosen = slice(first_note, first_note + n_notes)
    high = (HEIGHTS if heights is None else heights)[chosen]
    place = np.arange(high.size)
    local = tempo * (1.0 + rubato * np.sin(2 * np.pi * place / 17.0))
    lengths_s = LENGTHS_S[chosen] / local
    rests_s = RESTS_S[chosen] / local
    for note, extra_s in (rest_after or {}).items():
        rests_s[note] += extra_s
    onsets_s = start_s + np.concatenate(([0.0], np.cumsum(lengths_s + rests_s)[:-1]))
    times_s = np.arange(int((onsets_s[-1] + 3.0) / HOP_S)) * HOP_S
    midi = np.full(times_s.size, np.nan)
    for onset_s, length_s, height in zip(onsets_s, lengths_s, high, strict=True):
        inside = (times_s >= onset_s) & (times_s < onset_s + length_s)
        wave = vibrato_cents / 100.0 * np.sin(2 * np.pi * 5.5 * times_s[inside])
        midi[inside] = height + shift + wave
    track = PitchTrack(
        times_s=times_s,
        f0_hz=440.0 * 2.0 ** ((midi - 69.0) / 12.0),
        confidence=np.ones(times_s.size),
        hop_s=HOP_S,
    )
    return track, onsets_s


def worst_s(found: Alignment, first_s: RealArray, second_s: RealArray) -> float:
    return float(np.abs(found.to_second(first_s) - second_s).max())


@pytest.mark.parametrize("delay_s", [0.0, 0.37, 5.2, -0.8])
def test_constant_offset_is_found_to_twenty_milliseconds(delay_s: float) -> None:
    first, onsets = melody(start_s=2.0)
    second, later = melody(start_s=2.0 + delay_s)
    found = align_takes(first, second)
    assert found.kind == "offset"
    assert found.offset_s == pytest.approx(delay_s, abs=0.02)
    assert worst_s(found, onsets, later) < 0.02
    assert found.agreement > 0.97


@pytest.mark.parametrize("shift", [-12.0, -3.0, 4.0, 24.0, 5.3])
def test_octave_and_key_are_taken_off(shift: float) -> None:
    first, _ = melody()
    second, _ = melody(start_s=3.0, shift=shift)
    found = align_takes(first, second)
    assert found.offset_s == pytest.approx(2.0, abs=0.03)
    assert found.transposition_semitones == (round(shift) + 5) % 12 - 5
    assert found.agreement > 0.9


@pytest.mark.parametrize("tempo", [0.85, 0.93, 1.1, 1.2])
def test_another_tempo_is_followed(tempo: float) -> None:
    first, onsets = melody()
    second, others = melody(tempo=tempo, start_s=2.5)
    found = align_takes(first, second)
    away_s = np.abs(found.to_second(onsets) - others)
    assert found.kind == "warp"
    assert float(np.percentile(away_s, 80)) < 0.15
    assert away_s.max() < 0.5  # neighbours of one height have no onset to be seen
    assert found.agreement > 0.9


def test_rubato_and_a_longer_rest_are_followed() -> None:
    first, onsets = melody(vibrato_cents=80.0)
    second, others = melody(rubato=0.12, rest_after={20: 2.5}, shift=2.0)
    found = align_takes(first, second)
    assert found.kind == "warp"
    assert float(np.median(np.abs(found.to_second(onsets) - others))) < 0.06
    assert worst_s(found, onsets, others) < 0.3


def test_coming_in_late_once_is_not_explained_away() -> None:
    # Over the same accompaniment: one note in a while comes 0.2 s late, the rest is in time.
    first, onsets = melody()
    second, _ = melody(rest_after={19: 0.2, 26: -0.15})
    found = align_takes(first, second)
    assert found.kind == "offset"
    assert worst_s(found, onsets, onsets) < 0.06


def test_a_take_that_is_only_a_part_finds_its_place() -> None:
    first, onsets = melody()
    second, others = melody(first_note=30, n_notes=20, start_s=0.5)
    found = align_takes(first, second, same_song=True)
    assert found.kind == "offset"
    assert found.offset_s == pytest.approx(others[0] - onsets[30], abs=0.03)


def test_there_and_back_is_the_same_moment() -> None:
    first, onsets = melody()
    second, _ = melody(tempo=1.1)
    found = align_takes(first, second)
    assert np.abs(found.to_first(found.to_second(onsets)) - onsets).max() < 1e-6
    assert found.to_second(0.0).shape == ()
    beyond_s = found.to_second(np.array([500.0, 501.0]))
    assert beyond_s[1] - beyond_s[0] == pytest.approx(1.0)


def test_another_melody_is_not_laid_over() -> None:
    first, _ = melody()
    other = 60 + np.random.default_rng(99).integers(-7, 8, 60)
    second, _ = melody(heights=other)
    found = align_takes(first, second)
    assert found.kind == "none"
    assert found.offset_s == 0.0


def test_knowing_the_song_makes_proof_needless() -> None:
    first, _ = melody()
    off = HEIGHTS + np.random.default_rng(5).uniform(-3.0, 3.0, 60)
    second, _ = melody(heights=off, start_s=2.0)
    assert align_takes(first, second).kind == "none"
    assert align_takes(first, second, same_song=True).kind != "none"


def test_the_order_of_the_takes_only_turns_the_sign() -> None:
    first, _ = melody()
    second, _ = melody(start_s=4.0, shift=3.0)
    there, back = align_takes(first, second), align_takes(second, first)
    assert there.offset_s == pytest.approx(-back.offset_s, abs=0.02)
    assert there.transposition_semitones == -back.transposition_semitones


def test_silence_empty_and_short_takes_are_left_as_they_are() -> None:
    first, _ = melody()
    empty = PitchTrack(times_s=np.zeros(0), f0_hz=np.zeros(0), confidence=np.zeros(0), hop_s=HOP_S)
    one = PitchTrack(
        times_s=np.zeros(1), f0_hz=np.full(1, 220.0), confidence=np.ones(1), hop_s=HOP_S
    )
    silent = PitchTrack(
        times_s=first.times_s,
        f0_hz=np.full(first.times_s.size, np.nan),
        confidence=first.confidence,
        hop_s=HOP_S,
    )
    for other in (empty, one, silent):
        for found in (align_takes(first, other), align_takes(other, first)):
            assert found.kind == "none"
            assert found.to_second(3.0) == pytest.approx(3.0)


def test_a_stopped_job_stops_it() -> None:
    job = Job()
    job.cancel()
    first, _ = melody()
    with pytest.raises(Cancelled):
        align_takes(first, first, job=job)


def test_result_cannot_be_written_to() -> None:
    first, _ = melody()
    with pytest.raises(ValueError, match="read-only"):
        align_takes(first, first).first_s[0] = 1.0


@settings(max_examples=15, deadline=None)
@given(st.floats(-6.0, 6.0), st.floats(0.9, 1.12), st.integers(-12, 12))
def test_matching_times_always_rise(delay_s: float, tempo: float, shift: int) -> None:
    first, _ = melody(start_s=7.0)
    second, _ = melody(start_s=7.0 + delay_s, tempo=tempo, shift=float(shift))
    found = align_takes(first, second)
    assert (np.diff(found.first_s) > 0).all()
    assert (np.diff(found.second_s) > 0).all()
