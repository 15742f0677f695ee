"""Sing: choose a song or sing freely, see the own line against the notes, record the take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QShortcut
from PySide6.QtWidgets import QFileDialog, QStackedWidget, QVBoxLayout, QWidget

from singcoach.chain.guide import GuidedSong, prepare_song
from singcoach.errors import SingCoachError
from singcoach.gui.context import AppContext
from singcoach.gui.screens.sing.choosing import SongChoice
from singcoach.gui.screens.sing.hearing import StartRecording
from singcoach.gui.screens.sing.preparing import Preparing
from singcoach.gui.screens.sing.singing import Singing
from singcoach.gui.screens.sing.stage import Stage
from singcoach.gui.tasks import Task
from singcoach.gui.texts import text
from singcoach.gui.view_models.sing_session import SingSession
from singcoach.gui.view_models.sing_songs import SOUND_SUFFIXES, add_song
from singcoach.gui.window import bind
from singcoach.jobs import Job
from singcoach.library.values import LibrarySong
from singcoach.songs.sheet import SUFFIXES as SHEET_SUFFIXES


class SingScreen(QWidget):
    """Three pages: the choice of a song, its preparation, the stage.

    Parameters
    ----------
    start_recording
        For tests; the real recorder by default.
    """

    def __init__(
        self, context: AppContext, *, start_recording: StartRecording | None = None
    ) -> None:
        super().__init__()
        self._context = context
        self._song: LibrarySong | None = None
        self._preparation: Task[GuidedSong] | None = None
        self.choice = SongChoice()
        self.preparing = Preparing()
        self.stage = Stage()
        self.singing = Singing(context, self.stage, self.preparing, start_recording)
        self._pages = QStackedWidget()
        for page in (self.choice, self.preparing, self.stage):
            self._pages.addWidget(page)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self._pages)
        self._connect()

    def _connect(self) -> None:
        self.choice.song_chosen.connect(self.open_song)
        self.choice.free_chosen.connect(self.sing_freely)
        self.choice.demo_chosen.connect(self._on_demo_chosen)
        self.choice.add_chosen.connect(self._on_add_chosen)
        self.choice.files_dropped.connect(self._on_files_dropped)
        self.choice.searched.connect(lambda _words: self._show_songs())
        self.preparing.cancelled.connect(self.show_choice)
        self.stage.back_asked.connect(self.show_choice)
        self.stage.add_words_asked.connect(self._on_add_words_asked)
        self.singing.keeping.connect(lambda: self._pages.setCurrentWidget(self.preparing))
        self.singing.kept_nothing.connect(self._back_to_stage)
        self._keys: list[QShortcut] = []
        singing = self.singing
        for keys, action in (
            ("R", singing.toggle_recording),
            ("Space", singing.toggle_playing),
            ("L", singing.toggle_loop),
            ("Shift+L", lambda: singing.widen_loop(1)),
            ("P", singing.punch),
            ("C", self.stage.count_in.toggle),
            ("Home", singing.restart),
            ("Left", lambda: singing.seek_by(-5.0)),
            ("Right", lambda: singing.seek_by(5.0)),
            ("Ctrl+Left", lambda: singing.step_phrase(-1)),
            ("Ctrl+Right", lambda: singing.step_phrase(1)),
            ("Up", lambda: singing.change_key(1)),
            ("Down", lambda: singing.change_key(-1)),
            ("[", lambda: singing.change_tempo(-1)),
            ("]", lambda: singing.change_tempo(1)),
            ("Esc", self._on_escape),
        ):
            key = bind(self.stage, keys, action)
            key.setAutoRepeat(keys in ("Left", "Right", "Ctrl+Left", "Ctrl+Right"))
            self._keys.append(key)

    # --- coming and going ---------------------------------------------------------------------

    def enter(self, song_id: str | None = None, free: bool = False, **_arguments: Any) -> None:
        """Show the choice of songs, one song, or free singing."""
        if song_id is not None:
            self.open_song(song_id)
        elif free:
            self.sing_freely()
        elif self._pages.currentWidget() is self.stage:
            self.singing.open_microphone()
        else:
            self.show_choice()

    def leave(self) -> None:
        """Stop listening and playing; a take that runs is kept."""
        self.choice.stop()
        self._stop_preparing()
        self.singing.leave()
        if self._pages.currentWidget() is self.preparing:
            self._pages.setCurrentWidget(self.choice)

    def show_choice(self) -> None:
        """Go to the songs; a take that runs is kept first."""
        self._stop_preparing()
        if self.singing.is_recording:
            self.singing.finish()
            return
        self.singing.leave()
        self._song = None
        self._pages.setCurrentWidget(self.choice)
        self._show_songs()

    def _show_songs(self) -> None:
        words = self.choice.search.text().strip()
        songs = self._context.library.songs(words)
        self.choice.show_songs(songs, searching=bool(words))

    def sing_freely(self) -> None:
        """Go on stage with nothing but the microphone."""
        self._stop_preparing()
        self.singing.leave()
        self._song = None
        self._go_on_stage(None)

    def open_song(self, song_id: str) -> None:
        """Prepare a song of the library and go on stage with it."""
        self._stop_preparing()
        self.singing.leave()
        song = self._context.library.song(song_id)
        folder = self._context.library.song_folder(song_id) / "singing"
        self._song = song
        self.preparing.show_song(song.title)
        self._pages.setCurrentWidget(self.preparing)

        def prepare(job: Job) -> GuidedSong:
            return prepare_song(song.audio, folder, lyrics=song.lyrics, job=job)

        self._preparation = self._context.tasks.run(
            prepare,
            self._on_song_prepared,
            self._on_preparation_failed,
            lambda fraction, _stage: self.preparing.show_progress(fraction),
            owner=self,
        )

    def _on_song_prepared(self, guided: GuidedSong) -> None:
        self._preparation = None
        for warning in guided.warnings[:2]:
            self._context.tell(warning, kind="warning")
        self._go_on_stage(guided)

    def _on_preparation_failed(self, error: SingCoachError) -> None:
        self._preparation = None
        self._context.tell_fault(error)
        self.show_choice()

    def _stop_preparing(self) -> None:
        if self._preparation is not None:
            self._preparation.cancel()
            self._preparation = None

    def _go_on_stage(self, guided: GuidedSong | None) -> None:
        song = self._song
        title = song.title if song is not None else text("sing.freely")
        self.stage.show_session(
            session := SingSession(guided), title, _about(song, guided, session)
        )
        self._pages.setCurrentWidget(self.stage)
        self.stage.lane.setFocus(Qt.FocusReason.OtherFocusReason)
        self.singing.begin(session, song)

    def _back_to_stage(self) -> None:
        if self.singing.session is not None:
            self._pages.setCurrentWidget(self.stage)
        else:
            self.show_choice()

    def _on_escape(self) -> None:
        if not self.singing.stop():
            self.show_choice()

    # --- new songs ----------------------------------------------------------------------------

    def _on_demo_chosen(self) -> None:
        from singcoach.chain.demo import demo_recording

        self._add([demo_recording("mixture").path], demo=True)

    def _on_add_chosen(self) -> None:
        names, _ = QFileDialog.getOpenFileNames(
            self, text("sing.add_song"), "", _filter((*SOUND_SUFFIXES, *SHEET_SUFFIXES))
        )
        self._on_files_dropped(names)

    def _on_files_dropped(self, names: list[str]) -> None:
        if names:
            self._add([Path(name) for name in names])

    def _add(self, paths: list[Path], *, demo: bool = False) -> None:
        library = self._context.library

        def add(job: Job) -> LibrarySong:
            if demo:
                return library.add_song("Slow Motion Dream", "Steven M. Bryant", audio=paths[0])
            return add_song(library, paths, job)

        def done(song: LibrarySong) -> None:
            self._context.library_changed.emit()
            self.open_song(song.id)

        self._context.tasks.run(add, done, owner=self)

    def _on_add_words_asked(self) -> None:
        song = self._song
        if song is None:
            return
        name, _ = QFileDialog.getOpenFileName(
            self, text("sing.add_words"), "", _filter(SHEET_SUFFIXES)
        )
        if name:
            self.add_words(Path(name))

    def add_words(self, path: Path) -> None:
        """Give the song on stage a file of notes or words."""
        song, library = self._song, self._context.library
        if song is None:
            return

        def change(job: Job) -> LibrarySong:
            from singcoach.songs.sheet import read_sheet

            read_sheet(path)  # what cannot be read is not taken
            return library.change_song(song.id, lyrics=path, job=job)

        self._context.tasks.run(change, lambda new: self.open_song(new.id), owner=self)


def _about(song: LibrarySong | None, guided: GuidedSong | None, session: SingSession) -> str:
    """Return the line under the title: who sings it, and what there is to follow."""
    if song is None or guided is None:
        return text("sing.freely_words")
    parts = [song.artist] if song.artist else []
    if guided.estimated:
        parts.append(text("sing.estimated"))
    elif not session.notes:
        parts.append(text("sing.without_notes"))
    return " · ".join(parts)


def _filter(suffixes: tuple[str, ...]) -> str:
    patterns = " ".join(f"*{suffix}" for suffix in suffixes)
    return f"{text('sing.song_files')} ({patterns})"
