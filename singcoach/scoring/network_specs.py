"""What a heads file says of its networks, read strictly."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

from singcoach.core.scores import DIMENSIONS, Dimension
from singcoach.scoring.measures import UNITS
from singcoach.scoring.specs import RULES, read_number

Input = Literal["measures", "general", "singing"]
INPUTS: tuple[Input, ...] = get_args(Input)
Architecture = Literal["mlp", "rnn", "transformer"]
ARCHITECTURES: tuple[Architecture, ...] = get_args(Architecture)
Loss = Literal["pairwise", "score"]
LOSSES: tuple[Loss, ...] = get_args(Loss)
MAX_MEMBERS = 50
_MAX_NETWORKS = 16
_MAX_WIDTH = 16_384
_ID = re.compile(r"[a-z][a-z0-9_]{0,31}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_KEYS = frozenset(
    {"file", "sha256", "dimension", "architecture", "loss", "inputs", "measures", "widths",
     "encoders", "members", "centre", "spread", "warning"}
)  # fmt: skip


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
        centre=read_number(table["centre"], f"{where}.centre", -100.0),
        spread=read_number(table["spread"], f"{where}.spread", 1e-3),
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
