"""The question to a language model that was taught the coach's words: facts as short lines.

Training and use share it; a model knows only the form that it was taught.
"""

from __future__ import annotations

from typing import Final

from singcoach.coaching.languages import Catalogue
from singcoach.coaching.phrasing.frames import shown_fields
from singcoach.coaching.statements import Statement

SYSTEM: Final = "Say the facts."
_KINDS: Final = {
    "good": "good",
    "bad": "not good yet",
    "bad_flat": "one note too low",
    "bad_sharp": "one note too high",
    "bad_amount": "not good yet",
    "better": "better than the rest of the take",
    "weaker": "weaker than the rest of the take",
    "work": "to work on",
    "gloss": "what it is",
    "spoken": "good in one moment",
}


def fact_prompt(statement: Statement, words: Catalogue) -> str:
    """Write a statement as facts: what it is about, what is said of it, and its numbers."""
    shown = shown_fields(statement, words)
    message = statement.message
    if message.startswith("topic."):
        _, topic, kind = message.split(".")
        lines = [f"topic: {topic.replace('_', ' ')}", f"result: {_KINDS[kind]}"]
    else:
        lines = [f"topic: {message.replace('_', ' ').replace('.', ': ')}"]
    lines += [f"{name.replace('_', ' ')}: {text}" for name, text in shown.items()]
    return "\n".join(lines)
