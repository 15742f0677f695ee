"""What the user may choose for one assessment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from singcoach.core.languages import Language
from singcoach.core.take import TakeKind

Profile = Literal["fast", "balanced", "best"]
Words = Literal["auto", "template", "model"]
Device = Literal["auto", "cpu", "cuda", "mps"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Choices that change the result.

    Attributes
    ----------
    kind
        The user's word on what the file holds; None lets the detector decide.
    profile
        ``fast`` leaves out dereverb and the encoder; ``best`` prefers the strongest packs.
    backing
        The accompaniment that was sung to, as a file of its own.
    song
        The written song (UltraStar).
    feedback
        Whether the coach's words are written.
    language
        What they are written in.
    words
        Who writes them: ``model`` the language model, ``template`` the built-in sentences; ``auto``
        the model where one is installed and English is spoken.
    seed
        With the take it decides every word of a language model on one machine.
    """

    kind: TakeKind | None = None
    profile: Profile = "balanced"
    backing: Path | None = None
    song: Path | None = None
    feedback: bool = True
    language: Language = "en"
    words: Words = "auto"
    seed: int = 0
