"""The library in the window: search, open, delete and undo, songs, singers, exchange."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from singcoach.audio.writing import write_wav
from singcoach.core.languages import LANGUAGES
from singcoach.gui.context import AppContext
from singcoach.gui.screens.library import LibraryScreen
from singcoach.gui.screens.library.forms import Form
from singcoach.gui.screens.progress import ProgressScreen
from singcoach.gui.texts import set_language
from singcoach.library.values import LibraryTake

sys.path.insert(0, str(Path(__file__).parents[1] / "library"))
from library_documents import document


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "evening.wav"
    tone = 0.1 * np.sin(np.arange(16_000) / 5.0)
    write_wav(path, tone.astype(np.float32)[None], sample_rate=16_000)
    return path


@pytest.fixture
def takes(context: AppContext, sound: Path) -> list[LibraryTake]:
    """Three takes of two singers, oldest first; the last one is not analysed."""
    library = context.library
    ana, bo = library.add_singer("Ana"), library.add_singer("Bo")
    context.change_settings(singer_id=ana.id)
    song = library.add_song("Edelweiss", "Somebody", audio=sound)
    made = [
        library.add_take(sound, singer_id=ana.id, song_id=song.id, title="one", duration_s=1.0),
        library.add_take(sound, singer_id=bo.id, title="two", duration_s=1.0),
        library.add_take(sound, singer_id=ana.id, title="three", duration_s=1.0),
    ]
    for take in made[:2]:
        library.set_assessment(take.id, document({"breath": 2.5}))
    library.add_note(made[0].id, 12.0, 13.0, "breathe here")
    return made


@pytest.fixture
def screen(context: AppContext, takes: list[LibraryTake], qtbot: QtBot) -> Iterator[LibraryScreen]:
    made = LibraryScreen(context)
    qtbot.addWidget(made)
    made.resize(820, 700)
    made.show()
    made.enter()
    yield made
    made.leave()


def _titles(screen: LibraryScreen) -> list[str]:
    return [line.title for line in screen.takes.rows._model.rows]


def _click(qtbot: QtBot, button: QWidget) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_search_narrows_and_says_when_nothing_is_found(screen: LibraryScreen, qtbot: QtBot) -> None:
    assert _titles(screen) == ["three", "two", "one"]
    qtbot.keyClicks(screen.takes.search, "breathe")
    qtbot.waitUntil(lambda: _titles(screen) == ["one"])
    qtbot.keyClicks(screen.takes.search, " nothing")
    qtbot.waitUntil(lambda: _titles(screen) == [])
    assert not screen.takes.rows.isVisible()
    screen.takes._on_show_all()
    assert len(_titles(screen)) == 3
    assert screen.takes.rows.isVisible()


def test_keys_open_and_delete(screen: LibraryScreen, context: AppContext, qtbot: QtBot) -> None:
    takes = screen.takes
    assert takes.rows.keys, "the first line is chosen, so that the actions act on something"
    with qtbot.waitSignal(context.navigated) as signal:
        qtbot.keyClick(takes.rows, Qt.Key.Key_Return)
    assert signal.args == ["review", {"take_id": takes.rows.keys[0]}]
    qtbot.keyClick(takes.rows, Qt.Key.Key_Delete)
    assert _titles(screen) == ["two", "one"]
    screen.show_tab("deleted")
    assert screen.deleted.rows.count() == 1
    screen.deleted._on_restore_clicked()
    screen.show_tab("takes")
    assert _titles(screen) == ["three", "two", "one"]


def test_undo_brings_all_of_them_back(screen: LibraryScreen, qtbot: QtBot) -> None:
    takes = screen.takes
    takes.rows.selectAll()
    _click(qtbot, takes.delete_button)
    assert _titles(screen) == []
    banner = takes._undo_place.itemAt(0).widget()
    _click(qtbot, banner.button)  # type: ignore[attr-defined]
    assert _titles(screen) == ["three", "two", "one"]
    assert takes._undo_place.count() == 0


def test_only_what_is_possible_is_offered(
    screen: LibraryScreen, context: AppContext, takes: list[LibraryTake], qtbot: QtBot
) -> None:
    page = screen.takes
    page.rows.choose({takes[0].id, takes[1].id})
    assert not page.open_button.isEnabled()
    assert page.compare_button.isEnabled()
    with qtbot.waitSignal(context.navigated) as signal:
        _click(qtbot, page.compare_button)
    assert signal.args is not None
    assert set(signal.args[1]["take_ids"]) == {takes[0].id, takes[1].id}
    page.rows.selectAll()
    assert not page.compare_button.isEnabled()
    assert page.delete_button.isEnabled()
    page.rows.choose({takes[0].id})
    assert page._notes.isVisible()


def test_a_take_is_edited_and_faults_stay_in_the_form(
    screen: LibraryScreen, context: AppContext, takes: list[LibraryTake], qtbot: QtBot
) -> None:
    screen.takes.rows.choose({takes[0].id})
    screen.takes.edit()
    form = screen.takes.findChild(Form)
    assert form is not None
    title = form.fields.itemAt(0, form.fields.ItemRole.FieldRole).widget()
    title.setText("  ")  # type: ignore[attr-defined]
    form.save()
    assert form.fault.isVisible()
    title.setText("better")  # type: ignore[attr-defined]
    form.save()
    assert not form.isVisible()
    assert context.library.take(takes[0].id).title == "better"
    assert "better" in _titles(screen)


def test_a_take_travels_through_the_dialogs(
    screen: LibraryScreen,
    context: AppContext,
    takes: list[LibraryTake],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    qtbot: QtBot,
) -> None:
    target = tmp_path / "out.singcoach"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    screen.takes.rows.choose({takes[0].id})
    with qtbot.waitSignal(context.told):
        screen.takes.export("take")
    assert target.stat().st_size > 0
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "list"), ""))
    with qtbot.waitSignal(context.told):
        screen.takes.export_list()
    assert len((tmp_path / "list.csv").read_text(encoding="utf-8-sig").splitlines()) == 4
    context.library.purge(context.library.delete_take(takes[0].id))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(target), ""))
    with qtbot.waitSignal(context.library_changed):
        screen.takes._on_bring_clicked()
    qtbot.waitUntil(lambda: "one" in _titles(screen))
    target.write_bytes(b"hostile")
    with qtbot.waitSignal(context.told) as signal:
        screen.takes.bring(target)
    assert signal.args is not None
    assert signal.args[0] == "error"
    assert "out.singcoach" in signal.args[1]


def test_songs_and_singers(
    screen: LibraryScreen, context: AppContext, sound: Path, qtbot: QtBot
) -> None:
    screen.show_tab("songs")
    songs = screen.songs
    songs.add()
    form = songs.findChild(Form)
    assert form is not None
    fields = [form.fields.itemAt(row, form.fields.ItemRole.FieldRole).widget() for row in range(4)]
    form.save()
    assert form.fault.isVisible(), "a song needs a title"
    fields[0].setText("New song")  # type: ignore[attr-defined]
    fields[2].choose(sound)  # type: ignore[attr-defined]
    with qtbot.waitSignal(context.library_changed):
        form.save()
    assert songs.rows.count() == 2
    assert songs.sing_button.isEnabled()
    with qtbot.waitSignal(context.navigated) as signal:
        songs._on_sing_clicked()
    assert signal.args == ["sing", {"song_id": songs.rows.keys[0]}]
    songs._on_delete_clicked()
    assert songs.rows.count() == 1
    songs.rows.choose_first()
    songs._tell_key(songs.takes_wanted)
    assert screen.tab == "takes"
    assert _titles(screen) == ["one"]

    screen.show_tab("singers")
    singers = screen.singers
    bo = next(one for one in context.library.singers() if one.name == "Bo")
    singers.rows.choose({bo.id})
    with qtbot.waitSignal(context.told):
        singers._on_delete_clicked()  # has takes
    singers._on_choose_clicked()
    assert context.settings.singer_id == bo.id
    singers._on_takes_clicked()
    assert _titles(screen) == ["two"]


def test_removing_for_good_asks_first(
    screen: LibraryScreen, context: AppContext, takes: list[LibraryTake], qtbot: QtBot
) -> None:
    context.library.delete_take(takes[0].id)
    screen.show_tab("deleted")
    screen.deleted._on_remove_clicked()
    box = screen.deleted.findChild(QMessageBox)
    assert box is not None
    box.reject()
    assert takes[0].recording.exists()
    screen.deleted.rows.choose({takes[0].id})
    screen.deleted.remove()
    assert not takes[0].recording.exists()
    assert not screen.deleted.rows.isVisible()


def test_what_another_window_adds_appears(
    screen: LibraryScreen, context: AppContext, takes: list[LibraryTake], sound: Path
) -> None:
    from singcoach.library.store import Library

    with Library.open(context.library.folder) as other:
        other.add_take(sound, singer_id=takes[0].singer_id, title="four", duration_s=1.0)
    screen._on_look_timeout()
    assert "four" in _titles(screen)


@pytest.mark.parametrize("tongue", LANGUAGES)
def test_no_choice_is_clipped_at_the_smallest_size(
    context: AppContext, takes: list[LibraryTake], qtbot: QtBot, tongue: str
) -> None:
    set_language(tongue)  # type: ignore[arg-type]
    screen = LibraryScreen(context)
    qtbot.addWidget(screen)
    screen.resize(816, 700)
    screen.show()
    screen.enter()
    qtbot.waitExposed(screen)
    for field in (screen.takes.order, screen.takes.singer):
        metrics = QFontMetrics(field.font())
        room = field.width() - 48
        for number in range(field.count()):
            words = field.itemText(number)
            assert metrics.horizontalAdvance(words) <= room, words
    search = screen.takes.search
    asked = QFontMetrics(search.font()).horizontalAdvance(search.placeholderText())
    assert asked <= search.width() - 72
    assert screen.minimumSizeHint().width() <= 816
    screen.leave()


def _progress(context: AppContext, qtbot: QtBot, **arguments: Any) -> ProgressScreen:
    screen = ProgressScreen(context)
    qtbot.addWidget(screen)
    screen.resize(816, 700)
    screen.show()
    screen.enter(**arguments)
    qtbot.waitUntil(lambda: not context.tasks.busy)
    return screen


def test_curves_of_who_sings(context: AppContext, takes: list[LibraryTake], qtbot: QtBot) -> None:
    screen = _progress(context, qtbot, dimension="breath")
    assert screen.dimension == "breath"
    assert screen.chart.accessibleName().startswith("Breath")
    assert "2.5 (1.5 to 3.5)" in screen.cards["breath"].accessibleName()
    screen.chart.setFocus()
    qtbot.keyClick(screen.chart, Qt.Key.Key_Left)
    assert screen.chart.marked == takes[0].id
    with qtbot.waitSignal(context.navigated) as signal:
        qtbot.keyClick(screen.chart, Qt.Key.Key_Return)
    assert signal.args == ["review", {"take_id": takes[0].id}]
    qtbot.keyClick(screen.cards["technique"], Qt.Key.Key_Space)
    assert screen.dimension == "technique"
    screen.chart.grab()
    screen.leave()


def test_a_singer_without_scores_is_told_what_to_do(
    context: AppContext, takes: list[LibraryTake], qtbot: QtBot
) -> None:
    nobody = context.library.add_singer("Nobody")
    screen = _progress(context, qtbot, singer_id=nobody.id)
    assert screen._stack.currentIndex() == 1
    with qtbot.waitSignal(context.navigated) as signal:
        screen._on_begin_clicked()
    assert signal.args == ["sing", {}]
    screen.leave()
