"""The languages that the coach speaks."""

from __future__ import annotations

from typing import Literal, get_args

Language = Literal["en", "es", "de", "fr", "ja", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
"""ISO 639-1 codes; English comes first and is what everything else is translated from."""
