"""Reading ratings and scores: every file that people really have, and one sentence for the rest."""

from __future__ import annotations

import contextlib
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from singcoach.benchmark.htpr.matching import match, relative_names
from singcoach.benchmark.htpr.predictions import read_predictions
from singcoach.benchmark.htpr.ratings import Ratings, read_ratings
from singcoach.errors import InputError

PLAIN = "item,rater,score\na,r1,1\na,r2,2.5\nb,r1,4\n"


def read(tmp_path: Path, content: str | bytes, **options: object) -> Ratings:
    path = tmp_path / "ratings.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_ratings(path, **options)


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        "\ufeff" + PLAIN,
        PLAIN.encode("utf-16"),
        PLAIN.encode("utf-16-le"),
        PLAIN.encode("utf-16-be"),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        PLAIN.replace(",", ";").replace(".", ","),
        PLAIN.replace(",", "\t").replace(".", ","),
        PLAIN.replace("2.5", '"2,5"'),
        PLAIN.replace("item,rater,score", " Item , RATER ,Score"),
        "\n" + PLAIN.replace("\n", "\n\n,,\n"),
        "score,note,rater,item\n1,x,r1,a\n2.5,,r2,a\n4,y,r1,b\n",
        PLAIN + "a,r1,1\n",
        PLAIN + "b,r2,\nb,r3,NaN\nb,r4,n/a\n",
    ],
)
def test_one_table_in_many_clothes(tmp_path: Path, content: str | bytes) -> None:
    ratings = read(tmp_path, content)
    table = ratings.tables["overall"]
    assert (table.items, table.raters) == (("a", "b"), ("r1", "r2"))
    assert np.array_equal(table.scores, [[1.0, 2.5], [4.0, math.nan]], equal_nan=True)
    assert (ratings.lowest, ratings.highest, ratings.n_ratings) == (1.0, 4.0, 3)
    assert table.means.tolist() == [1.75, 4.0]
    assert not table.scores.flags.writeable


def test_what_was_guessed_or_passed_over_is_told(tmp_path: Path) -> None:
    notes = read(tmp_path, PLAIN + "a,r1,1\nb,r2,\n").notes
    assert any("1 rating" in note and "twice" in note for note in notes)
    assert any("1 line" in note and "without a score" in note for note in notes)
    ratings = read(tmp_path, PLAIN.replace("a,", "é,").encode("cp1252"))
    assert ratings.items == ("é", "b")
    assert "Windows-1252" in ratings.notes[0]


def test_dimensions_and_groups(tmp_path: Path) -> None:
    text = (
        "item,rater,dimension,score,song,mood\n"
        "a,r,Breath,1,s1,x\na,r,,2,s1,y\nb,r,breath,3,s2,x\nb,r,timbre,4,s2,x\n"
    )
    ratings = read(tmp_path, text)
    assert list(ratings.tables) == ["breath", "overall", "timbre"]
    assert ratings.tables["timbre"].items == ("b",)
    assert ratings.groups == {"song": {"a": "s1", "b": "s2"}}
    assert read(tmp_path, text, groups=["song"]).groups == ratings.groups
    with pytest.raises(InputError, match="no single mood"):
        read(tmp_path, text, groups=["mood"])
    with pytest.raises(InputError, match="no column choir"):
        read(tmp_path, text, groups=["choir"])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "is empty"),
        ("item,rater,score\n", "holds no rating"),
        ("item,rater,score\na,r,\n", "holds no rating"),
        ("track,judge,score\na,r,1\n", "no column item and no column rater"),
        (PLAIN + "a,r1,3\n", "line 5: r1 rated a twice"),
        (PLAIN + "a,r9,good\n", "line 5: the score 'good' is not a usable number"),
        (PLAIN + "a,r9,inf\n", "not a usable number"),
        (PLAIN + "a,r9,1e99\n", "not a usable number"),
        (PLAIN + "a,r9,1_0\n", "not a usable number"),
        (PLAIN + "a,r9,2,5\n", "line 5: 4 fields under 3 columns"),
        (PLAIN + ",r9,2\n", "line 5: the item is missing"),
        (PLAIN + "a,,2\n", "line 5: the rater is missing"),
        (PLAIN + 'a,"r9,2\n', "quotes or fields"),
        ("item,rater,score,score\na,r,1,2\n", "column score twice"),
        (b"\xff\xfei\x00t", "not utf-16-le text"),
        (b"item,rater,score\na,r\x00,1\n", "not a text file"),
        (b"RIFF\x00\x01\x02\x00WAVE", "not a text file"),
    ],
)
def test_every_fault_is_one_sentence(tmp_path: Path, content: str | bytes, sentence: str) -> None:
    with pytest.raises(InputError) as fault:
        read(tmp_path, content)
    assert sentence in fault.value.message
    assert fault.value.exit_code == 3
    assert "\n" not in fault.value.message
    assert fault.value.hint


def test_a_folder_and_a_missing_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="folder"):
        read_ratings(tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        read_ratings(tmp_path / "none.csv")


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "ratings.csv"
    for head in (b"", b"item,rater,score\n", b"{", b"item;score\n"):
        path.write_bytes(head + content)
        for read_one in (read_ratings, read_predictions):
            with contextlib.suppress(InputError):
                read_one(path)


def test_items_find_their_recordings_by_path_or_name() -> None:
    names = ["x/01.flac", "x/02.flac", "y/02.wav", "take.one.wav", "cafe\u0301.mp3"]
    items = [
        "01",
        "x/02",
        "y/02.wav",
        "02",
        "take.one",
        "caf\u00e9",
        "gone",
        "./x/01.flac",
        "01.mp3",
    ]
    found = match(items, names)
    assert found.found == {
        "01": ("x/01.flac",),
        "x/02": ("x/02.flac",),
        "y/02.wav": ("y/02.wav",),
        "take.one": ("take.one.wav",),
        "caf\u00e9": ("cafe\u0301.mp3",),
        "./x/01.flac": ("x/01.flac",),
        "01.mp3": ("x/01.flac",),
    }
    assert found.missing == ("gone",)
    assert found.ambiguous == {"02": ("x/02.flac", "y/02.wav")}
    assert found.unused == ()


def test_a_folder_is_one_performance_in_parts() -> None:
    names = ["set/ann/2.wav", "set/ann/1.wav", "set/bob/1.wav", "ann/9.wav"]
    found = match(["set/ann", "bob", "ann"], names, folders=True)
    assert found.found["set/ann"] == ("set/ann/1.wav", "set/ann/2.wav")
    assert found.found["bob"] == ("set/bob/1.wav",)
    assert found.found["ann"] == ("ann/9.wav",)
    assert match(["bob"], names).missing == ("bob",)


@given(st.lists(st.text(max_size=8), max_size=5), st.lists(st.text(max_size=8), max_size=5))
def test_any_names_can_be_matched(items: list[str], names: list[str]) -> None:
    found = match(items, names, folders=True)
    listed = [*found.found, *found.missing, *found.ambiguous]
    assert sorted(listed) == sorted(set(items))


def test_names_are_below_the_folder(tmp_path: Path) -> None:
    files = [tmp_path / "a" / "b.wav", Path("elsewhere.wav")]
    assert set(relative_names(files, tmp_path)) == {"a/b.wav", "elsewhere.wav"}


def test_scores_from_a_table(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("item;dimension;score;low;high\na;timbre;3,5;3;4\na;;2;;\nb;;;;\n")
    found = read_predictions(path).items
    assert (found["a"].scores["timbre"].value, found["a"].scores["timbre"].high) == (3.5, 4.0)
    assert (found["a"].scores["overall"].value, found["a"].scores["overall"].low) == (2.0, None)
    assert found["b"].scores["overall"].value is None
    assert found["b"].scores["overall"].reason
    path.write_text("item,score\na,1\na,2\n")
    with pytest.raises(InputError, match="two different scores"):
        read_predictions(path)
    path.write_text(json.dumps({"schema": "singcoach.speed/1"}))
    with pytest.raises(InputError, match="line 1: this is no assessment"):
        read_predictions(path)
