"""A writer that follows a grammar by throwing dice: reads the part of GBNF that is used here."""

from __future__ import annotations

import random
from collections.abc import Callable

from singcoach.jobs import NO_JOB, Job
from singcoach.models.language.protocol import Request, Written


class Dice:
    """Throws one text of the rule ``root``; knows texts, groups, ``|`` and ``?``."""

    def __init__(self, grammar: str, seed: int) -> None:
        head, _, self._rule = grammar.strip().partition(" ::= ")
        assert head == "root"
        self._at = 0
        self._draw = random.Random(seed)

    def throw(self) -> str:
        found = self._choice()
        assert self._at == len(self._rule), self._rule[self._at :]
        return found

    def _choice(self) -> str:
        rows = [self._row()]
        while self._peek("|"):
            rows.append(self._row())
        return self._draw.choice(rows)

    def _row(self) -> str:
        found = ""
        while True:
            if self._peek("("):
                item = self._choice()
                assert self._peek(")")
            elif self._peek('"'):
                item = self._text()
            else:
                return found
            if self._peek("?"):
                item = self._draw.choice(("", item))
            found += item

    def _text(self) -> str:
        found = ""
        while (char := self._rule[self._at]) != '"':
            if char == "\\":
                self._at += 1
                char = {"n": "\n"}.get(self._rule[self._at], self._rule[self._at])
            found += char
            self._at += 1
        self._at += 1
        return found

    def _peek(self, char: str) -> bool:
        while self._rule[self._at : self._at + 1] == " ":
            self._at += 1
        if self._rule[self._at : self._at + 1] != char:
            return False
        self._at += 1
        return True


class DiceWriter:
    """Stands where a language model stands."""

    id = "dice"
    prompt = ""
    usable = True

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def write(
        self,
        request: Request,
        *,
        timeout_s: float,
        on_piece: Callable[[str], None] | None = None,
        job: Job = NO_JOB,
    ) -> Written:
        assert timeout_s > 0
        job.report(0.5, "feedback")
        self.requests.append(request)
        text = Dice(request.grammar, request.seed).throw()
        return Written(text=text, n_tokens=len(text.split()), whole=True)
