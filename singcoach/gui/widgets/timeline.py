"""The timeline of a take: waveform, pitch against notes, phrases, moments, notes of a teacher.

Two hours draw as fast as two minutes, because only what is in view is looked at. What stands still
is kept as a picture; while a take plays only the play head is drawn anew.
"""

from __future__ import annotations

import math
from typing import Final

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from singcoach.gui.texts import clock, text
from singcoach.gui.theme import colour, theme
from singcoach.gui.view_models.timeline import TimeView
from singcoach.gui.view_models.timeline_content import TimelineContent
from singcoach.gui.widgets.timeline_paint import (
    Canvas,
    lanes_of,
    mark_box,
    moment_words,
    note_box,
    paint_moment,
    paint_note,
    paint_playhead,
    paint_selection,
    paint_still,
)

SEEK_S: Final = 2.0
FINE_SEEK_S: Final = 0.2
ZOOM: Final = 1.5
_DRAG_PX: Final = 4.0
_WHEEL_STEP: Final = 120.0


class Timeline(QWidget):
    """Shows a take and lets times be pointed at.

    Click: go there. Drag: choose seconds. Wheel: along; with Ctrl: closer or wider. The strip below
    is the whole take. Keys: arrows seek (Shift: finely, Ctrl: from moment to moment), plus and
    minus zoom, 0 shows all, Home and End, Enter plays the moment that is lit.
    """

    sought = Signal(float)
    """The user pointed at a second."""
    moment_chosen = Signal(str)
    """The user wants to hear a moment: its id."""
    note_chosen = Signal(str)
    """The user opened a teacher's note: its id."""
    selected = Signal(float, float)
    """The user chose seconds."""
    selection_cleared = Signal()
    view_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._content: TimelineContent | None = None
        self._view = TimeView(duration_s=1.0)
        self._position_s = 0.0
        self._lit: frozenset[str] = frozenset()
        self._selection: tuple[float, float] | None = None
        self._still: QPixmap | None = None
        self._pressed: tuple[QPointF, str] | None = None
        self._dragging = False
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(170)
        self.setAccessibleName(text("review.timeline"))
        theme().changed.connect(self._redraw)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return a size at which everything can be read."""
        return QSize(800, 260)

    # --- what is shown ------------------------------------------------------------------------

    @property
    def view(self) -> TimeView:
        """The seconds in view."""
        return self._view

    @property
    def selection(self) -> tuple[float, float] | None:
        """The chosen seconds."""
        return self._selection

    def set_content(self, content: TimelineContent | None, *, keep_view: bool = False) -> None:
        """Show a take, the whole of it unless ``keep_view``."""
        self._content = content
        duration_s = content.duration_s if content is not None else 1.0
        if not keep_view or duration_s != self._view.duration_s:
            self._view = TimeView(duration_s=duration_s)
            self._selection = None
            self._position_s = 0.0
        self._redraw()

    def set_view(self, view: TimeView) -> None:
        """Show other seconds."""
        if view != self._view:
            self._view = view
            self._redraw()
            self.view_changed.emit()

    def zoom(self, factor: float) -> None:
        """Look closer (``factor`` > 1) or wider, around the play head where it is in view."""
        inside = self._view.start_s <= self._position_s <= self._view.end_s
        at_s = self._position_s if inside else self._view.start_s + self._view.shown_s / 2.0
        self.set_view(self._view.zoomed(factor, at_s))

    def show_all(self) -> None:
        """Show the whole take."""
        self.set_view(self._view.fitted())

    def set_position(self, position_s: float, *, follow: bool = True) -> None:
        """Move the play head."""
        before = self._position_s
        self._position_s = position_s
        if follow:
            self.set_view(self._view.following(position_s))
        for box in (*self._touched(before), *self._touched(position_s)):
            self.update(box)
        self.setAccessibleDescription(text("review.timeline_at", time=clock(position_s)))

    def light(self, *moment_ids: str) -> None:
        """Lift moments out; the first is brought into view."""
        self._lit = frozenset(moment_ids)
        content = self._content
        if content is not None and moment_ids:
            found = next((m for m in content.moments if m.id == moment_ids[0]), None)
            if found is not None:
                self.set_view(self._view.showing(found.start_s, found.end_s))
        self.update()

    def select(self, start_s: float, end_s: float) -> None:
        """Choose seconds, without telling."""
        self._selection = (start_s, end_s)
        self.set_view(self._view.showing(start_s, end_s))
        self.update()

    def clear_selection(self) -> None:
        """Choose nothing."""
        self._selection = None
        self.update()

    # --- drawing ------------------------------------------------------------------------------

    def _redraw(self) -> None:
        self._still = None
        self.update()

    def canvas(self, painter: QPainter | None = None) -> Canvas:
        """Return the places of everything; without a painter only for pointing."""
        content = self._content
        if content is None:
            raise ValueError("there is no take on the timeline")
        lanes = lanes_of(
            float(self.width()),
            float(self.height()),
            n_mark_rows=content.n_mark_rows,
            with_notes=bool(content.notes),
        )
        return Canvas(painter or QPainter(), lanes, self._view, content)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the kept picture and on it what changes."""
        painter = QPainter(self)
        if self._content is None:
            painter.end()
            return
        painter.drawPixmap(0, 0, self._still_picture())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        canvas = self.canvas(painter)
        if self._selection is not None:
            paint_selection(canvas, *self._selection)
        painter.save()
        painter.setClipRect(
            QRectF(canvas.lanes.left - 2.0, 0.0, canvas.lanes.width + 4.0, float(self.height()))
        )
        for index, item in enumerate(canvas.content.moments):
            if item.end_s >= self._view.start_s and item.start_s <= self._view.end_s:
                paint_moment(canvas, index, lit=item.id in self._lit)
        for index, note in enumerate(canvas.content.notes):
            if note.end_s >= self._view.start_s and note.start_s <= self._view.end_s:
                paint_note(canvas, index, lit=False)
        paint_playhead(canvas, self._position_s)
        painter.restore()
        if self.hasFocus():
            painter.setPen(QPen(colour("accent"), 2.0))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)
        painter.end()

    def _still_picture(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        size = QSize(math.ceil(self.width() * ratio), math.ceil(self.height() * ratio))
        if self._still is None or self._still.size() != size:
            self._still = QPixmap(size)
            self._still.setDevicePixelRatio(ratio)
            self._still.fill(Qt.GlobalColor.transparent)
            painter = QPainter(self._still)
            paint_still(self.canvas(painter))
            painter.end()
        return self._still

    def _touched(self, time_s: float) -> list[QRect]:
        """Where the play head is drawn for a time: in the lanes and in the overview."""
        if self._content is None:
            return []
        canvas = self.canvas()
        lane = canvas.lanes.overview
        x = canvas.x(time_s)
        small = lane.left() + time_s / self._view.duration_s * lane.width()
        return [
            QRectF(x - 8.0, 0.0, 16.0, lane.top()).toAlignedRect(),
            QRectF(small - 3.0, lane.top(), 6.0, lane.height()).toAlignedRect(),
        ]

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Draw anew."""
        self._still = None
        super().resizeEvent(event)

    # --- pointing -----------------------------------------------------------------------------

    def moment_under(self, place: QPointF) -> str | None:
        """Return the id of the moment drawn at a place."""
        if self._content is None:
            return None
        canvas = self.canvas()
        for index, item in enumerate(self._content.moments):
            if mark_box(canvas, index).contains(place):
                return item.id
        return None

    def note_under(self, place: QPointF) -> str | None:
        """Return the id of the teacher's note drawn at a place."""
        if self._content is None:
            return None
        canvas = self.canvas()
        for index, item in enumerate(self._content.notes):
            if note_box(canvas, index).contains(place):
                return item.id
        return None

    def _time_at(self, x: float) -> float:
        lanes = self.canvas().lanes
        return self._view.time_at(x - lanes.left, lanes.width)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Begin a click or a drag."""
        if event.button() != Qt.MouseButton.LeftButton or self._content is None:
            return
        place = event.position()
        overview = self.canvas().lanes.overview.contains(place)
        self._pressed = (place, "overview" if overview else "lanes")
        self._dragging = False
        if overview:
            self._pan_to(place)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Choose seconds, or move along."""
        place = event.position()
        if self._content is None:
            return
        if self._pressed is None:
            over = self.moment_under(place) or self.note_under(place)
            self.setCursor(
                Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor
            )
            return
        start, where = self._pressed
        if where == "overview":
            self._pan_to(place)
        elif self._dragging or abs(place.x() - start.x()) >= _DRAG_PX:
            self._dragging = True
            ends = sorted((self._time_at(start.x()), self._time_at(place.x())))
            self._selection = (ends[0], ends[1])
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """End a click or a drag."""
        if self._pressed is None or self._content is None:
            return
        _, where = self._pressed
        self._pressed = None
        place = event.position()
        if self._dragging and self._selection is not None:
            self.selected.emit(*self._selection)
        elif where == "lanes":
            self._click(place)
        self._dragging = False

    def _click(self, place: QPointF) -> None:
        moment_id, note_id = self.moment_under(place), self.note_under(place)
        if moment_id is not None:
            self.moment_chosen.emit(moment_id)
        elif note_id is not None:
            self.note_chosen.emit(note_id)
        else:
            if self._selection is not None:
                self._selection = None
                self.selection_cleared.emit()
            self.sought.emit(self._time_at(place.x()))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Choose the phrase under the pointer."""
        if self._content is None or event.button() != Qt.MouseButton.LeftButton:
            return
        at_s = self._time_at(event.position().x())
        for phrase in self._content.phrases:
            if phrase.start_s <= at_s <= phrase.end_s:
                self.select(phrase.start_s, phrase.end_s)
                self.selected.emit(phrase.start_s, phrase.end_s)
                return

    def _pan_to(self, place: QPointF) -> None:
        lane = self.canvas().lanes.overview
        at_s = (place.x() - lane.left()) / lane.width() * self._view.duration_s
        middle_s = self._view.start_s + self._view.shown_s / 2.0
        self.set_view(self._view.moved(at_s - middle_s))

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's name
        """Zoom with Ctrl; move along where there is more to see, else let the page scroll."""
        if self._content is None:
            event.ignore()
            return
        steps = event.angleDelta()
        vertical, sideways = steps.y() / _WHEEL_STEP, steps.x() / _WHEEL_STEP
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            at_s = self._time_at(event.position().x())
            self.set_view(self._view.zoomed(ZOOM**vertical, at_s))
            event.accept()
        elif not self._view.whole:
            self.set_view(self._view.moved(-(vertical + sideways) * 0.15 * self._view.shown_s))
            event.accept()
        else:
            event.ignore()

    def event(self, event: QEvent) -> bool:
        """Say what a moment or a note is where the pointer rests."""
        if isinstance(event, QHelpEvent) and self._content is not None:
            words = self._words_at(event.pos())
            if words:
                QToolTip.showText(event.globalPos(), words, self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)

    def _words_at(self, pos: QPoint) -> str:
        place, content = QPointF(pos), self._content
        if content is None:
            return ""
        moment_id, note_id = self.moment_under(place), self.note_under(place)
        for item in content.moments:
            if item.id == moment_id:
                return moment_words(item)
        return next((note.text for note in content.notes if note.id == note_id), "")

    # --- keys ---------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Seek, zoom, walk from moment to moment."""
        key, modifiers = Qt.Key(event.key()), event.modifiers()
        sideways = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if self._content is None:
            super().keyPressEvent(event)
        elif key in sideways and modifiers & Qt.KeyboardModifier.ControlModifier:
            self._walk(sideways[key])
        elif key in sideways:
            fine = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
            self._seek_by(sideways[key] * (FINE_SEEK_S if fine else SEEK_S))
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom(ZOOM)
        elif key == Qt.Key.Key_Minus:
            self.zoom(1.0 / ZOOM)
        elif key == Qt.Key.Key_0:
            self.show_all()
        elif key == Qt.Key.Key_Home:
            self._seek_by(-self._view.duration_s)
        elif key == Qt.Key.Key_End:
            self._seek_by(self._view.duration_s)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._lit:
            self.moment_chosen.emit(next(iter(sorted(self._lit))))
        else:
            super().keyPressEvent(event)

    def _seek_by(self, by_s: float) -> None:
        target_s = min(self._view.duration_s, max(0.0, self._position_s + by_s))
        self.set_position(target_s)
        self.sought.emit(target_s)

    def _walk(self, step: int) -> None:
        """Light the next moment and tell it by name."""
        moments = self._content.moments if self._content is not None else ()
        if not moments:
            return
        lit = [i for i, m in enumerate(moments) if m.id in self._lit]
        place = (lit[0] + step if lit else 0) % len(moments)
        self.light(moments[place].id)
        self.setAccessibleDescription(moment_words(moments[place]))
        self.moment_chosen.emit(moments[place].id)
