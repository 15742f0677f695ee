"""What a model that hears may propose, and which of it the measures confirm.

A model is asked what it hears and answers with one of the phrases below. Nothing of it is said to
the singer as such: a proposal counts only where the measures found the same fault in the same take,
and then the facts are spoken of, not the proposal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from singcoach.coaching.facts import Fact
from singcoach.coaching.phrasing.grammar import texts
from singcoach.coaching.plan import SMALL_WEIGHT
from singcoach.core.scores import Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """A fault that can be heard.

    Attributes
    ----------
    words
        What a model says that hears it.
    topics
        A fact on one of them confirms it.
    """

    id: str
    words: str
    topics: tuple[str, ...]


ISSUES: Final = (
    Issue(id="breathy", words="breathy", topics=("clarity",)),
    Issue(id="harsh", words="harsh", topics=("smoothness",)),
    Issue(id="dull", words="dull", topics=("ring",)),
    Issue(id="out_of_tune", words="out of tune", topics=("intonation", "leaps")),
    Issue(id="drifting", words="drifting", topics=("drift",)),
    Issue(id="scooping", words="sliding into notes", topics=("scoop",)),
    Issue(id="broken_phrases", words="broken phrases", topics=("phrase_breaks",)),
    Issue(id="fading_ends", words="fading ends", topics=("phrase_end",)),
    Issue(id="gasping", words="gasping", topics=("breath_noise",)),
    Issue(id="unsteady", words="unsteady", topics=("steadiness",)),
    Issue(id="monotone", words="monotone", topics=("dynamics", "melody_dynamics")),
    Issue(id="rushed", words="rushed", topics=("timing",)),
    Issue(id="uneven_vibrato", words="uneven vibrato", topics=("vibrato",)),
    Issue(id="no_vibrato", words="without vibrato", topics=("vibrato_use",)),
)
NOTHING: Final = "clean"
"""What a model says that hears none of them."""

LISTEN: Final = "Hear."
QUESTION: Final = "Fault?"
"""The two parts of the prompt, before and after the sound; short, for every word costs time."""

HEARD_SYSTEM: Final = (
    "You are a kind singing teacher. You hear a singer and are told what was measured. The user "
    "gives you one fact. You say the same fact to the singer in one short sentence, in your own "
    "words. You add nothing."
)
"""For large models that hear: how the planned sentences are asked for after the song."""

_FAULTS: Final = frozenset({"bad", "flat", "sharp"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """A proposal that the measures confirm; ``facts`` are the ids of those that do, by weight."""

    issue: Issue
    facts: tuple[str, ...]


def answers_grammar() -> str:
    """Return the grammar (GBNF) of an answer: one issue, or nothing."""
    return f"root ::= {texts((*(issue.words for issue in ISSUES), NOTHING))}\n"


def proposed(answers: Sequence[str]) -> tuple[str, ...]:
    """Return the ids of the issues that answers name, each once; other answers are passed over."""
    by_words = {issue.words: issue.id for issue in ISSUES}
    named = (by_words.get(answer.strip()) for answer in answers)
    return tuple(dict.fromkeys(issue for issue in named if issue is not None))


def confirmed_proposals(proposals: Sequence[str], facts: Sequence[Fact]) -> tuple[Confirmed, ...]:
    """Return the proposals that the measures of the same take confirm, in the order proposed.

    A fact confirms an issue when it is about one of its topics, lowered a score by more than is
    passed over, and is a fault by itself and not only beside the rest of the take.

    Parameters
    ----------
    proposals
        Ids of :data:`ISSUES`; others are passed over, and so are repetitions.
    """
    by_id = {issue.id: issue for issue in ISSUES}
    kept = []
    for name in dict.fromkeys(proposals):
        issue = by_id.get(name)
        if issue is None:
            continue
        behind = [fact for fact in facts if _confirms(fact, issue)]
        if behind:
            behind.sort(key=lambda fact: (-fact.weight, fact.id))
            kept.append(Confirmed(issue=issue, facts=tuple(fact.id for fact in behind)))
    return tuple(kept)


def measured(sentences: Sequence[Sentence]) -> str:
    """Return what is told to a model after the song: the sentences of the templates, as lines."""
    lines = dict.fromkeys(s.text for s in sentences if s.part in ("summary", "critique"))
    return "\n".join(("Measured:", *lines))


def _confirms(fact: Fact, issue: Issue) -> bool:
    return (
        fact.kind in ("evidence", "note")
        and fact.topic in issue.topics
        and fact.direction in _FAULTS
        and not fact.relative
        and fact.weight >= SMALL_WEIGHT
    )
