"""Numbers as the coach says them, without decimals nobody measured."""

from __future__ import annotations

import hashlib
import math
from typing import Final

AMOUNT_BOUNDS: Final = (
    ("less", 8.0),
    ("tenth", 15.0),
    ("fifth", 22.0),
    ("quarter", 29.0),
    ("third", 41.0),
    ("half", 58.0),
    ("two_thirds", 71.0),
    ("three_quarters", 87.0),
    ("one", 125.0),
    ("one_and_a_half", 175.0),
    ("two", 250.0),
    ("more", math.inf),
)
"""Parts of a semitone with the size in cents below which their words are used."""

AMOUNT_KEYS: Final = tuple(key for key, _ in AMOUNT_BOUNDS)


def half_points(score: float) -> float:
    """Round a score to half points, as the coach says it."""
    return math.floor(score * 2 + 0.5) / 2


def half_below(score: float) -> float:
    """Lower end of a range, widened to half points."""
    return math.floor(score * 2 + 1e-9) / 2


def half_above(score: float) -> float:
    """Upper end of a range, widened to half points."""
    return math.ceil(score * 2 - 1e-9) / 2


def amount_key(cents: float) -> str:
    """Name the part of a semitone that a distance in cents comes to: ``33`` -> ``"third"``."""
    size = abs(cents)
    return next((key for key, bound in AMOUNT_BOUNDS if size < bound), "more")


def five_percent(share: float) -> int:
    """Return a share 0..1 as a percentage in steps of five."""
    return round(share * 20) * 5


def pick(n_choices: int, *content: object) -> int:
    """Choose one of several wordings, the same for the same content on every machine."""
    digest = hashlib.sha256("\x1f".join(str(part) for part in content).encode("utf-8")).digest()
    return int.from_bytes(digest[:4], "big") % n_choices
