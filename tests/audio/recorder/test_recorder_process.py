"""The recorder's process on a real sound server: aligned, killed, unplugged, out of room."""

from __future__ import annotations

import os
import random
import sys
import threading
import time

import numpy as np
import pytest
import soundfile
from fake_sound import FakeBackend
from recorder_proof import kill_once, kill_window_once, make_reference, record_long
from sound_card import running_sound_card

from singcoach.audio.devices import list_devices
from singcoach.audio.recorder import (
    Recording,
    RecordingSettings,
    discard_take,
    recover_takes,
    start_recording,
)
from singcoach.audio.recorder.capture import Capture
from singcoach.audio.recorder.feed import Feed
from singcoach.audio.recorder.session import identity, note_of
from singcoach.errors import DeviceError, OutputError

CI = os.environ.get("CI") == "true"


def _wait_started(recording: Recording, timeout_s: float = 30.0) -> None:
    until_s = time.monotonic() + timeout_s
    while not recording.poll().started:
        assert not recording.poll().finished, recording.poll().fault
        assert time.monotonic() < until_s
        time.sleep(0.02)


def _wait_finished(recording: Recording, timeout_s: float = 30.0) -> None:
    until_s = time.monotonic() + timeout_s
    while not recording.poll().finished:
        assert time.monotonic() < until_s
        time.sleep(0.02)


def test_a_take_lies_sample_by_sample_in_what_was_played(sound_card, tmp_path):
    long = record_long(tmp_path, 20.0 if CI else 8.0)
    assert long.latency.quality > 0.2
    assert abs(long.calibrated_offset_samples) < 0.03 * 48_000
    assert abs(long.refined_offset_samples) < 0.05
    if long.take.dropouts:  # the machine that runs the tests was too busy, and that was told
        assert long.take.warnings
        return
    assert abs(long.alignment.drift_samples) < 0.05
    assert long.alignment.agreeing == long.alignment.windows
    assert long.wrong_samples == 0
    assert long.compared_samples > 7.0 * 48_000


def test_a_killed_recorder_loses_less_than_a_second(sound_card, tmp_path):
    chance = random.Random(1)
    kills = [kill_once(tmp_path, after_s=chance.uniform(0.3, 1.5)) for _ in range(5 if CI else 2)]
    assert max(kill.lost_s for kill in kills) <= 1.0
    assert min(kill.recovered_s for kill in kills) > 0.0


def test_a_killed_window_loses_less_than_a_second(sound_card, tmp_path):
    kill = kill_window_once(tmp_path, after_s=0.7)
    assert kill.lost_s <= 1.0
    assert kill.recovered_s > 0.5
    assert not list(tmp_path.iterdir()) or recover_takes(tmp_path) == []


def test_samples_reach_the_window_in_order(sound_card, tmp_path):
    reference = tmp_path / "reference.wav"
    make_reference(reference, 8.0)
    settings = RecordingSettings(backing=reference, sample_rate=48_000)
    heard = []
    with start_recording(settings, tmp_path) as recording:
        _wait_started(recording)
        until_s = time.monotonic() + 1.5
        while time.monotonic() < until_s:
            heard.append(recording.read_new())
            time.sleep(0.03)
        position = round(recording.read_position_s * 48_000)
        take = recording.stop()
    assert take.path is not None
    file, rate = soundfile.read(take.path, dtype="float32")
    assert rate == take.sample_rate == 48_000
    live = np.concatenate(heard)
    assert live.shape[0] == position > 0.5 * 48_000
    np.testing.assert_allclose(live, file[:position], atol=2.0**-20)
    assert take.duration_s == pytest.approx(file.shape[0] / rate)


def test_a_sound_card_that_goes_away_ends_the_take_and_keeps_it(sound_card, tmp_path):
    with running_sound_card() as card:
        recording = start_recording(RecordingSettings(), tmp_path)
        _wait_started(recording)
        time.sleep(0.6)
        card.server.kill()
        card.server.wait()
        _wait_finished(recording)
        take = recording.stop()
    assert isinstance(take.fault, DeviceError)
    assert "stopped giving sound" in take.fault.message
    assert take.path is not None
    assert soundfile.info(take.path).duration == pytest.approx(take.duration_s)
    assert take.duration_s > 0.2


def test_a_microphone_that_is_replaced_by_another_one_is_recorded_on(sound_card, tmp_path):
    module = sound_card.add_loop("plugged")
    try:
        recording = start_recording(RecordingSettings(), tmp_path)
        _wait_started(recording)
        time.sleep(0.5)
    finally:
        sound_card.control("unload-module", module)
        sound_card.control("set-default-sink", "loop")
        sound_card.control("set-default-source", "loop.monitor")
    time.sleep(1.0)
    take = recording.stop()
    assert take.path is not None
    assert soundfile.info(take.path).duration == pytest.approx(take.duration_s)
    assert take.duration_s > 0.3


@pytest.mark.skipif(sys.platform == "win32", reason="limits on files are of POSIX")
def test_a_full_disk_ends_the_take_and_keeps_it(sound_card, tmp_path):
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
    try:
        recording = start_recording(RecordingSettings(), tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    _wait_finished(recording)
    take = recording.stop()
    assert isinstance(take.fault, OutputError)
    assert "disk is full" in take.fault.message
    assert take.path is not None
    assert soundfile.info(take.path).frames > 50_000


def test_a_machine_without_sound_says_so_kindly(tmp_path, monkeypatch):
    monkeypatch.setenv("PULSE_SERVER", str(tmp_path / "nobody"))
    monkeypatch.setenv("PULSE_RUNTIME_PATH", str(tmp_path))
    if any(device.inputs for device in list_devices()):
        pytest.skip("this machine has a microphone of its own")
    recording = start_recording(RecordingSettings(), tmp_path)
    _wait_finished(recording)
    take = recording.stop()
    assert take.path is None
    assert isinstance(take.fault, DeviceError)
    assert take.fault.message == "No microphone was found"
    assert not list(tmp_path.glob("take-*"))


def test_a_recorder_that_cannot_even_start_is_a_fault(tmp_path, monkeypatch):
    from singcoach.audio.recorder import control

    monkeypatch.setattr(control, "COMMAND", (str(tmp_path / "no python"),))
    with pytest.raises(DeviceError, match="sound system"):
        start_recording(RecordingSettings(), tmp_path)
    monkeypatch.setattr(control, "COMMAND", (sys.executable, "-c", "raise SystemExit(9)"))
    recording = start_recording(RecordingSettings(), tmp_path)
    _wait_finished(recording)
    take = recording.stop()
    assert take.path is None
    assert isinstance(take.fault, DeviceError)
    assert "ended unexpectedly" in take.fault.message


def test_listening_alone_makes_no_file(sound_card, tmp_path):
    folder = tmp_path / "recordings"
    with start_recording(RecordingSettings(keep=False), folder) as recording:
        _wait_started(recording)
        until_s = time.monotonic() + 10.0
        while recording.read_new().shape[0] == 0:
            assert time.monotonic() < until_s
            time.sleep(0.02)
        assert recording.stop().path is None
    assert not folder.exists()


def test_a_discarded_take_is_gone(sound_card, tmp_path):
    recording = start_recording(RecordingSettings(), tmp_path)
    _wait_started(recording)
    recording.discard()
    assert not list(tmp_path.iterdir())
    recording = start_recording(RecordingSettings(), tmp_path)
    _wait_started(recording)
    time.sleep(0.3)
    discard_take(recording.stop())
    assert not list(tmp_path.iterdir())


def test_what_runs_or_belongs_to_another_window_is_left_alone(sound_card, tmp_path):
    recording = start_recording(RecordingSettings(), tmp_path)
    _wait_started(recording)
    time.sleep(0.3)
    assert recover_takes(tmp_path) == []  # it still runs
    take = recording.stop()
    (found,) = recover_takes(tmp_path)  # it is ours
    assert found.path == take.path
    assert not found.interrupted
    note = note_of(found.path)
    other = note.read_text().replace(f"{os.getpid()}", f"{os.getppid()}")
    started = identity(os.getppid())[1]
    note.write_text(other.replace(str(identity()[1]), str(started)))
    assert recover_takes(tmp_path) == []  # another window has not taken it over yet
    note.write_text("{broken")
    (again,) = recover_takes(tmp_path)
    assert again.path == take.path
    assert again.interrupted
    assert again.duration_s == pytest.approx(take.duration_s)


def test_a_window_that_does_not_read_never_holds_the_recording(backend: FakeBackend, tmp_path):
    read_end, write_end = os.pipe()
    path = tmp_path / "take-x.wav"
    backend.rates, backend.delay_frames = (192_000,), 1_920  # fills the pipe in a moment
    capture = Capture(
        RecordingSettings(sample_rate=192_000),
        path=path,
        backend=backend,
        window=identity(),
        recorder=identity(),
    )
    with os.fdopen(write_end, "wb", buffering=0) as pipe:
        capture.open()
        feed = Feed(capture, pipe)
        feed.start()
        threading.Timer(1.2, capture.stop).start()
        capture.run()
        outcome = capture.finish()
        assert not feed.finish(timeout_s=0.1)
        os.close(read_end)
        assert not feed.finish(timeout_s=5.0)
        assert feed.window_gone
        capture.close()
    assert soundfile.info(path).frames == outcome.frames > 0.5 * 192_000
