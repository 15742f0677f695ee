"""Intonation against an exam's jury: ``python -m singcoach.scoring.exams --data DIR``.

Pitch tracks of sung melodies (mast_melody) that a whole jury passed or failed, judged without the
melody that should have been sung, by what of the head of technique needs no sound. The exams
alternate between a half that was looked at when measures were chosen and a half that was not. The
same folder and the same heads give the same figures. The tracks never ship.
"""

from __future__ import annotations

import argparse
import io
import sys
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from singcoach.core.arrays import ANALYSIS_RATE, BoolArray, FloatArray, RealArray
from singcoach.core.music import PitchTrack
from singcoach.errors import InputError, SingCoachError
from singcoach.pitch.notes import find_notes
from singcoach.pitch.shape import measure_shapes
from singcoach.scoring.agreement import Estimate, estimate
from singcoach.scoring.contour import note_contours
from singcoach.scoring.heads import standardise
from singcoach.scoring.measures import pitch as measures
from singcoach.scoring.reading import Reading
from singcoach.scoring.specs import Heads, load_heads

ARCHIVE = "mast_melody/MASTmelody_f0data_annotations.tar.xz"
HOP_S = 0.016
JUDGED = (
    "scale_deviation",
    "tuning_concentration",
    "pitch_wander",
    "note_drift",
    "pitch_unsteadiness",
)
"""Measures of technique that a pitch track gives, vibrato left out: the tracks are too coarse."""
N_DRAWS = 300
_LEAST_ROWS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Exam:
    """One performance: exam and melody, whether the jury passed it, and its measures."""

    exam: str
    melody: str
    passed: bool
    values: Mapping[str, float]


def read_tracks(data: Path) -> Iterator[tuple[str, RealArray]]:
    """Yield name and rows (seconds, Hz) of every graded performance, in order of name.

    Raises
    ------
    InputError
        When the archive is missing.
    """
    path = data / ARCHIVE
    if not path.is_file():
        raise InputError(f"There is no {ARCHIVE} in {data}", hint="Give the folder of the sets")
    with tarfile.open(path, "r:xz") as archive:
        # Read in the order of the archive: a step back would unpack it anew from its start.
        tracks = {
            Path(member.name).name: file.read()
            for member in archive
            if "_per" in member.name
            and member.name.endswith(".f0s.txt")
            and (file := archive.extractfile(member)) is not None
        }
    for name in sorted(tracks):
        rows = np.loadtxt(io.BytesIO(tracks[name]), ndmin=2)
        if len(rows) >= _LEAST_ROWS:
            yield name, rows


def measure_exam(name: str, rows: RealArray) -> Exam:
    """Measure the intonation of one performance, named ``exam_melody_performance_grade``."""
    pitch, audio = _on_our_grid(rows)
    notes = find_notes(pitch, audio)
    contours = note_contours(pitch, notes)
    shapes = measure_shapes(notes, pitch)
    readings: tuple[Reading, ...] = (
        measures.scale_deviation(contours, hop_s=HOP_S),
        measures.tuning_concentration(contours, hop_s=HOP_S),
        measures.pitch_wander(contours),
        measures.note_drift(contours, notes, shapes),
        measures.pitch_unsteadiness(notes, shapes),
    )
    exam, melody, *_ = name.split("_")
    return Exam(
        exam=exam,
        melody=f"{exam}_{melody}",
        passed="_pass" in name,
        values={reading.name: reading.value() for reading in readings},
    )


def _on_our_grid(rows: RealArray) -> tuple[PitchTrack, FloatArray]:
    """The track every 16 ms, and a plain tone that follows it for what asks for sound."""
    seconds = rows[:, 0] - rows[0, 0]
    n_frames = int((seconds[-1] + 0.1) / HOP_S)
    times = np.arange(n_frames, dtype=np.float64) * HOP_S
    nearest = np.clip(np.searchsorted(seconds, times), 0, len(rows) - 1)
    f0_hz = np.where(rows[nearest, 1] > 20.0, rows[nearest, 1], np.nan)
    n_each = round(HOP_S * ANALYSIS_RATE)
    phase = 2.0 * np.pi * np.cumsum(np.repeat(np.nan_to_num(f0_hz), n_each)) / ANALYSIS_RATE
    tone = np.sin(phase) + 0.5 * np.sin(2.0 * phase) + 0.25 * np.sin(3.0 * phase)
    audio = 0.1 * np.repeat(np.isfinite(f0_hz), n_each) * tone
    track = PitchTrack(
        times_s=times,
        f0_hz=f0_hz,
        confidence=np.where(np.isfinite(f0_hz), 0.9, 0.0),
        hop_s=HOP_S,
    )
    return track, audio.astype(np.float32)


def judge(exams: Sequence[Exam], heads: Heads) -> dict[str, RealArray]:
    """Each measure with its sign, and their weighted sum as the head of technique weighs them."""
    head = heads.heads["technique"]
    weights, bounds = head.weights, head.bounds
    total, weight = np.zeros(len(exams)), np.zeros(len(exams))
    columns: dict[str, RealArray] = {}
    for name in JUDGED:
        values = np.array([exam.values[name] for exam in exams])
        z = np.sign(weights[name]) * standardise(values, heads.norms[name], bounds.get(name))
        columns[name] = z
        ok = np.isfinite(z)
        total += np.where(ok, abs(weights[name]) * np.where(ok, z, 0.0), 0.0)
        weight += abs(weights[name]) * ok
    together = np.where(weight > 0.0, total / np.where(weight > 0.0, weight, 1.0), np.nan)
    return {"together": together, **columns}


def passes_above_fails(scores: RealArray, passed: RealArray, groups: RealArray) -> float:
    """Share of pairs of a pass and a fail of one group that the score orders rightly, ties half.

    With one group for all it is the area under the ROC curve. Missing scores are left out.
    """
    right = pairs = 0.0
    for group in np.unique(groups):
        inside: BoolArray = (groups == group) & np.isfinite(scores)
        high, low = scores[inside & (passed > 0.5)], scores[inside & (passed <= 0.5)]
        right += float(np.sum(0.5 + 0.5 * np.sign(high[:, None] - low[None, :])))
        pairs += len(high) * len(low)
    return right / pairs if pairs else float("nan")


def halves(exams: Sequence[Exam]) -> dict[str, list[Exam]]:
    """Split by exam: every second one, in order of name, was looked at."""
    order = sorted({exam.exam for exam in exams})
    looked_at = set(order[::2])
    return {
        "looked at": [exam for exam in exams if exam.exam in looked_at],
        "blind": [exam for exam in exams if exam.exam not in looked_at],
    }


def make_rows(exams: Sequence[Exam], heads: Heads) -> list[tuple[str, ...]]:
    """Rows of the table: half, performances, score, over all and within one melody."""
    rows = []
    for half, part in halves(exams).items():
        passed = np.array([float(exam.passed) for exam in part])
        melodies = np.unique([exam.melody for exam in part], return_inverse=True)[1].astype(float)
        count = f"{len(part)} ({int(passed.sum())} passed)"
        for name, scores in judge(part, heads).items():
            found: list[Estimate] = [
                estimate(passes_above_fails, scores, passed, groups, n_draws=N_DRAWS)
                for groups in (np.zeros(len(part)), melodies)
            ]
            rows.append((half, count, name, *(str(each) for each in found)))
    return rows


def main(argv: Sequence[str] | None = None) -> int:
    """Read the arguments, measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m singcoach.scoring.exams", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the recordings")
    arguments = parser.parse_args(argv)
    try:
        exams = [measure_exam(name, rows) for name, rows in read_tracks(arguments.data)]
        rows = make_rows(exams, load_heads())
    except SingCoachError as error:
        print(f"{error.message}. {error.hint}".strip(), file=sys.stderr)  # noqa: T201 - a program
        return error.exit_code
    head = ("half", "performances", "score", "passes above fails", "within one melody")
    for row in (head, ["---"] * len(head), *rows):
        print(f"| {' | '.join(row)} |")  # noqa: T201 - the result of this program
    return 0


if __name__ == "__main__":
    sys.exit(main())
