"""What a language model says is used only where it is shown to be true."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from claim_facts import FACTS
from coaching_samples import NOTES, make_scores, make_screening
from grammar_dice import Dice, DiceWriter

from singcoach.coaching.check import ClaimChecker
from singcoach.coaching.exercises import load_library
from singcoach.coaching.facts import gather_facts
from singcoach.coaching.feedback import write_feedback
from singcoach.coaching.languages import catalogue_of
from singcoach.coaching.phrasing import Worded, reword, write_feedback_with_model
from singcoach.coaching.phrasing.frames import grammar_of
from singcoach.coaching.statements import all_true
from singcoach.core.scores import Feedback, Sentence
from singcoach.errors import Cancelled, ModelError
from singcoach.jobs import NO_JOB, Job
from singcoach.models.language.protocol import Request, Written

TAKE = {
    "scores": make_scores(),
    "screening": make_screening(),
    "duration_s": 120.0,
    "notes": NOTES,
}
TEMPLATE: Feedback = write_feedback(**TAKE)  # type: ignore[arg-type]
FACTS_OF_TAKE = gather_facts(**TAKE)  # type: ignore[arg-type]


class Says(DiceWriter):
    """Says what a function makes of the request."""

    def __init__(self, say: Callable[[Request, int], str], *, whole: bool = True) -> None:
        super().__init__()
        self._say = say
        self._whole = whole

    def write(
        self,
        request: Request,
        *,
        timeout_s: float,
        on_piece: Callable[[str], None] | None = None,
        job: Job = NO_JOB,
    ) -> Written:
        self.requests.append(request)
        text = self._say(request, len(self.requests))
        return Written(text=text, n_tokens=5, whole=self._whole)


def worded(model: DiceWriter, **options: object) -> Worded:
    return write_feedback_with_model(
        **TAKE,  # type: ignore[arg-type]
        open_model=lambda _: contextlib.nullcontext(model),
        **options,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("take", FACTS)
def test_the_check_accepts_what_the_grammars_allow(take: str) -> None:
    facts = FACTS[take]()
    checker = ClaimChecker(facts)
    words, exercises = catalogue_of("en"), tuple(load_library().exercises)[:2]
    n_texts = n_missed = 0
    for statement in all_true(facts, exercises):
        grammar = grammar_of(statement, words)
        if grammar is None:
            assert words.wordings(statement.message) == 1
            continue
        for seed in range(20):
            text = Dice(grammar, seed).throw()
            n_texts += 1
            n_missed += checker.support(text) is None
    assert n_texts >= 100
    assert n_missed <= 0.01 * n_texts


def test_every_kept_sentence_is_true_and_about_what_was_planned() -> None:
    told = worded(DiceWriter())
    checker = ClaimChecker(FACTS_OF_TAKE)
    assert told.feedback.generator == "llm:dice"
    assert told.n_by_model >= 0.8 * told.n_asked >= 10
    assert len(told.feedback.sentences) == len(TEMPLATE.sentences)
    for said, planned in zip(told.feedback.sentences, TEMPLATE.sentences, strict=True):
        assert (said.part, said.place, said.facts) == (planned.part, planned.place, planned.facts)
        assert said.text == planned.text or checker.accepts(said.text)
    assert not told.warnings


def test_parts_hold_the_sentences_in_order() -> None:
    feedback = worded(DiceWriter(), seed=3).feedback
    for part in ("summary", "critique", "spoken"):
        said = " ".join(s.text for s in feedback.sentences if s.part == part)
        assert getattr(feedback, part) == said
    for place, suggestion in enumerate(feedback.suggestions):
        said = [s.text for s in feedback.sentences if (s.part, s.place) == ("suggestion", place)]
        assert suggestion.text == " ".join(said)
        assert suggestion.exercise == TEMPLATE.suggestions[place].exercise
        assert suggestion.evidence == TEMPLATE.suggestions[place].evidence


def test_seed_decides_the_words() -> None:
    first, again, other = (worded(DiceWriter(), seed=seed).feedback for seed in (5, 5, 6))
    assert first == again
    assert first.sentences != other.sentences


def test_sentences_are_streamed_in_order_after_their_check() -> None:
    streamed: list[Sentence] = []
    told = worded(DiceWriter(), on_sentence=streamed.append)
    assert tuple(streamed) == told.feedback.sentences


@pytest.mark.parametrize(
    "lie",
    [
        "At 0:13 your vibrato is even.",
        "Your breath control is at about 4.5 out of 5.",
        "You are the best singer of all.",
        "At 0:42 one note is too high.",
        "Is that good?",
        "",
        "At 0:12 the loudness stays even. You always sing flat.",
    ],
)
def test_what_is_not_true_is_tried_twice_and_never_said(lie: str) -> None:
    model = Says(lambda *_: lie)
    told = worded(model)
    assert told.n_tries == len(model.requests) == 2 * told.n_asked
    assert told.n_by_model == 0
    assert told.feedback.sentences == TEMPLATE.sentences
    assert told.feedback.generator == "template"
    assert told.feedback.claims_rejected == told.n_tries
    assert told.feedback.claims_checked == len(TEMPLATE.sentences) + told.n_tries


def test_a_true_sentence_about_something_else_is_not_said() -> None:
    praise = next(s for s in TEMPLATE.sentences if s.facts == ("b1",))
    told = worded(Says(lambda *_: praise.text))
    for said, planned in zip(told.feedback.sentences, TEMPLATE.sentences, strict=True):
        assert said.text == planned.text or "b1" in planned.facts


def test_text_that_was_broken_off_is_not_said() -> None:
    sentence = TEMPLATE.sentences[0].text
    assert worded(Says(lambda *_: sentence, whole=False)).n_by_model == 0


def test_second_try_has_another_seed_and_is_used() -> None:
    def second_time_right(request: Request, n: int) -> str:
        return "Nonsense." if n % 2 else Dice(request.grammar, request.seed).throw()

    model = Says(second_time_right)
    told = worded(model)
    assert told.n_by_model > 0
    assert told.n_accepted_first == 0
    seeds = [request.seed for request in model.requests]
    assert all(a != b for a, b in zip(seeds[::2], seeds[1::2], strict=True))


def test_wrong_article_is_not_said() -> None:
    told = worded(DiceWriter(), seed=0)
    assert not any(" a even" in s.text for s in told.feedback.sentences)


def test_model_that_fails_on_the_way_leaves_a_whole_feedback_and_a_warning() -> None:
    def third_time_dead(request: Request, n: int) -> str:
        if n == 3:
            raise ModelError("The language model dice could not write")
        return Dice(request.grammar, request.seed).throw()

    model = Says(third_time_dead)
    told = worded(model)
    assert len(model.requests) == 3
    assert told.warnings == (
        "The language model dice could not write; the feedback uses the built-in words.",
    )
    assert len(told.feedback.sentences) == len(TEMPLATE.sentences)
    assert told.feedback.sentences[5:] == TEMPLATE.sentences[5:]


def test_model_that_cannot_start_leaves_the_template_and_a_warning() -> None:
    def refuse(_: Job) -> contextlib.nullcontext[DiceWriter]:
        raise ModelError("No language model is installed")

    streamed: list[Sentence] = []
    told = write_feedback_with_model(
        **TAKE,  # type: ignore[arg-type]
        open_model=refuse,
        on_sentence=streamed.append,
    )
    assert told.feedback == TEMPLATE
    assert tuple(streamed) == TEMPLATE.sentences
    assert len(told.warnings) == 1


def test_when_the_time_is_over_the_rest_is_the_template() -> None:
    def slow(request: Request, _: int) -> str:
        time.sleep(0.3)
        return Dice(request.grammar, request.seed).throw()

    began_s = time.monotonic()
    told = worded(Says(slow), budget_s=1.5)
    assert time.monotonic() - began_s < 4.0
    assert 0 < told.n_by_model < told.n_asked
    assert len(told.warnings) == 1
    assert len(told.feedback.sentences) == len(TEMPLATE.sentences)


def test_other_languages_ask_no_model() -> None:
    model = DiceWriter()
    told = worded(model, language="de")
    assert not model.requests
    assert told.feedback == write_feedback(**TAKE, language="de")  # type: ignore[arg-type]


def test_cancelling_is_not_swallowed() -> None:
    job = Job()

    def cancel(request: Request, _: int) -> str:
        job.cancel()
        return Dice(request.grammar, request.seed).throw()

    with pytest.raises(Cancelled):
        worded(Says(cancel), job=job)


def test_feedback_on_a_take_without_scores_can_be_reworded() -> None:
    scores = make_scores()
    scores = replace(scores, overall=replace(scores.overall, score=None, low=None, high=None))
    told = write_feedback_with_model(
        **{**TAKE, "scores": scores},  # type: ignore[arg-type]
        open_model=lambda _: contextlib.nullcontext(DiceWriter()),
    )
    assert told.feedback.summary
    assert not told.warnings


def test_the_facts_of_the_sentence_stand_in_the_request() -> None:
    model = DiceWriter()
    reword(TEMPLATE, FACTS_OF_TAKE, model)
    planned = {s.text for s in TEMPLATE.sentences}
    assert all(any(text in request.user for text in planned) for request in model.requests)
