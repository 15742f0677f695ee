"""One of the ways that a grammar allows, drawn at random.

Reads the part of GBNF that :mod:`singcoach.coaching.phrasing.grammar` writes: one rule of texts,
groups, alternatives and ``?``. Every alternative is as likely as its neighbours.
"""

from __future__ import annotations

import random

_ESCAPED = {"n": "\n"}


def draw_wording(grammar: str, draw: random.Random) -> str:
    """Return one text of the rule ``root``.

    Raises
    ------
    ValueError
        When the grammar uses more than is read here.
    """
    head, mark, rule = grammar.strip().partition(" ::= ")
    if head != "root" or not mark or "::=" in rule:
        raise ValueError("a grammar of more than one rule")
    return _Wording(rule, draw).whole()


class _Wording:
    def __init__(self, rule: str, draw: random.Random) -> None:
        self._rule = rule
        self._at = 0
        self._draw = draw

    def whole(self) -> str:
        found = self._choice()
        if self._at != len(self._rule):
            raise ValueError(f"not understood from place {self._at} of the grammar")
        return found

    def _choice(self) -> str:
        rows = [self._row()]
        while self._found("|"):
            rows.append(self._row())
        return self._draw.choice(rows)

    def _row(self) -> str:
        parts: list[str] = []
        while True:
            if self._found("("):
                part = self._choice()
                if not self._found(")"):
                    raise ValueError("a group without an end in the grammar")
            elif self._found('"'):
                part = self._text()
            else:
                return "".join(parts)
            if self._found("?"):
                part = self._draw.choice(("", part))
            parts.append(part)

    def _text(self) -> str:
        letters = []
        while (letter := self._next()) != '"':
            if letter == "\\":
                letter = self._next()
                letter = _ESCAPED.get(letter, letter)
            letters.append(letter)
        return "".join(letters)

    def _next(self) -> str:
        if self._at >= len(self._rule):
            raise ValueError("a text without an end in the grammar")
        self._at += 1
        return self._rule[self._at - 1]

    def _found(self, letter: str) -> bool:
        while self._rule[self._at : self._at + 1] == " ":
            self._at += 1
        if self._rule[self._at : self._at + 1] != letter:
            return False
        self._at += 1
        return True
