"""Small windows in which something of the library is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QFormLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from singcoach.errors import SingCoachError
from singcoach.gui.screens.library.listing import Choice
from singcoach.gui.texts import text
from singcoach.gui.theme import XL, L, M
from singcoach.gui.widgets.base import (
    Body,
    Heading,
    Hint,
    PlainButton,
    PrimaryButton,
    row,
    set_role,
)


class Form(QDialog):
    """A title, some fields, Cancel and Save. A fault is told inside and nothing typed is lost.

    Parameters
    ----------
    on_save
        Does it; raises SingCoachError when it cannot be done.
    """

    def __init__(self, title: str, on_save: Callable[[], object], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setModal(True)
        self.setMinimumWidth(460)
        self._on_save = on_save
        box = QVBoxLayout(self)
        box.setContentsMargins(XL, XL, XL, L)
        box.setSpacing(M)
        box.addWidget(Heading(title))
        self.fields = QFormLayout()
        self.fields.setSpacing(M)
        box.addLayout(self.fields)
        self.fault = Body()
        set_role(self.fault, "error")
        self.fault.hide()
        box.addWidget(self.fault)
        self.save_button = PrimaryButton(text("common.save"), on_click=self.save)
        self.save_button.setDefault(True)
        cancel = PlainButton(text("common.cancel"), on_click=self.reject)
        box.addLayout(row(1, cancel, self.save_button))
        self.finished.connect(lambda _: self.deleteLater())

    def line(self, name: str, value: str = "") -> QLineEdit:
        """Add a field of one line."""
        field = QLineEdit(value)
        field.setAccessibleName(name)
        field.setMaxLength(300)
        self.fields.addRow(name, field)
        return field

    def choice(
        self, name: str, choices: Sequence[tuple[str | None, str]], key: str | None
    ) -> Choice:
        """Add a field with choices."""
        field = Choice(name)
        field.offer(list(choices))
        field.choose(key)
        self.fields.addRow(name, field)
        return field

    def file(self, name: str, pattern: str, hint: str = "") -> FileField:
        """Add a field for a file."""
        field = FileField(name, pattern, hint)
        self.fields.addRow(name, field)
        return field

    def save(self) -> None:
        """Do it and close, or say why not."""
        try:
            self._on_save()
        except SingCoachError as error:
            self.fault.setText(f"{error.message}. {error.hint}".strip())
            self.fault.show()
            return
        self.accept()


class FileField(QWidget):
    """A button that asks for a file, and its name."""

    def __init__(self, name: str, pattern: str, hint: str) -> None:
        super().__init__()
        self._pattern, self._hint_words = pattern, hint
        self.path: Path | None = None
        self.button = PlainButton(text("library.choose_file"), "file", on_click=self._on_clicked)
        self.button.setAccessibleName(f"{name}: {text('library.choose_file')}")
        self._words = Hint(hint)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addLayout(row(self.button, 1))
        box.addWidget(self._words)
        self._words.setVisible(bool(hint))

    def choose(self, path: Path) -> None:
        """Choose a file."""
        self.path = path
        self.choose_name(path.name)

    def choose_name(self, name: str) -> None:
        """Say which file there is already."""
        self._words.setText(name)
        self._words.show()

    def _on_clicked(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(
            self, text("library.choose_file"), str(Path.home()), self._pattern
        )
        if chosen:
            self.choose(Path(chosen))
