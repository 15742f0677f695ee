"""A corpus: laid out by singer, made whole, gone on with, read back."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pytest
from made_voices import write_vowels

from singcoach.audio.reading import read_audio
from singcoach.cli import train_edits
from singcoach.errors import Cancelled, InputError, OutputError
from singcoach.jobs import Job
from singcoach.models.sessions import Session
from singcoach.training.corpus import (
    COLUMNS,
    LABELS_NAME,
    Row,
    read_corpus,
    read_manifest,
    write_labels,
)
from singcoach.training.edits.kinds import FAULT_KINDS
from singcoach.training.made import plan as planning
from singcoach.training.made.build import build_corpus
from singcoach.training.made.plan import make_plan


def row(**changes: object) -> Row:
    values: dict[str, object] = {
        "item": "a",
        "file": "audio/a.flac",
        "corpus": "made",
        "singer": "s",
        "song": "m",
        "group": "g",
        "edit": "scoops",
        "severity": 0.5,
        "split": "train",
    }
    return Row(**{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_vowels(tmp_path / "data" / "vocobox")
    return tmp_path / "data"


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "SECONDS", (6.0, 6.5))


def test_labels_order_the_severities() -> None:
    assert row().labels == {"technique": -0.5, "overall": -0.5}
    assert row(edit="vibrato_removed", severity=1.0).labels["emotion"] == -1.0
    assert set(row(edit="original", severity=0.0).labels.values()) == {0.0}
    assert len(row(edit="neutral", severity=0.0).labels) == 5


def test_rows_survive_the_file(tmp_path: Path) -> None:
    (tmp_path / "audio").mkdir()
    (tmp_path / "audio" / "a.flac").touch()
    rows = (row(), row(item="b", song="with, comma", split="held-out"))
    write_labels(tmp_path, rows)
    assert read_corpus(tmp_path) == rows
    assert (tmp_path / LABELS_NAME).read_text().splitlines()[0] == ",".join(COLUMNS)


@pytest.mark.parametrize(
    "changes",
    [
        {"severity": 1.5},
        {"severity": float("nan")},
        {"edit": "louder"},
        {"split": "test"},
        {"file": "../a.flac"},
        {"file": "audio/none.flac"},
    ],
)
def test_rows_that_are_not_valid_are_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    (tmp_path / "audio").mkdir()
    (tmp_path / "audio" / "a.flac").touch()
    write_labels(tmp_path, [row(**changes)])
    with pytest.raises(InputError):
        read_corpus(tmp_path)


def test_a_folder_that_is_no_corpus_is_refused(tmp_path: Path) -> None:
    for read in (read_corpus, read_manifest):
        with pytest.raises(InputError, match="not a corpus"):
            read(tmp_path)


@pytest.mark.usefixtures("world")
def test_plans_part_singers_and_cover_every_edit(shared_data: Path) -> None:
    plan = make_plan(shared_data, seed=0, takes=600)
    train = {g.singer for g in plan.groups if g.split == "train"}
    held_out = {g.singer for g in plan.groups if g.split == "held-out"}
    assert not train & held_out
    assert len(train) >= 6
    assert len(held_out) >= 3
    for split in ("train", "held-out"):
        groups = [g for g in plan.groups if g.split == split]
        assert {e for g in groups for e in g.edits[: g.count]} == set(FAULT_KINDS)
    assert plan.shippable
    assert all(source.licence in ("CC BY 4.0", "MIT") for source in plan.sources)
    assert len({g.name for g in plan.groups}) == len(plan.groups)


@pytest.mark.usefixtures("world", "short")
def test_a_corpus_is_made_gone_on_with_and_the_same(
    data: Path, tmp_path: Path, pitch_session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "corpus"
    job = Job(lambda fraction, _: job.cancel() if fraction > 0.7 else None)
    with pytest.raises(Cancelled):
        build_corpus(data, out, session=pitch_session, seed=3, takes=28, job=job)
    begun = {path.name: path.read_bytes() for path in (out / "audio").iterdir()}
    assert len(begun) > 8
    assert len(read_corpus(out)) >= 10  # the first group is whole, and labelled

    built = build_corpus(data, out, session=pitch_session, seed=3, takes=28)
    assert built.kept >= 10
    rows = read_corpus(out)
    assert built.takes == len(rows)
    for name, content in begun.items():
        assert (out / "audio" / name).read_bytes() == content

    other = tmp_path / "other"
    parser = argparse.ArgumentParser()
    train_edits.add_parser(parser.add_subparsers(), argparse.ArgumentParser(add_help=False))
    options = ["--data", str(data), "--out", str(other), "--takes", "28", "--seed", "3"]
    args = parser.parse_args(["edits", *options])
    assert args.run(args) == 0
    assert f"{built.takes} takes" in capsys.readouterr().out
    assert (other / LABELS_NAME).read_bytes() == (out / LABELS_NAME).read_bytes()
    for path in (out / "audio").iterdir():
        assert (other / "audio" / path.name).read_bytes() == path.read_bytes()

    manifest = read_manifest(out)
    assert manifest.shippable
    assert [source.name for source in manifest.sources] == ["vocobox"]
    for group in {r.group for r in rows}:
        members = [r for r in rows if r.group == group]
        assert [r.edit for r in members].count("original") == 1
    for r in rows:
        audio = read_audio(r.path(out), sample_rate=16_000, channels=1)[0]
        assert 0.02 < np.abs(audio).max() <= 1.0
    faults = json.loads(next((out / "truth").glob("*.json")).read_text())["items"]
    assert sum(bool(item["faults"]) for item in faults.values()) >= 9

    with pytest.raises(InputError, match="other options"):
        build_corpus(data, out, session=pitch_session, seed=4, takes=28)


@pytest.mark.usefixtures("world")
def test_strange_folders_are_left_alone(data: Path, tmp_path: Path, pitch_session: Session) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").touch()
    with pytest.raises(OutputError, match="not empty"):
        build_corpus(data, tmp_path / "full", session=pitch_session, takes=28)
    with pytest.raises(InputError, match="voices"):
        build_corpus(tmp_path, tmp_path / "new", session=pitch_session, takes=28)
    with pytest.raises(InputError, match="too small"):
        build_corpus(data, tmp_path / "new", session=pitch_session, takes=3)


def test_other_singing_marks_the_corpus(data: Path, tmp_path: Path) -> None:
    other = tmp_path / "borrowed"
    write_vowels(other)
    plan = make_plan(data, seed=0, takes=60, others=[other])
    assert not plan.shippable
    assert any(source.licence == "not for shipping" for source in plan.sources)
    assert any(group.corpus == "borrowed" for group in plan.groups)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no recordings"):
        make_plan(data, seed=0, takes=60, others=[tmp_path / "empty"])
