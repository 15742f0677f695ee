"""The row of buttons above a timeline: play, loop, speed, zoom."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from singcoach.gui.playing import Playback
from singcoach.gui.texts import clock, text
from singcoach.gui.theme import M, S, scaled_font
from singcoach.gui.widgets.base import IconButton, Segments, set_role
from singcoach.gui.widgets.timeline import ZOOM, Timeline

SPEEDS: Final = (("0.5", "½×"), ("0.75", "¾×"), ("1", "1×"))


class Transport(QWidget):
    """Plays what a timeline shows.

    Parameters
    ----------
    playback, timeline
        What it acts on.
    choices
        Recordings that can be heard, as for :class:`Segments`; none when there is only one.
    """

    source_chosen = Signal(str)
    note_wished = Signal()

    def __init__(
        self,
        playback: Playback,
        timeline: Timeline,
        *,
        choices: tuple[tuple[str, str], ...] = (),
        choices_name: str = "",
        with_notes: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._playback, self._timeline = playback, timeline
        self._duration_s = 0.0
        self.play_button = IconButton("play", text("common.play"), on_click=self.toggle)
        self.loop_button = IconButton(
            "repeat", text("review.loop"), checkable=True, on_click=self._on_loop
        )
        self.time = QLabel("0:00 / 0:00")
        set_role(self.time, "hint")
        self.time.setFont(scaled_font(13, mono_digits=True))
        self.time.setMinimumWidth(92)
        self.speed = Segments(SPEEDS, name=text("review.speed"))
        self.speed.choose("1")
        self.speed.chosen.connect(lambda key: playback.set_speed(float(key)))
        self.source = Segments(choices, name=choices_name) if choices else None
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(S)
        for widget in (self.play_button, self.loop_button, self.time, self.speed):
            box.addWidget(widget, 0, Qt.AlignmentFlag.AlignVCenter)
        if self.source is not None:
            self.source.choose(choices[0][0])
            self.source.chosen.connect(self.source_chosen)
            box.addSpacing(M)
            box.addWidget(self.source)
        box.addStretch(1)
        if with_notes:
            note = IconButton("edit", text("review.add_note"), on_click=self.note_wished.emit)
            box.addWidget(note)
        for icon, name, action in (
            ("minus", "zoom_out", lambda: timeline.zoom(1.0 / ZOOM)),
            ("plus", "zoom_in", lambda: timeline.zoom(ZOOM)),
            ("fit", "zoom_all", timeline.show_all),
        ):
            box.addWidget(IconButton(icon, text(f"review.{name}"), on_click=action))
        playback.changed.connect(self._on_changed)
        playback.moved.connect(self._on_moved)

    def set_duration(self, duration_s: float) -> None:
        """Show how long the take is."""
        self._duration_s = duration_s
        self._on_moved(0.0)

    def toggle(self) -> None:
        """Play or pause; chosen seconds are played alone."""
        self._playback.toggle(self._timeline.selection)

    def toggle_loop(self) -> None:
        """Turn the loop on or off."""
        self.loop_button.setChecked(not self.loop_button.isChecked())
        self._on_loop()

    def _on_loop(self) -> None:
        self._playback.set_loop(self.loop_button.isChecked())

    def _on_changed(self) -> None:
        name = "pause" if self._playback.playing else "play"
        self.play_button.set_icon(name, text(f"common.{name}"))

    def _on_moved(self, position_s: float) -> None:
        # The second it is in, as on the ruler: the end of a take is not reached before its end.
        self.time.setText(f"{clock(int(position_s))} / {clock(self._duration_s)}")
