"""How times and running text are written and cut, alike wherever people read them."""

from __future__ import annotations

import math
import re
from typing import Final

_SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9\"'(“])")


def clock(time_s: float) -> str:
    """Write a time as ``m:ss`` (``h:mm:ss`` from one hour), the second it falls in."""
    whole = max(0, math.floor(time_s + 1e-6))
    minutes, seconds = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def split_sentences(text: str) -> list[str]:
    """Split running text into sentences; a decimal point or a clock time splits nothing."""
    return [part for part in _SENTENCE_END.split(" ".join(text.split())) if part]
