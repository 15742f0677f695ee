"""Everything that trained heads are held against, loaded once, and the splits of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from singcoach.benchmark.experiments.corpus import Controlled
from singcoach.benchmark.experiments.figures import (
    labels,
    mean_statistic,
    pairs_of,
    raised,
    rule_positions,
)
from singcoach.benchmark.experiments.groups import Clip
from singcoach.benchmark.experiments.items import a_cappella, intensities, techniques
from singcoach.benchmark.experiments.languages import EXPECTED
from singcoach.benchmark.experiments.mixtures import hear_karaoke
from singcoach.benchmark.experiments.takes import Workbench
from singcoach.benchmark.htpr.bootstrap import Bootstrap, Figure, to_figure
from singcoach.benchmark.htpr.order import tier_pairs
from singcoach.core.arrays import RealArray
from singcoach.jobs import NO_JOB, Job
from singcoach.training.examples import Example

Fold = tuple[list[int], list[int]]
"""Places to train on and places to test on."""

N_BUCKETS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Something that a head of one dimension should get right.

    Attributes
    ----------
    ratings
        Mean human ratings of the examples; None for pairs.
    groups
        Voice of each example, drawn together; None where every take is another singer's.
    pairs
        Places of the plain and the changed take and the sign of the change that is expected.
    """

    name: str
    dimension: str
    examples: tuple[Example, ...]
    rules: RealArray
    ratings: RealArray | None = None
    groups: tuple[str, ...] | None = None
    pairs: tuple[tuple[int, int, int], ...] = ()

    @property
    def n(self) -> int:
        """Rated takes, or pairs."""
        return len(self.examples) if self.ratings is not None else len(self.pairs)

    def draws(self, scores: RealArray) -> tuple[RealArray, int]:
        """Accuracy of all and of every draw, and the units drawn; order of tiers, or of pairs."""
        if self.ratings is not None:
            bootstrap, ratings = Bootstrap(self.n, groups=self.groups), self.ratings
            draws = bootstrap.draws(lambda weights: tier_pairs(scores, ratings, weights))
            return draws, bootstrap.n_units
        bootstrap = Bootstrap(self.n)
        moved = np.array([sign * (scores[b] - scores[a]) for a, b, sign in self.pairs])
        # A pair without a score is half right, so that both heads are held to the same pairs.
        right = np.where(np.isfinite(moved), raised(moved), 0.5)
        return bootstrap.draws(mean_statistic(right)), bootstrap.n_units

    def figure(self, scores: RealArray) -> Figure:
        """Accuracy with its interval."""
        draws, n_units = self.draws(scores)
        return to_figure(draws, n_units=n_units, undefined=_ALIKE)

    def gain(self, scores: RealArray) -> Figure:
        """Accuracy less that of the sign-constrained rules, on the same draws."""
        draws, n_units = self.draws(scores)
        return to_figure(draws - self.draws(self.rules)[0], n_units=n_units, undefined=_ALIKE)


_ALIKE = "nothing was scored, or the ratings do not differ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Materials:
    """What was loaded.

    Attributes
    ----------
    karaoke, voices
        Clips of nycu_first with and without their backing, song and singer filled in.
    edited
        Takes of the corpus of controlled edits.
    """

    karaoke: tuple[Example, ...]
    voices: tuple[Example, ...]
    a_cappella: tuple[Example, ...]
    techniques: tuple[Example, ...]
    intensities: tuple[Example, ...]
    edited: Controlled
    bench: Workbench

    @property
    def taught(self) -> tuple[Example, ...]:
        """The controlled takes that heads are trained on."""
        return self.edited.taught

    def targets(self) -> list[Target]:
        """Everything human that a head of some dimension is held against."""
        found: list[Target | None] = [
            self._rated("nycu_first with backing, overall", "overall", self.karaoke, "overall"),
            self._rated("nycu_first voice alone, overall", "overall", self.voices, "overall"),
            self._rated("pesnq, overall", "overall", self.a_cappella, "overall"),
            self._rated("pesnq, pitch", "technique", self.a_cappella, "pitch"),
            self._rated("pesnq, vibrato", "technique", self.a_cappella, "vibrato"),
            # Nobody rated technique in nycu_first; what carries the overall score must carry there.
            self._rated(
                "nycu_first with backing, overall rating", "technique", self.karaoke, "overall"
            ),
            self._rated("pesnq, voice quality", "timbre", self.a_cappella, "vqual"),
            self._rated("pesnq, volume", "emotion", self.a_cappella, "volume"),
            self._rated("pesnq, dynamic range", "emotion", self.a_cappella, "pitchDynamicRange"),
            *(
                self._pairs("gtsinger, expected change", dimension, self.techniques)
                for dimension in ("technique", "timbre", "emotion", "breath")
            ),
            self._pairs("ravdess_song, strong above normal", "emotion", self.intensities),
        ]
        return [target for target in found if target is not None]

    def _rated(
        self, name: str, dimension: str, examples: tuple[Example, ...], rating: str
    ) -> Target | None:
        if len(examples) < 3:
            return None
        repeated = len({e.singer for e in examples}) < len(examples)
        return Target(
            name=name,
            dimension=dimension,
            examples=examples,
            rules=rule_positions(examples, self.bench.heads)[dimension],
            ratings=labels(examples, rating),
            groups=tuple(e.singer for e in examples) if repeated else None,
        )

    def _pairs(self, name: str, dimension: str, examples: tuple[Example, ...]) -> Target | None:
        pairs = []
        for plain, changed in pairs_of(examples):
            sign = _expected(examples[changed].edit, dimension)
            if sign:
                pairs.append((plain, changed, sign))
        if not pairs:
            return None
        return Target(
            name=name,
            dimension=dimension,
            examples=examples,
            rules=rule_positions(examples, self.bench.heads)[dimension],
            pairs=tuple(pairs),
        )


def _expected(change: str, dimension: str) -> int:
    if change == "strong":
        return 1 if dimension == "emotion" else 0
    return next((s for d, s in EXPECTED.get(change, {}).items() if d == dimension), 0)


def gather(data: Path, edited: Controlled, bench: Workbench, job: Job = NO_JOB) -> Materials:
    """Load everything that is in the folder; sets that are not there are empty.

    Parameters
    ----------
    edited
        From :func:`singcoach.benchmark.experiments.corpus.read_controlled`.

    Raises
    ------
    InputError
        A recording cannot be used.
    """
    heard, clips = hear_karaoke(data, bench, job.part(0.0, 0.6))
    return Materials(
        karaoke=named([take.example for take in heard["voice and backing"]], clips),
        voices=named([take.example for take in heard["voice"]], clips),
        a_cappella=tuple(t.example for t in bench.judge(a_cappella(data), job.part(0.6, 0.7))),
        techniques=tuple(t.example for t in bench.judge(techniques(data), job.part(0.7, 0.9))),
        intensities=tuple(t.example for t in bench.judge(intensities(data), job.part(0.9, 1.0))),
        edited=edited,
        bench=bench,
    )


def named(examples: Sequence[Example], clips: Sequence[Clip]) -> tuple[Example, ...]:
    """Write the songs and voices that were heard into the examples."""
    return tuple(
        replace(example, song=clip.song, singer=clip.singer)
        for example, clip in zip(examples, clips, strict=True)
    )


def strict_folds(examples: Sequence[Example]) -> list[Fold]:
    """Folds in which neither the song nor any voice of the test is in the training.

    Voices are dealt into three buckets, the voices with most clips first into the emptiest; each
    fold tests the clips of one song and one bucket, and trains on the other songs' other buckets.
    """
    sizes: dict[str, int] = {}
    for example in examples:
        sizes[example.singer] = sizes.get(example.singer, 0) + 1
    loads = [0] * N_BUCKETS
    bucket: dict[str, int] = {}
    for singer in sorted(sizes, key=lambda s: (-sizes[s], s)):
        bucket[singer] = loads.index(min(loads))
        loads[bucket[singer]] += sizes[singer]
    return [
        (
            [p for p, e in enumerate(examples) if e.song != song and bucket[e.singer] != own],
            [p for p, e in enumerate(examples) if e.song == song and bucket[e.singer] == own],
        )
        for song in sorted({e.song for e in examples})
        for own in range(N_BUCKETS)
    ]


def loose_folds(examples: Sequence[Example]) -> list[Fold]:
    """Five folds of clips dealt at random (seeded): songs and voices stand on both sides."""
    order = np.random.default_rng(0).permutation(len(examples)).tolist()
    return [([p for p in order if p not in set(order[k::5])], list(order[k::5])) for k in range(5)]
