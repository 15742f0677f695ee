"""What the chain makes of each take: measures, both encoders, scores; kept until the code changes.

Pitch, dereverb, separation and encoders come from the chain's own functions, so a take is what
``singcoach assess`` makes of the same file (embedded models, whatever packs are installed).
"""

from __future__ import annotations

import hashlib
import json
import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TypeVar, cast

import numpy as np

from singcoach.audio.hashing import sha256_file
from singcoach.audio.reading import open_audio
from singcoach.audio.writing import WavWriter
from singcoach.benchmark.experiments.items import Item
from singcoach.benchmark.htpr.pieces import cut, join_parts
from singcoach.chain.analyse import analyse, find_backing
from singcoach.chain.cache import Cache, make_key
from singcoach.chain.clock import Clock
from singcoach.chain.encoding import general_features, singing_features
from singcoach.chain.engine import Engine
from singcoach.chain.hearing import hear
from singcoach.chain.settings import Settings
from singcoach.core.arrays import ANALYSIS_RATE
from singcoach.core.scores import DimensionScore, Scores
from singcoach.core.take import Take
from singcoach.errors import InputError
from singcoach.files import write_whole
from singcoach.jobs import NO_JOB, Job
from singcoach.models.catalogue import Catalogue
from singcoach.scoring.score import score_take
from singcoach.scoring.specs import Heads, load_heads
from singcoach.training.code import HEARING, code_digest
from singcoach.training.examples import Example, load_examples, make_example, save_examples

_LIMIT_BYTES = 6_000_000_000

Remembered = TypeVar("Remembered")


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A score on 1..5 with its 80 % interval; NaN where there is none."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A take as the experiments know it.

    Attributes
    ----------
    example
        Its measures, the rows of both encoders, and the human labels.
    ranges
        The scores in force by dimension and ``"overall"``.
    refused
        Why it gets no score in use; empty where it gets one. Short phrases are scored all the same.
    """

    item: Item
    example: Example
    ranges: Mapping[str, Range]
    duration_s: float
    refused: str


class Workbench:
    """Turns items into judged takes and keeps them on disk.

    Parameters
    ----------
    work
        Folder of everything that can be computed again. A change of code, of heads or of a file
        makes the takes anew, but for the stages that the chain's own cache keeps; what an
        interrupted run finished is found again.
    """

    def __init__(self, work: Path) -> None:
        catalogue = Catalogue.default()
        heads = catalogue.require("heads")
        self._digest = hashlib.sha256(
            f"{code_digest(HEARING)} {heads.entry.sha256}".encode()
        ).hexdigest()
        self._folder = work / "takes"
        self.work = work
        self.heads: Heads = load_heads(catalogue)
        self._engine = Engine(
            catalogue=catalogue,
            cache=Cache(work / "chain", limit_bytes=_LIMIT_BYTES),
        )
        self._known: dict[str, Judged] = {}
        self._remembered: dict[str, object] = {}

    def remember(self, name: str, make: Callable[[], Remembered]) -> Remembered:
        """Return what ``make`` gives, made once in the life of this bench."""
        if name not in self._remembered:
            self._remembered[name] = make()
        return cast("Remembered", self._remembered[name])

    @property
    def digest(self) -> str:
        """SHA-256 over the code and models that the takes come from."""
        return self._digest

    def judge(self, items: Sequence[Item], job: Job = NO_JOB) -> list[Judged]:
        """Return the takes of the items, from disk or anew.

        Raises
        ------
        InputError
            A recording cannot be used.
        Cancelled
            ``job`` was stopped; the takes finished until then are kept.
        """
        found = []
        for index, item in enumerate(items):
            part = job.part(index / len(items), (index + 1) / len(items))
            part.report(0.0, f"{item.corpus}: {item.name}")
            found.append(self._one(item, part))
        return found

    def _one(self, item: Item, job: Job) -> Judged:
        key = make_key("experiment", 1, self._digest, _described(item))
        if key not in self._known:
            path = self._folder / key[:2] / f"{key}.npz"
            judged = _load(path, item)
            if judged is None:
                judged = self._make(item, job)
                path.parent.mkdir(parents=True, exist_ok=True)
                _save(path, judged)
            self._known[key] = judged
        return self._known[key]

    def _make(self, item: Item, job: Job) -> Judged:
        with tempfile.TemporaryDirectory(prefix="singcoach-experiment-") as place:
            voice, backing = _files(item, Path(place), job.aside())
            take = self._take(item, voice, backing, job)
        refused = take.screening.reasons[0] if take.screening.verdict == "insufficient" else ""
        if item.short and refused:
            take = replace(take, screening=replace(take.screening, verdict="weak", reasons=()))
        scores = score_take(take, job.aside(), heads=self.heads)
        return Judged(
            item=item,
            example=make_example(
                take,
                item=f"{item.corpus} {item.name}",
                corpus=item.corpus,
                singer=item.singer,
                song=item.song,
                labels=item.labels,
                group=item.group,
                edit=item.change,
                severity=item.severity,
            ),
            ranges=_ranges(scores),
            duration_s=take.duration_s,
            refused=refused or (scores.overall.reason or ""),
        )

    def _take(self, item: Item, voice: Path, backing: Path | None, job: Job) -> Take:
        engine = self._engine
        settings = Settings(kind=item.kind, backing=backing, feedback=False)
        engine.start_take(settings.profile)
        clock = Clock()
        heard = hear(voice, settings=settings, engine=engine, clock=clock, job=job.part(0.0, 0.4))
        found = find_backing(heard, supplied=backing, engine=engine, job=job.part(0.4, 0.5))
        take = analyse(
            heard,
            song=None,
            backing=found,
            # The encoders come after it: a phrase that use refuses is wanted here.
            settings=replace(settings, profile="fast"),
            engine=engine,
            clock=clock,
            job=job.part(0.5, 0.6),
        )
        if not item.encoded:
            return take
        general = general_features(heard.vocal, heard.key, engine, job.part(0.6, 0.8))
        singing = singing_features(heard.vocal, heard.key, take.pitch, engine, job.part(0.8, 1.0))
        return replace(
            take, features=general.rows, feature_rate_hz=general.rate_hz, singing=singing
        )


def _described(item: Item) -> list[object]:
    """What a take depends on: the sound, and how it is heard (not what people said of it)."""
    return [
        [sha256_file(part) for part in item.parts],
        sha256_file(item.backing) if item.backing is not None else None,
        item.hearing,
        item.span_s,
        item.short,
        item.encoded,
    ]


def _files(item: Item, folder: Path, job: Job) -> tuple[Path, Path | None]:
    """Write what the chain is given, where it is not a file already."""
    voice, backing = item.parts[0], item.backing
    if len(item.parts) > 1:
        join_parts(item.parts, folder / "joined.wav", job)
        voice = folder / "joined.wav"
    if item.hearing == "mixture" and backing is not None:
        mix(voice, backing, folder / "mixture.wav", job)
        voice, backing = folder / "mixture.wav", None
    if item.span_s is not None:
        start_s, length_s = item.span_s
        cut(voice, folder / "crop.wav", start_s=start_s, length_s=length_s, job=job)
        voice = folder / "crop.wav"
        if backing is not None:
            cut(backing, folder / "backing.wav", start_s=start_s, length_s=length_s, job=job)
            backing = folder / "backing.wav"
    return voice, backing


def mix(voice: Path, backing: Path, target: Path, job: Job = NO_JOB) -> None:
    """Write the sum of a voice and its backing, turned down as a whole where it would clip.

    Both mono at 16 kHz; the shorter one ends in silence.

    Raises
    ------
    InputError, OutputError
        One of them cannot be read, or the sum not written.
    """
    signals = []
    for path in (voice, backing):
        with open_audio(path) as file:
            blocks = file.blocks(sample_rate=ANALYSIS_RATE, channels=1, job=job)
            signals.append(np.concatenate([block[0] for block in blocks]))
    total = np.zeros(max(len(signal) for signal in signals), dtype=np.float32)
    for signal in signals:
        total[: len(signal)] += signal
    total /= max(1.0, float(np.abs(total).max(initial=0.0)))
    with WavWriter(target, sample_rate=ANALYSIS_RATE, channels=1, subtype="PCM_24") as writer:
        writer.write(total[None, :])


def _ranges(scores: Scores) -> dict[str, Range]:
    parts: dict[str, DimensionScore] = {"overall": scores.overall}
    parts |= {str(name): score for name, score in scores.dimensions.items()}
    return {
        name: Range(
            value=math.nan if part.score is None else part.score,
            low=math.nan if part.low is None else part.low,
            high=math.nan if part.high is None else part.high,
        )
        for name, part in parts.items()
    }


def _save(path: Path, judged: Judged) -> None:
    save_examples(path, [judged.example])
    about = {
        "ranges": {name: asdict(found) for name, found in judged.ranges.items()},
        "duration_s": judged.duration_s,
        "refused": judged.refused,
    }
    write_whole(path.with_suffix(".json"), json.dumps(about))


def _load(path: Path, item: Item) -> Judged | None:
    """Return what :func:`_save` wrote, with the item's own labels; None where it is not whole."""
    try:
        about = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        example = load_examples(path)[0]
        ranges = {name: Range(**found) for name, found in about["ranges"].items()}
    except (OSError, ValueError, KeyError, TypeError, IndexError, InputError):
        return None
    example = replace(
        example,
        item=f"{item.corpus} {item.name}",
        singer=item.singer,
        song=item.song,
        labels=dict(item.labels),
        group=item.group,
        edit=item.change,
        severity=item.severity,
    )
    return Judged(
        item=item,
        example=example,
        ranges=ranges,
        duration_s=float(about["duration_s"]),
        refused=str(about["refused"]),
    )
