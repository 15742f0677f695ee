"""The figures of a judgement on suspicions whose answer is known."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from singcoach.coaching.hearing import ISSUES
from singcoach.errors import InputError
from singcoach.training.corpus import Row
from singcoach.training.hearing.document import BEGIN, END, main, read_report, table, with_table
from singcoach.training.hearing.judging import Judged, judge

BREATHY = [issue.id for issue in ISSUES].index("breathy")


def rows(n_singers: int = 6, n_songs: int = 3) -> list[Row]:
    found = []
    for singer in range(n_singers):
        for song in range(n_songs):
            for edit, severity in (("neutral", 0.0), ("breathiness", 0.5), ("breathiness", 1.0)):
                name = f"{singer}-{song}-{edit}-{severity}"
                found.append(
                    Row(
                        item=name,
                        file=f"audio/{name}.flac",
                        corpus="made",
                        singer=f"s{singer}",
                        song=f"song{song}",
                        group=f"{singer}-{song}",
                        edit=edit,
                        severity=severity,
                        split="train",
                    )
                )
    return found


def judged(suspicion: np.ndarray, takes: list[Row]) -> Judged:
    table_ = np.zeros((len(takes), len(ISSUES)), dtype=np.float32)
    table_[:, BREATHY] = suspicion
    return judge(takes, table_)[BREATHY]


def test_a_perfect_ear_is_above_chance() -> None:
    takes = rows()
    found = judged(np.array([row.severity for row in takes]), takes)
    assert (found.n_takes, found.n_clean, found.n_singers) == (36, 18, 6)
    assert (found.auc.value, found.auc.low, found.auc.high) == (1.0, 1.0, 1.0)
    assert found.pairs.value == 1.0
    assert found.heard


def test_three_singers_are_too_few_to_speak_of_others() -> None:
    takes = rows(n_singers=3)
    found = judged(np.array([row.severity for row in takes]), takes)
    assert found.auc.value == found.pairs.value == 1.0
    assert not found.heard


def test_an_ear_that_hears_backwards_is_not_heard() -> None:
    takes = rows()
    found = judged(np.array([-row.severity for row in takes]), takes)
    assert found.auc.value == found.pairs.value == 0.0
    assert not found.heard


def test_an_ear_that_says_the_same_of_all_is_at_chance() -> None:
    takes = rows()
    found = judged(np.zeros(len(takes)), takes)
    assert found.auc.value == found.pairs.value == 0.5
    assert not found.heard


def test_guesses_are_seldom_above_chance() -> None:
    takes = rows()
    draws = [np.random.default_rng(seed).normal(size=len(takes)) for seed in range(40)]
    assert sum(judged(draw, takes).heard for draw in draws) <= 4


def test_an_ear_that_knows_the_singer_alone_is_at_chance_in_pairs() -> None:
    takes = rows()
    found = judged(np.array([float(row.singer[1:]) for row in takes]), takes)
    assert found.pairs.value == 0.5
    assert not found.heard


def test_what_nobody_has_is_not_judged() -> None:
    takes = [row for row in rows() if row.edit == "neutral"]
    found = judged(np.zeros(len(takes)), takes)
    assert found.auc.value is None
    assert found.pairs.value is None
    assert not found.heard


def report(tmp_path: Path) -> Path:
    takes = rows()
    suspicion = np.zeros((len(takes), len(ISSUES)), dtype=np.float32)
    suspicion[:, BREATHY] = [row.severity for row in takes]
    content = {
        "format": "singcoach.hearing/1",
        "recipe": {"folds": 5, "seed": 0, "steps": 300, "words_steps": 24, "least_severity": 0.6},
        "model_sha256": "ab" * 32,
        "sources": ["made here (CC0)"],
        "n_takes": len(takes),
        "n_singers": 6,
        "alone": [asdict(one) for one in judge(takes, suspicion)],
        "through": [],
        "losses_through": [4.0, 3.0],
    }
    path = tmp_path / "hearing.json"
    path.write_text(json.dumps(content))
    return path


def test_document_is_made_from_the_report(tmp_path: Path) -> None:
    path = report(tmp_path)
    out = tmp_path / "hearing.md"
    out.write_text(f"# Hearing\n\n{BEGIN}old\n{END}\nafter\n")
    main([str(path), "--out", str(out)])
    written = out.read_text()
    assert table(read_report(path)) in written
    assert "old" not in written
    assert (
        "3.50 nats in the mean of the last 2 steps; guessing all 15 answers alike costs 2.71"
        in written
    )
    assert "| breathy | 36 | 6 | 1.00 (1.00 to 1.00) | 1.00 (1.00 to 1.00) | yes |" in written
    assert "Heard better than chance by both figures: breathy." in written
    assert "| dull | 0 | 0 | - | - | no |" in written
    with pytest.raises(ValueError, match="place"):
        with_table("nothing", read_report(path))


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": "another"}'])
def test_what_is_no_report_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "hearing.json"
    path.write_text(content)
    with pytest.raises(InputError, match="no report"):
        read_report(path)
