"""What the projector of a language model says of itself: whether it hears, and how much it tells.

A projector is a GGUF file of the architecture ``clip``. Those that are known here hear windows of
30 s with an encoder of the Whisper kind; how many rows a window becomes follows from the kind and
the number of frames that are stacked. Settings as llama.cpp's library mtmd reads them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

_WINDOW_FRAMES: Final = 3000
_STACKING: Final = frozenset({"ultravox", "voxtral", "meralion", "glma"})
_HALVING: Final = frozenset({"qwen2a", "qwen2.5o", "musicflamingo"})
KINDS: Final = tuple(sorted(_STACKING | _HALVING))
"""Kinds of projectors that hear and are known here."""

_MARKS_TOKENS: Final = 8
"""Words that some models want before and after a window."""

_MOST_WIDTH: Final = 1 << 16
_MOST_TOKENS: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Projector:
    """A projector that hears.

    Attributes
    ----------
    kind
        One of :data:`KINDS`.
    width
        Numbers in each row; that of the language model's words.
    window_tokens
        Rows that a window of 30 s becomes.
    """

    kind: str
    width: int
    window_tokens: int

    @property
    def most_window_tokens(self) -> int:
        """Room for a window with the words around it."""
        return self.window_tokens + _MARKS_TOKENS

    def to_json(self) -> str:
        """Return it as text for the manifest of a pack."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what :meth:`to_json` wrote.

        Raises
        ------
        ValueError
            When it is something else.
        """
        try:
            table = json.loads(text)
            kind, width, n_tokens = table["kind"], table["width"], table["window_tokens"]
        except (KeyError, TypeError, RecursionError) as error:
            raise ValueError("no description of a projector") from error
        if kind not in KINDS or not _fits(width, _MOST_WIDTH) or not _fits(n_tokens, _MOST_TOKENS):
            raise ValueError(f"no description of a projector: {kind!r}")
        return cls(kind=kind, width=width, window_tokens=n_tokens)


def projector_of(settings: Mapping[str, Any]) -> Projector:
    """Return what the settings of a GGUF file of the architecture ``clip`` say.

    Raises
    ------
    ValueError
        When it does not hear, is of a kind that is not known, or its sizes are absurd; the text of
        the error is a clause for the user.
    """
    kind = settings.get("clip.audio.projector_type") or settings.get("clip.projector_type")
    if settings.get("clip.has_audio_encoder") is not True:
        raise ValueError("it is a projector that does not hear")
    if kind not in KINDS:
        raise ValueError("it is a projector of a kind that is not known here")
    width = settings.get("clip.audio.projection_dim")
    stack = settings.get("clip.audio.projector.stack_factor", 1)
    if not _fits(width, _MOST_WIDTH) or not _fits(stack, _WINDOW_FRAMES // 2):
        raise ValueError("it is a projector with absurd sizes")
    assert isinstance(width, int)
    if kind in _STACKING:
        n_tokens = -(-_WINDOW_FRAMES // stack) // 2 + (2 if kind == "glma" else 0)
    else:
        n_tokens = _WINDOW_FRAMES // 4
    return Projector(kind=str(kind), width=width, window_tokens=n_tokens)


def _fits(value: object, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= most
