"""How well scores rank: the statistics on known cases, the command on a made folder."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scoring_takes import RATE, melody, sing

from singcoach.core.arrays import FloatArray
from singcoach.core.music import Region
from singcoach.errors import InputError
from singcoach.scoring import norms
from singcoach.scoring.agreement import (
    correlation,
    estimate,
    share_inside,
    single_judges,
    tier_pair_accuracy,
)
from singcoach.scoring.ranking import main, measure_ranking
from singcoach.screening import rules

RATINGS = np.arange(1.0, 10.0)


def test_the_right_order_the_wrong_order_and_no_order() -> None:
    assert tier_pair_accuracy(RATINGS, RATINGS) == 1.0
    assert tier_pair_accuracy(-RATINGS, RATINGS) == 0.0
    assert tier_pair_accuracy(np.zeros(9), RATINGS) == 0.5


def test_order_within_a_tercile_does_not_count() -> None:
    swapped = np.array([3.0, 1.0, 2.0, 6.0, 5.0, 4.0, 8.0, 9.0, 7.0])
    assert tier_pair_accuracy(swapped, RATINGS) == 1.0


def test_a_tie_and_a_missing_score_count_half_in_their_pairs() -> None:
    ratings = np.array([1.0, 2.0, 3.0])
    assert tier_pair_accuracy(np.array([1.0, 1.0, 2.0]), ratings) == pytest.approx(2.5 / 3)
    assert tier_pair_accuracy(np.array([1.0, np.nan, 2.0]), ratings) == pytest.approx(2.0 / 3)


def test_ratings_all_alike_give_no_accuracy() -> None:
    assert math.isnan(tier_pair_accuracy(RATINGS, np.ones(9)))
    assert math.isnan(tier_pair_accuracy(np.ones(1), np.ones(1)))


def test_correlation_is_over_the_scored() -> None:
    scores = 2.0 * RATINGS
    scores[4] = np.nan
    assert correlation(scores, RATINGS) == pytest.approx(1.0)
    assert correlation(-scores, RATINGS) == pytest.approx(-1.0)
    assert math.isnan(correlation(scores[:2], RATINGS[:2]))
    assert math.isnan(correlation(np.ones(9), RATINGS))


def test_share_inside_counts_both_ends_and_leaves_out_what_has_no_interval() -> None:
    low = np.array([1.0, 2.0, 3.0, np.nan])
    high = np.array([2.0, 3.0, 4.0, np.nan])
    assert share_inside(low, high, np.array([1.0, 3.0, 4.5, 3.0])) == pytest.approx(2 / 3)
    assert math.isnan(share_inside(low[3:], high[3:], np.ones(1)))


def test_each_judge_is_held_against_the_others() -> None:
    good = RATINGS
    contrary = -RATINGS
    assert single_judges(np.stack([good, good, good], axis=1)).tolist() == [1.0, 1.0, 1.0]
    found = single_judges(np.stack([good, good, good, contrary], axis=1))
    assert found.tolist() == [1.0, 1.0, 1.0, 0.0]


def test_an_estimate_repeats_holds_its_value_and_narrows_with_more_items() -> None:
    generator = np.random.default_rng(3)
    few, many = generator.standard_normal(20), generator.standard_normal(500)
    first, second = (estimate(lambda x: float(x.mean()), few) for _ in range(2))
    wider = estimate(lambda x: float(x.mean()), few, seed=1)
    narrow = estimate(lambda x: float(x.mean()), many)
    assert first == second
    assert first != wider
    assert first.low < first.value == few.mean() < first.high
    # The mean of n values has the spread sd / sqrt(n); 80 % of a normal is +-1.28 of it.
    expected = 2 * 1.2816 * many.std() / math.sqrt(len(many))
    assert narrow.high - narrow.low == pytest.approx(expected, rel=0.1)
    assert narrow.high - narrow.low < first.high - first.low


def test_an_estimate_of_nothing_is_nan_and_unequal_columns_are_refused() -> None:
    found = estimate(lambda x: math.nan, np.zeros(0))
    assert math.isnan(found.value)
    assert str(found) == "none"
    with pytest.raises(ValueError, match="one length"):
        estimate(correlation, np.zeros(3), np.zeros(4))


@pytest.fixture
def sung(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take made tones for singing, which the detector rightly does not."""

    def whole(voice: FloatArray, **_others: object) -> tuple[Region, ...]:
        return (Region(start_s=0.0, end_s=len(voice) / RATE, kind="singing"),)

    monkeypatch.setattr(norms, "find_regions", whole)
    monkeypatch.setattr(rules, "LEAST_TONE_CHANGE_DB", 0.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three karaoke clips of known quality and one acted pair, with their labels."""
    for part in ("nycu_first/vocal", "nycu_first/music", "ravdess_song/audio"):
        (tmp_path / part).mkdir(parents=True)
    grades = ["set,track,rater,instrument_years,score_1to4"]
    for track, (wobble, drift) in enumerate(((90.0, 120.0), (40.0, 50.0), (0.0, 0.0)), start=1):
        take = sing(melody(16, length_s=0.8, wobble_cents=wobble, drift_cents=drift))
        soundfile.write(tmp_path / f"nycu_first/vocal/{track:02d}.flac", take.vocal, RATE)
        music = sing(melody(16, length_s=0.8), tilt=1.0).vocal
        soundfile.write(tmp_path / f"nycu_first/music/{track:02d}.flac", music, RATE)
        grades += [f"first,{track},a,3,{track}", f"first,{track},b,0,{track + 1}"]
    (tmp_path / "nycu_first/ratings.csv").write_text("\n".join(grades), encoding="utf-8")
    rows = ["file,actor,sex,emotion,intensity,statement,repetition,duration_s"]
    for name, vibrato in (("normal", 0.0), ("strong", 60.0)):
        soundfile.write(
            tmp_path / f"ravdess_song/audio/{name}.flac",
            sing(melody(8, length_s=0.6, vibrato_cents=vibrato)).vocal,
            RATE,
        )
        rows.append(f"audio/{name}.flac,1,male,happy,{name},Words,1,6")
    (tmp_path / "ravdess_song/manifest.csv").write_text("\n".join(rows), encoding="utf-8")
    return tmp_path


def test_the_command_prints_and_writes_the_figures_of_a_folder(
    folder: Path, sung: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "ranking.json"
    assert main(["--data", str(folder), "--json", str(out)]) == 0
    found = json.loads(out.read_text(encoding="utf-8"))
    technique = next(
        row
        for row in found["agreements"]
        if row["material"] == "nycu_first" and row["head"] == "technique"
    )
    assert (technique["n"], technique["n_scored"]) == (3, 3)
    assert technique["accuracy"]["value"] == 1.0
    assert technique["correlation"]["value"] > 0.8
    assert {row["material"] for row in found["agreements"]} == {
        "nycu_first",
        "nycu_first, no backing",
    }
    (judges,) = found["judges"]
    assert (judges["n"], judges["n_judges"], judges["accuracy"]["value"]) == (3, 2, 1.0)
    (change,) = found["changes"]
    assert (change["head"], change["n"], change["n_scored"]) == ("emotion", 1, 1)
    assert change["n_refused"] == 2
    assert change["mean"]["value"] > 0.0
    assert found["skipped"] == ["pesnq_edelweiss", "gtsinger"]
    text = capsys.readouterr().out
    assert "| nycu_first | overall | technique | 3 of 3 | 1.00 " in text
    assert "| ravdess_song | strong intensity | emotion | 1 of 1 | 2 of 2 | " in text
    assert "Skipped, not in the folder: gtsinger" in text


def test_a_folder_without_any_set_is_a_fault_of_the_user(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--data", str(tmp_path)]) == 3
    assert "no rated or paired recordings" in capsys.readouterr().err


def test_a_labelled_recording_that_is_missing_is_named(folder: Path) -> None:
    (folder / "nycu_first/vocal/02.flac").unlink()
    with pytest.raises(InputError, match="karaoke 02"):
        measure_ranking(folder)
