"""A corpus of controlled singing: a folder with audio, labels, truth and where it came from.

labels.csv      one row an item, the columns of :class:`Row`
manifest.json   seed, sources with licence and attribution, whether weights may ship
audio/          FLAC, 16 kHz
truth/          one JSON file a group: notes, faults, how it was made
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, cast, get_args

from singcoach.errors import InputError
from singcoach.files import write_whole
from singcoach.training.edits.kinds import EDIT_DIMENSIONS, EDIT_KINDS, EditKind

SCHEMA = "singcoach.corpus/1"
LABELS_NAME, MANIFEST_NAME = "labels.csv", "manifest.json"

Split = Literal["train", "held-out"]
ORIGINAL = "original"
"""What stands in the column ``edit`` for a take as it was recorded, or first made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One item of a corpus.

    Attributes
    ----------
    item
        Unique in the corpus.
    file
        Path of the audio inside the folder, with slashes; items may share a file.
    corpus, singer, song
        ``corpus`` is the set that the voice comes from, or ``made``. ``singer`` is unique over all
        sets: one singer is in one split only.
    group
        Items of one group differ in nothing but the fault.
    edit
        ``"original"``, or a kind of :data:`singcoach.training.edits.EDIT_KINDS`.
    severity
        0..1, in order within a group; 0 for the original and the neutral resynthesis.
    split
        ``"train"`` or ``"held-out"``, by singer.
    """

    item: str
    file: str
    corpus: str
    singer: str
    song: str
    group: str
    edit: str
    severity: float
    split: Split

    def path(self, folder: Path) -> Path:
        """Where the audio is, for the corpus in ``folder``."""
        return folder / self.file

    @property
    def labels(self) -> Mapping[str, float]:
        """Minus the severity for every dimension that the edit must lower, and for the whole.

        For an original and a neutral resynthesis 0 for every dimension.
        """
        if self.edit in (ORIGINAL, "neutral"):
            return dict.fromkeys(("overall", "breath", "timbre", "emotion", "technique"), 0.0)
        lowered = EDIT_DIMENSIONS[cast("EditKind", self.edit)]
        return dict.fromkeys(("overall", *lowered), -self.severity)


COLUMNS = tuple(field.name for field in fields(Row))


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A set that recordings were taken from."""

    name: str
    licence: str
    attribution: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a corpus is. ``shippable``: may weights trained on it ship with the product.

    ``finished`` is written at the very end: a corpus whose making was stopped lacks some of its
    faults and singers.
    """

    seed: int
    takes: int
    shippable: bool
    sources: tuple[Source, ...]
    finished: bool = False


def read_corpus(folder: Path) -> tuple[Row, ...]:
    """Return the items of a corpus in order.

    Raises
    ------
    InputError
        When the folder is no corpus, a row is not valid, or a recording is missing.
    """
    path = folder / LABELS_NAME
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise _no_corpus(folder, f"columns {reader.fieldnames}")
            rows = tuple(_row(line, number) for number, line in enumerate(reader, start=2))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _no_corpus(folder, str(error)) from None
    if len({row.item for row in rows}) != len(rows):
        raise _no_corpus(folder, "two rows have the same item")
    for row in rows:
        if not row.path(folder).is_file():
            raise InputError(
                f"The recording {row.file} of the corpus is missing",
                hint="Run `singcoach train edits` again with the same options",
            )
    return rows


def write_labels(folder: Path, rows: Iterable[Row]) -> None:
    """Write ``labels.csv``, whole or not at all."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(asdict(row))
    write_whole(folder / LABELS_NAME, text.getvalue())


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``manifest.json``, whole or not at all."""
    document = {"schema": SCHEMA, **asdict(manifest)}
    write_whole(folder / MANIFEST_NAME, json.dumps(document, indent=2) + "\n")


def read_manifest(folder: Path) -> Manifest:
    """Return what a corpus is.

    Raises
    ------
    InputError
        When the folder is no corpus.
    """
    try:
        document = json.loads((folder / MANIFEST_NAME).read_text(encoding="utf-8"))
        if document["schema"] != SCHEMA:
            raise _no_corpus(folder, f"schema {document['schema']}")
        return Manifest(
            seed=int(document["seed"]),
            takes=int(document["takes"]),
            shippable=document["shippable"] is True,
            sources=tuple(
                Source(
                    name=str(source["name"]),
                    licence=str(source["licence"]),
                    attribution=str(source["attribution"]),
                    files=tuple(str(name) for name in source["files"]),
                )
                for source in document["sources"]
            ),
            finished=document.get("finished") is True,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _no_corpus(folder, str(error)) from None


def rows_from(documents: Sequence[Mapping[str, Any]]) -> tuple[Row, ...]:
    """Return the rows that the truth of groups holds (under ``"rows"``)."""
    return tuple(
        _row({name: str(value) for name, value in row.items()}, 0)
        for document in documents
        for row in document["rows"]
    )


def _row(line: Mapping[str, str], number: int) -> Row:
    def fail(what: str) -> InputError:
        return InputError(
            f"Line {number} of {LABELS_NAME} is not valid: {what}",
            hint="Make the corpus again with `singcoach train edits`",
        )

    try:
        severity = float(line["severity"])
    except (TypeError, ValueError):
        raise fail("the severity is not a number") from None
    if not (math.isfinite(severity) and 0.0 <= severity <= 1.0):
        raise fail("the severity is not in 0..1")
    if line["edit"] != ORIGINAL and line["edit"] not in EDIT_KINDS:
        raise fail(f"unknown edit {line['edit']!r}")
    if line["split"] not in get_args(Split):
        raise fail(f"unknown split {line['split']!r}")
    parts = Path(line["file"]).parts
    if not parts or Path(line["file"]).is_absolute() or ".." in parts:
        raise fail("the file lies outside the corpus")
    return Row(
        item=line["item"],
        file=line["file"],
        corpus=line["corpus"],
        singer=line["singer"],
        song=line["song"],
        group=line["group"],
        edit=line["edit"],
        severity=severity,
        split=cast("Split", line["split"]),
    )


def _no_corpus(folder: Path, detail: str) -> InputError:
    return InputError(
        f"{folder} is not a corpus of controlled singing",
        hint="Make one with `singcoach train edits --data DIR --out DIR`",
        detail=detail,
    )
