"""A recording from the first call of the sound card to the file, with every fault on the way."""

from __future__ import annotations

import errno
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from fake_sound import FakeBackend, device

from singcoach.audio.recorder import RecordingSettings, recover_takes
from singcoach.audio.recorder.capture import Capture, Outcome
from singcoach.audio.recorder.session import identity, new_recording, note_of
from singcoach.audio.recorder.wav import StreamingWav
from singcoach.audio.writing import write_wav
from singcoach.errors import DeviceError, InputError, OutputError

RATE = 48_000


def _capture(
    backend: FakeBackend, settings: RecordingSettings, path: Path | None, **more: object
) -> Capture:
    return Capture(
        settings, path=path, backend=backend, window=identity(), recorder=identity(), **more
    )  # type: ignore[arg-type]


def _record(
    backend: FakeBackend,
    settings: RecordingSettings,
    path: Path | None,
    *,
    seconds: float = 1.0,
    **more: object,
) -> Outcome:
    capture = _capture(backend, settings, path, **more)
    capture.open()
    timer = threading.Timer(seconds, capture.stop)
    timer.start()
    capture.run()
    timer.cancel()
    outcome = capture.finish()
    capture.close()
    return outcome


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return new_recording(tmp_path)


@pytest.fixture
def song(tmp_path: Path) -> Path:
    noise = np.random.default_rng(3).uniform(-0.4, 0.4, 6 * RATE).astype(np.float32)
    write_wav(tmp_path / "song.wav", noise, sample_rate=RATE)
    return tmp_path / "song.wav"


@pytest.mark.parametrize(("start_s", "count_in_s"), [(0.0, 0.0), (2.0, 0.5), (0.25, 0.6)])
def test_take_and_backing_keep_step_sample_by_sample(backend, path, song, start_s, count_in_s):
    settings = RecordingSettings(
        backing=song, start_s=start_s, count_in_s=count_in_s, latency_s=480 / RATE
    )
    outcome = _record(backend, settings, path, seconds=1.6)
    assert outcome.fault is None
    take, rate = soundfile.read(path, dtype="float32")
    played, _ = soundfile.read(song, dtype="float32")
    assert (rate, take.shape[0]) == (RATE, outcome.frames)
    offset = round(outcome.backing_offset_s * RATE)
    assert outcome.backing_offset_s == pytest.approx(offset / RATE, abs=1e-9)
    first = round(start_s * RATE)
    got = take[first - offset + 480 :]
    np.testing.assert_allclose(got, played[first + 480 : first + 480 + got.shape[0]], atol=1e-6)
    assert got.shape[0] > 0.5 * RATE
    # Before the song's start nothing sounds.
    assert not take[: first - offset].any()


def test_the_backing_may_sound_during_the_count_in(backend, path, song):
    settings = RecordingSettings(
        backing=song, start_s=1.0, count_in_s=0.4, preroll_backing=True, backing_gain_db=-6.0206
    )
    outcome = _record(backend, settings, path)
    take, _ = soundfile.read(path, dtype="float32")
    played, _ = soundfile.read(song, dtype="float32")
    offset = round(outcome.backing_offset_s * RATE) - 480  # not calibrated
    first = round(0.6 * RATE)
    got = take[first - offset + 480 :][:4_800]
    np.testing.assert_allclose(got, 0.5 * played[first + 480 : first + 480 + 4_800], atol=1e-4)


def test_clicks_sound_where_they_were_asked_for(backend, path):
    clicks_s = (-0.6, -0.3, 0.0)
    settings = RecordingSettings(count_in_s=0.7, clicks_s=clicks_s, latency_s=480 / RATE)
    outcome = _record(backend, settings, path, seconds=1.3)
    take, _ = soundfile.read(path, dtype="float32")
    loud = np.flatnonzero(np.abs(take) > 0.05)
    starts = loud[np.flatnonzero(np.diff(loud, prepend=-RATE) > RATE // 10)]
    times_s = starts / RATE + outcome.backing_offset_s
    np.testing.assert_allclose(times_s, clicks_s, atol=0.002)


def test_the_state_tells_how_it_goes(backend, path):
    backend.voice = lambda n: np.full(n, 1.0, np.float32)
    seen = []
    capture = _capture(backend, RecordingSettings(), path)
    assert not capture.state().started
    capture.open()
    timer = threading.Timer(0.6, lambda: (seen.append(capture.state()), capture.stop()))
    timer.start()
    capture.run()
    outcome = capture.finish()
    capture.close()
    assert seen[0].started
    assert seen[0].recorded_s == pytest.approx(0.6, abs=0.3)
    assert seen[0].position_s == pytest.approx(seen[0].recorded_s)
    assert seen[0].sample_rate == RATE
    assert 100.0 < seen[0].disk_free_s < 1e9
    assert outcome.frames == pytest.approx(0.6 * RATE, abs=0.4 * RATE)
    assert capture.state().finished


def test_without_a_file_it_only_listens(backend, tmp_path):
    outcome = _record(backend, RecordingSettings(keep=False), None, seconds=0.3)
    assert outcome.frames > 0
    assert not list(tmp_path.iterdir())


def test_the_rate_that_the_device_knows_is_used(backend, path):
    backend.rates = (44_100,)
    outcome = _record(backend, RecordingSettings(sample_rate=96_000), path, seconds=0.3)
    assert outcome.sample_rate == 44_100
    assert soundfile.info(path).samplerate == 44_100
    backend.rates = (8_000,)
    with pytest.raises(DeviceError, match="sample rate"):
        _capture(backend, RecordingSettings(), path).open()


def test_two_channels_are_recorded_where_there_are_two(backend, path):
    backend.connected = [device(inputs=2)]
    _record(backend, RecordingSettings(channels=2), path, seconds=0.3)
    assert soundfile.info(path).channels == 2
    backend.connected = [device(inputs=1)]
    other = path.with_name("take-mono.wav")
    _record(backend, RecordingSettings(channels=2), other, seconds=0.3)
    assert soundfile.info(other).channels == 1


@pytest.mark.parametrize(
    ("connected", "wanted", "words"),
    [
        ([], None, "No microphone was found"),
        ([device(inputs=0)], None, "No microphone was found"),
        ([device()], "Test|Other", "Other is not connected"),
    ],
)
def test_a_missing_microphone_is_said_at_once(backend, path, connected, wanted, words):
    backend.connected = connected
    with pytest.raises(DeviceError, match=words):
        _capture(backend, RecordingSettings(input=wanted), path).open()
    assert not list(path.parent.iterdir())


def test_a_missing_loudspeaker_matters_only_with_something_to_play(backend, path, song):
    backend.connected = [device(outputs=0)]
    _record(backend, RecordingSettings(), path, seconds=0.2)
    with pytest.raises(DeviceError, match="No loudspeaker"):
        _capture(backend, RecordingSettings(backing=song), path).open()


def test_a_busy_device_and_a_broken_backing_leave_no_file(backend, path, tmp_path):
    backend.start_fault = DeviceError("busy")
    with pytest.raises(DeviceError, match="busy"):
        _capture(backend, RecordingSettings(), path).open()
    backend.start_fault = None
    (tmp_path / "song.mp3").write_text("no song")
    with pytest.raises(InputError):
        _capture(backend, RecordingSettings(backing=tmp_path / "song.mp3"), path).open()
    assert not path.exists()
    assert not note_of(path).exists()


def test_what_an_unplugged_microphone_gave_is_kept(backend, path):
    backend.dies_after_s = 1.0
    outcome = _record(backend, RecordingSettings(), path, seconds=20.0)
    assert isinstance(outcome.fault, DeviceError)
    assert "stopped giving sound" in outcome.fault.message
    assert soundfile.info(path).frames == outcome.frames > 0.3 * RATE


def test_a_microphone_that_falls_silent_as_a_whole_is_noticed(backend, path):
    started_s = time.monotonic()
    capture = _capture(backend, RecordingSettings(), path)
    capture.open()
    timer = threading.Timer(0.5, backend.paused.set)
    timer.start()
    capture.run()
    outcome = capture.finish()
    capture.close()
    timer.join()
    assert isinstance(outcome.fault, DeviceError)
    assert time.monotonic() - started_s < 10.0
    assert soundfile.info(path).frames == outcome.frames > 0


def test_a_stall_is_counted_and_told(backend, path):
    capture = _capture(backend, RecordingSettings(), path)
    capture.open()
    threading.Timer(0.4, backend.paused.set).start()
    threading.Timer(0.9, backend.paused.clear).start()
    threading.Timer(1.4, capture.stop).start()
    capture.run()
    outcome = capture.finish()
    capture.close()
    assert outcome.dropouts >= 1
    assert "disturbed" in outcome.warnings[0]


def test_losses_that_the_system_reports_are_counted(backend, path):
    losses = iter([False] * 60 + [True, True])
    backend.lost = lambda: next(losses, False)
    outcome = _record(backend, RecordingSettings(), path, seconds=0.8)
    assert outcome.dropouts >= 2


class _FullDisk(StreamingWav):
    """A disk that takes half a second."""

    def write(self, block: np.ndarray) -> None:
        if self.frames > RATE // 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        super().write(block)


def test_a_full_disk_ends_the_take_and_keeps_what_was_captured(backend, path):
    outcome = _record(backend, RecordingSettings(), path, seconds=20.0, open_wav=_FullDisk)
    assert isinstance(outcome.fault, OutputError)
    assert outcome.fault.message == "The disk is full; what was recorded until then is kept"
    assert soundfile.info(path).frames == outcome.frames >= RATE // 2


def test_an_almost_full_disk_is_refused_before_the_song_begins(backend, path, monkeypatch):
    import shutil

    usage = shutil.disk_usage(path.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=1_000_000))
    capture = _capture(backend, RecordingSettings(), path)
    with pytest.raises(OutputError, match="disk is full"):
        capture.open()
    assert not path.exists()
    assert recover_takes(path.parent) == []


class _SlowDisk(StreamingWav):
    """A disk that stands still for a second at every write."""

    def write(self, block: np.ndarray) -> None:
        time.sleep(1.0)
        super().write(block)


def test_a_slow_disk_loses_nothing(backend, path):
    backend.voice = lambda n: np.full(n, 0.5, np.float32)
    outcome = _record(backend, RecordingSettings(), path, seconds=1.5, open_wav=_SlowDisk)
    take, _ = soundfile.read(path, dtype="float32")
    assert not any("too slow" in warning for warning in outcome.warnings)
    assert take.shape[0] == outcome.frames > RATE
    np.testing.assert_allclose(take, 0.5, atol=1e-6)


def test_a_disk_slower_than_the_ring_leaves_silence_of_the_right_length(backend, path, monkeypatch):
    from singcoach.audio.recorder import capture

    monkeypatch.setattr(capture, "RING_S", 0.5)
    monkeypatch.setattr(capture, "_RING_GUARD_S", 0.1)
    backend.voice = lambda n: np.full(n, 0.5, np.float32)
    outcome = _record(backend, RecordingSettings(), path, seconds=1.6, open_wav=_SlowDisk)
    take, _ = soundfile.read(path, dtype="float32")
    assert outcome.dropouts >= 1
    assert any("too slow" in warning for warning in outcome.warnings)
    assert take.shape[0] == outcome.frames
    assert set(np.unique(np.round(take, 3)).tolist()) == {0.0, 0.5}


def test_the_singer_hears_herself_only_when_asked(backend, path):
    backend.voice = lambda n: np.full(n, 0.1, np.float32)
    backend.delay_frames = 480
    _record(backend, RecordingSettings(clicks_s=(9.0,)), path, seconds=0.4)
    quiet, _ = soundfile.read(path, dtype="float32")
    np.testing.assert_allclose(quiet, 0.1, atol=1e-6)
    other = path.with_name("take-heard.wav")
    _record(backend, RecordingSettings(monitor=True), other, seconds=0.4)
    heard, _ = soundfile.read(other, dtype="float32")
    assert heard.max() > 0.15


def test_a_take_that_was_ended_and_not_taken_over_is_offered(backend, path):
    _record(backend, RecordingSettings(), path, seconds=0.4)
    (take,) = recover_takes(path.parent)
    assert take.path == path
    assert not take.interrupted
    assert take.duration_s > 0.2
    path.unlink()  # the library has it now
    assert recover_takes(path.parent) == []
    assert not note_of(path).exists()
