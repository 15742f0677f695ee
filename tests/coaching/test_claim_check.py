"""The claim check accepts what was measured and rejects everything else.

The sentences stand in ``sentences``: ``right_*`` are ways in which a language model might say what
the facts of ``claim_facts`` say, ``wrong_*`` are false or unsupported against the same facts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from claim_facts import FACTS
from coaching_samples import NOTES, make_scores, make_screening
from hypothesis import given, settings
from hypothesis import strategies as st

from singcoach.coaching import write_feedback
from singcoach.coaching.check import ClaimChecker, split_sentences
from singcoach.coaching.english.phrases import PHRASES
from singcoach.coaching.english.tokens import tokens_of
from singcoach.coaching.exercises import load_library
from singcoach.coaching.languages import catalogue_of
from singcoach.coaching.statements import all_true
from singcoach.coaching.topics import ALL_TOPICS

_FOLDER = Path(__file__).parent / "sentences"


def _sentences(name: str) -> list[str]:
    lines = (_FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


WRONG = [(name, sentence) for name in FACTS for sentence in _sentences(f"wrong_{name}")]
RIGHT = [(name, sentence) for name in FACTS for sentence in _sentences(f"right_{name}")]


@pytest.fixture(scope="module")
def checkers() -> dict[str, ClaimChecker]:
    return {name: ClaimChecker(facts()) for name, facts in FACTS.items()}


def test_there_are_enough_sentences() -> None:
    assert len(set(WRONG)) == len(WRONG) >= 300
    assert len(set(RIGHT)) == len(RIGHT) >= 140


@pytest.mark.parametrize(("name", "sentence"), WRONG)
def test_rejects_what_was_not_measured(
    checkers: dict[str, ClaimChecker], name: str, sentence: str
) -> None:
    assert checkers[name].support(sentence) is None


def test_accepts_nine_in_ten_ways_of_saying_what_was_measured(
    checkers: dict[str, ClaimChecker],
) -> None:
    rejected = [s for name, s in RIGHT if not checkers[name].accepts(s)]
    assert len(rejected) <= 0.1 * len(RIGHT), rejected


def test_sentences_of_one_take_are_not_true_of_another(
    checkers: dict[str, ClaimChecker],
) -> None:
    n_timed = 0
    for name, sentence in RIGHT:
        if re.search(r"\d:\d\d", sentence):
            n_timed += 1
            for other in FACTS.keys() - {name}:
                assert not checkers[other].accepts(sentence), (other, sentence)
    assert n_timed >= 80


def test_every_kept_sentence_names_its_facts(checkers: dict[str, ClaimChecker]) -> None:
    for name, make_facts in FACTS.items():
        facts = {fact.id: fact for fact in make_facts()}
        for sentence in _sentences(f"right_{name}"):
            behind = checkers[name].support(sentence)
            if behind is None:
                continue
            assert set(behind) <= set(facts)
            times = [span for spans in tokens_of(sentence).times for span in spans]
            for begin, _ in times:
                held = [facts[i] for i in behind if facts[i].start_s is not None]
                assert any(f.start_s - 1 < begin <= f.end_s for f in held), sentence  # type: ignore[operator]
            if "out of 5" in sentence:
                assert any(i.startswith("score.") for i in behind), sentence


@pytest.mark.parametrize("name", FACTS)
def test_every_sentence_of_the_templates_is_understood(name: str) -> None:
    facts = FACTS[name]()
    words = catalogue_of("en")
    checker = ClaimChecker(facts)
    statements = all_true(facts, tuple(load_library().exercises))
    for statement in statements:
        for wording in range(words.wordings(statement.message)):
            sentence = statement.render(words, wording=wording)
            behind = checker.support(sentence)
            assert behind is not None, sentence
            assert set(statement.facts) <= set(behind) or not behind, sentence


def test_every_topic_has_phrases() -> None:
    assert set(PHRASES) == {topic.id for topic in ALL_TOPICS}


def test_unscored_dimension_may_only_be_called_unscored() -> None:
    checker = ClaimChecker(FACTS["third"]())
    assert checker.accepts("Vocal technique could not be scored.")
    assert not checker.accepts("Vocal technique is strong.")
    assert not checker.accepts(
        "For vocal technique, at 0:06 your held note stays even in loudness."
    )


def test_keep_counts_and_drops(checkers: dict[str, ClaimChecker]) -> None:
    checker = ClaimChecker(FACTS["first"]())
    kept = checker.keep("Breath control is at roughly 3.5 out of 5. You have a beautiful voice.")
    assert [(k.text, k.facts) for k in kept] == [
        ("Breath control is at roughly 3.5 out of 5.", ("score.breath",))
    ]
    assert (checker.checked, checker.rejected) == (2, 1)


def test_sentences_are_not_cut_at_decimals_or_clocks() -> None:
    text = "It is 3.5 out of 5. At 0:12 it is clear! Well done? Yes."
    assert split_sentences(text) == [
        "It is 3.5 out of 5.",
        "At 0:12 it is clear!",
        "Well done?",
        "Yes.",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ".",
        ":",
        "0:",
        "9" * 500 + ":59",
        "%%%",
        "½ ☃ 三",
        "T0 S0",
        "At T0 the tone is clear.",
    ],
)
def test_survives_any_text(checkers: dict[str, ClaimChecker], text: str) -> None:
    assert not checkers["first"].accepts(text)


@given(st.text(max_size=80))
@settings(max_examples=100, deadline=None)
def test_random_text_is_never_accepted(text: str) -> None:
    assert not _FIRST.accepts(text)


_FIRST = ClaimChecker(FACTS["first"]())
_VOCABULARY = sorted({w for _, s in (*WRONG, *RIGHT) for w in s.rstrip(".?!").lower().split()})


@given(
    st.sampled_from([s for n, s in RIGHT if n == "first" and _FIRST.accepts(s)]),
    st.sampled_from(_VOCABULARY),
    st.integers(1, 12),
)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_one_word_put_into_a_right_sentence_is_noticed(
    sentence: str, word: str, place: int
) -> None:
    """Unless the word is one that claims nothing there, as "about" before a number."""
    words = sentence.rstrip(".").split()
    place = min(place, len(words))
    spoilt = " ".join((*words[:place], word, *words[place:])) + "."
    if _FIRST.accepts(spoilt):
        assert word.strip(",:;") in _HARMLESS, spoilt


_HARMLESS = frozenset(
    """a about around roughly some the your you little bit slightly somewhat rather quite fairly
    nicely pleasantly well and so also then but first next there here please just this that yet
    enough out overall now again is at near right for today score with while where though most more
    too in to even clear clean steady secure it an away held long phrase second third technique
    0:31""".split()  # noqa: SIM905
)


def _changed_clock(match: re.Match[str]) -> str:
    return f"{int(match[1]) + 3}:{match[2]}"


SPOILS: list[tuple[str, str | Callable[[re.Match[str]], str]]] = [
    (r"(\d+):(\d\d)", _changed_clock),
    (r"\d(?:\.5)? out of 5", "1.5 out of 5"),
    (r"between \d(?:\.5)? and", "between 1.5 and"),
    (r"too low", "too high"),
    (r"a third of", "three quarters of"),
    (r"about \d+ %", "about 40 %"),
    (r"breath control|timbre quality", "vocal technique"),
    (r"your", "your brother's"),
    (r" is ", " is not "),
    (r"\.$", ", unlike last time."),
]


@pytest.mark.parametrize("spoil", SPOILS, ids=lambda spoil: str(spoil[0]))
def test_a_template_sentence_with_one_thing_changed_is_rejected(spoil) -> None:  # type: ignore[no-untyped-def]
    pattern, replacement = spoil
    feedback = write_feedback(
        scores=make_scores(), screening=make_screening(), duration_s=120.0, notes=NOTES
    )
    checker = ClaimChecker(FACTS["first"]())
    n_spoilt = 0
    for sentence in feedback.sentences:
        if not sentence.facts:
            continue
        assert checker.accepts(sentence.text)
        spoilt = re.sub(pattern, replacement, sentence.text, count=1, flags=re.IGNORECASE)
        if spoilt != sentence.text:
            n_spoilt += 1
            assert not checker.accepts(spoilt), spoilt
    assert n_spoilt > 0
