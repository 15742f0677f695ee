"""Numbers in words, and words back into numbers, without decimals nobody measured."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

from singcoach.coaching.catalogue import (
    AND_A_HALF,
    NUMBER_WORDS,
    SEMITONE_LARGE,
    SEMITONE_PARTS,
    SEMITONE_SMALL,
)


def clock(time_s: float) -> str:
    """Write a time as ``m:ss`` (``h:mm:ss`` from one hour), the second it falls in."""
    whole = max(0, math.floor(time_s + 1e-6))
    minutes, seconds = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def half_points(score: float) -> float:
    """Round a score to half points, as the coach says it."""
    return math.floor(score * 2 + 0.5) / 2


def half_below(score: float) -> float:
    """Lower end of a range, widened to half points."""
    return math.floor(score * 2 + 1e-9) / 2


def half_above(score: float) -> float:
    """Upper end of a range, widened to half points."""
    return math.ceil(score * 2 - 1e-9) / 2


def score_words(score: float) -> str:
    """Write a score for the ear: ``"three and a half"``."""
    halves = half_points(score)
    whole = NUMBER_WORDS[int(halves)]
    return whole if halves == int(halves) else f"{whole} {AND_A_HALF}"


def semitone_words(cents: float) -> str:
    """Put a distance in cents into words: ``33`` -> ``"about a third of a semitone"``."""
    size = abs(cents)
    if size < SEMITONE_SMALL[0]:
        return SEMITONE_SMALL[1]
    for bound, words in SEMITONE_PARTS:
        if size < bound:
            return words
    return SEMITONE_LARGE


def percent_words(share: float) -> str:
    """Write a share 0..1 in steps of five percent."""
    return str(round(share * 20) * 5)


def pick(choices: Sequence[str], *content: object) -> str:
    """Choose one of several wordings, the same for the same content on every machine."""
    digest = hashlib.sha256("\x1f".join(str(part) for part in content).encode("utf-8")).digest()
    return choices[int.from_bytes(digest[:4], "big") % len(choices)]
