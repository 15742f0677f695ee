"""The scrolling part of the review: cards in one column or two, as the window is wide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QVBoxLayout

from singcoach.gui.context import AppContext
from singcoach.gui.screens.review_actions import ReviewActions
from singcoach.gui.screens.review_scores import ScoreCard
from singcoach.gui.screens.review_words import CoachCard
from singcoach.gui.speech import Speaker
from singcoach.gui.texts import percent, text
from singcoach.gui.theme import L, S
from singcoach.gui.view_models.review import Review, Subject, dimension_name
from singcoach.gui.view_models.review_data import ReviewData
from singcoach.gui.widgets.base import (
    Banner,
    Body,
    Card,
    Heading,
    Hint,
    Page,
    PlainButton,
    ScreenHeader,
    clear,
    row,
)
from singcoach.gui.widgets.moments import MomentList
from singcoach.gui.widgets.sections import SectionBars
from singcoach.gui.widgets.take_notes import NoteEditor, NoteList
from singcoach.report.pitch_sections import PitchSections

_TWO_COLUMNS_PX: Final = 1240
_FEW_MOMENTS: Final = 4


class ReviewPage(Page):
    """Everything about a take that is not the timeline.

    Attributes
    ----------
    header, scores, coach, moments, sections, notes, editor
        Its parts, which tell what the user does.
    """

    def __init__(self, context: AppContext, speaker: Speaker, actions: ReviewActions) -> None:
        super().__init__(most_width=1640)
        self._context = context
        self._review: Review | None = None
        self._subject: Subject | None = None
        self.header = ScreenHeader("", actions.buttons(), on_back=actions.go_back)
        self.scores = ScoreCard()
        self.coach = CoachCard(speaker)
        self.moments = MomentList()
        self.sections = SectionBars()
        self.notes = NoteList()
        self.editor = NoteEditor()
        self.editor.hide()
        self.editor.left.connect(self.end_note)
        self._banner_box = QVBoxLayout()
        self._banner_box.setSpacing(S)
        self._moments_heading = Heading("")
        self._section_words = Body("")
        self._section_note = Hint(text("review.section_hint"))
        self._trust = QVBoxLayout()
        self._trust.setSpacing(S)
        self._build()

    def _build(self) -> None:
        self.body.addWidget(self.header)
        self.body.addLayout(self._banner_box)
        self._columns = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._columns.setSpacing(L)
        left, right = QVBoxLayout(), QVBoxLayout()
        for column in (left, right):
            column.setSpacing(L)
        moments = Card(self._moments_heading, self.moments)
        sections = Card(
            Heading(text("review.pitch_sections")),
            self._section_words,
            self.sections,
            self._section_note,
        )
        self._add_note = PlainButton(text("review.add_note"), "edit")
        notes = Card()
        notes.body.addLayout(row(Heading(text("review.notes")), 1, self._add_note))
        notes.body.addWidget(self.editor)
        notes.body.addWidget(self.notes)
        trust = Card(Heading(text("review.trust")))
        trust.body.addLayout(self._trust)
        for card in (self.scores, moments, sections):
            left.addWidget(card)
        for card in (self.coach, notes, trust):
            right.addWidget(card)
        left.addStretch(1)
        right.addStretch(1)
        self._columns.addLayout(left, 1)
        self._columns.addLayout(right, 1)
        self.body.addLayout(self._columns)
        self.body.addStretch(1)
        self._notes_card = notes

    @property
    def add_note_button(self) -> PlainButton:
        """Begins a note."""
        return self._add_note

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Lay the cards in two columns where there is room."""
        super().resizeEvent(event)
        wide = self.viewport().width() >= _TWO_COLUMNS_PX
        self._columns.setDirection(
            QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom
        )

    # --- showing ------------------------------------------------------------------------------

    def show_take(self, data: ReviewData) -> None:
        """Show a take that was judged."""
        review = data.review
        if review is None:
            raise ValueError("the page shows judged takes only")
        self._review = review
        self._show_verdict(review)
        self.scores.show_take(data)
        self.coach.show_words(review.words)
        self.show_sections(None, waiting=data.curves is not None)
        self.notes.set_notes(data.notes)
        self._show_trust(review)
        self.end_note()
        self.choose(None)

    def choose(self, subject: Subject | None) -> None:
        """Show what moved one score, or the strongest moments of all."""
        self._subject = subject
        review = self._review
        if review is None:
            return
        self.scores.choose(subject)
        if subject in (None, "overall"):
            self._moments_heading.setText(text("review.moments_all"))
            shown = review.moments_of("overall")[:_FEW_MOMENTS]
        else:
            heading = text("review.moments")
            self._moments_heading.setText(f"{dimension_name(subject)}: {heading}")
            shown = review.moments_of(subject)
        self.moments.set_moments(shown, empty=text("review.moments_none"))

    def _show_verdict(self, review: Review) -> None:
        clear(self._banner_box)
        if review.verdict != "pass":
            banner = Banner(
                "info",
                text(f"review.{review.verdict}"),
                hint=" ".join(review.reasons),
                closable=False,
            )
            self._banner_box.addWidget(banner)

    def show_sections(self, found: PitchSections | None, *, waiting: bool = False) -> None:
        """Show the pitch by section; None for what is not known, or not yet (``waiting``)."""
        known = found is not None and found.accuracy is not None
        self.sections.setVisible(found is not None and bool(found.sections))
        self._section_note.setVisible(known)
        if found is None or found.accuracy is None or found.reference is None:
            words = "common.working" if waiting else "review.sections_none"
            self._section_words.setText(text(words))
            self.sections.setVisible(False)
            return
        self.sections.set_sections(found)
        words = text(
            "review.section_whole",
            percent=percent(round(found.accuracy * 20.0) / 20.0),
            reference=text(f"review.section_{found.reference}"),
        )
        if found.coverage is not None and found.coverage < 0.95:
            share = percent(round(found.coverage * 20.0) / 20.0)
            words = f"{words}. {text('review.section_coverage', percent=share)}"
        self._section_words.setText(words)

    def _show_trust(self, review: Review) -> None:
        clear(self._trust)
        for line in review.lines:
            if line.caution:
                self._trust.addWidget(Hint(line.caution))
        for words in review.cautions:
            self._trust.addWidget(Hint(words))
        if any(line.score is not None for line in review.lines):
            self._trust.addWidget(Hint(text("review.trust_words")))

    # --- notes --------------------------------------------------------------------------------

    def write_note(
        self, start_s: float, end_s: float, *, note_id: str | None = None, words: str = ""
    ) -> None:
        """Open the field in which a note is written."""
        self.editor.show()
        self.editor.write(start_s, end_s, note_id=note_id, words=words)
        self.ensureWidgetVisible(self._notes_card, 0, 60)

    def end_note(self) -> None:
        """Close it."""
        self.editor.hide()

    def offer_undo(self, words: str, undo: Callable[[], object]) -> None:
        """Say that something was taken away, with a way back."""
        clear(self._banner_box)

        def take_back() -> None:
            clear(self._banner_box)
            undo()

        banner = Banner("info", words, (text("common.undo"), take_back))
        banner.closed.connect(lambda: clear(self._banner_box))
        self._banner_box.addWidget(banner, 0, Qt.AlignmentFlag.AlignTop)
