"""Facts of real takes that ship with the program, to teach the coach's words about them.

Made by :mod:`singcoach.training.feedback.assessed`; ``real_takes.json`` names each recording with
its licence.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Any, Final

from singcoach.coaching.facts import Fact

FORMAT: Final = "singcoach.real-takes/1"
_FILE: Final = "real_takes.json"
_DIGITS: Final = 4
_DEFAULTS: Final = {f.name: f.default for f in fields(Fact)}


@dataclass(frozen=True, slots=True, kw_only=True)
class RealTake:
    """What was measured in one recording."""

    name: str
    held_out: bool
    facts: tuple[Fact, ...]


@cache
def real_takes() -> tuple[RealTake, ...]:
    """Return every real take, in a fixed order."""
    document = json.loads(files(__package__).joinpath(_FILE).read_text(encoding="utf-8"))
    if document["format"] != FORMAT:
        raise ValueError(f"{_FILE} has the format {document['format']!r}")
    return tuple(
        RealTake(
            name=take["name"],
            held_out=take["held_out"],
            facts=tuple(Fact(**row) for row in take["facts"]),
        )
        for take in document["takes"]
    )


def as_rows(facts: Sequence[Fact]) -> list[dict[str, Any]]:
    """Return facts as tables without what stands there by default; numbers to four places."""
    return [
        {
            name: round(value, _DIGITS) if isinstance(value, float) else value
            for name, value in asdict(fact).items()
            if value != _DEFAULTS[name]
        }
        for fact in facts
    ]
