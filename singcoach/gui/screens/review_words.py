"""The card of the review in which the coach speaks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from singcoach.gui.speech import Speaker
from singcoach.gui.texts import language, text
from singcoach.gui.theme import XS, L, M, S
from singcoach.gui.view_models.review import Line, Practice, Words
from singcoach.gui.widgets.base import (
    Body,
    Card,
    Heading,
    Hint,
    IconLabel,
    LinkButton,
    PlainButton,
    Strong,
    clear,
    row,
)
from singcoach.gui.widgets.coach_words import SpokenLines
from singcoach.gui.widgets.marks import MarkLabel


class CoachCard(Card):
    """Summary, what to practise, the details. A sentence that is chosen is told."""

    line_chosen = Signal(object)
    """A :class:`Line`."""

    def __init__(self, speaker: Speaker, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self._speaker = speaker
        self._spoken = ""
        self._paragraphs: list[SpokenLines] = []
        self._read = PlainButton(text("review.read_aloud"), "speaker", on_click=self._on_read)
        self._read.hide()
        self.body.addLayout(row(Heading(text("review.coach")), 1, self._read))
        self._content = QVBoxLayout()
        self._content.setSpacing(S)
        self.body.addLayout(self._content)
        self._stream: SpokenLines | None = None
        speaker.changed.connect(self._on_speaker_changed)

    def show_words(self, words: Words | None) -> None:
        """Show the feedback of a take; None for a take without."""
        self._clear()
        if words is None:
            self._content.addWidget(Hint(text("review.coach_none")))
            self._read.hide()
            return
        summary = self._paragraph(words.summary, words.between)
        summary.setProperty("large", True)
        self._content.addWidget(summary)
        if any(line.moments for line in (*words.summary, *words.critique)):
            self._content.addWidget(Hint(text("review.coach_hint")))
        if words.practices:
            self._content.addSpacing(M)
            self._content.addWidget(Strong(text("review.practise")))
            for number, practice in enumerate(words.practices, start=1):
                self._content.addWidget(self._practice(number, practice, words.between))
        if words.critique:
            self._content.addSpacing(M)
            self._content.addWidget(Strong(text("review.details")))
            for _, group in groupby(words.critique, key=lambda line: line.subject):
                self._content.addWidget(self._detail(list(group), words.between))
        if words.by_model:
            self._content.addWidget(Hint(text("review.by_model", model=words.by_model)))
        self._spoken = words.spoken
        self._read.setVisible(bool(words.spoken) and self._speaker.can_speak(language()))

    def speak(self) -> None:
        """Read the summary aloud, where there is a voice."""
        if self._spoken:
            self._speaker.speak(self._spoken, language())

    def begin_writing(self) -> None:
        """Make room for sentences that come one by one."""
        self._clear()
        self._stream = self._paragraph((), " " if language() not in ("ja", "zh") else "")
        self._content.addWidget(Hint(text("common.working")))
        self._content.addWidget(self._stream)

    def add_sentence(self, words: str) -> None:
        """Show a sentence that the coach has just written."""
        if self._stream is None:
            self.begin_writing()
        if self._stream is not None:
            line = Line(part="summary", place=0, text=words, moments=(), subject=None)
            self._stream.append(line)

    def mark_moment(self, moment_id: str | None) -> None:
        """Mark the sentences that speak of a moment."""
        for paragraph in self._paragraphs:
            paragraph.mark_moment(moment_id)

    def _clear(self) -> None:
        self._paragraphs, self._stream = [], None
        clear(self._content)

    def _paragraph(self, lines: Sequence[Line], between: str) -> SpokenLines:
        paragraph = SpokenLines(lines, between=between)
        paragraph.line_chosen.connect(
            lambda index, p=paragraph: self.line_chosen.emit(p.lines[index])
        )
        self._paragraphs.append(paragraph)
        return paragraph

    def _detail(self, lines: Sequence[Line], between: str) -> QWidget:
        holder = QWidget()
        box = QHBoxLayout(holder)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(S)
        subject = lines[0].subject
        if subject is None or subject == "overall":
            box.addSpacing(14)
        else:
            sign = QVBoxLayout()
            sign.setContentsMargins(0, XS, 0, 0)
            sign.addWidget(MarkLabel(subject))
            sign.addStretch(1)
            box.addLayout(sign)
        box.addWidget(self._paragraph(lines, between), 1)
        return holder

    def _practice(self, number: int, practice: Practice, between: str) -> QWidget:
        holder = QWidget()
        box = QHBoxLayout(holder)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(S)
        counter = Strong(f"{number}.")
        box.addWidget(counter, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout()
        column.setSpacing(XS)
        column.addWidget(self._paragraph(practice.lines, between))
        exercise = practice.exercise
        if exercise.title or exercise.steps or exercise.paragraphs:
            body = _exercise(practice)
            body.hide()
            toggle = LinkButton(text("review.exercise_show"), "chevron-down")
            toggle.clicked.connect(lambda _c=False: _show(body, toggle))
            title = Hint(exercise.title)
            line = row(title, toggle)
            line.setStretch(0, 1)
            column.addLayout(line)
            column.addWidget(body)
        box.addLayout(column, 1)
        return holder

    def _on_read(self) -> None:
        if self._speaker.speaking:
            self._speaker.stop()
        else:
            self._speaker.speak(self._spoken, language())

    def _on_speaker_changed(self) -> None:
        speaking = self._speaker.speaking
        self._read.setText(text("review.stop_reading" if speaking else "review.read_aloud"))
        self._read.set_icon("stop" if speaking else "speaker")


def _exercise(practice: Practice) -> QWidget:
    body = QWidget()
    box = QVBoxLayout(body)
    box.setContentsMargins(0, 0, 0, M)
    box.setSpacing(XS)
    exercise = practice.exercise
    purpose, rest = exercise.paragraphs[:1], exercise.paragraphs[1:]
    for words in purpose:
        box.addWidget(Hint(words))
    for place, step in enumerate(exercise.steps, start=1):
        line = QHBoxLayout()
        line.setSpacing(S)
        figure = Body(f"{place}.")
        figure.setWordWrap(False)
        line.addWidget(figure, 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(Body(step), 1)
        box.addLayout(line)
    for words in rest:
        box.addWidget(Body(words))
    for words in exercise.cautions:
        line = QHBoxLayout()
        line.setSpacing(S)
        line.addWidget(IconLabel("info", ink="text_soft", pixels=16), 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(Hint(words), 1)
        box.addLayout(line)
    box.setContentsMargins(L, 0, 0, M)
    return body


def _show(body: QWidget, toggle: LinkButton) -> None:
    shown = not body.isVisible()
    body.setVisible(shown)
    toggle.setText(text("review.exercise_hide" if shown else "review.exercise_show"))
    toggle.set_icon("chevron-up" if shown else "chevron-down")
