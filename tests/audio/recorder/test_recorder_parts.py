"""Ring, meter, warm-up, messages: the parts of the recorder that are pure."""

from __future__ import annotations

import io
import math
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from singcoach.audio.recorder import messages
from singcoach.audio.recorder.meter import LossWatch, Meter, to_db
from singcoach.audio.recorder.ring import Ring
from singcoach.audio.recorder.values import RecorderState, RecordingSettings
from singcoach.audio.recorder.warm_up import MOST_STARTS, WarmUp, start_clean
from singcoach.errors import DeviceError, OutputError


@given(
    sizes=st.lists(st.integers(0, 40), max_size=30),
    reads=st.lists(st.booleans(), min_size=30, max_size=30),
)
def test_a_reader_gets_every_frame_once_or_is_told_what_it_lost(sizes, reads):
    ring = Ring(64, 2, guard_frames=8)
    position, written, seen = 0, 0, []
    for size, wants in zip(sizes, reads, strict=False):
        values = np.arange(written, written + size, dtype=np.float32)
        ring.write(np.stack((values, -values), axis=1))
        written += size
        if wants:
            piece = ring.read(position)
            assert piece.lost == max(0, written - 56 - position)
            np.testing.assert_array_equal(piece.block[:, 1], -piece.block[:, 0])
            seen.append((position + piece.lost, piece.block[:, 0]))
            position += piece.lost + piece.block.shape[0]
            assert position == written
    for start, values in seen:
        np.testing.assert_array_equal(values, np.arange(start, start + values.shape[0]))


def test_a_block_longer_than_the_ring_leaves_its_end():
    ring = Ring(8, 1, guard_frames=0)
    ring.write(np.arange(20, dtype=np.float32)[:, None])
    assert ring.written == 20
    piece = ring.read(0)
    assert piece.lost == 12
    assert piece.block[:, 0].tolist() == list(range(12, 20))


def test_reading_is_limited_and_reading_nothing_is_nothing():
    ring = Ring(16, 1, guard_frames=0)
    ring.write(np.arange(10, dtype=np.float32)[:, None])
    assert ring.read(2, 3).block[:, 0].tolist() == [2.0, 3.0, 4.0]
    assert ring.read(10).block.shape == (0, 1)
    assert ring.read(99).block.shape == (0, 1)
    with pytest.raises(ValueError, match="guard"):
        Ring(4, 1, guard_frames=4)


def test_the_meter_knows_a_sine():
    rate = 48_000
    times_s = np.arange(rate) / rate
    sine = (0.5 * np.sin(2 * np.pi * 440 * times_s)).astype(np.float32)
    meter = Meter(rate)
    for start in range(0, rate, 480):
        meter.push(sine[start : start + 480, None])
    assert meter.level_db == pytest.approx(-9.03, abs=0.1)
    assert meter.peak_db == pytest.approx(-6.02, abs=0.05)
    assert meter.clipped_samples == 0
    assert meter.silent_s == 0.0
    meter.push(np.zeros((rate, 1), np.float32))
    assert meter.silent_s == pytest.approx(1.0)
    assert meter.level_db < -40.0
    meter.push(np.array([[1.0], [-1.0], [0.5]], np.float32))
    assert meter.clipped_samples == 2
    assert meter.peak_db == pytest.approx(0.0, abs=0.01)
    meter.push(np.zeros((0, 1), np.float32))
    assert to_db(0.0) == -120.0
    assert to_db(1.0) == 0.0


def test_lost_sound_is_told_from_a_clock_that_is_slightly_off():
    def after(clock, factor: float, hole_s: float) -> float:
        watch = LossWatch()
        for step in range(1, 1_200):
            time_s = step * 0.05
            captured_s = time_s * factor - (hole_s if time_s > 30.0 else 0.0)
            watch.note(clock_s=time_s + 0.01 * (step % 3), captured_s=captured_s)
        return watch.lost_s

    assert after(None, 1.0, 0.0) == 0.0
    assert after(None, 0.9995, 0.0) == 0.0
    assert after(None, 1.0, 0.4) == pytest.approx(0.4, abs=0.02)


def test_a_stream_is_steady_once_it_keeps_the_pace_of_the_clock():
    warm_up = WarmUp(48_000)
    warm_up.note(480, lost=False, now_s=1.0)
    warm_up.note(480, lost=False, now_s=2.9)  # the server slept
    for step in range(1, 29):
        warm_up.note(480, lost=False, now_s=2.9 + 0.01 * step)
        assert not warm_up.steady
    for step in range(29, 40):
        warm_up.note(480, lost=False, now_s=2.9 + 0.01 * step)
    assert warm_up.steady
    assert not warm_up.disturbed
    warm_up.note(480, lost=True, now_s=4.0)
    assert warm_up.disturbed


def test_a_stream_in_fast_forward_is_not_steady():
    warm_up = WarmUp(48_000)
    for step in range(60):
        warm_up.note(960, lost=False, now_s=1.0 + 0.01 * step)
    assert not warm_up.steady


@pytest.mark.parametrize(("bad", "starts"), [(0, 1), (2, 3), (99, MOST_STARTS)])
def test_a_stream_that_starts_badly_is_started_again(bad, starts):
    warm_up = WarmUp(48_000)
    done: list[str] = []

    def start() -> None:
        done.append("start")
        number = done.count("start")

        def calls() -> None:
            for step in range(80):
                warm_up.note(480, lost=number <= bad and step == 20, now_s=1.0 + 0.01 * step)

        thread = threading.Thread(target=calls)
        thread.start()
        thread.join()

    start_clean(
        warm_up,
        start=start,
        halt=lambda: done.append("halt"),
        given_up=lambda: False,
        first_sound_s=0.1,
    )
    assert done.count("start") == starts
    assert done[-1] == "start"


def test_a_card_that_never_calls_is_given_up():
    warm_up = WarmUp(48_000)
    start_clean(
        warm_up, start=lambda: None, halt=lambda: None, given_up=lambda: False, first_sound_s=0.05
    )
    assert not warm_up.heard


def test_messages_come_out_as_they_went_in():
    state = RecorderState(recorded_s=1.5, level_db=-20.0, fault=OutputError("full", hint="free"))
    samples = np.arange(5, dtype="<f4")
    pipe = io.BytesIO(
        messages.pack_samples(77, samples.tobytes())
        + messages.pack(messages.STATE, messages.state_to_json(state))
        + messages.pack(messages.DONE, b"{}")[:-1]
    )
    kind, content = messages.receive(pipe) or (b"", b"")
    assert (kind, messages.position_of(content)) == (messages.SAMPLES, 77)
    assert np.frombuffer(messages.samples_of(content), "<f4").tolist() == samples.tolist()
    kind, content = messages.receive(pipe) or (b"", b"")
    got = messages.state_from_json(content)
    assert isinstance(got.fault, OutputError)
    assert (got.fault.message, got.fault.hint) == ("full", "free")
    assert replace(got, fault=None) == replace(state, fault=None)
    assert math.isinf(got.disk_free_s)
    assert messages.receive(pipe) is None  # cut off
    unknown = messages.fault_from_row({"kind": "Mystery", "message": "m", "hint": "", "detail": ""})
    assert isinstance(unknown, DeviceError)


def test_settings_come_out_as_they_went_in():
    settings = RecordingSettings(
        input="A|b", backing=Path("song.wav"), clicks_s=(0.5, 1.0), start_s=2.0, keep=False
    )
    assert messages.settings_from_row(messages.settings_to_row(settings)) == settings
