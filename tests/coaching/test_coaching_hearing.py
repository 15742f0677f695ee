"""What is heard counts only where it was measured."""

from __future__ import annotations

from dataclasses import replace

import pytest

from singcoach.coaching.facts import Fact
from singcoach.coaching.hearing import (
    ISSUES,
    NOTHING,
    answers_grammar,
    confirmed_proposals,
    measured,
    proposed,
)
from singcoach.coaching.topics import ALL_TOPICS
from singcoach.core.scores import Sentence

BREATHY = Fact(
    id="technique-1", kind="evidence", subject="technique", value=4.0, unit="db", topic="clarity",
    measure="clarity_shortfall", direction="bad", start_s=1.0, end_s=4.0, weight=0.3,
)  # fmt: skip


def test_a_proposal_that_was_measured_is_kept_with_its_facts() -> None:
    lighter = replace(BREATHY, id="technique-2", weight=0.1)
    (kept,) = confirmed_proposals(["breathy"], [lighter, BREATHY])
    assert kept.issue.id == "breathy"
    assert kept.facts == ("technique-1", "technique-2")


@pytest.mark.parametrize(
    "changes",
    [
        {"direction": "good"},
        {"direction": "none"},
        {"topic": "ring"},
        {"relative": True},
        {"weight": 0.01},
        {"kind": "accuracy"},
    ],
)
def test_a_proposal_that_was_not_measured_is_not_kept(changes: dict[str, object]) -> None:
    assert confirmed_proposals(["breathy"], [replace(BREATHY, **changes)]) == ()  # type: ignore[arg-type]


def test_only_what_is_proposed_and_known_is_kept_once() -> None:
    assert confirmed_proposals([], [BREATHY]) == ()
    assert confirmed_proposals(["dull", "", "Breathy", NOTHING], [BREATHY]) == ()
    assert len(confirmed_proposals(["breathy", "breathy"], [BREATHY])) == 1


def test_a_note_with_its_side_confirms_that_it_is_out_of_tune() -> None:
    note = replace(BREATHY, id="a.note", kind="note", topic="intonation", direction="flat")
    (kept,) = confirmed_proposals(["out_of_tune"], [note])
    assert kept.facts == ("a.note",)


def test_answers_become_issues() -> None:
    assert proposed(["breathy", " out of tune\n", NOTHING, "hello", "breathy"]) == (
        "breathy",
        "out_of_tune",
    )


def test_every_issue_can_be_said_and_confirmed() -> None:
    topics = {topic.id for topic in ALL_TOPICS}
    grammar = answers_grammar()
    assert len({issue.id for issue in ISSUES}) == len({issue.words for issue in ISSUES})
    for issue in ISSUES:
        assert issue.topics
        assert set(issue.topics) <= topics
        assert f'"{issue.words}"' in grammar
        assert proposed([issue.words]) == (issue.id,)
    assert f'"{NOTHING}"' in grammar


def test_what_was_measured_is_told_in_lines_each_once() -> None:
    sentences = [
        Sentence(part=part, place=0, text=text, facts=("score.overall",))  # type: ignore[arg-type]
        for part, text in (
            ("summary", "Overall, you are at about 3 out of 5."),
            ("critique", "At 0:12 the tone is breathy."),
            ("critique", "At 0:12 the tone is breathy."),
            ("suggestion", "Work on it."),
            ("spoken", "Hello."),
        )
    ]
    assert measured(sentences) == (
        "Measured:\nOverall, you are at about 3 out of 5.\nAt 0:12 the tone is breathy."
    )
