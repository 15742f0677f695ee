"""What the program and its analysis process say to each other: lines of JSON.

A line is a table whose ``is`` names its kind. The program sends ``analyse`` and ``cancel``; the
process answers ``ready`` once, then ``progress`` and ``sentence`` any number of times, and ends a
request with ``done``, ``failed`` or ``cancelled``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, get_args

from singcoach.chain.settings import Device, Profile, Words
from singcoach.core.languages import LANGUAGES, Language
from singcoach.core.take import TakeKind

MOST_LINE_BYTES: Final = 1 << 20
ANSWERS: Final = frozenset({"ready", "progress", "sentence", "done", "failed", "cancelled"})

_PATHS: Final = ("recording", "folder", "backing", "song")
_CHOICES: Final[Mapping[str, tuple[str | None, ...]]] = {
    "kind": (None, *get_args(TakeKind)),
    "language": LANGUAGES,
    "profile": get_args(Profile),
    "words": get_args(Words),
    "device": get_args(Device),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisRequest:
    """One recording to analyse.

    Attributes
    ----------
    recording
        The file.
    folder
        Where ``assessment.json``, ``curves.npz`` and (of mixtures) ``vocals.flac`` go; it exists.
    backing, song, kind, language, profile, words
        As in :class:`singcoach.chain.settings.Settings`.
    name
        What the assessment calls the file; its own name when empty.
    device
        Where the networks of packs run.
    """

    recording: Path
    folder: Path
    name: str = ""
    backing: Path | None = None
    song: Path | None = None
    kind: TakeKind | None = None
    language: Language = "en"
    profile: Profile = "balanced"
    words: Words = "auto"
    device: Device = "auto"


class ProtocolError(ValueError):
    """The other side said something that does not belong to the protocol."""


def encode(kind: str, /, **values: object) -> bytes:
    """Write a message as one line."""
    return (json.dumps({"is": kind, **values}, allow_nan=False) + "\n").encode("ascii")


def decode(line: bytes) -> tuple[str, dict[str, Any]]:
    """Read one line as its kind and its values.

    Raises
    ------
    ProtocolError
        It is no such message.
    """
    if len(line) > MOST_LINE_BYTES or not line.endswith(b"\n"):
        raise ProtocolError("a line too long or without an end")
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("no JSON") from error
    if not isinstance(message, dict) or not isinstance(message.get("is"), str):
        raise ProtocolError("no table with a kind")
    return str(message.pop("is")), message


def encode_request(request: AnalysisRequest) -> bytes:
    """Write a request as one line; paths are made absolute."""
    values: dict[str, object] = {}
    for item in fields(request):
        value = getattr(request, item.name)
        values[item.name] = str(value.absolute()) if isinstance(value, Path) else value
    return encode("analyse", **values)


def decode_request(values: Mapping[str, Any]) -> AnalysisRequest:
    """Read a request.

    Raises
    ------
    ProtocolError
        A value is missing, unknown or none of its choices.
    """
    known = {item.name for item in fields(AnalysisRequest)}
    if set(values) != known:
        raise ProtocolError("not the keys of a request")
    read: dict[str, Any] = dict(values)
    for name, choices in _CHOICES.items():
        if read[name] not in choices:
            raise ProtocolError(f"{name} is none of its choices")
    for name in _PATHS:
        value = read[name]
        if value is None and name in ("backing", "song"):
            continue
        if not isinstance(value, str) or not value:
            raise ProtocolError(f"{name} is no path")
        read[name] = Path(value)
    if not isinstance(read["name"], str):
        raise ProtocolError("name is no text")
    return AnalysisRequest(**read)
