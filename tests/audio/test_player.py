"""Playing without a loudspeaker: what is heard, and where the position is."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
import soundfile
from sound_card import sound_card  # noqa: F401

from singcoach.audio.outputs import SilentOutput
from singcoach.audio.player import Player
from singcoach.audio.playhead import Playhead, Section
from singcoach.audio.sounds import ArraySound, open_sound
from singcoach.audio.writing import write_wav
from singcoach.errors import DeviceError, InputError

RATE = 8_000


def _ramp(seconds: float, first: float = 0.0) -> np.ndarray:
    return (first + np.arange(round(seconds * RATE)) / (100 * RATE)).astype(np.float32)


def _all(head: Playhead, n_frames: int = 100, chosen: int = 0, most: int = 10_000) -> np.ndarray:
    blocks = []
    while sum(block.shape[0] for block in blocks) < most:
        block = head.read(n_frames, chosen)
        if block.shape[0] == 0:
            break
        blocks.append(block)
    return np.concatenate(blocks)


def _section(first: float, begin: float, end: float, **more) -> Section:
    return Section(first_s=first, begin_s=begin, end_s=end, **{"loop": False, "speed": 1.0, **more})


def test_a_section_is_exactly_what_was_asked_for_but_for_its_soft_edges():
    sound = ArraySound(_ramp(2.0), sample_rate=RATE)
    heard = _all(Playhead((sound,), _section(0.5, 0.5, 1.0), offset_s=0.0))
    assert heard.shape == (RATE // 2, 2)
    np.testing.assert_array_equal(heard[100:-100, 0], _ramp(2.0)[RATE // 2 + 100 : RATE - 100])
    assert heard[0, 0] == 0.0
    assert abs(heard[-1, 1]) < 1e-6


def test_a_loop_begins_again_at_its_begin():
    sound = ArraySound(_ramp(2.0), sample_rate=RATE)
    head = Playhead((sound,), _section(0.9, 0.5, 1.0, loop=True), offset_s=0.0)
    heard = _all(head, most=RATE)
    again = heard[RATE // 10 : RATE // 10 + RATE // 2]
    np.testing.assert_array_equal(again[100:-100, 0], _ramp(2.0)[RATE // 2 + 100 : RATE - 100])
    assert 0.5 <= head.position_s <= 1.0


def test_two_sounds_keep_step_and_change_softly():
    first = ArraySound(_ramp(2.0), sample_rate=RATE)
    second = ArraySound(_ramp(2.0, first=0.5), sample_rate=RATE)
    head = Playhead((first, second), _section(0.5, 0.0, 2.0), offset_s=0.25)
    head.read(400, 0)
    block = head.read(400, 1)
    start = round(0.75 * RATE) + 400
    np.testing.assert_array_equal(block[100:, 0], _ramp(2.0, first=0.5)[start + 100 : start + 400])
    steps = np.abs(np.diff(block[:, 0]))
    assert steps.max() < 0.02
    head.set_offset(-1.0)
    assert not head.read(400, 1).any()  # before the second begins


@pytest.mark.parametrize("speed", [0.5, 2.0])
def test_slow_and_fast_playing_keeps_the_length_and_the_key(speed):
    times_s = np.arange(2 * RATE) / RATE
    tone = np.sin(2 * np.pi * 440 * times_s).astype(np.float32)
    sound = ArraySound(tone, sample_rate=RATE)
    head = Playhead((sound,), _section(0.0, 0.0, 2.0, speed=speed), offset_s=0.0)
    heard = _all(head, most=100_000)[:, 0]
    assert heard.shape[0] == pytest.approx(2 * RATE / speed, abs=0.05 * RATE)
    middle = heard[heard.shape[0] // 4 : 3 * heard.shape[0] // 4]
    peak_hz = np.argmax(np.abs(np.fft.rfft(middle * np.hanning(middle.shape[0])))) * (
        RATE / middle.shape[0]
    )
    assert peak_hz == pytest.approx(440.0, abs=3.0)


class _Output:
    """Keeps what it gets and never waits longer than the sound lasts."""

    latency_s = 0.0

    def __init__(self) -> None:
        self.heard: list[np.ndarray] = []
        self.halts = self.closes = 0
        self.broken = threading.Event()
        self._clock = SilentOutput(RATE, 2)

    def write(self, block: np.ndarray) -> None:
        if self.broken.is_set():
            raise DeviceError("Headphones are no longer there")
        self.heard.append(block)
        self._clock.write(block)

    def halt(self) -> None:
        self.halts += 1

    def close(self) -> None:
        self.closes += 1


@pytest.fixture
def output():
    return _Output()


@pytest.fixture
def player(output):
    made = Player(open_output=lambda _rate, _channels: output)
    yield made
    made.close()


def _until(wanted, timeout_s: float = 10.0) -> None:
    until_s = time.monotonic() + timeout_s
    while not wanted():
        assert time.monotonic() < until_s
        time.sleep(0.005)


def test_it_plays_to_the_end_and_rests_there(player, output):
    player.load(_ramp(1.0), sample_rate=RATE)
    assert player.duration_s == 1.0
    player.play(0.5, 0.8)
    assert player.playing
    seen = []
    while player.playing:
        seen.append(player.position_s)
        time.sleep(0.01)
    assert seen == sorted(seen)
    assert 0.5 <= seen[0] <= seen[-1] <= 0.8
    assert player.position_s == pytest.approx(0.8)
    heard = np.concatenate(output.heard)[:, 0]
    assert heard.shape[0] == round(0.3 * RATE)
    assert player.take_fault() is None


def test_pause_seek_and_stop(player):
    player.load(_ramp(3.0), sample_rate=RATE)
    player.play()
    _until(lambda: player.position_s > 0.05)
    player.pause()
    rest_s = player.position_s
    assert not player.playing
    time.sleep(0.05)
    assert player.position_s == rest_s
    player.play()
    _until(lambda: player.position_s > rest_s + 0.03)
    player.seek(2.0)
    assert player.position_s >= 2.0
    assert player.playing
    player.stop()
    assert player.position_s == 0.0
    player.seek(1.5)
    assert player.position_s == 1.5
    assert not player.playing
    player.seek(99.0)
    assert player.position_s == 3.0


def test_a_loop_stays_within_its_borders(player):
    player.load(_ramp(2.0), sample_rate=RATE)
    player.play(0.5, 0.7, loop=True)
    until_s = time.monotonic() + 0.6
    while time.monotonic() < until_s:
        assert 0.5 <= player.position_s <= 0.7
        time.sleep(0.01)
    assert player.playing


def test_without_a_loudspeaker_time_passes_and_the_fault_is_told_once():
    def refuse(_rate: int, _channels: int) -> _Output:
        raise DeviceError("No loudspeaker", hint="Plug one in")

    player = Player(open_output=refuse)
    player.load(_ramp(0.3), sample_rate=RATE)
    player.play()
    _until(lambda: not player.playing)
    fault = player.take_fault()
    assert fault is not None
    assert fault.message == "No loudspeaker"
    assert player.take_fault() is None
    player.close()


def test_headphones_that_are_unplugged_leave_silence(player, output):
    player.load(_ramp(1.0), sample_rate=RATE)
    player.play()
    _until(lambda: player.position_s > 0.05)
    output.broken.set()
    _until(lambda: not player.playing)
    assert player.take_fault() is not None
    assert output.closes == 1
    assert player.position_s == pytest.approx(1.0)


def test_gain_is_applied_and_clipped(player, output):
    player.gain_db = 6.0206
    player.load(np.full(RATE // 10, 0.25, np.float32), sample_rate=RATE)
    player.play()
    _until(lambda: not player.playing)
    assert np.concatenate(output.heard).max() == pytest.approx(0.5, abs=1e-3)
    assert player.gain_db == pytest.approx(6.0206)


def test_misuse_is_refused_and_nothing_loaded_is_nothing_played(player):
    player.play()
    assert not player.playing
    assert player.duration_s == 0.0
    with pytest.raises(ValueError, match="speed"):
        player.play(speed=9.0)
    player.load(np.zeros(0, np.float32), sample_rate=RATE)
    player.play()
    assert not player.playing
    with pytest.raises(ValueError, match="no sound"):
        player.choose(1)
    other = ArraySound(_ramp(1.0), sample_rate=2 * RATE)
    with pytest.raises(ValueError, match="Hz"):
        player.set_sounds(ArraySound(_ramp(1.0), sample_rate=RATE), other)


def test_files_are_played_from_any_place(tmp_path):
    sound = np.stack((_ramp(1.0), -_ramp(1.0)))
    write_wav(tmp_path / "take.wav", sound, sample_rate=RATE)
    opened = open_sound(tmp_path / "take.wav")
    assert (opened.sample_rate, opened.channels, opened.n_frames) == (RATE, 2, RATE)
    np.testing.assert_array_equal(opened.read(1_000, 50), sound[:, 1_000:1_050].T)
    assert opened.read(RATE - 10, 50).shape == (10, 2)
    assert opened.read(2 * RATE, 50).shape == (0, 2)
    opened.close()
    assert opened.read(0, 10).shape[0] == 0
    assert (tmp_path / "take.wav").exists()


def test_other_rates_and_formats_are_decoded_once(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    times_s = np.arange(RATE) / RATE
    tone = (0.5 * np.sin(2 * np.pi * 300 * times_s)).astype(np.float32)
    write_wav(tmp_path / "take.wav", tone, sample_rate=RATE)
    soundfile.write(tmp_path / "take.mp3", tone, 16_000, format="MP3")
    for name, rate in (("take.wav", 2 * RATE), ("take.mp3", None)):
        opened = open_sound(tmp_path / name, sample_rate=rate)
        assert opened.sample_rate == 16_000
        assert opened.n_frames > 0.4 * RATE
        opened.close()
    assert not list((tmp_path / "temporary").iterdir())
    (tmp_path / "no.wav").write_text("no sound at all")
    with pytest.raises(InputError):
        open_sound(tmp_path / "no.wav")
    with pytest.raises(InputError):
        open_sound(tmp_path / "missing.wav")
    assert not list((tmp_path / "temporary").iterdir())


def test_a_pair_of_files_is_loaded_at_one_rate(player, output, tmp_path):
    write_wav(tmp_path / "a.wav", _ramp(0.5), sample_rate=RATE)
    write_wav(tmp_path / "b.wav", np.zeros(RATE, np.float32), sample_rate=2 * RATE)
    player.load_pair(tmp_path / "a.wav", tmp_path / "b.wav", offset_s=0.0)
    player.choose(1)
    player.play()
    _until(lambda: not player.playing)
    assert np.abs(np.concatenate(output.heard)).max() < 1e-3
    with pytest.raises(InputError):
        player.load_pair(tmp_path / "a.wav", tmp_path / "missing.wav")
    assert player.duration_s == 0.5
    player.unload()
    (tmp_path / "a.wav").unlink()


def test_a_real_loudspeaker_plays_what_a_microphone_hears(
    sound_card,  # noqa: F811
    tmp_path,
    capfd,
):
    from singcoach.audio.recorder import RecordingSettings, start_recording

    rate = 48_000
    tone = (0.4 * np.sin(2 * np.pi * 500 * np.arange(2 * rate) / rate)).astype(np.float32)
    player = Player()
    with start_recording(RecordingSettings(sample_rate=rate), tmp_path) as recording:
        _until(lambda: recording.poll().started, 30.0)
        player.load(tone, sample_rate=rate)
        player.play()
        _until(lambda: not player.playing, 30.0)
        time.sleep(0.5)
        take = recording.stop()
    assert player.take_fault() is None
    assert player.position_s == pytest.approx(2.0)
    player.close()
    heard, _ = soundfile.read(take.path, dtype="float32")
    loud = np.flatnonzero(np.abs(heard) > 0.2)
    assert loud.shape[0] > 0.5 * rate
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(heard.shape[0])))
    assert np.argmax(spectrum) * rate / heard.shape[0] == pytest.approx(500.0, abs=2.0)
    capfd.readouterr()  # ALSA tells where a busy machine was late
