"""What will be done with the files that the user gave."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from singcoach.jobs import Job
from singcoach.models.packfile import PackFile

Make = Callable[[Path, Job], tuple[PackFile, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a manifest says of the weights of a pack."""

    title: str
    version: str
    licence: str
    source: str
    published: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a pack is made from files that were recognised.

    Attributes
    ----------
    what
        The kind of network in the singer's words, such as ``"MelBand Roformer"``.
    roles
        What the pack is for.
    needed_bytes
        What will be written at most, about.
    make
        Writes the files of the pack into a folder and describes them.
    copies
        Whether ``make`` compares what it copies with the hashes; else the files are hashed again
        after it.
    notes
        Lines for the card.
    card
        What whoever made it says of it, for the end of the card.
    """

    what: str
    roles: tuple[str, ...]
    needed_bytes: int
    make: Make
    copies: bool = False
    notes: tuple[str, ...] = field(default=())
    card: str = ""
