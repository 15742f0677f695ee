from __future__ import annotations

import random

import pytest

from singcoach.coaching.check import ClaimChecker
from singcoach.coaching.phrasing.taste import is_well_said
from singcoach.training.feedback.pairs import facts_of_take, many_pairs, pairs_of_take
from singcoach.training.feedback.real_takes import real_takes
from singcoach.training.feedback.wordings import draw_wording


def test_every_answer_is_true_of_its_take() -> None:
    n_pairs = 0
    for number in range(6):
        checker = ClaimChecker(facts_of_take(number, seed=7))
        for pair in pairs_of_take(number, seed=7):
            assert checker.accepts(pair.words), pair
            n_pairs += 1
    assert n_pairs > 60


def test_numbers_of_the_answer_stand_in_the_question() -> None:
    for pair in many_pairs(150, seed=2):
        for word in pair.words.replace("out of 5", "").replace(",", " ").rstrip(".").split():
            if any(c.isdigit() for c in word):
                assert word in pair.facts, pair


def test_pairs_follow_from_the_seed_and_vary() -> None:
    pairs = many_pairs(200, seed=4)
    assert pairs == many_pairs(200, seed=4)
    assert pairs != many_pairs(200, seed=5)
    assert len({pair.words for pair in pairs}) > 130
    assert len({pair.facts.partition("\n")[0] for pair in pairs}) > 20


def test_real_takes_are_of_recordings_of_one_portion_only() -> None:
    takes = real_takes()
    recordings = [
        {take.name.partition(" from ")[0] for take in takes if take.held_out is held}
        for held in (True, False)
    ]
    assert all(recordings)
    assert not recordings[0] & recordings[1]
    for portion, held in (("train", False), ("held_out", True)):
        known = {take.facts for take in takes if take.held_out is held}
        assert {facts_of_take(3 * n, seed=1, portion=portion) for n in range(60)} <= known  # type: ignore[arg-type]


def test_sentences_that_hurt_are_told_from_those_that_do_not() -> None:
    for good in (
        "At 0:07 the start of the note is clean.",
        "I hear that your vibrato swings evenly at 0:12.",
        "Give a few minutes to carrying each phrase to its end.",
        "Work on letting long notes swing.",
        "At 0:09 loud and soft stay alike.",
    ):
        assert is_well_said(good), good
    for bad in (
        "At 0:07 there is an smooth tone.",
        "At 0:07 we hear rough tone.",
        "You have break in the line near 0:17.",
        "At 0:01, these note stays imprecise.",
        "The pitch sinks by U toward the end of this phrase near 1:32.",
        "I hear that we hear a steady note at 0:01.",
        "Around 4:13, there is only hardly any vibrato.",
        "Work on bringing every phrases to the ends.",
    ):
        assert not is_well_said(bad), bad


def test_held_out_takes_are_others() -> None:
    train = {(p.facts, p.words) for n in range(8) for p in pairs_of_take(n, seed=0)}
    held = [
        (p.facts, p.words)
        for n in range(8)
        for p in pairs_of_take(n, seed=0, portion="held_out")
        if "clock" in p.facts
    ]
    assert held
    assert sum(pair in train for pair in held) <= len(held) // 20


def test_a_wording_follows_its_grammar() -> None:
    grammar = 'root ::= ("a" | "b\\"" "c"?) "\\n"\n'
    found = {draw_wording(grammar, random.Random(seed)) for seed in range(60)}
    assert found == {"a\n", 'b"\n', 'b"c\n'}
    for wrong in ("start ::= x", 'root ::= ("a"', 'root ::= "a', "root ::= [a-z]"):
        with pytest.raises(ValueError, match="grammar"):
            draw_wording(wrong, random.Random(0))
