"""Writing of plain values as TOML: what ``tomllib`` reads from it is what was given."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml_text(document: Mapping[str, Any]) -> str:
    """Return a document of tables, lists, text, numbers and truth values as TOML.

    Raises
    ------
    ValueError
        When a value is of another kind, or a number is not finite.
    """
    lines: list[str] = []
    _add(document, "", lines)
    return "\n".join(lines).lstrip("\n") + "\n"


def _add(table: Mapping[str, Any], path: str, lines: list[str]) -> None:
    for key, value in table.items():
        if not isinstance(value, Mapping):
            lines.append(f"{_key(key)} = {_value(value)}")
    for key, value in table.items():
        if isinstance(value, Mapping):
            inner = f"{path}.{_key(key)}" if path else _key(key)
            lines.extend(["", f"[{inner}]"])
            _add(value, inner, lines)


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} has no place in a file")
        return repr(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    raise ValueError(f"{type(value).__name__} cannot be written")


def _text(value: str) -> str:
    """Return a TOML basic string; JSON's escapes are among TOML's, pairs for high signs are not."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
