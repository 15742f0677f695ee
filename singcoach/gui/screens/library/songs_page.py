"""The list of songs: add with sound and words, change, sing, delete with undo."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from singcoach.gui.context import AppContext
from singcoach.gui.screens import available
from singcoach.gui.screens.library.forms import Form
from singcoach.gui.screens.library.listing import ListingPage, SearchField
from singcoach.gui.texts import text
from singcoach.gui.view_models.library import song_rows
from singcoach.gui.widgets.base import Hint, IconButton, PlainButton, PrimaryButton
from singcoach.gui.widgets.row_list import RowList
from singcoach.jobs import Job
from singcoach.library.shelf import clean_name
from singcoach.library.values import LibrarySong

_SOUND = "*.wav *.flac *.mp3 *.m4a *.aac *.ogg *.opus *.wma *.mp4 *.mkv *.webm *.aif *.aiff"
_WORDS = "*.txt *.lrc *.mid *.midi *.kar"


class SongsPage(ListingPage):
    """Every song that can be sung."""

    takes_wanted = Signal(str)
    """Somebody wants to see the takes of a song."""

    def __init__(self, context: AppContext) -> None:
        super().__init__(context, RowList(text("library.tab_songs")))
        self.search = SearchField(text("library.search_songs"), self.refresh)
        self._add = PrimaryButton(text("library.add_song"), "plus", on_click=self.add)
        self._said = Hint()
        self.sing_button = PrimaryButton(
            text("library.sing_it"), "microphone", on_click=self._on_sing_clicked
        )
        if "sing" not in available():
            self.sing_button.hide()
        self.takes_button = PlainButton(
            text("library.its_takes"), on_click=lambda: self._tell_key(self.takes_wanted)
        )
        self.edit_button = PlainButton(text("library.edit"), "edit", on_click=self.edit)
        self.delete_button = IconButton(
            "delete", text("common.delete"), on_click=self._on_delete_clicked
        )
        self.rows.opened.connect(lambda _: self._on_sing_clicked())
        self.rows.delete_wanted.connect(self._on_delete_clicked)
        self.put_together(
            [self.search],
            [
                self._said,
                1,
                self.delete_button,
                self.edit_button,
                self.takes_button,
                self.sing_button,
            ],
        )

    def header_buttons(self) -> list[QWidget]:
        """Buttons for the header."""
        return [self._add]

    def refresh(self) -> None:
        """Read the list again."""
        songs = self._context.library.songs(self.search.text())
        self.rows.set_rows(song_rows(songs))
        if songs:
            self.show_list()
        elif self.search.text().strip():
            self.show_empty(
                text("library.nothing_found"),
                text("library.nothing_found_words"),
                (text("library.show_all"), self.search.clear),
                "search",
            )
        else:
            self.show_empty(
                text("library.no_songs"),
                text("library.no_songs_words"),
                (text("library.add_song"), self.add),
                "note",
            )

    def leave(self) -> None:
        """Stop waiting for more letters."""
        super().leave()
        self.search.stop()

    def add(self) -> None:
        """Ask for a song and copy it into the library beside the window."""
        library = self._context.library

        def save() -> None:
            words = clean_name(title.text(), "song")

            def work(job: Job) -> LibrarySong:
                return library.add_song(
                    words, artist.text(), audio=audio.path, lyrics=lyrics.path, job=job
                )

            self._context.tasks.run(work, self._on_added, owner=self)

        form = Form(text("library.add_song"), save, self)
        title = form.line(text("library.song_title"))
        artist = form.line(text("library.song_artist"))
        audio = form.file(text("library.song_audio"), f"{text('library.song_audio')} ({_SOUND})")
        lyrics = form.file(
            text("library.song_lyrics"),
            f"{text('library.song_lyrics')} ({_WORDS})",
            text("library.lyrics_hint"),
        )
        form.open()

    def edit(self) -> None:
        """Change the chosen song."""
        song = self._chosen_song()
        if song is None:
            return
        library = self._context.library

        def save() -> None:
            library.change_song(
                song.id, title=title.text(), artist=artist.text(), lyrics=lyrics.path
            )
            self._context.library_changed.emit()
            self.refresh()

        form = Form(text("library.edit_song"), save, self)
        title = form.line(text("library.song_title"), song.title)
        artist = form.line(text("library.song_artist"), song.artist)
        lyrics = form.file(
            text("library.song_lyrics"),
            f"{text('library.song_lyrics')} ({_WORDS})",
            text("library.lyrics_hint"),
        )
        if song.lyrics is not None:
            lyrics.choose_name(Path(song.lyrics).name)
        form.open()

    def _chosen_song(self) -> LibrarySong | None:
        keys = self.rows.keys
        found: list[LibrarySong] = []
        if keys:
            self.guarded(lambda: found.append(self._context.library.song(keys[0])))
        return found[0] if found else None

    def _tell_key(self, signal: object) -> None:
        if self.rows.keys:
            signal.emit(self.rows.keys[0])  # type: ignore[attr-defined]

    def _on_added(self, song: LibrarySong) -> None:
        self._context.library_changed.emit()
        self.search.clear()
        self.refresh()
        self.rows.choose({song.id})

    def _on_rows_chosen(self) -> None:
        song = self._chosen_song()
        self.sing_button.setEnabled(song is not None and song.audio is not None)
        self.takes_button.setEnabled(song is not None and song.takes > 0)
        self.edit_button.setEnabled(song is not None)
        self.delete_button.setEnabled(song is not None)
        self._said.setText("")

    def _on_sing_clicked(self) -> None:
        if self.rows.keys and self.sing_button.isEnabled():
            self._context.navigate("sing", song_id=self.rows.keys[0])

    def _on_delete_clicked(self) -> None:
        tokens = []
        for key in self.rows.keys:
            self.guarded(
                lambda key=key: tokens.append(self._context.library.delete_song(key))  # type: ignore[misc]
            )
        for token in tokens:
            self.offer_undo(text("library.was_deleted", title=token.name), [token])
        self._context.library_changed.emit()
        self.refresh()
