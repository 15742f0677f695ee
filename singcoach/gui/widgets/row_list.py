"""A list of lines that paints only what is in view, so that thousands cost no more than ten."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from singcoach.gui.theme import FONT_BODY, FONT_SMALL, L, M, S, colour, scaled_font, theme
from singcoach.gui.view_models.library import Lines, ListRow, ScoreBar, Tint, lines

Index = QModelIndex | QPersistentModelIndex
_HEIGHT: Final = 64
_BAR_WIDTH: Final = 132
_BAR_FROM: Final = 560
"""Lines narrower than this leave the bar away and keep its words."""
_SOFT: Final[dict[Tint, tuple[str, str]]] = {
    "plain": ("text_soft", "sunken"),
    "accent": ("accent", "accent_soft"),
    "good": ("good", "good_soft"),
    "warning": ("warning", "warning_soft"),
    "danger": ("danger", "danger_soft"),
}


class RowModel(QAbstractListModel):
    """The lines as Qt asks for them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = lines(())

    def set_rows(self, rows: Lines) -> None:
        """Show other lines."""
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:  # noqa: N802 - Qt's name
        """How many there are."""
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """What one says."""
        if not 0 <= index.row() < len(self.rows):
            return None
        line = self.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return line.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return line.spoken
        if role == Qt.ItemDataRole.ToolTipRole:
            return line.spoken
        return None


class RowList(QListView):
    """Lines of two rows of text with a tag and a score.

    Parameters
    ----------
    name
        What is listed, for screen readers.
    several
        Whether more than one can be chosen.
    """

    opened = Signal(str)
    """A line was double-clicked or Enter pressed on it: its key."""
    chosen = Signal()
    """Other lines are chosen."""
    delete_wanted = Signal()

    def __init__(self, name: str, *, several: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = RowModel(self)
        self.setModel(self._model)
        self.setItemDelegate(_RowPainter(self))
        self.setAccessibleName(name)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        mode = QAbstractItemView.SelectionMode
        self.setSelectionMode(mode.ExtendedSelection if several else mode.SingleSelection)
        self.doubleClicked.connect(self._on_double_clicked)
        self.selectionModel().selectionChanged.connect(lambda *_: self.chosen.emit())
        theme().changed.connect(self.viewport().update)

    @property
    def keys(self) -> list[str]:
        """The keys of the chosen lines, from top to bottom."""
        rows = sorted(index.row() for index in self.selectedIndexes())
        return [self._model.rows.keys[row] for row in rows if row < len(self._model.rows)]

    def set_rows(self, rows: Lines) -> None:
        """Show other lines; what was chosen stays chosen as far as it is still there."""
        kept = set(self.keys)
        top = self.verticalScrollBar().value()
        self._model.set_rows(rows)
        self.choose(kept)
        self.verticalScrollBar().setValue(top)
        self.chosen.emit()

    def choose(self, keys: set[str]) -> None:
        """Choose lines by key."""
        flags = self.selectionModel().SelectionFlag
        self.selectionModel().clearSelection()
        if not keys:
            return
        for row, key in enumerate(self._model.rows.keys):
            if key in keys:
                index = self._model.index(row)
                self.selectionModel().select(index, flags.Select)
                self.selectionModel().setCurrentIndex(index, flags.NoUpdate)

    def choose_first(self) -> None:
        """Choose the first line, so that the actions have something to act on."""
        if self._model.rows:
            flags = self.selectionModel().SelectionFlag
            index = self._model.index(0)
            self.selectionModel().setCurrentIndex(index, flags.ClearAndSelect)

    def count(self) -> int:
        """How many lines there are."""
        return len(self._model.rows)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Enter opens, Delete deletes."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.keys:
            self.opened.emit(self.keys[0])
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and self.keys:
            self.delete_wanted.emit()
        else:
            super().keyPressEvent(event)

    def _on_double_clicked(self, index: QModelIndex) -> None:
        if index.row() < len(self._model.rows):
            self.opened.emit(self._model.rows.keys[index.row()])


class _RowPainter(QStyledItemDelegate):
    """Draws one line."""

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:  # noqa: N802
        """Every line is equally high."""
        return QSize(200, _HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw ground, words, tag and score."""
        model = index.model()
        if not isinstance(model, RowModel):
            return
        line = model.rows[index.row()]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(option.rect)
        state = option.state
        self._ground(painter, area, state, last=index.row() == len(model.rows) - 1)
        inner = area.adjusted(L, 0, -L, 0)
        right = inner.right()
        if line.bar is not None:
            right = self._score(painter, inner, line.bar)
        if line.tag:
            right = _tag(painter, inner, right, line)
        self._words(painter, QRectF(inner.left(), area.top(), right - inner.left(), _HEIGHT), line)
        painter.restore()

    def _ground(
        self, painter: QPainter, area: QRectF, state: QStyle.StateFlag, *, last: bool
    ) -> None:
        ground = area.adjusted(S, 3, -S, -3)
        painter.setPen(Qt.PenStyle.NoPen)
        if state & QStyle.StateFlag.State_Selected:
            painter.setBrush(colour("accent_soft"))
            painter.drawRoundedRect(ground, 8, 8)
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(colour("hover"))
            painter.drawRoundedRect(ground, 8, 8)
        elif not last:
            painter.setPen(QPen(colour("line"), 1))
            y = area.bottom()
            painter.drawLine(QPointF(area.left() + L, y), QPointF(area.right() - L, y))
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(colour("accent"), 2))
            painter.drawRoundedRect(ground, 8, 8)

    def _words(self, painter: QPainter, area: QRectF, line: ListRow) -> None:
        for words, pixels, bold, ink, top in (
            (line.title, FONT_BODY + 1, True, "text", 11),
            (line.detail, FONT_SMALL, False, "text_soft", 34),
        ):
            font = scaled_font(pixels, bold=bold)
            painter.setFont(font)
            painter.setPen(colour(ink))
            metrics = QFontMetrics(font)
            width = int(area.width()) - M
            shown = metrics.elidedText(words, Qt.TextElideMode.ElideRight, max(0, width))
            painter.drawText(QPointF(area.left(), area.top() + top + metrics.ascent()), shown)

    def _score(self, painter: QPainter, area: QRectF, bar: ScoreBar) -> float:
        """Draw the score at the right and return where the rest has to end."""
        font = scaled_font(FONT_BODY, bold=True, mono_digits=True)
        small = scaled_font(FONT_SMALL, mono_digits=True)
        score, _, interval = bar.words.partition(" ")
        width = max(
            QFontMetrics(font).horizontalAdvance(score) + 8,
            QFontMetrics(small).horizontalAdvance(interval),
        )
        left = area.right() - width
        painter.setFont(font)
        painter.setPen(colour("text"))
        flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(left, area.top() + 12, width, 20), flags, score)
        painter.setFont(small)
        painter.setPen(colour("text_soft"))
        painter.drawText(QRectF(left, area.top() + 33, width, 20), flags, interval)
        if area.width() < _BAR_FROM:
            return left - M
        start = left - L - _BAR_WIDTH
        paint_interval(painter, QRectF(start, area.top(), _BAR_WIDTH, _HEIGHT), bar)
        return start - M


def paint_interval(painter: QPainter, area: QRectF, bar: ScoreBar) -> None:
    """Draw a scale of 1 to 5 with the interval as a band and the score as a mark."""

    def x(score: float) -> float:
        return area.left() + (score - 1.0) / 4.0 * area.width()

    middle = area.center().y()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour("sunken"))
    painter.drawRoundedRect(QRectF(area.left(), middle - 4, area.width(), 8), 4, 4)
    band = colour("accent")
    band.setAlphaF(0.35)
    painter.setBrush(band)
    painter.drawRoundedRect(QRectF(x(bar.low), middle - 4, x(bar.high) - x(bar.low), 8), 4, 4)
    painter.setBrush(colour("accent"))
    painter.drawRoundedRect(QRectF(x(bar.score) - 2, middle - 9, 4, 18), 2, 2)


def _tag(painter: QPainter, area: QRectF, right: float, line: ListRow) -> float:
    font = scaled_font(FONT_SMALL)
    width = QFontMetrics(font).horizontalAdvance(line.tag) + 2 * S
    box = QRectF(right - width, area.center().y() - 12, width, 24)
    ink, ground = _SOFT[line.tint]
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour(ground))
    painter.drawRoundedRect(box, 12, 12)
    painter.setFont(font)
    painter.setPen(colour(ink))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, line.tag)
    return box.left() - M
