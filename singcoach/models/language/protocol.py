"""What the program and the process of the language model say to each other: lines of JSON.

A line is one message: a table whose ``is`` names its kind, with exactly the keys of that kind.
Whatever else arrives is a fault of the other side, never guessed at.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

MOST_LINE_BYTES: Final = 1 << 20
"""A longer line is refused; a request with its grammar takes a few thousand bytes."""

COMMANDS: Final[Mapping[str, Mapping[str, type]]] = {
    "load": {
        "path": str, "size": int, "sha256": str,
        "n_threads": int, "n_context": int, "most_bytes": int,
    },
    "write": {
        "number": int, "system": str, "user": str, "grammar": str,
        "seed": int, "temperature": float, "most_tokens": int,
    },
    "project": {"path": str, "size": int, "sha256": str},
    "sound": {"samples": str},
    "hear": {"system": str, "about": str},
}  # fmt: skip
"""What the program may ask for, by kind, with the type of every key.

``project`` loads the projector of a model that hears, ``sound`` brings the next piece of a song
and ``hear`` puts all of it before every text that is written with the same ``system``.
"""

ANSWERS: Final[Mapping[str, Mapping[str, type]]] = {
    "alive": {"share": float},
    "ready": {"n_context": int},
    "piece": {"number": int, "text": str},
    "heard": {"n_windows": int, "n_tokens": int},
    "done": {"number": int, "n_tokens": int, "whole": bool},
    "failed": {"fault": str, "detail": str},
}
"""What the process of the model may answer. ``alive``: it is checking or loading its file."""

Fault = Literal["missing_runtime", "missing_file", "damaged", "unusable", "request"]
FAULTS: Final = ("missing_runtime", "missing_file", "damaged", "unusable", "request")


class ProtocolError(ValueError):
    """The other side said something that does not belong to the protocol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A text to be written.

    Attributes
    ----------
    system, user
        The two parts of the prompt.
    grammar
        In GBNF with the rule ``root``; the text follows it to its end, or is not whole.
    seed
        The same request gives the same text on one machine.
    temperature
        0 for the likeliest words.
    most_tokens
        Where the text is broken off.
    """

    system: str
    user: str
    grammar: str
    seed: int = 0
    temperature: float = 0.7
    most_tokens: int = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A text that the model wrote; ``whole`` is False where it was broken off."""

    text: str
    n_tokens: int
    whole: bool


def encode(kind: str, **values: object) -> bytes:
    """Write a message as one line; floats are given as floats."""
    return (json.dumps({"is": kind, **values}, ensure_ascii=True) + "\n").encode("ascii")


def decode(line: bytes, kinds: Mapping[str, Mapping[str, type]]) -> tuple[str, dict[str, object]]:
    """Read one line as one of ``kinds``.

    Raises
    ------
    ProtocolError
        When it is not exactly such a message.
    """
    if len(line) > MOST_LINE_BYTES or not line.endswith(b"\n"):
        raise ProtocolError("a line too long or without an end")
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("no JSON") from error
    if not isinstance(message, dict):
        raise ProtocolError("no table")
    kind = message.pop("is", None)
    keys = kinds.get(kind) if isinstance(kind, str) else None
    if keys is None or message.keys() != keys.keys():
        raise ProtocolError("not a known kind with its keys")
    for name, wanted in keys.items():
        if type(message[name]) is not wanted:
            raise ProtocolError(f"{name} is not of the type {wanted.__name__}")
    return str(kind), message
