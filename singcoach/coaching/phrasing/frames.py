"""The grammar of one planned sentence: every way to say it, and nothing else.

Numbers, times and amounts are fixed texts taken from the facts. What is said about a moment comes
from the phrases that the claim check knows for its topic; the model chooses among them. With
``free`` it chooses the words too, and only the numbers stay fixed.
"""

from __future__ import annotations

import random
from functools import lru_cache
from typing import Final, Literal

from singcoach.coaching.english.phrases import PHRASES, Phrases
from singcoach.coaching.languages import Catalogue
from singcoach.coaching.numbers import amount_key, half_points
from singcoach.coaching.phrasing.grammar import (
    PatternError,
    choices,
    expand,
    maybe,
    one_of,
    text,
    texts,
    then,
)
from singcoach.coaching.phrasing.taste import is_well_said
from singcoach.coaching.statements import Statement
from singcoach.core.wording import clock

Freedom = Literal["phrases", "free"]

_POINTS: Final = frozenset({"points", "low_points", "high_points"})
_IS: Final = ("is", "sounds", "stays", "remains")

_WORK: Final = (
    "Work on ", "Focus on ", "Concentrate on ", "Practise ", "Spend some time on ",
    "Pay attention to ", "Give a few minutes to ", "You could work on ",
    "It may help to work on ", "Try to work on ",
)  # fmt: skip
_WORK_NEXT: Final = ("Next, work on ", "Your next step is to work on ")
_WORK_END: Final = ("", " next", " today", " this week", " in your next take")
_SCORE_VERBS: Final = (
    " is at ",
    " comes to ",
    " lands at ",
    " reaches ",
    " stands at ",
    " sits at ",
)
_OVERALL: Final = (
    "Overall, you are at ", "Overall you land at ", "Overall this take comes to ",
    "All in all, you are at ", "On the whole, this take comes to ",
)  # fmt: skip
_COMPARED: Final = frozenset({"vibrato", "timing", "intonation", "ring", "phrase_end", "general"})
"""Topics of which "better" and "weaker" cannot be taken for louder and softer."""
_LOW: Final = ("flat", "too low", "below the pitch", "below the note")
_HIGH: Final = ("sharp", "too high", "above the pitch", "above the note")


def grammar_of(
    statement: Statement, words: Catalogue, *, freedom: Freedom = "phrases"
) -> str | None:
    """Return the grammar of an English sentence; None where there is only one way to say it."""
    wordings = [
        statement.render(words, wording=n) for n in range(words.wordings(statement.message))
    ]
    shown = shown_fields(statement, words)
    if freedom == "free":
        return _free(shown)
    frames = _frames(statement.message, shown)
    if not frames and len(wordings) == 1:
        return None
    return f"root ::= {one_of([*(text(w) for w in wordings), *frames])}\n"


def shown_fields(statement: Statement, words: Catalogue) -> dict[str, str]:
    """Return what is filled into a statement, as the sentences of the language write it."""
    return {name: _shown(words, name, value) for name, value in statement.fields.items()}


def _frames(message: str, shown: dict[str, str]) -> list[str]:
    if message.startswith("topic."):
        _, topic, kind = message.split(".")
        return _topic(PHRASES[topic], topic, kind, shown) if topic in PHRASES else []
    return _score(message, shown)


def _shown(words: Catalogue, name: str, value: object) -> str:
    """Write a field as the sentences of the language do."""
    if name == "subject":
        return next(said for key, said in words.dimension_subjects.items() if key == value)
    if name == "title":
        return f"“{words.exercises[str(value)].title}”"
    if not isinstance(value, int | float):
        return str(value)
    if name == "clock":
        return clock(value)
    if name == "amount":
        return words.amounts[amount_key(value)]
    if name == "percent":
        return words.percent_text(value)
    if name in _POINTS:
        return words.points[int(half_points(value) * 2) - 2]
    return words.number(value)


def _topic(phrases: Phrases, topic: str, kind: str, shown: dict[str, str]) -> list[str]:
    if kind == "work":
        if not phrases.focus:
            return []
        focus = _known(phrases.focus, frame="Work on {}.")
        now = then(texts(_WORK), focus, texts(_WORK_END), text("."))
        return [now, then(texts(_WORK_NEXT), focus, text("."))]
    if kind == "spoken":
        clause = _clause(phrases, good=True)
        return [then(text("In one moment "), clause, text("."))] if clause else []
    if "clock" not in shown:
        return []
    at = then(
        texts(("At ", "Around ", "Near ", "Right at ")),
        text(shown["clock"]),
        texts((" ", ", ")),
    )
    if kind in ("bad_flat", "bad_sharp"):
        side = texts(_LOW if kind == "bad_flat" else _HIGH)
        subject = texts(("one note is ", "a note is ", "one of your notes is "))
        return [then(at, subject, text(shown["amount"] + " "), side, text("."))]
    if kind in ("better", "weaker"):
        if topic not in _COMPARED:
            return []
        adjective = texts(("better",) if kind == "better" else ("weaker", "less even"))
        rest = texts((" than in the rest of this take", " than elsewhere in this take"))
        much = texts(("is ", "is a little ", "sounds a little "))
        nouns = _known(phrases.nouns, frame=_NOUN_FRAME)
        return [then(at, nouns, text(" "), much, adjective, rest, text("."))]
    clause = _clause(phrases, good=kind == "good")
    if not clause:
        return []
    amount = text(f", off by {shown['amount']}") if kind == "bad_amount" else ""
    return [then(at, clause, amount, text("."))]


def _clause(phrases: Phrases, *, good: bool) -> str:
    """What may be said about a moment of a topic."""
    nouns = _known(phrases.nouns, frame=_NOUN_FRAME)
    adjectives = phrases.good if good else phrases.bad
    does = phrases.does_good if good else phrases.does_bad
    has = phrases.has_good if good else phrases.has_bad
    whole = phrases.whole_good if good else phrases.whole_bad
    rules = []
    if adjectives:
        rules.append(then(nouns, text(" "), texts(_IS), text(" "), _known(adjectives)))
    if not good and phrases.good:
        ending = maybe(text(" yet"))
        rules.append(then(nouns, text(" is not "), _known(phrases.good), ending))
    if does:
        rules.append(then(nouns, text(" "), _known(does)))
    if has:
        rules += [
            then(text(start), _known(has, frame=f"At 0:00 {start}{{}}."))
            for start in ("there is ", "you have ", "we hear ")
        ]
    if whole:
        rules.append(_known(whole))
    return one_of(rules) if rules else ""


@lru_cache(maxsize=512)
def _known(expressions: tuple[str, ...], *, frame: str = "At 0:00 {}.") -> str:
    """Every text that phrases mean and that is good English within ``frame``.

    "This", "that", "each", "one" beside "your" and "the" are left out.
    """
    meant: list[str] = []
    for expression in expressions:
        try:
            found = expand(expression.replace("(?:your|the|this|that|each|one)", _MINE))
        except PatternError:
            continue
        found = tuple(words for words in found if is_well_said(frame.format(words))) or found
        meant += random.Random(0).sample(found, min(len(found), _MOST_TEXTS))
    return choices(meant)


_MOST_TEXTS: Final = 200
"""Of one phrase; more are no gain and make the grammar slow to read."""
_NOUN_FRAME: Final = "At 0:00 {} is good."
_MINE: Final = "(?:your|the)"


def _score(message: str, shown: dict[str, str]) -> list[str]:
    name, _, sure = message.rpartition("_")
    if name not in ("dimension", "overall") or "score" not in shown:
        return []
    about = {"about": "about ", "roughly": "roughly "}.get(sure, "")
    score = text(f"{about}{shown['score']} out of 5")
    ending = "."
    if sure == "open":
        ending = f", but anything between {shown['low']} and {shown['high']} is possible."
    elif name == "overall":
        ending = f", most likely between {shown['low']} and {shown['high']}."
    if name == "overall":
        return [then(texts(_OVERALL), score, text(ending))]
    subject = shown["subject"]
    start = subject[:1].upper() + subject[1:]
    return [
        then(text(start), texts(_SCORE_VERBS), score, text(ending)),
        then(text(f"For {subject} you reach "), score, text(ending)),
    ]


def _free(shown: dict[str, str]) -> str:
    """Any words of letters; numbers, amounts and titles only as the facts have them."""
    fixed = [f"{v} out of 5" if name == "score" else v for name, v in shown.items()]
    item = one_of(["word", *(text(f) for f in fixed)])
    return f'root ::= [A-Z] [a-z]* (","? " " {item}){{2,24}} "."\nword ::= [a-z] [a-z\'-]{{0,15}}\n'
