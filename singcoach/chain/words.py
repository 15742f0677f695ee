"""The coach's words: from templates, or from the language model that is installed.

Whatever happens to a language model, the words are whole: what it does not say, templates say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from singcoach.chain.clock import resident_mb
from singcoach.chain.engine import Engine
from singcoach.chain.settings import Settings
from singcoach.coaching.feedback import write_feedback
from singcoach.coaching.phrasing import write_feedback_with_model
from singcoach.coaching.phrasing.writing import BUDGET_S
from singcoach.core.scores import Feedback, Scores, Sentence
from singcoach.core.take import Take
from singcoach.jobs import NO_JOB, Job
from singcoach.models.language import LanguageModel

OnSentence = Callable[[Sentence], None]

MODEL_LANGUAGE: Final = "en"
"""The only language in which what a model writes can be checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoachWords:
    """The feedback with what came of writing it.

    ``seconds`` are those of the language model by stage; ``memory_mb`` is what this process and
    that of the model held together, 0 without a model.
    """

    feedback: Feedback
    warnings: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    memory_mb: float = 0.0


def write_words(
    scores: Scores,
    take: Take,
    *,
    settings: Settings,
    engine: Engine,
    on_sentence: OnSentence | None = None,
    budget_s: float = BUDGET_S,
    job: Job = NO_JOB,
) -> CoachWords:
    """Write the feedback on a take as ``settings.words`` and ``settings.language`` ask for.

    ``auto`` takes the language model where one is installed and English is spoken. A model that is
    missing, damaged, killed or too slow becomes a warning, never a fault.

    Parameters
    ----------
    on_sentence
        Called with every sentence in order, as soon as it is checked.
    budget_s
        Time for everything that a language model does.

    Raises
    ------
    Cancelled
        ``job`` was stopped; acts within a second.
    """
    warnings: tuple[str, ...] = ()
    if scores.overall.score is None:  # what is said then has one wording alone
        by_model = False
    elif settings.language != MODEL_LANGUAGE:
        by_model = False
        if settings.words == "model":
            warnings = ("Language models write English alone, so the built-in words were used",)
    else:
        by_model = settings.words == "model" or (
            settings.words == "auto" and engine.language_model() is not None
        )
    if by_model:
        return _by_model(scores, take, settings, engine, on_sentence, budget_s, job)
    feedback = write_feedback(
        scores=scores,
        screening=take.screening,
        duration_s=take.duration_s,
        notes=take.notes,
        language=settings.language,
        job=job,
    )
    if on_sentence is not None:
        for sentence in feedback.sentences:
            on_sentence(sentence)
    return CoachWords(feedback=feedback, warnings=warnings)


def _by_model(
    scores: Scores,
    take: Take,
    settings: Settings,
    engine: Engine,
    on_sentence: OnSentence | None,
    budget_s: float,
    job: Job,
) -> CoachWords:
    opened: list[LanguageModel] = []

    def open_model(own: Job) -> LanguageModel:
        opened.append(engine.open_language_model(own, load_timeout_s=budget_s))
        return opened[0]

    told = write_feedback_with_model(
        scores=scores,
        screening=take.screening,
        duration_s=take.duration_s,
        notes=take.notes,
        open_model=open_model,
        seed=settings.seed,
        budget_s=budget_s,
        on_sentence=on_sentence,
        job=job,
    )
    if told.n_by_model:
        engine.note_language_model()
    return CoachWords(
        feedback=told.feedback,
        warnings=told.warnings,
        seconds={"language_model_load": told.load_s, "language_model_write": told.write_s},
        memory_mb=resident_mb() + opened[0].peak_memory_mb if opened else 0.0,
    )
