"""The review and the comparison as a user meets them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import review_samples as samples
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QFileDialog, QLabel, QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from singcoach.audio.outputs import SilentOutput
from singcoach.audio.player import Player
from singcoach.gui.context import AppContext
from singcoach.gui.screens.compare import CompareScreen
from singcoach.gui.screens.review import ReviewScreen
from singcoach.gui.texts import set_language
from singcoach.gui.widgets.base import EmptyState


@pytest.fixture
def quiet(context: AppContext) -> AppContext:
    """A context whose player needs no sound device."""
    player = Player(open_output=SilentOutput)
    context._player = player
    context._closing.append(player.close)
    return context


def opened(screen: Any, context: AppContext, qtbot: QtBot, **arguments: Any) -> None:
    qtbot.addWidget(screen)
    screen.resize(1024, 700)
    screen.show()
    screen.enter(**arguments)
    qtbot.waitUntil(lambda: not context.tasks.busy, timeout=20_000)


@pytest.fixture
def take_id(quiet: AppContext, tmp_path: Path) -> str:
    for day in (1, 2):
        samples.add_take(
            quiet.library, tmp_path, day=day, judged=samples.document({"breath": 1.5 + day})
        )
    return samples.add_take(
        quiet.library, tmp_path, title="My song", day=5, judged=samples.document()
    )


@pytest.fixture
def review(quiet: AppContext, take_id: str, qtbot: QtBot) -> ReviewScreen:
    screen = ReviewScreen(quiet)
    opened(screen, quiet, qtbot, take_id=take_id)
    return screen


def position_s(context: AppContext) -> float:
    return context.player.position_s


def test_a_take_opens_with_title_scores_and_moments(review: ReviewScreen) -> None:
    assert review._page.header.title.text() == "My song"
    assert review._stack.currentIndex() == 1
    words = " ".join(label.text() for label in review._page.moments.findChildren(QLabel))
    assert "Held back" in words
    assert review._timeline._content is not None
    assert len(review._timeline._content.moments) == 8


def test_clicking_an_axis_plays_what_moved_it(
    review: ReviewScreen, quiet: AppContext, qtbot: QtBot
) -> None:
    radar = review._page.scores._radar
    centre, radius = radar._frame()
    place = QPointF(centre.x(), centre.y() - 0.7 * radius).toPoint()
    qtbot.mouseClick(radar, Qt.MouseButton.LeftButton, pos=place)
    assert quiet.player.playing
    assert position_s(quiet) == pytest.approx(5.85, abs=0.3)  # breath-2, with its lead
    assert review._timeline._lit == {"breath-1", "breath-2"}


def test_clicking_a_sentence_plays_its_seconds(review: ReviewScreen, quiet: AppContext) -> None:
    paragraph = next(
        p for p in review._page.coach._paragraphs if any(line.moments for line in p.lines)
    )
    index = next(i for i, line in enumerate(paragraph.lines) if line.moments)
    paragraph.linkActivated.emit(str(index))
    found = review._review.moment(paragraph.lines[index].moments[0])  # type: ignore[union-attr]
    assert found is not None
    assert position_s(quiet) == pytest.approx(found.start_s - 0.15, abs=0.3)
    assert "background-color" in paragraph.text()


def test_a_moment_can_be_looped_and_slowed(review: ReviewScreen, quiet: AppContext) -> None:
    review._transport.toggle_loop()
    review._transport.speed.chosen.emit("0.5")
    review.play_moment("technique-1")
    section = quiet.player._section
    assert section is not None
    assert section.loop
    assert section.speed == 0.5
    assert (section.begin_s, section.end_s) == pytest.approx((1.85, 3.65))


def test_space_plays_and_pauses(review: ReviewScreen, quiet: AppContext, qtbot: QtBot) -> None:
    with qtbot.waitActive(review):
        review.activateWindow()
    review.setFocus()
    qtbot.keyClick(review, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: quiet.player.playing)
    qtbot.waitUntil(lambda: review._timeline._position_s > 0.0, timeout=5000)
    qtbot.keyClick(review, Qt.Key.Key_Space)
    assert not quiet.player.playing


def test_leaving_stops_and_lets_go(review: ReviewScreen, quiet: AppContext) -> None:
    review.play_moment("breath-1")
    review.leave()
    assert not quiet.player.playing
    assert quiet.player.duration_s == 0.0
    assert not review._playback._timer.isActive()


def test_notes_are_written_changed_deleted_and_brought_back(
    review: ReviewScreen, quiet: AppContext, take_id: str
) -> None:
    review._timeline.select(4.0, 6.0)
    review._write_note()
    review._page.editor._field.setPlainText("Open the vowel")
    review._page.editor._on_save()
    (note,) = quiet.library.notes(take_id)
    assert (note.start_s, note.end_s, note.text) == (4.0, 6.0, "Open the vowel")
    assert review._timeline._content is not None
    assert len(review._timeline._content.notes) == 1
    review._edit_note(note.id)
    review._page.editor._field.setPlainText("Open it more")
    review._page.editor._on_save()
    assert quiet.library.notes(take_id)[0].text == "Open it more"
    review._delete_note(note.id)
    assert quiet.library.notes(take_id) == []
    undo = next(b for b in review._page.findChildren(QPushButton) if b.text() == "Undo")
    undo.click()
    assert quiet.library.notes(take_id)[0].text == "Open it more"


def test_a_deleted_take_comes_back(review: ReviewScreen, quiet: AppContext, qtbot: QtBot) -> None:
    review._actions.delete()
    assert review._stack.currentIndex() == 0
    words = [label.text() for label in review.findChildren(EmptyState)[-1].findChildren(QLabel)]
    assert "“My song” was deleted" in words
    assert len(quiet.library.takes()) == 2
    review._actions.undo()
    qtbot.waitUntil(lambda: review._stack.currentIndex() == 1, timeout=20_000)
    assert len(quiet.library.takes()) == 3
    qtbot.waitUntil(lambda: not quiet.tasks.busy, timeout=20_000)


def test_a_take_is_exported(
    review: ReviewScreen,
    quiet: AppContext,
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = tmp_path / "out" / "song"
    target.parent.mkdir()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_a, **_k: (str(target), ""))
    review._actions.export("json")
    qtbot.waitUntil(lambda: not quiet.tasks.busy, timeout=20_000)
    assert (tmp_path / "out" / "song.json").stat().st_size > 100


def test_a_take_without_assessment_offers_the_analysis(
    quiet: AppContext, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_id = samples.add_take(quiet.library, tmp_path)
    asked: list[str] = []
    monkeypatch.setattr(quiet.analysis, "add_take", lambda i, **_: asked.append(i))
    screen = ReviewScreen(quiet)
    opened(screen, quiet, qtbot, take_id=take_id)
    assert screen._stack.currentIndex() == 0
    next(b for b in screen.findChildren(QPushButton) if b.text() == "Analyse now").click()
    assert asked == [take_id]
    qtbot.waitUntil(lambda: not quiet.tasks.busy, timeout=20_000)


def test_the_coachs_sentences_appear_as_they_are_written(
    review: ReviewScreen, quiet: AppContext, take_id: str
) -> None:
    quiet.analysis.sentence.emit("another", "Not this one.")
    quiet.analysis.sentence.emit(take_id, "A calm take.")
    quiet.analysis.sentence.emit(take_id, "Well held.")
    (stream,) = (p for p in review._page.coach._paragraphs if p.lines)
    assert [line.text for line in stream.lines] == ["A calm take.", "Well held."]


def test_a_null_score_is_told_with_its_reason(
    quiet: AppContext, qtbot: QtBot, tmp_path: Path
) -> None:
    nothing = dict.fromkeys(("overall", "breath", "timbre", "emotion", "technique"))
    take_id = samples.add_take(
        quiet.library,
        tmp_path,
        judged=samples.document(nothing, verdict="insufficient"),
    )
    screen = ReviewScreen(quiet)
    opened(screen, quiet, qtbot, take_id=take_id)
    words = " ".join(label.text() for label in screen._page.findChildren(QLabel))
    assert "Not enough evidence" in words
    assert "Less than 10 s of singing" in words
    assert screen._page.scores._radar._shape is not None
    assert screen._page.scores._radar._shape.values == (None, None, None, None)
    assert "not enough evidence" in screen._page.scores._radar.accessibleDescription()


def test_everything_that_can_be_pressed_has_a_name(review: ReviewScreen) -> None:
    for button in (*review.findChildren(QPushButton), *review.findChildren(QToolButton)):
        assert button.accessibleName() or button.text(), button
    for widget in (
        review._timeline,
        review._page.sections,
        review._page.scores._radar,
        review._page.scores._table,
    ):
        assert widget.accessibleName()


def test_the_table_says_what_the_chart_shows(review: ReviewScreen) -> None:
    table = review._page.scores._table
    rows = [
        [table.item(r, c).text() for c in range(table.columnCount())]  # type: ignore[union-attr]
        for r in range(table.rowCount())
    ]
    assert rows[0][:3] == ["Overall", "3", "between 2.5 and 3.5"]
    assert rows[1][0] == "Breath control"
    assert rows[1][3] == "3.0"  # the mean of 2.5 and 3.5


def test_another_take_is_drawn_beside(review: ReviewScreen) -> None:
    beside = review._page.scores._beside
    assert beside.count() == 3
    beside.setCurrentIndex(1)
    beside.activated.emit(1)
    assert review._page.scores._radar._other is not None
    beside.activated.emit(0)
    assert review._page.scores._radar._other is None


@pytest.mark.parametrize("language", ["de", "ja"])
def test_the_screen_speaks_other_languages(
    quiet: AppContext, qtbot: QtBot, take_id: str, language: Any
) -> None:
    set_language(language)
    screen = ReviewScreen(quiet)
    opened(screen, quiet, qtbot, take_id=take_id)
    words = " ".join(label.text() for label in screen.findChildren(QLabel))
    assert "Your coach" not in words
    assert ("Dein Coach" if language == "de" else "コーチから") in words


# --- comparing ------------------------------------------------------------------------------------


def test_two_takes_are_compared_and_heard_in_step(
    quiet: AppContext, qtbot: QtBot, tmp_path: Path
) -> None:
    first = samples.add_take(quiet.library, tmp_path, day=1, judged=samples.document())
    second = samples.add_take(
        quiet.library,
        tmp_path,
        day=2,
        judged=samples.document({"breath": 4.5}),
        drawn=samples.curves(start_s=2.0),
    )
    screen = CompareScreen(quiet)
    opened(screen, quiet, qtbot, take_ids=(first, second))
    assert screen._summary.text() == "The second take is higher in: Breath control."
    screen._play(3.0, 6.0)
    screen.hear_other()
    assert quiet.player._chosen == 1
    assert quiet.player._offset_s == pytest.approx(1.0, abs=0.03)
    assert screen._timeline._content is not None
    assert screen._timeline._content.overlay is not None
    screen.swap()
    qtbot.waitUntil(lambda: not quiet.tasks.busy, timeout=20_000)
    assert screen._summary.text() == "The second take is lower in: Breath control."
    screen.leave()
    assert quiet.player.duration_s == 0.0


def test_one_take_is_given_a_partner(quiet: AppContext, qtbot: QtBot, take_id: str) -> None:
    screen = CompareScreen(quiet)
    opened(screen, quiet, qtbot, take_ids=(take_id,))
    assert screen._ids is not None
    assert screen._ids[1] == take_id
    assert screen._stack.currentIndex() == 1
    screen.leave()


def test_too_few_takes_say_what_to_do(quiet: AppContext, qtbot: QtBot, tmp_path: Path) -> None:
    samples.add_take(quiet.library, tmp_path, judged=samples.document())
    screen = CompareScreen(quiet)
    opened(screen, quiet, qtbot)
    assert screen._stack.currentIndex() == 0
    words = [label.text() for label in screen.findChildren(QLabel)]
    assert "There is nothing to compare yet" in words
