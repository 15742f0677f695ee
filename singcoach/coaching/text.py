"""The plan in words. Wordings vary with the content, never with the clock or with chance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from singcoach.coaching import statements
from singcoach.coaching.facts import Fact
from singcoach.coaching.languages import Catalogue
from singcoach.coaching.numbers import pick
from singcoach.coaching.plan import Plan, Task
from singcoach.coaching.statements import Statement
from singcoach.coaching.topics import topic_named
from singcoach.core.scores import DIMENSIONS, Dimension


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence with the facts it rests on."""

    text: str
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes sentences from facts; ``seed`` is the content that chooses the wordings."""

    facts: Sequence[Fact]
    words: Catalogue
    seed: str

    def summary(self, plan: Plan, *, weak: bool) -> list[Said]:
        """The best moment, the overall score, doubts, the next step."""
        said: list[Statement] = []
        if plan.praise is not None:
            said.append(statements.moment(plan.praise, self.facts))
        overall = self._fact("score.overall")
        if overall is not None and overall.kind == "score":
            said.append(statements.score(overall))
        reason = self._fact("reason.1")
        if weak and reason is not None:
            said += [statements.plain("weak", reason.id), statements.reason(reason)]
        if plan.tasks:
            fact = plan.tasks[0].fact
            said += [statements.about_topic(fact, "work"), statements.about_topic(fact, "gloss")]
        else:
            said.append(statements.plain("no_task"))
        return self._all(said)

    def critique(self) -> list[Said]:
        """Each dimension with the moments that moved it most, then the accuracies."""
        said: list[Statement] = []
        reasons: set[str] = set()
        for name in DIMENSIONS:
            said += self._dimension(name, reasons)
        said += [statements.accuracy(fact) for fact in self.facts if fact.kind == "accuracy"]
        return self._all(said)

    def task(self, task: Task, *, place: int = 0) -> list[Said]:
        """Sentences on one thing to work on; neighbours in a list are worded differently."""
        said = [
            self._turned(statements.about_topic(task.fact, "work"), place),
            *self._all([statements.moment(task.fact, self.facts)]),
            *self._all([statements.about_topic(task.fact, "gloss")]),
        ]
        if task.careful:
            said.append(self._turned(statements.plain("careful"), place))
        return said

    def spoken(self, plan: Plan) -> list[Said]:
        """At most 60 words without digits, for the ear."""
        overall = self._fact("score.overall")
        if overall is None or overall.kind != "score":
            return self._all([statements.plain("insufficient", "score.overall")])
        said = [statements.spoken_score(overall)]
        if plan.praise is not None and not plan.praise.relative:
            said.append(statements.about_topic(plan.praise, "spoken"))
        if plan.tasks:
            task = plan.tasks[0]
            said.append(statements.about_topic(task.fact, "work"))
            said.append(statements.exercise(task.exercise.id, task.fact.id))
        return self._all(said)

    def not_judged(self) -> list[Said]:
        """Why nothing was scored, and that a longer take is welcome."""
        said = [statements.plain("insufficient", "score.overall")]
        reason = self._fact("reason.1")
        if reason is not None:
            said.append(statements.reason(reason))
        return self._all([*said, *map(statements.plain, ("not_about_you", "one_more_take"))])

    def not_judged_spoken(self) -> list[Said]:
        """The same for the ear, without numbers."""
        said = [statements.plain("insufficient", "score.overall")]
        return self._all([*said, *map(statements.plain, ("not_about_you", "one_more_take"))])

    def record_again(self) -> list[Said]:
        """What to do next when nothing could be scored."""
        return self._all([statements.plain("record_again")])

    def _dimension(self, name: Dimension, reasons: set[str]) -> list[Statement]:
        score = self._fact(f"score.{name}")
        if score is None:
            return []
        if score.kind == "unscored":
            said = [statements.unscored(score)]
            why = [f for f in self.facts if f.kind == "reason" and f.reason == score.reason]
            if why and score.reason not in reasons:
                said.append(statements.reason(why[0]))
            reasons.add(score.reason)
            return said
        said = [statements.score(score)]
        moments = [f for f in (self._strongest(name, d) for d in ("good", "bad")) if f is not None]
        said += [statements.moment(fact, self.facts) for fact in moments]
        if not any(f.kind == "evidence" and f.subject == name for f in self.facts):
            said.append(statements.no_moment(score))
        return said

    def _strongest(self, name: Dimension, direction: str) -> Fact | None:
        found = [
            f
            for f in self.facts
            if f.kind == "evidence"
            and f.subject == name
            and f.direction == direction
            and (direction == "good" or topic_named(f.topic).advice)
        ]
        return max(found, key=lambda f: (f.weight, -(f.start_s or 0.0)), default=None)

    def _turned(self, statement: Statement, place: int) -> Said:
        """A statement whose wordings take turns from place to place."""
        first = pick(self.words.wordings(statement.message), self.seed, "turn")
        return Said(statement.render(self.words, wording=first + place), statement.facts)

    def _fact(self, fact_id: str) -> Fact | None:
        return next((f for f in self.facts if f.id == fact_id), None)

    def _all(self, said: Iterable[Statement]) -> list[Said]:
        return [Said(s.chosen(self.words, self.seed), s.facts) for s in said]
