"""The experiments as a program: refusals, keeping of takes, and pitch tracks as exams give them."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from singcoach import resources
from singcoach.audio.reading import read_audio
from singcoach.audio.writing import WavWriter
from singcoach.benchmark.experiments.__main__ import main
from singcoach.benchmark.experiments.items import Item, karaoke, require
from singcoach.benchmark.experiments.melody import judge_exams
from singcoach.benchmark.experiments.run import EXPERIMENTS, Laboratory, run
from singcoach.benchmark.experiments.takes import Workbench, mix
from singcoach.benchmark.htpr.bootstrap import Figure
from singcoach.core.arrays import ANALYSIS_RATE
from singcoach.errors import Cancelled, InputError
from singcoach.jobs import Job


def exam_rows(cents_off: float) -> np.ndarray:
    """Times and frequencies of a sung scale, every second note out of tune."""
    rows, time_s = [], 0.0
    for number, step in enumerate([0, 2, 4, 5, 7, 5, 4, 2, 0, 4, 7, 12, 7, 4, 0]):
        cents = 100.0 * step + (cents_off if number % 2 else -0.6 * cents_off)
        for frame in range(200):
            rows.append((time_s, 220.0 * 2.0 ** (cents / 1200.0) if frame < 170 else 0.0))
            time_s += 0.0029
    return np.array(rows)


def test_exams_in_tune_are_told_from_those_out_of_tune(tmp_path: Path) -> None:
    folder = tmp_path / "mast_melody"
    folder.mkdir()
    with tarfile.open(folder / "MASTmelody_f0data_annotations.tar.xz", "w:xz") as archive:
        for number in range(24):
            verdict = "pass" if number % 2 else "fail"
            rows = exam_rows(3.0 if number % 2 else 45.0)
            text = "\n".join(f"{time_s:.5f}\t{f0:.3f}" for time_s, f0 in rows).encode()
            name = f"f0data/{51 + number // 4}_mel1_per{number}_{verdict}.f0s.txt"
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
    bench = Workbench(tmp_path / "work")
    first = judge_exams(tmp_path, bench)
    together = [row for row in first.tables[0].rows if row[1] == "together"]
    assert [row[2] for row in together] == ["12 of 12", "12 of 12"]
    assert all(isinstance(row[4], Figure) and row[4].value == 1.0 for row in together)
    assert judge_exams(tmp_path, bench) == first


def test_mixture_is_the_sum_turned_down_as_a_whole(tmp_path: Path) -> None:
    signals = [np.full(16_000, 0.75, np.float32), np.full(12_000, 0.75, np.float32)]
    for number, signal in enumerate(signals):
        path = tmp_path / f"{number}.wav"
        with WavWriter(path, sample_rate=ANALYSIS_RATE, channels=1, subtype="PCM_24") as writer:
            writer.write(signal[None, :])
    mix(tmp_path / "0.wav", tmp_path / "1.wav", tmp_path / "sum.wav")
    total = read_audio(tmp_path / "sum.wav", sample_rate=ANALYSIS_RATE, channels=1)[0]
    assert total[:12_000] == pytest.approx(1.0, abs=1e-3)
    assert total[12_000:] == pytest.approx(0.5, abs=1e-3)


def test_a_folder_without_sets_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError, match="no recordings to experiment with"):
        require(tmp_path)
    assert main(["--data", str(tmp_path), "--work", str(tmp_path / "work")]) == 3
    assert "Give the folder that holds nycu_first" in capsys.readouterr().err
    assert karaoke(tmp_path, hearing="voice") == []


def test_an_unknown_experiment_is_refused(tmp_path: Path) -> None:
    lab = Laboratory(data=tmp_path, corpus=None, work=tmp_path)
    with pytest.raises(ValueError, match="no experiment 'taste'"):
        next(run(lab, ["taste"]))


def test_sets_that_are_absent_leave_their_experiments_out(tmp_path: Path) -> None:
    (tmp_path / "gtsinger").mkdir()
    lab = Laboratory(data=tmp_path, corpus=None, work=tmp_path / "work")
    names = ["languages", "pairs", "edits", "exams", "intervals", "losses", "errors"]
    sections = list(run(lab, names))
    assert all(section.left_out and not section.tables for section in sections)
    assert {section.name for section in sections} <= set(EXPERIMENTS)


def test_a_take_is_heard_once_and_kept_without_loss(tmp_path: Path) -> None:
    recording = sorted(
        path for path in resources.assets_dir().rglob("*") if path.suffix in (".flac", ".wav")
    )[0]
    item = Item(name="one", corpus="set", parts=(recording,), short=True)
    stopped = Job()
    stopped.cancel()
    with pytest.raises(Cancelled):
        Workbench(tmp_path).judge([item], stopped)
    first = Workbench(tmp_path).judge([item])[0]
    kept = list((tmp_path / "takes").rglob("*.json"))
    assert len(kept) == 1
    again = Workbench(tmp_path).judge([item])[0]
    assert first.ranges == again.ranges
    assert first.duration_s == again.duration_s
    assert np.array_equal(first.example.measures, again.example.measures, equal_nan=True)
    for name, rows in first.example.sequences.items():
        assert np.array_equal(rows, again.example.sequences[name])
    kept[0].write_text("{")
    assert Workbench(tmp_path).judge([item])[0].ranges == first.ranges
