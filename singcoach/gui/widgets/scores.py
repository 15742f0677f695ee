"""Scores in rows: sign, name, value, and where the score probably lies between 1 and 5."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from singcoach.gui.texts import text
from singcoach.gui.theme import M, S, colour, theme
from singcoach.gui.view_models.radar import HIGHEST, LOWEST
from singcoach.gui.view_models.review import ScoreLine, Subject
from singcoach.gui.widgets.base import Hint, IconLabel, Number, Strong, restyle, set_role
from singcoach.gui.widgets.marks import MarkLabel, paint_mark

_BAR_WIDTH: Final = 110
_END_PX: Final = 8.0


class RangeBar(QWidget):
    """The scale from 1 to 5 with the range of a score and the score in it.

    ``earlier`` and ``other`` are drawn as small lines, where given. Without a score the scale is
    dashed and empty.
    """

    def __init__(self, line: ScoreLine, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._line = line
        self._earlier: float | None = None
        self.setMinimumSize(_BAR_WIDTH, 22)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        theme().changed.connect(self.update)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the usual size."""
        return QSize(_BAR_WIDTH, 22)

    def set_line(self, line: ScoreLine) -> None:
        """Show another score."""
        self._line = line
        self.update()

    def set_earlier(self, score: float | None) -> None:
        """Show the mean of earlier takes."""
        self._earlier = score
        self.update()

    def _x(self, score: float) -> float:
        share = (score - LOWEST) / (HIGHEST - LOWEST)
        return _END_PX + share * (self.width() - 2.0 * _END_PX)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the scale."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        y = self.height() / 2.0
        line = self._line
        known = line.score is not None and line.low is not None and line.high is not None
        pen = QPen(colour("line_strong" if not known else "line"), 1.5)
        if not known:
            pen.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.drawLine(QPointF(self._x(LOWEST), y), QPointF(self._x(HIGHEST), y))
        painter.setPen(QPen(colour("line_strong"), 1.0))
        for score in range(1, 6):
            x = self._x(float(score))
            painter.drawLine(QPointF(x, y - 3.0), QPointF(x, y + 3.0))
        if known and line.low is not None and line.high is not None and line.score is not None:
            ink = "accent" if line.subject == "overall" else line.subject
            band = QColor(colour(ink))
            band.setAlphaF(0.42 if theme().dark else 0.32)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(band)
            left, right = self._x(line.low), self._x(line.high)
            painter.drawRoundedRect(QRectF(left, y - 5.0, right - left, 10.0), 5.0, 5.0)
            if self._earlier is not None:
                painter.setPen(QPen(colour("text_soft"), 2.0, Qt.PenStyle.DotLine))
                x = self._x(self._earlier)
                painter.drawLine(QPointF(x, y - 9.0), QPointF(x, y + 9.0))
            centre = QPointF(self._x(line.score), y)
            if line.subject == "overall":
                painter.setPen(QPen(colour("surface"), 1.2))
                painter.setBrush(colour("accent"))
                painter.drawEllipse(centre, 6.5, 6.5)
            else:
                paint_mark(painter, line.subject, centre, 12.0)
        painter.end()


class ScoreRow(QPushButton):
    """One dimension; choosing it shows and plays what moved it."""

    def __init__(self, line: ScoreLine, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "score-row")
        self.subject: Subject = line.subject
        self.setCheckable(True)
        self.setAutoDefault(False)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(line.spoken)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        box = QHBoxLayout(self)
        box.setContentsMargins(M, 6, M, 6)
        box.setSpacing(S)
        if line.subject != "overall":
            box.addWidget(MarkLabel(line.subject), 0, Qt.AlignmentFlag.AlignVCenter)
        column = QVBoxLayout()
        column.setSpacing(0)
        name = Strong(line.name)
        column.addWidget(name)
        words = Hint(line.span or line.reason or text("review.not_enough"))
        column.addWidget(words)
        box.addLayout(column, 6)
        self.bar = RangeBar(line)
        box.addWidget(self.bar, 4)
        value = Strong(line.value or "–")
        value.setMinimumWidth(28)
        value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        box.addWidget(value)
        warn = IconLabel("info", ink="text_soft", pixels=16)
        if not line.caution:
            warn.hide()
        keep = warn.sizePolicy()
        keep.setRetainSizeWhenHidden(True)
        warn.setSizePolicy(keep)
        box.addWidget(warn)
        self.setToolTip(line.spoken)
        for child in (name, words, value):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return what the words inside need; a button alone would not ask them."""
        layout = self.layout()
        return layout.sizeHint() if layout is not None else super().sizeHint()

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the least that the words inside need."""
        layout = self.layout()
        return layout.minimumSize() if layout is not None else super().minimumSizeHint()

    def hasHeightForWidth(self) -> bool:  # noqa: N802 - Qt's name
        """Words may wrap."""
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802 - Qt's name
        """Return the height that the words need at a width."""
        layout = self.layout()
        return layout.heightForWidth(width) if layout is not None else 40


class ScoreList(QWidget):
    """The whole score large, the four below; one of the four may be chosen."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(2)
        self._group = QButtonGroup(self)
        self._group.setExclusive(False)
        self._rows: dict[str, ScoreRow] = {}
        self._overall = QHBoxLayout()
        self._overall.setSpacing(S)
        self._number = Number("")
        self._of = Hint(text("review.of_five"))
        self._words = Hint("")
        self._overall.addWidget(self._number, 0, Qt.AlignmentFlag.AlignBaseline)
        self._overall.addWidget(self._of, 0, Qt.AlignmentFlag.AlignBaseline)
        self._overall.addWidget(self._words, 1, Qt.AlignmentFlag.AlignBaseline)
        self._number.setWordWrap(False)
        self._of.setWordWrap(False)
        self._box.addLayout(self._overall)

    def set_lines(self, lines: tuple[ScoreLine, ...]) -> None:
        """Show the scores of a take."""
        for row in self._rows.values():
            self._box.removeWidget(row)
            self._group.removeButton(row)
            row.hide()
            row.deleteLater()
        self._rows = {}
        for line in lines:
            if line.subject == "overall":
                self._show_overall(line)
                continue
            row = ScoreRow(line)
            row.clicked.connect(lambda _c=False, name=line.subject: self._on_row(name))
            self._group.addButton(row)
            self._rows[line.subject] = row
            self._box.addWidget(row)

    def _show_overall(self, line: ScoreLine) -> None:
        large = bool(line.value)
        self._number.setText(line.value if large else text("review.not_enough"))
        set_role(self._number, "number" if large else "heading")
        restyle(self._number)
        self._number.setWordWrap(not large)
        self._number.setAccessibleName(line.spoken)
        self._of.setVisible(large)
        self._words.setText(line.span or line.reason)
        if line.score is not None and not large:
            self._number.setText(text("review.wide_open"))

    def _on_row(self, name: str) -> None:
        self.choose(name)
        self.chosen.emit(name)

    def choose(self, name: str | None) -> None:
        """Mark a row without telling."""
        for other, row in self._rows.items():
            row.setChecked(other == name)

    def set_earlier(self, mean: dict[str, float]) -> None:
        """Show the means of earlier takes in the bars."""
        for name, row in self._rows.items():
            row.bar.set_earlier(mean.get(name))
