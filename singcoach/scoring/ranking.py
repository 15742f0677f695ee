"""How well the scores rank, and cover: ``python -m singcoach.scoring.ranking --data DIR``.

Scores the rated and the paired recordings of the development data anew, and prints every figure
of the card of the heads, each with the middle 80 % of a seeded bootstrap. The same folder and the
same heads give the same figures. The recordings never ship.
"""

from __future__ import annotations

import argparse
import csv
import logging
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from singcoach.audio.reading import read_audio
from singcoach.core.arrays import ANALYSIS_RATE, RealArray
from singcoach.core.scores import DIMENSIONS, Dimension, DimensionScore, Scores
from singcoach.core.take import Take
from singcoach.errors import InputError, SingCoachError
from singcoach.files import write_whole
from singcoach.models.catalogue import Catalogue
from singcoach.models.sessions import Session, open_session
from singcoach.regions.detector import SingingDetector
from singcoach.scoring.agreement import (
    correlation,
    estimate,
    share_inside,
    single_judges,
    tier_pair_accuracy,
)
from singcoach.scoring.norms import Recording, find_recordings, make_take, read_voice
from singcoach.scoring.ranking_tables import (
    Agreement,
    Change,
    Head,
    Judges,
    Ranking,
    to_json,
    to_text,
)
from singcoach.scoring.score import score_take

PROGRAM = "python -m singcoach.scoring.ranking"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """A recording and its mean human ratings on 1..5, and each judge's overall rating as given."""

    recording: Recording
    ratings: Mapping[str, float]
    judges: tuple[float, ...]


class Scorer:
    """Scores recordings as the norms were made: the voice as it is, no dereverb, no encoder."""

    def __init__(self, *, session: Session, detector: SingingDetector) -> None:
        self._session = session
        self._detector = detector

    def take(self, recording: Recording, *, with_backing: bool = True) -> Take:
        """Analyse one recording."""
        _LOG.info("%s%s", recording.name, "" if with_backing else " without its backing")
        backing = None
        if with_backing and recording.backing is not None:
            backing = read_audio(recording.backing, sample_rate=ANALYSIS_RATE, channels=1)[0]
        return make_take(
            read_voice(recording), backing=backing, session=self._session, detector=self._detector
        )


def read_rated_karaoke(data: Path) -> list[Rated]:
    """Read the clips of nycu_first; the grades 1..4 of the mean are stretched to 1..5."""
    judges: dict[int, list[float]] = {}
    for row in _rows(data / "nycu_first" / "ratings.csv"):
        judges.setdefault(int(row["track"]), []).append(float(row["score_1to4"]))
    recordings = _recordings(data)
    return [
        Rated(
            recording=_find(recordings, f"karaoke {track:02d}"),
            ratings={"overall": 1.0 + 4.0 * (float(np.mean(grades)) - 1.0) / 3.0},
            judges=tuple(grades),
        )
        for track, grades in sorted(judges.items())
    ]


def read_rated_a_cappella(data: Path) -> list[Rated]:
    """Read the rated singers of pesnq_edelweiss; the professional reference has no rating."""
    recordings = _recordings(data)
    return [
        Rated(
            recording=_find(recordings, f"a cappella {row['singer']}"),
            ratings={
                name.removeprefix("mean5_"): float(value)
                for name, value in row.items()
                if name.startswith("mean5_")
            },
            judges=tuple(
                float(value) for name, value in row.items() if name.startswith("pesnq_overall_")
            ),
        )
        for row in _rows(data / "pesnq_edelweiss" / "ratings.csv")
        if row["mean5_overall"]
    ]


def _recordings(data: Path) -> dict[str, Recording]:
    return {recording.name: recording for recording in find_recordings(data)}


def _find(recordings: Mapping[str, Recording], name: str) -> Recording:
    if name not in recordings:
        raise InputError(f"The recording of {name} is missing", hint="Its labels are there")
    return recordings[name]


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def agreement(
    material: str,
    rated: Sequence[Rated],
    scores: Sequence[Scores],
    *,
    head: Head,
    rating: tuple[str, ...],
) -> Agreement:
    """Compare one head with the mean of some ratings."""
    parts = [_part(s, head) for s in scores]
    value, low, high = (
        np.array([getattr(part, key) for part in parts], dtype=np.float64)
        for key in ("score", "low", "high")
    )
    human = np.array([np.mean([r.ratings[name] for name in rating]) for r in rated]).round(9)
    return Agreement(
        material=material,
        rating=rating,
        head=head,
        n=len(parts),
        n_scored=int(np.isfinite(value).sum()),
        accuracy=estimate(tier_pair_accuracy, value, human),
        correlation=estimate(correlation, value, human),
        inside=estimate(share_inside, low, high, human),
    )


def judge_agreement(material: str, rated: Sequence[Rated]) -> Judges:
    """How well single judges do what the score is asked to do."""
    grades = np.array([r.judges for r in rated])
    single = single_judges(grades)
    return Judges(
        material=material,
        n=len(rated),
        n_judges=grades.shape[1],
        accuracy=estimate(lambda g: float(np.mean(single_judges(g))), grades),
        worst=float(single.min()),
        best=float(single.max()),
    )


def _part(scores: Scores, head: Head) -> DimensionScore:
    return scores.overall if head == "overall" else scores.dimensions[head]


def rank_karaoke(data: Path, scorer: Scorer) -> Iterator[Agreement | Judges]:
    """nycu_first, with and without the backing track."""
    rated = read_rated_karaoke(data)
    rating = ("overall",)
    scores = [score_take(scorer.take(r.recording)) for r in rated]
    heads: tuple[Head, ...] = ("overall", "technique", "timbre", "breath", "emotion")
    for head in heads:
        yield agreement("nycu_first", rated, scores, head=head, rating=rating)
    scores = [score_take(scorer.take(r.recording, with_backing=False)) for r in rated]
    for head in heads[:2]:
        yield agreement("nycu_first, no backing", rated, scores, head=head, rating=rating)
    yield judge_agreement("nycu_first", rated)


def rank_a_cappella(data: Path, scorer: Scorer) -> Iterator[Agreement | Judges]:
    """pesnq_edelweiss: each head against the ratings that are nearest to it."""
    rated = read_rated_a_cappella(data)
    scores = [score_take(scorer.take(r.recording)) for r in rated]
    pairs: tuple[tuple[Head, tuple[str, ...]], ...] = (
        ("overall", ("overall",)),
        ("technique", ("pitch",)),
        ("technique", ("vibrato",)),
        ("technique", ("pitch", "vibrato")),
        ("timbre", ("vqual",)),
        ("emotion", ("volume",)),
        ("emotion", ("pitchDynamicRange",)),
        ("emotion", ("volume", "pitchDynamicRange")),
    )
    for head, rating in pairs:
        yield agreement("pesnq_edelweiss", rated, scores, head=head, rating=rating)
    yield judge_agreement("pesnq_edelweiss", rated)


def compare_techniques(data: Path, scorer: Scorer) -> Iterator[Change]:
    """gtsinger: a phrase in one technique against the same phrase plainly sung."""
    recordings = _recordings(data)
    groups: dict[str, dict[str, Recording]] = {}
    for row in _rows(data / "gtsinger" / "manifest.csv"):
        name = f"professional {Path(row['file']).stem}"
        groups.setdefault(row["group"], {})[row["technique"]] = _find(recordings, name)
    pairs: dict[str, list[tuple[Recording, Recording]]] = {}
    for group in groups.values():
        for technique, recording in group.items():
            if technique != "Control" and "Control" in group:
                pairs.setdefault(technique, []).append((group["Control"], recording))
    for technique in sorted(pairs):
        yield from _changes("gtsinger", technique, pairs[technique], DIMENSIONS, scorer)


def compare_intensities(data: Path, scorer: Scorer) -> Iterator[Change]:
    """ravdess_song: one sentence and emotion, strong against normal intensity."""
    takes: dict[tuple[str, ...], dict[str, Recording]] = {}
    for row in _rows(data / "ravdess_song" / "manifest.csv"):
        path = data / "ravdess_song" / row["file"]
        key = tuple(row[name] for name in ("actor", "emotion", "statement", "repetition"))
        takes.setdefault(key, {})[row["intensity"]] = Recording(
            name=f"acted {path.stem}", voice=(path,)
        )
    pairs = [(pair["normal"], pair["strong"]) for pair in takes.values() if len(pair) == 2]
    yield from _changes("ravdess_song", "strong intensity", pairs, ("emotion",), scorer)


def _changes(
    material: str,
    change: str,
    pairs: Sequence[tuple[Recording, Recording]],
    heads: Sequence[Dimension],
    scorer: Scorer,
) -> Iterator[Change]:
    n_refused = 0
    scores: list[Scores] = []
    for recording in (recording for pair in pairs for recording in pair):
        take = scorer.take(recording)
        n_refused += take.screening.verdict == "insufficient"
        # Phrases of a few seconds are refused in use. Here they are compared with each other only.
        scores.append(
            score_take(replace(take, screening=replace(take.screening, verdict="weak", reasons=())))
        )
    for head in heads:
        values = np.array([_part(s, head).score for s in scores], dtype=np.float64)
        difference = values[1::2] - values[::2]
        difference = difference[np.isfinite(difference)]
        yield Change(
            material=material,
            change=change,
            head=head,
            n=len(pairs),
            n_scored=len(difference),
            n_refused=n_refused,
            mean=estimate(_mean, difference),
            raised=estimate(lambda d: _mean(0.5 + 0.5 * np.sign(d)), difference),
        )


def _mean(values: RealArray) -> float:
    return float(np.mean(values)) if len(values) else math.nan


Study = Callable[[Path, Scorer], Iterator[Agreement | Judges | Change]]
STUDIES: Mapping[str, tuple[str, Study]] = {
    "nycu_first": ("ratings.csv", rank_karaoke),
    "pesnq_edelweiss": ("ratings.csv", rank_a_cappella),
    "gtsinger": ("manifest.csv", compare_techniques),
    "ravdess_song": ("manifest.csv", compare_intensities),
}
"""Set, the file of its labels, and what is found out with it."""


def measure_ranking(data: Path) -> Ranking:
    """Score every set in the folder and compare.

    Raises
    ------
    InputError
        When none of the sets is there, or a labelled recording is missing.
    """
    present = [name for name, (labels, _) in STUDIES.items() if (data / name / labels).is_file()]
    if not present:
        raise InputError(
            f"There are no rated or paired recordings in {data}",
            hint=f"Give the folder that holds {', '.join(STUDIES)}",
        )
    catalogue = Catalogue.default()
    session = open_session(catalogue.require("pitch"))
    with SingingDetector(catalogue.require("singing_detector")) as detector:
        scorer = Scorer(session=session, detector=detector)
        found = [row for name in present for row in STUDIES[name][1](data, scorer)]
    return Ranking(
        agreements=tuple(row for row in found if isinstance(row, Agreement)),
        judges=tuple(row for row in found if isinstance(row, Judges)),
        changes=tuple(row for row in found if isinstance(row, Change)),
        skipped=tuple(name for name in STUDIES if name not in present),
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Read the arguments, measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(prog=PROGRAM, description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the recordings")
    parser.add_argument("--json", type=Path, help="file for the same figures, unrounded")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        ranking = measure_ranking(arguments.data)
        if arguments.json is not None:
            write_whole(arguments.json, to_json(ranking))
    except SingCoachError as error:
        print(f"{error.message}. {error.hint}".strip(), file=sys.stderr)  # noqa: T201 - a program
        return error.exit_code
    print(to_text(ranking), end="")  # noqa: T201 - the result of this program
    return 0


if __name__ == "__main__":
    sys.exit(main())
