"""The commands as a user meets them: outputs, exit codes, one sentence for every fault."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from singcoach import resources
from singcoach.audio.writing import write_wav
from singcoach.cli.main import main
from singcoach.report.document import validate_document

TAKE = resources.assets_dir() / "vocadito_14.flac"
SONG = resources.assets_dir() / "slow_motion_dream.mp3"


def test_assess_prints_only_json_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["assess", str(TAKE), "--json", "-"]) == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    validate_document(document)
    assert document["input"]["kind"] == "solo"
    assert all(document["dimensions"][name]["score"] for name in document["dimensions"])
    assert captured.err == ""


def test_assess_writes_report_and_json_and_tells_a_person(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report, result = tmp_path / "r.html", tmp_path / "r.json"
    code = main(["assess", str(TAKE), "--report", str(report), "--json", str(result)])
    assert code == 0
    out = capsys.readouterr().out
    assert "technique" in out
    assert str(report) in out
    assert "<svg" in report.read_text(encoding="utf-8")
    validate_document(json.loads(result.read_text(encoding="utf-8")))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.html", "r.json"]
    assert main(["assess", str(TAKE), "--report", str(tmp_path / "r.pdf")]) == 0
    assert (tmp_path / "r.pdf").read_bytes().startswith(b"%PDF")


def test_a_batch_goes_on_after_a_bad_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "1-text.mp3").write_text("this is not sound")
    (tmp_path / "2-take.flac").write_bytes(TAKE.read_bytes())
    (tmp_path / "3-empty.wav").write_bytes(b"")
    reports = tmp_path / "reports"
    assert main(["assess", str(tmp_path), "--profile", "fast", "--report", str(reports)]) == 3
    captured = capsys.readouterr()
    lines = [json.loads(line) for line in captured.out.splitlines()]
    assert [line["schema"] for line in lines] == [
        "singcoach.error/1",
        "singcoach.assessment/1",
        "singcoach.error/1",
    ]
    assert lines[0]["exit_code"] == 3
    assert lines[0]["file"] == "1-text.mp3"
    assert len(captured.err.splitlines()) == 2
    assert [path.name for path in reports.iterdir()] == ["2-take.flac.html"]


def test_notes_and_pitch_as_tables(tmp_path: Path) -> None:
    notes, midi, pitch = tmp_path / "n.csv", tmp_path / "n.mid", tmp_path / "p.csv"
    assert main(["notes", str(TAKE), "--csv", str(notes), "--midi", str(midi)]) == 0
    rows = list(csv.DictReader(notes.read_text().splitlines()))
    assert list(rows[0]) == ["onset_s", "offset_s", "midi", "cents_deviation"]
    assert all(float(row["offset_s"]) > float(row["onset_s"]) for row in rows)
    assert midi.read_bytes().startswith(b"MThd")
    assert main(["pitch", str(TAKE), "--csv", str(pitch), "--vocals-only"]) == 0
    frames = list(csv.DictReader(pitch.read_text().splitlines()))
    assert list(frames[0]) == ["time_s", "f0_hz", "confidence", "voiced"]
    assert any(frame["voiced"] == "1" and float(frame["f0_hz"]) > 80 for frame in frames)


def test_separate_writes_two_stems(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["separate", str(SONG), "--out", str(tmp_path / "new" / "folder")]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == [
        "accompaniment.wav",
        "vocals.wav",
    ]


def test_models_are_listed_and_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list"]) == 0
    listed = capsys.readouterr().out
    assert "swift-f0" in listed
    assert main(["models", "verify"]) == 0
    assert "FAILED" not in capsys.readouterr().out


def test_demo_shows_where_its_report_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--out", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert str(tmp_path / "singcoach-demo.html") in out
    assert "CC BY" in out


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["assess"],
        ["assess", "a.wav", "--report", "a.txt"],
        ["assess", "a.wav", "b.wav", "--report", "a.html"],
        ["assess", "a.wav", "b.wav", "--song", "a.txt"],
        ["assess", "a.wav", "--vocals-only", "--mixture"],
        ["assess", "a.wav", "--threads", "0"],
        ["assess", "a.wav", "--profile", "wild"],
        ["notes", "a.wav"],
        ["pitch", "a.wav"],
        ["separate", "a.wav"],
        ["models"],
        ["bench"],
    ],
)
def test_wrong_use_is_2(arguments: list[str]) -> None:
    assert main(arguments) == 2


@pytest.mark.parametrize("command", ["assess", "separate", "pitch", "notes"])
@pytest.mark.parametrize("what", ["missing", "folder", "empty", "text", "silent-header"])
def test_unusable_input_is_3_and_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, what: str
) -> None:
    path = tmp_path / "take.mp3"
    if what == "folder":
        path.mkdir()
    elif what == "empty":
        path.write_bytes(b"")
    elif what == "text":
        path.write_text("la la la " * 100)
    elif what == "silent-header":
        path.write_bytes(b"RIFF\x24\x00\x00\x00WAVEfmt ")
    more = {
        "assess": [],
        "separate": ["--out", str(tmp_path / "out")],
        "pitch": ["--csv", str(tmp_path / "a.csv")],
        "notes": ["--midi", str(tmp_path / "a.mid")],
    }[command]
    assert main([command, str(path), *more]) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("singcoach: ")
    assert len(captured.err.splitlines()) == 1
    assert not list(tmp_path.glob("a.*"))
    assert not list(tmp_path.glob("out/*"))


def test_silence_and_noise_are_results_not_faults(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(1)
    sounds = {"silence": np.zeros((1, 240_000)), "noise": 0.1 * rng.standard_normal((1, 240_000))}
    for name, audio in sounds.items():
        path = tmp_path / f"{name}.wav"
        write_wav(path, audio.astype(np.float32), sample_rate=16_000)
        assert main(["assess", str(path), "--json", "-"]) == 0
        document = json.loads(capsys.readouterr().out)
        validate_document(document)
        assert document["screening"]["verdict"] == "insufficient"
        assert all(document["dimensions"][d]["score"] is None for d in document["dimensions"])
        assert document["overall"]["score"] is None


def test_a_result_that_cannot_be_written_is_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["notes", str(TAKE), "--csv", str(tmp_path / "none" / "n.csv")]) == 3
    assert "does not exist" in capsys.readouterr().err


def test_a_damaged_model_is_4(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A user's pack that is not what its manifest says is refused before it is parsed."""
    folder = resources.user_data_dir() / "models"
    folder.mkdir(parents=True)
    shipped = (resources.models_dir() / "manifest.toml").read_text(encoding="utf-8")
    start = shipped.index("[[model]]", shipped.index('id = "swift-f0"') - 40)
    entry = shipped[start : shipped.index("[[model]]", start + 5)]
    (folder / "manifest.toml").write_text(
        'schema = "singcoach.models/1"\n' + entry, encoding="utf-8"
    )
    content = bytearray((resources.models_dir() / "swift-f0.onnx").read_bytes())
    content[1000] ^= 1
    (folder / "swift-f0.onnx").write_bytes(bytes(content))
    (folder / "swift-f0.md").write_text("# A damaged pack\n")
    assert main(["pitch", str(TAKE), "--csv", str(tmp_path / "p.csv")]) == 4
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert main(["models", "verify"]) == 4
    assert not (tmp_path / "p.csv").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="signals differ there")
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_acts_within_a_second_and_leaves_nothing(tmp_path: Path, sign: int) -> None:
    recording = tmp_path / "long.wav"
    rng = np.random.default_rng(0)
    write_wav(
        recording,
        (0.1 * rng.standard_normal((2, 44_100 * 240))).astype(np.float32),
        sample_rate=44_100,
        subtype="PCM_16",
    )
    out = tmp_path / "out"
    child = subprocess.Popen(
        [sys.executable, "-m", "singcoach", "separate", str(recording), "--out", str(out)],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ},
    )
    try:
        deadline_s = time.monotonic() + 60
        while not (out.is_dir() and any(out.iterdir())) and time.monotonic() < deadline_s:
            time.sleep(0.05)
        time.sleep(1.0)  # well inside the work
        started_s = time.monotonic()
        child.send_signal(sign)
        _, error = child.communicate(timeout=30)
        elapsed_s = time.monotonic() - started_s
    finally:
        child.kill()
    assert child.returncode == 6, error
    assert "Traceback" not in error
    assert list(out.iterdir()) == []
    assert elapsed_s < 3.0  # a second of work, and room for a busy machine


def test_a_recording_is_never_overwritten_by_its_own_result(tmp_path: Path) -> None:
    take = tmp_path / "vocals.wav"
    take.write_bytes(TAKE.read_bytes())
    for arguments in (
        ["pitch", str(take), "--csv", str(take)],
        ["notes", str(take), "--midi", str(take)],
        ["separate", str(take), "--out", str(tmp_path)],
        ["assess", str(take), "--json", str(take)],
        ["assess", str(take), str(TAKE), "--json", str(take)],
    ):
        assert main(arguments) == 3, arguments
        assert take.read_bytes() == TAKE.read_bytes()


def test_one_fault_of_our_own_does_not_end_a_batch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import singcoach.chain.assess as chain

    def broken(*_args: object, **_more: object) -> None:
        raise ZeroDivisionError

    (tmp_path / "a.flac").write_bytes(TAKE.read_bytes())
    (tmp_path / "b.wav").write_bytes(b"")
    monkeypatch.setattr(chain, "score_take", broken)
    assert main(["assess", str(tmp_path), "--profile", "fast"]) == 70
    captured = capsys.readouterr()
    codes = [json.loads(line)["exit_code"] for line in captured.out.splitlines()]
    assert codes == [70, 3]
    assert "Traceback" not in captured.err


def test_a_stopped_batch_keeps_what_was_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import singcoach.cli.assess as command

    finished = command._assess

    def stop_at_second(path: Path, *args: object, **more: object) -> object:
        if path.name == "b.flac":
            raise KeyboardInterrupt
        return finished(path, *args, **more)  # type: ignore[arg-type]

    for name in ("a.flac", "b.flac"):
        (tmp_path / name).write_bytes(TAKE.read_bytes())
    monkeypatch.setattr(command, "_assess", stop_at_second)
    result = tmp_path / "out.jsonl"
    assert main(["assess", str(tmp_path), "--profile", "fast", "--json", str(result)]) == 6
    (line,) = result.read_text().splitlines()
    assert json.loads(line)["input"]["file"] == "a.flac"


def test_outputs_are_checked_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import singcoach.cli.assess as command

    def never(*_args: object, **_more: object) -> None:
        raise AssertionError("worked first")

    monkeypatch.setattr(command, "_assess", never)
    absent = str(tmp_path / "none" / "x")
    assert main(["assess", str(TAKE), "--json", absent]) == 3
    assert main(["assess", str(TAKE), "--report", absent + ".html"]) == 3
    assert main(["assess", str(TAKE), str(SONG), "--json", absent]) == 3


def test_a_name_that_begins_with_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("~nobody-here.flac").write_bytes(TAKE.read_bytes())
    assert main(["pitch", "~nobody-here.flac", "--csv", "~nobody.csv"]) == 0
    assert Path("~nobody.csv").is_file()
    assert main(["assess", ""]) == 2
