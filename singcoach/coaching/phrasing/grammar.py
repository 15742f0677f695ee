"""Grammars (GBNF) put together from plain texts and from the phrases that the claim check knows.

Only a small part of regular expressions is translated: texts, groups, alternatives and ``?``. That
is all the phrases use; a phrase with anything else is refused, never guessed at.
"""

from __future__ import annotations

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
