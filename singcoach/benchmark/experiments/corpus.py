"""The corpus of controlled edits, as takes that heads are trained and tested on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from singcoach.benchmark.experiments.items import Item
from singcoach.benchmark.experiments.takes import Workbench
from singcoach.jobs import NO_JOB, Job
from singcoach.training.examples import Example, load_examples
from singcoach.training.listening import Labelled, recordings_of_corpus

MOST = 200
"""Takes of a corpus that are heard at most: training on more takes longer than this run may."""

CONTROLLED = "controlled edits"


@dataclass(frozen=True, slots=True, kw_only=True)
class Controlled:
    """Takes of a corpus; ``taught`` and ``held_out`` share no singer.

    ``n_corpus`` is how many takes the whole corpus has.
    """

    taught: tuple[Example, ...] = ()
    held_out: tuple[Example, ...] = ()
    n_corpus: int = 0

    @property
    def everything(self) -> tuple[Example, ...]:
        """All takes, the held-out ones last."""
        return (*self.taught, *self.held_out)


def read_controlled(
    corpus: Path | None,
    bench: Workbench,
    *,
    examples: Path | None = None,
    most: int = MOST,
    job: Job = NO_JOB,
) -> Controlled:
    """Return takes of a corpus, whole groups, at most about ``most``; nothing without a corpus.

    Parameters
    ----------
    examples
        What :func:`singcoach.training.examples.save_examples` kept of the same corpus: those takes
        are taken from it instead of being heard.

    Raises
    ------
    InputError
        The folder is no corpus, or the examples cannot be read.
    """
    if corpus is None:
        return Controlled()
    recordings, splits = recordings_of_corpus(corpus)
    chosen = choose(recordings, splits, most=most)
    if examples is not None:
        known = {example.item: example for example in load_examples(examples)}
        found = [known[one.item] for one in recordings if one.item in known]
    else:
        found = [take.example for take in bench.judge([_item(one) for one in chosen], job)]
    out = {f"{CONTROLLED} {item}" for item, split in splits.items() if split == "held-out"}
    out |= {item for item, split in splits.items() if split == "held-out"}
    return Controlled(
        taught=tuple(e for e in found if e.item not in out),
        held_out=tuple(e for e in found if e.item in out),
        n_corpus=len(recordings),
    )


def choose(
    recordings: Sequence[Labelled], splits: Mapping[str, str], *, most: int
) -> list[Labelled]:
    """Take whole groups in turn from each singer, held-out singers first, up to about ``most``."""
    groups: dict[str, dict[str, list[Labelled]]] = {}
    for one in recordings:
        groups.setdefault(one.singer, {}).setdefault(one.group, []).append(one)
    singers = sorted(
        groups, key=lambda s: splits[next(iter(groups[s].values()))[0].item] != "held-out"
    )
    chosen: list[Labelled] = []
    for turn in range(max((len(own) for own in groups.values()), default=0)):
        for singer in singers:
            own = list(groups[singer].values())
            if turn < len(own) and len(chosen) < most:
                chosen += own[turn]
    return chosen


def _item(one: Labelled) -> Item:
    return Item(
        name=one.item,
        corpus=CONTROLLED,
        parts=(one.file,),
        singer=one.singer,
        song=one.song,
        group=one.group,
        change=one.edit,
        severity=one.severity,
        labels=one.labels,
        short=True,
    )
