"""How sure a score is: plausible other weightings, what was sung, and conformal calibration.

The standard error of a position joins, in quadrature, what the measures do not say of any take, the
spread over an ensemble of plausible heads on redrawn moments, and what the take's conditions add
(short, separated, noisy, weak, unusual). The interval is that standard error times a factor that
human ratings gave (split conformal prediction on normalised residuals, Vovk et al. 2005; Lei et al.
2018), written into the heads' file by :mod:`singcoach.scoring.calibration`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from singcoach.core.arrays import RealArray
from singcoach.core.scores import DIMENSIONS, Dimension
from singcoach.core.take import Take
from singcoach.scoring.heads import HIGHEST, LOWEST, SLOPE, signed_mean, to_score
from singcoach.scoring.moments import DRAWS
from singcoach.scoring.specs import NOMINAL, QUANTILE_LEVELS, Condition, Heads, Norm, Scored

Z_80 = 1.2816
"""Half width of the middle 80 % of a normal distribution, in standard deviations."""

SEED = 20_241_123
MOST_EXCESS = 4.0
"""Scale units outside of the norms' quantiles beyond which a take is not more unusual."""

CLIPPED_LIKE_A_POINT = 0.02
"""Share of clipped samples that counts as a point of recording quality lost: DNSMOS hardly hears
clipping, which adds overtones to the voice (set by hand)."""
MOST_NOISY = 2.0

FEW_MOMENTS = 2.0
"""Moments that the spread over draws of ``n`` of them is short by: draws of one or two moments,
which are alike by chance, would look certain."""

_QUARTILES = (25.0, 50.0, 75.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """An ensemble of heads, as arrays over its members, each of shape ``(n_members,)``.

    Attributes
    ----------
    medians, scales
        Norms of the measures by name.
    weights
        Signed weights of each dimension's measures; 0 where a member does not ask for one.
    spreads
        Scale of each dimension's weighted mean.
    """

    medians: Mapping[str, RealArray]
    scales: Mapping[str, RealArray]
    weights: Mapping[Dimension, Mapping[str, RealArray]]
    spreads: Mapping[Dimension, RealArray]


def draw_members(heads: Heads, *, count: int = DRAWS) -> Members:
    """Draw plausible heads around the file's own; the same ones on every call.

    Signs stay. Weights vary by a log-normal factor, some measures are left out, and every norm is
    taken anew from as many recordings as the file's norms rest on (quartiles of uniform samples
    follow a Dirichlet distribution and are looked up in the norm's table of quantiles).

    Cost: about 2 ms.
    """
    generator = np.random.default_rng(SEED)
    medians: dict[str, RealArray] = {}
    scales: dict[str, RealArray] = {}
    for name, norm in heads.norms.items():
        medians[name], scales[name] = _drawn_norm(norm, heads.ensemble.recordings, count, generator)
    weights: dict[Dimension, dict[str, RealArray]] = {}
    spreads: dict[Dimension, RealArray] = {}
    for dimension in DIMENSIONS:
        head = heads.heads[dimension]
        own = np.array(list(head.weights.values()))[:, None]
        factors = np.exp(
            heads.ensemble.weight_spread * generator.standard_normal((len(own), count))
        )
        asked = generator.random((len(own), count)) >= heads.ensemble.left_out
        asked |= ~asked.any(axis=0)  # who would ask for nothing asks for everything
        drawn = own * factors * asked
        weights[dimension] = dict(zip(head.weights, drawn, strict=True))
        # Fewer or less equal weights: the mean of the standardised measures spreads more.
        spreads[dimension] = head.spread * _unevenness(drawn) / _unevenness(own)
    return Members(medians=medians, scales=scales, weights=weights, spreads=spreads)


def _drawn_norm(
    norm: Norm, recordings: int, count: int, generator: np.random.Generator
) -> tuple[RealArray, RealArray]:
    between = generator.dirichlet(np.full(4, recordings / 4.0), size=count)
    places = 100.0 * np.cumsum(between, axis=1)[:, :3]
    quartiles = np.interp(places, QUANTILE_LEVELS, norm.quantiles)
    own = np.interp(_QUARTILES, QUANTILE_LEVELS, norm.quantiles)
    # As a change of the file's own numbers, whose table is coarse.
    width = max(float(own[2] - own[0]), 0.1 * norm.scale)
    widths = np.maximum(quartiles[:, 2] - quartiles[:, 0], 0.1 * norm.scale)
    scale = norm.scale * np.clip(widths / width, 0.5, 2.0)
    return norm.median + quartiles[:, 1] - own[1], np.asarray(scale)


def _unevenness(weights: RealArray) -> RealArray:
    """Root of the sum of squares over the sum, by column: scale of a mean of unlike measures."""
    return np.asarray(np.sqrt(np.square(weights).sum(axis=0)) / np.abs(weights).sum(axis=0))


def member_positions(
    values: Mapping[str, RealArray], members: Members, heads: Heads
) -> dict[Dimension, RealArray]:
    """Positions that each member gives to its own row of the values, each of shape ``(n,)``."""
    return {
        dimension: (
            signed_mean(
                values,
                members.weights[dimension],
                medians=members.medians,
                scales=members.scales,
                bounds=heads.heads[dimension].bounds,
            )
            - heads.heads[dimension].centre
        )
        / members.spreads[dimension]
        for dimension in DIMENSIONS
    }


def unusualness(values: Mapping[str, float], heads: Heads) -> dict[Dimension, float]:
    """How far outside of the norms' quantiles (2 to 98 %) a take lies, in scale units.

    For each dimension the weighted mean over its own measures and the plain mean over all measures
    together: whether more is still better out there, nobody's ratings have told.
    """
    excess = {name: _excess(values[name], norm) for name, norm in heads.norms.items()}
    known = [x for x in excess.values() if math.isfinite(x)]
    anywhere = float(np.mean(known)) if known else 0.0
    found: dict[Dimension, float] = {}
    for dimension in DIMENSIONS:
        own = [(abs(w), excess[n]) for n, w in heads.heads[dimension].weights.items()]
        own = [(w, x) for w, x in own if math.isfinite(x)]
        total = sum(w for w, _ in own)
        found[dimension] = anywhere + (sum(w * x for w, x in own) / total if total else 0.0)
    return found


def _excess(value: float, norm: Norm) -> float:
    if not math.isfinite(value):
        return math.nan
    outside = max(norm.quantiles[0] - value, value - norm.quantiles[-1], 0.0)
    return min(MOST_EXCESS, outside / norm.scale)


def conditions(take: Take) -> dict[Condition, float]:
    """How much of each condition a take has, but for ``unusual``, which its measures tell."""
    screening = take.screening
    quality = screening.recording_quality
    noise = max(0.0, 3.0 - quality) if quality is not None else 0.0
    return {
        "short": math.sqrt(10.0 / max(1.0, screening.voiced_s)),
        "separated": float(take.kind == "mixture"),
        "noisy": min(MOST_NOISY, noise + screening.clipped_share / CLIPPED_LIKE_A_POINT),
        "weak": float(screening.verdict == "weak"),
    }


def standard_error(
    drawn: RealArray, *, n_moments: int, found: Mapping[Condition, float], heads: Heads
) -> float:
    """Standard error of a position before calibration.

    Parameters
    ----------
    drawn
        Positions by the ensemble over redrawn moments, NaN where not measurable.
    n_moments
        Number of moments that were redrawn.
    found
        Size of each condition.
    """
    uncertainty = heads.uncertainty
    parts = [uncertainty.base, drawn_spread(drawn, n_moments=n_moments)]
    parts += [uncertainty.conditions[name] * size for name, size in found.items()]
    return math.hypot(*parts)


def drawn_spread(drawn: RealArray, *, n_moments: int) -> float:
    """Robust standard deviation of the draws, made larger where the moments are few."""
    finite = drawn[np.isfinite(drawn)]
    if len(finite) < 2:
        return 0.0
    # Quantiles, not the standard deviation: a few draws of one odd phrase weigh less.
    low, high = np.percentile(finite, [10.0, 90.0])
    spread = float(high - low) / 2.0 / Z_80
    return spread * math.sqrt(1.0 + FEW_MOMENTS / max(1, n_moments))


def interval(
    position: float, error: float, scored: Scored, heads: Heads, *, nominal: float = 0.8
) -> tuple[float, float]:
    """Interval on 1..5 that holds the mean human rating with a nominal share of 0.5, 0.8 or 0.95.

    As wide in points at the ends of the scale as in its middle: what judges give does not crowd
    there as the map of positions does (factors of two sets of ratings agree better so).

    Raises
    ------
    ValueError
        When there is no factor for the share.
    """
    half = points(error) * heads.uncertainty.factors[scored][NOMINAL.index(nominal)]
    score = to_score(position)
    return max(LOWEST, score - half), min(HIGHEST, score + half)


def points(error: float) -> float:
    """A standard error of a position in points of the score, as in the middle of the scale."""
    return SLOPE * error
