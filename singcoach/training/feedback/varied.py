"""More ways to say what the grammar of a sentence says: other orders, openings and sentences.

They go beyond what the grammar allows the model in use, so that it learns the field and not a list.
Whoever uses them holds each against the facts: a form is a suggestion, never a proof.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from typing import Final

from singcoach.coaching.english.phrases import PHRASES
from singcoach.coaching.languages import Catalogue
from singcoach.coaching.phrasing.frames import grammar_of, shown_fields
from singcoach.coaching.phrasing.grammar import pattern, texts, then
from singcoach.coaching.statements import Statement
from singcoach.training.feedback.wordings import draw_wording

_AS_IT_IS: Final = 0.35
"""Share of the sentences that stay as the grammar has them."""

_MOMENT: Final = re.compile(r"(?:At|Around|Near|Right at) (?P<clock>\d+:\d\d),? (?P<rest>.*)\.")
_OF_MOMENT: Final = (
    "{Rest} at {clock}.", "{Rest} around {clock}.", "{Rest} near {clock}.",
    "At about {clock}, {rest}.", "In the moment at {clock}, {rest}.",
    "I hear that {rest} at {clock}.", "I hear how {rest} at {clock}.",
    "I noticed that {rest} at {clock}.", "You can hear that {rest} at {clock}.",
    "You can hear how {rest} at {clock}.", "We hear that {rest} around {clock}.",
    "Notice that {rest} at {clock}.", "Notice how {rest} at {clock}.",
    "Listen to how {rest} at {clock}.", "At {clock}, notice how {rest}.",
    "The measurements show that {rest} at {clock}.", "It sounds as if {rest} at {clock}.",
    "It seems that {rest} at {clock}.", "Also, {rest} at {clock}.",
    "In addition, {rest} at {clock}.",
)  # fmt: skip
_OF_WORK: Final = (
    "Next time, {rest}.", "Today, {rest}.", "This week, {rest}.", "In your next take, {rest}.",
    "For your next take, {rest}.", "In your practice, {rest}.", "Next, {rest}.",
    "Also, {rest}.", "So {rest}.", "First, {rest}.",
)  # fmt: skip
_ENDED: Final = re.compile(r"next|today|this week|step")
_OF_ADVICE: Final = (
    "{Rest}.", "Next time, {rest}.", "In your next take, {rest}.", "Try to {rest}.",
    "In your practice, {rest}.", "Today, {rest}.", "This week, {rest}.",
)  # fmt: skip
_OF_SCORE: Final = (
    "{Rest}.", "The measurements show that {rest}.", "The measurements say {rest}.",
    "It seems that {rest}.", "I hear that {rest}.", "Also, {rest}.", "In contrast, {rest}.",
)  # fmt: skip
_AGAINST: Final = {"song": "the written song", "backing": "the music", "self": "your own scale"}
_OF_ACCURACY: Final = (
    "Your {subject} accuracy is about {percent}, measured against {reference}.",
    "Measured against {reference}, your {subject} accuracy comes to about {percent}.",
    "Measured against {reference}, your {subject} accuracy is at about {percent}.",
    "Against {reference}, your {subject} accuracy is about {percent}.",
    "Your {subject} accuracy comes to about {percent}, measured against {reference}.",
    "Your {subject} accuracy against {reference} is about {percent}.",
    "The measurements show that your {subject} accuracy is about {percent}.",
    "Your {subject} accuracy is about {percent}.",
)  # fmt: skip
_SENTENCES: Final[Mapping[str, tuple[str, ...]]] = {
    "careful": (
        "One take does not settle it.", "Trust your ears too.", "So trust your ears too.",
        "Take it as a hint.", "Take this with care.",
        "Take it as a hint, and trust your ears too.",
    ),
    "not_about_you": ("That says nothing about how well you sing.",),
    "one_more_take": (
        "Please record another take, a little longer and in a quiet room.",
        "Please record one more take in a quiet room.", "Record one more take in a quiet room.",
        "Record another take, a little longer.", "Please record one more take, a little longer.",
    ),
    "record_again": ("Record the song again so that there is enough of your voice to hear.",),
    "no_task": ("Choose what you enjoy for your next practice.",),
    "no_moment": (
        "No single moment stands out for {subject}.", "For {subject}, no single moment stands out.",
        "No moment stands out for {subject}.",
    ),
    "dimension_unscored": (
        "{Subject} could not be scored in this take.", "{Subject} cannot be scored yet.",
    ),
    "spoken_exercise": (
        "Try the exercise {title}.", "Practise the exercise {title}.", "Try {title}.",
        "Today, try the exercise {title}.", "Next, try the exercise {title}.",
        "This week, try the exercise {title}.", "In your practice, try the exercise {title}.",
    ),
    "spoken_about": (
        "You are at about {points} out of five overall.",
        "Overall, this take comes to about {points} out of five.",
        "Overall you reach about {points} out of five.",
    ),
    "spoken_roughly": (
        "You are at roughly {points} out of five overall.",
        "Overall, this take comes to roughly {points} out of five.",
        "Overall you reach roughly {points} out of five.",
    ),
}  # fmt: skip


def vary(statement: Statement, words: Catalogue, draw: random.Random) -> str:
    """Return one way to say a statement; it is still to be held against the facts."""
    shown = shown_fields(statement, words)
    message = statement.message
    plain = statement.render(words, wording=draw.randrange(words.wordings(message)))
    if message in _SENTENCES:
        subject = shown.get("subject", "")
        sentence = draw.choice((plain, *_SENTENCES[message]))
        return sentence.format(**shown, Subject=_raised(subject)) if sentence != plain else plain
    if message.startswith("accuracy_"):
        _, subject, reference = message.split("_")
        known = {"subject": subject, "reference": _AGAINST[reference], **shown}
        return draw.choice((plain, *_OF_ACCURACY)).format(**known)
    if message.endswith(".gloss"):
        return _advice(message.split(".")[1], draw) or plain
    grammar = grammar_of(statement, words)
    text = plain if grammar is None else draw_wording(grammar, draw)
    if draw.random() < _AS_IT_IS:
        return text
    if message.startswith(("dimension_", "overall_")):
        return _filled(draw.choice(_OF_SCORE), text[:-1])
    if message.endswith(".work"):
        if _ENDED.search(text) or not text.endswith("."):
            return text
        return _filled(draw.choice(_OF_WORK), text[:-1])
    found = _MOMENT.fullmatch(text)
    if found is None:
        return text
    return _filled(draw.choice(_OF_MOMENT), found["rest"], clock=found["clock"])


def _advice(topic: str, draw: random.Random) -> str:
    phrases = PHRASES[topic].advice if topic in PHRASES else ()
    if not phrases or draw.random() < _AS_IT_IS:
        return ""
    rule = then(pattern(draw.choice(phrases)), texts(("",)))
    return _filled(draw.choice(_OF_ADVICE), draw_wording(f"root ::= {rule}", draw))


def _filled(form: str, rest: str, **fields: str) -> str:
    lowered = rest if rest.startswith(("I ", "“")) else rest[:1].lower() + rest[1:]
    return form.format(rest=lowered, Rest=_raised(rest), **fields)


def _raised(text: str) -> str:
    return text[:1].upper() + text[1:]
