"""What was deleted: bring it back, or remove it for good."""

from __future__ import annotations

from datetime import UTC, datetime

from PySide6.QtWidgets import QMessageBox

from singcoach.gui.context import AppContext
from singcoach.gui.screens.library.listing import ListingPage
from singcoach.gui.texts import text
from singcoach.gui.view_models.library import deleted_rows
from singcoach.gui.widgets.base import DangerButton, PrimaryButton
from singcoach.gui.widgets.row_list import RowList
from singcoach.library.values import UndoToken


class DeletedPage(ListingPage):
    """Deleted takes, for the days that they are kept."""

    def __init__(self, context: AppContext) -> None:
        super().__init__(context, RowList(text("library.tab_deleted"), several=True))
        self.restore_button = PrimaryButton(
            text("library.restore"), "undo", on_click=self._on_restore_clicked
        )
        self.remove_button = DangerButton(
            text("library.remove"), "delete", on_click=self._on_remove_clicked
        )
        self.rows.opened.connect(lambda _: self._on_restore_clicked())
        self.rows.delete_wanted.connect(self._on_remove_clicked)
        self.put_together([], [1, self.remove_button, self.restore_button])

    def refresh(self) -> None:
        """Read the list again."""
        takes = self._context.library.deleted_takes()
        self.rows.set_rows(deleted_rows(takes, datetime.now(UTC)))
        if takes:
            self.show_list()
        else:
            self.show_empty(
                text("library.nothing_deleted"), text("library.nothing_deleted_words"), None, "undo"
            )

    def remove(self) -> None:
        """Remove the chosen takes for good."""
        for token in self._tokens():
            self.guarded(lambda token=token: self._context.library.purge(token))  # type: ignore[misc]
        self._context.library_changed.emit()
        self.refresh()

    def _tokens(self) -> list[UndoToken]:
        return [UndoToken(kind="take", id=key, name="") for key in self.rows.keys]

    def _on_rows_chosen(self) -> None:
        for button in (self.restore_button, self.remove_button):
            button.setEnabled(bool(self.rows.keys))

    def _on_restore_clicked(self) -> None:
        for token in self._tokens():
            self.guarded(lambda token=token: self._context.library.undo(token))  # type: ignore[misc]
        self._context.library_changed.emit()
        self.refresh()

    def _on_remove_clicked(self) -> None:
        if not self.rows.keys:
            return
        box = QMessageBox(
            QMessageBox.Icon.Warning,
            text("library.remove"),
            text("library.remove_question", count=len(self.rows.keys)),
            QMessageBox.StandardButton.Cancel,
            self,
        )
        yes = box.addButton(text("library.remove"), QMessageBox.ButtonRole.DestructiveRole)
        box.button(QMessageBox.StandardButton.Cancel).setText(text("common.cancel"))
        box.setDefaultButton(QMessageBox.StandardButton.Cancel)
        yes.clicked.connect(self.remove)
        box.finished.connect(lambda _: box.deleteLater())
        box.open()
