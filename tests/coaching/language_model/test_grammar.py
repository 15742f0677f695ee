"""Grammars mean what the patterns meant that they were made from."""

from __future__ import annotations

import re

import pytest
from grammar_dice import Dice

from singcoach.coaching.english.phrases import PHRASES
from singcoach.coaching.phrasing.grammar import (
    PatternError,
    choices,
    expand,
    one_of,
    pattern,
    text,
    then,
)


@pytest.mark.parametrize(
    "expression",
    ["even", "an? end", "(?:your|the) (?:held |long )?notes?", "a|b(?:c|)d?", "(?:(?:x)?y)?z"],
)
def test_every_throw_matches_the_pattern(expression: str) -> None:
    rule = f"root ::= {pattern(expression)}"
    thrown = {Dice(rule, seed).throw() for seed in range(40)}
    assert all(re.fullmatch(expression, t) for t in thrown)
    assert len(thrown) > 1 or expression == "even"


@pytest.mark.parametrize("expression", ["a+", "[ab]", "a*", "(a)", "(?P<x>a)", "(?:a", "a)", r"\d"])
def test_what_has_no_translation_is_refused(expression: str) -> None:
    with pytest.raises(PatternError):
        pattern(expression)


def test_all_phrases_of_the_check_have_a_translation() -> None:
    for phrases in PHRASES.values():
        for name in phrases.__slots__:
            for expression in getattr(phrases, name):
                rule = f"root ::= {pattern(expression)}"
                assert re.fullmatch(expression, Dice(rule, 1).throw())


def test_quotes_and_backslashes_are_kept() -> None:
    words = 'a "b" \\ c'
    assert Dice("root ::= " + text(words), 0).throw() == words
    assert then(text("a"), "", text("b")) == '"a" "b"'


def test_choice_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing"):
        one_of(())


@pytest.mark.parametrize(
    ("expression", "meant"),
    [
        ("even", {"even"}),
        ("an? end", {"a end", "an end"}),
        ("a|b(?:c|)d?", {"a", "b", "bc", "bd", "bcd"}),
        ("(?:(?:x)?y)?z", {"z", "yz", "xyz"}),
    ],
)
def test_all_texts_of_a_pattern_are_written_out(expression: str, meant: set[str]) -> None:
    assert set(expand(expression)) == meant


def test_what_means_too_many_texts_is_refused() -> None:
    with pytest.raises(PatternError, match="more than"):
        expand("(?:a|b)" * 13)
    for expression in ("a+", "(a)", "(?:a", "a)"):
        with pytest.raises(PatternError):
            expand(expression)


@pytest.mark.parametrize(
    "words",
    [["a"], ["a", "b"], ["", "a"], ["note", "notes", "note is", "tone"], ["ab", "abc", "abcd", ""]],
)
def test_choices_allow_just_their_texts(words: list[str]) -> None:
    rule = f"root ::= {choices(words)}"
    assert {Dice(rule, seed).throw() for seed in range(200)} == set(words)


def test_choices_of_every_phrase_are_what_the_pattern_means() -> None:
    for phrases in PHRASES.values():
        for name in phrases.__slots__:
            for expression in getattr(phrases, name):
                meant = expand(expression, most=20_000)
                assert all(re.fullmatch(expression, words) for words in meant)
                rule = f"root ::= {choices(meant)}"
                assert {Dice(rule, seed).throw() for seed in range(10)} <= set(meant)


def test_choices_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="nothing"):
        choices(())
