"""The grammar of one planned sentence: every way to say it, and nothing else.

Numbers, times and amounts are fixed texts taken from the facts. What is said about a moment comes
from the phrases that the claim check knows for its topic; the model chooses among them. With
``free`` it chooses the words too, and only the numbers stay fixed.
"""

from __future__ import annotations

from typing import Final, Literal

from singcoach.coaching.english.phrases import PHRASES, Phrases
from singcoach.coaching.languages import Catalogue
from singcoach.coaching.numbers import amount_key, half_points
from singcoach.coaching.phrasing.grammar import (
    PatternError,
    maybe,
    one_of,
    pattern,
    patterns,
    text,
    texts,
    then,
)
from singcoach.coaching.statements import Statement
from singcoach.core.wording import clock

Freedom = Literal["phrases", "free"]

_POINTS: Final = frozenset({"points", "low_points", "high_points"})
_IS: Final = ("is", "sounds", "stays", "remains")

_WORK: Final = (
    "Work on ", "Focus on ", "Concentrate on ", "Practise ", "Spend some time on ",
    "Pay attention to ", "Give a few minutes to ", "Next, work on ", "You could work on ",
    "It may help to work on ", "Try to work on ", "Your next step is to work on ",
)  # fmt: skip
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
        return _topic(PHRASES[topic], kind, shown) if topic in PHRASES else []
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


def _topic(phrases: Phrases, kind: str, shown: dict[str, str]) -> list[str]:
    if kind == "work":
        if not phrases.focus:
            return []
        return [then(texts(_WORK), _known(phrases.focus), texts(_WORK_END), text("."))]
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
        adjective = texts(("better", "stronger") if kind == "better" else ("weaker", "less even"))
        rest = texts((" than in the rest of this take", " than elsewhere in this take"))
        much = texts(("is ", "is a little ", "sounds a little "))
        return [then(at, _known(phrases.nouns), text(" "), much, adjective, rest, text("."))]
    clause = _clause(phrases, good=kind == "good")
    if not clause:
        return []
    amount = text(f", off by {shown['amount']}") if kind == "bad_amount" else ""
    return [then(at, clause, amount, text("."))]


def _clause(phrases: Phrases, *, good: bool) -> str:
    """What may be said about a moment of a topic."""
    nouns = _known(phrases.nouns)
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
        rules.append(then(texts(("there is ", "you have ", "we hear ")), _known(has)))
    if whole:
        rules.append(_known(whole))
    return one_of(rules) if rules else ""


def _known(expressions: tuple[str, ...]) -> str:
    """Translate phrases; "this", "that", "each", "one" beside "your" and "the" are left out."""
    kept = []
    for expression in expressions:
        try:
            kept.append(pattern(expression.replace("(?:your|the|this|that|each|one)", _MINE)))
        except PatternError:
            continue
    return one_of(kept) if kept else patterns(())


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
