"""Broken manifests and assessment documents: refused with their own error, or truly valid."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fuzz_budget import budget
from fuzz_mutations import broken
from hypothesis import given
from hypothesis import strategies as st

from singcoach.core.assessment import Assessment, InputFile, ModelUse
from singcoach.core.scores import (
    DIMENSIONS,
    DimensionScore,
    Evidence,
    Feedback,
    Measure,
    PhraseMeasures,
    Scores,
    Suggestion,
)
from singcoach.core.take import Screening
from singcoach.errors import ModelError
from singcoach.models.manifest import parse_manifest
from singcoach.report.document import to_document, to_json, validate_document

_MANIFEST = """schema = "singcoach.models/1"
[[model]]
id = "one"
role = "pitch"
version = "1.0"
file = "one.onnx"
sha256 = "6385e8c2ebc3872e82c9ff5946228de44cd3be77a750ea53698b7dbfe94b0a22"
size = 135090
licence = "MIT"
source = "Somebody"
package = "one==1.0"
sample_rate = 16000
inputs = [{ name = "audio", dtype = "float32", shape = [1, "samples"] }]
[[model]]
id = "two"
role = "separation"
part = "vocals"
version = "2"
file = "two.onnx"
sha256 = "1838475fceb8deac6913d6ad230c561b8d1c20a1da69c257011bccbdb018a3c6"
size = 12
licence = "MIT"
source = "Somebody else"
"""


def check_manifest(content: bytes, folder: Path) -> None:
    try:
        entries = parse_manifest(content, folder=folder)
    except ModelError as error:
        assert error.message  # noqa: PT017 - most inputs are refused, some are not
        return
    for entry in entries:
        assert entry.path.parent == folder
        assert entry.card.parent == folder
        assert len(entry.sha256) == 64
        assert entry.size > 0


def test_the_whole_manifest_is_read(tmp_path: Path) -> None:
    assert len(parse_manifest(_MANIFEST.encode(), folder=tmp_path)) == 2


@budget(0.08)
@given(data=st.data())
def test_broken_manifest(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    _, content = data.draw(broken({"manifest": _MANIFEST.encode()}))
    check_manifest(content, tmp_path_factory.getbasetemp())


_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["../up", "/etc/passwd", "con", "a/b", "..", "x" * 5_000]),
    st.lists(st.integers(), max_size=3),
)


def _as_toml(value: object) -> str:
    if value is None:
        return "{}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | str):
        return json.dumps(value)
    return repr(value)


@budget(0.04)
@given(
    key=st.sampled_from(
        ["id", "role", "part", "file", "sha256", "size", "sample_rate", "inputs", "rubbish"]
    ),
    value=_VALUES,
)
def test_wrong_values_in_a_manifest(
    tmp_path_factory: pytest.TempPathFactory, key: str, value: object
) -> None:
    lines = [line for line in _MANIFEST.splitlines() if not line.startswith(f"{key} =")]
    lines.append(f"{key} = {_as_toml(value)}")
    content = "\n".join(lines).encode("utf-8", "replace")
    check_manifest(content, tmp_path_factory.getbasetemp())


def _document() -> dict[str, Any]:
    evidence = Evidence(
        id="e1",
        start_s=1.0,
        end_s=2.0,
        measure="scale_deviation",
        value=12.0,
        unit="cents",
        effect=-0.4,
        text="From 0:01 to 0:02 the pitch was 12 cents off.",
    )
    dimensions = {
        name: DimensionScore(
            score=3.0,
            low=2.0,
            high=4.0,
            head="rules",
            encoder=None,
            evidence=(evidence,) if name == "technique" else (),
        )
        for name in DIMENSIONS
    }
    none = DimensionScore(
        score=None, low=None, high=None, head="rules", encoder=None, reason="too short"
    )
    assessment = Assessment(
        input=InputFile(
            file="take.wav",
            sha256="0" * 64,
            duration_s=12.0,
            sample_rate=44_100,
            channels=2,
            kind="solo",
            kind_decided_by="user",
        ),
        screening=Screening(
            verdict="pass",
            pitch_accuracy=0.9,
            rhythm_accuracy=None,
            pitch_reference="self",
            rhythm_reference=None,
            key=None,
            tuning_cents=3.0,
            voiced_s=9.0,
            recording_quality=3.1,
        ),
        scores=Scores(
            dimensions=dimensions,
            overall=none,
            measures={"scale_deviation": Measure(value=12.0, unit="cents", percentile=40.0)},
            phrases=(PhraseMeasures(start_s=0.5, end_s=2.5, values={"scale_deviation": 12.0}),),
        ),
        feedback=Feedback(
            summary="Good.",
            critique="Good.",
            suggestions=(Suggestion(text="Hum.", exercise="humming", evidence=("e1",)),),
            spoken="Good.",
            generator="template",
            claims_checked=1,
            claims_rejected=0,
        ),
        timings={"pitch_s": 1.0, "total_s": 2.0, "realtime_factor": 0.1},
        peak_memory_mb=300.0,
        models=(
            ModelUse(
                role="pitch",
                id="swift-f0",
                version="0.3.0",
                sha256="1" * 64,
                licence="MIT",
                provider="CPUExecutionProvider",
            ),
        ),
        warnings=(),
    )
    return to_document(assessment)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return _document()


def places(node: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children: list[tuple[Any, Any]] = []
    if isinstance(node, dict):
        children = list(node.items())
    elif isinstance(node, list):
        children = list(enumerate(node))
    return [at, *(place for key, child in children for place in places(child, (*at, key)))]


_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


def check_document(document: Any) -> None:
    try:
        validate_document(document)
    except ValueError as error:
        assert str(error).startswith("assessment document")  # noqa: PT017
        return
    text = to_json(document)
    again = json.loads(text)
    validate_document(again)
    assert np.isfinite(again["peak_memory_mb"])


def test_the_whole_document_is_valid(document: dict[str, Any]) -> None:
    validate_document(document)


@budget(0.06)
@given(data=st.data())
def test_broken_document(document: dict[str, Any], data: st.DataObject) -> None:
    changed = copy.deepcopy(document)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(places(changed)[1:]))
        parent: Any = changed
        for key in place[:-1]:
            parent = parent[key]
        action = data.draw(st.integers(0, 2))
        if action == 0:
            del parent[place[-1]]
        elif action == 1:
            parent[place[-1]] = data.draw(_JSON)
        elif isinstance(parent, dict):
            parent[data.draw(st.text(max_size=6))] = data.draw(_JSON)
        else:
            parent.append(data.draw(_JSON))
    check_document(changed)


@budget(0.02)
@given(document=_JSON)
def test_any_json_is_no_assessment(document: Any) -> None:
    with pytest.raises(ValueError, match="assessment document"):
        validate_document(document)
