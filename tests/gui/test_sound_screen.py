"""The screen on which microphone and loudspeaker are set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from sound_card import sound_card  # noqa: F401

from singcoach.audio.devices import AudioDevice, pair_key
from singcoach.audio.latency import Latency
from singcoach.audio.recorder import RecorderState, recover_takes
from singcoach.core.languages import LANGUAGES
from singcoach.errors import DeviceError
from singcoach.gui.context import AppContext
from singcoach.gui.screens import sound
from singcoach.gui.screens.sound import SoundScreen
from singcoach.gui.texts import set_language, text
from singcoach.jobs import Job

DEVICE = AudioDevice(
    name="Card", host_api="Test", inputs=1, outputs=2, default_rate=48_000,
    is_default_input=True, is_default_output=True,
)  # fmt: skip


class _Recording:
    def __init__(self) -> None:
        self.state = RecorderState()
        self.stopped = False

    def poll(self) -> RecorderState:
        return self.state

    def read_new(self) -> np.ndarray[Any, Any]:
        return np.zeros(100, np.float32)

    def stop(self) -> None:
        self.stopped = True


@pytest.fixture
def devices(monkeypatch: pytest.MonkeyPatch) -> list[AudioDevice]:
    found = [DEVICE]
    monkeypatch.setattr(sound, "list_devices", lambda: list(found))
    return found


@pytest.fixture
def recording(monkeypatch: pytest.MonkeyPatch) -> _Recording:
    made = _Recording()
    monkeypatch.setattr("singcoach.audio.recorder.start_recording", lambda *_given: made)
    return made


@pytest.fixture
def screen(context: AppContext, qtbot: QtBot, devices: list[AudioDevice]) -> Iterator[SoundScreen]:
    made = SoundScreen(context)
    qtbot.addWidget(made)
    made.show()
    made.enter()
    qtbot.waitUntil(lambda: made._known)
    yield made
    made.leave()


def test_the_microphone_is_tested_and_advice_follows_the_level(
    screen: SoundScreen, recording: _Recording, qtbot: QtBot
) -> None:
    qtbot.keyClick(screen, Qt.Key.Key_R)
    assert screen._advice.text() == text("sound.advice.starting")
    assert screen._test_button.text() == text("sound.test_stop")
    for level_db, peak_db, advice in ((-20.0, -9.0, "good"), (-3.0, 0.0, "loud")):
        recording.state = RecorderState(
            started=True, sample_rate=48_000, recorded_s=3.0, level_db=level_db, peak_db=peak_db
        )
        words = text(f"sound.advice.{advice}")
        qtbot.waitUntil(lambda words=words: screen._advice.text() == words)
    assert screen._go_on.isVisible()
    screen._test_button.click()
    assert recording.stopped
    assert screen._advice.text() == text("sound.advice.idle")
    assert screen._hear.isEnabled()


def test_a_fault_of_the_microphone_ends_the_test_in_one_sentence(
    screen: SoundScreen, recording: _Recording, qtbot: QtBot
) -> None:
    screen._test_button.click()
    recording.state = RecorderState(finished=True, fault=DeviceError("Busy", hint="Close it"))
    qtbot.waitUntil(lambda: screen._advice.text() == text("sound.advice.fault"))
    assert screen._detail.text() == "Busy. Close it."
    assert screen._test_button.text() == text("sound.test")


def test_leaving_lets_the_microphone_go(screen: SoundScreen, recording: _Recording) -> None:
    screen._test_button.click()
    screen.leave()
    assert recording.stopped
    assert not screen._timer.isActive()


def test_a_choice_is_kept(screen: SoundScreen, context: AppContext) -> None:
    screen._inputs.setCurrentIndex(1)
    screen._inputs.activated.emit(1)
    assert context.settings.input_device == DEVICE.key
    assert screen._inputs.currentData() == DEVICE.key


def test_without_any_device_it_stays_kind(
    screen: SoundScreen, devices: list[AudioDevice], context: AppContext, qtbot: QtBot
) -> None:
    devices.clear()
    screen._again.click()
    qtbot.waitUntil(lambda: screen._missing.isVisible())
    assert not screen._microphone.isVisible()
    assert screen._no_output.isVisible()
    assert not screen._delay.isVisible()
    visited: list[str] = []
    context.navigated.connect(lambda name, _arguments: visited.append(name))
    button = screen._missing.findChild(sound.PrimaryButton)
    assert button is not None
    button.click()
    assert visited == ["queue"]


def test_the_delay_is_measured_and_kept_for_the_pair(
    screen: SoundScreen, context: AppContext, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def measure(*given: Any, job: Job) -> Latency:
        asked.append(given)
        job.report(0.5, "measuring")
        return Latency(ms=42.4, quality=0.9, repeats=18, spread_ms=0.4)

    monkeypatch.setattr("singcoach.audio.latency.measure_latency", measure)
    assert screen._delay.words.text() == text("sound.delay_none")
    screen._delay.measure_button.click()
    assert screen._delay.progress.isVisible()
    qtbot.waitUntil(lambda: screen._delay.value.isVisible())
    assert screen._delay.value.text() == "42 ms"
    stored = context.settings.latencies[pair_key(DEVICE, DEVICE)]
    assert (stored.latency_ms, stored.quality) == (42.4, 0.9)
    assert asked == [(None, None)]


def test_a_delay_that_cannot_be_measured_says_why(
    screen: SoundScreen, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measure(*_given: Any, job: Job) -> Latency:
        raise DeviceError("The test sounds were not heard", hint="Turn it up")

    monkeypatch.setattr("singcoach.audio.latency.measure_latency", measure)
    screen._delay.measure_button.click()
    words = text("sound.measure_failed")
    qtbot.waitUntil(lambda: screen._delay.words.text().startswith(words))
    assert "Turn it up" in screen._delay.words.text()
    assert screen._delay.measure_button.isVisible()


def test_measuring_can_be_stopped(
    screen: SoundScreen, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measure(*_given: Any, job: Job) -> Latency:
        while True:
            job.report(0.1, "measuring")

    monkeypatch.setattr("singcoach.audio.latency.measure_latency", measure)
    screen._delay.measure_button.click()
    qtbot.keyClick(screen, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: screen._delay.measure_button.isVisible())


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_is_clipped_in_any_language(
    language: Any, context: AppContext, qtbot: QtBot, devices: list[AudioDevice]
) -> None:
    set_language(language)
    made = SoundScreen(context)
    qtbot.addWidget(made)
    made.resize(816, 700)
    made.show()
    made.enter()
    qtbot.waitUntil(lambda: made._known)
    for button in made.findChildren(sound.PlainButton):
        if button.isVisible():
            assert button.width() >= button.sizeHint().width(), button.text()
    assert made._page.horizontalScrollBar().maximum() == 0
    made.leave()


def test_a_real_microphone_is_heard(
    sound_card: Any,  # noqa: F811
    context: AppContext,
    qtbot: QtBot,
) -> None:
    made = SoundScreen(context)
    qtbot.addWidget(made)
    made.show()
    made.enter()
    qtbot.waitUntil(lambda: made._known, timeout=20_000)
    assert made._inputs.count() >= 2
    made._test_button.click()
    # Nobody plays, so the monitor gives exact zeros: a muted microphone.
    words = text("sound.advice.silent")
    qtbot.waitUntil(lambda: made._advice.text() == words, timeout=30_000)
    made._test_button.click()
    made.leave()
    assert recover_takes(sound._recordings()) == []
