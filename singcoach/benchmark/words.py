"""Who words the coach's plan best: the templates, a language model as published, or the taught one.

``python -m singcoach.benchmark.words --base BASE.gguf --tuned TUNED.gguf --out docs/words.md`` lets
each say the same plans of simulated takes that nobody trained on, through the product's own path.
Every text is kept in a cache, so that a run that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from singcoach.benchmark.words_figures import Told, WordFigures, figures_of
from singcoach.benchmark.words_report import document, with_section
from singcoach.coaching.facts import Fact, gather_facts
from singcoach.coaching.feedback import write_feedback
from singcoach.coaching.phrasing.frames import Freedom
from singcoach.coaching.phrasing.writing import SentenceWriter, reword
from singcoach.core.scores import Feedback, Sentence
from singcoach.files import make_folder, write_whole
from singcoach.jobs import NO_JOB, Job
from singcoach.models.gguf import open_gguf
from singcoach.models.gguf.merging import PROMPT_KEY, file_sha256
from singcoach.models.language.process import LanguageModel
from singcoach.models.language.protocol import Request, Written
from singcoach.models.manifest import ModelEntry
from singcoach.training.feedback.simulated import simulate
from singcoach.training.feedback.wordings import draw_wording

_SEED: Final = "words benchmark"
TEMPLATES: Final = "templates"
DICE: Final = "dice, phrases"
_TEXT_S: Final = 60.0
_ROUND: Final = 5
"""Plans that one way of speaking does before the next does the same ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One take of the benchmark with what the templates say of it."""

    number: int
    facts: tuple[Fact, ...]
    feedback: Feedback


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way to word a plan: a model with a freedom."""

    title: str
    model: SentenceWriter
    freedom: Freedom


class OutOfTimeError(Exception):
    """A text is not in the cache and no more are to be written."""


def plan_of(number: int) -> Plan:
    """Return a plan of the benchmark; training never draws from its seed."""
    take = simulate(random.Random(f"{_SEED}\x1f{number}"))
    facts = gather_facts(
        scores=take.scores,
        screening=take.screening,
        duration_s=take.duration_s,
        notes=take.notes,
    )
    feedback = write_feedback(
        scores=take.scores,
        screening=take.screening,
        duration_s=take.duration_s,
        notes=take.notes,
    )
    return Plan(number=number, facts=facts, feedback=feedback)


def told_by(way: Way, plan: Plan) -> Told:
    """Let a way of speaking say a plan.

    Raises
    ------
    OutOfTimeError
        When the time is over.
    """
    heard: list[tuple[str, float]] = []
    worded = reword(
        plan.feedback,
        plan.facts,
        _Listening(way.model, heard),
        freedom=way.freedom,
    )
    sentences = worded.feedback.sentences
    return Told(
        plan=plan.number,
        facts=plan.facts,
        template=tuple(s.text for s in plan.feedback.sentences),
        said=tuple(s.text for s in sentences),
        raw=tuple(text for text, _ in heard),
        seconds=sum(s for _, s in heard),
        n_asked=worded.n_asked,
        n_kept=worded.n_by_model,
        planned=_facts(plan.feedback.sentences),
        spoken=_facts(sentences),
        spoken_own=_facts([s for s in sentences if s not in plan.feedback.sentences]),
    )


def told_by_templates(plan: Plan) -> Told:
    """Return a plan as the templates say it."""
    texts = tuple(s.text for s in plan.feedback.sentences)
    facts = _facts(plan.feedback.sentences)
    return Told(
        plan=plan.number,
        facts=plan.facts,
        template=texts,
        said=texts,
        raw=(),
        seconds=0.0,
        n_asked=0,
        n_kept=0,
        planned=facts,
        spoken=facts,
        spoken_own=frozenset(),
    )


def _facts(sentences: Sequence[Sentence]) -> frozenset[str]:
    return frozenset(fact for sentence in sentences for fact in sentence.facts)


class CachedModel:
    """A language model whose texts are kept by what was asked; it starts when it is first needed.

    Parameters
    ----------
    path
        The GGUF file; a setting in it tells how it was taught to be asked.
    cache
        File of the texts, one JSON line each.
    until_s
        On the clock of ``time.monotonic``: from then on only kept texts are given.
    """

    def __init__(self, path: Path, cache: Path, *, until_s: float, job: Job = NO_JOB) -> None:
        with open_gguf(path) as file:
            self.prompt = str(file.settings.get(PROMPT_KEY, ""))
        self.id = path.stem
        self.usable = True
        self._path, self._cache, self._until_s, self._job = path, cache, until_s, job
        self._sha256 = file_sha256(path)
        self._model: LanguageModel | None = None
        self._known: dict[str, tuple[str, bool, float]] = {}
        if cache.is_file():
            for line in cache.read_text(encoding="utf-8").splitlines():
                key, *kept = json.loads(line)
                self._known[key] = (str(kept[0]), bool(kept[1]), float(kept[2]))

    def close(self) -> None:
        """End the model's process."""
        if self._model is not None:
            self._model.close()

    def write(
        self,
        request: Request,
        *,
        timeout_s: float,
        on_piece: object = None,
        job: Job = NO_JOB,
    ) -> Written:
        """Return the kept text, or have it written; ``timeout_s`` is not looked at."""
        del timeout_s, on_piece, job
        asked = [self._sha256, request.system, request.user, request.grammar]
        asked += [str(request.seed), str(request.temperature)]
        key = hashlib.sha256("\x1f".join(asked).encode("utf-8")).hexdigest()[:24]
        if key not in self._known:
            if time.monotonic() > self._until_s:
                raise OutOfTimeError
            if self._model is None:
                self._model = LanguageModel(self._entry(), job=self._job)
            start_s = time.monotonic()
            written = self._model.write(request, timeout_s=_TEXT_S, job=self._job)
            text = written.text if written.whole else ""
            kept = (text, written.whole, round(time.monotonic() - start_s, 3))
            with self._cache.open("a", encoding="utf-8") as file:
                file.write(json.dumps([key, *kept]) + "\n")
            self._known[key] = kept
        text, whole, self.last_s = self._known[key]
        return Written(text=text, n_tokens=0, whole=whole)

    def _entry(self) -> ModelEntry:
        return ModelEntry(
            id=self.id,
            role="language_model",
            part="",
            version="",
            file=self._path.name,
            sha256=self._sha256,
            size=self._path.stat().st_size,
            licence="",
            source="",
            package="",
            sample_rate=None,
            inputs=(),
            outputs=(),
            published="",
            folder=self._path.parent,
        )


class Dice:
    """Throws dice within the grammar: what any model could say there at worst."""

    id, prompt, usable = "dice", "facts", True

    def write(
        self,
        request: Request,
        *,
        timeout_s: float,
        on_piece: object = None,
        job: Job = NO_JOB,
    ) -> Written:
        """Return one of the texts that the grammar allows."""
        del timeout_s, on_piece, job
        text = draw_wording(request.grammar, random.Random(request.seed))
        return Written(text=text, n_tokens=0, whole=True)


class _Listening:
    """Hands requests on and keeps every text as it came, before anything checks it."""

    def __init__(self, model: SentenceWriter, heard: list[tuple[str, float]]) -> None:
        self.id, self.prompt, self.usable = model.id, model.prompt, True
        self._model = model
        self._heard = heard

    def write(
        self,
        request: Request,
        *,
        timeout_s: float,
        on_piece: object = None,
        job: Job = NO_JOB,
    ) -> Written:
        del on_piece
        written = self._model.write(request, timeout_s=timeout_s, job=job)
        seconds = float(getattr(self._model, "last_s", 0.0))
        self._heard.append((" ".join(written.text.split()), seconds))
        return written


def compare(ways: Sequence[Way], n_plans: int, job: Job = NO_JOB) -> dict[str, list[Told]]:
    """Let every way say the plans, as many as the time allows: the same ones for all.

    Templates and dice come first; they take no time.
    """
    told: dict[str, list[Told]] = {way.title: [] for way in ways}
    n_done = 0
    with contextlib.suppress(OutOfTimeError):
        for first in range(0, n_plans, _ROUND):
            numbers = range(first, min(first + _ROUND, n_plans))
            for way in ways:
                for number in numbers:
                    job.report(first / n_plans, f"{way.title}: plan {number + 1}")
                    told[way.title].append(told_by(way, plan_of(number)))
            n_done = numbers.stop
    return {**without_model(n_done), **{title: rows[:n_done] for title, rows in told.items()}}


def without_model(n_plans: int) -> dict[str, list[Told]]:
    """Return plans as the templates say them, and as dice do within the grammar."""
    plans = [plan_of(number) for number in range(n_plans)]
    dice = Way(title=DICE, model=Dice(), freedom="phrases")
    return {
        TEMPLATES: [told_by_templates(plan) for plan in plans],
        DICE: [told_by(dice, plan) for plan in plans],
    }


@contextlib.contextmanager
def _opened(path: Path, cache: Path, until_s: float) -> Iterator[CachedModel]:
    make_folder(cache)
    model = CachedModel(path, cache / f"{file_sha256(path)[:16]}.jsonl", until_s=until_s)
    try:
        yield model
    finally:
        model.close()


def _figures(told: dict[str, list[Told]]) -> dict[str, WordFigures]:
    return {title: figures_of(found) for title, found in told.items() if found}


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare and write the section of the document; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--tuned", type=Path)
    parser.add_argument("--plans", type=int, default=200)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--minutes", type=float, default=600.0, help="to write texts at most")
    args = parser.parse_args(arguments)
    until_s = time.monotonic() + 60.0 * args.minutes
    with contextlib.ExitStack() as stack:
        ways = []
        for name, path in (("as published", args.base), ("taught", args.tuned)):
            if path is None:
                continue
            model = stack.enter_context(_opened(path, args.cache, until_s))
            ways.append(Way(title=f"{name}, phrases", model=model, freedom="phrases"))
            ways.append(Way(title=f"{name}, free", model=model, freedom="free"))
        told = compare(ways, args.plans)
    text = document(_figures(told), told, _figures(without_model(args.plans)))
    if args.out is None:
        sys.stdout.write(text)
    else:
        before = args.out.read_text(encoding="utf-8") if args.out.is_file() else ""
        write_whole(args.out, with_section(before, text))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
