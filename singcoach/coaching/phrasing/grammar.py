"""Grammars (GBNF) put together from plain texts and from the phrases that the claim check knows.

Only a small part of regular expressions is translated: texts, groups, alternatives and ``?``. That
is all the phrases use; a phrase with anything else is refused, never guessed at. Such phrases mean
finitely many texts, which can be written out one by one.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable

_SPECIAL = frozenset("\\[]{}^$*+.|()?")


class PatternError(ValueError):
    """A regular expression that has no translation here."""


def text(words: str) -> str:
    """Exactly these words."""
    escaped = words.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"' if words else '""'


def one_of(rules: Iterable[str]) -> str:
    """Any one of several rules.

    Raises
    ------
    ValueError
        When there is none: such a grammar would allow nothing.
    """
    known = list(dict.fromkeys(rules))
    if not known:
        raise ValueError("a choice of nothing")
    return known[0] if len(known) == 1 else f"({' | '.join(known)})"


def texts(words: Iterable[str]) -> str:
    """Any one of several texts."""
    return one_of(text(w) for w in words)


def maybe(rule: str) -> str:
    """A rule or nothing."""
    return f"({rule})?"


def then(*rules: str) -> str:
    """Rules one after another."""
    return " ".join(rule for rule in rules if rule)


def pattern(expression: str) -> str:
    """Translate a regular expression.

    Raises
    ------
    PatternError
        When it uses more than texts, ``(?:...)``, ``|`` and ``?``.
    """
    rule, at = _choice(expression, 0)
    if at != len(expression):
        raise PatternError(f"an end too many in {expression!r}")
    return rule


def expand(expression: str, *, most: int = 4000) -> tuple[str, ...]:
    """Write out every text that a regular expression means, each once.

    Raises
    ------
    PatternError
        When it uses more than texts, ``(?:...)``, ``|`` and ``?``, or means more than ``most``.
    """
    found, at = _all_of_choice(expression, 0, most)
    if at != len(expression):
        raise PatternError(f"an end too many in {expression!r}")
    return tuple(dict.fromkeys(found))


def choices(words: Iterable[str]) -> str:
    """Any one of many texts, their common beginnings written once.

    At every place the next letter decides where to go on, so that following the rule is quick
    however many texts there are.

    Raises
    ------
    ValueError
        When there is none.
    """
    return _branch(sorted(set(words)))


def _branch(words: list[str]) -> str:
    if not words:
        raise ValueError("a choice of nothing")
    if len(words) == 1:
        return text(words[0])
    rules = []
    ends = words[0] == ""
    rest = words[1:] if ends else words
    for _, group in itertools.groupby(rest, key=lambda word: word[0]):
        alike = list(group)
        pairs = zip(alike[0], alike[-1], strict=False)  # sorted: these two differ first
        start = "".join(a for a, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
        tails = [word[len(start) :] for word in alike]
        rules.append(text(start) if tails == [""] else then(text(start), _branch(tails)))
    rule = one_of(rules) if len(rules) > 1 else f"({rules[0]})"
    return maybe(rule) if ends else rule


def patterns(expressions: Iterable[str]) -> str:
    """Translate several regular expressions into a choice."""
    return one_of(pattern(e) for e in expressions)


def _choice(expression: str, at: int) -> tuple[str, int]:
    rules = []
    while True:
        rule, at = _row(expression, at)
        rules.append(rule)
        if at >= len(expression) or expression[at] != "|":
            return one_of(rules), at
        at += 1


def _row(expression: str, at: int) -> tuple[str, int]:
    rules: list[str] = []
    plain = ""
    while at < len(expression) and expression[at] not in "|)":
        if expression.startswith("(?:", at):
            if plain:
                rules.append(text(plain))
            plain = ""
            inner, at = _choice(expression, at + 3)
            if at >= len(expression):
                raise PatternError(f"a group without an end in {expression!r}")
            at += 1
        else:
            if expression[at] in _SPECIAL:
                raise PatternError(f"{expression[at]!r} in {expression!r}")
            inner, at = text(expression[at]), at + 1
            if expression[at : at + 1] != "?":
                plain += expression[at - 1]
                continue
            if plain:
                rules.append(text(plain))
            plain = ""
        if expression[at : at + 1] == "?":
            inner, at = maybe(inner), at + 1
        rules.append(inner)
    if plain:
        rules.append(text(plain))
    return then(*rules) or text(""), at


def _all_of_choice(expression: str, at: int, most: int) -> tuple[list[str], int]:
    found: list[str] = []
    while True:
        some, at = _all_of_row(expression, at, most)
        found += some
        if at >= len(expression) or expression[at] != "|":
            return found, at
        at += 1


def _all_of_row(expression: str, at: int, most: int) -> tuple[list[str], int]:
    found = [""]
    while at < len(expression) and expression[at] not in "|)":
        if expression.startswith("(?:", at):
            inner, at = _all_of_choice(expression, at + 3, most)
            if at >= len(expression):
                raise PatternError(f"a group without an end in {expression!r}")
        elif expression[at] in _SPECIAL:
            raise PatternError(f"{expression[at]!r} in {expression!r}")
        else:
            inner = [expression[at]]
        at += 1
        if expression[at : at + 1] == "?":
            inner, at = ["", *inner], at + 1
        found = [start + end for start in found for end in inner]
        if len(found) > most:
            raise PatternError(f"more than {most} texts in {expression!r}")
    return found, at
