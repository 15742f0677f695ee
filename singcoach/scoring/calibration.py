"""Calibrates the intervals on ratings: ``python -m singcoach.scoring.calibration --data DIR``.

Analyses the rated recordings of the development data anew, finds by how much the intervals of the
heads have to be stretched to hold the mean rating of the judges (split conformal prediction on
residuals in units of the take's own standard error), and rewrites the table ``[uncertainty]`` of
``models/heads-rules.toml`` (or ``--out``), nothing else. Prints the tables of docs/uncertainty.md.
The recordings never ship; their ratings set nothing but these factors.
"""

from __future__ import annotations

import argparse
import logging
import math
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from singcoach import resources
from singcoach.audio.reading import read_audio
from singcoach.core.arrays import ANALYSIS_RATE, FloatArray
from singcoach.core.take import Take
from singcoach.errors import InputError, SingCoachError
from singcoach.files import write_whole
from singcoach.models.catalogue import Catalogue
from singcoach.models.sessions import open_session
from singcoach.regions.detector import SingingDetector
from singcoach.scoring.conformal import Case, shipped_factors
from singcoach.scoring.coverage import to_text
from singcoach.scoring.heads import to_score
from singcoach.scoring.norms import MARKER as NORMS_MARKER
from singcoach.scoring.norms import make_take, read_voice
from singcoach.scoring.ranking import Rated, read_rated_a_cappella, read_rated_karaoke
from singcoach.scoring.score import Spread, measure_take
from singcoach.scoring.specs import CONDITIONS, SCORED, Heads, Scored, read_heads
from singcoach.scoring.uncertainty import points
from singcoach.screening.rules import screen

PROGRAM = "python -m singcoach.scoring.calibration"
MARKER = f'# Made by `{PROGRAM}`; do not edit up to the next "Made by".\n'
_LOG = logging.getLogger(__name__)


_RATED: Mapping[str, Mapping[Scored, tuple[str, ...]]] = {
    "nycu_first": dict.fromkeys(SCORED, ("overall",)),
    "pesnq_edelweiss": {
        "overall": ("overall",),
        "technique": ("pitch", "vibrato"),
        "timbre": ("vqual",),
        "breath": ("overall",),
        "emotion": ("volume", "pitchDynamicRange"),
    },
}
"""Which ratings each score is held against. nycu_first has no rating but the overall one. Nobody
rated breath or emotion: other ratings stand in for them."""


def measure_cases(data: Path, heads: Heads) -> list[Case]:
    """Analyse the rated recordings, whole and in other conditions, and score them.

    Raises
    ------
    InputError
        When a rated set is missing.
    """
    for name in _RATED:
        if not (data / name / "ratings.csv").is_file():
            raise InputError(
                f"{name} is missing in {data}", hint="Give the folder that holds the rated sets"
            )
    catalogue = Catalogue.default()
    session = open_session(catalogue.require("pitch"))
    cases: list[Case] = []
    with SingingDetector(catalogue.require("singing_detector")) as detector:

        def analysed(voice: FloatArray, backing: FloatArray | None) -> Take:
            return make_take(voice, backing=backing, session=session, detector=detector)

        for corpus, rated in (
            ("nycu_first", read_rated_karaoke(data)),
            ("pesnq_edelweiss", read_rated_a_cappella(data)),
        ):
            found: dict[str, list[tuple[Rated, Spread]]] = {}
            for one in rated:
                _LOG.info("%s", one.recording.name)
                for condition, take in _conditions(corpus, one, analysed):
                    found.setdefault(condition, []).append((one, measure_take(take, heads)))
            for condition, spreads in found.items():
                cases += _cases(corpus, condition, spreads)
    return cases


CALIBRATES = ("", "no backing")
"""Conditions that factors come from; the others show what these are worth there."""

_PIECES: Mapping[str, tuple[str, int, bool]] = {
    "nycu_first": ("first 10 s", 10, False),
    "pesnq_edelweiss": ("pieces of 30 s", 30, True),
}
"""Condition, length of the pieces in seconds, and whether every piece counts or the first only."""


def _conditions(
    corpus: str, one: Rated, analysed: Callable[[FloatArray, FloatArray | None], Take]
) -> Iterator[tuple[str, Take]]:
    voice, path = read_voice(one.recording), one.recording.backing
    backing = None
    if path is not None:
        backing = read_audio(path, sample_rate=ANALYSIS_RATE, channels=1)[0]
    take = analysed(voice, backing)
    yield "", take
    if backing is not None:
        yield "no backing", _without_backing(take)
    condition, seconds, every = _PIECES[corpus]
    size = seconds * ANALYSIS_RATE
    for start in range(0, len(voice) - size + 1 if every else 1, size):
        music = None if backing is None else backing[start : start + size]
        yield condition, analysed(voice[start : start + size], music)


def _without_backing(take: Take) -> Take:
    screening = screen(
        take.vocal_raw,
        sample_rate=take.sample_rate,
        pitch=take.pitch,
        notes=take.notes,
        regions=take.regions,
    )
    return replace(take, kind="solo", backing=None, screening=screening)


def _cases(corpus: str, condition: str, spreads: Sequence[tuple[Rated, Spread]]) -> Iterator[Case]:
    for scored, ratings in _RATED[corpus].items():
        kept = [(one, s) for one, s in spreads if math.isfinite(s.positions[scored])]
        yield Case(
            corpus=corpus,
            condition=condition,
            scored=scored,
            ratings=ratings,
            calibrates=condition in CALIBRATES,
            scores=np.array([to_score(s.positions[scored]) for _, s in kept]),
            errors=np.array([points(s.errors[scored]) for _, s in kept]),
            human=np.array([np.mean([one.ratings[name] for name in ratings]) for one, _ in kept]),
        )


def rewrite(text: str, cases: Sequence[Case]) -> str:
    """Return the heads' file with new factors; base and conditions stay as they stand there.

    Raises
    ------
    ValueError
        When the file lacks the lines that this command and that of the norms write between.
    """
    if text.count(MARKER) != 1 or text.count(NORMS_MARKER) != 1:
        raise ValueError("the heads' file lacks the marks of what is made by a command")
    before, rest = text.split(MARKER)
    own, norms = rest.split(NORMS_MARKER)
    table = tomllib.loads(own)["uncertainty"]
    of = ", ".join(f"{c.corpus} ({len(c.scores)})" for c in _wholes(cases))
    listed = ", ".join(f"{name} = {table['conditions'][name]!r}" for name in CONDITIONS)
    lines = [
        "\n[uncertainty]",
        f'calibrated_on = "mean human ratings of {of}; of the two the wider"',
        f"base = {table['base']!r}",
        f"conditions = {{ {listed} }}",
        "\n[uncertainty.factors]",
        "# Half widths of the 50, 80 and 95 % interval in standard errors of the take.",
    ]
    for name, factors in shipped_factors(cases).items():
        lines.append(f"{name} = [{', '.join(repr(x) for x in factors)}]")
    return before + MARKER + "\n".join(lines) + "\n\n" + NORMS_MARKER + norms


def _wholes(cases: Sequence[Case]) -> list[Case]:
    return [case for case in cases if case.scored == "overall" and not case.condition]


def main(argv: Sequence[str] | None = None) -> int:
    """Read the arguments, calibrate, write and print; returns the exit code."""
    parser = argparse.ArgumentParser(prog=PROGRAM, description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the recordings")
    parser.add_argument("--heads", type=Path, default=resources.models_dir() / "heads-rules.toml")
    parser.add_argument("--out", type=Path, help="file to write; the heads' file itself by default")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        text = arguments.heads.read_text(encoding="utf-8")
        cases = measure_cases(arguments.data, read_heads(tomllib.loads(text)))
        changed = rewrite(text, cases)
        write_whole(arguments.out or arguments.heads, changed)
    except SingCoachError as error:
        print(f"{error.message}. {error.hint}".strip(), file=sys.stderr)  # noqa: T201 - a program
        return error.exit_code
    print(to_text(cases, read_heads(tomllib.loads(changed))), end="")  # noqa: T201 - its result
    return 0


if __name__ == "__main__":
    sys.exit(main())
