"""Importing: files and folders go in, their analyses run one after the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from singcoach.audio.listing import AUDIO_SUFFIXES
from singcoach.gui.context import AppContext
from singcoach.gui.texts import percent, text, time_left
from singcoach.gui.theme import XL, XXL, L, M, S
from singcoach.gui.view_models.import_queue import Added
from singcoach.gui.view_models.queue_lines import (
    device_words,
    failure_words,
    in_order,
    name_of,
    queue_rows,
    stage_words,
    summarise,
)
from singcoach.gui.widgets.base import (
    Body,
    Card,
    Hint,
    IconLabel,
    LinkButton,
    PlainButton,
    PrimaryButton,
    ScreenHeader,
    Strong,
    row,
    set_role,
)
from singcoach.gui.widgets.row_list import RowList
from singcoach.gui.window import bind
from singcoach.library.values import QueueItem

_WIDEST: Final = 1120
_TICK_MS: Final = 1000


class QueueScreen(QWidget):
    """Files and folders by button or by dropping them; what waits, runs, failed and is done."""

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        set_role(self, "screen")
        self.setAcceptDrops(True)
        self._context = context
        self._in_view = False
        self._revision: tuple[int, int] | None = None
        self._items: dict[str, QueueItem] = {}
        self._build()
        bind(self, "Ctrl+O", self._on_files_clicked)
        self._tick = QTimer(self)
        self._tick.setInterval(_TICK_MS)
        self._tick.timeout.connect(self._on_tick_timeout)
        analysis = context.analysis
        analysis.changed.connect(self._on_queue_changed)
        analysis.added.connect(self._on_added)
        analysis.progressed.connect(self._on_progressed)

    # --- what the window asks ---------------------------------------------------------------

    def enter(self, **_arguments: Any) -> None:
        """Show the queue and go on with what an earlier start left."""
        self._in_view = True
        self._tick.start()
        self.refresh()
        analysis = self._context.analysis
        if not analysis.running and any(item.state == "waiting" for item in self._items.values()):
            analysis.start()

    def leave(self) -> None:
        """The analyses go on; only the looking stops."""
        self._in_view = False
        self._tick.stop()

    # --- building ---------------------------------------------------------------------------

    def _build(self) -> None:
        self._folder = PlainButton(
            text("queue.choose_folder"), "folder", on_click=self._on_folder_clicked
        )
        self._files = PrimaryButton(
            text("queue.choose_files"), "file", shortcut="Ctrl+O", on_click=self._on_files_clicked
        )
        self._files.setShortcut("")  # bound to the screen, so that it holds only here
        column = QWidget()
        column.setMaximumWidth(_WIDEST)
        box = QVBoxLayout(column)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(L)
        box.addWidget(
            ScreenHeader(
                text("queue.title"), [self._folder, self._files], words=text("queue.words")
            )
        )
        box.addWidget(self._drop_area())
        box.addWidget(self._work_card())
        box.addWidget(self._list(), 1)
        self._column = box
        outer = QHBoxLayout(self)
        outer.setContentsMargins(XXL, XL, XXL, XL)
        outer.addStretch(1)
        outer.addWidget(column, 1000)
        outer.addStretch(1)

    def _drop_area(self) -> QFrame:
        self._drop = QFrame()
        set_role(self._drop, "drop")
        self._drop.setMinimumHeight(72)
        self._drop_icon = IconLabel("import", ink="accent", pixels=28)
        words = Strong(text("queue.drop"))
        hint = Hint(text("queue.drop_hint"))
        for label in (words, hint):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        box = QVBoxLayout(self._drop)
        box.setContentsMargins(L, M, L, M)
        box.setSpacing(S)
        box.addStretch(1)
        box.addWidget(self._drop_icon, 0, Qt.AlignmentFlag.AlignHCenter)
        box.addWidget(words)
        box.addWidget(hint)
        box.addStretch(1)
        self._drop_hint = hint
        return self._drop

    def _work_card(self) -> Card:
        self._now = Strong()
        self._stage = Hint()
        self._left = Hint()
        self._left.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName(text("queue.progress"))
        self.pause_button = PlainButton(
            text("queue.pause"), "pause", on_click=self._on_pause_clicked
        )
        self.stop_button = LinkButton(
            text("queue.cancel_all"), on_click=lambda: self._context.analysis.cancel_all()
        )
        self._work = Card()
        self._work.body.addLayout(row(self._now, 1, self.stop_button, self.pause_button))
        self._work.body.addWidget(self.progress)
        below = row(self._stage, self._left)
        below.setStretch(0, 1)
        self._work.body.addLayout(below)
        return self._work

    def _list(self) -> QWidget:
        self.rows = RowList(text("queue.list"))
        self.rows.opened.connect(self._on_opened)
        self.rows.delete_wanted.connect(self._on_remove_clicked)
        self.rows.chosen.connect(self._on_chosen)
        self._why = Body()
        self._why.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._said = Hint()
        self.clear_button = LinkButton(
            text("queue.clear"), on_click=lambda: self._context.analysis.clear()
        )
        self.remove_button = PlainButton(text("queue.cancel"), on_click=self._on_remove_clicked)
        self.retry_button = PlainButton(
            text("common.try_again"), "repeat", on_click=self._on_retry_clicked
        )
        self.open_button = PrimaryButton(
            text("queue.open"), on_click=lambda: self._on_opened(self._chosen_key())
        )
        self._rest = QWidget()
        box = QVBoxLayout(self._rest)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(M)
        box.addWidget(self.rows, 1)
        box.addWidget(self._why)
        actions = row(
            self._said,
            self.clear_button,
            self.remove_button,
            self.retry_button,
            self.open_button,
        )
        actions.setStretch(0, 1)
        box.addLayout(actions)
        return self._rest

    # --- showing ----------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read the queue again."""
        library = self._context.library
        self._revision = library.revision()
        items = in_order(library.queue())
        self._items = {str(item.id): item for item in items}
        self.rows.set_rows(queue_rows(items, library))
        if items and not self.rows.keys:
            self.rows.choose_first()
        summary = summarise(items)
        self._said.setText(summary.words)
        self.clear_button.setVisible(summary.ended > 0)
        self._rest.setVisible(bool(items))
        self._drop_icon.setVisible(not items)
        self._drop_hint.setVisible(not items)
        self._column.setStretchFactor(self._drop, 0 if items else 1)
        self._show_work(summary.waiting + summary.running)
        self._on_chosen()

    def _show_work(self, still: int) -> None:
        analysis = self._context.analysis
        self._work.setVisible(still > 0)
        if still == 0:
            return
        paused = analysis.paused
        current = analysis.current
        fraction, stage = analysis.progress
        words = text("queue.resume" if paused else "queue.pause")
        self.pause_button.setText(words)
        self.pause_button.setAccessibleName(words)
        self.pause_button.set_icon("play" if paused else "pause")
        if paused:
            self._now.setText(text("queue.paused", count=still))
        elif current is not None:
            self._now.setText(name_of(current, self._context.library))
        else:
            self._now.setText(text("queue.preparing"))
        at_work = current is not None and not paused
        self.progress.setVisible(at_work)
        self.progress.setValue(round(1000 * fraction))
        parts = [device_words(analysis.providers, self._context.settings.device)]
        if at_work:
            parts[:0] = [stage_words(stage), percent(fraction)]
        self._stage.setText(" · ".join(parts))
        self._show_time_left()

    def _show_time_left(self) -> None:
        analysis = self._context.analysis
        seconds = None if analysis.paused else analysis.seconds_left()
        self._left.setText("" if seconds is None else time_left(seconds))

    def _on_chosen(self) -> None:
        item = self._items.get(self._chosen_key())
        state = None if item is None else item.state
        why = "" if item is None else failure_words(item)
        self._why.setText(why)
        self._why.setVisible(bool(why))
        self.open_button.setVisible(state == "done" and item is not None and bool(item.take_id))
        self.retry_button.setVisible(state in ("failed", "cancelled"))
        self.remove_button.setVisible(state is not None and state != "done")
        at_work = state in ("waiting", "running")
        words = text("queue.cancel" if at_work else "queue.remove")
        self.remove_button.setText(words)
        self.remove_button.setAccessibleName(words)

    def _chosen_key(self) -> str:
        keys = self.rows.keys
        return keys[0] if keys else ""

    # --- what happens -----------------------------------------------------------------------

    def add(self, paths: list[Path]) -> None:
        """Put files and folders into the queue."""
        if paths:
            self._context.analysis.add_files(paths)

    def _on_files_clicked(self) -> None:
        endings = " ".join(f"*{suffix}" for suffix in sorted(AUDIO_SUFFIXES))
        kinds = f"{text('queue.recordings')} ({endings});;{text('queue.all_files')} (*)"
        chosen, _ = QFileDialog.getOpenFileNames(
            self, text("queue.choose_files"), str(Path.home()), kinds
        )
        self.add([Path(name) for name in chosen])

    def _on_folder_clicked(self) -> None:
        chosen = QFileDialog.getExistingDirectory(
            self, text("queue.choose_folder"), str(Path.home())
        )
        self.add([Path(chosen)] if chosen else [])

    def _on_added(self, found: Added) -> None:
        if self._in_view and found.n_files:
            self._context.tell(text("queue.added", count=found.n_files), kind="good")

    def _on_queue_changed(self) -> None:
        if self._in_view:
            self.refresh()

    def _on_progressed(self, *_: object) -> None:
        if self._in_view and self._work.isVisibleTo(self):
            self._show_work(1)

    def _on_tick_timeout(self) -> None:
        if self._context.library.revision() != self._revision:  # another window worked
            self.refresh()
        elif self._work.isVisibleTo(self):
            self._show_time_left()

    def _on_pause_clicked(self) -> None:
        analysis = self._context.analysis
        if analysis.paused:
            analysis.resume()
        else:
            analysis.pause()

    def _on_retry_clicked(self) -> None:
        item = self._items.get(self._chosen_key())
        if item is not None:
            self._context.analysis.retry(item.id)

    def _on_remove_clicked(self) -> None:
        item = self._items.get(self._chosen_key())
        if item is None:
            return
        if item.state in ("waiting", "running"):
            self._context.analysis.cancel(item.id)
        else:
            self._context.library.forget_queue_item(item.id)
            self.refresh()

    def _on_opened(self, key: str) -> None:
        item = self._items.get(key)
        if item is not None and item.state == "done" and item.take_id is not None:
            self._context.navigate("review", take_id=item.take_id)

    # --- dropping ---------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        """Take files and folders of this computer."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()
            self._light(on=True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:  # noqa: N802 - Qt's name
        """The files went elsewhere."""
        self._light(on=False)
        super().dragLeaveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        """Put what was dropped into the queue."""
        self._light(on=False)
        urls = event.mimeData().urls()
        self.add([Path(url.toLocalFile()) for url in urls if url.isLocalFile()])
        event.acceptProposedAction()

    def _light(self, *, on: bool) -> None:
        self._drop.setProperty("chosen", "true" if on else "false")
        self._drop.style().unpolish(self._drop)
        self._drop.style().polish(self._drop)
