"""Two takes beside each other: the same moment in both, and which differences are real."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QComboBox,
    QHBoxLayout,
    QSizePolicy,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from singcoach.errors import SingCoachError
from singcoach.gui.context import AppContext
from singcoach.gui.playing import Playback
from singcoach.gui.tasks import Task
from singcoach.gui.texts import text
from singcoach.gui.theme import XL, XXL, L, S
from singcoach.gui.view_models.compare import (
    CompareData,
    judged_takes,
    load_compare,
    partner_for,
)
from singcoach.gui.view_models.review_data import row_words
from singcoach.gui.widgets.base import (
    Body,
    Card,
    EmptyState,
    Heading,
    Hint,
    IconButton,
    Page,
    ScreenHeader,
    clear,
    set_role,
)
from singcoach.gui.widgets.differences import DifferenceList
from singcoach.gui.widgets.lines import LineSample
from singcoach.gui.widgets.radar import RadarChart
from singcoach.gui.widgets.sections import SectionBars
from singcoach.gui.widgets.timeline import Timeline
from singcoach.gui.widgets.transport import Transport
from singcoach.gui.window import bind
from singcoach.library.values import TakeRow

_TWO_COLUMNS_PX: Final = 1240


class CompareScreen(QWidget):
    """Two takes. ``enter(take_ids=(first, second))``; what is missing is proposed."""

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self._context = context
        self._rows: tuple[TakeRow, ...] = ()
        self._ids: tuple[str, str] | None = None
        self._data: CompareData | None = None
        self._loading: Task[CompareData] | None = None
        self._in_view = False
        self._playback = Playback(context, self)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        holder = QWidget()
        self._message = QVBoxLayout(holder)
        self._message.setContentsMargins(XXL, XL, XXL, XL)
        self._stack = QStackedWidget()
        self._stack.addWidget(holder)
        self._stack.addWidget(self._whole())
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self._stack)
        self._connect()

    # --- building -----------------------------------------------------------------------------

    def _whole(self) -> QWidget:
        self._first, self._second = (
            _chooser(text("compare.first")),
            _chooser(text("compare.second")),
        )
        swap = IconButton("compare", text("compare.swap"), on_click=self.swap)
        self._page = Page(most_width=1640)
        self._page.body.addWidget(ScreenHeader(text("compare.title"), words=text("compare.words")))
        choice = QHBoxLayout()
        choice.setSpacing(S)
        choice.addWidget(self._first, 1)
        choice.addWidget(swap)
        choice.addWidget(self._second, 1)
        self._page.body.addLayout(choice)
        self._summary = Body("")
        self._aligned = Hint("")
        self._radar = RadarChart()
        self._differences = DifferenceList()
        self._legend = QHBoxLayout()
        self._legend.setSpacing(S)
        scores = Card(Heading(text("compare.scores")), self._summary)
        middle = QHBoxLayout()
        middle.setSpacing(L)
        middle.addWidget(self._radar, 5)
        middle.addWidget(self._differences, 6, Qt.AlignmentFlag.AlignVCenter)
        scores.body.addLayout(middle)
        scores.body.addLayout(self._legend)
        self._bars = SectionBars()
        self._sections = Card(
            Heading(text("compare.pitch")), self._bars, Hint(text("compare.pitch_words"))
        )
        self._columns = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._columns.setSpacing(L)
        self._columns.addWidget(scores, 3)
        self._columns.addWidget(self._sections, 2, Qt.AlignmentFlag.AlignTop)
        self._page.body.addLayout(self._columns)
        self._page.body.addStretch(1)
        self._splitter = QSplitter(Qt.Orientation.Vertical)
        self._splitter.addWidget(self._page)
        self._splitter.addWidget(self._dock())
        self._splitter.setChildrenCollapsible(False)
        self._splitter.setStretchFactor(0, 3)
        self._splitter.setStretchFactor(1, 2)
        self._splitter.setSizes([400, 290])
        return self._splitter

    def _dock(self) -> QWidget:
        self._timeline = Timeline()
        self._transport = Transport(
            self._playback,
            self._timeline,
            choices=(
                ("first", text("compare.first_short")),
                ("second", text("compare.second_short")),
            ),
            choices_name=text("compare.hear"),
        )
        dock = QWidget()
        set_role(dock, "dock")
        dock.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        below = QVBoxLayout(dock)
        below.setContentsMargins(XL, S, XL, S)
        below.setSpacing(S)
        below.addWidget(self._transport)
        below.addWidget(self._aligned)
        below.addWidget(self._timeline, 1)
        return dock

    def _connect(self) -> None:
        self._first.activated.connect(self._on_chosen)
        self._second.activated.connect(self._on_chosen)
        self._timeline.sought.connect(self._seek)
        self._timeline.selected.connect(self._play)
        self._bars.section_chosen.connect(self._play_section)
        self._transport.source_chosen.connect(self._hear)
        self._playback.moved.connect(
            lambda at_s: self._timeline.set_position(at_s, follow=self._playback.playing)
        )
        self._playback.failed.connect(self._on_playback_failed)
        self._context.library_changed.connect(self._on_library_changed)
        for keys, action in (
            ("Space", self._toggle),
            ("L", self._transport.toggle_loop),
            ("X", self.hear_other),
        ):
            bind(self, keys, action)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Lay the cards in two columns where there is room."""
        super().resizeEvent(event)
        wide = self.width() >= _TWO_COLUMNS_PX
        self._columns.setDirection(
            QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom
        )

    # --- coming and going ---------------------------------------------------------------------

    def enter(self, take_ids: Sequence[str] = (), **_: Any) -> None:
        """Compare takes; what is not named is the last pair, or a fitting one."""
        self._in_view = True
        self._rows = judged_takes(self._context.library)
        known = {row.id for row in self._rows}
        wanted = [i for i in (take_ids or self._ids or ()) if i in known]
        if not wanted and self._rows:
            wanted = [self._rows[0].id]
        if len(wanted) == 1:
            partner = partner_for(self._rows, wanted[0])
            # The older one first, so that a change reads from left to right.
            wanted = wanted if partner is None else [partner, wanted[0]]
        if len(wanted) < 2:
            self._show_message(
                text("compare.too_few"),
                text("compare.too_few_words"),
                (text("compare.import"), lambda: self._context.navigate("queue")),
            )
            return
        self._fill_choosers()
        self._load((wanted[0], wanted[1]))

    def leave(self) -> None:
        """Stop playing, let go of the recordings."""
        self._in_view = False
        self._playback.close()
        if self._loading is not None:
            self._loading.cancel()
            self._loading = None

    def _on_library_changed(self) -> None:
        if self._in_view:
            self.enter()

    def _fill_choosers(self) -> None:
        for chooser in (self._first, self._second):
            with QSignalBlocker(chooser):
                chooser.clear()
                for take in self._rows:
                    chooser.addItem(row_words(take), take.id)

    def _on_chosen(self) -> None:
        self._load((str(self._first.currentData()), str(self._second.currentData())))

    def swap(self) -> None:
        """Let the takes change places."""
        if self._ids is not None:
            self._load((self._ids[1], self._ids[0]))

    def _load(self, ids: tuple[str, str]) -> None:
        self._ids = ids
        for chooser, take_id in zip((self._first, self._second), ids, strict=True):
            with QSignalBlocker(chooser):
                chooser.setCurrentIndex(max(0, chooser.findData(take_id)))
        if self._loading is not None:
            self._loading.cancel()
        self._playback.close()
        if self._data is None:
            self._show_message(text("compare.working"), "", None, icon="clock")
        library = self._context.library

        def done(data: CompareData) -> None:
            self._loading = None
            if self._in_view and ids == self._ids:
                self._show(data)

        def failed(error: SingCoachError) -> None:
            self._loading = None
            self._context.tell_fault(error)
            if self._data is not None:
                self._stack.setCurrentIndex(1)

        self._loading = self._context.tasks.run(
            lambda job: load_compare(library, *ids, job=job), done, failed, owner=self
        )

    # --- showing ------------------------------------------------------------------------------

    def _show_message(self, title: str, words: str, action: Any, *, icon: str = "compare") -> None:
        clear(self._message)
        self._message.addWidget(EmptyState(title, words, action, icon_name=icon), 1)
        self._stack.setCurrentIndex(0)

    def _show(self, data: CompareData) -> None:
        self._data = data
        first, second = data.first, data.second
        self._summary.setText(data.summary)
        self._aligned.setText(data.aligned)
        self._radar.set_scores(first.review.lines, first.review.assessment.scores.dimensions)
        self._radar.set_other(second.name, second.review.assessment.scores.dimensions)
        self._differences.set_lines(data.lines)
        clear(self._legend)
        for kind, words in (
            ("take", text("compare.first")),
            ("range", text("review.range")),
            ("other", text("compare.second")),
        ):
            self._legend.addWidget(LineSample(kind), 0, Qt.AlignmentFlag.AlignVCenter)
            self._legend.addWidget(Hint(words))
        self._legend.addStretch(1)
        self._sections.setVisible(data.sections.accuracy is not None)
        self._bars.set_sections(data.sections, beside=data.beside)
        self._timeline.set_content(data.content)
        self._transport.set_duration(first.take.duration_s)
        if self._transport.source is not None:
            self._transport.source.choose("first")
        self._stack.setCurrentIndex(1)
        self.setFocus()
        self._playback.open(
            first.take.recording, second.take.recording, offset_s=self._offset_at(0.0)
        )

    # --- hearing ------------------------------------------------------------------------------

    def _offset_at(self, at_s: float) -> float:
        """How much later the second take has what the first has at ``at_s``."""
        if self._data is None or self._data.alignment.kind == "none":
            return 0.0
        return float(self._data.alignment.to_second(at_s)) - at_s

    def _play(self, start_s: float, end_s: float | None = None) -> None:
        self._playback.set_offset(self._offset_at(start_s))
        self._playback.play(start_s, end_s)

    def _seek(self, at_s: float) -> None:
        self._playback.set_offset(self._offset_at(at_s))
        self._playback.seek(at_s)

    def _play_section(self, start_s: float, end_s: float) -> None:
        self._timeline.select(start_s, end_s)
        self._play(start_s, end_s)

    def _toggle(self) -> None:
        if not self._playback.playing:
            self._playback.set_offset(self._offset_at(self._playback.position_s))
        self._transport.toggle()

    def _hear(self, key: str) -> None:
        self._playback.set_offset(self._offset_at(self._playback.position_s))
        self._playback.choose(1 if key == "second" else 0)

    def hear_other(self) -> None:
        """Hear the other take from the same moment on."""
        source = self._transport.source
        if source is not None:
            other = "first" if source.value == "second" else "second"
            source.choose(other)
            self._hear(other)

    def _on_playback_failed(self, error: SingCoachError) -> None:
        self._context.tell(text("review.no_recording"), kind="warning", hint=error.message)


def _chooser(name: str) -> QComboBox:
    chooser = QComboBox()
    chooser.setAccessibleName(name)
    chooser.setToolTip(name)
    chooser.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    chooser.setMinimumContentsLength(12)
    chooser.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    return chooser
