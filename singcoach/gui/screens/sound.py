"""Microphone and loudspeaker: choosing them, testing the level, measuring their delay."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QSignalBlocker, Qt, QTimer
from PySide6.QtWidgets import (
    QBoxLayout,
    QComboBox,
    QHBoxLayout,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from singcoach import resources
from singcoach.audio.devices import AudioDevice, list_devices
from singcoach.errors import SingCoachError
from singcoach.gui.context import AppContext
from singcoach.gui.screens.sound_delay import DelayCard
from singcoach.gui.tasks import Task
from singcoach.gui.texts import text
from singcoach.gui.theme import L, M, S
from singcoach.gui.view_models.sound import (
    Direction,
    MicrophoneTest,
    SoundSetup,
    sample_sound,
)
from singcoach.gui.widgets.base import (
    Body,
    Card,
    EmptyState,
    Heading,
    Hint,
    IconLabel,
    LinkButton,
    Page,
    PlainButton,
    PrimaryButton,
    ScreenHeader,
    Strong,
    row,
    with_keys,
)
from singcoach.gui.widgets.microphone_meter import MicrophoneMeter
from singcoach.gui.window import bind

_TICK_MS: Final = 40
_TEST_KEY: Final = "R"
_TEST_RATE: Final = 44_100
_TWO_COLUMNS_PX: Final = 760
_ICONS: Final = {
    "idle": ("microphone", "text_soft"),
    "starting": ("microphone", "text_soft"),
    "sing": ("note", "accent"),
    "silent": ("warning", "warning"),
    "quiet": ("warning", "warning"),
    "good": ("good", "good"),
    "loud": ("warning", "danger"),
    "fault": ("error", "danger"),
}


class SoundScreen(QWidget):
    """Everything about sound that a singer sets once."""

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self._context = context
        self._devices: tuple[AudioDevice, ...] = ()
        self._known = False
        self._searching: Task[list[AudioDevice]] | None = None
        self._recording: Any = None
        self._test = MicrophoneTest()
        self._rate = _TEST_RATE
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._on_timer_timeout)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._build()
        bind(self, _TEST_KEY, self._on_test_clicked)
        bind(self, "Escape", self._stop_everything)
        context.settings_changed.connect(self._refresh)
        self._refresh()

    # --- what the window asks ---------------------------------------------------------------

    def enter(self, **_arguments: Any) -> None:
        """Look which devices are there."""
        self.setFocus()
        self._search()

    def leave(self) -> None:
        """Let microphone and loudspeaker go."""
        self._let_go()

    # --- building ---------------------------------------------------------------------------

    def _build(self) -> None:
        self._page = Page()
        self._again = PlainButton(text("sound.look_again"), "repeat", on_click=self._search)
        header = ScreenHeader(text("sound.title"), [self._again], words=text("sound.words"))
        self._page.body.addWidget(header)
        self._page.body.addWidget(self._microphone_card())
        self._missing = Card(
            EmptyState(
                text("sound.no_microphone"),
                text("sound.no_microphone_words"),
                (text("sound.import"), lambda: self._context.navigate("queue")),
                icon_name="microphone",
            )
        )
        self._page.body.addWidget(self._missing)
        lower = QWidget()
        self._lower = QBoxLayout(QBoxLayout.Direction.LeftToRight, lower)
        self._lower.setContentsMargins(0, 0, 0, 0)
        self._lower.setSpacing(L)
        self._lower.addWidget(self._loudspeaker_card(), 1)
        self._delay = DelayCard(self._context, setup=self._setup, let_go=self._let_go)
        self._delay.changed.connect(self._refresh)
        self._lower.addWidget(self._delay, 1)
        self._page.body.addWidget(lower)
        self._page.body.addStretch(1)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self._page)

    def _microphone_card(self) -> Card:
        self._inputs = _chooser(text("sound.microphone"))
        self._inputs.activated.connect(lambda _index: self._on_chosen("input", self._inputs))
        self._meter = MicrophoneMeter()
        self._advice_icon = IconLabel("microphone", ink="text_soft", pixels=24)
        self._advice = Strong(text("sound.advice.idle"))
        self._advice.setMinimumHeight(44)
        self._detail = Hint()
        self._detail.hide()
        self._test_button = PrimaryButton(
            text("sound.test"), "microphone", on_click=self._on_test_clicked
        )
        self._test_button.setToolTip(with_keys(text("sound.test"), _TEST_KEY))
        self._hear = PlainButton(text("sound.hear"), "play", on_click=self._on_hear_clicked)
        self._hear.setEnabled(False)
        self._go_on = LinkButton(
            text("sound.next"), "forward", on_click=lambda: self._context.navigate("sing")
        )
        self._go_on.hide()
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self._advice)
        words.addWidget(self._detail)
        told = QHBoxLayout()
        told.setSpacing(M)
        told.addWidget(self._advice_icon, 0, Qt.AlignmentFlag.AlignVCenter)
        told.addLayout(words, 1)
        self._microphone = Card(Heading(text("sound.microphone")), self._inputs)
        self._microphone.body.addSpacing(S)
        self._microphone.body.addLayout(told)
        self._microphone.body.addWidget(self._meter)
        self._microphone.body.addSpacing(S)
        self._microphone.body.addLayout(row(self._test_button, self._hear, 1, self._go_on))
        return self._microphone

    def _loudspeaker_card(self) -> Card:
        self._outputs = _chooser(text("sound.loudspeaker"))
        self._outputs.activated.connect(lambda _index: self._on_chosen("output", self._outputs))
        self._no_output = Body(text("sound.no_loudspeaker"))
        self._play = PlainButton(text("sound.play_test"), "speaker", on_click=self._on_play_clicked)
        card = Card(Heading(text("sound.loudspeaker")), self._outputs, self._no_output)
        card.body.addSpacing(S)
        card.body.addLayout(row(self._play, 1))
        card.body.addStretch(1)
        return card

    def resizeEvent(self, event: Any) -> None:  # noqa: N802 - Qt's name
        """Put the lower cards below each other where there is no room beside."""
        wide = self.width() >= _TWO_COLUMNS_PX
        direction = QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom
        self._lower.setDirection(direction)
        super().resizeEvent(event)

    # --- devices ----------------------------------------------------------------------------

    def _setup(self) -> SoundSetup:
        settings = self._context.settings
        return SoundSetup(
            self._devices,
            input_key=settings.input_device,
            output_key=settings.output_device,
            latencies=settings.latencies,
        )

    def _search(self) -> None:
        if self._searching is not None:
            return
        self._again.setEnabled(False)
        self._searching = self._context.tasks.run(
            lambda _job: list_devices(),
            self._on_devices_found,
            self._on_search_failed,
            owner=self,
        )

    def _on_devices_found(self, devices: list[AudioDevice]) -> None:
        self._searching = None
        self._devices = tuple(devices)
        self._known = True
        self._again.setEnabled(True)
        self._refresh()

    def _on_search_failed(self, error: SingCoachError) -> None:
        self._on_devices_found([])
        self._context.tell(text("sound.search_failed"), kind="error", hint=error.hint)

    def _on_chosen(self, direction: Direction, chooser: QComboBox) -> None:
        key = chooser.currentData()
        self._stop_everything()
        self._say("idle")
        if direction == "input":
            self._context.change_settings(input_device=key)
        else:
            self._context.change_settings(output_device=key)

    def _refresh(self) -> None:
        """Show what is known of devices and delay."""
        setup = self._setup()
        has_input = setup.has("input") or not self._known
        has_output = setup.has("output") or not self._known
        self._missing.setVisible(not has_input)
        self._microphone.setVisible(has_input)
        self._no_output.setVisible(not has_output)
        self._outputs.setVisible(has_output)
        self._play.setVisible(has_output)
        for direction, chooser in (("input", self._inputs), ("output", self._outputs)):
            self._fill(chooser, setup, direction)
        self._test_button.setEnabled(self._known and not self._delay.measuring)
        self._play.setEnabled(self._known and not self._delay.measuring)
        self._delay.show_delay(known=self._known)

    def _fill(self, chooser: QComboBox, setup: SoundSetup, direction: Any) -> None:
        with QSignalBlocker(chooser):
            chooser.clear()
            if not self._known:
                chooser.addItem(text("sound.searching"), None)
                chooser.setEnabled(False)
                return
            chooser.setEnabled(not self._delay.measuring)
            for line in setup.rows(direction):
                chooser.addItem(line.words, line.key)
                if line.key == setup.key(direction):
                    chooser.setCurrentIndex(chooser.count() - 1)
            chooser.setToolTip(chooser.currentText())

    # --- the microphone test ----------------------------------------------------------------

    def _on_test_clicked(self) -> None:
        if not self._test_button.isEnabled() or not self._test_button.isVisible():
            return
        if self._recording is not None:
            self._stop_test()
            self._say("idle")
            return
        from singcoach.audio.recorder import RecordingSettings, start_recording

        self._context.player.unload()
        settings = RecordingSettings(input=self._context.settings.input_device, keep=False)
        try:
            self._recording = start_recording(settings, _recordings())
        except SingCoachError as error:
            self._say("fault", error)
            return
        self._test = MicrophoneTest()
        self._set_test_button(running=True)
        self._hear.setEnabled(False)
        self._go_on.hide()
        self._say("starting")
        self._timer.start()

    def _on_timer_timeout(self) -> None:
        recording = self._recording
        if recording is None:
            self._timer.stop()
            return
        state = recording.poll()
        if state.sample_rate:
            self._rate = state.sample_rate
            self._test.keep(recording.read_new(), state.sample_rate)
        if state.finished:
            self._stop_test()
            self._say("fault" if state.fault is not None else "idle", state.fault)
            return
        advice = self._test.note(
            time_s=state.recorded_s,
            started=state.started,
            level_db=state.level_db,
            peak_db=state.peak_db,
            clipped_samples=state.clipped_samples,
            silent_s=state.silent_s,
        )
        self._meter.show_level(state.level_db, state.peak_db, clipped=advice == "loud")
        self._say(advice)
        if advice == "good":
            self._go_on.show()

    def _stop_test(self) -> None:
        self._timer.stop()
        recording, self._recording = self._recording, None
        if recording is None:
            return
        recording.stop()
        self._meter.reset()
        self._set_test_button(running=False)
        self._hear.setEnabled(self._test.sound.size > 0)

    def _set_test_button(self, *, running: bool) -> None:
        words = text("sound.test_stop" if running else "sound.test")
        self._test_button.setText(words)
        self._test_button.setAccessibleName(words)
        self._test_button.setToolTip(with_keys(words, _TEST_KEY))
        self._test_button.set_icon("stop" if running else "microphone")

    def _say(self, advice: str, fault: SingCoachError | None = None) -> None:
        words = text(f"sound.advice.{advice}")
        if self._advice.text() != words:
            self._advice.setText(words)
            self._advice_icon.set_icon(*_ICONS[advice])
        detail = "" if fault is None else f"{fault.message}. {fault.hint}.".replace("..", ".")
        self._detail.setText(detail)
        self._detail.setVisible(bool(detail))

    def _on_hear_clicked(self) -> None:
        sound = self._test.sound
        if sound.size:
            self._play_sound(sound, self._rate)

    def _on_play_clicked(self) -> None:
        self._stop_test()
        self._play_sound(sample_sound(_TEST_RATE), _TEST_RATE)

    def _play_sound(self, sound: Any, sample_rate: int) -> None:
        player = self._context.player
        player.use_output(self._context.settings.output_device)
        player.load(sound, sample_rate=sample_rate)
        player.play(0.0)
        QTimer.singleShot(1_000, self, self._tell_player_fault)

    def _tell_player_fault(self) -> None:
        fault = self._context.player.take_fault()
        if fault is not None:
            self._context.tell_fault(fault)

    def _let_go(self) -> None:
        self._stop_everything()
        self._context.player.unload()

    def _stop_everything(self) -> None:
        self._delay.cancel()
        if self._recording is not None:
            self._stop_test()
            self._say("idle")
        self._context.player.stop()


def _recordings() -> Path:
    return resources.user_data_dir() / "recordings"


def _chooser(name: str) -> QComboBox:
    chooser = QComboBox()
    chooser.setAccessibleName(name)
    chooser.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    chooser.setMinimumContentsLength(12)
    chooser.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    return chooser
