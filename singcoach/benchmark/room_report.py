"""The tables of :mod:`singcoach.benchmark.rooms`, with intervals over takes and rooms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from singcoach.benchmark.rooms import Row

DRAWS = 2000
LEVEL = 0.95
BASE = "plain WPE"
HARM_LIMIT_DB = 30.0

_MEASURES = (
    ("si_sdr_db", "SI-SDR to the direct sound, dB"),
    ("early_si_sdr_db", "SI-SDR to the first 50 ms, dB"),
    ("tail_db", "tail 50-350 ms after a stop, dB"),
    ("decay_db_per_s", "decay of the tail, dB/s"),
    ("raw_pitch_accuracy", "pitch within 50 cents"),
    ("flutter_db", "flutter of the gain in tails, dB"),
)


def tables(rows: Sequence[Row]) -> str:
    """Return the report as text: means and intervals, each room, and the dry takes."""
    methods = list(dict.fromkeys(row.method for row in rows))
    wet = [row for row in rows if row.room]
    lines = []
    lines += ["", f"all takes in all rooms, {LEVEL:.0%} intervals over takes and rooms"]
    for measure, name in _MEASURES:
        lines.append(f"  {name}")
        for method in methods:
            grid = _grid(wet, method, measure)
            text = f"    {method:18} {_interval(grid)}"
            if method != BASE and BASE in methods:
                text += f"   against {BASE}: {_interval(grid - _grid(wet, BASE, measure))}"
            lines.append(text)
    lines += ["", "each room (mean over takes): SI-SDR direct / early 50 ms / tail / decay"]
    for room in dict.fromkeys(row.room for row in wet):
        lines.append(f"  {room}")
        for method in methods:
            here = [row for row in wet if row.room == room and row.method == method]
            figures = [
                float(np.nanmean([getattr(row, key) for row in here])) for key, _ in _MEASURES[:4]
            ]
            lines.append(f"    {method:18} " + " ".join(f"{figure:8.2f}" for figure in figures))
    lines += [
        "",
        f"dry takes: SI-SDR to the input, dB (harm below {HARM_LIMIT_DB:.0f}); pitch kept",
    ]
    for method in methods:
        here = [row for row in rows if not row.room and row.method == method]
        figures_text = " ".join(f"{row.take} {row.si_sdr_db:.1f}" for row in here)
        kept = float(np.nanmin([row.raw_pitch_accuracy for row in here])) if here else float("nan")
        lines.append(f"    {method:18} {figures_text}; {kept:.3f}")
    spent = {method: sum(row.cpu_s for row in rows if row.method == method) for method in methods}
    lines += ["", "processor time relative to " + BASE]
    lines += [
        f"    {method:18} {spent[method] / max(spent.get(BASE, 0.0), 1e-9):.2f} x"
        f" ({spent[method]:.1f} s)"
        for method in methods
    ]
    return "\n".join(lines) + "\n"


def _grid(rows: Sequence[Row], method: str, measure: str) -> NDArray[np.float64]:
    """Return the values as ``(n_takes, n_rooms)``."""
    takes = list(dict.fromkeys(row.take for row in rows))
    rooms = list(dict.fromkeys(row.room for row in rows))
    grid = np.full((len(takes), len(rooms)), np.nan)
    for row in rows:
        if row.method == method:
            grid[takes.index(row.take), rooms.index(row.room)] = getattr(row, measure)
    return grid


def _interval(grid: NDArray[np.float64]) -> str:
    """Return the mean and the middle ``LEVEL`` of draws of takes and of rooms, fixed seed."""
    random = np.random.default_rng(0)
    n_takes, n_rooms = grid.shape
    means = [
        np.nanmean(
            grid[np.ix_(random.integers(0, n_takes, n_takes), random.integers(0, n_rooms, n_rooms))]
        )
        for _ in range(DRAWS)
    ]
    low, high = np.quantile(means, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return f"{np.nanmean(grid):8.2f} [{low:.2f}, {high:.2f}]"
