"""Rows of VocalCoachBench: strict reading, honest writing, scoring against a key."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from singcoach.benchmark.htpr.coachbench import (
    ISSUES,
    IssuesRow,
    PairRow,
    Row,
    SegmentRow,
    read_rows,
    write_rows,
)
from singcoach.benchmark.htpr.coachbench_key import read_key, run_key, score_rows
from singcoach.benchmark.htpr.coachbench_writer import (
    MEASURES,
    issues_row,
    pair_row,
    segment_row,
    weigh_issues,
)
from singcoach.cli.main import main
from singcoach.core.scores import DIMENSIONS
from singcoach.errors import InputError
from singcoach.report.document import validate_document
from singcoach.scoring.measures import UNITS

ROWS: tuple[Row, ...] = (
    PairRow(pair_id="t1_ab", winner="A", confidence=0.82, rationale="A holds its notes"),
    PairRow(pair_id="t1_ac", winner="A"),
    IssuesRow(audio_id="x", top3_issues=("PITCH", "BREATH", "VOCALIZATION")),
    SegmentRow(sample_id="s", category="RHYTHM"),
)


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_rows_survive_writing_and_reading(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(write_rows(ROWS), encoding="utf-8")
    assert read_rows(path) == ROWS
    first = json.loads(path.read_text().splitlines()[0])
    assert list(first) == ["pair_id", "winner", "confidence", "rationale"]


def test_the_newer_name_of_an_issue_is_known(tmp_path: Path) -> None:
    path = write(tmp_path / "r", {"sample_id": "s", "category": "PHONATION"})
    assert read_rows(path) == (SegmentRow(sample_id="s", category="VOCALIZATION"),)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"id": "x"}, "no pair_id, audio_id, sample_id"),
        ([], "this is no JSON object"),
        ({"pair_id": "p", "winner": "C"}, "neither A nor B"),
        ({"pair_id": "p", "winner": "a"}, "neither A nor B"),
        ({"pair_id": "p"}, "neither A nor B"),
        ({"pair_id": 7, "winner": "A"}, "pair_id is not a text"),
        ({"pair_id": " ", "winner": "A"}, "pair_id is not a text"),
        ({"pair_id": "p", "winner": "A", "confidence": 1.2}, "not a number in 0..1"),
        ({"pair_id": "p", "winner": "A", "confidence": True}, "not a number in 0..1"),
        ({"pair_id": "p", "winner": "A", "confidence": float("nan")}, "not a number in 0..1"),
        ({"pair_id": "p", "winner": "A", "rationale": 3}, "rationale is not a text"),
        ({"pair_id": "p", "winner": "A", "score": 3}, "unknown field score"),
        ({"audio_id": "a", "top3_issues": ["PITCH", "BREATH"]}, "does not hold three"),
        ({"audio_id": "a", "top3_issues": ["PITCH", "BREATH", "PITCH"]}, "comes twice"),
        ({"audio_id": "a", "top3_issues": ["PITCH", "BREATH", "NOISE"]}, "NOISE is none of"),
        ({"audio_id": "a", "top3_issues": "PITCH"}, "no list of 1 to 3"),
        ({"sample_id": "s", "category": ["PITCH"]}, "is none of"),
        ({"sample_id": "s", "category": "PITCH", "audio_id": "a"}, "unknown field"),
    ],
)
def test_what_is_no_row_is_one_sentence(tmp_path: Path, row: object, sentence: str) -> None:
    path = write(tmp_path / "rows", {"sample_id": "first", "category": "PITCH"}, row)
    with pytest.raises(InputError, match="line 2") as fault:
        read_rows(path)
    assert sentence in fault.value.message


def test_a_row_that_comes_twice_and_an_empty_file_are_refused(tmp_path: Path) -> None:
    row = {"sample_id": "s", "category": "PITCH"}
    with pytest.raises(InputError, match="comes twice"):
        read_rows(write(tmp_path / "rows", row, row))
    with pytest.raises(InputError, match="holds no rows"):
        read_rows(write(tmp_path / "none"))


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=6) | st.sampled_from(ISSUES),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
FIELDS = ("pair_id", "audio_id", "sample_id", "winner", "top3_issues", "category", "confidence")
KEY_FIELDS = ("audio_a_id", "audio_b_id", "reference_orders", "references", "labels", "triplet_id")


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.dictionaries(st.sampled_from(FIELDS + KEY_FIELDS), json_values, max_size=5), max_size=3
    ),
    st.binary(max_size=20),
)
def test_any_lines_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], tail: bytes
) -> None:
    path = write(tmp_path_factory.mktemp("fuzz") / "rows", *rows)
    for content in (path.read_bytes(), path.read_bytes() + tail):
        path.write_bytes(content)
        with contextlib.suppress(InputError):
            assert read_rows(path)
        with contextlib.suppress(InputError):
            read_key(path)


def assessment(
    file: str = "a.wav",
    *,
    scores: Mapping[str, float | None] | None = None,
    overall: float | None = 3.0,
    pitch_accuracy: float | None = None,
    rhythm_accuracy: float | None = None,
    percentiles: Mapping[str, float] | None = None,
    evidence: tuple[str, str, float] | None = None,
) -> dict[str, Any]:
    """A valid document with the given findings and no others."""

    def part(score: float | None) -> dict[str, Any]:
        known = score is not None
        return {
            "score": score,
            "low": max(1.0, score - 0.5) if score is not None else None,
            "high": min(5.0, score + 0.5) if score is not None else None,
            "reason": None if known else "less than 10 s of singing",
        }

    values = dict.fromkeys(DIMENSIONS, 3.0) | dict(scores or {})
    dimensions = {
        name: {**part(score), "encoder": None, "head": "rules", "evidence": []}
        for name, score in values.items()
    }
    if evidence is not None:
        name, measure, effect = evidence
        item = {"id": "e-1", "start_s": 1.0, "end_s": 2.0, "measure": measure, "value": 1.0}
        item |= {"unit": UNITS[measure], "effect": effect, "text": "Here."}
        dimensions[name]["evidence"].append(item)
    document = {
        "schema": "singcoach.assessment/1",
        "input": {
            "file": file,
            "sha256": "0" * 64,
            "duration_s": 20.0,
            "sample_rate": 16000,
            "channels": 1,
            "kind": "solo",
            "kind_decided_by": "user",
        },
        "screening": {
            "verdict": "pass",
            "pitch_accuracy": pitch_accuracy,
            "key": None,
            "reasons": [],
            "rhythm_accuracy": rhythm_accuracy,
            "tuning_cents": None,
            "voiced_s": 15.0,
            "recording_quality": None,
        },
        "dimensions": dimensions,
        "overall": part(overall),
        "measures": {
            name: {"value": 1.0, "unit": UNITS[name], "percentile": percentile}
            for name, percentile in (percentiles or {}).items()
        },
        "phrases": [],
        "feedback": None,
        "timings": {"total_s": 1.0, "realtime_factor": 0.05},
        "peak_memory_mb": 100.0,
        "models": [],
        "warnings": [],
    }
    validate_document(document)
    return document


def test_every_issue_comes_from_what_was_measured() -> None:
    def first(**findings: Any) -> str:
        return next(iter(weigh_issues(assessment(**findings))))

    assert first(scores={"breath": 1.5}) == "BREATH"
    assert first(scores={"timbre": 1.5}) == "VOCALIZATION"
    assert first(scores={"emotion": 1.5}) == "EXPRESSION"
    assert first(scores={"technique": 1.5}) == "TECHNIQUE"
    assert first(pitch_accuracy=0.2) == "PITCH"
    assert first(rhythm_accuracy=0.2) == "RHYTHM"
    assert first(percentiles={"scale_deviation": 98.0, "tuning_concentration": 3.0}) == "PITCH"
    assert first(evidence=("technique", "scale_deviation", -0.6), pitch_accuracy=0.5) == "PITCH"


def test_good_moments_and_good_values_raise_no_issue() -> None:
    plain = weigh_issues(assessment(pitch_accuracy=0.5))
    good = weigh_issues(
        assessment(
            pitch_accuracy=0.5,
            evidence=("technique", "scale_deviation", 0.9),
            percentiles={"scale_deviation": 2.0},
        )
    )
    assert good["PITCH"] < plain["PITCH"]
    assert "PITCH" not in weigh_issues(assessment())


@settings(deadline=None, max_examples=50)
@given(
    st.dictionaries(st.sampled_from(DIMENSIONS), st.floats(1, 5) | st.none()),
    st.dictionaries(st.sampled_from(sorted(UNITS)), st.floats(0, 100)),
    st.floats(0, 1) | st.none(),
)
def test_diction_is_never_named_and_weights_fall(
    scores: dict[str, float | None], percentiles: dict[str, float], accuracy: float | None
) -> None:
    document = assessment(scores=scores, percentiles=percentiles, pitch_accuracy=accuracy)
    weights = weigh_issues(document)
    assert "DICTION" not in weights
    assert list(weights.values()) == sorted(weights.values(), reverse=True)
    row, segment = issues_row("a", document), segment_row("a", document)
    assert (row is None) == (len(weights) < 3)
    assert row is None or row.top3_issues == tuple(weights)[:3]
    assert segment is None or segment.category == next(iter(weights))


def test_a_take_that_says_nothing_gets_no_row() -> None:
    silent = assessment(scores=dict.fromkeys(DIMENSIONS), overall=None)
    assert issues_row("a", silent) is None
    assert segment_row("a", silent) is None


def test_the_measures_of_the_issues_exist() -> None:
    named = [name for measures in MEASURES.values() for name in measures]
    assert set(named) <= set(UNITS)
    assert len(named) == len(set(named))
    assert set(MEASURES) == set(ISSUES) - {"DICTION"}
    assert all(side in (-1, 1) for measures in MEASURES.values() for side in measures.values())


def test_the_better_of_two_wins_the_surer_the_further_apart() -> None:
    good, fair, poor = (assessment(overall=score) for score in (4.0, 3.0, 2.0))
    near, far = pair_row("p", good, fair), pair_row("p", good, poor)
    assert (near.winner, far.winner, pair_row("p", poor, good).winner) == ("A", "A", "B")
    assert near.confidence is not None
    assert far.confidence is not None
    assert 0.9 < near.confidence < far.confidence < 1.0
    assert pair_row("p", fair, good).confidence == near.confidence
    assert near.rationale is not None
    assert "4.0 (3.5 to 4.5) against 3.0" in near.rationale


def test_two_alike_or_without_a_score_are_a_coin_toss() -> None:
    same, none = assessment(), assessment(overall=None)
    assert pair_row("p", same, copy.deepcopy(same)).confidence == 0.5
    better = assessment(scores={"timbre": 4.0})
    row = pair_row("p", same, better)
    assert (row.winner, row.confidence) == ("B", 0.5)
    assert "most apart in timbre: 3.0 against 4.0" in (row.rationale or "")
    assert (pair_row("p", none, same).winner, pair_row("p", same, none).winner) == ("B", "A")
    assert "neither" in (pair_row("p", none, none).rationale or "")


ORDERS = [["a", "b", "c"], ["a", "c", "b"]]
KEY = [
    {
        "pair_id": f"t_{x}{y}",
        "triplet_id": "t",
        "audio_a_id": x,
        "audio_b_id": y,
        "reference_orders": ORDERS,
    }
    for x, y in ("ab", "ac", "bc")
]


def test_pairs_and_triplets_against_several_experts(tmp_path: Path) -> None:
    key = read_key(write(tmp_path / "key", *KEY))
    right = [PairRow(pair_id=f"t_{pair}", winner="A") for pair in ("ab", "ac", "bc")]
    figures = score_rows(right, key).figures
    assert figures["pair_accuracy"].value == pytest.approx((1 + 1 + 0.5) / 3)
    assert figures["triplet_order"].value == pytest.approx(0.5)
    circle = [*right[:1], PairRow(pair_id="t_ac", winner="B"), right[2]]
    assert score_rows(circle, key).figures["triplet_order"].value == 0.0
    some = score_rows(right[:2], key)
    assert some.figures["pair_accuracy"].value == pytest.approx(2 / 3)
    assert some.figures["triplet_order"].value == 0.0
    assert (some.counts, some.missing) == (
        {"pairs": 3},
        {"pairs": 1},
    )


def test_issues_and_segments_against_several_experts(tmp_path: Path) -> None:
    key = read_key(
        write(
            tmp_path / "key",
            {
                "audio_id": "x",
                "references": [["PITCH", "BREATH", "PHONATION"], ["DICTION", "PITCH"]],
            },
            {"audio_id": "y", "top3_issues": ["RHYTHM"]},
            {"sample_id": "s", "labels": ["RHYTHM", "PITCH"]},
            {"sample_id": "u", "category": "DICTION"},
        )
    )
    found = score_rows([*ROWS[2:], SegmentRow(sample_id="u", category="PITCH")], key)
    assert found.figures["top3_overlap"].value == pytest.approx(((1 + 1 / 3) / 2 + 0) / 2)
    assert found.figures["top1_accuracy"].value == pytest.approx((0.5 + 0) / 2)
    assert found.figures["segment_accuracy"].value == 0.5
    assert found.missing == {"performances": 1, "segments": 0}
    best = score_rows(
        [ROWS[2]],
        read_key(
            write(
                tmp_path / "one",
                {"audio_id": "x", "references": [["PITCH", "BREATH", "VOCALIZATION"]]},
            )
        ),
    )
    assert best.figures["top3_ndcg"].value == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"x": 1}, "no pair_id, audio_id or sample_id"),
        ({"pair_id": "p", "audio_a_id": "a", "audio_b_id": "a", "winner": "A"}, "are the same"),
        ({"pair_id": "p", "audio_a_id": "a", "winner": "A"}, "audio_b_id is not a text"),
        ({**KEY[0], "pair_id": "q", "reference_orders": [["a", "c"]]}, "does not rank A and B"),
        ({**KEY[0], "pair_id": "q", "reference_orders": []}, "no reference order"),
        ({"audio_id": "x", "references": []}, "no references"),
        ({"audio_id": "x"}, "no list of 1 to 3 issues"),
        ({"sample_id": "x", "labels": ["LOUD"]}, "LOUD is none of"),
        (KEY[0], "its id comes twice"),
    ],
)
def test_what_is_no_key_is_one_sentence(tmp_path: Path, row: object, sentence: str) -> None:
    with pytest.raises(InputError, match="line 2") as fault:
        read_key(write(tmp_path / "key", KEY[0], row))
    assert sentence in fault.value.message


def test_the_command_makes_rows_from_assessments_and_scores_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = write(
        tmp_path / "made.jsonl",
        *(assessment(f"{n}.wav", overall=s) for n, s in (("a", 4.0), ("b", 3.0), ("c", 2.0))),
        {"schema": "singcoach.error/1", "file": "d.wav", "error": "no", "exit_code": 3},
    )
    key = write(tmp_path / "key", *KEY, {"sample_id": "a", "labels": ["BREATH"]})
    rows, out = tmp_path / "rows.jsonl", tmp_path / "out.json"
    base = ["bench", "htpr", "--key", str(key)]
    code = main([*base, "--predictions", str(made), "--rows", str(rows), "--json", str(out)])
    assert code == 0
    assert "pair accuracy" in capsys.readouterr().out
    document = json.loads(out.read_text())
    assert document["schema"] == "singcoach.coachbench/1"
    assert document["figures"]["pair_accuracy"]["value"] == pytest.approx(2.5 / 3)
    assert [row.pair_id for row in read_rows(rows) if isinstance(row, PairRow)] == [
        "t_ab",
        "t_ac",
        "t_bc",
    ]
    assert main([*base, "--predictions", str(rows), "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out) == document
    with pytest.raises(InputError, match="predicts nothing"):
        run_key(key, write(tmp_path / "other", {"sample_id": "z", "category": "PITCH"}))
