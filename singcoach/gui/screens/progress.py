"""Progress: one card a dimension, one large curve, and whether a change is more than noise."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from singcoach.gui.context import AppContext
from singcoach.gui.screens.library.listing import Choice
from singcoach.gui.texts import text
from singcoach.gui.theme import M, S, colour
from singcoach.gui.view_models.progress import JUDGED, SPANS, Curve, Span, read_curves, signed
from singcoach.gui.widgets.base import (
    Body,
    Card,
    EmptyState,
    Heading,
    Hint,
    Page,
    ScreenHeader,
    Segments,
    Strong,
    restyle,
    row,
    set_role,
)
from singcoach.gui.widgets.progress_chart import ProgressChart, curve_colour

_CARDS_IN_A_ROW: Final = 5
_SIGN_INK: Final = {
    "up": "good",
    "down": "warning",
    "steady": "text_soft",
    "not enough": "text_soft",
}


class ProgressScreen(QWidget):
    """The curves of one singer, over all songs or one."""

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        set_role(self, "screen")
        self._context = context
        self._curves: tuple[Curve, ...] = ()
        self._shown = False
        self.singer = Choice(text("library.singer"))
        self.song = Choice(text("library.song"))
        self.span = Segments(
            [(span, text(f"progress.span_{span}")) for span in SPANS], name=text("progress.span")
        )
        self.span.choose("all")
        self.singer.activated.connect(lambda _: self.refresh())
        self.song.activated.connect(lambda _: self.refresh())
        self.span.chosen.connect(lambda _: self.refresh())
        self.cards = {dimension: CurveCard(dimension) for dimension in JUDGED}
        self.chart = ProgressChart()
        self.chart.opened.connect(lambda take_id: context.navigate("review", take_id=take_id))
        self._name = Heading()
        self._verdict = Strong()
        self._reason = Body()
        self._stack = QStackedWidget()
        self._stack.addWidget(self._curve_part())
        self._stack.addWidget(
            EmptyState(
                text("progress.empty"),
                text("progress.empty_words"),
                (text("progress.empty_action"), self._on_begin_clicked),
                icon_name="progress",
            )
        )
        page = Page()
        page.body.addWidget(ScreenHeader(text("progress.title"), words=text("progress.words")))
        line = row(self.singer, self.song, 1, self.span)
        page.body.addLayout(line)
        page.body.addWidget(self._stack, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(page)
        for card in self.cards.values():
            card.chosen.connect(self.choose)
        for signal in (context.library_changed, context.take_changed):
            signal.connect(self._on_context_changed)
        self._dimension = "overall"

    @property
    def dimension(self) -> str:
        """Which curve is drawn large."""
        return self._dimension

    def choose(self, dimension: str) -> None:
        """Draw another curve large."""
        self._dimension = dimension
        for name, card in self.cards.items():
            card.set_chosen(name == dimension)
        curve = next((one for one in self._curves if one.dimension == dimension), None)
        self.chart.set_curve(curve)
        if curve is not None:
            self._name.setText(curve.name)
            self._verdict.setText(signed(curve))
            self._reason.setText(curve.reason)

    def enter(
        self, singer_id: str | None = None, song_id: str | None = None, **chosen: Any
    ) -> None:
        """Show the curves of a singer, by default of who sings now."""
        self._shown = True
        self._offer()
        self.singer.choose(singer_id or self._context.singer_id())
        self.song.choose(song_id)
        self.refresh()
        if chosen.get("dimension") in self.cards:
            self.choose(str(chosen["dimension"]))

    def leave(self) -> None:
        """Nothing runs here."""
        self._shown = False
        self.chart.mark(None)

    def refresh(self) -> None:
        """Read the curves again, beside the window."""
        library = self._context.library
        singer_id, song_id = self.singer.key, self.song.key
        if singer_id is None:
            return
        span: Span = next(one for one in SPANS if one == self.span.value)
        now = datetime.now(UTC)
        self._context.tasks.run(
            lambda _job: read_curves(library, singer_id, song_id=song_id, span=span, now=now),
            self._on_read,
            owner=self,
        )

    def _on_read(self, curves: tuple[Curve, ...]) -> None:
        self._curves = curves
        for curve in curves:
            self.cards[curve.dimension].set_curve(curve)
        self._stack.setCurrentIndex(0 if any(curve.dots for curve in curves) else 1)
        self.choose(self._dimension)

    def _offer(self) -> None:
        library = self._context.library
        self._context.singer_id()
        singers = library.singers()
        self.singer.offer([(singer.id, singer.name) for singer in singers])
        self.singer.setVisible(len(singers) > 1)
        songs = [song for song in library.songs() if song.takes]
        self.song.offer(
            [(None, text("progress.all_songs")), *((song.id, song.title) for song in songs)]
        )
        self.song.setVisible(bool(songs))

    def _curve_part(self) -> QWidget:
        part = QWidget()
        box = QVBoxLayout(part)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(M)
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(M)
        for number, card in enumerate(self.cards.values()):
            grid.addWidget(card, number // _CARDS_IN_A_ROW, number % _CARDS_IN_A_ROW)
            grid.setColumnStretch(number % _CARDS_IN_A_ROW, 1)
        box.addLayout(grid)
        large = Card()
        self._verdict.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self._verdict.setWordWrap(False)
        large.body.addLayout(row(self._name, 1, self._verdict))
        large.body.addWidget(self.chart, 1)
        large.body.addWidget(self._reason)
        large.body.addWidget(Hint(text("progress.how")))
        box.addWidget(large, 1)
        return part

    def _on_context_changed(self, *_: object) -> None:
        if self._shown:
            self._offer()
            self.refresh()

    def _on_begin_clicked(self) -> None:
        self._context.navigate("sing")


class CurveCard(Card):
    """The name of a dimension, its latest score and where it is going; chooses the large curve."""

    chosen = Signal(str)

    def __init__(self, dimension: str) -> None:
        super().__init__()
        self._dimension = dimension
        self.body.setContentsMargins(M + 2, M, M, M)
        self.body.setSpacing(S)
        self._name = Strong(text(f"common.{dimension}"))
        self._latest = Body()
        self._verdict = Hint()
        for label in (self._name, self._latest, self._verdict):
            self.body.addWidget(label)
        self.body.addStretch(1)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def set_curve(self, curve: Curve) -> None:
        """Say what the curve says."""
        self._latest.setText(curve.latest or text("common.not_judged"))
        self._verdict.setText(signed(curve))
        self._verdict.setStyleSheet(f"color: {colour(_SIGN_INK[curve.trend]).name()}")
        self.setAccessibleName(curve.spoken)

    def set_chosen(self, chosen: bool) -> None:
        """Show whether its curve is the large one."""
        self.setProperty("chosen", "true" if chosen else "false")
        restyle(self)

    def mousePressEvent(self, _event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Choose it."""
        self.chosen.emit(self._dimension)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Space or Enter choose it."""
        if event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.chosen.emit(self._dimension)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: Any) -> None:  # noqa: N802 - Qt's name
        """Show where the keyboard is."""
        super().focusInEvent(event)
        self.update()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Repaint with the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw a mark in the colour of the dimension at the left, and the focus ring."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(curve_colour(self._dimension))
        painter.drawRoundedRect(4, M + 2, 4, 18, 2, 2)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(colour("accent"))
            painter.drawRoundedRect(self.rect().adjusted(3, 3, -4, -4), 9, 9)
        painter.end()
