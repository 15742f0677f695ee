"""The claim check accepts what was measured and rejects everything else."""

from __future__ import annotations

import re

import pytest
from coaching_samples import NOTES, make_scores, make_screening

from singcoach.coaching import write_feedback
from singcoach.coaching.check import ClaimChecker, split_sentences
from singcoach.coaching.facts import gather_facts


@pytest.fixture
def checker() -> ClaimChecker:
    return checker_for()


def checker_for(*, without: tuple[str, ...] = (), reasons: tuple[str, ...] = ()) -> ClaimChecker:
    facts = gather_facts(
        scores=make_scores(without=without),
        screening=make_screening(),
        duration_s=120.0,
        notes=NOTES,
    )
    return ClaimChecker(facts, reasons=reasons)


RIGHT = [
    "Breath control is at roughly 3.5 out of 5.",
    "Your breath control is 3.5/5.",
    "Overall you are at roughly three out of five.",
    "Overall this take comes to roughly 3 out of 5, most likely between 2.5 and 4.",
    "At 0:12 your held note stays even in loudness.",
    "At 0:31 the ending of the phrase fades early.",
    "At 1:07 the tone is not so clear.",
    "At 1:20 the tone is clear, while at 1:07 the tone is less clear.",
    "At 0:42 your notes are not quite in tune (one note lies about a third of a semitone too low).",
    "At 0:42 a note is about a third of a semitone flat.",
    "At 0:42 your notes are off by 34 cents.",
    "Your strongest side is emotional expression.",
    "Your weakest side is timbre quality.",
    "Your emotional expression is strong.",
    "Timbre quality is weak.",
    "Your pitch accuracy is about 85 %.",
    "Measured against your own scale, your pitch accuracy is about 85 percent.",
    "At 1:40 your vibrato is even.",
    "You sing for 61 seconds.",
    "Work on tuning; good tuning means singing the middle of each note.",
]

WRONG = [
    # scores and ranges
    "Breath control is at roughly 4.5 out of 5.",
    "Your breath control is 3/5.",
    "Overall you are at roughly four out of five.",
    "Overall this take comes to roughly 3 out of 5, most likely between 1 and 4.",
    "Timbre quality is at roughly 3.5 out of 5.",
    "Breath control and timbre quality are at 3.5 out of 5.",
    # times
    "At 0:55 your held note stays even in loudness.",
    "At 2:31 the ending of the phrase fades early.",
    "At 1:07 the ending of the phrase fades early.",
    # direction
    "At 0:12 the loudness of the held note wavers.",
    "At 1:07 the tone is clear.",
    "At 1:20 the tone is less clear.",
    "At 0:42 a note is about a third of a semitone sharp.",
    "At 0:42 one note lies about a third of a semitone too high.",
    "At 1:40 your vibrato is uneven.",
    "Your strongest side is timbre quality.",
    "Your weakest side is emotional expression.",
    "Timbre quality is strong.",
    "Your emotional expression is weak.",
    "At 0:42 your notes are well in tune.",
    # amounts
    "At 0:42 a note is about half a semitone flat.",
    "At 0:42 your notes are off by 80 cents.",
    "At 0:42 your notes are off by 34 seconds.",
    "At 0:12 your held note stays even in loudness within 7 decibels.",
    "Your pitch accuracy is about 95 %.",
    "Measured against the music, your pitch accuracy is about 85 %.",
    "You sing for 90 seconds.",
    "Your vibrato swings 6 times a second at 1:40.",
    # what was not measured
    "Your rhythm accuracy is about 85 %.",
    "At 0:12 your timing is secure.",
    "Your leap is secure.",
    "Your diction is clear.",
    "You have a beautiful voice.",
    "Your voice cracks at 0:12.",
    "You sing like a professional.",
    "You improved since last time.",
    "You sing better than other singers.",
    "All your notes are in tune.",
    "Your high notes are strong.",
    "Your larynx is too high.",
    "Work on diction.",
    "Work on timing.",
    "Breath control could not be scored: less than 10 s of singing.",
    "You hit 14 notes well.",
    "Hello there.",
    "Stop smoking and drink more water.",
    "Roughly 3 out of 5.5 overall.",
    "Breath control is at roughly 3.5 out of 5: at 1:07 the tone is not so clear.",
    "Breath control is at roughly 3.5 out of 5; no single moment stands out.",
]


@pytest.mark.parametrize("sentence", RIGHT)
def test_accepts_what_was_measured(checker: ClaimChecker, sentence: str) -> None:
    assert checker.accepts(sentence)


@pytest.mark.parametrize("sentence", WRONG)
def test_rejects_what_was_not(checker: ClaimChecker, sentence: str) -> None:
    assert not checker.accepts(sentence)


def test_unscored_dimension_may_only_be_called_unscored() -> None:
    checker = checker_for(without=("breath",))
    assert checker.accepts("Breath control could not be scored: less than 10 s of singing.")
    assert not checker.accepts("Breath control is strong.")
    assert not checker.accepts("Breath control is at roughly 3.5 out of 5.")
    assert not checker.accepts("At 0:12 your held note stays even in loudness.")


def test_reasons_may_be_repeated_word_for_word_only() -> None:
    checker = checker_for(reasons=("There are only 11 s of singing.",))
    text = "Take this as a first impression, because there are only {} s of singing."
    assert checker.accepts(text.format(11))
    assert not checker.accepts(text.format(12))


def test_keep_counts_and_drops() -> None:
    checker = checker_for()
    kept = checker.keep("Breath control is at roughly 3.5 out of 5. You have a beautiful voice.")
    assert kept == "Breath control is at roughly 3.5 out of 5."
    assert (checker.checked, checker.rejected) == (2, 1)


def test_sentences_are_not_cut_at_decimals_or_clocks() -> None:
    text = "It is 3.5 out of 5. At 0:12 it is clear! Well done? Yes."
    assert split_sentences(text) == [
        "It is 3.5 out of 5.",
        "At 0:12 it is clear!",
        "Well done?",
        "Yes.",
    ]


@pytest.mark.parametrize("text", ["", " ", ".", ":", "0:", "9" * 500 + ":59", "%%%", "½ ☃ 三"])
def test_survives_any_text(checker: ClaimChecker, text: str) -> None:
    assert not checker.accepts(text)


def _changed_clock(match: re.Match[str]) -> str:
    return f"{int(match[1]) + 3}:{match[2]}"


SPOILS = [
    (r"(\d+):(\d\d)", _changed_clock),
    (r"\d(?:\.5)? out of 5", "1.5 out of 5"),
    (r"between \d(?:\.5)? and", "between 1.5 and"),
    (r"too low", "too high"),
    (r"a third of", "three quarters of"),
    (r"about \d+ %", "about 40 %"),
    (r"breath control|timbre quality", "vocal technique"),
    (r"your", "your brother's"),
]


@pytest.mark.parametrize("spoil", SPOILS, ids=lambda spoil: str(spoil[0]))
def test_a_template_sentence_with_one_thing_changed_is_rejected(spoil) -> None:  # type: ignore[no-untyped-def]
    pattern, replacement = spoil
    feedback = write_feedback(
        scores=make_scores(), screening=make_screening(), duration_s=120.0, notes=NOTES
    )
    checker = checker_for()
    tasks = " ".join(suggestion.text for suggestion in feedback.suggestions)
    n_spoilt = 0
    for sentence in split_sentences(f"{feedback.summary} {feedback.critique} {tasks}"):
        assert checker.accepts(sentence)
        spoilt = re.sub(pattern, replacement, sentence, count=1, flags=re.IGNORECASE)
        if spoilt != sentence:
            n_spoilt += 1
            assert not checker.accepts(spoilt), spoilt
    assert n_spoilt > 0
