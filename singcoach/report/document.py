"""The assessment as strict JSON, "singcoach.assessment/1"."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, TypeAlias

from singcoach.core.assessment import SCHEMA_NAME, Assessment
from singcoach.core.scores import DIMENSIONS, DimensionScore, Evidence, Feedback, Measure
from singcoach.core.take import Screening

Document: TypeAlias = dict[str, Any]
"""A tree of dict, list, str, int, float, bool and None, ready for :func:`json.dumps`."""

_TIME_DECIMALS = 3
_SCORE_DECIMALS = 2
_SHARE_DECIMALS = 4
_VALUE_DIGITS = 6


def to_document(assessment: Assessment) -> Document:
    """Turn an assessment into its JSON document.

    Numbers are rounded (times to milliseconds, scores to hundredths, measured values to six
    significant digits), so that the text is the same wherever the numbers are.

    A measure that came out as NaN or infinity is written as ``null`` ("could not be measured").

    Raises
    ------
    ValueError
        When the assessment breaks its own contract; that is a bug of ours.
    """
    file = assessment.input
    timings = {name: _rounded(value, 4) for name, value in sorted(assessment.timings.items())}
    if "realtime_factor" not in timings and "total_s" in timings and file.duration_s > 0:
        timings["realtime_factor"] = _rounded(assessment.timings["total_s"] / file.duration_s, 4)
    overall = assessment.scores.overall
    document: Document = {
        "schema": SCHEMA_NAME,
        "input": {
            "file": clean_text(file.file),
            "sha256": file.sha256,
            "duration_s": _rounded(file.duration_s, _TIME_DECIMALS),
            "sample_rate": int(file.sample_rate),
            "channels": int(file.channels),
            "kind": file.kind,
            "kind_decided_by": file.kind_decided_by,
        },
        "screening": _screening(assessment.screening),
        "dimensions": {
            name: _dimension(assessment.scores.dimensions[name])
            for name in DIMENSIONS
            if name in assessment.scores.dimensions
        },
        "overall": _interval(overall),
        "measures": {
            name: _measure(measure) for name, measure in sorted(assessment.scores.measures.items())
        },
        "phrases": [
            {
                "start_s": _rounded(phrase.start_s, _TIME_DECIMALS),
                "end_s": _rounded(phrase.end_s, _TIME_DECIMALS),
                "measures": _finite_values(phrase.values),
            }
            for phrase in assessment.scores.phrases
        ],
        "feedback": None if assessment.feedback is None else _feedback(assessment.feedback),
        "timings": timings,
        "peak_memory_mb": _rounded(assessment.peak_memory_mb, 1),
        "models": [
            {
                "role": model.role,
                "id": model.id,
                "version": model.version,
                "sha256": model.sha256,
                "licence": model.licence,
                "provider": model.provider,
            }
            for model in assessment.models
        ],
        "warnings": _texts((*assessment.warnings, *assessment.scores.warnings)),
    }
    validate_document(document)
    return document


def validate_document(document: Any) -> None:
    """Check a document against the schema and against what a schema cannot say.

    Raises
    ------
    ValueError
        Naming the first place that is wrong.
    """
    error = next(iter(sorted(_validator().iter_errors(document), key=_error_order)), None)
    if error is not None:
        raise ValueError(f"assessment document, {error.json_path}: {error.message[:300]}")
    _refuse_non_finite(document, "$")
    ids: set[str] = set()
    for name, dimension in document["dimensions"].items():
        _check_interval(dimension, f"$.dimensions.{name}")
        for item in dimension["evidence"]:
            if item["id"] in ids:
                raise ValueError(f"assessment document: evidence id {item['id']!r} appears twice")
            ids.add(item["id"])
            _check_span(item, f"evidence {item['id']}")
    _check_interval(document["overall"], "$.overall")
    for phrase in document["phrases"]:
        _check_span(phrase, "a phrase")
    for suggestion in (document["feedback"] or {"suggestions": []})["suggestions"]:
        missing = [item for item in suggestion["evidence"] if item not in ids]
        if missing:
            raise ValueError(f"assessment document: a suggestion names no evidence {missing[0]!r}")


def to_json(document: Document, *, indent: int | None = 2) -> str:
    """Write a document as strict JSON (no NaN), without a final newline.

    ``indent=None`` gives one line, for batches.
    """
    separators = (",", ": ") if indent is not None else (",", ":")
    return json.dumps(
        document, ensure_ascii=False, allow_nan=False, indent=indent, separators=separators
    )


@cache
def schema() -> Mapping[str, Any]:
    """Return the JSON schema (draft 2020-12) of the document."""
    text = files("singcoach.report").joinpath("assessment.schema.json").read_text(encoding="utf-8")
    loaded: Mapping[str, Any] = json.loads(text)
    return loaded


def clean_text(text: str) -> str:
    """Return ``text`` as valid Unicode.

    File names may hold bytes that are no text (lone surrogates); they become U+FFFD.
    """
    return text.encode("utf-8", "surrogateescape" if _only_escapes(text) else "replace").decode(
        "utf-8", "replace"
    )


def _only_escapes(text: str) -> bool:
    return all(not 0xD800 <= ord(c) <= 0xDFFF or 0xDC80 <= ord(c) <= 0xDCFF for c in text)


@cache
def _validator() -> Any:
    return make_validator(schema())


def make_validator(rules: Mapping[str, Any]) -> Any:
    """Return what checks documents against a JSON schema (draft 2020-12)."""
    import jsonschema  # slow to import, and needed only once a result exists

    return jsonschema.Draft202012Validator(rules)


def _error_order(error: Any) -> tuple[int, str]:
    return (len(error.absolute_path), str(error.json_path))


def _rounded(value: float, decimals: int) -> float:
    return round(float(value), decimals) + 0.0  # + 0.0 turns -0.0 into 0.0


def _significant(value: float) -> float:
    return float(f"{float(value):.{_VALUE_DIGITS}g}") + 0.0


def _optional(value: float | None, decimals: int) -> float | None:
    return None if value is None or not math.isfinite(value) else _rounded(value, decimals)


def _finite_values(values: Mapping[str, float]) -> dict[str, float]:
    return {
        name: _significant(value) for name, value in sorted(values.items()) if math.isfinite(value)
    }


def _texts(texts: tuple[str, ...]) -> list[str]:
    return list(dict.fromkeys(clean_text(text) for text in texts if text))


def _screening(screening: Screening) -> Document:
    return {
        "verdict": screening.verdict,
        "pitch_accuracy": _optional(screening.pitch_accuracy, _SHARE_DECIMALS),
        "rhythm_accuracy": _optional(screening.rhythm_accuracy, _SHARE_DECIMALS),
        "key": None if screening.key is None else screening.key.name,
        "tuning_cents": _optional(screening.tuning_cents, 1),
        "voiced_s": _rounded(screening.voiced_s, _TIME_DECIMALS),
        "recording_quality": _optional(screening.recording_quality, _SCORE_DECIMALS),
        "reasons": _texts(screening.reasons),
    }


def _interval(score: DimensionScore) -> Document:
    return {
        "score": None if score.score is None else _rounded(score.score, _SCORE_DECIMALS),
        "low": None if score.low is None else _rounded(score.low, _SCORE_DECIMALS),
        "high": None if score.high is None else _rounded(score.high, _SCORE_DECIMALS),
        "reason": None if score.reason is None else clean_text(score.reason),
    }


def _dimension(score: DimensionScore) -> Document:
    return {
        **_interval(score),
        "encoder": score.encoder,
        "head": score.head,
        "evidence": [_evidence(item) for item in score.evidence],
    }


def _evidence(item: Evidence) -> Document:
    return {
        "id": item.id,
        "start_s": _rounded(item.start_s, _TIME_DECIMALS),
        "end_s": _rounded(item.end_s, _TIME_DECIMALS),
        "measure": item.measure,
        "value": _significant(item.value),
        "unit": item.unit,
        "effect": _rounded(item.effect, _SHARE_DECIMALS),
        "text": clean_text(item.text),
    }


def _measure(measure: Measure) -> Document:
    known = measure.value is not None and math.isfinite(measure.value)
    return {
        "value": _significant(measure.value) if known and measure.value is not None else None,
        "unit": measure.unit,
        "percentile": _optional(measure.percentile, 1) if known else None,
    }


def _feedback(feedback: Feedback) -> Document:
    return {
        "summary": clean_text(feedback.summary),
        "critique": clean_text(feedback.critique),
        "suggestions": [
            {
                "text": clean_text(suggestion.text),
                "exercise": clean_text(suggestion.exercise),
                "evidence": list(suggestion.evidence),
            }
            for suggestion in feedback.suggestions
        ],
        "spoken": clean_text(feedback.spoken),
        "generator": feedback.generator,
        "claims": {"checked": feedback.claims_checked, "rejected": feedback.claims_rejected},
        "language": feedback.language,
        "sentences": [
            {
                "part": sentence.part,
                "place": sentence.place,
                "text": clean_text(sentence.text),
                "facts": list(sentence.facts),
            }
            for sentence in feedback.sentences
        ],
    }


def _refuse_non_finite(node: Any, path: str) -> None:
    if isinstance(node, float) and not math.isfinite(node):
        raise ValueError(f"assessment document, {path}: {node} is not a number JSON can hold")
    if isinstance(node, dict):
        for name, child in node.items():
            _refuse_non_finite(child, f"{path}.{name}")
    elif isinstance(node, list):
        for index, child in enumerate(node):
            _refuse_non_finite(child, f"{path}[{index}]")


def _check_interval(score: Document, path: str) -> None:
    if score["score"] is not None and not score["low"] <= score["score"] <= score["high"]:
        raise ValueError(f"assessment document, {path}: score outside its own interval")


def _check_span(item: Document, what: str) -> None:
    if item["end_s"] < item["start_s"]:
        raise ValueError(f"assessment document: {what} ends before it starts")
