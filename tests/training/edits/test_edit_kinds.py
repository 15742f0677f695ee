"""Every edit does what it says, more with more severity, and leaves the rest alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from edit_voices import plain_singing

from singcoach.training.edits import (
    EDIT_DIMENSIONS,
    EDIT_KINDS,
    EditKind,
    apply_edit,
    is_applicable,
)
from singcoach.training.edits.kinds import FAULT_KINDS
from singcoach.training.edits.pitch_edits import vibrato_part
from singcoach.training.edits.voice import Singing, cents_of

SEVERITIES = (0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0)


def edited(singing: Singing, kind: EditKind, severity: float = 1.0, seed: int = 3) -> Singing:
    return apply_edit(singing, kind, severity=severity, seed=seed)[0]


def note_errors(before: Singing, after: Singing) -> np.ndarray:
    """Median distance in cents of every note from where it was."""
    away = cents_of(after.f0_hz) - cents_of(before.f0_hz)
    return np.array(
        [np.nanmedian(away[before.frames_of(n.onset_s, n.offset_s)]) for n in before.notes]
    )


def low_noise_share(singing: Singing) -> float:
    rows = singing.aperiodicity[singing.voiced]
    return float(np.square(rows[:, singing.bins_hz < 3000.0]).mean())


def ring_db(singing: Singing) -> float:
    rows = singing.spectrum[singing.voiced]
    hz = singing.bins_hz
    ring = rows[:, (hz > 2000.0) & (hz < 4000.0)].mean()
    return float(10.0 * np.log10(ring / rows[:, hz < 2000.0].mean()))


def level_spread(singing: Singing) -> float:
    return float(singing.level_db()[singing.voiced].std())


def phrase_end_db(singing: Singing) -> float:
    level = singing.level_db()
    ends = [level[singing.frames_of(p.end_s - 0.2, p.end_s - 0.02)].mean() for p in singing.phrases]
    return float(np.mean(ends))


def voiced_s(singing: Singing) -> float:
    return float(singing.voiced.sum()) * 0.005


def breath_db(singing: Singing) -> float:
    level = singing.level_db()
    return float(
        np.mean(
            [level[singing.frames_of(p.start_s - 0.3, p.start_s)].max() for p in singing.phrases]
        )
    )


def slide_cents(singing: Singing) -> float:
    cents = cents_of(singing.f0_hz)
    found = []
    for note in singing.notes[3::4]:
        here = cents[singing.frames_of(note.onset_s, note.offset_s)]
        found.append(abs(here[-36:].mean() - here[:36].mean()))
    return float(np.mean(found))


def scoop_cents(singing: Singing) -> float:
    cents = cents_of(singing.f0_hz)
    depth = []
    for note in singing.notes:
        here = cents[singing.frames_of(note.onset_s, note.offset_s)]
        depth.append(np.median(here) - here[:6].min())
    return float(np.mean(depth))


def jitter_cents(singing: Singing) -> float:
    steps = np.diff(cents_of(singing.f0_hz))
    return float(np.nanmedian(np.abs(steps)))


def swing_unevenness(singing: Singing) -> float:
    """How unlike one cycle of the vibrato is the next (of 5.5 Hz, 36 frames)."""
    cents = cents_of(singing.f0_hz)
    away = []
    for note in singing.notes[3::4]:
        here = cents[singing.frames_of(note.onset_s + 0.3, note.offset_s - 0.1)]
        here = here - here.mean()
        away.append(np.abs(here[36:] - here[:-36]).mean())
    return float(np.mean(away))


BASE = plain_singing()

RISING: dict[EditKind, Callable[[Singing], float]] = {
    "pitch_error": lambda s: float(np.abs(note_errors(BASE, s)).mean()),
    "pitch_drift": slide_cents,
    "scoops": scoop_cents,
    "vibrato_removed": lambda s: -float(np.abs(vibrato_part(s)).max()),
    "vibrato_irregular": swing_unevenness,
    "early_decay": lambda s: -phrase_end_db(s),
    "level_wobble": lambda s: float((s.level_db() - BASE.level_db())[BASE.voiced].std()),
    "breaks": lambda s: -voiced_s(s),
    "gasps": breath_db,
    "breathiness": low_noise_share,
    "dullness": lambda s: -ring_db(s),
    "harshness": jitter_cents,
    "flat_dynamics": lambda s: -level_spread(s),
    "timing_slips": lambda s: float(
        np.mean([abs(a.onset_s - b.onset_s) for a, b in zip(s.notes, BASE.notes, strict=True)])
    ),
}


@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_the_own_quantity_moves_step_by_step(kind: EditKind) -> None:
    values = [RISING[kind](edited(BASE, kind, severity)) for severity in SEVERITIES]
    assert values == sorted(values)
    assert values[-1] > values[0] + 1e-6
    assert values[2] > values[0]


def test_severity_one_is_as_large_as_documented() -> None:
    errors = np.abs(note_errors(BASE, edited(BASE, "pitch_error", seed=8)))
    assert (errors > 20.0).all()
    assert (errors < 70.0).all()
    assert 30.0 < errors.mean() < 60.0
    fall = phrase_end_db(BASE) - phrase_end_db(edited(BASE, "early_decay"))
    assert 15.0 < fall < 27.0
    assert ring_db(BASE) - ring_db(edited(BASE, "dullness")) > 6.0
    assert np.abs(vibrato_part(edited(BASE, "vibrato_removed"))).max() < 15.0


def test_vibrato_is_found_where_it_is_and_nowhere_else() -> None:
    swing = vibrato_part(BASE)
    for index, note in enumerate(BASE.notes):
        here = swing[BASE.frames_of(note.onset_s + 0.3, note.offset_s - 0.2)]
        if index % 4 == 3:
            assert 35.0 < np.abs(here).max() < 65.0
        else:
            assert not here.any()


@pytest.mark.parametrize("kind", ["pitch_error", "pitch_drift", "scoops", "vibrato_removed"])
def test_edits_of_pitch_leave_the_sound_alone(kind: EditKind) -> None:
    after = edited(BASE, kind)
    assert np.array_equal(after.spectrum, BASE.spectrum)
    assert np.array_equal(after.voiced, BASE.voiced)


@pytest.mark.parametrize("kind", ["breathiness", "dullness", "level_wobble", "flat_dynamics"])
def test_edits_of_sound_leave_the_pitch_alone(kind: EditKind) -> None:
    assert np.array_equal(edited(BASE, kind).f0_hz, BASE.f0_hz)


def test_dullness_keeps_the_power() -> None:
    before, after = BASE.level_db()[BASE.voiced], edited(BASE, "dullness").level_db()[BASE.voiced]
    assert np.abs(before - after).max() < 1.0


@pytest.mark.parametrize("kind", EDIT_KINDS)
def test_the_same_seed_gives_the_same_and_none_nothing(kind: EditKind) -> None:
    first, again = (edited(BASE, kind, 0.7) for _ in range(2))
    for name in ("f0_hz", "spectrum", "aperiodicity"):
        assert np.array_equal(getattr(first, name), getattr(again, name))
        assert np.isfinite(getattr(first, name)).all()
    assert edited(BASE, kind, 0.0) is BASE


@pytest.mark.parametrize("kind", ["pitch_error", "breaks", "gasps", "timing_slips"])
def test_another_seed_gives_other_places(kind: EditKind) -> None:
    one, other = (apply_edit(BASE, kind, severity=1.0, seed=seed)[1] for seed in (1, 2))
    assert one != other


@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_a_fault_in_one_phrase_stays_there(kind: EditKind) -> None:
    phrase = BASE.phrases[1]
    span = (phrase.start_s - 0.35, phrase.end_s + 0.1)
    after, faults = apply_edit(BASE, kind, severity=1.0, seed=3, spans_s=[span])
    outside = np.ones(BASE.n_frames, dtype=bool)
    outside[BASE.frames_of(span[0] - 0.31, span[1] + 0.31)] = False
    assert np.allclose(after.f0_hz[outside], BASE.f0_hz[outside], rtol=1e-3)
    assert np.allclose(after.level_db()[outside], BASE.level_db()[outside], atol=0.5)
    assert faults
    assert all(span[0] <= 0.5 * (f.start_s + f.end_s) <= span[1] for f in faults)
    assert len(after.notes) == len(BASE.notes)


def test_what_is_not_there_cannot_be_taken_away() -> None:
    straight = plain_singing(vibrato_cents=0.0)
    assert is_applicable(BASE, "vibrato_removed")
    assert not is_applicable(straight, "vibrato_removed")
    assert not is_applicable(straight, "vibrato_irregular")
    assert all(is_applicable(BASE, kind) for kind in EDIT_KINDS)


def test_wrong_severities_and_kinds_are_refused() -> None:
    with pytest.raises(ValueError, match="severity"):
        apply_edit(BASE, "scoops", severity=1.2, seed=0)
    with pytest.raises(ValueError, match="not one of"):
        apply_edit(BASE, "louder", severity=0.5, seed=0)  # type: ignore[arg-type]


def test_every_fault_lowers_something() -> None:
    assert set(EDIT_DIMENSIONS) == set(EDIT_KINDS)
    assert all(EDIT_DIMENSIONS[kind] for kind in FAULT_KINDS)
    assert EDIT_DIMENSIONS["neutral"] == ()
