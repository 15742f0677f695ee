"""When what a trick scores is right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

GAIN = 0.1
"""Points by which a score may rise before it counts as a gain: what a repeated analysis of the same
singing differs by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the chain said of one recording.

    ``scores``, ``lows`` and ``highs`` are by dimension and ``"overall"``, None where null.
    """

    kind: str
    verdict: str
    reasons: tuple[str, ...]
    scores: Mapping[str, float | None]
    lows: Mapping[str, float | None]
    highs: Mapping[str, float | None]


def is_right(rule: str, found: Outcome, whole: Outcome | None) -> tuple[bool, str]:
    """Say whether an outcome follows a rule, and what is wrong where it does not.

    Rules: ``null``: no score at all, with a reason. ``same``: every score of the trick lies in the
    untouched take's interval. ``part``: the overall score is null or not above that interval, and
    its own interval is not narrower when it is shorter. ``no gain``: overall null or not higher.
    ``other sound``: what is the same singing through an effect is scored where the untouched take
    is, and no score is higher. ``below``: overall null or lower. ``two notes``: technique and
    emotion null.

    Parameters
    ----------
    whole
        Of the untouched take; None for sounds that were made from none.

    Raises
    ------
    ValueError
        When the rule is unknown or needs the untouched take.
    """
    if rule == "null":
        scored = [name for name, score in found.scores.items() if score is not None]
        if scored:
            return False, f"{', '.join(scored)} got a score"
        return bool(found.reasons), "" if found.reasons else "no reason is given"
    if rule == "two notes":
        wrong = [n for n in ("technique", "emotion") if found.scores[n] is not None]
        return not wrong, f"{', '.join(wrong)} got a score" if wrong else ""
    if whole is None:
        raise ValueError(f"the rule {rule!r} compares with the untouched take")
    if rule == "same":
        return _same(found, whole)
    if rule == "other sound":
        return _other_sound(found, whole)
    score, before = found.scores["overall"], whole.scores["overall"]
    if score is None:
        return True, ""
    if before is None:
        return False, "it got a score and the singing did not"
    if rule == "part":
        high = whole.highs["overall"]
        if high is not None and score > high:
            return False, "it scores above the whole's interval"
        if _width(found) < _width(whole) - GAIN:
            return False, "its interval is narrower"
        return True, ""
    if rule == "no gain":
        return score <= before + GAIN, "" if score <= before + GAIN else "it gained"
    if rule == "below":
        return score < before, "" if score < before else "it is not below the singing"
    raise ValueError(f"there is no rule {rule!r}")


def _same(found: Outcome, whole: Outcome) -> tuple[bool, str]:
    for name, before in whole.scores.items():
        score = found.scores[name]
        if (score is None) != (before is None):
            return False, f"{name} is null in one of the two"
        low, high = whole.lows[name], whole.highs[name]
        if score is None or low is None or high is None:
            continue
        if not low <= score <= high:
            return False, f"{name} left its interval"
    return True, ""


def _other_sound(found: Outcome, whole: Outcome) -> tuple[bool, str]:
    gained = []
    for name, before in whole.scores.items():
        score = found.scores[name]
        if before is not None and score is None:
            return False, f"{name} is refused"
        if score is not None and (before is None or score > before + GAIN):
            gained.append(name)
    return not gained, f"{', '.join(gained)} gained" if gained else ""


def _width(outcome: Outcome) -> float:
    low, high = outcome.lows["overall"], outcome.highs["overall"]
    return 0.0 if low is None or high is None else high - low
