"""``singcoach record``: takes, devices and their delay from the command line."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import soundfile
from sound_card import sound_card  # noqa: F401

from singcoach.audio.devices import list_devices
from singcoach.audio.latency import Latency
from singcoach.chain.demo import demo_recording
from singcoach.cli import record
from singcoach.errors import DeviceError, OutputError, SingCoachError


def _run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    record.add_parser(parser.add_subparsers(), argparse.ArgumentParser(add_help=False))
    args = parser.parse_args(["record", *words])
    return int(args.run(args))


def test_devices_are_listed(sound_card, capsys):  # noqa: F811
    assert _run("--list-devices") == 0
    out = capsys.readouterr().out
    assert "default  [ALSA]  32 inputs, 32 outputs, 44100 Hz  (the system's choice)" in out


def test_no_device_is_no_failure_of_the_list(monkeypatch, capsys):
    monkeypatch.setattr("singcoach.audio.devices.list_devices", list)
    assert _run("--list-devices") == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert "no sound device" in told.err


def test_a_take_of_some_seconds_with_a_backing(sound_card, tmp_path, capsys):  # noqa: F811
    out = tmp_path / "take.wav"
    words = ("--out", str(out), "--seconds", "2", "--latency-ms", "300")
    assert _run(*words, "--backing", str(demo_recording().path)) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == str(out)
    assert told[1].startswith("the take begins at -0.")
    assert 2.0 <= soundfile.info(out).duration < 4.0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["take.wav"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are of POSIX")
def test_a_stop_keeps_the_take(sound_card, tmp_path):  # noqa: F811
    out = tmp_path / "take.wav"
    command = [sys.executable, "-m", "singcoach", "record", "--out", str(out)]
    process = subprocess.Popen(command)
    until_s = time.monotonic() + 60.0
    while not any(_size(path) > 20_000 for path in tmp_path.glob("take-*.wav")):
        assert time.monotonic() < until_s
        assert process.poll() is None
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(30) == 0
    assert soundfile.info(out).frames > 5_000
    assert sorted(path.name for path in tmp_path.iterdir()) == ["take.wav"]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def test_without_any_microphone_the_sentence_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PULSE_SERVER", str(tmp_path / "nobody"))
    monkeypatch.setenv("PULSE_RUNTIME_PATH", str(tmp_path))
    if any(device.inputs for device in list_devices()):
        pytest.skip("this machine has a microphone of its own")
    with pytest.raises(DeviceError, match="No microphone") as caught:
        _run("--out", str(tmp_path / "take.wav"))
    assert caught.value.exit_code == 5
    assert not (tmp_path / "take.wav").exists()


@pytest.mark.parametrize(("quality", "sure"), [(0.9, True), (0.1, False)])
def test_the_delay_is_shown_with_a_hint_where_it_is_unsure(monkeypatch, capsys, quality, sure):
    latency = Latency(ms=41.26, quality=quality, repeats=18, spread_ms=0.2)
    monkeypatch.setattr("singcoach.audio.latency.measure_latency", lambda *_given, job: latency)
    assert _run("--calibrate") == 0
    told = capsys.readouterr()
    assert told.out == f"delay 41.3 ms, quality {quality:.2f}, 18 chirps\n"
    assert ("measure again" in told.err) != sure


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--out", "a.wav", "--list-devices"),
        ("--out", "a.wav", "--seconds", "0"),
        ("--out", "a.wav", "--seconds", "nan"),
        ("--out", "a.wav", "--latency-ms", "-1"),
        ("--out", "a.wav", "--latency-ms", "soon"),
    ],
)
def test_wrong_use_is_refused(words):
    with pytest.raises(SystemExit) as caught:
        _run(*words)
    assert caught.value.code == 2


def test_an_unknown_device_and_a_bad_place_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("singcoach.audio.devices.list_devices", list)
    with pytest.raises(SingCoachError):
        _run("--out", str(tmp_path / "take.wav"), "--input", "nothing of that name")
    with pytest.raises(OutputError):
        _run("--out", str(tmp_path / "missing" / "take.wav"))
    backing = tmp_path / "song.wav"
    backing.write_bytes(b"precious")
    with pytest.raises(OutputError, match="overwritten"):
        _run("--out", str(backing), "--backing", str(backing))
    assert backing.read_bytes() == b"precious"
