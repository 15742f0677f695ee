"""The timeline, the radar and the sections: pointing, keys, and how much is drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import review_samples as samples
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPixmap, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from singcoach.core.scores import DIMENSIONS
from singcoach.gui.context import AppContext
from singcoach.gui.theme import colour
from singcoach.gui.view_models.review import review_of
from singcoach.gui.view_models.timeline_content import TimelineContent, timeline_content
from singcoach.gui.widgets.coach_words import SpokenLines
from singcoach.gui.widgets.radar import RadarChart
from singcoach.gui.widgets.sections import SectionBars, section_words
from singcoach.gui.widgets.timeline import Timeline
from singcoach.gui.widgets.timeline_paint import mark_box, note_box
from singcoach.library.values import TakeNote
from singcoach.report.pitch_sections import PitchSection, PitchSections

pytestmark = pytest.mark.usefixtures("context")


def content() -> TimelineContent:
    review = review_of(samples.document())
    drawn = samples.curves()
    note = TakeNote(
        id="n1",
        take_id="t",
        start_s=8.0,
        end_s=10.0,
        text="Open the vowel",
        made_at=samples.datetime(2026, 3, 1, tzinfo=samples.UTC),
    )
    return timeline_content(drawn, moments=review.moments, notes=(note,))


@pytest.fixture
def timeline(qtbot: QtBot) -> Timeline:
    made = Timeline()
    qtbot.addWidget(made)
    made.resize(900, 320)
    made.set_content(content())
    made.show()
    return made


def at(timeline: Timeline, time_s: float) -> QPoint:
    canvas = timeline.canvas()
    return QPointF(canvas.x(time_s), canvas.lanes.pitch.center().y()).toPoint()


def test_a_click_goes_there(timeline: Timeline, qtbot: QtBot) -> None:
    with qtbot.waitSignal(timeline.sought) as caught:
        qtbot.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=at(timeline, 7.5))
    assert caught.args[0] == pytest.approx(7.5, abs=0.05)


def test_a_drag_chooses_seconds(timeline: Timeline, qtbot: QtBot) -> None:
    with qtbot.waitSignal(timeline.selected) as caught:
        qtbot.mousePress(timeline, Qt.MouseButton.LeftButton, pos=at(timeline, 9.0))
        qtbot.mouseMove(timeline, at(timeline, 6.0))
        qtbot.mouseRelease(timeline, Qt.MouseButton.LeftButton, pos=at(timeline, 6.0))
    assert caught.args == pytest.approx([6.0, 9.0], abs=0.05)
    assert timeline.selection == pytest.approx((6.0, 9.0), abs=0.05)


def test_a_double_click_chooses_the_phrase(timeline: Timeline, qtbot: QtBot) -> None:
    with qtbot.waitSignal(timeline.selected) as caught:
        qtbot.mouseDClick(timeline, Qt.MouseButton.LeftButton, pos=at(timeline, 3.0))
    phrase = samples.curves().phrases[0]
    assert caught.args == pytest.approx([phrase.start_s, phrase.end_s])


def test_moments_and_notes_can_be_hit(timeline: Timeline, qtbot: QtBot) -> None:
    canvas = timeline.canvas()
    place = mark_box(canvas, 0).center().toPoint()
    with qtbot.waitSignal(timeline.moment_chosen) as caught:
        qtbot.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=place)
    assert caught.args == [canvas.content.moments[0].id]
    with qtbot.waitSignal(timeline.note_chosen) as noted:
        qtbot.mouseClick(
            timeline, Qt.MouseButton.LeftButton, pos=note_box(canvas, 0).center().toPoint()
        )
    assert noted.args == ["n1"]


def test_keys_seek_zoom_and_walk(timeline: Timeline, qtbot: QtBot) -> None:
    sought: list[float] = []
    timeline.sought.connect(sought.append)
    qtbot.keyClick(timeline, Qt.Key.Key_Right)
    qtbot.keyClick(timeline, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(timeline, Qt.Key.Key_Left)
    assert sought == pytest.approx([2.0, 2.2, 0.2])
    qtbot.keyClick(timeline, Qt.Key.Key_Plus)
    assert timeline.view.shown_s == pytest.approx(20.0 / 1.5)
    qtbot.keyClick(timeline, Qt.Key.Key_0)
    assert timeline.view.whole
    with qtbot.waitSignal(timeline.moment_chosen) as first:
        qtbot.keyClick(timeline, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
    with qtbot.waitSignal(timeline.moment_chosen) as second:
        qtbot.keyClick(timeline, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
    assert first.args != second.args
    assert timeline.accessibleDescription()


def wheel(timeline: Timeline, steps: int, modifiers: Qt.KeyboardModifier) -> QWheelEvent:
    place = QPointF(at(timeline, 5.0))
    event = QWheelEvent(
        place,
        timeline.mapToGlobal(place),
        QPoint(),
        QPoint(0, 120 * steps),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(timeline, event)
    return event


def test_the_wheel_scrolls_the_page_until_one_has_zoomed(timeline: Timeline) -> None:
    plain, control = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier
    assert not wheel(timeline, -1, plain).isAccepted()
    wheel(timeline, 4, control)
    closer = timeline.view
    assert closer.shown_s < 5.0
    assert closer.start_s < 5.0 < closer.end_s
    assert wheel(timeline, -1, plain).isAccepted()
    assert timeline.view.start_s > closer.start_s


def test_the_strip_below_moves_the_view(timeline: Timeline, qtbot: QtBot) -> None:
    timeline.zoom(4.0)
    lane = timeline.canvas().lanes.overview
    place = QPointF(lane.left() + 0.75 * lane.width(), lane.center().y()).toPoint()
    qtbot.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=place)
    assert timeline.view.start_s + timeline.view.shown_s / 2 == pytest.approx(15.0, abs=0.1)


def test_playing_draws_only_the_play_head_anew(timeline: Timeline) -> None:
    timeline.grab()
    still = timeline._still
    assert still is not None
    timeline.set_position(3.0)
    timeline.grab()
    assert timeline._still is still
    timeline.zoom(2.0)
    timeline.grab()
    assert timeline._still is not still


class CountingPainter(QPainter):
    """Counts the points of lines."""

    n_points = 0

    def drawPolyline(self, polygon: object) -> None:  # noqa: N802
        self.n_points += len(polygon)  # type: ignore[arg-type]
        super().drawPolyline(polygon)

    def drawLines(self, lines: object) -> None:  # noqa: N802
        self.n_points += 2 * len(lines)  # type: ignore[arg-type]
        super().drawLines(lines)


@pytest.mark.parametrize("zoom", [1.0, 30.0, 5000.0])
def test_two_hours_draw_no_more_than_a_few_points_a_pixel(timeline: Timeline, zoom: float) -> None:
    from singcoach.gui.widgets.timeline_paint import paint_still

    hours = content()
    n = 450_000
    times_s = np.arange(n) * 0.016
    peaks = np.tile(np.array([[-0.5, 0.5]], np.float32), (360_000, 1))
    notes = tuple(
        replace(hours.sung[0], start_s=i * 0.5, end_s=i * 0.5 + 0.4) for i in range(14_000)
    )
    long = replace(
        hours,
        duration_s=7200.0,
        times_s=times_s,
        semitones=60.0 + 3.0 * np.sin(times_s),
        peaks=peaks,
        sung=notes,
        starts={**hours.starts, "sung": np.array([note.start_s for note in notes])},
    )
    timeline.set_content(long)
    timeline.zoom(zoom)
    pixmap = QPixmap(timeline.size())
    painter = CountingPainter(pixmap)
    paint_still(timeline.canvas(painter))
    painter.end()
    # Two points a pixel for the pitch, two for each of the two waveforms, some for the grid.
    assert 500 < painter.n_points < 7 * timeline.width()


# --- radar ----------------------------------------------------------------------------------------


def test_a_missing_score_has_no_mark(qtbot: QtBot) -> None:
    radar = RadarChart()
    qtbot.addWidget(radar)
    radar.resize(400, 360)
    review = review_of(samples.document({"timbre": None, "breath": 4.5}))
    radar.set_scores(review.lines, review.assessment.scores.dimensions)
    image = radar.grab().toImage()
    wanted = {name: QColor(colour(name)).rgb() for name in DIMENSIONS}
    seen = {image.pixel(x, y) for x in range(image.width()) for y in range(image.height())}
    assert wanted["breath"] in seen
    assert wanted["timbre"] not in seen
    assert "not enough evidence" in radar.accessibleDescription()


def test_the_radar_is_walked_by_keys(qtbot: QtBot) -> None:
    radar = RadarChart()
    qtbot.addWidget(radar)
    review = review_of(samples.document())
    radar.set_scores(review.lines, review.assessment.scores.dimensions)
    chosen: list[str] = []
    radar.axis_chosen.connect(chosen.append)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_Return):
        qtbot.keyClick(radar, key)
    assert chosen == ["breath", "timbre", "breath", "breath"]


# --- sections and sentences -----------------------------------------------------------------------


def section(start_s: float, accuracy: float | None, **more: object) -> PitchSection:
    values: dict[str, object] = {
        "start_s": start_s,
        "end_s": start_s + 5.0,
        "accuracy": accuracy,
        "state": "sung",
        "sung_s": 4.0,
        "n_notes": 8,
        "lean_cents": 0.0,
    }
    return PitchSection(**{**values, **more})  # type: ignore[arg-type]


def test_sections_are_told_and_chosen(qtbot: QtBot) -> None:
    bars = SectionBars()
    qtbot.addWidget(bars)
    bars.resize(600, 132)
    found = PitchSections(
        sections=(
            section(0.0, 0.83),
            section(5.0, 0.5, lean_cents=-25.0),
            section(10.0, None, state="not_sung"),
        ),
        accuracy=0.7,
        reference="song",
        coverage=0.7,
    )
    bars.set_sections(found)
    words = [section_words(s) for s in found.sections]
    assert words == [
        "0:00 to 0:05: 85%",
        "0:05 to 0:10: 50%, a little low",
        "0:10 to 0:15: not sung",
    ]
    assert all(word in bars.accessibleDescription() for word in words)
    with qtbot.waitSignal(bars.section_chosen) as caught:
        qtbot.mouseClick(bars, Qt.MouseButton.LeftButton, pos=QPoint(300, 60))
    assert caught.args == [5.0, 10.0]


def test_sentences_are_links_only_where_there_is_something_to_hear(qtbot: QtBot) -> None:
    words = review_of(samples.document()).words
    assert words is not None
    lines = SpokenLines(words.critique)
    qtbot.addWidget(lines)
    linked = sum(bool(line.moments) or line.subject is not None for line in words.critique)
    assert lines.text().count("<a href") == linked
    chosen: list[int] = []
    lines.line_chosen.connect(chosen.append)
    lines.linkActivated.emit("1")
    assert chosen == [1]


def test_a_sentence_cannot_smuggle_markup(context: AppContext, qtbot: QtBot) -> None:
    words = review_of(samples.document()).words
    assert words is not None
    evil = replace(words.summary[0], text='<img src="x"><b>loud</b>')
    lines = SpokenLines([evil])
    qtbot.addWidget(lines)
    assert "<img" not in lines.text()
