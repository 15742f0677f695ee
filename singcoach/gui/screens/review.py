"""Looking back at one take: what it scored, what moved that, the coach's words, every second."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from singcoach.errors import SingCoachError
from singcoach.gui.context import AppContext
from singcoach.gui.playing import Playback
from singcoach.gui.screens.review_actions import ReviewActions
from singcoach.gui.screens.review_page import ReviewPage
from singcoach.gui.speech import Speaker
from singcoach.gui.tasks import Task
from singcoach.gui.texts import text
from singcoach.gui.theme import XL, XXL, S
from singcoach.gui.view_models.review import Line, Review, Subject
from singcoach.gui.view_models.review_data import (
    ReviewData,
    load_review,
    sections_of,
    take_words,
)
from singcoach.gui.widgets.base import Body, EmptyState, IconButton, clear, set_role
from singcoach.gui.widgets.timeline import Timeline
from singcoach.gui.widgets.transport import Transport
from singcoach.gui.window import bind
from singcoach.library.values import TakeNote
from singcoach.report.pitch_sections import PitchSections

_NOTE_S: Final = 4.0
"""Length of a note that is written without choosing seconds."""


class ReviewScreen(QWidget):
    """One take. ``enter(take_id=...)``; the last one again without."""

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self._context = context
        self._take_id: str | None = None
        self._data: ReviewData | None = None
        self._loading: Task[ReviewData] | None = None
        self._finding: Task[PitchSections] | None = None
        self._in_view = False
        self._speaker = Speaker(self)
        self._playback = Playback(context, self)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._stack = QStackedWidget()
        holder = QWidget()
        self._message = QVBoxLayout(holder)
        self._message.setContentsMargins(XXL, XL, XXL, XL)
        self._stream = Body("")
        self._watching = False
        self._stack.addWidget(holder)
        self._stack.addWidget(self._whole())
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self._stack)
        self._connect()
        self._bind_keys()

    # --- building -----------------------------------------------------------------------------

    def _whole(self) -> QWidget:
        self._actions = ReviewActions(self._context, self)
        self._page = ReviewPage(self._context, self._speaker, self._actions)
        self._timeline = Timeline()
        self._transport = Transport(
            self._playback,
            self._timeline,
            choices=(
                ("recording", text("review.hear_recording")),
                ("voice", text("review.hear_voice")),
            ),
            choices_name=text("review.hear"),
            with_notes=True,
        )
        dock = QWidget()
        set_role(dock, "dock")
        dock.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        below = QVBoxLayout(dock)
        below.setContentsMargins(XL, S, XL, S)
        below.setSpacing(S)
        below.addWidget(self._transport)
        below.addWidget(self._timeline, 1)
        self._splitter = QSplitter(Qt.Orientation.Vertical)
        self._splitter.addWidget(self._page)
        self._splitter.addWidget(dock)
        self._splitter.setChildrenCollapsible(False)
        self._splitter.setStretchFactor(0, 3)
        self._splitter.setStretchFactor(1, 2)
        self._splitter.setSizes([400, 290])
        return self._splitter

    def _connect(self) -> None:
        timeline, page = self._timeline, self._page
        timeline.sought.connect(self._playback.seek)
        timeline.moment_chosen.connect(self.play_moment)
        timeline.note_chosen.connect(self._play_note)
        timeline.selected.connect(lambda a, b: self._playback.play(a, b))
        timeline.selection_cleared.connect(self._on_selection_cleared)
        self._transport.source_chosen.connect(
            lambda key: self._playback.choose(1 if key == "voice" else 0)
        )
        self._transport.note_wished.connect(self._write_note)
        page.scores.dimension_chosen.connect(self._choose_dimension)
        page.scores.beside_chosen.connect(self._show_beside)
        page.coach.line_chosen.connect(self._on_line)
        page.moments.moment_chosen.connect(self.play_moment)
        page.sections.section_chosen.connect(self._play_section)
        page.notes.note_chosen.connect(self._play_note)
        page.notes.edit_wished.connect(self._edit_note)
        page.notes.delete_wished.connect(self._delete_note)
        page.editor.saved.connect(self._save_note)
        page.add_note_button.clicked.connect(lambda _c=False: self._write_note())
        self._playback.moved.connect(self._on_moved)
        self._playback.failed.connect(self._on_playback_failed)
        self._actions.gone.connect(self._show_deleted)
        self._actions.back.connect(self._reload)
        self._context.take_changed.connect(self._on_take_changed)

    def _bind_keys(self) -> None:
        for keys, action in (
            ("Space", self._transport.toggle),
            ("L", self._transport.toggle_loop),
            ("N", self._write_note),
            ("Ctrl++", lambda: self._timeline.zoom(1.5)),
            ("Ctrl+-", lambda: self._timeline.zoom(1.0 / 1.5)),
        ):
            bind(self, keys, action)

    # --- coming and going ---------------------------------------------------------------------

    def enter(self, take_id: str | None = None, moment: str | None = None, **_: Any) -> None:
        """Show a take; ``moment`` is the id of a moment to play at once."""
        self._in_view = True
        self._watch_the_coach()
        if take_id is not None:
            self._take_id = take_id
        if self._take_id is None:
            self._show_message(
                text("review.no_take"),
                text("review.no_take_words"),
                (text("review.open_library"), lambda: self._context.navigate("library")),
            )
            return
        self._load(then_play=moment)

    def leave(self) -> None:
        """Stop playing and speaking, let go of the recording."""
        self._in_view = False
        self._speaker.stop()
        self._playback.close()
        for task in (self._loading, self._finding):
            if task is not None:
                task.cancel()
        self._loading = self._finding = None

    def _reload(self) -> None:
        if self._in_view and self._take_id is not None:
            self._load()

    def _load(self, *, then_play: str | None = None) -> None:
        take_id = self._take_id
        if take_id is None:
            return
        if self._loading is not None:
            self._loading.cancel()
        if self._data is None or self._data.take.id != take_id:
            self._show_message(text("review.loading"), "", None, icon="clock")
        library = self._context.library

        def done(data: ReviewData) -> None:
            self._loading = None
            if self._in_view and take_id == self._take_id:
                self._show(data)
                if then_play is not None:
                    self.play_moment(then_play)

        def failed(error: SingCoachError) -> None:
            self._loading = None
            self._data = None
            self._show_message(
                error.message,
                error.hint,
                (text("review.open_library"), lambda: self._context.navigate("library")),
                icon="warning",
            )

        self._loading = self._context.tasks.run(
            lambda job: load_review(library, take_id, job), done, failed, owner=self
        )

    def _on_take_changed(self, take_id: str) -> None:
        if take_id == self._take_id:
            self._reload()

    # --- showing ------------------------------------------------------------------------------

    def _show(self, data: ReviewData) -> None:
        same = self._data is not None and self._data.take.id == data.take.id
        self._data = data
        if data.review is None:
            self._show_unjudged(data)
            return
        self._page.show_take(data)
        self._page.header.set_words(
            data.take.title or data.take.song or text("review.this_take"),
            take_words(data.take, data.curves),
        )
        self._actions.set_take(data)
        self._timeline.set_content(data.content, keep_view=same)
        self._transport.set_duration(data.take.duration_s)
        if self._transport.source is not None:
            self._transport.source.setVisible(data.voice is not None)
            self._transport.source.choose("recording")
        self._find_sections(data)
        self._stack.setCurrentIndex(1)
        self.setFocus()
        if not same or not self._playback.ready:
            self._playback.open(data.take.recording, data.voice)
            if self._context.settings.speak and data.review.words is not None:
                self._page.coach.speak()

    def _find_sections(self, data: ReviewData) -> None:
        """Work out the pitch by section beside the window."""
        curves = data.curves
        if curves is None:
            return

        def done(found: PitchSections) -> None:
            if self._data is not None and self._data.curves is curves:
                self._page.show_sections(found)

        if self._finding is not None:
            self._finding.cancel()
        self._finding = self._context.tasks.run(
            lambda job: sections_of(curves, job), done, owner=self
        )

    def _show_unjudged(self, data: ReviewData) -> None:
        state = data.take.state
        self._playback.close()
        if state in ("waiting", "running"):
            self._show_message(
                text("review.waiting"),
                text("review.waiting_words"),
                (text("window.queue"), lambda: self._context.navigate("queue")),
                icon="clock",
            )
            return
        failed = state == "failed"
        self._show_message(
            text("review.failed" if failed else "review.unjudged"),
            data.take.message if failed and data.take.message else text("review.unjudged_words"),
            (text("review.analyse"), lambda: self._analyse(data.take.id)),
            icon="warning" if failed else "review",
        )

    def _analyse(self, take_id: str) -> None:
        self._context.analysis.add_take(take_id)
        self._reload()

    def _show_deleted(self, title: str) -> None:
        self._playback.close()
        self._data = None
        self._show_message(
            text("review.deleted", title=title),
            text("review.deleted_words"),
            (text("common.undo"), self._actions.undo),
            icon="delete",
        )

    def _show_message(self, title: str, words: str, action: Any, *, icon: str = "review") -> None:
        clear(self._message)
        back = IconButton("back", text("common.back"), on_click=self._actions.go_back)
        self._message.addWidget(back, 0, Qt.AlignmentFlag.AlignLeft)
        self._message.addWidget(EmptyState(title, words, action, icon_name=icon), 1)
        self._stream = Body("")
        self._stream.hide()
        self._message.addWidget(self._stream)
        self._stack.setCurrentIndex(0)

    def _watch_the_coach(self) -> None:
        """Show the coach's sentences as they are written, while the take is being analysed."""
        if not self._watching:
            self._watching = True
            self._context.analysis.sentence.connect(self._on_sentence)

    def _on_sentence(self, take_id: str, words: str) -> None:
        if not self._in_view or take_id != self._take_id:
            return
        if self._stack.currentIndex() == 1:
            self._page.coach.add_sentence(words)
        else:
            self._stream.setText(f"{self._stream.text()} {words}".strip())
            self._stream.show()

    # --- hearing ------------------------------------------------------------------------------

    @property
    def _review(self) -> Review | None:
        return None if self._data is None else self._data.review

    def play_moment(self, moment_id: str) -> None:
        """Play a moment, lift it out on the timeline, mark the sentences that speak of it."""
        moment = None if self._review is None else self._review.moment(moment_id)
        if moment is None:
            return
        self._timeline.clear_selection()
        self._timeline.light(moment_id)
        self._page.coach.mark_moment(moment_id)
        self._page.choose(moment.dimension)
        self._playback.play_moment(moment.start_s, moment.end_s)

    def _choose_dimension(self, subject: Subject) -> None:
        """Show what moved a score, and play what moved it most."""
        if self._review is None:
            return
        found = self._review.moments_of(subject)
        self._page.choose(subject)
        if found:
            self._timeline.clear_selection()
            self._timeline.light(*(m.id for m in found))
            self._page.coach.mark_moment(found[0].id)
            self._playback.play_moment(found[0].start_s, found[0].end_s)

    def _on_line(self, line: Line) -> None:
        if line.moments:
            self.play_moment(line.moments[0])
        elif line.subject is not None and line.subject != "overall":
            self._choose_dimension(line.subject)

    def _play_section(self, start_s: float, end_s: float) -> None:
        self._timeline.select(start_s, end_s)
        self._playback.play(start_s, end_s)

    def _on_selection_cleared(self) -> None:
        self._timeline.light()

    def _on_moved(self, position_s: float) -> None:
        self._timeline.set_position(position_s, follow=self._playback.playing)

    def _on_playback_failed(self, error: SingCoachError) -> None:
        self._context.tell(text("review.no_recording"), kind="warning", hint=error.message)

    # --- another take beside ------------------------------------------------------------------

    def _show_beside(self, take_id: str) -> None:
        if not take_id:
            self._page.scores.show_other("", None)
            return
        row = next((r for r in (self._data.beside if self._data else ()) if r.id == take_id), None)
        document = self._context.library.assessment(take_id)
        if document is None or row is None:
            return
        from singcoach.gui.view_models.review_data import row_words
        from singcoach.report.parsing import parse_assessment

        scores = parse_assessment(document).scores
        self._page.scores.show_other(row_words(row), scores.dimensions)

    # --- notes --------------------------------------------------------------------------------

    def _write_note(self) -> None:
        if self._data is None or self._stack.currentIndex() != 1:
            return
        chosen = self._timeline.selection
        start_s = self._playback.position_s if chosen is None else chosen[0]
        end_s = min(self._data.take.duration_s, start_s + _NOTE_S) if chosen is None else chosen[1]
        self._page.write_note(start_s, end_s)

    def _note(self, note_id: str) -> TakeNote | None:
        notes = () if self._data is None else self._data.notes
        return next((note for note in notes if note.id == note_id), None)

    def _play_note(self, note_id: str) -> None:
        note = self._note(note_id)
        if note is not None:
            self._timeline.select(note.start_s, max(note.end_s, note.start_s + 1.0))
            self._playback.play_moment(note.start_s, max(note.end_s, note.start_s + 1.0))

    def _edit_note(self, note_id: str) -> None:
        note = self._note(note_id)
        if note is not None:
            self._page.write_note(note.start_s, note.end_s, note_id=note.id, words=note.text)

    def _save_note(self, note_id: str | None, start_s: float, end_s: float, words: str) -> None:
        if self._data is None:
            return
        if note_id is None:
            self._context.library.add_note(self._data.take.id, start_s, end_s, words)
        else:
            self._context.library.change_note(note_id, text=words)
        self._page.end_note()
        self._notes_changed()

    def _delete_note(self, note_id: str) -> None:
        note = self._context.library.delete_note(note_id)
        self._page.offer_undo(text("review.note_deleted"), lambda: self._restore_note(note))
        self._notes_changed()

    def _restore_note(self, note: TakeNote) -> None:
        self._context.library.restore_note(note)
        self._notes_changed()

    def _notes_changed(self) -> None:
        if self._data is None:
            return
        notes = tuple(self._context.library.notes(self._data.take.id))
        self._data = self._data.with_notes(notes)
        self._page.notes.set_notes(notes)
        self._timeline.set_content(self._data.content, keep_view=True)
