"""A corpus: laid out by singer, made whole, gone on with, read back."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from made_voices import write_vowels

import singcoach
from singcoach.audio.reading import read_audio
from singcoach.chain.engine import Engine
from singcoach.cli import train_edits, train_heads
from singcoach.errors import Cancelled, InputError, OutputError
from singcoach.jobs import NO_JOB, Job
from singcoach.models.sessions import Session
from singcoach.training import code, listening
from singcoach.training.code import HEARING, code_digest
from singcoach.training.corpus import (
    COLUMNS,
    LABELS_NAME,
    MANIFEST_NAME,
    Manifest,
    Row,
    Source,
    read_corpus,
    read_manifest,
    write_labels,
    write_manifest,
)
from singcoach.training.edits.kinds import FAULT_KINDS
from singcoach.training.listening import Listened
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


def test_a_manifest_survives_the_file_and_an_older_one_is_not_finished(tmp_path: Path) -> None:
    source = Source(name="a", licence="MIT", attribution="a", files=("1",))
    for finished in (True, False):
        manifest = Manifest(seed=1, takes=2, shippable=True, sources=(source,), finished=finished)
        write_manifest(tmp_path, manifest)
        assert read_manifest(tmp_path) == manifest
    document = json.loads((tmp_path / MANIFEST_NAME).read_text())
    del document["finished"]
    (tmp_path / MANIFEST_NAME).write_text(json.dumps(document))
    assert read_manifest(tmp_path) == manifest


@pytest.mark.parametrize("finished", [True, False])
def test_training_on_a_corpus_that_was_not_finished_says_so(
    tmp_path: Path,
    finished: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_labels(tmp_path, [])
    manifest = Manifest(seed=1, takes=2, shippable=True, sources=(), finished=finished)
    write_manifest(tmp_path, manifest)
    monkeypatch.setattr(listening, "listen", lambda *_: Listened(examples=(), failed={}))
    args = argparse.Namespace(corpus=tmp_path)
    train_heads._corpus(args, cast("Engine", None), NO_JOB)
    assert ("not made to its end" in capsys.readouterr().err) != finished


def test_other_code_anywhere_on_a_takes_way_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in HEARING:
        (tmp_path / package).mkdir()
        (tmp_path / package / "code.py").write_text("x = 1\n")
    monkeypatch.setattr(code.resources, "__file__", str(tmp_path / "resources.py"))
    plain = code_digest(HEARING)
    assert code_digest(HEARING) == plain
    found = {plain}
    for package in HEARING:
        (tmp_path / package / "code.py").write_text("x = 2\n")
        found.add(code_digest(HEARING))
    assert len(found) == len(HEARING) + 1


def test_every_package_that_the_chain_goes_through_is_watched() -> None:
    root = Path(singcoach.__file__).parent
    there = {path.name for path in root.iterdir() if (path / "__init__.py").is_file()}
    others = {"benchmark", "cli", "coaching", "doctor", "gui", "library", "models", "report"}
    others.add("training")
    assert there - set(HEARING) == others


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
    assert not read_manifest(out).finished
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
    assert manifest.finished
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
