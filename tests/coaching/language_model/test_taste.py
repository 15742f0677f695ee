"""What a coach would not say is not offered to a model, however true it is."""

from __future__ import annotations

import pytest
from grammar_dice import Dice

from singcoach.coaching.languages import catalogue_of
from singcoach.coaching.languages.reading import topic_messages
from singcoach.coaching.phrasing.frames import grammar_of
from singcoach.coaching.phrasing.taste import is_well_said
from singcoach.coaching.statements import Statement
from singcoach.coaching.topics import ALL_TOPICS


@pytest.mark.parametrize(
    "sentence",
    [
        "At 0:12 there is an smooth tone.",
        "At 0:12 we hear rough tone.",
        "Work on these note.",
        "Carry each phrases to the end.",
        "At 0:12 your notes land in on time.",
        "At 0:12 the pitch sinks by U.",
        "At 0:12 this notes is not in tune.",
        "In one moment you have your nicely smooth vibrato.",
        "Next, work on the leaps today.",
        "At 0:12 your held note keeps steady.",
        "At 0:12, the smoothness of the sound is smooth.",
    ],
)
def test_what_hurts_is_noticed(sentence: str) -> None:
    assert not is_well_said(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "At 0:12 there is a smooth tone.",
        "At 0:12 your held note stays steady.",
        "At 0:12, one note is about a third of a semitone too low.",
        "Work on a relaxed, even vibrato today.",
        "Your breath control is at about 3.5 out of 5.",
        "Overall this take comes to roughly 3 out of 5, most likely between 2.5 and 4.",
    ],
)
def test_what_is_well_said_passes(sentence: str) -> None:
    assert is_well_said(sentence)


def test_nearly_everything_that_is_offered_is_well_said() -> None:
    words, n_offered, n_bad = catalogue_of("en"), 0, 0
    values = {"clock": 42.0, "amount": 33.0}
    for topic in ALL_TOPICS:
        for message, fields in topic_messages(topic).items():
            name = f"topic.{topic.id}.{message}"
            statement = Statement(message=name, fields={key: values[key] for key in fields})
            grammar = grammar_of(statement, words)
            for seed in range(8 if grammar else 0):
                n_offered += 1
                n_bad += not is_well_said(Dice(str(grammar), seed).throw())
    assert n_offered > 500
    assert n_bad <= 0.02 * n_offered


def test_better_and_weaker_are_never_said_of_loudness() -> None:
    words = catalogue_of("en")
    for topic in ("breath_noise", "melody_dynamics", "steadiness", "dynamics", "clarity"):
        statement = Statement(message=f"topic.{topic}.weaker", fields={"clock": 42.0})
        grammar = grammar_of(statement, words)
        own = {statement.render(words, wording=n) for n in range(words.wordings(statement.message))}
        said = {Dice(grammar, seed).throw() for seed in range(20)} if grammar else own
        assert said <= own
