"""The models: what there is with licence and fingerprint, checking, adding, removing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from singcoach.errors import SingCoachError
from singcoach.gui.context import AppContext
from singcoach.gui.tasks import Task
from singcoach.gui.texts import file_size, text
from singcoach.gui.theme import S
from singcoach.gui.view_models.settings_models import (
    Added,
    ModelLine,
    add_files,
    check_all,
    is_only_unknown,
    read_lines,
)
from singcoach.gui.widgets.base import (
    Banner,
    BannerKind,
    Card,
    Heading,
    Hint,
    IconButton,
    Line,
    PlainButton,
    Strong,
    Tag,
    clear,
    row,
)
from singcoach.jobs import Job

_SHOWN_DIGITS = 16


class ModelsCard(Card):
    """The list of models with what can be done to it."""

    def __init__(self, context: AppContext) -> None:
        super().__init__(Heading(text("settings.models")), Hint(text("settings.models_words")))
        self._context = context
        self._task: Task[Any] | None = None
        self._checked: Mapping[str, str] = {}
        self._lines: list[ModelLine] = []
        self._verify = PlainButton(text("settings.verify"), "check", on_click=self._on_verify)
        self._add_file = PlainButton(text("settings.add_file"), "plus", on_click=self._on_add_file)
        self._add_folder = PlainButton(
            text("settings.add_folder"), "folder", on_click=self._on_add_folder
        )
        self._cancel = PlainButton(text("common.cancel"), on_click=self.stop)
        self._cancel.hide()
        self._working = Hint()
        self._working.hide()
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 1000)
        self._bar.setAccessibleName(text("settings.verify"))
        self._bar.hide()
        self._messages = QVBoxLayout()
        self._list = QVBoxLayout()
        self._list.setSpacing(S)
        self.body.addLayout(row(self._verify, self._add_file, self._add_folder, 1, self._cancel))
        self.body.addWidget(self._working)
        self.body.addWidget(self._bar)
        self.body.addLayout(self._messages)
        self.body.addLayout(self._list)

    @property
    def lines(self) -> list[ModelLine]:
        """What is listed."""
        return self._lines

    def load(self) -> None:
        """Read the manifests and show them."""
        self._context.tasks.run(read_lines, self._show, self._context.tell_fault, owner=self)

    def stop(self) -> None:
        """Stop what is under way; nothing half done is left."""
        if self._task is not None:
            self._task.cancel()

    # --- showing ------------------------------------------------------------------------------

    def _show(self, lines: Sequence[ModelLine]) -> None:
        self._lines = list(lines)
        clear(self._list)
        packs_with_button: set[str] = set()
        for line in self._lines:
            self._list.addWidget(Line())
            removable = bool(line.pack) and line.pack not in packs_with_button
            packs_with_button.add(line.pack)
            self._list.addWidget(self._row(line, removable=removable))

    def _row(self, line: ModelLine, *, removable: bool) -> QWidget:
        whole = QWidget()
        box = QHBoxLayout(whole)
        box.setContentsMargins(0, 0, 0, 0)
        column = QVBoxLayout()
        column.setSpacing(0)
        column.addWidget(Strong(_role_words(line)))
        fault = self._checked.get(line.id, "") or line.fault
        if line.sha256:
            facts = (line.id, line.version, file_size(line.size_bytes), _licence(line))
            column.addWidget(Hint("  ·  ".join(facts)))
            digest = Hint(text("settings.fingerprint", hash=f"{line.sha256[:_SHOWN_DIGITS]}…"))
            source = text("settings.source", source=line.source)
            digest.setToolTip(f"{line.sha256}\n{source}")
            digest.setAccessibleDescription(f"{line.sha256} {source}")
            column.addWidget(digest)
        if line.state == "unbuilt":
            column.addWidget(Hint(text("settings.unbuilt_words")))
        if fault:
            column.addWidget(Hint(fault))
        box.addLayout(column, 1)
        state = _state(line, self._checked)
        box.addWidget(Tag(text(f"settings.state_{state}")), 0, Qt.AlignmentFlag.AlignTop)
        if removable:
            box.addWidget(
                IconButton(
                    "delete",
                    text("settings.remove", name=line.pack),
                    on_click=lambda: self._ask_to_remove(line.pack),
                ),
                0,
                Qt.AlignmentFlag.AlignTop,
            )
        return whole

    def _tell(
        self,
        kind: BannerKind,
        words: str,
        *,
        hint: str = "",
        action: tuple[str, Any] | None = None,
    ) -> None:
        clear(self._messages)
        banner = Banner(kind, words, action, hint=hint)
        banner.closed.connect(lambda: clear(self._messages))
        self._messages.addWidget(banner)

    def _busy(self, words: str) -> None:
        clear(self._messages)
        for button in (self._verify, self._add_file, self._add_folder):
            button.setEnabled(False)
        self._working.setText(words)
        self._bar.setValue(0)
        for widget in (self._working, self._bar, self._cancel):
            widget.show()

    def _idle(self) -> None:
        self._task = None
        for button in (self._verify, self._add_file, self._add_folder):
            button.setEnabled(True)
        for widget in (self._working, self._bar, self._cancel):
            widget.hide()

    # --- doing --------------------------------------------------------------------------------

    def _on_verify(self) -> None:
        def done(found: Mapping[str, str]) -> None:
            self._idle()
            self._checked = found
            self._show(self._lines)
            if any(found.values()):
                self._tell("error", text("settings.some_damaged"))
            else:
                self._tell("good", text("settings.all_whole"))

        def progress(fraction: float, stage: str) -> None:
            self._bar.setValue(round(1000 * fraction))
            name = stage.rpartition(" ")[2]
            if any(line.id == name for line in self._lines):
                self._working.setText(text("settings.verifying", name=name))

        self._busy(text("common.working"))
        self._task = self._context.tasks.run(
            check_all, done, self._on_failed, progress, on_cancelled=self._idle, owner=self
        )

    def _on_add_file(self) -> None:
        names, _filter = QFileDialog.getOpenFileNames(self, text("settings.add_file"))
        if names:
            self.add([Path(name) for name in names])

    def _on_add_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, text("settings.add_folder"))
        if name:
            self.add([Path(name)])

    def add(self, paths: Sequence[Path], *, trust: bool = False) -> None:
        """Make a pack of files; what nobody vouches for is added only when the user does."""

        def done(added: Added) -> None:
            self._idle()
            key = "settings.added_language" if added.writes_words else "settings.added"
            self._tell("good", text(key, name=added.name))
            self.load()

        def failed(error: SingCoachError) -> None:
            self._idle()
            if is_only_unknown(error) and not trust:
                action = (text("settings.add_trust"), lambda: self.add(paths, trust=True))
                self._tell("warning", error.message, action=action)
            else:
                self._tell("error", error.message, hint=error.hint)

        self._busy(text("settings.adding"))
        self._task = self._context.tasks.run(
            lambda job: add_files(paths, trust=trust, job=job),
            done,
            failed,
            lambda fraction, _stage: self._bar.setValue(round(1000 * fraction)),
            on_cancelled=self._idle,
            owner=self,
        )

    def _ask_to_remove(self, pack: str) -> None:
        action = (text("common.delete"), lambda: self._remove(pack))
        self._tell("warning", text("settings.remove_sure", name=pack), action=action)

    def _remove(self, pack: str) -> None:
        def work(job: Job) -> None:
            from singcoach.models.packs.staging import remove

            remove(pack, job)

        def done(_result: None) -> None:
            self._idle()
            self._tell("good", text("settings.removed", name=pack))
            self.load()

        self._busy(text("common.working"))
        self._task = self._context.tasks.run(
            work, done, self._on_failed, on_cancelled=self._idle, owner=self
        )

    def _on_failed(self, error: SingCoachError) -> None:
        self._idle()
        self._tell("error", error.message, hint=error.hint)


def _role_words(line: ModelLine) -> str:
    if not line.role:
        return line.id
    try:
        return text(f"settings.role.{line.role}")
    except ValueError:  # a role of a later version's pack
        return line.role


def _licence(line: ModelLine) -> str:
    return text("settings.licence", licence=line.licence)


def _state(line: ModelLine, checked: Mapping[str, str]) -> str:
    if checked.get(line.id):
        return "damaged"
    return "whole" if line.id in checked and line.state != "damaged" else line.state
