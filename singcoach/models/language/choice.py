"""Which language model is to be used."""

from __future__ import annotations

from singcoach.errors import ModelError
from singcoach.jobs import NO_JOB, Job
from singcoach.models.catalogue import Catalogue
from singcoach.models.language.process import LOAD_TIMEOUT_S, LanguageModel
from singcoach.models.manifest import ModelEntry

ROLE = "language_model"
_PARTS = ("", "model")


def find_language_model(catalogue: Catalogue) -> ModelEntry | None:
    """Return the model of the newest pack that has one, else the embedded one, else None."""
    for part in _PARTS:
        pack = catalogue.newest_pack(ROLE, part)
        if pack is not None:
            return next(e for e in pack.entries if e.role == ROLE and e.part == part)
    return next((e for part in _PARTS if (e := catalogue.find(ROLE, part)) is not None), None)


def require_language_model(catalogue: Catalogue) -> ModelEntry:
    """Return the model to use.

    Raises
    ------
    ModelError
        When there is none.
    """
    entry = find_language_model(catalogue)
    if entry is None:
        raise ModelError(
            "No language model is installed",
            hint="Make one with `singcoach models build coach-smollm2`, or add one",
        )
    return entry


def open_language_model(
    catalogue: Catalogue, job: Job = NO_JOB, *, load_timeout_s: float = LOAD_TIMEOUT_S
) -> LanguageModel:
    """Start the model to use; see :class:`LanguageModel`."""
    entry = require_language_model(catalogue)
    return LanguageModel(entry, load_timeout_s=load_timeout_s, job=job)
