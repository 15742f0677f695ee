"""The kinds of controlled edits, and what each must lower."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from singcoach.core.scores import Dimension
from singcoach.training.edits.voice import Singing

EditKind = Literal[
    "neutral",
    "pitch_error",
    "pitch_drift",
    "scoops",
    "vibrato_removed",
    "vibrato_irregular",
    "early_decay",
    "level_wobble",
    "breaks",
    "gasps",
    "breathiness",
    "dullness",
    "harshness",
    "flat_dynamics",
    "timing_slips",
]
"""``neutral`` is analysis and resynthesis alone; the other fourteen are faults."""

EDIT_KINDS: tuple[EditKind, ...] = get_args(EditKind)
FAULT_KINDS: tuple[EditKind, ...] = tuple(kind for kind in EDIT_KINDS if kind != "neutral")

EDIT_DIMENSIONS: Mapping[EditKind, tuple[Dimension, ...]] = {
    "neutral": (),
    "pitch_error": ("technique",),
    "pitch_drift": ("technique",),
    "scoops": ("technique",),
    "vibrato_removed": ("technique", "emotion"),
    "vibrato_irregular": ("technique",),
    "early_decay": ("breath",),
    "level_wobble": ("breath",),
    "breaks": ("breath",),
    "gasps": ("breath",),
    "breathiness": ("timbre",),
    "dullness": ("timbre",),
    "harshness": ("timbre",),
    "flat_dynamics": ("emotion",),
    "timing_slips": ("technique",),
}
"""The dimensions that each edit must lower by what the edit is; ``overall`` falls with each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault at a known place.

    ``amount`` is what was done there, in ``unit``; see the function of the kind for its meaning.
    """

    kind: EditKind
    severity: float
    start_s: float
    end_s: float
    amount: float
    unit: str


def over_phrases(
    singing: Singing, kind: EditKind, severity: float, amount: float, unit: str
) -> tuple[Fault, ...]:
    """Return one fault of the same amount for every phrase."""
    return tuple(
        Fault(
            kind=kind,
            severity=severity,
            start_s=phrase.start_s,
            end_s=phrase.end_s,
            amount=amount,
            unit=unit,
        )
        for phrase in singing.phrases
    )
