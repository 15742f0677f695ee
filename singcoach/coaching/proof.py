"""Proof of sentences in any language: written again from the facts, or not said."""

from __future__ import annotations

from collections.abc import Sequence

from singcoach.coaching.exercises import Library
from singcoach.coaching.facts import Fact
from singcoach.coaching.languages import Catalogue
from singcoach.coaching.statements import all_true


class Proof:
    """Knows every sentence that the facts of one take allow in one language.

    Parameters
    ----------
    facts
        Everything that was measured.
    words
        The language.
    library
        Exercises that may be named.
    """

    def __init__(self, facts: Sequence[Fact], words: Catalogue, library: Library) -> None:
        self._allowed: dict[str, tuple[str, ...]] = {}
        for statement in all_true(facts, tuple(library.exercises)):
            for wording in range(words.wordings(statement.message)):
                text = statement.render(words, wording=wording)
                known = self._allowed.get(text, ())
                self._allowed[text] = tuple(dict.fromkeys((*known, *statement.facts)))

    def support(self, sentence: str) -> tuple[str, ...] | None:
        """Ids of the facts behind a sentence; None when nothing measured allows it."""
        return self._allowed.get(sentence.strip())
