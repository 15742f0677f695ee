"""The human ceilings of the rated sets, as others found them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import htpr_sets
import pytest

from singcoach.benchmark.htpr.run import Options, run_htpr

# REFERENCE: one judge against the mean of the others, tier-pair accuracy. Where terciles of ten
# singers with equal ratings are cut is not said there, which is worth some hundredths.
CEILINGS: tuple[tuple[Callable[[Path], list[htpr_sets.Row]], int, float, float], ...] = (
    (htpr_sets.karaoke, 20, 0.79, 0.015),
    (htpr_sets.a_cappella, 5, 0.90, 0.03),
    (lambda data: htpr_sets.a_cappella(data, judges="tgcritic_judge"), 12, 0.88, 0.03),
)


@pytest.mark.parametrize(("rows", "n_judges", "ceiling", "tolerance"), CEILINGS)
def test_one_judge_reaches_what_is_known(
    shared_data: Path,
    tmp_path: Path,
    rows: Callable[[Path], list[htpr_sets.Row]],
    n_judges: int,
    ceiling: float,
    tolerance: float,
) -> None:
    table = [row for row in rows(shared_data) if row[2] == "overall"]
    htpr_sets.write(tmp_path / "ratings.csv", table)
    scores = tmp_path / "scores.csv"
    scores.write_text(
        "item,score\n" + "".join(f"{row[0]},3\n" for row in {r[0]: r for r in table}.values())
    )
    document = run_htpr(
        tmp_path / "ratings.csv",
        audio=None,
        predictions_path=scores,
        options=Options(scores_for={}, n_draws=200),
    ).to_document()
    human = document["dimensions"]["overall"]["human"]
    found = human["figures"]["tier_pair_accuracy"]
    assert human["n_raters"] == n_judges
    assert found["value"] == pytest.approx(ceiling, abs=tolerance)
    assert found["low95"] < ceiling < found["high95"]
    # Scores all alike order nothing.
    assert document["dimensions"]["overall"]["model"]["tier_pair_accuracy"]["value"] == 0.5
