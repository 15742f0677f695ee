"""Heads that are networks: what a heads file says of them, and running them on a take.

A network is one ONNX file that holds a whole ensemble. It takes the raw measures (NaN: missing) and
the rows of the encoders that it names, and gives one number per member; standardisation is inside.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from singcoach.core.arrays import BoolArray, RealArray
from singcoach.core.scores import DIMENSIONS, Dimension
from singcoach.errors import ModelError
from singcoach.models.catalogue import VerifiedModel
from singcoach.models.sessions import AnySession, open_session
from singcoach.scoring.measures import UNITS
from singcoach.scoring.sequences import ROW_S, Sequences
from singcoach.scoring.specs import RULES, Heads

Input = Literal["measures", "general", "singing"]
INPUTS: tuple[Input, ...] = get_args(Input)
Architecture = Literal["mlp", "rnn", "transformer"]
ARCHITECTURES: tuple[Architecture, ...] = get_args(Architecture)
Loss = Literal["pairwise", "score"]
LOSSES: tuple[Loss, ...] = get_args(Loss)
LEAST_ROWS = 6
"""Half seconds of singing below which a network that listens says nothing."""

MAX_MEMBERS = 50
_MAX_NETWORKS = 16
_MAX_WIDTH = 16_384
_ID = re.compile(r"[a-z][a-z0-9_]{0,31}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_KEYS = frozenset(
    {"file", "sha256", "dimension", "architecture", "loss", "inputs", "measures", "widths",
     "encoders", "members", "centre", "spread", "warning"}
)  # fmt: skip

_HINT = "Remove the pack with `singcoach models remove`, and add it again"

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSpec:
    """What a heads file says of one network (``[networks.<id>]``).

    Attributes
    ----------
    id
        Name in the routing, and the part of the pack's file.
    file, sha256
        The ONNX file beside the heads file and its digest.
    dimension
        What it judges.
    architecture, loss
        For people: how it is made and what it was trained on.
    inputs
        What it looks at.
    measures
        Measures in the order of its input; empty unless ``inputs`` has ``"measures"``.
    widths
        Columns of the rows of each encoder in ``inputs``.
    encoders
        Id of the model that each encoder in ``inputs`` was when the network was trained.
    members
        How many numbers it gives.
    centre, spread
        ``(output - centre) / spread`` is the position on the norms' scale.
    warning
        A sentence about how far it may be trusted; may be empty.
    """

    id: str
    file: str
    sha256: str
    dimension: Dimension
    architecture: Architecture
    loss: Loss
    inputs: tuple[Input, ...]
    measures: tuple[str, ...]
    widths: Mapping[str, int]
    encoders: Mapping[str, str]
    members: int
    centre: float
    spread: float
    warning: str

    @property
    def heard(self) -> tuple[str, ...]:
        """The encoders that it looks at."""
        return tuple(name for name in self.inputs if name != "measures")

    @property
    def encoder(self) -> str | None:
        """The encoders' models for people, such as ``"whisper-base"``; None without one."""
        return " + ".join(dict.fromkeys(self.encoders[name] for name in self.heard)) or None


class NetworkHead:
    """A network that is ready to judge takes.

    Parameters
    ----------
    spec
        What the heads file says of it.
    session
        The network itself: inputs named as ``spec.inputs``, one output ``(1, members)``.
    """

    def __init__(self, spec: NetworkSpec, session: AnySession) -> None:
        self.spec = spec
        self._session = session

    def lack(self, sequences: Sequences) -> str | None:
        """Return as a sentence why this take cannot be judged by it; None where it can."""
        for name in self.spec.heard:
            rows = getattr(sequences, name)
            if rows is None:
                return (
                    f"The head {self.spec.id} needs the {name} encoder, which this profile does "
                    f"not run, so the rules judged {self.spec.dimension}"
                )
            if rows.shape[1] != self.spec.widths[name]:
                return (
                    f"The head {self.spec.id} was trained on another {name} encoder, so the rules "
                    f"judged {self.spec.dimension}"
                )
        return None

    def positions(
        self,
        sequences: Sequences,
        values: Mapping[str, RealArray],
        rows: Sequence[Rows] | None = None,
    ) -> RealArray:
        """Return positions on the norms' scale by member, NaN where there is too little singing.

        Parameters
        ----------
        sequences
            Rows of the take, of which :meth:`lack` said nothing.
        values
            Measures by name for each of ``n`` ways to look at the take, each of shape ``(n,)``;
            NaN or no entry: missing.
        rows
            Which rows are heard in each of the ``n`` ways, in order, repeats allowed
            (:func:`rows_outside`, :func:`rows_of_moments`); None: all, in each.

        Returns
        -------
        Shape ``(n, members)``: the mean over members is the position, their deviation the doubt of
        the ensemble. Cost: about a millisecond a way and minute of singing.
        """
        n = len(next(iter(values.values())))
        everything = np.arange(len(sequences.starts_s))
        result = np.full((n, self.spec.members), np.nan)
        for way in range(n):
            heard = everything if rows is None else rows[way]
            if self.spec.heard and len(heard) < LEAST_ROWS:
                continue
            given = self._inputs(sequences, values, way, heard)
            result[way] = self._session.run(given)[0].reshape(-1)[: self.spec.members]
        return (result - self.spec.centre) / self.spec.spread

    def _inputs(
        self, sequences: Sequences, values: Mapping[str, RealArray], way: int, heard: Rows
    ) -> dict[str, NDArray[Any]]:
        given: dict[str, NDArray[Any]] = {}
        if "measures" in self.spec.inputs:
            row = [values[m][way] if m in values else math.nan for m in self.spec.measures]
            given["measures"] = np.asarray([row], dtype=np.float32)
        for name in self.spec.heard:
            given[name] = np.ascontiguousarray(getattr(sequences, name)[heard][None])
        return given


def rows_outside(sequences: Sequences, start_s: float, end_s: float) -> Rows:
    """Return the rows whose middles do not lie in a span: what is heard when it is left out."""
    return np.flatnonzero(~_inside(sequences, start_s, end_s))


def rows_of_moments(sequences: Sequences, starts_s: RealArray, counts: RealArray) -> Rows:
    """Return the rows of moments that were drawn ``counts`` times each, moment by moment.

    Parameters
    ----------
    starts_s
        Starts of the moments in seconds, ascending; what is sung before the first belongs to it.
    counts
        How often each was drawn, shape ``(n_moments,)``.
    """
    place = np.searchsorted(starts_s, sequences.starts_s + ROW_S / 2, side="right") - 1
    place = np.clip(place, 0, len(starts_s) - 1)
    drawn = [
        np.tile(np.flatnonzero(place == moment), round(count))
        for moment, count in enumerate(counts)
    ]
    return np.concatenate(drawn) if drawn else np.zeros(0, dtype=np.intp)


def open_networks(
    heads: Heads, read: Callable[[str], VerifiedModel], *, threads: int | None = 1
) -> dict[Dimension, NetworkHead]:
    """Open the networks that the routing of a heads file names.

    Parameters
    ----------
    heads
        From :func:`singcoach.scoring.specs.parse_heads`.
    read
        Returns the checked bytes of the part of the role ``heads`` that has this id, from where
        the heads file came from.
    threads
        Threads of one run: the networks are small.

    Returns
    -------
    The networks by the dimension that they judge; dimensions that the rules judge are missing.

    Raises
    ------
    ModelError
        When a file is missing, damaged, or not the network that the heads file speaks of.
    """
    try:
        specs = read_networks(heads.networks)
    except ValueError as error:
        raise ModelError(
            f"The score heads {heads.name} are damaged", hint=_HINT, detail=str(error)
        ) from error
    opened: dict[Dimension, NetworkHead] = {}
    for dimension, route in heads.routing.items():
        if route == RULES:
            continue
        spec = specs[route]
        model = read(route)
        if (model.entry.sha256, model.entry.file) != (spec.sha256, spec.file):
            raise _unfit(spec)
        session = open_session(model, threads=threads)
        if spec.dimension != dimension or set(session.input_names) != set(spec.inputs):
            raise _unfit(spec)
        opened[dimension] = NetworkHead(spec, session)
    return opened


def read_networks(tables: Mapping[str, object]) -> dict[str, NetworkSpec]:
    """Read the table ``networks`` of a heads file, strictly.

    Raises
    ------
    ValueError
        When a key is unknown or missing, or a value is out of its range.
    """
    if len(tables) > _MAX_NETWORKS:
        raise ValueError(f"networks has more than {_MAX_NETWORKS} entries")
    return {name: _spec(name, table) for name, table in tables.items()}


def _spec(name: str, table: object) -> NetworkSpec:
    where = f"networks.{str(name)[:40]}"
    if _ID.fullmatch(name) is None or name == RULES:
        raise ValueError(f"{where}: not a name")
    if not isinstance(table, dict) or table.keys() != _KEYS:
        raise ValueError(f"{where}: missing or unknown keys")
    inputs = _words(table["inputs"], f"{where}.inputs", INPUTS, least=1)
    measures = _words(table["measures"], f"{where}.measures", tuple(UNITS), least=0)
    if bool(measures) != ("measures" in inputs):
        raise ValueError(f"{where}: measures do not fit the inputs")
    heard = {one for one in inputs if one != "measures"}
    widths, encoders = table["widths"], table["encoders"]
    for one, kind in ((widths, int), (encoders, str)):
        if (
            not isinstance(one, dict)
            or one.keys() != heard
            or any(type(value) is not kind for value in one.values())
        ):
            raise ValueError(f"{where}: widths or encoders do not fit the inputs")
    if any(not 1 <= width <= _MAX_WIDTH for width in widths.values()):
        raise ValueError(f"{where}.widths out of 1..{_MAX_WIDTH}")
    members = table["members"]
    if type(members) is not int or not 1 <= members <= MAX_MEMBERS:
        raise ValueError(f"{where}.members is not a number in 1..{MAX_MEMBERS}")
    file = _text(table["file"], f"{where}.file")
    if file != f"{name}.onnx":
        raise ValueError(f"{where}.file is not {name}.onnx")
    sha256 = _text(table["sha256"], f"{where}.sha256")
    if _SHA256.fullmatch(sha256) is None:
        raise ValueError(f"{where}.sha256 is no SHA-256")
    return NetworkSpec(
        id=name,
        file=file,
        sha256=sha256,
        dimension=cast("Dimension", _one_of(table["dimension"], f"{where}.dimension", DIMENSIONS)),
        architecture=cast(
            "Architecture", _one_of(table["architecture"], f"{where}.architecture", ARCHITECTURES)
        ),
        loss=cast("Loss", _one_of(table["loss"], f"{where}.loss", LOSSES)),
        inputs=cast("tuple[Input, ...]", inputs),
        measures=measures,
        widths=dict(widths),
        encoders={one: _text(text, f"{where}.encoders") for one, text in encoders.items()},
        members=members,
        centre=_number(table["centre"], f"{where}.centre", -100.0),
        spread=_number(table["spread"], f"{where}.spread", 1e-3),
        warning=_text(table["warning"], f"{where}.warning", least=0),
    )


def _words(value: object, where: str, known: Sequence[str], *, least: int) -> tuple[str, ...]:
    if (
        not isinstance(value, list)
        or len(value) < least
        or len({str(word) for word in value}) != len(value)
        or any(not isinstance(word, str) or word not in known for word in value)
    ):
        raise ValueError(f"{where} is not a list of known words")
    return tuple(value)


def _one_of(value: object, where: str, known: Sequence[str]) -> str:
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{where} is not one of {', '.join(known)}")
    return value


def _text(value: object, where: str, *, least: int = 1) -> str:
    printable = isinstance(value, str) and least <= len(value) <= 400 and value.isprintable()
    if not printable:
        raise ValueError(f"{where} is not a short line of text")
    return str(value)


def _number(value: object, where: str, least: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{where} is not a number")
    if not math.isfinite(value) or not least <= value <= 1e6:
        raise ValueError(f"{where} is {value}, not in {least}..1e6")
    return float(value)


def _inside(sequences: Sequences, start_s: float, end_s: float) -> BoolArray:
    middles_s = sequences.starts_s + ROW_S / 2
    return np.asarray((middles_s >= start_s) & (middles_s < end_s))


def _unfit(spec: NetworkSpec) -> ModelError:
    return ModelError(
        f"The head {spec.id} is not the network that its heads file speaks of",
        hint=_HINT,
    )
