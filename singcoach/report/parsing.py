"""The assessment read back from its JSON document, so that kept results can be shown again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from singcoach.core.assessment import Assessment, InputFile, ModelUse
from singcoach.core.music import Key
from singcoach.core.scores import (
    DIMENSIONS,
    DimensionScore,
    Evidence,
    Feedback,
    Measure,
    PhraseMeasures,
    Scores,
    Sentence,
    Suggestion,
)
from singcoach.core.take import Screening
from singcoach.errors import InputError
from singcoach.report.document import validate_document

_TONICS: Final = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


def parse_assessment(document: Mapping[str, Any]) -> Assessment:
    """Return the values that a document was made from, as far as it holds them.

    What a document does not hold comes back as unknown: what pitch and rhythm were compared with
    (None), and how strong the key was (0). All else makes the same document again.

    Raises
    ------
    InputError
        The document breaks the schema: it is damaged or from a later version.
    """
    whole = dict(document)
    try:
        validate_document(whole)
    except ValueError as error:
        raise InputError(
            "The take's assessment is damaged or from another version",
            hint="Analyse the take again",
            detail=str(error),
        ) from error
    return Assessment(
        input=InputFile(**whole["input"]),
        screening=_screening(whole["screening"]),
        scores=_scores(whole),
        feedback=None if whole["feedback"] is None else _feedback(whole["feedback"]),
        timings=dict(whole["timings"]),
        peak_memory_mb=float(whole["peak_memory_mb"]),
        models=tuple(ModelUse(**model) for model in whole["models"]),
        warnings=tuple(whole["warnings"]),
    )


def _screening(part: Mapping[str, Any]) -> Screening:
    return Screening(
        verdict=part["verdict"],
        pitch_accuracy=part["pitch_accuracy"],
        rhythm_accuracy=part["rhythm_accuracy"],
        pitch_reference=None,
        rhythm_reference=None,
        key=_key(part["key"], part["tuning_cents"]),
        tuning_cents=part["tuning_cents"],
        voiced_s=float(part["voiced_s"]),
        recording_quality=part["recording_quality"],
        reasons=tuple(part["reasons"]),
    )


def _key(name: str | None, tuning_cents: float | None) -> Key | None:
    tonic, _, mode = (name or "").partition(" ")
    if tonic not in _TONICS or mode not in ("major", "minor"):
        return None
    return Key(
        tonic=_TONICS.index(tonic),
        mode="major" if mode == "major" else "minor",
        tuning_cents=tuning_cents or 0.0,
        strength=0.0,
    )


def _scores(whole: Mapping[str, Any]) -> Scores:
    return Scores(
        dimensions={
            name: _score(whole["dimensions"][name])
            if name in whole["dimensions"]
            else DimensionScore(score=None, low=None, high=None, head="", encoder=None)
            for name in DIMENSIONS
        },
        overall=_score(whole["overall"]),
        measures={
            name: Measure(value=part["value"], unit=part["unit"], percentile=part["percentile"])
            for name, part in whole["measures"].items()
        },
        phrases=tuple(
            PhraseMeasures(
                start_s=float(part["start_s"]),
                end_s=float(part["end_s"]),
                values=dict(part["measures"]),
            )
            for part in whole["phrases"]
        ),
    )


def _score(part: Mapping[str, Any]) -> DimensionScore:
    return DimensionScore(
        score=part["score"],
        low=part["low"],
        high=part["high"],
        head=part.get("head", ""),
        encoder=part.get("encoder"),
        evidence=tuple(Evidence(**item) for item in part.get("evidence", ())),
        reason=part.get("reason"),
    )


def _feedback(part: Mapping[str, Any]) -> Feedback:
    return Feedback(
        summary=part["summary"],
        critique=part["critique"],
        suggestions=tuple(
            Suggestion(text=s["text"], exercise=s["exercise"], evidence=tuple(s["evidence"]))
            for s in part["suggestions"]
        ),
        spoken=part["spoken"],
        generator=part["generator"],
        claims_checked=int(part["claims"]["checked"]),
        claims_rejected=int(part["claims"]["rejected"]),
        sentences=_sentences(part.get("sentences", ())),
        language=part.get("language", "en"),
    )


def _sentences(parts: Sequence[Mapping[str, Any]]) -> tuple[Sentence, ...]:
    return tuple(
        Sentence(part=s["part"], place=int(s["place"]), text=s["text"], facts=tuple(s["facts"]))
        for s in parts
    )
