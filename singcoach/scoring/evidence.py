"""The seconds that moved a score most, found by leaving them out (occlusion)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from singcoach.core.arrays import BoolArray, RealArray
from singcoach.core.scores import Dimension, Evidence
from singcoach.jobs import NO_JOB, Job
from singcoach.scoring.heads import standardise
from singcoach.scoring.judges import Judge
from singcoach.scoring.measures import UNITS
from singcoach.scoring.reading import Reading
from singcoach.scoring.specs import QUANTILE_LEVELS, Head, Heads
from singcoach.scoring.wording import PHRASINGS, SHOWN_UNITS, sentence

MOST = 6
_EACH_WAY = 3
_EACH_MEASURE = 2
_CANDIDATES = 40
_SHORTEST_S = 0.2
_LEAST_EFFECT = 0.01


Spared = Callable[[RealArray, RealArray], BoolArray]
"""Maps starts and ends of spans in seconds to whether the take can be judged without each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    measure: str
    start_s: float
    end_s: float
    shown: float
    pull: float


def find_evidence(
    dimension: Dimension,
    *,
    readings: Mapping[str, Reading],
    moments_s: RealArray,
    heads: Heads,
    judge: Judge,
    spared: Spared | None = None,
    job: Job = NO_JOB,
) -> tuple[Evidence, ...]:
    """Return up to six moments, the strongest first.

    An item (note or phrase) is named by the measure that its absence changes most. Its effect is
    the change of the whole dimension when *all* that was measured in its seconds is left out, as a
    share of what the single moments of the take move in total. Values that no voice has, or that
    speak against the effect, are not told.

    Parameters
    ----------
    readings
        Measures of the take.
    moments_s
        Starts of the moments from :func:`singcoach.scoring.moments.moment_starts`.
    judge
        What judges the dimension, with spans of the take left out.
    spared
        Whether enough is left to judge without each of the spans. What lowered the score is told of
        these if there are such, so that it can be tried: the rest scores higher.
    """
    head = heads.heads[dimension]
    used = {name: readings[name] for name in head.weights if name in readings}
    candidates = _candidates(used, head, heads)
    if not candidates or not len(moments_s):
        return ()
    full = judge.whole()
    if not np.isfinite(full):
        return ()
    ends = np.append(moments_s[1:], np.inf)
    moved = full - judge.without(moments_s, ends, job.part(0.0, 0.5))
    moved = np.abs(moved[np.isfinite(moved)]).sum()
    starts = np.array([c.start_s for c in candidates])
    stops = np.array([c.end_s for c in candidates])
    effects = full - judge.without(starts, stops, job.part(0.5, 1.0))
    total = max(float(moved), float(np.nanmax(np.abs(effects), initial=0.0)))
    if not total > 1e-9:
        return ()
    told = np.array([_is_told(c, head, heads) for c in candidates])
    shares = np.where(told, effects / total, np.nan)
    if spared is not None:
        enough = spared(starts, stops)
        if (enough & (shares <= -_LEAST_EFFECT)).any():
            shares = np.where(enough | (shares > 0.0), shares, np.nan)
    chosen = _choose(candidates, shares)
    return tuple(
        _evidence(f"{dimension}-{number}", candidate, effect, head, heads)
        for number, (candidate, effect) in enumerate(chosen, start=1)
    )


def _candidates(used: Mapping[str, Reading], head: Head, heads: Heads) -> list[_Candidate]:
    """Items in the order of what their own measure alone would move."""
    found: list[_Candidate] = []
    weight = sum(abs(head.weights[name]) for name, r in used.items() if len(r.stats))
    for name, reading in used.items():
        if name not in PHRASINGS or len(reading.stats) < 2:
            continue
        without = reading.finish(reading.stats.sum(axis=0) - reading.stats)
        norm, bounds = heads.norms[name], head.bounds.get(name)
        full = standardise(np.array([reading.value()]), norm, bounds)
        pull = full - standardise(without, norm, bounds)
        pull = pull * head.weights[name] / weight
        for i in np.flatnonzero(np.isfinite(pull) & (pull != 0.0)):
            if reading.ends_s[i] - reading.starts_s[i] >= _SHORTEST_S:
                found.append(
                    _Candidate(
                        measure=name,
                        start_s=float(reading.starts_s[i]),
                        end_s=float(reading.ends_s[i]),
                        shown=float(reading.shown[i]),
                        pull=float(pull[i]),
                    )
                )
    found.sort(key=lambda c: (-abs(c.pull) * (1 + _explains(c, head, heads)), c.start_s, c.measure))
    gains = [c for c in found if c.pull > 0.0][:_CANDIDATES]
    losses = [c for c in found if c.pull < 0.0][:_CANDIDATES]
    return gains + losses


def _choose(candidates: list[_Candidate], effects: RealArray) -> list[tuple[_Candidate, float]]:
    """Strongest candidates whose seconds really moved the score the way their measure says."""
    chosen: list[tuple[_Candidate, float]] = []
    for sign in (-1.0, 1.0):
        side: list[tuple[_Candidate, float]] = []
        order = sorted(
            (i for i, c in enumerate(candidates) if c.pull * sign > 0.0),
            key=lambda i: (-abs(float(np.nan_to_num(effects[i]))), candidates[i].start_s),
        )
        for i in order:
            candidate, effect = candidates[i], float(effects[i])
            if not effect * sign >= _LEAST_EFFECT or len(side) == _EACH_WAY:
                continue
            same = [c for c, _ in side if c.measure == candidate.measure]
            if len(same) >= _EACH_MEASURE or any(_overlap(candidate, c) for c, _ in side):
                continue
            side.append((candidate, effect))
        chosen += side
    chosen.sort(key=lambda pair: (-abs(pair[1]), pair[0].start_s))
    return chosen[:MOST]


def _overlap(a: _Candidate, b: _Candidate) -> bool:
    """Whether the two share more than half of the shorter one."""
    shared = min(a.end_s, b.end_s) - max(a.start_s, b.start_s)
    return shared > 0.5 * min(a.end_s - a.start_s, b.end_s - b.start_s)


def _evidence(
    name: str, candidate: _Candidate, effect: float, head: Head, heads: Heads
) -> Evidence:
    measure = candidate.measure
    rising, helped = _rising(measure, head), effect > 0.0
    unit = SHOWN_UNITS.get(measure, UNITS[measure])
    return Evidence(
        id=name,
        start_s=candidate.start_s,
        end_s=candidate.end_s,
        measure=measure,
        value=candidate.shown,
        unit=unit,
        effect=float(np.clip(effect, -1.0, 1.0)),
        text=sentence(
            measure,
            start_s=candidate.start_s,
            value=candidate.shown,
            unit=unit,
            helped=helped,
            rising=rising,
            plain=_side(measure, candidate.shown, heads) == (1 if helped == rising else -1),
        ),
    )


_ITEM_LIMITS = {
    "scale_deviation": (15.0, 25.0),
    "note_drift": (15.0, 30.0),
    "tuning_concentration": (12.0, 20.0),
    "level_wobble": (0.4, 0.8),
    "clarity_shortfall": (0.2, 1.0),
    "roughness": (0.2, 1.0),
    "dullness": (0.1, 0.3),
    "dynamics_in_phrases": (4.0, 7.0),
    "dynamics_with_melody": (0.2, 0.5),
    "phrase_contrast": (1.0, 2.0),
    "pitch_range": (2.0, 4.0),
    "phrase_breaks": (0.05, 0.15),
    "beat_deviation": (40.0, 80.0),
    "vibrato_share": (0.5, 0.5),
}
"""What counts as little and as much for single items, whose scale is not that of a whole take."""

_BY_SIZE = frozenset({"beat_deviation", "note_drift", "phrase_contrast", "pitch_range"})
"""Measures of which the size counts, whatever the sign."""

_OF_THE_WHOLE = frozenset(
    {
        "tuning_concentration",
        "dynamics_range",
        "dynamics_with_melody",
        "phrase_contrast",
        "pitch_range",
    }
)
"""Spreads and ranges over items: an item may move them by more than what is shown of it. Told only
where the value does not speak against the effect; a high note that cost the range explains
nothing."""

_ONLY_AS_GAINS = frozenset({"dynamics_range", "pitch_range"})
"""Distances between quantiles of the whole take: a note near the middle lowers them a little, which
is nothing that a singer could mend, and next to nothing is left of it when the rest is measured
anew."""

_PLAUSIBLE = {
    "singing_power_ratio": (-55.0, 10.0),
    "harmonicity": (5.0, 60.0),
    "cpp_low": (4.0, 40.0),
    "dynamics_range": (0.0, 40.0),
    "pitch_range": (-20.0, 20.0),
}
"""What a voice can do. Outside of it lie recordings without treble, noise and pitch taken an octave
wrong: no evidence about singing."""

_LITTLE, _MUCH = QUANTILE_LEVELS.index(40.0), QUANTILE_LEVELS.index(60.0)


def _rising(measure: str, head: Head) -> bool:
    """Whether a larger value of a single item raises the score."""
    # Concentration is shown as a distance in cents: there less is better.
    return head.weights[measure] > 0.0 and measure != "tuning_concentration"


def _is_told(candidate: _Candidate, head: Head, heads: Heads) -> bool:
    """Whether a singer can take the shown value for the reason of the effect."""
    if candidate.measure in _ONLY_AS_GAINS and candidate.pull < 0.0:
        return False
    lowest, highest = _PLAUSIBLE.get(candidate.measure, (-np.inf, np.inf))
    if not lowest <= candidate.shown <= highest:
        return False
    if candidate.measure not in _OF_THE_WHOLE:
        return True
    suggested = 1 if (candidate.pull > 0.0) == _rising(candidate.measure, head) else -1
    return _side(candidate.measure, candidate.shown, heads) != -suggested


def _explains(candidate: _Candidate, head: Head, heads: Heads) -> bool:
    """Whether the shown value lies on the side that its pull suggests.

    Of two measures of the same seconds the one that explains is named, up to half the pull.
    """
    rising = _rising(candidate.measure, head)
    suggested = 1 if (candidate.pull > 0.0) == rising else -1
    return _side(candidate.measure, candidate.shown, heads) == suggested


def _side(measure: str, shown: float, heads: Heads) -> int:
    """-1 where an item's value is clearly little, 1 where it is clearly much, 0 in between."""
    quantiles = heads.norms[measure].quantiles
    little, much = _ITEM_LIMITS.get(measure, (quantiles[_LITTLE], quantiles[_MUCH]))
    size = abs(shown) if measure in _BY_SIZE else shown
    if size >= much:
        return 1
    return -1 if size <= little else 0
