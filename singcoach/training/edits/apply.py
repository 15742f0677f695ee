"""One door to all edits."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from singcoach.core.arrays import FloatArray
from singcoach.core.music import Note, PitchTrack
from singcoach.training.edits import level_edits, pitch_edits, time_edits, tone_edits
from singcoach.training.edits.kinds import EDIT_KINDS, EditKind, Fault
from singcoach.training.edits.voice import (
    FRAME_S,
    SILENCE,
    Singing,
    fade_in_spans,
    phrases_of,
    smoothed,
    voiced_runs,
)
from singcoach.training.edits.world import analyse_voice, synthesise

Edited = tuple[Singing, tuple[Fault, ...]]
Span = tuple[float, float]


def _neutral(
    singing: Singing,
    severity: float,  # noqa: ARG001 - one form for all
    generator: np.random.Generator,  # noqa: ARG001
) -> Edited:
    return singing, ()


_EDITS: Mapping[EditKind, Callable[[Singing, float, np.random.Generator], Edited]] = {
    "neutral": _neutral,
    "pitch_error": pitch_edits.pitch_error,
    "pitch_drift": pitch_edits.pitch_drift,
    "scoops": pitch_edits.scoops,
    "vibrato_removed": pitch_edits.vibrato_removed,
    "vibrato_irregular": pitch_edits.vibrato_irregular,
    "early_decay": level_edits.early_decay,
    "level_wobble": level_edits.level_wobble,
    "breaks": level_edits.breaks,
    "gasps": level_edits.gasps,
    "breathiness": tone_edits.breathiness,
    "dullness": tone_edits.dullness,
    "harshness": tone_edits.harshness,
    "flat_dynamics": level_edits.flat_dynamics,
    "timing_slips": time_edits.timing_slips,
}


def apply_edit(
    singing: Singing,
    edit: EditKind,
    *,
    severity: float,
    seed: int,
    spans_s: Sequence[Span] | None = None,
) -> Edited:
    """Return the voice with one fault, and where the fault is.

    The same seed draws the same places and directions for every severity: severities of one seed
    are steps of one fault, and severity orders them.

    Parameters
    ----------
    severity
        0 (nothing but what resynthesis does) to 1; its unit is told at the function of each kind.
    spans_s
        Keep the fault inside these spans; None for the whole take.

    Raises
    ------
    ValueError
        When the severity is not in 0..1, or the kind is unknown.
    """
    if not 0.0 <= severity <= 1.0:
        raise ValueError(f"severity must be in 0..1, not {severity}")
    if edit not in _EDITS:
        raise ValueError(f"{edit!r} is not one of {', '.join(EDIT_KINDS)}")
    generator = np.random.default_rng([seed, zlib.crc32(edit.encode())])
    if severity == 0.0 or edit == "neutral":
        return singing, ()
    if spans_s is None:
        return _EDITS[edit](singing, severity, generator)
    part = replace(
        singing,
        notes=tuple(n for n in singing.notes if _inside(n.onset_s, n.offset_s, spans_s)),
        phrases=tuple(p for p in singing.phrases if _inside(p.start_s, p.end_s, spans_s)),
    )
    edited, faults = _EDITS[edit](part, severity, generator)
    faults = tuple(f for f in faults if _inside(f.start_s, f.end_s, spans_s))
    if edit == "timing_slips":  # moves notes inside only; what lies outside is where it was
        kept = [n for n in singing.notes if not _inside(n.onset_s, n.offset_s, spans_s)]
        notes = tuple(sorted([*kept, *edited.notes], key=lambda n: n.onset_s))
        return replace(edited, notes=notes, phrases=phrases_of(notes)), faults
    return _blend(singing, edited, spans_s), faults


def is_applicable(singing: Singing, edit: EditKind) -> bool:
    """Whether the singing has what the edit takes away or changes (vibrato, dynamics, ...)."""
    if edit == "neutral":
        return True
    if len(singing.notes) < 4 or not singing.phrases:
        return False
    if edit in ("vibrato_removed", "vibrato_irregular"):
        swing = pitch_edits.vibrato_part(singing)
        return bool((np.abs(swing) > 0.0).sum() * FRAME_S >= 1.5 and np.abs(swing).max() >= 25.0)
    if edit == "pitch_drift":
        return sum(n.duration_s >= pitch_edits.LONG_NOTE_S for n in singing.notes) >= 3
    if edit == "early_decay":
        return sum(p.duration_s >= 1.0 for p in singing.phrases) >= 2
    if edit == "flat_dynamics":
        level = singing.level_db()
        slow = [smoothed(level[a:b], seconds=0.15) for a, b in voiced_runs(singing)]
        return bool(slow) and float(np.concatenate(slow).std()) >= 2.5
    return True


def make_edits(
    audio: FloatArray,
    sample_rate: int,
    *,
    pitch: PitchTrack,
    notes: tuple[Note, ...],
    edit: EditKind,
    severity: float,
    seed: int,
) -> FloatArray:
    """Return ``audio`` with one controlled fault, shape ``(n_samples,)``.

    Parameters
    ----------
    audio
        One voice alone, 16 kHz, shape ``(n_samples,)``.
    pitch, notes
        Of the same audio (:mod:`singcoach.pitch`).
    edit, severity, seed
        See :func:`apply_edit`.

    Raises
    ------
    ValueError
        Wrong shape, rate, kind or severity.
    ModelError
        When pyworld is not installed.

    Notes
    -----
    Cost: about a tenth of the length of the audio; several edits of one voice share the analysis
    when :func:`analyse_voice`, :func:`apply_edit` and :func:`synthesise` are called one by one.
    """
    singing = analyse_voice(audio, sample_rate=sample_rate, pitch=pitch, notes=notes)
    return synthesise(apply_edit(singing, edit, severity=severity, seed=seed)[0])


def _inside(start_s: float, end_s: float, spans_s: Sequence[Span]) -> bool:
    middle = 0.5 * (start_s + end_s)
    return any(start <= middle < end for start, end in spans_s)


def _blend(before: Singing, after: Singing, spans_s: Sequence[Span]) -> Singing:
    """Return ``after`` inside the spans and ``before`` outside, cross-faded over 30 ms."""
    mask = fade_in_spans(before.n_frames, spans_s, fade_s=0.03)
    rows = mask[:, np.newaxis]
    both = (before.f0_hz > 0.0) & (after.f0_hz > 0.0)
    mixed = np.exp(
        (1.0 - mask) * np.log(np.maximum(before.f0_hz, 1.0))
        + mask * np.log(np.maximum(after.f0_hz, 1.0))
    )
    return replace(
        before,
        f0_hz=np.where(both, mixed, np.where(mask > 0.5, after.f0_hz, before.f0_hz)),
        spectrum=np.exp(
            (1.0 - rows) * np.log(before.spectrum + SILENCE)
            + rows * np.log(after.spectrum + SILENCE)
        ),
        aperiodicity=(1.0 - rows) * before.aperiodicity + rows * after.aperiodicity,
    )
