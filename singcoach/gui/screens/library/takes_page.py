"""The list of takes: search, choose, open, compare, export, delete with undo."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QMenu, QToolButton, QWidget

from singcoach.gui.context import AppContext
from singcoach.gui.screens.library.forms import Form
from singcoach.gui.screens.library.listing import Choice, ListingPage, SearchField
from singcoach.gui.texts import clock, language, text
from singcoach.gui.view_models.exports import (
    EXPORTS,
    ExportKind,
    export_name,
    with_suffix,
    write_export,
)
from singcoach.gui.view_models.library import ORDERS, take_rows
from singcoach.gui.widgets.base import (
    Hint,
    IconButton,
    LinkButton,
    PlainButton,
    PrimaryButton,
    clear,
    row,
)
from singcoach.gui.widgets.row_list import RowList
from singcoach.jobs import Job
from singcoach.library.values import LibraryTake, Order

_MOST_NOTES = 2


class TakesPage(ListingPage):
    """Every take that was kept."""

    def __init__(self, context: AppContext) -> None:
        super().__init__(context, RowList(text("library.tab_takes"), several=True))
        self._song_id: str | None = None
        self.search = SearchField(text("library.search_takes"), self.refresh)
        self.singer = Choice(text("library.singer"))
        self.order = Choice(text("library.order"))
        self.order.offer([(order, text(f"library.order_{order}")) for order in ORDERS])
        self.singer.activated.connect(lambda _: self.refresh())
        self.order.activated.connect(lambda _: self.refresh())
        self._bring = PlainButton(
            text("library.import_take"), "folder", on_click=self._on_bring_clicked
        )
        self._add = PrimaryButton(
            text("library.add_recordings"), "plus", on_click=lambda: context.navigate("queue")
        )
        self._said = Hint()
        self.open_button = PrimaryButton(text("library.open"), on_click=self._on_open_clicked)
        self.compare_button = PlainButton(
            text("library.compare"), "compare", on_click=self._on_compare_clicked
        )
        self.export_button = PlainButton(text("library.export"), "export")
        menu = QMenu(self.export_button)
        for kind in EXPORTS:
            menu.addAction(text(f"library.export_{kind}"), partial(self.export, kind))
        menu.addSeparator()
        menu.addAction(text("library.export_list"), self.export_list)
        self.export_button.setMenu(menu)
        self.delete_button = IconButton(
            "delete", text("common.delete"), on_click=self._on_delete_clicked
        )
        self.more_button = IconButton("more", text("library.more"))
        more = QMenu(self.more_button)
        self._edit = more.addAction(text("library.edit"), self.edit)
        self._analyse = more.addAction(text("library.analyse"), self.analyse)
        self.more_button.setMenu(more)
        self.more_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._notes = QWidget()
        self._notes_box = row()
        self._notes.setLayout(self._notes_box)
        self._notes.hide()
        self.rows.opened.connect(lambda key: context.navigate("review", take_id=key))
        self.rows.delete_wanted.connect(self._on_delete_clicked)
        self._bar_box.addWidget(self._notes)
        self.put_together(
            [self.search, self.singer, self.order],
            [
                self._said,
                1,
                self.more_button,
                self.delete_button,
                self.export_button,
                self.compare_button,
                self.open_button,
            ],
        )

    def header_buttons(self) -> list[QWidget]:
        """Buttons for the header."""
        return [self._bring, self._add]

    def choose(self, *, singer_id: str | None = None, song_id: str | None = None) -> None:
        """Show only takes of a singer or a song."""
        self.search.clear()
        self.search.stop()
        self._offer_singers()
        self.singer.choose(singer_id)
        self._song_id = song_id

    def refresh(self) -> None:
        """Read the list again."""
        library = self._context.library
        self._offer_singers()
        order = self.order.key
        takes = library.takes(
            self.search.text(),
            singer_id=self.singer.key,
            song_id=self._song_id,
            order=_order(order),
        )
        self.rows.set_rows(take_rows(takes))
        if takes:
            self.show_list()
        elif self._narrowed():
            self.show_empty(
                text("library.nothing_found"),
                text("library.nothing_found_words"),
                (text("library.show_all"), self._on_show_all),
                "search",
            )
        else:
            self.show_empty(
                text("library.no_takes"),
                text("library.no_takes_words"),
                (text("library.add_recordings"), lambda: self._context.navigate("queue")),
                "library",
            )

    def leave(self) -> None:
        """Stop waiting for more letters."""
        super().leave()
        self.search.stop()

    def export(self, kind: ExportKind) -> None:
        """Ask where, and write the chosen take in one form."""
        take = self._chosen_take()
        if take is None:
            return
        target = self._ask_where(export_name(take, kind))
        if target is None:
            return
        library, path, tongue = self._context.library, with_suffix(target, kind), language()

        def work(job: Job) -> str:
            write_export(library, take.id, kind, path, language=tongue, job=job)
            return path.name

        self._context.tasks.run(work, self._on_exported, owner=self)

    def export_list(self) -> None:
        """Write the takes in view as a table."""
        target = self._ask_where("SingCoach.csv")
        if target is None:
            return
        path = target if target.suffix else target.with_suffix(".csv")
        library, search = self._context.library, self.search.text()
        singer_id, song_id = self.singer.key, self._song_id

        def work(_job: Job) -> str:
            from singcoach.library.exchange import export_csv

            export_csv(library, path, search=search, singer_id=singer_id, song_id=song_id)
            return path.name

        self._context.tasks.run(work, self._on_exported, owner=self)

    def bring(self, path: Path) -> None:
        """Bring a take file into the library."""
        library = self._context.library

        def work(job: Job) -> LibraryTake:
            from singcoach.library.exchange import import_take

            return import_take(library, path, job=job)

        self._context.tasks.run(work, self._on_brought, owner=self)

    def edit(self) -> None:
        """Change title, singer and song of the chosen take."""
        take = self._chosen_take()
        if take is None:
            return
        library = self._context.library

        def save() -> None:
            library.change_take(
                take.id,
                title=title.text(),
                singer_id=singer.key,
                song_id=song.key,
                without_song=song.key is None,
            )
            self._context.take_changed.emit(take.id)
            self.refresh()

        form = Form(text("library.edit_take"), save, self)
        title = form.line(text("library.song_title"), take.title)
        singers = [(one.id, one.name) for one in library.singers()]
        singer = form.choice(text("library.singer"), singers, take.singer_id)
        songs = [(one.id, one.title) for one in library.songs()]
        song = form.choice(
            text("library.song"), [(None, text("library.no_song")), *songs], take.song_id
        )
        form.open()

    def analyse(self) -> None:
        """Put the chosen takes into the queue."""
        for key in self.rows.keys:
            self.guarded(lambda key=key: self._context.analysis.add_take(key))  # type: ignore[misc]
        self._context.tell(text("library.queued"))
        self.refresh()

    def _offer_singers(self) -> None:
        singers = self._context.library.singers()
        choices: list[tuple[str | None, str]] = [(None, text("library.all_singers"))]
        self.singer.offer([*choices, *((singer.id, singer.name) for singer in singers)])
        self.singer.setVisible(len(singers) > 1)

    def _narrowed(self) -> bool:
        return bool(self.search.text().strip() or self.singer.key or self._song_id)

    def _chosen_take(self) -> LibraryTake | None:
        keys = self.rows.keys
        if not keys:
            return None
        found: list[LibraryTake] = []
        self.guarded(lambda: found.append(self._context.library.take(keys[0])))
        return found[0] if found else None

    def _ask_where(self, name: str) -> Path | None:
        chosen, _ = QFileDialog.getSaveFileName(
            self, text("library.export"), str(Path.home() / name)
        )
        return Path(chosen) if chosen else None

    def _on_rows_chosen(self) -> None:
        keys = self.rows.keys
        one, some = len(keys) == 1, bool(keys)
        self.open_button.setEnabled(one)
        self.compare_button.setEnabled(1 <= len(keys) <= 2)
        self.delete_button.setEnabled(some)
        self.more_button.setEnabled(some)
        self._edit.setEnabled(one)
        for action in self.export_button.menu().actions()[: len(EXPORTS)]:
            action.setEnabled(one)
        said = "library.chosen_count" if some else "library.takes_count"
        self._said.setText(text(said, count=len(keys) if some else self.rows.count()))
        self._show_notes(keys[0] if one else None)

    def _show_notes(self, take_id: str | None) -> None:
        clear(self._notes_box)
        notes = [] if take_id is None else self._context.library.notes(take_id)
        for note in notes[:_MOST_NOTES]:
            words = " ".join(note.text.split())
            shown = words if len(words) <= 48 else f"{words[:47]}…"
            button = LinkButton(
                text("library.note_at", start=clock(note.start_s), words=shown),
                "edit",
                on_click=lambda: self._context.navigate("review", take_id=take_id),
            )
            button.setToolTip(note.text)
            self._notes_box.addWidget(button)
        self._notes_box.addStretch(1)
        self._notes.setVisible(bool(notes))

    def _on_open_clicked(self) -> None:
        if self.rows.keys:
            self._context.navigate("review", take_id=self.rows.keys[0])

    def _on_compare_clicked(self) -> None:
        self._context.navigate("compare", take_ids=tuple(self.rows.keys))

    def _on_delete_clicked(self) -> None:
        library = self._context.library
        tokens = []
        for key in self.rows.keys:
            self.guarded(lambda key=key: tokens.append(library.delete_take(key)))  # type: ignore[misc]
        if len(tokens) == 1:
            self.offer_undo(text("library.was_deleted", title=tokens[0].name), tokens)
        elif tokens:
            self.offer_undo(text("library.were_deleted", count=len(tokens)), tokens)
        self._context.library_changed.emit()
        self.refresh()

    def _on_show_all(self) -> None:
        self.choose()
        self.refresh()

    def _on_bring_clicked(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(
            self,
            text("library.import_take"),
            str(Path.home()),
            f"{text('library.take_files')} (*.singcoach)",
        )
        if chosen:
            self.bring(Path(chosen))

    def _on_brought(self, take: LibraryTake) -> None:
        self._context.tell(text("library.imported", title=take.title), kind="good")
        self._context.library_changed.emit()
        self.refresh()
        self.rows.choose({take.id})

    def _on_exported(self, name: str) -> None:
        self._context.tell(text("library.exported", name=name), kind="good")


def _order(key: str | None) -> Order:
    return next((order for order in ORDERS if order == key), "newest")
