"""The speed run of a pack: a small network through every part of it."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from singcoach.audio.writing import write_wav
from singcoach.benchmark import pack_speed
from singcoach.benchmark.pack_report import PackReport, PackRow, loss_at
from singcoach.benchmark.pack_variants import CPU_VARIANTS, CUDA_VARIANTS, VARIANTS
from singcoach.benchmark.pack_worker import cut, distance_db
from singcoach.cli import main
from singcoach.errors import Cancelled, InputError
from singcoach.jobs import Job
from singcoach.models.roformer.config import RoformerConfig

pytest.importorskip("torch")

SMALL = RoformerConfig(
    dim=32, depth=1, num_bands=20, dim_head=16, heads=2, stft_n_fft=512, stft_win_length=512,
    stft_hop_length=128, chunk_size=25_600,
)  # fmt: skip


@pytest.fixture(scope="module")
def song(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("song") / "noise.wav"
    rng = np.random.default_rng(0)
    write_wav(path, 0.1 * rng.standard_normal((2, 60_000), dtype=np.float32), sample_rate=44_100)
    return path


@pytest.fixture(scope="module")
def report(song) -> PackReport:
    return pack_speed.run_pack_speed(audio=song, seconds=1.2, threads=1, config=SMALL)


def row(report: PackReport, name: str) -> PackRow:
    (found,) = (row for row in report.rows if row.name == name)
    return found


def test_ours_are_timed_in_every_form(report):
    for name in ("torch", "onnx-fp32", "onnx-int8"):
        timed = row(report, name)
        assert not timed.note
        # 1.2 s hold chunks at 0, 0.29 and 0.58 s.
        assert len(timed.all_chunk_s) == report.chunks == 3
        assert timed.chunk_s > 0
        assert timed.peak_memory_mb > 50
        assert timed.chunk_processor_s > 0
        assert timed.common_s_per_minute == pytest.approx(timed.chunk_s * 60 * 2 * 44_100 / 25_600)
        assert timed.own_s_per_minute == pytest.approx(timed.common_s_per_minute / 1.8)


def test_the_forms_have_the_same_weights(report):
    assert row(report, "torch").below_exact_db is None
    assert row(report, "onnx-fp32").below_exact_db > 100
    assert 25 < row(report, "onnx-int8").below_exact_db < 70
    assert row(report, "onnx-int8").loss_db < 0.2


def test_the_public_implementation_stands_beside(report):
    theirs = row(report, "reference")
    if importlib.util.find_spec("bs_roformer") is None:
        assert theirs.note.startswith("not installed: pip install")
        assert row(report, "onnx-int8").times_faster is None
        return
    assert theirs.times_faster == 1.0
    assert theirs.below_exact_db > 80
    assert theirs.own_s_per_minute is None
    ours = row(report, "onnx-int8")
    assert ours.times_faster_own == pytest.approx(1.8 * ours.times_faster)


def test_the_ways_of_cutting_are_compared(report):
    assert 0 < report.schedules_differ_db < 100


def test_the_report_is_plain_and_readable(report):
    document = json.loads(json.dumps(report.to_document(), allow_nan=False))
    assert document["schema"] == "singcoach.bench.pack/1"
    assert len(document["rows"]) == len(report.rows)
    assert document["parameters"] > 10_000
    text = "\n".join(report.table())
    for shown in report.rows:
        assert shown.title in text
    assert "MB" in text


def test_nothing_is_left_behind_after_a_stop(song, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    job = Job()
    with pytest.raises(Cancelled):
        pack_speed.run_pack_speed(
            audio=song, seconds=1.0, threads=1, config=SMALL,
            job=_StopAt(job, "measuring torch"),
        )  # fmt: skip
    assert not list(tmp_path.iterdir())


class _StopAt(Job):
    """Stops at a stage."""

    def __init__(self, inner: Job, stage: str) -> None:
        super().__init__(self._look)
        self._inner = inner
        self._stage = stage

    def _look(self, fraction: float, stage: str) -> None:
        if stage == self._stage:
            self.cancel()


@pytest.mark.parametrize(
    ("settings"), [{"pack": "no-such"}, {"seconds": 0.1}, {"seconds": float("nan")}, {"repeats": 0}]
)
def test_settings_out_of_range_are_refused(song, settings):
    with pytest.raises(ValueError, match="would work"):
        pack_speed.run_pack_speed(**{"audio": song, "seconds": 1.0, "config": SMALL} | settings)


def test_a_song_that_cannot_be_read_is_told(tmp_path):
    bad = tmp_path / "song.mp3"
    bad.write_text("no audio " * 100, encoding="utf-8")
    with pytest.raises(InputError):
        pack_speed.run_pack_speed(audio=bad, seconds=1.0, config=SMALL)


def test_chunks_are_cut_as_the_common_tools_cut():
    song = np.arange(2 * 100_000, dtype=np.float32).reshape(2, -1)
    chunks = cut(song, SMALL)
    assert chunks.shape == (6, 2, 25_600)
    assert np.array_equal(chunks[2], song[:, 25_600:51_200])


@pytest.mark.parametrize(("sdr_db", "below_db", "loss_db"), [(11, 27.4, 0.098), (0, 0, 3.0103)])
def test_the_loss_adds_noise_to_the_faults_that_are_there(sdr_db, below_db, loss_db):
    assert loss_at(sdr_db, below_db) == pytest.approx(loss_db, abs=1e-3)


def test_the_distance_is_that_of_known_noise():
    signal = np.ones((2, 1000), np.float32)
    assert distance_db(signal, signal * np.float32(1.01)) == pytest.approx(40, abs=0.01)
    assert distance_db(signal, signal) == pytest.approx(200)
    assert distance_db(0 * signal, signal) == 200


def test_names_of_the_forms_are_unique():
    assert len(VARIANTS) == len(CPU_VARIANTS) + len(CUDA_VARIANTS)
    assert {variant.device for variant in CUDA_VARIANTS} == {"cuda"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--pack", "no--such"],
        ["--pack", "mel-band-roformer", "--seconds", "7"],
        ["--pack", "mel-band-roformer", "--hour"],
        ["--seconds", "12"],
    ],
)
def test_wrong_use_is_told_before_anything_runs(arguments, capsys):
    assert main.main(["bench", "speed", *arguments]) == 2
    assert "--" in capsys.readouterr().err
