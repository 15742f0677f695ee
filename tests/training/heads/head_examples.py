"""Made examples whose quality is known: it stands in measures, in the rows, or in both."""

from __future__ import annotations

import numpy as np

from singcoach.core.scores import DIMENSIONS
from singcoach.scoring.specs import load_heads
from singcoach.training.examples import MEASURE_NAMES, Example
from singcoach.training.linear import signed_measures

WIDTHS = {"general": 12, "singing": 9}
MISSING = ("backing_key_deviation", "beat_deviation", "pitch_accuracy", "rhythm_accuracy")
USELESS = ("pitch_unsteadiness", "note_drift")
"""Measures of the technique that say nothing here."""


def made_examples(
    *, n_singers: int = 6, n_each: int = 8, seed: int = 0, in_rows: bool = True, noise: float = 0.15
) -> list[Example]:
    """Singers with takes of different severity; how they sound depends on the singer much more."""
    rng = np.random.default_rng(seed)
    heads = load_heads()
    signs = {
        name: sign
        for dimension in DIMENSIONS
        for name, sign in signed_measures(heads, dimension).items()
        if name not in MISSING
    }
    found = []
    for singer in range(n_singers):
        timbre = rng.standard_normal(12)
        for take in range(n_each):
            severity = take / (n_each - 1)
            measures = np.full(len(MEASURE_NAMES), np.nan)
            quality = -severity + noise * rng.standard_normal()
            for name, sign in signs.items():
                norm = heads.norms[name]
                size = rng.standard_normal() if name in USELESS else 2.0 * sign * quality
                measures[MEASURE_NAMES.index(name)] = norm.median + norm.scale * size
            rows = {}
            for name, width in WIDTHS.items():
                n_rows = int(rng.integers(8, 20))
                row = np.resize(timbre, width) + 0.5 * rng.standard_normal((n_rows, width))
                row[:, 0] = (3.0 * -severity if in_rows else 0.0) + rng.standard_normal(n_rows)
                rows[name] = row.astype(np.float32)
            rows["singing"] = np.resize(rows["singing"], (len(rows["general"]), 9))
            found.append(
                Example(
                    item=f"{singer}-{take}",
                    corpus="made",
                    singer=f"s{singer}",
                    song="",
                    measures=measures,
                    sequences=rows,
                    labels={"technique": -severity, "overall": -severity},
                    group=f"g{singer}",
                    edit="pitch_error" if severity else "",
                    severity=severity,
                )
            )
    return found
