"""The JSON document: strict, complete, and refused when anything is out of place."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import json
import math

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_samples import make_assessment

from singcoach.core.scores import DIMENSIONS, Measure
from singcoach.report.document import (
    clean_text,
    schema,
    to_document,
    to_json,
    validate_document,
)


def test_schema_is_itself_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize(
    "assessment",
    [
        make_assessment(),
        make_assessment(feedback=False),
        make_assessment(without=("timbre",), verdict="weak", reasons=("Short.",)),
        make_assessment(without=DIMENSIONS, verdict="insufficient", reasons=("No voice.",)),
        make_assessment(file="曲\udcff\n.wav"),
    ],
    ids=["whole", "silent coach", "weak", "insufficient", "odd name"],
)
def test_good_assessments_pass_and_survive_json(assessment) -> None:  # type: ignore[no-untyped-def]
    document = to_document(assessment)
    for indent in (None, 2):
        text = to_json(document, indent=indent)
        assert json.loads(text, parse_constant=pytest.fail) == document
        text.encode("utf-8")
    assert "\n" not in to_json(document, indent=None)


def test_has_exactly_the_promised_keys() -> None:
    document = to_document(make_assessment())
    assert list(document) == [
        "schema", "input", "screening", "dimensions", "overall", "measures", "phrases",
        "feedback", "timings", "peak_memory_mb", "models", "warnings",
    ]  # fmt: skip
    assert set(document["dimensions"]["breath"]) == {
        "score", "low", "high", "reason", "encoder", "head", "evidence",
    }  # fmt: skip
    assert document["timings"]["realtime_factor"] == 0.07
    assert document["screening"]["key"] == "F# minor"


def test_numbers_are_rounded() -> None:
    document = to_document(make_assessment())
    assert document["dimensions"]["breath"]["score"] == 3.38
    assert document["measures"]["scale_deviation"] == {
        "value": 34.2123,
        "unit": "cents",
        "percentile": 62.0,
    }


def test_null_scores_carry_their_reason() -> None:
    document = to_document(make_assessment(without=("timbre",)))
    timbre = document["dimensions"]["timbre"]
    assert timbre["score"] is timbre["low"] is timbre["high"] is None
    assert timbre["reason"] == "less than 10 s of singing"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_measures_without_a_number_become_null(value: float) -> None:
    assessment = make_assessment()
    measures = {"cpp_low": Measure(value=value, unit="dB", percentile=50.0)}
    scores = dataclasses.replace(assessment.scores, measures=measures)
    document = to_document(dataclasses.replace(assessment, scores=scores))
    assert document["measures"]["cpp_low"] == {"value": None, "unit": "dB", "percentile": None}
    assert "NaN" not in to_json(document)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_no_other_place_takes_nan(value: float) -> None:
    assessment = make_assessment()
    overall = dataclasses.replace(assessment.scores.overall, score=value)
    scores = dataclasses.replace(assessment.scores, overall=overall)
    with pytest.raises(ValueError, match="overall"):
        to_document(dataclasses.replace(assessment, scores=scores))
    with pytest.raises(ValueError, match="peak_memory"):
        to_document(dataclasses.replace(assessment, peak_memory_mb=value))


def _set(document, path, value):  # type: ignore[no-untyped-def]
    for step in path[:-1]:
        document = document[step]
    document[path[-1]] = value


BREAKS = [
    (("schema",), "singcoach.assessment/2"),
    (("extra",), 1),
    (("input", "sha256"), "xyz"),
    (("input", "kind"), "duet"),
    (("input", "file"), ""),
    (("input", "duration_s"), -1),
    (("input", "channels"), 1.5),
    (("screening", "verdict"), "good"),
    (("screening", "verdict"), "insufficient"),
    (("screening", "pitch_accuracy"), 1.2),
    (("screening", "key"), "H minor"),
    (("screening", "recording_quality"), 0.5),
    (("screening", "mood"), 1),
    (("dimensions", "diction"), {}),
    (("dimensions", "breath", "score"), 5.1),
    (("dimensions", "breath", "score"), None),
    (("dimensions", "breath", "score"), "3"),
    (("dimensions", "breath", "low"), None),
    (("dimensions", "breath", "low"), 3.9),
    (("dimensions", "breath", "reason"), "x"),
    (("dimensions", "breath", "evidence", 0, "effect"), 1.5),
    (("dimensions", "breath", "evidence", 0, "end_s"), 0.0),
    (("dimensions", "breath", "evidence", 1, "id"), "breath.1"),
    (("dimensions", "breath", "evidence", 0, "id"), "<script>"),
    (("dimensions", "breath", "evidence", 0, "text"), ""),
    (("overall", "score"), 0),
    (("overall", "evidence"), []),
    (("measures", "Scale Deviation"), {"value": 1, "unit": "", "percentile": None}),
    (("measures", "scale_deviation", "percentile"), 101),
    (("phrases", 0, "measures", "x"), None),
    (("feedback", "generator"), "magic"),
    (("feedback", "summary"), ""),
    (("feedback", "claims", "checked"), -1),
    (("feedback", "suggestions", 0, "evidence"), ["nowhere"]),
    (("timings", "total"), 1),
    (("timings", "total_s"), -1),
    (("models", 0, "licence"), ""),
    (("warnings",), None),
]


@pytest.mark.parametrize(("path", "value"), BREAKS, ids=lambda part: str(part)[:60])
def test_refuses_what_breaks_the_contract(path, value) -> None:  # type: ignore[no-untyped-def]
    document = copy.deepcopy(to_document(make_assessment()))
    if path == ("dimensions", "breath", "evidence", 0, "end_s"):
        document["dimensions"]["breath"]["evidence"][0]["start_s"] = 1.0
    _set(document, path, value)
    with pytest.raises(ValueError, match="assessment document"):
        validate_document(document)


def _paths(node, path=()):  # type: ignore[no-untyped-def]
    """All places of a document that the contract does not leave open."""
    if isinstance(node, dict):
        for name, child in node.items():
            yield (*path, name)
            yield from _paths(child, (*path, name))
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield (*path, index)
            yield from _paths(child, (*path, index))


DOCUMENT = to_document(make_assessment())
PATHS = sorted(_paths(DOCUMENT), key=str)
WRONG_TYPES = st.sampled_from([True, [1], {"x": 1}, b"bytes", object(), "\x00" * 3, -1e9])


CLOSED = [path for path in PATHS if path[-2:] != (0, "measures")]  # {"x": 1} is right there


@given(path=st.sampled_from(CLOSED), value=WRONG_TYPES)
@settings(max_examples=150, deadline=None)
def test_any_mutation_is_judged_without_a_crash(path, value) -> None:  # type: ignore[no-untyped-def]
    document = copy.deepcopy(DOCUMENT)
    _set(document, path, value)
    if isinstance(value, str | float):  # free text and free numbers may change at will
        with contextlib.suppress(ValueError):
            validate_document(document)
    else:
        with pytest.raises(ValueError, match="assessment document"):
            validate_document(document)


FREE = {"measures", "timings"}  # maps whose entries are optional
LATER = {("feedback", "language"), ("feedback", "sentences")}  # older documents lack them


@given(path=st.sampled_from([p for p in PATHS if isinstance(p[-1], str)]))
@settings(max_examples=80, deadline=None)
def test_every_key_is_required(path) -> None:  # type: ignore[no-untyped-def]
    document = copy.deepcopy(DOCUMENT)
    node = document
    for step in path[:-1]:
        node = node[step]
    del node[path[-1]]
    free = len(path) >= 2 and path[-2] in FREE
    if path in LATER or (free and path[-1] not in {"total_s", "realtime_factor"}):
        validate_document(document)
    else:
        with pytest.raises(ValueError, match="assessment document"):
            validate_document(document)


@given(st.text(st.characters(), max_size=40))
def test_clean_text_is_always_unicode(text: str) -> None:
    clean_text(text).encode("utf-8")


def test_clean_text_keeps_good_text_and_file_system_bytes() -> None:
    assert clean_text("曲 – été.wav") == "曲 – été.wav"
    assert clean_text("a\udcffb") == "a\ufffdb"
    assert clean_text("\ud800") == "?"


def test_same_assessment_same_text() -> None:
    assert to_json(to_document(make_assessment())) == to_json(to_document(make_assessment()))
