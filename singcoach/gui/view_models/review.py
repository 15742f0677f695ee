"""One take as the review shows it: scores with their ranges, moments, the coach's sentences.

No Qt. Everything is in the language of the window, also where the take was judged in another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from singcoach.coaching.facts import Fact, gather_facts
from singcoach.coaching.feedback import write_feedback
from singcoach.coaching.languages import catalogue_of
from singcoach.coaching.languages.reasons import recognise
from singcoach.coaching.numbers import half_above, half_below, half_points
from singcoach.coaching.statements import UNKNOWN_WIDTH, moment
from singcoach.core.assessment import Assessment
from singcoach.core.music import Note
from singcoach.core.scores import (
    DIMENSIONS,
    Dimension,
    DimensionScore,
    Evidence,
    Feedback,
    FeedbackPart,
    Sentence,
)
from singcoach.core.take import Verdict
from singcoach.gui.texts import language, points, text
from singcoach.report.parsing import parse_assessment
from singcoach.report.prose import ExerciseText, exercise_parts
from singcoach.report.wording import words_of

Subject = Dimension | Literal["overall"]
SUBJECTS: Final[tuple[Subject, ...]] = ("overall", *DIMENSIONS)
_SCORE: Final = "score."
_CAUTIONS: Final[Mapping[str, Dimension]] = {
    "breath_unrated": "breath",
    "emotion_unrated": "emotion",
    "timbre_few_ratings": "timbre",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreLine:
    """One score as it is written.

    Attributes
    ----------
    value
        In half points, such as "3.5"; empty where there is no score or nearly every score is
        possible.
    span, short
        The range in words, such as "between 2.5 and 4"; the value, or where there is none the
        range in figures. Both empty without a score.
    reason
        Why there is no score; empty where there is one.
    caution
        What to know before trusting it; empty for nothing.
    spoken
        All of it as one sentence, for screen readers.
    """

    subject: Subject
    name: str
    score: float | None
    low: float | None
    high: float | None
    value: str
    span: str
    short: str
    reason: str
    caution: str
    spoken: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Seconds that moved a score. ``number`` counts from 1 in order of time."""

    id: str
    number: int
    dimension: Dimension
    start_s: float
    end_s: float
    helped: bool
    effect: float
    text: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One sentence of the coach, and where to hear what it speaks of.

    Attributes
    ----------
    moments
        Ids of the moments, the first being the one to play; empty where it speaks of the whole.
    subject
        The score that it is about, None for none.
    """

    part: FeedbackPart
    place: int
    text: str
    moments: tuple[str, ...]
    subject: Subject | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Practice:
    """One thing to practise: what the coach says, and the exercise."""

    lines: tuple[Line, ...]
    exercise: ExerciseText


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The coach's feedback. ``by_model`` is the language model's name, empty for templates."""

    summary: tuple[Line, ...]
    critique: tuple[Line, ...]
    practices: tuple[Practice, ...]
    spoken: str
    between: str
    by_model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Everything that was found out about one take."""

    assessment: Assessment
    lines: tuple[ScoreLine, ...]
    moments: tuple[Moment, ...]
    words: Words | None
    verdict: Verdict
    reasons: tuple[str, ...]
    cautions: tuple[str, ...]

    def line(self, subject: Subject) -> ScoreLine:
        """Return one score."""
        return next(line for line in self.lines if line.subject == subject)

    def moment(self, moment_id: str) -> Moment | None:
        """Return a moment by its id."""
        return next((m for m in self.moments if m.id == moment_id), None)

    def moments_of(self, subject: Subject) -> tuple[Moment, ...]:
        """Return the moments of a score, the strongest first; of ``overall`` all of them."""
        found = [m for m in self.moments if subject in (m.dimension, "overall")]
        return tuple(sorted(found, key=lambda m: (-abs(m.effect), m.start_s)))


def review_of(document: Mapping[str, Any], *, notes: Sequence[Note] = ()) -> Review:
    """Read an assessment for the window, in its language.

    Feedback from templates in another language is said again in the window's; a language model's
    words stay as they are.

    Parameters
    ----------
    notes
        The sung notes; they tell which side a note was off.

    Raises
    ------
    InputError
        The document is damaged or from a later version.
    """
    assessment = parse_assessment(document)
    scores, screening = assessment.scores, assessment.screening
    facts = gather_facts(
        scores=scores,
        screening=screening,
        duration_s=assessment.input.duration_s,
        notes=notes,
    )
    cautions: dict[Subject, str] = {}
    others = []
    for warning in assessment.warnings:
        key, _ = recognise(warning)
        said = words_of(language()).told(warning)
        if key in _CAUTIONS:
            cautions[_CAUTIONS[key]] = said
        else:
            others.append(said)
    lines = tuple(
        _score_line(
            subject,
            scores.overall if subject == "overall" else scores.dimensions[subject],
            cautions.get(subject, ""),
        )
        for subject in SUBJECTS
    )
    moments = _moments(scores.dimensions, facts)
    feedback = _in_the_windows_language(assessment, notes)
    return Review(
        assessment=assessment,
        lines=lines,
        moments=moments,
        words=None if feedback is None else _words(feedback, moments),
        verdict=screening.verdict,
        reasons=tuple(words_of(language()).told(reason) for reason in screening.reasons),
        cautions=tuple(others),
    )


def dimension_name(subject: Subject) -> str:
    """Return the full name of a dimension in the window's language, such as "Breath control"."""
    if subject == "overall":
        return text("common.overall")
    return catalogue_of(language()).dimension_names[subject]


def range_words(low: float, high: float) -> str:
    """Write an interval widened to half points, such as "between 2.5 and 4"."""
    return text("review.between", low=points(half_below(low)), high=points(half_above(high)))


def _score_line(subject: Subject, score: DimensionScore, caution: str) -> ScoreLine:
    name = dimension_name(subject)
    if score.score is None or score.low is None or score.high is None:
        reason = words_of(language()).told(score.reason or "")
        return ScoreLine(
            subject=subject,
            name=name,
            score=None,
            low=None,
            high=None,
            value="",
            span="",
            short="",
            reason=reason,
            caution="",
            spoken=text("review.spoken_unscored", name=name, reason=reason),
        )
    known = score.high - score.low < UNKNOWN_WIDTH
    value = points(half_points(score.score)) if known else ""
    span = range_words(score.low, score.high)
    spoken = (
        text("review.spoken_score", name=name, value=value, span=span)
        if known
        else text("review.spoken_open", name=name, span=span)
    )
    return ScoreLine(
        subject=subject,
        name=name,
        score=score.score,
        low=score.low,
        high=score.high,
        value=value,
        span=span,
        short=value or f"{points(half_below(score.low))}–{points(half_above(score.high))}",
        reason="",
        caution=caution,
        spoken=f"{spoken} {caution}".strip(),
    )


def _moments(
    dimensions: Mapping[Dimension, DimensionScore], facts: Sequence[Fact]
) -> tuple[Moment, ...]:
    by_id = {fact.id: fact for fact in facts}
    words = catalogue_of(language())
    found: list[tuple[Dimension, Evidence]] = [
        (name, item) for name in DIMENSIONS for item in dimensions[name].evidence
    ]
    found.sort(key=lambda pair: (pair[1].start_s, pair[1].end_s, pair[1].id))
    moments = []
    for place, (name, item) in enumerate(found, start=1):
        fact = by_id.get(item.id)
        said = item.text
        if fact is not None and fact.direction != "none":
            said = moment(fact, facts).render(words)
        moments.append(
            Moment(
                id=item.id,
                number=place,
                dimension=name,
                start_s=item.start_s,
                end_s=item.end_s,
                helped=item.effect > 0,
                effect=item.effect,
                text=said,
                detail=text(
                    "review.measured",
                    measure=words.measure_name(item.measure),
                    value=words_of(language()).quantity(item.value, item.unit),
                ),
            )
        )
    return tuple(moments)


def _in_the_windows_language(assessment: Assessment, notes: Sequence[Note]) -> Feedback | None:
    feedback = assessment.feedback
    if feedback is None or feedback.language == language():
        return feedback
    if feedback.generator != "template":
        return feedback
    return write_feedback(
        scores=assessment.scores,
        screening=assessment.screening,
        duration_s=assessment.input.duration_s,
        notes=notes,
        language=language(),
    )


def _words(feedback: Feedback, moments: Sequence[Moment]) -> Words:
    known = {m.id: m for m in moments}
    said = [line_of(sentence, known) for sentence in feedback.sentences]
    if not said:  # a document from before sentences were kept one by one
        whole: tuple[tuple[FeedbackPart, str], ...] = (
            ("summary", feedback.summary),
            ("critique", feedback.critique),
        )
        said = [
            Line(part=part, place=0, text=words, moments=(), subject=None)
            for part, words in whole
            if words
        ]
    practices = []
    for place, suggestion in enumerate(feedback.suggestions):
        lines = tuple(s for s in said if s.part == "suggestion" and s.place == place)
        if not lines:
            ids = tuple(i for i in suggestion.evidence if i in known)
            lines = (
                Line(
                    part="suggestion", place=place, text=suggestion.text, moments=ids, subject=None
                ),
            )
        practices.append(Practice(lines=lines, exercise=exercise_parts(suggestion.exercise)))
    return Words(
        summary=tuple(s for s in said if s.part == "summary"),
        critique=tuple(s for s in said if s.part == "critique"),
        practices=tuple(practices),
        spoken=feedback.spoken,
        between=catalogue_of(feedback.language).between_sentences,
        by_model=feedback.generator.removeprefix("llm:")
        if feedback.generator.startswith("llm:")
        else "",
    )


def line_of(sentence: Sentence, moments: Mapping[str, Moment]) -> Line:
    """Tie a sentence of the coach to the moments that it speaks of."""
    ids = dict.fromkeys(fact.removesuffix(".note") for fact in sentence.facts)
    found = tuple(i for i in ids if i in moments)
    subject: Subject | None = None
    for fact in sentence.facts:
        name = fact.removeprefix(_SCORE)
        if fact.startswith(_SCORE) and name in SUBJECTS:
            subject = name
            break
    if subject is None and found:
        subject = moments[found[0]].dimension
    return Line(
        part=sentence.part,
        place=sentence.place,
        text=sentence.text,
        moments=found,
        subject=subject,
    )
