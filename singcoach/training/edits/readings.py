"""What the analysis and the scores say of every take of a corpus."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from singcoach.audio.reading import read_audio
from singcoach.core.arrays import ANALYSIS_RATE, FloatArray, RealArray
from singcoach.core.scores import DIMENSIONS, DimensionScore
from singcoach.core.take import Take
from singcoach.files import write_whole
from singcoach.jobs import NO_JOB, Job
from singcoach.models.catalogue import Catalogue
from singcoach.models.sessions import open_session
from singcoach.pitch.frames import hz_to_cents
from singcoach.regions.detector import SingingDetector
from singcoach.scoring.norms import make_take
from singcoach.scoring.score import score_take
from singcoach.training.corpus import Row

HEADS = (*DIMENSIONS, "overall")
_BANDS = 40
_HEARD_DB = 40.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeReading:
    """One take: score, low and high end for every head, measures, and what differs from the base.

    NaN where there is no score or no value.

    Attributes
    ----------
    f0_error_cents
        Median distance of the pitch from the original's, where both are voiced.
    spectral_distance_db
        Mean distance of 40 mel bands from the original's, where that is within 40 dB of its peak.
    onset_shift_ms
        Mean distance of the notes' onsets from the nearest of the original.
    """

    scores: Mapping[str, tuple[float, float, float]]
    measures: Mapping[str, float]
    f0_error_cents: float
    spectral_distance_db: float
    onset_shift_ms: float


def read_takes(
    folder: Path, rows: Sequence[Row], *, kept: Path | None = None, job: Job = NO_JOB
) -> dict[str, TakeReading]:
    """Return the reading of every item by its name.

    Parameters
    ----------
    kept
        A JSON file: readings in it are taken from there, and new ones are added to it.

    Notes
    -----
    Cost: about 4 % of the length of the sound on one core.
    """
    known = _load(kept)
    originals: dict[str, Take] = {}
    catalogue = Catalogue.default()
    session = open_session(catalogue.require("pitch"))
    by_file = {row.file: row for row in reversed(rows)}  # the first row of a file names it
    with SingingDetector(catalogue.require("singing_detector")) as detector:

        def take_of(row: Row) -> Take:
            audio = read_audio(row.path(folder), sample_rate=ANALYSIS_RATE, channels=1)[0]
            return make_take(audio, backing=None, session=session, detector=detector)

        wanted = sorted(
            (row for row in by_file.values() if row.file not in known),
            key=lambda r: (r.group, r.severity),
        )
        first_of = {r.group: r for r in rows if r.edit == "original"}
        for index, row in enumerate(wanted):
            job.report(index / len(wanted), row.item)
            base = first_of[row.group]
            if base.file not in originals:
                originals = {base.file: take_of(base)}  # one at a time: takes hold their audio
            take = originals[base.file] if row.file == base.file else take_of(row)
            known[row.file] = _read(take, originals[base.file])
            if kept is not None and (index % 25 == 24 or index == len(wanted) - 1):
                _save(kept, known)
    return {row.item: known[row.file] for row in rows}


def _read(take: Take, base: Take) -> TakeReading:
    scores = score_take(take)
    heads: dict[str, DimensionScore] = {name: scores.dimensions[name] for name in DIMENSIONS}
    heads["overall"] = scores.overall
    return TakeReading(
        scores={
            name: (_number(head.score), _number(head.low), _number(head.high))
            for name, head in heads.items()
        },
        measures={name: _number(measure.value) for name, measure in scores.measures.items()},
        f0_error_cents=_f0_error(take, base),
        spectral_distance_db=spectral_distance_db(take.vocal, base.vocal),
        onset_shift_ms=_onset_shift(take, base),
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _f0_error(take: Take, base: Take) -> float:
    n = min(take.pitch.f0_hz.size, base.pitch.f0_hz.size)
    away = np.abs(hz_to_cents(take.pitch.f0_hz[:n]) - hz_to_cents(base.pitch.f0_hz[:n]))
    away = away[np.isfinite(away)]
    return float(np.median(away)) if away.size else math.nan


def _onset_shift(take: Take, base: Take) -> float:
    theirs = np.array([note.onset_s for note in base.notes])
    if not take.notes or not theirs.size:
        return math.nan
    near = [min(0.3, float(np.abs(theirs - note.onset_s).min())) for note in take.notes]
    return 1000.0 * float(np.mean(near))


def spectral_distance_db(audio: FloatArray, base: FloatArray) -> float:
    """Return the mean distance of the mel bands of two equally long signals, gain set apart."""
    n = min(audio.size, base.size)
    if n < 1024:
        return math.nan
    ours, theirs = _bands_db(audio[:n]), _bands_db(base[:n])
    heard = theirs > theirs.max() - _HEARD_DB
    away = (ours - theirs)[heard]
    return float(np.mean(np.abs(away - np.median(away))))


def _bands_db(audio: FloatArray) -> RealArray:
    size, hop = 512, 160
    frames = np.lib.stride_tricks.sliding_window_view(audio, size)[::hop]
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(size), axis=1)))
    edges_mel = np.linspace(0.0, 2595.0 * np.log10(1.0 + 8000.0 / 700.0), _BANDS + 2)
    edges_hz = 700.0 * (10.0 ** (edges_mel / 2595.0) - 1.0)
    hz = np.linspace(0.0, 8000.0, power.shape[1])
    rise = (hz - edges_hz[:-2, np.newaxis]) / (edges_hz[1:-1] - edges_hz[:-2])[:, np.newaxis]
    fall = (edges_hz[2:, np.newaxis] - hz) / (edges_hz[2:] - edges_hz[1:-1])[:, np.newaxis]
    weights = np.maximum(0.0, np.minimum(rise, fall))
    return np.asarray(10.0 * np.log10(power @ weights.T + 1e-9))


def _load(path: Path | None) -> dict[str, TakeReading]:
    if path is None or not path.is_file():
        return {}
    documents: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return {
        name: TakeReading(
            scores={k: (float(v[0]), float(v[1]), float(v[2])) for k, v in d["scores"].items()},
            measures={k: float(v) for k, v in d["measures"].items()},
            f0_error_cents=float(d["f0_error_cents"]),
            spectral_distance_db=float(d["spectral_distance_db"]),
            onset_shift_ms=float(d["onset_shift_ms"]),
        )
        for name, d in documents.items()
    }


def _save(path: Path, readings: Mapping[str, TakeReading]) -> None:
    documents = {
        name: {
            "scores": dict(r.scores),
            "measures": dict(r.measures),
            "f0_error_cents": r.f0_error_cents,
            "spectral_distance_db": r.spectral_distance_db,
            "onset_shift_ms": r.onset_shift_ms,
        }
        for name, r in readings.items()
    }
    write_whole(path, json.dumps(documents))
