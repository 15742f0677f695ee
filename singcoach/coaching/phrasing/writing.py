"""Feedback in a language model's own words, sentence by sentence, with the template behind it.

The template feedback comes first: it is the plan, the reference and the fallback. Then the model
says each of its sentences again within a grammar made from the facts of that sentence; the claim
check reads the result, and what it does not accept is tried once more and then left as it was.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Final, Protocol

from singcoach.coaching.check import ClaimChecker
from singcoach.coaching.exercises import load_library
from singcoach.coaching.facts import Fact, gather_facts
from singcoach.coaching.feedback import write_feedback
from singcoach.coaching.languages import catalogue_of
from singcoach.coaching.phrasing.fact_prompt import SYSTEM, fact_prompt
from singcoach.coaching.phrasing.frames import Freedom, grammar_of
from singcoach.coaching.phrasing.taste import is_well_said
from singcoach.coaching.statements import Statement, all_true
from singcoach.core.music import Note
from singcoach.core.scores import Feedback, Scores, Sentence
from singcoach.core.take import Screening
from singcoach.errors import SingCoachError
from singcoach.jobs import NO_JOB, Job
from singcoach.models.language.protocol import Request, Written

BUDGET_S: Final = 15.0
"""Time for the feedback with the start of the model; what is not written by then stays as it is."""

_SENTENCE_S: Final = 15.0
"""Time for one sentence where the whole has no limit."""
_LEAST_S: Final = 0.5
_TRIES: Final = 2

_SYSTEM: Final = (
    "You are a kind singing teacher. The user gives you one fact. You say the same fact to the "
    "singer in one short sentence, in your own words. You add nothing."
)


class SentenceWriter(Protocol):
    """A language model that is ready; ``prompt`` is ``"facts"`` where it was taught to be asked so.

    Others are asked with the template's sentence.
    """

    id: str
    prompt: str

    @property
    def usable(self) -> bool:
        """Whether it can still write."""

    def write(
        self,
        request: Request,
        *,
        timeout_s: float,
        on_piece: Callable[[str], None] | None = None,
        job: Job = NO_JOB,
    ) -> Written:
        """Write one text."""


OpenModel = Callable[[Job], AbstractContextManager[SentenceWriter]]
OnSentence = Callable[[Sentence], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Worded:
    """Feedback with what came of the model.

    ``n_asked`` sentences were given to the model and ``n_by_model`` of them are in its words;
    ``n_tries`` counts its texts and ``n_accepted_first`` those kept at the first try. ``load_s``
    and ``write_s`` are the seconds that its start and its texts took.
    """

    feedback: Feedback
    warnings: tuple[str, ...] = ()
    n_asked: int = 0
    n_by_model: int = 0
    n_tries: int = 0
    n_accepted_first: int = 0
    load_s: float = 0.0
    write_s: float = 0.0


def write_feedback_with_model(
    *,
    scores: Scores,
    screening: Screening,
    duration_s: float,
    notes: Sequence[Note] = (),
    language: str = "en",
    level: int | None = None,
    open_model: OpenModel,
    seed: int = 0,
    freedom: Freedom = "phrases",
    budget_s: float = BUDGET_S,
    on_sentence: OnSentence | None = None,
    job: Job = NO_JOB,
) -> Worded:
    """Write the feedback on one take with a language model, or with templates where it fails.

    Parameters
    ----------
    open_model
        Starts the model; it is called only where the model is to write.
    seed
        With the facts it decides every word on one machine, as long as the time suffices.
    freedom
        ``"phrases"``: the model chooses among phrases that the check knows; ``"free"``: any words.
    budget_s
        Time for everything.
    on_sentence
        Called with every sentence of the result in order, as soon as it is checked.

    Raises
    ------
    SingCoachError
        When the coach does not speak the language. Nothing about the model raises.
    Cancelled
        When the job is cancelled, within a second.
    """
    until_s = time.monotonic() + budget_s
    feedback = write_feedback(
        scores=scores,
        screening=screening,
        duration_s=duration_s,
        notes=notes,
        language=language,
        level=level,
    )
    if language != "en":  # only English can be read by the check
        return _unchanged(feedback, (), on_sentence)
    facts = gather_facts(scores=scores, screening=screening, duration_s=duration_s, notes=notes)
    job.report(0.0, "feedback")
    began_s = time.monotonic()
    try:
        opened = open_model(job.part(0.0, 0.2))
    except SingCoachError as error:
        told = _unchanged(feedback, (_warning(error),), on_sentence)
        return replace(told, load_s=time.monotonic() - began_s)
    loaded_s = time.monotonic()
    with opened as model:
        told = reword(
            feedback,
            facts,
            model,
            seed=seed,
            freedom=freedom,
            until_s=until_s,
            on_sentence=on_sentence,
            job=job.part(0.2, 1.0),
        )
    return replace(told, load_s=loaded_s - began_s, write_s=time.monotonic() - loaded_s)


def reword(
    feedback: Feedback,
    facts: Sequence[Fact],
    model: SentenceWriter,
    *,
    seed: int = 0,
    freedom: Freedom = "phrases",
    until_s: float | None = None,
    on_sentence: OnSentence | None = None,
    job: Job = NO_JOB,
) -> Worded:
    """Say the sentences of English template feedback in the model's words where it succeeds.

    Parameters
    ----------
    until_s
        When to stop, on the clock of ``time.monotonic``; None for never.
    """
    desk = _Desk(facts, model, seed=seed, freedom=freedom, until_s=until_s)
    told: list[Sentence] = []
    for number, sentence in enumerate(feedback.sentences):
        job.report(number / len(feedback.sentences), "feedback")
        told.append(desk.say(sentence, told, job))
        if on_sentence is not None:
            on_sentence(told[-1])
    job.report(1.0, "feedback")
    if not desk.n_by_model:
        result = feedback
    else:
        result = _assembled(feedback, tuple(told), f"llm:{model.id}")
    result = replace(
        result,
        claims_checked=feedback.claims_checked + desk.n_tries,
        claims_rejected=feedback.claims_rejected + desk.n_tries - desk.n_by_model,
    )
    return Worded(
        feedback=result,
        warnings=tuple(desk.warnings),
        n_asked=desk.n_asked,
        n_by_model=desk.n_by_model,
        n_tries=desk.n_tries,
        n_accepted_first=desk.n_first,
    )


class _Desk:
    """Asks the model for one sentence after another until it fails or the time is over."""

    def __init__(
        self,
        facts: Sequence[Fact],
        model: SentenceWriter,
        *,
        seed: int,
        freedom: Freedom,
        until_s: float | None,
    ) -> None:
        self._words = catalogue_of("en")
        self._statements = _by_text(facts)
        self._checker = ClaimChecker(facts)
        self._model = model
        self._seed = seed
        self._freedom = freedom
        self._until_s = until_s
        self._over = False
        self.warnings: list[str] = []
        self.n_asked = self.n_by_model = self.n_tries = self.n_first = 0

    def say(self, sentence: Sentence, told: Sequence[Sentence], job: Job) -> Sentence:
        """Return a sentence in the model's words, or as it is."""
        statement = self._statements.get(sentence.text)
        if self._over or statement is None:
            return sentence
        grammar = grammar_of(statement, self._words, freedom=self._freedom)
        if grammar is None:
            return sentence
        self.n_asked += 1
        for attempt in range(_TRIES):
            text = self._asked(sentence, statement, grammar, attempt, job)
            if text is None:
                break
            if self._is_kept(text, sentence, told):
                self.n_by_model += 1
                self.n_first += attempt == 0
                return replace(sentence, text=text)
        return sentence

    def _asked(
        self, sentence: Sentence, statement: Statement, grammar: str, attempt: int, job: Job
    ) -> str | None:
        left_s = _SENTENCE_S
        if self._until_s is not None:  # a slow start of the first sentence costs only itself
            left_s = self._until_s - time.monotonic()
        if left_s < _LEAST_S:
            self._over = True
            self.warnings.append(
                "The language model was too slow; the rest of the feedback uses the built-in words."
            )
            return None
        by_facts = self._model.prompt == "facts"
        request = Request(
            system=SYSTEM if by_facts else _SYSTEM,
            user=fact_prompt(statement, self._words) if by_facts else sentence.text,
            grammar=grammar,
            seed=_seed(self._seed, sentence, attempt),
        )
        try:
            written = self._model.write(request, timeout_s=left_s, job=job)
        except SingCoachError as error:
            self._over = True
            self.warnings.append(_warning(error))
            return None
        self.n_tries += 1
        return " ".join(written.text.split()) if written.whole else ""

    def _is_kept(self, text: str, sentence: Sentence, told: Sequence[Sentence]) -> bool:
        """Whether a text is one true sentence about the planned facts and not said already.

        The checked sentence comes back with the ids behind it; see :class:`ClaimChecker`.
        """
        if not is_well_said(text):
            return False
        if any(text == other.text and other.part == sentence.part for other in told):
            return False
        kept = self._checker.keep(text)
        if len(kept) != 1 or kept[0].text != text:
            return False
        # A note lies within a piece of evidence: who speaks of the one speaks of the other.
        spoken_of = {*kept[0].facts, *(fact.removesuffix(".note") for fact in kept[0].facts)}
        return set(sentence.facts) <= spoken_of


def _by_text(facts: Sequence[Fact]) -> dict[str, Statement]:
    """What each sentence of the templates says."""
    words, library = catalogue_of("en"), load_library()
    found: dict[str, Statement] = {}
    for statement in all_true(facts, tuple(library.exercises)):
        for wording in range(words.wordings(statement.message)):
            found.setdefault(statement.render(words, wording=wording), statement)
    return found


def _assembled(feedback: Feedback, told: tuple[Sentence, ...], generator: str) -> Feedback:
    between = catalogue_of(feedback.language).between_sentences

    def joined(part: str, place: int = 0) -> str:
        return between.join(s.text for s in told if s.part == part and s.place == place)

    return replace(
        feedback,
        summary=joined("summary"),
        critique=joined("critique"),
        suggestions=tuple(
            replace(suggestion, text=joined("suggestion", place))
            for place, suggestion in enumerate(feedback.suggestions)
        ),
        spoken=joined("spoken"),
        generator=generator,
        sentences=told,
    )


def _unchanged(
    feedback: Feedback, warnings: tuple[str, ...], on_sentence: OnSentence | None
) -> Worded:
    if on_sentence is not None:
        for sentence in feedback.sentences:
            on_sentence(sentence)
    return Worded(feedback=feedback, warnings=warnings)


def _warning(error: SingCoachError) -> str:
    return f"{error}; the feedback uses the built-in words."


def _seed(seed: int, sentence: Sentence, attempt: int) -> int:
    content = f"{seed}\x1f{sentence.part}\x1f{sentence.place}\x1f{sentence.text}\x1f{attempt}"
    return int.from_bytes(hashlib.sha256(content.encode("utf-8")).digest()[:4], "big") >> 1
