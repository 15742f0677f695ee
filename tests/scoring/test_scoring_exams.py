"""Intonation against a jury: the statistic on known cases, the command on a made archive."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from singcoach.scoring.exams import ARCHIVE, Exam, halves, main, measure_exam, passes_above_fails

SCALE = (0, 200, 400, 500, 700, 900, 1100, 1200)


def track(*, off_cents: float, seed: int) -> np.ndarray:
    """A scale sung twice in notes of half a second, each off by a random amount of this size."""
    off = np.random.default_rng(seed).normal(0.0, 1.0, 16) * off_cents
    cents = np.repeat(np.array(SCALE * 2) + off, 100)
    return np.stack([np.arange(len(cents)) * 0.005, 220.0 * 2.0 ** (cents / 1200.0)], axis=1)


def test_passes_above_fails_counts_pairs_of_a_group_and_ties_half() -> None:
    scores = np.array([3.0, 1.0, 5.0, 5.0, np.nan])
    passed = np.array([1.0, 0.0, 1.0, 0.0, 1.0])
    assert passes_above_fails(scores, passed, np.zeros(5)) == pytest.approx(2.5 / 4)
    assert passes_above_fails(scores, passed, np.array([0.0, 0, 1, 1, 1])) == pytest.approx(0.75)
    assert np.isnan(passes_above_fails(scores, np.ones(5), np.zeros(5)))


def test_the_halves_share_no_exam() -> None:
    exams = [
        Exam(exam=str(number), melody=f"{number}_mel1", passed=True, values={})
        for number in (51, 52, 53, 51)
    ]
    parts = halves(exams)
    assert {exam.exam for exam in parts["looked at"]} == {"51", "53"}
    assert {exam.exam for exam in parts["blind"]} == {"52"}


def test_a_performance_off_the_scale_is_further_from_it() -> None:
    pure = measure_exam("51_mel1_per1_pass.f0s.txt", track(off_cents=0.0, seed=1))
    off = measure_exam("51_mel1_per2_fail.f0s.txt", track(off_cents=35.0, seed=1))
    assert (pure.exam, pure.melody, pure.passed) == ("51", "51_mel1", True)
    assert (off.melody, off.passed) == ("51_mel1", False)
    assert pure.values["scale_deviation"] < 6.0
    assert off.values["scale_deviation"] > 15.0


def test_the_command_prints_both_halves(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / ARCHIVE
    path.parent.mkdir()
    with tarfile.open(path, "w:xz") as archive:
        for number in range(8):
            passed = number % 2 == 0
            rows = track(off_cents=2.0 if passed else 40.0, seed=number)
            text = "\n".join(f"{t:.6f}\t{f:.4f}" for t, f in rows).encode()
            grade = "pass" if passed else "fail"
            name = f"f0data/5{number // 4}_mel1_per{number}_{grade}.f0s.txt"
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
    assert main(["--data", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(
        line.startswith("| blind | 4 (2 passed) | scale_deviation | 1.00 ") for line in lines
    )
    assert main(["--data", str(tmp_path / "nothing")]) == 3
    assert "There is no" in capsys.readouterr().err
