"""Reasons and warnings of the earlier stages, which write English, as keys with numbers."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from functools import cache
from typing import Final

from singcoach.coaching.toml_tables import read_toml

UNKNOWN: Final = "unknown"
_NUMBERS: Final = frozenset({"seconds", "percent", "places"})


def _read() -> Mapping[str, str]:
    table = read_toml("library/reasons.toml").only(("schema", "reasons"))
    if table.text("schema") != "singcoach.reasons/1":
        raise ValueError(f"{table.where}: schema has to be 'singcoach.reasons/1'")
    reasons = table.table("reasons")
    return {name: reasons.text(name) for name in reasons.names}


def _fields(wording: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in string.Formatter().parse(wording) if name)


_REASONS: Final = _read()

REASON_FIELDS: Final[Mapping[str, frozenset[str]]] = {
    UNKNOWN: frozenset({"reason"}),
    **{name: _fields(wording) for name, wording in _REASONS.items()},
}
"""Every reason with the fields that its sentence has to use."""


def recognise(reason: str) -> tuple[str, dict[str, object]]:
    """Return the key of an English reason and its fields.

    A reason that no key stands for gives ``"unknown"`` with the reason itself as its field, so
    that it can be quoted.
    """
    plain = reason.strip().rstrip(".")
    lowered = plain[:1].lower() + plain[1:]
    for name, pattern in _patterns().items():
        # A name at the head keeps its capital.
        match = pattern.fullmatch(plain if _REASONS[name].startswith("{") else lowered)
        if match is not None:
            found = match.groupdict().items()
            return name, {key: float(v) if key in _NUMBERS else v for key, v in found}
    return UNKNOWN, {"reason": plain}


@cache
def _patterns() -> Mapping[str, re.Pattern[str]]:
    patterns = {}
    for name, wording in _REASONS.items():
        escaped = re.escape(wording)
        for field in _fields(wording):
            any_of_it = r"\d{1,6}" if field in _NUMBERS else ".{1,300}?"
            escaped = escaped.replace(re.escape(f"{{{field}}}"), f"(?P<{field}>{any_of_it})")
        patterns[name] = re.compile(escaped)
    return patterns
