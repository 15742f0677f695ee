"""The assessment of one take, the product's main result ("singcoach.assessment/1")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from singcoach.core.scores import Feedback, Scores
from singcoach.core.take import Screening, TakeKind

SCHEMA_NAME = "singcoach.assessment/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """The file that was assessed. ``file`` is its name as the user gave it."""

    file: str
    sha256: str
    duration_s: float
    sample_rate: int
    channels: int
    kind: TakeKind
    kind_decided_by: Literal["user", "detector"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelUse:
    """A model that took part, with the hash that was verified before it was read."""

    role: str
    id: str
    version: str
    sha256: str
    licence: str
    provider: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """The whole result for one file; :mod:`singcoach.report.document` turns it into JSON."""

    input: InputFile
    screening: Screening
    scores: Scores
    feedback: Feedback | None
    timings: Mapping[str, float]
    peak_memory_mb: float
    models: tuple[ModelUse, ...]
    warnings: tuple[str, ...]
