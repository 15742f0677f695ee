"""What can be done with a take: compare, export, analyse again, delete and bring back."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from singcoach.gui.context import AppContext
from singcoach.gui.screens import available
from singcoach.gui.texts import language, text
from singcoach.gui.view_models.exports import (
    EXPORTS,
    ExportKind,
    export_name,
    with_suffix,
    write_export,
)
from singcoach.gui.view_models.review_data import ReviewData
from singcoach.gui.widgets.base import IconButton, PlainButton, PrimaryButton
from singcoach.jobs import Job
from singcoach.library.values import UndoToken


class ReviewActions(QObject):
    """The buttons in the review's header and what they do."""

    gone = Signal(str)
    """The take was deleted: its title."""
    back = Signal()
    """The take was brought back, or waits for a new analysis."""

    def __init__(self, context: AppContext, screen: QWidget) -> None:
        super().__init__(screen)
        self._context = context
        self._screen = screen
        self._data: ReviewData | None = None
        self._undo: UndoToken | None = None
        self._export = IconButton("export", text("review.export"))
        menu = QMenu(self._export)
        for kind in EXPORTS:
            menu.addAction(text(f"review.export_{kind}"), partial(self.export, kind))
        self._export.setMenu(menu)
        self._export.setPopupMode(IconButton.ToolButtonPopupMode.InstantPopup)
        self._more = IconButton("more", text("review.more"))
        more = QMenu(self._more)
        more.addAction(text("review.analyse_again"), self.analyse_again)
        more.addSeparator()
        more.addAction(text("review.delete_take"), self.delete)
        self._more.setMenu(more)
        self._more.setPopupMode(IconButton.ToolButtonPopupMode.InstantPopup)
        self._compare = PlainButton(text("review.compare"), "compare", on_click=self.compare)
        self._again = PrimaryButton(
            text("review.sing_again"), "microphone", on_click=self.sing_again
        )

    def buttons(self) -> tuple[QWidget, ...]:
        """Return the buttons, the main one last."""
        # Never shown here: without a place yet, a button would be a window of its own.
        for name, button in (("sing", self._again), ("compare", self._compare)):
            if name not in available():
                button.hide()
        return (self._more, self._export, self._compare, self._again)

    def set_take(self, data: ReviewData) -> None:
        """Act on a take from here on."""
        self._data = data

    def go_back(self) -> None:
        """Return to the screen before."""
        window = self._screen.window()
        if hasattr(window, "go_back"):
            window.go_back()

    def compare(self) -> None:
        """Set another take beside this one."""
        if self._data is not None:
            self._context.navigate("compare", take_ids=(self._data.take.id,))

    def sing_again(self) -> None:
        """Sing the same song again."""
        if self._data is not None:
            song_id = self._data.take.song_id
            arguments = {} if song_id is None else {"song_id": song_id}
            self._context.navigate("sing", **arguments)

    def analyse_again(self) -> None:
        """Put the take into the queue."""
        if self._data is not None:
            self._context.analysis.add_take(self._data.take.id)
            self._context.tell(text("review.queued"))

    def delete(self) -> None:
        """Delete the take; it can be brought back."""
        if self._data is None:
            return
        take = self._data.take
        self._undo = self._context.library.delete_take(take.id)
        self.gone.emit(take.title or take.song or text("review.this_take"))
        self._context.library_changed.emit()

    def undo(self) -> None:
        """Bring the deleted take back."""
        if self._undo is not None:
            self._context.library.undo(self._undo)
            self._undo = None
            self._context.library_changed.emit()
            self.back.emit()

    def export(self, kind: ExportKind) -> None:
        """Ask where, and write the take in one form beside the window."""
        data = self._data
        if data is None:
            return
        proposed = Path.home() / export_name(data.take, kind)
        chosen, _ = QFileDialog.getSaveFileName(
            self._screen, text("review.export_as"), str(proposed)
        )
        if not chosen:
            return
        library, target, tongue = self._context.library, with_suffix(Path(chosen), kind), language()

        def work(job: Job) -> str:
            write_export(library, data.take.id, kind, target, language=tongue, job=job)
            return target.name

        self._context.tasks.run(
            work,
            lambda name: self._context.tell(text("review.exported", name=name), kind="good"),
            owner=self,
        )
