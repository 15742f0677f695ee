"""The stage: words, notes, the own line, the microphone, and everything to be set while singing.

It only shows and tells; :class:`singcoach.gui.screens.sing.SingScreen` does.
"""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QSizePolicy, QSlider, QVBoxLayout, QWidget

from singcoach.gui.texts import clock, percent, text
from singcoach.gui.theme import XL, XS, L, M, S
from singcoach.gui.view_models.sing_session import SingSession, Warning_
from singcoach.gui.widgets.base import (
    BigButton,
    Heading,
    Hint,
    IconButton,
    IconLabel,
    LinkButton,
    PlainButton,
    Strong,
    with_keys,
)
from singcoach.gui.widgets.level_meter import LevelMeter
from singcoach.gui.widgets.lyrics_line import LyricsLine
from singcoach.gui.widgets.pitch_lane import PitchLane
from singcoach.gui.widgets.song_bar import SongBar

_VALUE_WIDTH: Final = 58
_WARNING_ICONS: Final[dict[str, tuple[str, str]]] = {
    "": ("microphone", "text_soft"),
    "clip": ("warning", "danger"),
    "quiet": ("info", "warning"),
    "silent": ("warning", "danger"),
}


class Stepper(QWidget):
    """A value with a button to each side."""

    stepped = Signal(int)

    def __init__(self, name: str, less: str, more: str, keys: tuple[str, str]) -> None:
        super().__init__()
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(XS)
        title = Hint(name)
        title.setWordWrap(False)
        title.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        box.addWidget(title)
        line = QHBoxLayout()
        line.setSpacing(0)
        self.less = IconButton("minus", less, on_click=lambda: self.stepped.emit(-1))
        self.more = IconButton("plus", more, on_click=lambda: self.stepped.emit(1))
        self.less.setToolTip(with_keys(less, keys[0]))
        self.more.setToolTip(with_keys(more, keys[1]))
        self.value = Strong("")
        self.value.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.value.setWordWrap(False)
        self.value.setMinimumWidth(_VALUE_WIDTH)
        self._name = name
        for widget in (self.less, self.value, self.more):
            line.addWidget(widget)
        box.addLayout(line)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)

    def show_value(self, words: str) -> None:
        """Show the value."""
        self.value.setText(words)
        self.value.setAccessibleName(f"{self._name}: {words}")


class Stage(QWidget):
    """Everything of one song in view at once; nothing scrolls while somebody sings."""

    back_asked = Signal()
    record_asked = Signal()
    play_asked = Signal()
    restart_asked = Signal()
    loop_asked = Signal()
    punch_asked = Signal()
    add_words_asked = Signal()
    sound_asked = Signal()
    count_in_changed = Signal(bool)
    guide_changed = Signal(float)
    key_stepped = Signal(int)
    tempo_stepped = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session: SingSession | None = None
        self._warning: str | None = None
        self._clock = ""
        box = QVBoxLayout(self)
        box.setContentsMargins(XL, L, XL, L)
        box.setSpacing(M)
        box.addLayout(self._head())
        self.lyrics = LyricsLine()
        box.addWidget(self.lyrics)
        self.lane = PitchLane()
        box.addWidget(self.lane, 1)
        box.addLayout(self._place())
        box.addLayout(self._controls())
        box.addLayout(self._foot())

    # --- building -----------------------------------------------------------------------------

    def _head(self) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(M)
        back = IconButton("back", text("sing.other_song"), on_click=self.back_asked.emit)
        back.setToolTip(with_keys(text("sing.other_song"), "Esc"))
        line.addWidget(back)
        column = QVBoxLayout()
        column.setSpacing(0)
        self.title = Heading("")
        self.about = Hint("")
        column.addWidget(self.title)
        column.addWidget(self.about)
        line.addLayout(column, 1)
        self.add_words = LinkButton(text("sing.add_words"), on_click=self.add_words_asked.emit)
        line.addWidget(self.add_words)
        self.score = Strong("")
        self.score.setToolTip(text("sing.hits_words"))
        line.addWidget(self.score)
        return line

    def _place(self) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(S)
        self.play = IconButton("play", text("sing.listen"), on_click=self.play_asked.emit)
        self.restart = IconButton("restart", text("sing.restart"), on_click=self.restart_asked.emit)
        self.restart.setToolTip(with_keys(text("sing.restart"), "Home"))
        line.addWidget(self.restart)
        line.addWidget(self.play)
        self.now = Hint("0:00")
        self.end = Hint("0:00")
        for label in (self.now, self.end):
            label.setWordWrap(False)
            label.setMinimumWidth(40)
        self.bar = SongBar()
        self.now.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        line.addWidget(self.now)
        line.addWidget(self.bar, 1)
        line.addWidget(self.end)
        return line

    def _controls(self) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(XS)
        self.record = BigButton(text("sing.record"), "record", on_click=self.record_asked.emit)
        self.record.setToolTip(with_keys(text("sing.record"), "R"))
        # As wide as its longest words, so that nothing moves when they change.
        for words in ("sing.practise", "sing.finish", "sing.stop", "sing.record"):
            self.record.setText(text(words))
            self.record.ensurePolished()
            self.record.setMinimumWidth(
                max(self.record.minimumWidth(), self.record.sizeHint().width())
            )
        line.addWidget(self.record)
        line.addSpacing(S)
        self.punch = IconButton("undo", text("sing.punch"), on_click=self.punch_asked.emit)
        self.punch.setToolTip(with_keys(text("sing.punch"), "P"))
        self.loop = IconButton("loop", text("sing.loop"), checkable=True)
        self.loop.clicked.connect(lambda _checked=False: self.loop_asked.emit())
        self.loop.setToolTip(with_keys(text("sing.loop"), "L"))
        self.count_in = IconButton("clock", text("sing.count_in"), checkable=True)
        self.count_in.toggled.connect(self.count_in_changed)
        self.count_in.setToolTip(with_keys(text("sing.count_in"), "C"))
        self.song_parts: tuple[QWidget, ...] = (
            self.play,
            self.restart,
            self.punch,
            self.loop,
            self.count_in,
        )
        for widget in self.song_parts[2:]:
            line.addWidget(widget)
        line.addStretch(1)
        self.key = Stepper(
            text("sing.key"), text("sing.key_down"), text("sing.key_up"), ("Down", "Up")
        )
        self.key.stepped.connect(self.key_stepped)
        self.tempo = Stepper(
            text("sing.tempo"), text("sing.slower"), text("sing.faster"), ("[", "]")
        )
        self.tempo.stepped.connect(self.tempo_stepped)
        self.guide_box = self._guide()
        for stepper in (self.key, self.tempo, self.guide_box):
            line.addSpacing(S)
            line.addWidget(stepper)
        return line

    def _guide(self) -> QWidget:
        widget = QWidget()
        box = QVBoxLayout(widget)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(XS)
        self.guide_name = Hint(text("sing.guide"))
        self.guide_name.setWordWrap(False)
        self.guide_name.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        box.addWidget(self.guide_name)
        self.guide = QSlider(Qt.Orientation.Horizontal)
        self.guide.setRange(0, 100)
        self.guide.setSingleStep(10)
        self.guide.setPageStep(25)
        self.guide.setFixedSize(112, self.key.less.sizeHint().height())
        self.guide.setAccessibleName(text("sing.guide"))
        self.guide.setToolTip(text("sing.guide_words"))
        self.guide.valueChanged.connect(lambda value: self.guide_changed.emit(value / 100.0))
        box.addWidget(self.guide)
        return widget

    def _foot(self) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(M)
        self.microphone = IconLabel("microphone", ink="text_soft")
        line.addWidget(self.microphone)
        self.meter = LevelMeter()
        self.meter.setFixedWidth(200)
        line.addWidget(self.meter)
        self.message = Hint("")
        line.addWidget(self.message, 1)
        self.working = QProgressBar()
        self.working.setTextVisible(False)
        self.working.setFixedWidth(160)
        self.working.hide()
        line.addWidget(self.working)
        self.sound = PlainButton(text("sing.sound"), "speaker", on_click=self.sound_asked.emit)
        self.sound.hide()
        line.addWidget(self.sound)
        return line

    # --- showing ------------------------------------------------------------------------------

    def show_session(self, session: SingSession, title: str, about: str) -> None:
        """Show a song, or free singing, from its beginning."""
        self._session = session
        song = session.song
        self.title.setText(title)
        self.about.setText(about)
        self.about.setVisible(bool(about))
        self.lyrics.show_text(song.text if song is not None else None)
        self.lyrics.setVisible(song is not None and song.text is not None)
        self.lane.show_session(session)
        self.bar.show_session(session)
        for part in (*self.song_parts, self.key, self.tempo, self.bar, self.end):
            part.setVisible(song is not None)
        self.loop.setVisible(bool(session.phrases))
        self.punch.setVisible(bool(session.phrases))
        self.guide_box.setVisible(song is not None and song.vocals is not None)
        needs_words = song is not None and (song.text is None or song.estimated)
        self.add_words.setVisible(needs_words)
        self.end.setText(clock(session.duration_s))
        self.count_in.setChecked(session.count_in)
        self.guide.setValue(round(100 * session.guide_level))
        self.show_choices()
        self.show_moment(session.position_s)

    def show_choices(self) -> None:
        """Show key, tempo and the practised section as they are now."""
        session = self._session
        if session is None:
            return
        sign = f"{session.semitones:+d}" if session.semitones else text("sing.original_key")
        self.key.show_value(sign.replace("-", "−"))
        self.tempo.show_value(percent(session.tempo))
        self.loop.setChecked(session.loop is not None)
        words = text("sing.practise") if session.loop is not None else text("sing.record")
        self.record.setText(words)
        self.record.setAccessibleName(words)
        self.bar.update()
        self.lane.update()

    def show_moment(self, time_s: float, *, count: int = 0, running: bool = False) -> None:
        """Move everything to a second of the song."""
        self.lane.show_moment(time_s, count=count, running=running)
        if self.lyrics.isVisibleTo(self):
            self.lyrics.show_moment(time_s)
        self.bar.show_moment(time_s)
        shown = clock(max(0.0, time_s))
        if shown != self._clock:
            self._clock = shown
            self.now.setText(shown)
            hits = self._session.overall_hits if self._session is not None else None
            words = text("sing.hits", share=percent(hits)) if hits is not None else ""
            if words != self.score.text():
                self.score.setText(words)

    def show_running(self, *, recording: bool, practising: bool, playing: bool) -> None:
        """Say what goes on by the buttons."""
        busy = recording or practising
        if busy:
            words = text("sing.stop") if practising else text("sing.finish")
            self.record.setText(words)
            self.record.setAccessibleName(words)
        else:
            self.show_choices()
        self.record.set_icon("stop" if busy else "record")
        self.play.set_icon(
            "pause" if playing else "play", text("common.pause" if playing else "sing.listen")
        )
        self.play.setToolTip(with_keys(self.play.accessibleName(), "Space"))
        for part in (self.play, self.loop, self.count_in, self.key, self.tempo, self.guide_box):
            part.setEnabled(not busy)
        self.key.setEnabled(not busy and not playing)
        self.tempo.setEnabled(not busy and not playing)
        self.guide_box.setEnabled(not busy and not playing)
        self.bar.setEnabled(not busy)
        self.add_words.setEnabled(not busy)

    def show_message(self, warning: Warning_, words: str = "") -> None:
        """Show a warning about the microphone, or other words."""
        told = words or (text(f"sing.warn_{warning}") if warning else text("sing.microphone_on"))
        name, ink = _WARNING_ICONS[warning]
        if (key := f"{warning}|{told}") != self._warning:
            self._warning = key
            self.message.setText(told)
            self.message.setAccessibleName(told)
            self.microphone.set_icon(name, ink)

    def show_working(self, fraction: float | None) -> None:
        """Show how much of the sound is prepared; None hides it."""
        self.working.setVisible(fraction is not None)
        self.record.setEnabled(fraction is None)
        if fraction is not None:
            self.working.setRange(0, 100)
            self.working.setValue(round(100 * fraction))
