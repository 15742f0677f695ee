"""The report as tables for a person."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from singcoach.benchmark.htpr.bootstrap import Figure
from singcoach.benchmark.htpr.compare import Comparison
from singcoach.benchmark.htpr.ratings import OVERALL
from singcoach.benchmark.htpr.report import Crops, HtprReport
from singcoach.benchmark.htpr.signatures import EDGES, Spread
from singcoach.benchmark.report import text_table

_MOST_NAMED = 5

_ORDERS = {
    "tier_pair_accuracy": "tier-pair accuracy",
    "spearman": "Spearman",
    "kendall": "Kendall tau-b",
    "three_tier_accuracy": "3-tier accuracy",
    "pearson": "Pearson",
    "mae": "MAE (on 1 to 5)",
}
_AGREEMENT = {
    "exact_agreement": "exact agreement",
    "within_one_agreement": "within one point",
    "icc_1_1": "ICC(1,1)",
    "icc_2_1": "ICC(2,1)",
    "icc_2_k": "ICC(2,k)",
    "alpha_nominal": "alpha, nominal",
    "alpha_ordinal": "alpha, ordinal",
    "alpha_interval": "alpha, interval",
}


def to_lines(report: HtprReport) -> tuple[str, ...]:
    """Return the report line by line, without anything that a terminal could stumble over."""
    blocks = [_head(report)]
    comparisons = sorted(report.comparisons, key=lambda c: c.dimension != OVERALL)
    blocks += [_dimension(comparison) for comparison in comparisons]
    blocks.append(_spread(comparisons))
    blocks.append(_crops(report.crops))
    notes = [f"note: {note}" for note in (*_missing(report), *report.notes)]
    if notes:
        blocks.append("\n".join(notes))
    return tuple("\n\n".join(blocks).split("\n"))


def _head(report: HtprReport) -> str:
    over = f"whole groups of {report.cluster}" if report.cluster else "items"
    raters = {rater for t in report.ratings.tables.values() for rater in t.raters}
    scale = f"{report.scale.low:g} to {report.scale.high:g}"
    source = {
        "chain": f"{report.source.name}, profile {report.source.profile}",
        "predictions": f"{report.source.name} (made earlier)",
        "none": "none given",
    }
    return (
        f"{report.ratings.name}: {len(report.ratings.items)} items, {len(raters)} raters, "
        f"{report.ratings.n_ratings} ratings on {scale}"
        f"{'' if report.scale_given else ' (as found)'}\n"
        f"Scores: {source[report.source.kind]}\n"
        f"In brackets: 80 % intervals (BCa) from {report.n_draws} draws of {over}, "
        f"seed {report.seed}"
    )


def _dimension(c: Comparison) -> str:
    tiers = f"{c.tiers.low} low, {c.tiers.middle} middle, {c.tiers.high} high"
    score = f"score {c.score}" if c.score else "no score"
    raters = "1 rater" if c.n_raters == 1 else f"{c.n_raters} raters"
    lines = [f"{c.dimension}: {c.n_items} items, {raters}; {score}, {c.n_scored} scored"]
    lines.append(f"Tiers: {tiers}{f' ({c.tiers.note})' if c.tiers.note else ''}")
    if c.score is None and c.reason:
        lines.append(f"Not known: {c.reason}")
    with_judges = c.human.n_raters > 0
    if c.score is not None or with_judges:
        lines.append(_ranking(c, with_judges=with_judges))
    if c.human.worst_tier_pair_accuracy is not None:
        lines.append(
            f"Single raters' tier-pair accuracy: {c.human.worst_tier_pair_accuracy:.2f} to "
            f"{c.human.best_tier_pair_accuracy or 0.0:.2f}"
        )
    if c.n_raters > 1:
        agreement = [(name, _text(c.agreement[key])) for key, name in _AGREEMENT.items()]
        lines.append(text_table(("The raters among themselves", ""), agreement))
    told = dict(c.model) if c.score is not None else {}
    if c.n_raters > 1:
        told |= {**c.human.figures, **c.agreement}
    lines += _reasons(told)
    return "\n".join(lines)


def _ranking(c: Comparison, *, with_judges: bool) -> str:
    human = "one rater against the others"
    if c.human.n_raters_left_out:
        human += f" ({c.human.n_raters} of {c.n_raters})"
    rows = [
        (name, _text(c.model[key]), _text(c.human.figures[key]), _text(c.difference[key]))
        for key, name in _ORDERS.items()
    ]
    if c.within is not None:
        name = f"tier pairs within one {c.within.column}"
        rows.append((name, _text(c.within.model), _text(c.within.human), ""))
    rows.append(("within own 80 % interval", _text(c.coverage80), "", ""))
    n_columns = 4 if with_judges else 2
    header = ("", "score", human, "score - human")
    return text_table(header[:n_columns], [row[:n_columns] for row in rows])


def _text(figure: Figure) -> str:
    return str(figure) if figure.value is not None else "-"


def _reasons(figures: Mapping[str, Figure]) -> list[str]:
    reasons = dict.fromkeys(f.reason for f in figures.values() if f.reason)
    return [f"Not known: {reason}" for reason in reasons]


def _spread(comparisons: Sequence[Comparison]) -> str:
    bins = [f"{low:g}-{high:g}" for low, high in itertools.pairwise(EDGES)]
    rows = []
    shown: set[str | None] = set()
    for c in comparisons:
        if c.spread_model is not None and c.score not in shown:
            rows.append(("score", c.score or "", *_spread_cells(c.spread_model)))
            shown.add(c.score)
    for c in comparisons:
        if c.spread_human is not None:
            rows.append(("mean rating", c.dimension, *_spread_cells(c.spread_human)))
    if not rows:
        return "Spread: nothing to show"
    header = ("Spread on 1 to 5", "", "n", "mean", "sd", "in 2-4", *bins)
    return text_table(header, rows)


def _spread_cells(spread: Spread) -> tuple[str, ...]:
    sd = "-" if spread.sd is None else f"{spread.sd:.2f}"
    share = f"{100 * spread.share_in_middle:.0f} %"
    counts = tuple(str(count) for count in spread.histogram)
    return (str(spread.n), f"{spread.mean:.2f}", sd, share, *counts)


def _crops(crops: Crops) -> str:
    if crops.reason is not None:
        return f"Crops of 30 s: {crops.reason}"
    rows = [
        (
            name,
            str(s.n_recordings),
            str(s.n_crops),
            _number(s.sd_within),
            _number(s.sd_between),
            _number(s.variance_ratio),
            _number(s.mean_absolute_change),
            _number(s.accuracy_whole),
            _number(s.accuracy_crop),
        )
        for name, s in crops.scores.items()
    ]
    header = (
        *("Crops of 30 s", "recordings", "crops", "sd of crops", "sd of wholes"),
        *("variance ratio", "mean change", "accuracy: whole", "one crop"),
    )
    cost = f"The crops were {crops.audio_s:.0f} s of sound and took {crops.work_s:.0f} s"
    return f"{text_table(header, rows)}\n{cost}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _missing(report: HtprReport) -> list[str]:
    found = report.matches
    lines = []
    if found.missing:
        lines.append(f"no recording for {_named(found.missing)}")
    if found.ambiguous:
        lines.append(f"several recordings fit {_named(tuple(found.ambiguous))}: none was taken")
    if found.unused:
        lines.append(f"no rating for {_named(found.unused)}")
    lines += [f"{item}: {reason}" for item, reason in report.failed.items()]
    for row in report.rows:
        overall = row.scored.scores.get("overall") if row.scored else None
        if overall is not None and overall.value is None:
            lines.append(f"{row.item} has no overall score: {overall.reason or 'no reason given'}")
    return lines


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MOST_NAMED])
    return shown if len(names) <= _MOST_NAMED else f"{shown} and {len(names) - _MOST_NAMED} more"
