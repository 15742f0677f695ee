from __future__ import annotations

import random

import pytest

from singcoach.coaching.check import ClaimChecker
from singcoach.coaching.facts import gather_facts
from singcoach.training.feedback.pairs import many_pairs, pairs_of_take
from singcoach.training.feedback.simulated import simulate
from singcoach.training.feedback.wordings import draw_wording


def test_every_answer_is_true_of_its_take() -> None:
    n_pairs = 0
    for number in range(6):
        draw = random.Random(f"train\x1f7\x1f{number}")
        take = simulate(draw)
        checker = ClaimChecker(
            gather_facts(
                scores=take.scores,
                screening=take.screening,
                duration_s=take.duration_s,
                notes=take.notes,
            )
        )
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
