"""The card of the review that holds the scores: chart or table, rows, another take beside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QSizePolicy,
    QStackedWidget,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from singcoach.core.scores import Dimension, DimensionScore
from singcoach.gui.texts import number, text
from singcoach.gui.theme import S
from singcoach.gui.view_models.review import ScoreLine
from singcoach.gui.view_models.review_data import ReviewData, row_words
from singcoach.gui.widgets.base import Card, Heading, Hint, Segments, clear, row
from singcoach.gui.widgets.lines import LineSample
from singcoach.gui.widgets.radar import RadarChart
from singcoach.gui.widgets.scores import ScoreList


class ScoreCard(Card):
    """The four scores. Choosing one tells :attr:`dimension_chosen`."""

    dimension_chosen = Signal(str)
    beside_chosen = Signal(str)
    """Id of a take to show beside; empty for none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self._radar = RadarChart()
        self._table = _table()
        self._list = ScoreList()
        self._stack = QStackedWidget()
        self._stack.addWidget(self._radar)
        self._stack.addWidget(self._table)
        self._form = Segments(
            (("chart", text("review.as_chart_short")), ("table", text("review.as_table_short"))),
            name=text("review.chart"),
        )
        self._form.choose("chart")
        self._form.chosen.connect(self._on_form)
        self.body.addLayout(row(Heading(text("review.scores")), 1, self._form))
        middle = QHBoxLayout()
        middle.setSpacing(S)
        middle.addWidget(self._stack, 5)
        middle.addWidget(self._list, 6, Qt.AlignmentFlag.AlignVCenter)
        self.body.addLayout(middle)
        self._legend = QHBoxLayout()
        self._legend.setSpacing(S)
        self.body.addLayout(self._legend)
        self._beside = QComboBox()
        self._beside.setAccessibleName(text("review.beside"))
        self._beside.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._beside.setMinimumContentsLength(12)
        self._beside.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self._beside.activated.connect(self._on_beside)
        self._beside_row = QWidget()
        box = row(Hint(text("review.beside")), self._beside)
        box.setStretch(1, 1)
        self._beside_row.setLayout(box)
        self.body.addWidget(self._beside_row)
        self._radar.axis_chosen.connect(self._on_chosen)
        self._list.chosen.connect(self._on_chosen)
        self._data: ReviewData | None = None
        self._other_name = ""

    def show_take(self, data: ReviewData) -> None:
        """Show the scores of a take."""
        review = data.review
        if review is None:
            return
        self._data = data
        dimensions = review.assessment.scores.dimensions
        self._radar.set_scores(review.lines, dimensions)
        self._radar.set_earlier(data.earlier)
        self._radar.set_other("", None)
        self._other_name = ""
        self._list.set_lines(review.lines)
        self._list.set_earlier({str(name): score for name, score in data.earlier.items()})
        _fill(self._table, review.lines, data.earlier)
        self.choose(None)
        with QSignalBlocker(self._beside):
            self._beside.clear()
            self._beside.addItem(text("review.beside_none"), "")
            for other in data.beside:
                self._beside.addItem(row_words(other), other.id)
        self._beside_row.setVisible(bool(data.beside))
        self._show_legend()

    def _on_form(self, key: str) -> None:
        """Show the chart with its rows, or everything as one table."""
        self._stack.setCurrentIndex(0 if key == "chart" else 1)
        self._list.setVisible(key == "chart")

    def show_other(self, name: str, dimensions: Mapping[Dimension, DimensionScore] | None) -> None:
        """Show another take beside; None for none."""
        self._other_name = name if dimensions is not None else ""
        self._radar.set_other(name, dimensions)
        self._show_legend()

    def choose(self, dimension: str | None) -> None:
        """Mark a dimension without telling."""
        self._list.choose(dimension)
        self._radar.choose(cast("Dimension | None", dimension))

    def _on_chosen(self, dimension: str) -> None:
        self.choose(dimension)
        self.dimension_chosen.emit(dimension)

    def _on_beside(self, index: int) -> None:
        self.beside_chosen.emit(str(self._beside.itemData(index)))

    def _show_legend(self) -> None:
        clear(self._legend)
        entries = [("take", text("review.this_take")), ("range", text("review.range"))]
        if self._data is not None and self._data.earlier:
            count = self._data.n_earlier
            entries.append(("earlier", text("review.earlier", count=count)))
        if self._other_name:
            entries.append(("other", self._other_name))
        for kind, words in entries:
            self._legend.addWidget(LineSample(kind), 0, Qt.AlignmentFlag.AlignVCenter)
            self._legend.addWidget(Hint(words), 0)
        self._legend.addStretch(1)


def _table() -> QTableWidget:
    table = QTableWidget(0, 4)
    table.setAccessibleName(text("review.scores"))
    table.setHorizontalHeaderLabels(
        [text(f"review.column_{name}") for name in ("dimension", "value", "range", "earlier")]
    )
    table.verticalHeader().hide()
    table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
    table.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
    table.setShowGrid(False)
    table.setWordWrap(True)
    header = table.horizontalHeader()
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
    header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(3, QHeaderView.ResizeMode.ResizeToContents)
    return table


def _fill(
    table: QTableWidget, lines: tuple[ScoreLine, ...], earlier: Mapping[Dimension, float]
) -> None:
    table.setRowCount(len(lines))
    for place, line in enumerate(lines):
        before = earlier.get(cast("Dimension", line.subject))
        cells = (
            line.name,
            line.value or ("–" if line.score is not None else text("review.not_enough")),
            line.span or line.reason,
            "" if before is None else number(round(before * 2.0) / 2.0, 1),
        )
        for column, words in enumerate(cells):
            item = QTableWidgetItem(words)
            item.setToolTip(line.spoken)
            table.setItem(place, column, item)
    table.resizeRowsToContents()
