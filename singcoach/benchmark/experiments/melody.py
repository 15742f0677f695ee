"""Experiment 8: pass or fail in singing exams (mast_melody), from pitch tracks alone."""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from singcoach.benchmark.experiments.figures import area_under_curve
from singcoach.benchmark.experiments.page import Cell, Section, Table
from singcoach.benchmark.experiments.takes import Workbench
from singcoach.benchmark.htpr.bootstrap import Bootstrap, Figure, to_figure
from singcoach.chain.cache import Cache, make_key
from singcoach.core.arrays import ANALYSIS_RATE, FloatArray, RealArray
from singcoach.core.music import PitchTrack
from singcoach.jobs import NO_JOB, Job
from singcoach.pitch.f0 import HOP_S
from singcoach.pitch.notes import find_notes
from singcoach.pitch.shape import measure_shapes
from singcoach.scoring.contour import note_contours
from singcoach.scoring.heads import head_position, standardise
from singcoach.scoring.measures import pitch, vibrato
from singcoach.scoring.specs import Heads

SET = "mast_melody"
_ARCHIVE = "MASTmelody_f0data_annotations.tar.xz"
_NAME = re.compile(r"(?P<melody>\d+_mel\d+)_per(?P<number>\w+?)_(?P<verdict>pass|fail)\.f0s\.txt$")
_LONGEST_BYTES = 5_000_000

_LEVEL = 0.1
_PUBLISHED = (0.62, 0.84)
"""Areas that a first experiment reached without and with the reference melody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """One exam performance: its melody, whether all three of the jury passed it, its pitch."""

    name: str
    melody: str
    passed: bool
    pitch: PitchTrack


def read_performances(data: Path) -> Iterator[Performance]:
    """Read the pitch tracks out of the archive, in order of their names."""
    texts: dict[str, bytes] = {}
    # In the order of the archive: going back in it would unpack it from the start each time.
    with tarfile.open(data / SET / _ARCHIVE, mode="r|xz") as archive:
        for member in archive:
            wanted = member.isfile() and member.size < _LONGEST_BYTES
            content = archive.extractfile(member) if wanted and _NAME.search(member.name) else None
            if content is not None:
                texts[Path(member.name).name] = content.read()
    for name in sorted(texts):
        found = _NAME.search(name)
        if found is not None:
            yield Performance(
                name=name,
                melody=found["melody"],
                passed=found["verdict"] == "pass",
                pitch=to_track(np.loadtxt(io.BytesIO(texts[name]), ndmin=2)),
            )


def to_track(rows: RealArray) -> PitchTrack:
    """Bring times and frequencies, shape ``(n, 2)``, to the chain's frames.

    A frame holds the median of what falls within it, and is unvoiced (the source writes 0) where
    less than half of that is voiced.
    """
    n_frames = int(rows[-1, 0] / HOP_S) + 1 if len(rows) else 0
    times_s: RealArray = np.arange(n_frames, dtype=np.float64) * HOP_S
    f0_hz = np.full(n_frames, np.nan)
    bounds = np.searchsorted(rows[:, 0], np.append(times_s - HOP_S / 2, np.inf))
    for frame in range(n_frames):
        inside = rows[bounds[frame] : bounds[frame + 1], 1]
        voiced = inside[inside > 0]
        if len(voiced) and 2 * len(voiced) >= len(inside):
            f0_hz[frame] = np.median(voiced)
    return PitchTrack(
        times_s=times_s,
        f0_hz=f0_hz,
        confidence=np.where(np.isnan(f0_hz), 0.0, 1.0),
        hop_s=HOP_S,
    )


def voice_of(pitch: PitchTrack) -> FloatArray:
    """A tone of constant level on the pitch, silent where unvoiced: no note starts but by pitch."""
    n_samples = round((len(pitch.f0_hz) * pitch.hop_s) * ANALYSIS_RATE)
    times_s = np.arange(n_samples) / ANALYSIS_RATE
    frames = np.minimum((times_s / pitch.hop_s + 0.5).astype(np.int64), len(pitch.f0_hz) - 1)
    f0_hz = np.nan_to_num(pitch.f0_hz)[frames]
    tone = _LEVEL * np.sin(2.0 * np.pi * np.cumsum(f0_hz) / ANALYSIS_RATE)
    return np.asarray(np.where(f0_hz > 0, tone, 0.0), dtype=np.float32)


def measure_pitch(track: PitchTrack, job: Job = NO_JOB) -> dict[str, float]:
    """The measures that a pitch track alone allows, NaN where it does not."""
    notes = find_notes(track, voice_of(track), sample_rate=ANALYSIS_RATE, job=job.aside())
    contours = note_contours(track, notes, job.aside())
    shapes = measure_shapes(notes, track)
    readings = (
        pitch.scale_deviation(contours, hop_s=track.hop_s),
        pitch.tuning_concentration(contours, hop_s=track.hop_s),
        pitch.note_drift(contours, notes, shapes),
        pitch.pitch_unsteadiness(notes, shapes),
        pitch.pitch_wander(contours),
        pitch.scoop_depth(notes, shapes),
        vibrato.vibrato_share(notes),
        vibrato.vibrato_regularity(notes),
    )
    return {reading.name: reading.value() for reading in readings}


def judge_exams(data: Path, bench: Workbench, job: Job = NO_JOB) -> Section:
    """Tell passed from failed exams by intonation alone."""
    question = (
        "996 entrance exams on 40 melodies, passed or failed by all three of a jury; only pitch "
        "tracks are published. How well do the intonation measures tell passed from failed without "
        "the melody that was asked for? The head of technique with what a pitch track allows, and "
        "each measure alone in the sense of its weight."
    )
    if not (data / SET / _ARCHIVE).is_file():
        return _section(question, (), (), f"{SET} is not in the folder")
    melodies, passed, columns = _measured(data, bench, job)
    return _section(
        question,
        *_tables(columns, melodies, passed, bench.heads),
        "",
    )


def _section(
    question: str, tables: tuple[Table, ...], findings: tuple[str, ...], left_out: str
) -> Section:
    return Section(
        name="exams",
        title="Pass or fail in singing exams",
        question=question,
        tables=tables,
        findings=findings,
        limits=(
            "The exam asks for a given melody; a wrong but well-tuned one fails and cannot be "
            "heard here. What the jury heard beyond pitch is not in the tracks.",
            "Half the tracks are a few seconds long, where scale and tuning are barely defined.",
        ),
        left_out=left_out,
    )


def _measured(
    data: Path, bench: Workbench, job: Job
) -> tuple[list[str], RealArray, dict[str, RealArray]]:
    cache = Cache(bench.work / "exams")
    size = (data / SET / _ARCHIVE).stat().st_size
    found: list[dict[str, float]] = []
    melodies, passed = [], []
    for place, performance in enumerate(read_performances(data)):
        job.report(place / 1000, f"{SET}: {performance.name}")
        key = make_key("exam", 1, bench.digest, size, performance.name)
        kept = cache.load(key)
        if kept is None:
            values = measure_pitch(performance.pitch, job)
            kept = {name: np.array(value) for name, value in values.items()}
            cache.store(key, kept)
        found.append({name: float(value) for name, value in kept.items()})
        melodies.append(performance.melody)
        passed.append(float(performance.passed))
    columns = {
        name: np.array([values[name] for values in found])
        for name in (found[0] if found else ())
        if name in bench.heads.norms
    }
    return melodies, np.array(passed), columns


def pitch_head_position(columns: Mapping[str, RealArray], heads: Heads) -> RealArray:
    """The head of technique over the pitch measures only; those missing leave theirs to others."""
    head = heads.heads["technique"]
    own = {name: weight for name, weight in head.weights.items() if name in columns and weight}
    return head_position(columns, head=replace(head, weights=own), norms=heads.norms)


def area(scores: RealArray, passed: RealArray, melodies: Sequence[str]) -> Figure:
    """Area under the curve; a missing score counts as the lowest; melodies are drawn."""
    filled = np.where(np.isfinite(scores), scores, -np.inf)
    bootstrap = Bootstrap(len(filled), groups=melodies)
    draws = bootstrap.draws(lambda weights: area_under_curve(filled, passed, weights))
    return to_figure(draws, n_units=bootstrap.n_units, undefined="all passed or all failed")


def _tables(
    columns: Mapping[str, RealArray], melodies: Sequence[str], passed: RealArray, heads: Heads
) -> tuple[tuple[Table, ...], tuple[str, ...]]:
    whole = pitch_head_position(columns, heads)
    rows: list[tuple[Cell, ...]] = [
        (
            "technique, pitch measures only",
            int(np.isfinite(whole).sum()),
            area(whole, passed, melodies),
        )
    ]
    for name, values in columns.items():
        sign = np.sign(heads.heads["technique"].weights.get(name, 1.0)) or 1.0
        z = sign * standardise(values, heads.norms[name])
        rows.append((name, int(np.isfinite(z).sum()), area(z, passed, melodies)))
    figure = area(whole, passed, melodies)
    table = Table(
        title=f"Area under the curve, {int(passed.sum())} passed and "
        f"{int(len(passed) - passed.sum())} failed on {len(set(melodies))} melodies",
        head=("score", "measured", "area"),
        rows=tuple(rows),
        note="0.5 is chance. Not measurable counts as failed. Whole melodies are drawn.",
    )
    return (table,), (
        f"Intonation without the melody tells passed from failed exams with an area of {figure}; "
        f"a first experiment reached {_PUBLISHED[0]} without the melody and {_PUBLISHED[1]} "
        "with it.",
    )
