"""Devices to choose from, what is said while somebody sings, what is known of the delay."""

from __future__ import annotations

import numpy as np
import pytest

from singcoach.audio.devices import AudioDevice, pair_key
from singcoach.gui.settings import StoredLatency
from singcoach.gui.texts import text
from singcoach.gui.view_models.sound import Advice, MicrophoneTest, SoundSetup, sample_sound


def _device(name: str, *, inputs: int = 1, outputs: int = 2, default: bool = False) -> AudioDevice:
    return AudioDevice(
        name=name,
        host_api="ALSA",
        inputs=inputs,
        outputs=outputs,
        default_rate=48_000,
        is_default_input=default and inputs > 0,
        is_default_output=default and outputs > 0,
    )


BUILT_IN = _device("Built-in", default=True)
USB = _device("USB", outputs=0)


def _setup(*devices: AudioDevice, **changes: object) -> SoundSetup:
    values: dict[str, object] = {"input_key": None, "output_key": None, "latencies": {}}
    return SoundSetup(devices, **{**values, **changes})  # type: ignore[arg-type]


def test_the_lists_begin_with_what_the_system_uses() -> None:
    setup = _setup(BUILT_IN, USB)
    assert [row.key for row in setup.rows("input")] == [None, "ALSA|Built-in", "ALSA|USB"]
    assert setup.rows("input")[0].words == "System: Built-in"
    assert [row.key for row in setup.rows("output")] == [None, "ALSA|Built-in"]
    assert _setup(USB).rows("output")[0].words == text("sound.system")


def test_a_chosen_device_that_is_gone_stays_in_the_list_and_says_so() -> None:
    setup = _setup(BUILT_IN, input_key="ALSA|Studio microphone")
    last = setup.rows("input")[-1]
    assert last.key == "ALSA|Studio microphone"
    assert last.words == "Studio microphone (not connected)"
    assert setup.pair is None
    assert setup.delay().value_ms is None


def test_no_device_at_all_is_told() -> None:
    setup = _setup()
    assert not setup.has("input")
    assert not setup.has("output")
    assert setup.pair is None
    assert _setup(USB).has("input")
    assert not _setup(USB).has("output")


def test_names_that_two_devices_share_carry_their_system() -> None:
    other = AudioDevice(
        name="USB", host_api="JACK", inputs=1, outputs=0, default_rate=48_000,
        is_default_input=False, is_default_output=False,
    )  # fmt: skip
    words = [row.words for row in _setup(USB, other).rows("input")]
    assert words[1:] == ["USB (ALSA)", "USB (JACK)"]


def test_the_delay_belongs_to_the_pair() -> None:
    pair = pair_key(USB, BUILT_IN)
    latencies = {pair: StoredLatency(latency_ms=41.0, quality=0.9)}
    known = _setup(BUILT_IN, USB, input_key=USB.key, latencies=latencies).delay()
    assert (known.value_ms, known.good) == (41.0, True)
    assert known.words == text("sound.delay_good")
    changed = _setup(BUILT_IN, USB, latencies=latencies).delay()
    assert changed.value_ms is None
    assert changed.words == text("sound.delay_changed")
    assert _setup(BUILT_IN, USB).delay().words == ""
    unsure = {pair: StoredLatency(latency_ms=41.0, quality=0.2)}
    doubtful = _setup(BUILT_IN, USB, input_key=USB.key, latencies=unsure).delay()
    assert not doubtful.good
    assert doubtful.words == text("sound.delay_fair")


def _listen(*levels: float, test: MicrophoneTest | None = None, **changes: object) -> list[Advice]:
    listener = test or MicrophoneTest()
    said = []
    for number, level in enumerate(levels):
        values: dict[str, object] = {
            "time_s": 0.5 * number,
            "started": True,
            "level_db": level,
            "peak_db": level + 12.0,
            "clipped_samples": 0,
            "silent_s": 0.0,
        }
        said.append(listener.note(**{**values, **changes}))  # type: ignore[arg-type]
    return said


def test_a_voice_at_the_right_level_is_good_also_between_two_words() -> None:
    said = _listen(-65, -65, -20, -25, -60, -60, -60)
    assert said[:2] == ["sing", "sing"]
    assert set(said[2:]) == {"good"}


def test_a_quiet_voice_gets_time_before_it_is_told() -> None:
    said = _listen(*[-50.0] * 8)
    assert said[0] == "sing"
    assert said[-1] == "quiet"


def test_a_quiet_room_is_not_a_quiet_voice() -> None:
    assert set(_listen(*[-70.0] * 12)) == {"sing"}


def test_clipping_is_told_at_once_and_for_a_while() -> None:
    test = MicrophoneTest()
    assert _listen(-20, test=test) == ["good"]
    assert _listen(-6, test=test, time_s=1.0, clipped_samples=3) == ["loud"]
    assert _listen(-20, test=test, time_s=2.0, clipped_samples=3) == ["loud"]
    assert _listen(-20, test=test, time_s=5.0, clipped_samples=3) == ["good"]


@pytest.mark.parametrize(("silent_s", "advice"), [(0.5, "sing"), (3.0, "silent")])
def test_exact_silence_is_a_muted_microphone(silent_s: float, advice: str) -> None:
    assert _listen(-120, silent_s=silent_s) == [advice]


def test_before_the_first_sound_it_is_being_opened() -> None:
    assert _listen(-120, started=False) == ["starting"]


def test_the_last_seconds_are_kept() -> None:
    test = MicrophoneTest()
    assert test.sound.shape == (0,)
    for number in range(100):
        test.keep(np.full(1_000, number, np.float32), 5_000)
    kept = test.sound
    assert 8 * 5_000 <= kept.shape[0] <= 8 * 5_000 + 1_000
    assert kept[-1] == 99.0
    assert np.all(np.diff(kept) >= 0.0)


def test_the_test_sound_is_soft_and_clean() -> None:
    sound = sample_sound(44_100)
    assert sound.dtype == np.float32
    assert 0.1 < float(np.abs(sound).max()) < 0.6
    assert abs(float(sound[0])) < 1e-6
