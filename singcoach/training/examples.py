"""Examples to train on: what scoring knows of a take, with labels; kept in one npz without loss."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from singcoach.core.arrays import FloatArray, RealArray, read_only
from singcoach.core.take import Take
from singcoach.errors import InputError
from singcoach.files import whole_file
from singcoach.scoring.measures import UNITS, read_measures
from singcoach.scoring.score import whole_take_readings
from singcoach.scoring.sequences import read_sequences

MEASURE_NAMES: tuple[str, ...] = tuple(UNITS)
"""Order of an example's measures."""

SEQUENCES = ("general", "singing")
_FORMAT = "singcoach.examples/1"
_HINT = "Make the examples again from the recordings"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One labelled take, as far as heads look at it.

    Attributes
    ----------
    item
        Unique name.
    corpus, singer, song
        For splits; empty where unknown.
    measures
        Raw measures in the order of :data:`MEASURE_NAMES`, NaN where not measurable, shape
        ``(n_measures,)``.
    sequences
        Rows of half a second over the sung parts, float32, by encoder: ``"general"``
        ``(n_rows, n_dims)``; ``"singing"`` ``(n_rows, n_dims + 3)`` with voiced share, mean and
        deviation of the pitch (octaves from the take's median) as its last columns. An encoder that
        did not run has no entry.
    labels
        A dimension or ``"overall"`` to a rating or to minus a severity: higher is better.
    group
        Only items of one group may be compared (an edit with its original); empty: all of the
        corpus.
    edit, severity
        What was done to it on purpose, and how much in 0..1.
    """

    item: str
    corpus: str
    singer: str
    song: str
    measures: RealArray
    sequences: Mapping[str, FloatArray]
    labels: Mapping[str, float]
    group: str = field(default="")
    edit: str = field(default="")
    severity: float = field(default=0.0)


def make_example(
    take: Take,
    *,
    item: str,
    corpus: str,
    singer: str,
    song: str,
    labels: Mapping[str, float],
    group: str = "",
    edit: str = "",
    severity: float = 0.0,
) -> Example:
    """Return what heads look at in an analysed take; encoders that did not run are left out."""
    readings = read_measures(take) | whole_take_readings(take)
    measures = [readings[name].value() for name in MEASURE_NAMES]
    rows = read_sequences(take)
    heard = {"general": rows.general, "singing": rows.singing}
    return Example(
        item=item,
        corpus=corpus,
        singer=singer,
        song=song,
        measures=read_only(np.asarray(measures, dtype=np.float64)),
        sequences={name: array for name, array in heard.items() if array is not None},
        labels=dict(labels),
        group=group,
        edit=edit,
        severity=severity,
    )


def save_examples(path: Path, examples: Sequence[Example]) -> None:
    """Write examples to one compressed npz, whole or not at all.

    Raises
    ------
    OutputError
        When the disk is full or may not be written.
    """
    arrays: dict[str, NDArray[Any]] = {
        "about": np.frombuffer(
            json.dumps(
                {
                    "format": _FORMAT,
                    "measures": MEASURE_NAMES,
                    "examples": [_described(example) for example in examples],
                }
            ).encode(),
            dtype=np.uint8,
        ),
        "measures": np.array([e.measures for e in examples], dtype=np.float64).reshape(
            len(examples), len(MEASURE_NAMES)
        ),
    }
    for name in SEQUENCES:
        rows = [e.sequences[name] for e in examples if name in e.sequences]
        if rows:
            arrays[name] = np.concatenate(rows)
    with whole_file(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def load_examples(path: Path) -> list[Example]:
    """Read what :func:`save_examples` wrote.

    Measures that this version no longer has are left out; ones that it has since are NaN.

    Raises
    ------
    InputError
        When the file cannot be read or is damaged.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            about = json.loads(arrays["about"].tobytes())
            if about["format"] != _FORMAT:
                raise ValueError("another format")
            return _examples(about, {name: arrays[name] for name in arrays if name != "about"})
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise InputError(
            f"The examples {path} cannot be read", hint=_HINT, detail=str(error)
        ) from error


def _described(example: Example) -> dict[str, Any]:
    return {
        "item": example.item,
        "corpus": example.corpus,
        "singer": example.singer,
        "song": example.song,
        "labels": dict(example.labels),
        "group": example.group,
        "edit": example.edit,
        "severity": example.severity,
        "rows": {name: len(rows) for name, rows in example.sequences.items()},
    }


def _examples(about: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> list[Example]:
    described = about["examples"]
    stored = {name: place for place, name in enumerate(about["measures"])}
    if arrays["measures"].shape != (len(described), len(stored)):
        raise ValueError("measures of another shape")
    measures = np.full((len(described), len(MEASURE_NAMES)), np.nan)
    for place, name in enumerate(MEASURE_NAMES):
        if name in stored:
            measures[:, place] = arrays["measures"][:, stored[name]]
    used = dict.fromkeys(SEQUENCES, 0)
    found = []
    for one, values in zip(described, measures, strict=True):
        sequences = {}
        for name, n_rows in one.pop("rows").items():
            rows = arrays[name][used[name] : used[name] + n_rows]
            if len(rows) != n_rows:
                raise ValueError("rows are missing")
            used[name] += n_rows
            sequences[name] = read_only(np.asarray(rows, dtype=np.float32))
        found.append(Example(measures=read_only(values.copy()), sequences=sequences, **one))
    return found
