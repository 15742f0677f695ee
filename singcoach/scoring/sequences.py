"""What the encoders heard of the sung seconds, in rows of half a second."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from singcoach.core.arrays import BoolArray, FeatureArray, FloatArray, RealArray, read_only
from singcoach.core.take import Take

ROW_S = 0.5
"""Length of a row in seconds: rows come at 2 Hz."""

LEAST_SUNG = 0.25
"""Share of a row that has to be sung; rows with less say more about the room than the voice."""

PITCH_COLUMNS = 3
"""Last columns of the singing rows: voiced share; mean and deviation of the pitch in octaves."""

SINGING_RATE_HZ = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequences:
    """Rows of a take over its sung seconds.

    Attributes
    ----------
    starts_s
        Start of each row in seconds, ascending, shape ``(n_rows,)``.
    general
        What the general encoder heard, shape ``(n_rows, n_dims)``; None where it did not run.
    singing
        What the singing encoder heard and, as the last :data:`PITCH_COLUMNS`, how it was voiced;
        shape ``(n_rows, n_dims + 3)``; None where it did not run.
    """

    starts_s: RealArray
    general: FloatArray | None
    singing: FloatArray | None


def read_sequences(take: Take) -> Sequences:
    """Average the encoders' rows over the sung parts of every half second that is sung enough.

    Half seconds are counted from where singing begins, so that silence before it changes nothing;
    pitch is taken in octaves from the take's own median, so that another octave does not either.
    Row ``i`` of both encoders speaks of the same half second. Cost: some milliseconds a minute.
    """
    begin_s = min((r.start_s for r in take.regions if r.kind == "singing"), default=0.0)
    n_rows = max(0, int(np.ceil((take.duration_s - begin_s) / ROW_S)))
    share = _sung_share(take, begin_s, n_rows)
    kept = np.flatnonzero(share >= LEAST_SUNG)
    general = singing = None
    if take.features is not None:
        general = read_only(
            _means(take, take.features, take.feature_rate_hz, begin_s, n_rows)[kept]
        )
    if take.singing is not None:
        heard = _means(take, take.singing.whisper, SINGING_RATE_HZ, begin_s, n_rows)
        rows = np.concatenate([heard, _pitch_columns(take, begin_s, n_rows)], axis=1)[kept]
        singing = read_only(rows.astype(np.float32))
    return Sequences(
        starts_s=read_only(np.asarray(begin_s + kept * ROW_S, dtype=np.float64)),
        general=general,
        singing=singing,
    )


def _sung(take: Take, times_s: RealArray) -> BoolArray:
    sung = np.zeros(len(times_s), dtype=np.bool_)
    for region in take.regions:
        if region.kind == "singing":
            first, last = np.searchsorted(times_s, [region.start_s, region.end_s])
            sung[first:last] = True
    return sung


def _sung_share(take: Take, begin_s: float, n_rows: int) -> RealArray:
    times_s = begin_s + (np.arange(n_rows * 25, dtype=np.float64) + 0.5) * (ROW_S / 25)
    return np.asarray(_sung(take, times_s).reshape(n_rows, 25).mean(axis=1), dtype=np.float64)


def _means(
    take: Take, features: FeatureArray, rate_hz: float, begin_s: float, n_rows: int
) -> FloatArray:
    """Mean of the sung frames of each row, zero where there is none, ``(n_rows, n_dims)``."""
    times_s = np.asarray(np.arange(len(features)) / rate_hz, dtype=np.float64)
    places = np.flatnonzero(_sung(take, times_s))
    means = np.zeros((n_rows, features.shape[1]), dtype=np.float32)
    if not len(places):
        return means
    rows = _row_of(times_s[places], begin_s, n_rows)
    firsts = np.flatnonzero(np.diff(rows, prepend=-1))
    for first, last in zip(firsts, [*firsts[1:], len(rows)], strict=True):
        means[rows[first]] = features[places[first:last]].mean(axis=0, dtype=np.float32)
    return means


def _pitch_columns(take: Take, begin_s: float, n_rows: int) -> FloatArray:
    times_s, f0_hz = take.pitch.times_s, take.pitch.f0_hz
    columns = np.zeros((n_rows, PITCH_COLUMNS), dtype=np.float32)
    sung = _sung(take, times_s)
    rows = _row_of(times_s, begin_s, n_rows)
    voiced = sung & np.isfinite(f0_hz) & (f0_hz > 0.0)
    if not voiced.any():
        return columns
    octaves = np.log2(np.where(voiced, f0_hz, 1.0))
    octaves = np.where(voiced, octaves - np.median(octaves[voiced]), 0.0)
    frames = np.maximum(np.bincount(rows[sung], minlength=n_rows), 1)
    count = np.bincount(rows[voiced], minlength=n_rows)
    some = np.maximum(count, 1)
    mean = np.bincount(rows[voiced], weights=octaves[voiced], minlength=n_rows) / some
    square = np.bincount(rows[voiced], weights=octaves[voiced] ** 2, minlength=n_rows) / some
    columns[:, 0] = count / frames
    columns[:, 1] = mean
    columns[:, 2] = np.sqrt(np.maximum(square - mean**2, 0.0))
    return columns


def _row_of(times_s: RealArray, begin_s: float, n_rows: int) -> NDArray[np.intp]:
    rows = np.floor((times_s - begin_s) / ROW_S + 1e-9).astype(np.intp)
    return np.asarray(np.clip(rows, 0, n_rows - 1))
