"""The benchmark from a table of ratings to a report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from singcoach.benchmark.htpr.bootstrap import Bootstrap
from singcoach.benchmark.htpr.chain import Recording, Scored, score_recordings
from singcoach.benchmark.htpr.compare import Column, Comparison, Scale, compare
from singcoach.benchmark.htpr.matching import Matches, match, relative_names
from singcoach.benchmark.htpr.predictions import ScoredItem, read_predictions
from singcoach.benchmark.htpr.ratings import Ratings, RatingTable, read_ratings
from singcoach.benchmark.htpr.report import Crops, HtprReport, ItemRow, Source
from singcoach.benchmark.htpr.signatures import find_crop_spread
from singcoach.chain.engine import Engine
from singcoach.chain.settings import Settings
from singcoach.errors import InputError
from singcoach.jobs import NO_JOB, Job
from singcoach.scoring.agreement import N_DRAWS, SEED


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What may be chosen for one run.

    Attributes
    ----------
    scores_for
        The score that a dimension of the ratings is held against, where the names differ.
    scale
        The ends of the rating scale; None takes the lowest and highest rating given.
    within
        Column of groups: only pairs of one group count in a figure of its own.
    cluster
        Column of groups that the bootstrap draws as a whole.
    n_crops
        Crops of each recording longer than 30 s.
    """

    scores_for: Mapping[str, str]
    scale: Scale | None = None
    within: str | None = None
    cluster: str | None = None
    n_crops: int = 0
    seed: int = SEED
    n_draws: int = N_DRAWS


@dataclass(frozen=True, slots=True, kw_only=True)
class Audio:
    """Where the sound is.

    Attributes
    ----------
    folder, files
        A folder and the recordings below it.
    backing_folder, backing_files
        The accompaniments, named as the recordings are; None and none without.
    engine, settings
        How they are assessed.
    """

    folder: Path
    files: Sequence[Path]
    engine: Engine
    settings: Settings
    backing_folder: Path | None = None
    backing_files: Sequence[Path] = ()


def run_htpr(
    ratings_path: Path,
    *,
    audio: Audio | None = None,
    predictions_path: Path | None = None,
    options: Options,
    job: Job = NO_JOB,
) -> HtprReport:
    """Hold scores against human ratings.

    Parameters
    ----------
    audio
        Scored by the chain.
    predictions_path
        Scores made earlier, see :func:`singcoach.benchmark.htpr.predictions.read_predictions`;
        they go before the audio. With neither, only the raters are described.

    Raises
    ------
    InputError
        The ratings or predictions cannot be used, or none of the items has a recording.
    ModelError
        A model is missing or damaged.
    Cancelled
        ``job`` was stopped.
    """
    asked = [column for column in (options.within, options.cluster) if column is not None]
    ratings = read_ratings(ratings_path, groups=asked)
    notes = list(ratings.notes)
    scored: Scored | None = None
    if predictions_path is not None:
        predictions = read_predictions(predictions_path)
        matches = match(ratings.items, [*predictions.items, *predictions.failed])
        names = {item: parts[0] for item, parts in matches.found.items()}
        _require_overlap(names, ratings, predictions.name)
        items = {i: predictions.items[n] for i, n in names.items() if n in predictions.items}
        failed = {i: predictions.failed[n] for i, n in names.items() if n in predictions.failed}
        source = Source(kind="predictions", name=predictions.name, profile=None, models=())
        notes += predictions.notes
    elif audio is not None:
        matches = match(ratings.items, relative_names(audio.files, audio.folder), folders=True)
        _require_overlap(matches.found, ratings, audio.folder.name or str(audio.folder))
        recordings, backing_notes = _recordings(matches, audio)
        notes += backing_notes
        scored = score_recordings(
            recordings,
            engine=audio.engine,
            settings=audio.settings,
            n_crops=options.n_crops,
            seed=options.seed,
            job=job.part(0.0, 0.9),
        )
        items, failed = dict(scored.items), dict(scored.failed)
        if not items:
            raise InputError(
                "None of the rated recordings could be used",
                hint=next(iter(failed.values())),
            )
        source = Source(
            kind="chain",
            name=audio.folder.name or str(audio.folder),
            profile=audio.settings.profile,
            models=scored.models,
        )
        notes += [
            warning if count == len(items) else f"{warning} ({count} of {len(items)} recordings)"
            for warning, count in scored.warnings.items()
        ]
    else:
        matches = Matches(found={}, missing=(), ambiguous={}, unused=())
        items, failed = {}, {}
        source = Source(kind="none", name="", profile=None, models=())
    scale = options.scale or Scale(low=ratings.lowest, high=ratings.highest)
    if options.scale and not scale.low <= ratings.lowest <= ratings.highest <= scale.high:
        notes.append(
            f"Some ratings lie outside of the scale {scale.low:g} to {scale.high:g}; "
            "MAE and spread of the ratings count them as they are"
        )
    notes += _notes_on_groups(ratings, options)
    notes += _notes_on_twins(matches)
    comparisons = _compare_all(ratings, items, scale, options, job.part(0.9, 1.0))
    return HtprReport(
        ratings=ratings,
        scale=scale,
        scale_given=options.scale is not None,
        seed=options.seed,
        n_draws=options.n_draws,
        cluster=options.cluster,
        source=source,
        matches=matches,
        failed=failed,
        comparisons=comparisons,
        crops=_crops(scored, ratings, comparisons, options),
        rows=_rows(ratings, items),
        notes=tuple(dict.fromkeys(notes)),
    )


def _require_overlap(found: Mapping[str, object], ratings: Ratings, where: str) -> None:
    if not found:
        raise InputError(
            f"None of the {len(ratings.items)} items of {ratings.name} is in {where}",
            hint=f"Items must be named as the recordings are; the first item is "
            f"{ratings.items[0][:60]}",
        )


def _recordings(matches: Matches, audio: Audio) -> tuple[list[Recording], list[str]]:
    files = relative_names(audio.files, audio.folder)
    backings: dict[str, Path] = {}
    notes = []
    if audio.backing_folder is not None:
        named = relative_names(audio.backing_files, audio.backing_folder)
        fitting = match(matches.found, named)
        backings = {item: named[parts[0]] for item, parts in fitting.found.items()}
        without = len(matches.found) - len(backings)
        if without:
            notes.append(f"{without} of {len(matches.found)} recordings have no backing")
    return [
        Recording(item=item, parts=tuple(files[name] for name in parts), backing=backings.get(item))
        for item, parts in matches.found.items()
    ], notes


def _notes_on_groups(ratings: Ratings, options: Options) -> list[str]:
    notes = []
    for column, groups in ratings.groups.items():
        n_groups = len(set(groups.values()))
        if column != options.cluster and 1 < n_groups < len(ratings.items):
            notes.append(
                f"The {len(ratings.items)} items belong to {n_groups} groups of the column "
                f"{column}: intervals over items are too narrow where those resemble each other; "
                f"--cluster {column} draws whole groups"
            )
    return notes


def _notes_on_twins(matches: Matches) -> list[str]:
    owners: dict[str, str] = {}
    notes = []
    for item, parts in matches.found.items():
        for part in parts:
            if owners.setdefault(part, item) != item:
                notes.append(f"The items {owners[part]} and {item} share the recording {part}")
    return notes


def _compare_all(
    ratings: Ratings,
    items: Mapping[str, ScoredItem],
    scale: Scale,
    options: Options,
    job: Job,
) -> tuple[Comparison, ...]:
    found = []
    for index, table in enumerate(ratings.tables.values()):
        groups = ratings.groups.get((options.cluster or "").lower(), {})
        bootstrap = Bootstrap(
            len(table.items),
            groups=[groups[item] for item in table.items] if options.cluster else None,
            seed=options.seed,
            n_draws=options.n_draws,
        )
        within = None
        if options.within:
            column = ratings.groups[options.within.lower()]
            within = options.within.lower(), [column[item] for item in table.items]
        n_tables = len(ratings.tables)
        found.append(
            compare(
                table,
                _column(table, items, options.scores_for),
                scale=scale,
                bootstrap=bootstrap,
                within=within,
                job=job.part(index / n_tables, (index + 1) / n_tables),
            )
        )
    return tuple(found)


def _column(
    table: RatingTable, items: Mapping[str, ScoredItem], scores_for: Mapping[str, str]
) -> Column:
    """Return the score of each item that belongs to the table's dimension."""
    known = dict.fromkeys(name for scored in items.values() for name in scored.scores)
    name = scores_for.get(table.dimension, table.dimension)
    nothing = np.full(len(table.items), np.nan)
    if not known:
        return Column(
            name=None, value=nothing, low=nothing, high=nothing, reason="no scores were given"
        )
    if name not in known:
        return Column(
            name=None,
            value=nothing,
            low=nothing,
            high=nothing,
            reason=f"there is no score named {name}; --map {table.dimension}=NAME chooses one of "
            f"{', '.join(known)}",
        )
    columns: dict[str, list[float]] = {"value": [], "low": [], "high": []}
    for item in table.items:
        score = items[item].scores.get(name) if item in items else None
        for key, values in columns.items():
            value = getattr(score, key, None)
            values.append(math.nan if value is None else value)
    value, low, high = (np.array(columns[key]) for key in ("value", "low", "high"))
    return Column(name=name, value=value, low=low, high=high)


def _crops(
    scored: Scored | None,
    ratings: Ratings,
    comparisons: Sequence[Comparison],
    options: Options,
) -> Crops:
    if scored is None:
        return Crops(reason="crops need the recordings, not only their scores")
    if not options.n_crops:
        return Crops(reason="no crops were asked for (--crops N)")
    if not scored.crops:
        return Crops(reason="no recording is longer than 30 s")
    names = dict.fromkeys(c.score for c in comparisons if c.score is not None)
    human = {c.score: ratings.tables[c.dimension] for c in reversed(comparisons)}
    return Crops(
        per_recording=options.n_crops,
        audio_s=scored.cost.audio_s,
        work_s=scored.cost.work_s,
        scores={
            name: find_crop_spread(
                {item: _value(found, name) for item, found in scored.items.items()},
                {item: [_value(c, name) for c in crops] for item, crops in scored.crops.items()},
                dict(zip(human[name].items, human[name].means.tolist(), strict=True)),
            )
            for name in names
        },
    )


def _value(found: ScoredItem, name: str) -> float:
    score = found.scores.get(name)
    return math.nan if score is None or score.value is None else score.value


def _rows(ratings: Ratings, items: Mapping[str, ScoredItem]) -> tuple[ItemRow, ...]:
    means: dict[str, dict[str, float]] = {item: {} for item in ratings.items}
    for dimension, table in ratings.tables.items():
        for item, mean in zip(table.items, table.means.tolist(), strict=True):
            means[item][dimension] = mean
    return tuple(
        ItemRow(item=item, ratings=means[item], scored=items.get(item)) for item in ratings.items
    )
