"""From scores to the coach's words, with every claim checked."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Protocol

from singcoach.coaching.check import ClaimChecker
from singcoach.coaching.exercises import RECORD_AGAIN, load_library
from singcoach.coaching.facts import Fact, gather_facts
from singcoach.coaching.languages import Catalogue, catalogue_of
from singcoach.coaching.plan import make_plan
from singcoach.coaching.proof import Proof
from singcoach.coaching.text import Said, Writer
from singcoach.core.music import Note
from singcoach.core.scores import Feedback, FeedbackPart, Scores, Sentence, Suggestion
from singcoach.core.take import Screening
from singcoach.jobs import NO_JOB, Job

GENERATOR = "template"


class Checker(Protocol):
    """Says which facts stand behind a sentence."""

    def support(self, sentence: str) -> tuple[str, ...] | None:
        """Ids of the facts; None when the sentence is not shown to be true."""


def write_feedback(
    *,
    scores: Scores,
    screening: Screening,
    duration_s: float,
    notes: Sequence[Note] = (),
    language: str = "en",
    level: int | None = None,
    job: Job = NO_JOB,
) -> Feedback:
    """Write the feedback on one take from templates.

    Parameters
    ----------
    scores
        Dimensions with their evidence; only these are spoken of.
    screening
        Verdict with its reasons, accuracies.
    duration_s
        Length of the take in seconds.
    notes
        The sung notes; they tell whether a note off the tuning is too low or too high.
    language
        One of :data:`singcoach.coaching.languages.LANGUAGES`.
    level
        1..3, how practised the singer is, for the choice of exercises; judged by the score when
        None.

    Returns
    -------
    Feedback
        ``claims_checked`` sentences were held against the facts, ``claims_rejected`` of them were
        dropped; each kept one names its facts.

    Raises
    ------
    SingCoachError
        When the coach does not speak the language.
    """
    job.report(0.0, "feedback")
    words, library = catalogue_of(language), load_library()
    facts = gather_facts(scores=scores, screening=screening, duration_s=duration_s, notes=notes)
    writer = Writer(facts, words=words, seed=_seed(facts))
    page = _Page(checker_for(facts, language=language), words)
    if scores.overall.score is None:
        page.add("summary", writer.not_judged())
        if any(score.score is not None for score in scores.dimensions.values()):
            page.add("critique", writer.critique())
        exercise = library.exercises[RECORD_AGAIN]
        page.add_suggestion(writer.record_again(), exercise.id, exercise.minutes, ())
        page.add("spoken", writer.not_judged_spoken())
    else:
        plan = make_plan(facts, level=level, library=library)
        page.add("summary", writer.summary(plan, weak=screening.verdict == "weak"))
        page.add("critique", writer.critique())
        for place, task in enumerate(plan.tasks):
            said = writer.task(task, place=place)
            page.add_suggestion(said, task.exercise.id, task.exercise.minutes, task.evidence)
        page.add("spoken", writer.spoken(plan))
    job.report(1.0, "feedback")
    return page.feedback()


def checker_for(facts: Sequence[Fact], *, language: str) -> Checker:
    """Return the check of sentences in a language: a reader in English, proof in the others."""
    proof = Proof(facts, catalogue_of(language), load_library())
    return ClaimChecker(facts, proof=proof) if language == "en" else proof


class _Page:
    """Collects the sentences that pass the check."""

    def __init__(self, checker: Checker, words: Catalogue) -> None:
        self._checker = checker
        self._words = words
        self._sentences: list[Sentence] = []
        self._suggestions: list[Suggestion] = []
        self._n_rejected = 0

    def add(self, part: FeedbackPart, said: Sequence[Said], *, place: int = 0) -> str:
        kept = []
        for sentence in said:
            facts = self._checker.support(sentence.text)
            if facts is None:
                self._n_rejected += 1
                continue
            kept.append(sentence.text)
            # What the writer meant is the narrower link where the check knows several.
            linked = sentence.facts if set(sentence.facts) <= set(facts) else facts
            self._sentences.append(
                Sentence(part=part, place=place, text=sentence.text, facts=linked)
            )
        return self._joined(kept)

    def add_suggestion(
        self, said: Sequence[Said], exercise: str, minutes: int, evidence: tuple[str, ...]
    ) -> None:
        text = self.add("suggestion", said, place=len(self._suggestions))
        if text:
            practice = self._words.exercise_text(exercise, minutes=minutes)
            self._suggestions.append(Suggestion(text=text, exercise=practice, evidence=evidence))

    def feedback(self) -> Feedback:
        return Feedback(
            summary=self._part("summary"),
            critique=self._part("critique"),
            suggestions=tuple(self._suggestions),
            spoken=self._part("spoken"),
            generator=GENERATOR,
            claims_checked=len(self._sentences) + self._n_rejected,
            claims_rejected=self._n_rejected,
            sentences=tuple(self._sentences),
            language=self._words.language,
        )

    def _part(self, part: FeedbackPart) -> str:
        return self._joined([s.text for s in self._sentences if s.part == part])

    def _joined(self, sentences: Sequence[str]) -> str:
        return self._words.between_sentences.join(sentences)


def _seed(facts: Sequence[Fact]) -> str:
    content = "\n".join(
        f"{f.id}\t{f.kind}\t{f.direction}\t{f.value!r}\t{f.start_s!r}" for f in facts
    )
    return hashlib.sha256(content.encode("utf-8")).hexdigest()
