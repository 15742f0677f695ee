"""What to praise and what to work on, chosen from the facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from singcoach.coaching.catalogue import GENERAL, TOPICS, Topic
from singcoach.coaching.exercises import LIBRARY, Exercise
from singcoach.coaching.facts import Fact, Subject

MOST_TASKS = 3
SMALL_WEIGHT = 0.05
"""Share of a score's movement below which a moment is not worth a word."""

_TOPICS = {topic.id: topic for topic in (*TOPICS, GENERAL)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One thing to work on: the moment that shows it best, all its evidence, an exercise."""

    topic: Topic
    fact: Fact
    evidence: tuple[str, ...]
    exercise: Exercise


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the coach will say: the best moment, and at most three tasks, the weightiest first."""

    praise: Fact | None
    tasks: tuple[Task, ...]


def topic_named(topic_id: str) -> Topic:
    """Return the topic with this id."""
    return _TOPICS[topic_id]


def make_plan(facts: Sequence[Fact]) -> Plan:
    """Choose by weight; a low dimension counts for more, and each topic comes up once.

    A topic without evidence that lowered a score is never a task: nothing is worked on that was
    not measured.
    """
    scores = {f.subject: f.value for f in facts if f.kind == "score" and f.value is not None}
    evidence = [f for f in facts if f.kind == "evidence" and f.weight >= SMALL_WEIGHT]
    good = [f for f in evidence if f.direction == "good"]
    bad = [f for f in evidence if f.direction == "bad" and topic_named(f.topic).advice]
    praise = max(
        good,
        key=lambda f: (f.weight * scores.get(f.subject, 3.0), -(f.start_s or 0.0)),
        default=None,
    )
    by_topic: dict[str, list[Fact]] = {}
    for fact in bad:
        by_topic.setdefault(fact.topic, []).append(fact)
    ranked = sorted(
        by_topic.items(),
        key=lambda item: (-sum(_need(fact, scores) for fact in item[1]), item[0]),
    )
    tasks: list[Task] = []
    used: set[str] = set()
    for topic_id, found in ranked[:MOST_TASKS]:
        topic = topic_named(topic_id)
        fact = max(found, key=lambda f: (f.weight, -(f.start_s or 0.0)))
        exercise = _exercise(topic, used)
        used.add(exercise.id)
        ids = tuple(f.id for f in sorted(found, key=lambda f: (f.start_s or 0.0, f.id)))
        tasks.append(Task(topic=topic, fact=fact, evidence=ids, exercise=exercise))
    return Plan(praise=praise, tasks=tuple(tasks))


def _need(fact: Fact, scores: dict[Subject, float]) -> float:
    return fact.weight * (6.0 - scores.get(fact.subject, 3.0))


def _exercise(topic: Topic, used: set[str]) -> Exercise:
    """The topic's first exercise that no earlier task has taken."""
    free = [name for name in topic.exercises if name not in used]
    return LIBRARY[(free or list(topic.exercises))[0]]
