"""The list of singers: add, rename, choose who sings, delete with undo."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from singcoach.gui.context import AppContext
from singcoach.gui.screens.library.forms import Form
from singcoach.gui.screens.library.listing import ListingPage
from singcoach.gui.texts import text
from singcoach.gui.view_models.library import singer_rows
from singcoach.gui.widgets.base import IconButton, PlainButton, PrimaryButton
from singcoach.gui.widgets.row_list import RowList
from singcoach.library.values import UndoToken


class SingersPage(ListingPage):
    """Everybody who sings here."""

    takes_wanted = Signal(str)
    """Somebody wants to see the takes of a singer."""

    def __init__(self, context: AppContext) -> None:
        super().__init__(context, RowList(text("library.tab_singers")))
        self._add = PrimaryButton(text("library.add_singer"), "plus", on_click=self.add)
        self.choose_button = PrimaryButton(
            text("library.sing_as"), "microphone", on_click=self._on_choose_clicked
        )
        self.takes_button = PlainButton(
            text("library.singers_takes"), on_click=self._on_takes_clicked
        )
        self.rename_button = PlainButton(
            text("library.rename_singer"), "edit", on_click=self.rename
        )
        self.delete_button = IconButton(
            "delete", text("common.delete"), on_click=self._on_delete_clicked
        )
        self.rows.opened.connect(lambda _: self._on_choose_clicked())
        self.rows.delete_wanted.connect(self._on_delete_clicked)
        self.put_together(
            [],
            [1, self.delete_button, self.rename_button, self.takes_button, self.choose_button],
        )

    def header_buttons(self) -> list[QWidget]:
        """Buttons for the header."""
        return [self._add]

    def refresh(self) -> None:
        """Read the list again; there is always somebody who sings."""
        chosen = self._context.singer_id()
        self.rows.set_rows(singer_rows(self._context.library.singers(), chosen))
        self.show_list()

    def add(self) -> None:
        """Ask for the name of somebody new."""

        def save() -> None:
            singer = self._context.library.add_singer(name.text())
            self._context.library_changed.emit()
            self.refresh()
            self.rows.choose({singer.id})

        form = Form(text("library.add_singer"), save, self)
        name = form.line(text("library.name"))
        form.open()

    def rename(self) -> None:
        """Give the chosen singer another name."""
        keys = self.rows.keys
        if not keys:
            return

        def save() -> None:
            self._context.library.rename_singer(keys[0], name.text())
            self._context.library_changed.emit()
            self.refresh()

        form = Form(text("library.rename_singer"), save, self)
        name = form.line(text("library.name"), self._context.library.singer(keys[0]).name)
        form.open()

    def _on_rows_chosen(self) -> None:
        keys = self.rows.keys
        for button in (
            self.choose_button,
            self.takes_button,
            self.rename_button,
            self.delete_button,
        ):
            button.setEnabled(bool(keys))

    def _on_choose_clicked(self) -> None:
        if self.rows.keys:
            self._context.change_settings(singer_id=self.rows.keys[0])
            self.refresh()

    def _on_takes_clicked(self) -> None:
        if self.rows.keys:
            self.takes_wanted.emit(self.rows.keys[0])

    def _on_delete_clicked(self) -> None:
        tokens: list[UndoToken] = []
        for key in self.rows.keys:
            self.guarded(
                lambda key=key: tokens.append(self._context.library.delete_singer(key))  # type: ignore[misc]
            )
        for token in tokens:
            self.offer_undo(text("library.was_deleted", title=token.name), [token])
            self._context.library_changed.emit()
        self.refresh()
