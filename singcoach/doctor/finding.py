"""What the doctor says about one thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "warning", "fault"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    ``state``: ``ok``; ``note`` = nothing is wrong but good to know; ``warning`` = a part of
    SingCoach will not work; ``fault`` = the main job will not work. ``hint`` says what to do.
    """

    area: str
    name: str
    state: State
    text: str
    hint: str = ""
