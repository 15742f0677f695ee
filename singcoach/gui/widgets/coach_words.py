"""The coach's sentences, each a link to the seconds that it speaks of; they may come one by one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from singcoach.gui.theme import colour, theme
from singcoach.gui.view_models.review import Line
from singcoach.gui.widgets.base import set_role

_PLAY: Final = "\u25b8"
_CLOCK: Final = re.compile(r"\d:[0-5]\d")
"""Sentences that name a time wear a sign; the others can be clicked all the same."""


class SpokenLines(QLabel):
    """A paragraph of the coach. Sentences that speak of a moment are links, by mouse and by Tab.

    Signals
    -------
    line_chosen
        Number of the sentence in the paragraph.
    """

    line_chosen = Signal(int)

    def __init__(
        self, lines: Sequence[Line] = (), *, between: str = " ", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        set_role(self, "coach")
        self._lines: list[Line] = list(lines)
        self._between = between
        self._active = self._hovered = -1
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setWordWrap(True)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.LinksAccessibleByMouse
            | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
            | Qt.TextInteractionFlag.TextSelectableByMouse
        )
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self.linkActivated.connect(self._on_link)
        self.linkHovered.connect(self._on_hover)
        theme().changed.connect(self._write)
        self._write()

    @property
    def lines(self) -> tuple[Line, ...]:
        """The sentences so far."""
        return tuple(self._lines)

    def set_lines(self, lines: Sequence[Line], *, between: str = " ") -> None:
        """Say something else."""
        self._lines, self._between, self._active = list(lines), between, -1
        self._write()

    def append(self, line: Line) -> None:
        """Add a sentence as it arrives."""
        self._lines.append(line)
        self._write()

    def activate(self, index: int) -> None:
        """Mark the sentence that is being heard; -1 for none."""
        if index != self._active:
            self._active = index
            self._write()

    def mark_moment(self, moment_id: str | None) -> None:
        """Mark the first sentence that speaks of a moment."""
        found = -1
        if moment_id is not None:
            found = next((i for i, s in enumerate(self._lines) if moment_id in s.moments), -1)
        self.activate(found)

    def _write(self) -> None:
        ink, accent = colour("text").name(), colour("accent").name()
        parts = []
        for index, line in enumerate(self._lines):
            words = escape(line.text)
            if index == self._active:
                ground = colour("accent_soft").name()
                words = f'<span style="background-color:{ground}">{words}</span>'
            if line.moments or line.subject not in (None, "overall"):
                under = "underline" if index == self._hovered else "none"
                told = bool(line.moments) and _CLOCK.search(line.text) is not None
                sign = f'<span style="color:{accent}">{_PLAY}</span>&nbsp;' if told else ""
                style = f"color:{ink};text-decoration:{under}"
                words = f'{sign}<a href="{index}" style="{style}">{words}</a>'
            parts.append(words)
        self.setText(self._between.join(parts))
        self.setAccessibleName(self._between.join(line.text for line in self._lines))

    def _on_hover(self, target: str) -> None:
        self._hovered = int(target) if target else -1
        self._write()

    def _on_link(self, target: str) -> None:
        index = int(target)
        self.activate(index)
        self.line_chosen.emit(index)
