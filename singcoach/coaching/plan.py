"""What to praise and what to work on, chosen from the facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from singcoach.coaching.exercises import LEVELS, Exercise, Library, load_library
from singcoach.coaching.facts import Fact, Subject
from singcoach.coaching.statements import certainty
from singcoach.coaching.topics import Topic, topic_named

MOST_TASKS = 3
SMALL_WEIGHT = 0.05
"""Share of a score's movement below which a moment is not worth a word."""
LARGE_WEIGHT = 0.35
"""Share from which a weakness counts as large: then the exercise is an easier one."""
_LEVEL_SCORES = (2.5, 3.75)
"""Overall scores from which a singer is taken to be at level 2 and 3."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One thing to work on.

    Attributes
    ----------
    fact
        The moment that shows it best; ``evidence`` are the ids of all of them, by time.
    careful
        Whether the score of the dimension is known too loosely to be sure of a weakness.
    """

    topic: Topic
    fact: Fact
    evidence: tuple[str, ...]
    exercise: Exercise
    careful: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the coach will say: the best moment, and at most three tasks, the weightiest first."""

    praise: Fact | None
    tasks: tuple[Task, ...]


def make_plan(
    facts: Sequence[Fact], *, level: int | None = None, library: Library | None = None
) -> Plan:
    """Choose by weight; a low dimension counts for more, and each topic comes up once.

    A topic without evidence that lowered a score is never a task: nothing is worked on that was
    not measured. Where the interval of a score is too wide to tell a weakness, moments that only
    stand out beside the rest of the take are no task either, and the others are to be said with
    care.

    Parameters
    ----------
    level
        1..3, how practised the singer is; judged by the overall score when None.
    """
    library = library or load_library()
    level = level if level in LEVELS else _level(facts)
    scores = {f.subject: f for f in facts if f.kind == "score" and f.value is not None}
    loose = {subject for subject, fact in scores.items() if certainty(fact) in ("open", "unknown")}
    evidence = [f for f in facts if f.kind == "evidence" and f.weight >= SMALL_WEIGHT]
    praise = max(
        (f for f in evidence if f.direction == "good"),
        key=lambda f: (
            not f.relative,
            f.weight * _value(scores, f.subject),
            -(f.start_s or 0.0),
        ),
        default=None,
    )
    by_topic: dict[str, list[Fact]] = {}
    for fact in evidence:
        told = not (fact.relative and fact.subject in loose)
        if fact.direction == "bad" and told and topic_named(fact.topic).advice:
            by_topic.setdefault(fact.topic, []).append(fact)
    ranked = sorted(
        by_topic.items(),
        key=lambda item: (-sum(_need(fact, scores) for fact in item[1]), item[0]),
    )
    tasks: list[Task] = []
    used: set[str] = set()
    for topic_id, found in ranked[:MOST_TASKS]:
        fact = max(found, key=lambda f: (not f.relative, f.weight, -(f.start_s or 0.0)))
        large = sum(f.weight for f in found) >= LARGE_WEIGHT
        exercise = _exercise(fact, used, level=level, large=large, library=library)
        used.add(exercise.id)
        ids = tuple(f.id for f in sorted(found, key=lambda f: (f.start_s or 0.0, f.id)))
        tasks.append(
            Task(
                topic=topic_named(topic_id),
                fact=fact,
                evidence=ids,
                exercise=exercise,
                careful=fact.subject in loose,
            )
        )
    return Plan(praise=praise, tasks=tuple(tasks))


def _level(facts: Sequence[Fact]) -> int:
    """Guess the level from the overall score; the lower end counts, so that nobody is pushed."""
    overall = next((f for f in facts if f.id == "score.overall" and f.value is not None), None)
    if overall is None or overall.value is None:
        return LEVELS[0]
    sure = (overall.value + (overall.value if overall.low is None else overall.low)) / 2.0
    return LEVELS[sum(sure >= bound for bound in _LEVEL_SCORES)]


def _value(scores: dict[Subject, Fact], subject: Subject) -> float:
    fact = scores.get(subject)
    return 3.0 if fact is None or fact.value is None else fact.value


def _need(fact: Fact, scores: dict[Subject, Fact]) -> float:
    return fact.weight * (6.0 - _value(scores, fact.subject))


def _exercise(fact: Fact, used: set[str], *, level: int, large: bool, library: Library) -> Exercise:
    """The exercise for a topic that no earlier task has taken and whose level fits best.

    A large weakness takes an exercise one level below the singer's: basics first.
    """
    serving = library.serving(fact.topic, fact.measure)
    free = [e for e in serving if e.id not in used] or list(library.serving("general"))
    wanted = max(LEVELS[0], level - 1) if large else level
    within = [e for e in free if e.level <= level] or free
    return min(within, key=lambda e: (abs(e.level - wanted), within.index(e)))
