"""The card that measures and shows the delay between loudspeaker and recording."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QWidget

from singcoach.errors import SingCoachError
from singcoach.gui.context import AppContext
from singcoach.gui.settings import StoredLatency
from singcoach.gui.tasks import Task
from singcoach.gui.texts import number, text
from singcoach.gui.theme import M, S
from singcoach.gui.view_models.sound import SoundSetup
from singcoach.gui.widgets.base import Card, Heading, Hint, Number, PlainButton, Strong, row

if TYPE_CHECKING:
    from singcoach.audio.latency import Latency


class DelayCard(Card):
    """What is known of the delay of the pair in use, and the button that measures it.

    Parameters
    ----------
    setup
        Returns the devices and the pair in use.
    let_go
        Called before measuring: frees microphone and loudspeaker.
    """

    changed = Signal()
    """Measuring has begun or ended."""

    def __init__(
        self,
        context: AppContext,
        *,
        setup: Callable[[], SoundSetup],
        let_go: Callable[[], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(Heading(text("sound.delay")), Hint(text("sound.delay_words")))
        self.setParent(parent)
        self._context, self._setup, self._let_go = context, setup, let_go
        self._task: Task[Latency] | None = None
        self.value = Number()
        self.value.setWordWrap(False)
        self.words = Strong()
        self.measure_button = PlainButton(text("sound.measure"), "clock", on_click=self.measure)
        self._stop = PlainButton(text("common.cancel"), "close", on_click=self.cancel)
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName(text("sound.measuring"))
        result = QHBoxLayout()
        result.setSpacing(M)
        result.addWidget(self.value)
        result.addWidget(self.words, 1)
        self.body.addSpacing(S)
        self.body.addLayout(result)
        self.body.addWidget(self.progress)
        self.body.addLayout(row(self.measure_button, self._stop, 1))
        self.body.addWidget(Hint(text("sound.delay_hint")))
        self.body.addStretch(1)

    @property
    def measuring(self) -> bool:
        """Whether chirps are being played."""
        return self._task is not None

    def show_delay(self, *, known: bool) -> None:
        """Show what is known of the pair in use; ``known``: whether the devices were listed."""
        setup = self._setup()
        view = setup.delay()
        self.setVisible(setup.pair is not None or not known)
        self.value.setVisible(view.value_ms is not None and not self.measuring)
        if view.value_ms is not None:
            self.value.setText(text("sound.delay_value", ms=number(view.value_ms, 0)))
        words = view.words or text("sound.delay_none")
        self.words.setText(text("sound.measuring") if self.measuring else words)
        self.progress.setVisible(self.measuring)
        again = text("sound.measure" if view.value_ms is None else "sound.measure_again")
        self.measure_button.setText(again)
        self.measure_button.setAccessibleName(again)
        self.measure_button.setVisible(not self.measuring)
        self.measure_button.setEnabled(known)
        self._stop.setVisible(self.measuring)

    def measure(self) -> None:
        """Play the chirps and listen, beside the window."""
        if self.measuring:
            return
        self._let_go()
        from singcoach.audio.latency import measure_latency

        settings, pair = self._context.settings, self._setup().pair
        source, sink = settings.input_device, settings.output_device
        self._task = self._context.tasks.run(
            lambda job: measure_latency(source, sink, job=job),
            lambda latency: self._on_measured(pair, latency),
            self._on_failed,
            lambda fraction, _stage: self.progress.setValue(round(1_000 * fraction)),
            on_cancelled=self._on_ended,
            owner=self,
        )
        self.progress.setValue(0)
        self.changed.emit()

    def cancel(self) -> None:
        """Stop measuring, if it does."""
        if self._task is not None:
            self._task.cancel()

    def _on_ended(self) -> None:
        self._task = None
        self.changed.emit()

    def _on_measured(self, pair: str | None, latency: Latency) -> None:
        if pair is not None:
            stored = StoredLatency(latency_ms=latency.ms, quality=latency.quality)
            try:
                self._context.settings_store.keep_latency(pair, stored)
            except SingCoachError as error:
                self._context.tell_fault(error)
        self._on_ended()

    def _on_failed(self, error: SingCoachError) -> None:
        self._on_ended()
        self.words.setText(f"{text('sound.measure_failed')} {error.message}. {error.hint}.")
