"""The plan in words. Wordings vary with the content, never with the clock or with chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from singcoach.coaching import catalogue
from singcoach.coaching.facts import Fact
from singcoach.coaching.numbers import (
    clock,
    half_above,
    half_below,
    half_points,
    percent_words,
    pick,
    score_words,
    semitone_words,
)
from singcoach.coaching.plan import Plan, Task, topic_named
from singcoach.core.scores import DIMENSIONS, Dimension

WIDE_INTERVAL = 0.75
"""Width of a range in points from which a score is only "roughly" known."""

_SAID_IN_SEMITONES = {"intonation", "drift", "leaps", "phrase_end_pitch"}


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes sentences from facts; ``seed`` is the content that chooses the wordings."""

    facts: Sequence[Fact]
    seed: str

    def overall(self) -> str:
        """One sentence on the overall score, empty without one."""
        score = self._score("overall")
        return "" if score is None else self._pick(catalogue.OVERALL).format(**_score_fields(score))

    def together(self) -> str:
        """The overall score again, as the sum of what was said; empty without one."""
        score = self._score("overall")
        if score is None:
            return ""
        return self._pick(catalogue.TOGETHER).format(**_score_fields(score))

    def praise(self, fact: Fact) -> str:
        """One sentence on the best moment."""
        return self._pick(catalogue.SUMMARY_GOOD, fact.id).format(
            clock=_clock(fact), good=self._good(fact)
        )

    def next_step(self, plan: Plan) -> str:
        """One sentence on the weightiest task."""
        if not plan.tasks:
            return self._pick(catalogue.SUMMARY_NO_NEXT)
        topic = plan.tasks[0].topic
        return self._pick(catalogue.SUMMARY_NEXT).format(focus=topic.focus, gloss=topic.gloss)

    def dimension(self, name: Dimension) -> str:
        """One sentence on a dimension: its score and the moments that moved it most."""
        score = self._score(name)
        words = catalogue.DIMENSION_NAMES[name]
        if score is None:
            reason = next(f.reason for f in self.facts if f.id == f"score.{name}")
            return self._pick(catalogue.DIMENSION_NONE, name).format(
                Name=_capital(words), reason=_lower_first(reason)
            )
        head = self._pick(catalogue.DIMENSION_SCORE, name).format(
            name=words, Name=_capital(words), **_score_fields(score)
        )
        good, bad = self._strongest(name, "good"), self._strongest(name, "bad")
        if good is not None and bad is not None:
            template = self._pick(catalogue.DIMENSION_BOTH, name)
        elif good is not None:
            template = self._pick(catalogue.DIMENSION_GOOD, name)
        elif bad is not None:
            template = self._pick(catalogue.DIMENSION_BAD, name)
        elif any(f.kind == "evidence" and f.subject == name for f in self.facts):
            return f"{head}."
        else:
            template = self._pick(catalogue.DIMENSION_PLAIN, name)
        fields = {"head": head}
        if good is not None:
            fields |= {"clock": _clock(good), "good": self._good(good)}
        if bad is not None:
            key = "clock2" if good is not None else "clock"
            fields |= {key: _clock(bad), "bad": self._bad(bad), "amount": self._amount(bad)}
        return template.format(**fields)

    def accuracy(self) -> str:
        """Sentences on pitch and rhythm accuracy where there was something to compare with."""
        return " ".join(
            catalogue.ACCURACY[fact.subject].format(
                reference=catalogue.REFERENCES[fact.measure],
                percent=percent_words(fact.value or 0.0),
            )
            for fact in self.facts
            if fact.kind == "accuracy"
        )

    def task(self, task: Task, *, place: int = 0) -> str:
        """Sentences on one thing to work on; neighbouring places in a list begin differently."""
        first = catalogue.TASK.index(self._pick(catalogue.TASK))
        wording = catalogue.TASK[(first + place) % len(catalogue.TASK)]
        return wording.format(
            focus=task.topic.focus,
            gloss=task.topic.gloss,
            clock=_clock(task.fact),
            bad=self._bad(task.fact),
            amount=self._amount(task.fact),
        )

    def spoken(self, plan: Plan) -> str:
        """At most 60 words without digits or symbols, for the ear."""
        score = self._score("overall")
        if score is None:
            return catalogue.SPOKEN_INSUFFICIENT
        about = _score_fields(score)["about"]
        parts = [
            self._pick(catalogue.SPOKEN_OVERALL).format(
                about=about, score_words=score_words(score.value or 0.0)
            )
        ]
        if plan.praise is not None:
            parts.append(self._pick(catalogue.SPOKEN_GOOD).format(good=self._good(plan.praise)))
        if plan.tasks:
            task = plan.tasks[0]
            parts.append(self._pick(catalogue.SPOKEN_NEXT).format(focus=task.topic.focus))
            parts.append(
                self._pick(catalogue.SPOKEN_EXERCISE).format(exercise=task.exercise.name.lower())
            )
        return " ".join(parts)

    def _score(self, name: str) -> Fact | None:
        return next((f for f in self.facts if f.kind == "score" and f.subject == name), None)

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

    def _good(self, fact: Fact) -> str:
        return self._clause(fact, topic_named(fact.topic).good, catalogue.RELATIVE_GOOD)

    def _bad(self, fact: Fact) -> str:
        return self._clause(fact, topic_named(fact.topic).bad, catalogue.RELATIVE_BAD)

    def _clause(self, fact: Fact, plain: Sequence[str], relative: Sequence[str]) -> str:
        if fact.relative:
            return self._pick(relative, fact.id).format(noun=topic_named(fact.topic).noun)
        return self._pick(plain, fact.id)

    def _amount(self, fact: Fact) -> str:
        """How much a note is off, with its side where a single note shows it."""
        note = next((f for f in self.facts if f.id == f"{fact.id}.note"), None)
        if note is not None and not fact.relative:
            return catalogue.AMOUNT_SIGNED.format(
                amount=semitone_words(note.value or 0.0),
                direction="low" if note.direction == "flat" else "high",
            )
        if fact.unit == "cents" and not fact.relative and fact.topic in _SAID_IN_SEMITONES:
            moved = fact.topic in {"drift", "phrase_end_pitch"}
            words = catalogue.AMOUNT_MOVED if moved else catalogue.AMOUNT_CENTS
            return words.format(amount=semitone_words(fact.value or 0.0))
        return ""

    def _pick(self, choices: Sequence[str], *content: object) -> str:
        return pick(choices, self.seed, choices[0], *content)


def critique(writer: Writer) -> str:
    """About five sentences: one for each dimension, the accuracies, then all together."""
    parts = [*(writer.dimension(name) for name in DIMENSIONS), writer.accuracy(), writer.together()]
    return " ".join(part for part in parts if part)


def _score_fields(score: Fact) -> dict[str, str]:
    low, high = score.low or 1.0, score.high or 5.0
    about = "roughly" if high - low >= WIDE_INTERVAL else "about"
    return {
        "score": f"{half_points(score.value or 0.0):g}",
        "low": f"{half_below(low):g}",
        "high": f"{half_above(high):g}",
        "about": about,
        "About": _capital(about),
    }


def _clock(fact: Fact) -> str:
    return clock(fact.start_s or 0.0)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _lower_first(words: str) -> str:
    return words[:1].lower() + words[1:] if words[1:2].islower() else words
