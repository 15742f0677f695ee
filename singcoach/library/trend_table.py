"""How often the rule of progress is wrong and how much it finds.

``python -m singcoach.library.trend_table`` draws curves of singers who do not change, and of
singers who do, and prints the table of ``docs/library.md``. The draws are seeded.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from typing import Final

import numpy as np

from singcoach.core.arrays import RealArray
from singcoach.library.trend import FEWEST_SITTINGS, find_change

HALF: Final = 1.15
"""Half width in points of the 80 % interval of the overall score in ``docs/uncertainty.md``."""
_DAY_S: Final = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Singer:
    """A made-up singer.

    ``spread`` is the standard deviation of the scores from day to day in points, ``resemblance``
    the correlation of neighbouring days, ``rise`` the true change over all days, ``half`` the half
    width of the intervals.
    """

    spread: float
    resemblance: float = 0.0
    rise: float = 0.0
    half: float = HALF


def draw(singer: Singer, n_days: int, chance: np.random.Generator) -> RealArray:
    """Return the scores of one day after the other, shape ``(n_days,)``."""
    noise = chance.standard_normal(n_days)
    for i in range(1, n_days):
        new = np.sqrt(1.0 - singer.resemblance**2) * noise[i]
        noise[i] = singer.resemblance * noise[i - 1] + new
    return 3.0 + singer.rise * np.linspace(0.0, 1.0, n_days) + singer.spread * noise


def called(singer: Singer, scores: RealArray) -> bool:
    """Whether the curve is called a change."""
    times_s = (np.arange(scores.size) * _DAY_S).tolist()
    low, high = (scores - singer.half).tolist(), (scores + singer.half).tolist()
    return find_change(times_s, scores.tolist(), low, high).trend in ("up", "down")


def shares(singer: Singer, n_days: int, *, n_curves: int, seed: int = 1) -> dict[str, float]:
    """Return the share of curves called a change at the end, and at any look on the way there."""
    chance = np.random.default_rng(seed)
    at_the_end = ever = 0
    for _ in range(n_curves):
        scores = draw(singer, n_days, chance)
        looks = [called(singer, scores[:n]) for n in range(FEWEST_SITTINGS, n_days + 1)]
        at_the_end += looks[-1]
        ever += any(looks)
    return {"at the end": at_the_end / n_curves, "at any look": ever / n_curves}


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--curves", type=int, default=300)
    parser.add_argument("--days", type=int, default=30)
    args = parser.parse_args()
    singers = [
        *(Singer(spread=spread, resemblance=r) for spread in (0.3, 0.6, 0.9) for r in (0.0, 0.4)),
        Singer(spread=0.9, half=0.3),
        *(Singer(spread=0.3, rise=rise) for rise in (0.5, 1.0, 1.5, 2.0)),
    ]
    sys.stdout.write(
        "| true rise | spread | neighbouring days alike | half interval | called a change |"
        " at any look on the way |\n| --- | --- | --- | --- | --- | --- |\n"
    )
    for singer in singers:
        found = shares(singer, args.days, n_curves=args.curves)
        sys.stdout.write(
            f"| {singer.rise:.1f} | {singer.spread:.1f} | {singer.resemblance:.1f} |"
            f" {singer.half:.2f} | {found['at the end']:.3f} | {found['at any look']:.3f} |\n"
        )
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
