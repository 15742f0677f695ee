"""What the lists of the library and the curves of progress say, in every language, without Qt."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from singcoach.core.languages import LANGUAGES
from singcoach.gui.texts import set_language
from singcoach.gui.view_models.library import (
    ORDERS,
    deleted_rows,
    opening_words,
    singer_rows,
    song_rows,
    take_rows,
)
from singcoach.gui.view_models.progress import Curve, curve_of, nearest, signed
from singcoach.library.values import (
    LibrarySong,
    LibraryTake,
    OpeningReport,
    ProgressCurve,
    ProgressPoint,
    Singer,
    TakeRow,
)

WHEN = datetime(2026, 3, 1, 12, tzinfo=UTC)
TAKE = TakeRow(
    id="t",
    title="Evening",
    singer_id="s",
    singer="Ana",
    song_id="g",
    song="Edelweiss",
    made_at=WHEN,
    duration_s=65.0,
    overall=3.44,
    low=2.9,
    high=4.0,
    verdict="pass",
    state="done",
    notes=1,
)


def test_a_judged_take_says_score_and_interval() -> None:
    (row,) = take_rows([TAKE])
    assert row.bar is not None
    assert row.bar.words == "3.5 (2.5 to 4)"
    assert row.tag == ""
    assert row.detail.startswith("Ana · Edelweiss · 1 Mar 2026")
    assert row.detail.endswith("1:05 · 1 note")
    assert "3.5 (2.5 to 4)" in row.spoken
    assert "·" not in row.spoken


@pytest.mark.parametrize(
    ("changes", "tag", "tint"),
    [
        ({"state": "new"}, "Not analysed", "plain"),
        ({"state": "waiting"}, "Waiting", "plain"),
        ({"state": "running"}, "Listening", "accent"),
        ({"state": "failed"}, "Failed", "danger"),
        ({"overall": None, "low": None, "high": None}, "Not judged", "plain"),
        ({"verdict": "weak"}, "Weak recording", "warning"),
    ],
)
def test_the_state_is_a_word_and_not_only_a_colour(
    changes: dict[str, object], tag: str, tint: str
) -> None:
    (row,) = take_rows([replace(TAKE, **changes)])  # type: ignore[arg-type]
    assert (row.tag, row.tint) == (tag, tint)
    assert tag in row.spoken
    assert (row.bar is None) == (changes.get("state") is not None or "overall" in changes)


def test_a_song_that_is_the_title_is_not_said_twice() -> None:
    (row,) = take_rows([replace(TAKE, title="Edelweiss", notes=0)])
    assert row.spoken.count("Edelweiss") == 1


def test_other_lists() -> None:
    song = LibrarySong(
        id="g", title="Song", artist="", audio=None, lyrics=Path("w.txt"), made_at=WHEN, takes=2
    )
    (row,) = song_rows([song])
    assert (row.detail, row.tag) == ("2 takes · with lyrics", "No sound file")
    assert song_rows([replace(song, audio=Path("a.mp3"))])[0].tag == ""
    singer = Singer(id="s", name="Ana", made_at=WHEN, takes=1)
    assert singer_rows([singer], "s")[0].tag == "Sings now"
    assert singer_rows([singer], None)[0].tag == ""
    gone = LibraryTake(
        id="t",
        title="Old",
        singer_id="s",
        singer="Ana",
        song_id=None,
        song="",
        made_at=WHEN,
        origin="recorded",
        duration_s=3.0,
        recording=Path("r.wav"),
        overall=None,
        low=None,
        high=None,
        verdict=None,
        state="new",
        deleted_at=WHEN,
    )
    assert deleted_rows([gone], WHEN + timedelta(days=3))[0].tag == "27 days left"
    assert deleted_rows([gone], WHEN + timedelta(days=29))[0].tag == "1 day left"
    assert deleted_rows([gone], WHEN + timedelta(days=90))[0].tag == "0 days left"


def test_what_was_put_right_is_told() -> None:
    assert opening_words(OpeningReport()) == []
    assert opening_words(OpeningReport(requeued=2)) == []
    (found,) = opening_words(OpeningReport(rediscovered=1))
    assert found.startswith("1 take was found")
    told = opening_words(
        OpeningReport(set_aside=Path("x/library-damaged-1.db"), rediscovered=9, lost=tuple("abcd"))
    )
    assert "library-damaged-1.db" in told[0]
    assert told[1] == "The files of 4 takes are no longer there: a, b, c…"


def _curve(scores: list[float], **changes: object) -> Curve:
    points = tuple(
        ProgressPoint(
            take_id=str(number),
            title="Take",
            made_at=WHEN + timedelta(days=10 * number),
            score=score,
            low=max(1.0, score - 0.5),
            high=min(5.0, score + 0.5),
        )
        for number, score in enumerate(scores)
    )
    curve = ProgressCurve(
        singer_id="s", dimension="breath", points=points, trend="not enough", sittings=len(scores)
    )
    last = points[-1].made_at if points else WHEN
    return curve_of(replace(curve, **changes), first=WHEN, last=last)  # type: ignore[arg-type]


def test_a_curve_lies_in_its_time() -> None:
    curve = _curve([2.0, 3.0, 4.0])
    assert [dot.x for dot in curve.dots] == [0.0, 0.5, 1.0]
    assert [tick.x for tick in curve.ticks] == pytest.approx([0.0, 1 / 3, 2 / 3, 1.0])
    assert curve.latest == "4 (3.5 to 4.5)"
    assert nearest(curve.dots, 0.6) == 1
    assert nearest(curve.dots, 9.0) == 2
    assert nearest((), 0.5) is None
    assert _curve([3.0]).dots[0].x == 0.5
    assert len(_curve([3.0]).ticks) == 1
    assert _curve([]).ticks == ()


def test_what_a_curve_says_is_never_more_than_the_rule_found() -> None:
    early = _curve([2.0, 3.0, 4.0])
    assert early.reason == "Sing on 4 more days, and a change can be told from noise."
    assert signed(early) == "Too early to say"
    values = {"sittings": 8, "change": 0.84, "margin": 0.4}
    assert "0.8 above" in _curve([3.0] * 8, trend="up", **values).reason
    assert signed(_curve([3.0] * 8, trend="up", **values)) == "↗ Rising"
    down = _curve([3.0] * 8, trend="down", sittings=8, change=-0.84, margin=0.4)
    assert "0.8 below" in down.reason
    steady = _curve([3.0] * 8, trend="steady", sittings=8, change=-0.04, margin=0.4)
    assert "differ by 0.0" in steady.reason
    assert "Breath" in steady.spoken
    assert "No clear change" in steady.spoken


@pytest.mark.parametrize("tongue", LANGUAGES)
def test_every_language_says_everything(tongue: str) -> None:
    set_language(tongue)  # type: ignore[arg-type]
    rows = [
        *take_rows([replace(TAKE, state=state) for state in ("new", "waiting", "running", "done")]),  # type: ignore[arg-type]
        *singer_rows([Singer(id="s", name="Ana", made_at=WHEN, takes=0)], "s"),
    ]
    assert all(row.spoken and "{" not in row.spoken for row in rows)
    for trend in ("up", "down", "steady", "not enough"):
        curve = _curve([2.0, 3.0], trend=trend, change=0.5, margin=0.3)
        assert "{" not in curve.spoken
        assert curve.reason
    assert len(ORDERS) == 6
