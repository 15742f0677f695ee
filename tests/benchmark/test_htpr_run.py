"""The benchmark from files to tables: figures, small and strange sets, the command."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from singcoach.benchmark.htpr.lines import to_lines
from singcoach.benchmark.htpr.report import validate_document
from singcoach.benchmark.htpr.run import Options, run_htpr
from singcoach.cli.main import main

RATERS = ("r1", "r2", "r3", "r4")


def write_ratings(
    path: Path, scores: Mapping[str, Sequence[float]], *, extra: Mapping[str, str] | None = None
) -> Path:
    rows = ["item,rater,score,song"]
    for item, given in scores.items():
        song = (extra or {}).get(item, "one")
        rows += [
            f"{item},{r},{g},{song}"
            for r, g in zip(RATERS, given, strict=False)
            if math.isfinite(g)
        ]
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def write_scores(path: Path, scores: Mapping[str, float | None]) -> Path:
    rows = [f"{item},{'' if score is None else score}" for item, score in scores.items()]
    path.write_text("\n".join(["item,score", *rows]), encoding="utf-8")
    return path


def run(
    tmp_path: Path,
    ratings: Mapping[str, Sequence[float]],
    scores: Mapping[str, float | None],
    *,
    extra: Mapping[str, str] | None = None,
    **options: Any,
) -> dict[str, Any]:
    report = run_htpr(
        write_ratings(tmp_path / "ratings.csv", ratings, extra=extra),
        audio=None,
        predictions_path=write_scores(tmp_path / "scores.csv", scores),
        options=Options(scores_for={}, n_draws=200, **options),
    )
    assert "\n".join(to_lines(report))
    document = report.to_document()
    json.dumps(document, allow_nan=False)
    return document


TWELVE = {f"i{n:02d}": [1 + n // 3, 1 + n // 4, 1 + n // 3, 1 + n // 2] for n in range(12)}


def test_perfect_scores_reach_every_figure(tmp_path: Path) -> None:
    means = {item: float(np.mean(given)) for item, given in TWELVE.items()}
    document = run(tmp_path, TWELVE, {i: 1 + 4 * (m - 1) / 5 for i, m in means.items()})
    overall = document["dimensions"]["overall"]
    model = {name: figure["value"] for name, figure in overall["model"].items()}
    assert model.pop("mae") == pytest.approx(0.0, abs=1e-6)
    assert model == dict.fromkeys(model, 1.0)
    sizes = {"low": 4, "middle": 4, "high": 4, "note": None}
    assert overall["tiers"] == {**sizes, "low_up_to": 1.75, "middle_up_to": 3.0}
    assert overall["difference"]["tier_pair_accuracy"]["value"] == pytest.approx(
        1.0 - overall["human"]["figures"]["tier_pair_accuracy"]["value"]
    )
    assert document["scale"] == {"low": 1.0, "high": 6.0, "from": "ratings"}
    assert document["items"]["scored"] == 12


def test_scores_upside_down_and_alike(tmp_path: Path) -> None:
    down = run(tmp_path, TWELVE, {item: 5.0 - n / 4 for n, item in enumerate(TWELVE)})
    model = down["dimensions"]["overall"]["model"]
    assert model["tier_pair_accuracy"]["value"] == 0.0
    assert model["kendall"]["value"] < -0.9
    alike = run(tmp_path, TWELVE, dict.fromkeys(TWELVE, 3.0))["dimensions"]["overall"]
    assert alike["model"]["tier_pair_accuracy"]["value"] == 0.5
    assert alike["model"]["spearman"] == {
        **dict.fromkeys(("value", "low80", "high80", "low95", "high95")),
        "reason": "all ratings or all scores are alike, or too few",
    }
    assert alike["spread_model"]["share_in_middle"] == 1.0
    assert alike["spread_model"]["sd"] == 0.0


def test_a_missing_score_counts_half_in_pairs_and_nowhere_else(tmp_path: Path) -> None:
    scores: dict[str, float | None] = {item: float(n) for n, item in enumerate(TWELVE)}
    scores["i00"] = None
    document = run(tmp_path, TWELVE, scores)
    overall = document["dimensions"]["overall"]
    assert overall["n_scored"] == 11
    assert overall["model"]["tier_pair_accuracy"]["value"] == pytest.approx((48 - 4) / 48)
    assert overall["model"]["spearman"]["value"] > 0.95
    del scores["i00"]
    document = run(tmp_path, TWELVE, scores)
    assert document["items"]["without_recording"] == ["i00"]
    assert document["dimensions"]["overall"]["model"]["tier_pair_accuracy"]["value"] < 1.0


def test_one_rater_and_constant_ratings_are_null_with_a_reason(tmp_path: Path) -> None:
    scores = {item: float(n) for n, item in enumerate(TWELVE)}
    one = run(tmp_path, {i: g[:1] for i, g in TWELVE.items()}, scores)["dimensions"]["overall"]
    assert one["model"]["tier_pair_accuracy"]["value"] == 1.0
    assert one["human"]["n_raters"] == 0
    assert one["human"]["figures"]["spearman"]["reason"] == "needs two raters or more"
    assert one["agreement"]["icc_2_1"]["reason"] == "needs two raters or more"
    assert one["difference"]["spearman"]["value"] is None
    same = run(tmp_path, dict.fromkeys(TWELVE, [3.0] * 4), scores)["dimensions"]["overall"]
    assert same["model"]["tier_pair_accuracy"]["value"] is None
    assert "tiers" in same["model"]["tier_pair_accuracy"]["reason"]
    assert same["model"]["mae"]["reason"] == "the ratings have no extent"
    assert same["agreement"]["exact_agreement"]["value"] == 1.0
    assert same["agreement"]["alpha_interval"]["value"] is None
    assert "tiers" in same["tiers"]["note"]


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_tiny_sets_are_told(tmp_path: Path, n: int) -> None:
    few = dict(list(TWELVE.items())[:: 12 // n][:n])
    overall = run(tmp_path, few, dict.fromkeys(few, 2.0))["dimensions"]["overall"]
    assert (overall["model"]["tier_pair_accuracy"]["value"] is None) == (n < 3)
    if n < 3:
        assert overall["model"]["mae"]["reason"] == "fewer than 3 items"
        assert overall["tiers"]["note"] == "fewer than 3 items"
    assert "no rater shares 5 items" in overall["human"]["figures"]["kendall"]["reason"]


def test_raters_with_few_items_stay_out_of_the_ceiling(tmp_path: Path) -> None:
    generator = np.random.default_rng(4)
    ratings = {f"i{n}": [*(n / 5 + generator.normal(0, 0.5, 3)), math.nan] for n in range(20)}
    full = run(tmp_path, ratings, dict.fromkeys(ratings, 1.0))["dimensions"]["overall"]["human"]
    for item in list(ratings)[:4]:
        ratings[item][3] = 5.0 - ratings[item][0]
    some = run(tmp_path, ratings, dict.fromkeys(ratings, 1.0))["dimensions"]["overall"]["human"]
    assert (full["n_raters"], full["n_raters_left_out"]) == (3, 0)
    assert (some["n_raters"], some["n_raters_left_out"]) == (3, 1)


def test_pairs_within_one_song_and_whole_songs_drawn(tmp_path: Path) -> None:
    songs = {item: f"song {n % 3}" for n, item in enumerate(TWELVE)}
    scores = {item: float(n // 3) + 10.0 * (n % 3) for n, item in enumerate(TWELVE)}
    document = run(tmp_path, TWELVE, scores, extra=songs, within="song", cluster="song")
    overall = document["dimensions"]["overall"]
    assert overall["within"]["n_groups"] == 3
    assert overall["within"]["model"]["value"] == 1.0
    assert overall["model"]["tier_pair_accuracy"]["value"] < 0.8
    assert document["bootstrap"]["over"] == "song"
    plain = run(tmp_path, TWELVE, scores, extra=songs)
    assert any("--cluster song" in warning for warning in plain["warnings"])
    assert plain["dimensions"]["overall"]["within"] is None


def test_a_wider_scale_moves_mae_alone(tmp_path: Path) -> None:
    from singcoach.benchmark.htpr.compare import Scale

    scores = {item: 1 + n / 3 for n, item in enumerate(TWELVE)}
    found = run(tmp_path, TWELVE, scores)["dimensions"]["overall"]["model"]
    wide = run(tmp_path, TWELVE, scores, scale=Scale(low=0.0, high=100.0))
    model = wide["dimensions"]["overall"]["model"]
    assert wide["scale"]["from"] == "given"
    assert model["mae"]["value"] > found["mae"]["value"]
    assert model["spearman"] == found["spearman"]
    narrow = run(tmp_path, TWELVE, scores, scale=Scale(low=2.0, high=3.0))
    assert any("outside of the scale" in warning for warning in narrow["warnings"])


def test_the_same_seed_gives_the_same_document(tmp_path: Path) -> None:
    scores = {item: float((7 * n) % 12) for n, item in enumerate(TWELVE)}
    first = run(tmp_path, TWELVE, scores)
    assert first == run(tmp_path, TWELVE, scores)
    other = run(tmp_path, TWELVE, scores, seed=1)["dimensions"]["overall"]["model"]["spearman"]
    same = first["dimensions"]["overall"]["model"]["spearman"]
    assert (other["value"], other["low95"]) != (None, same["low95"])
    assert other["value"] == same["value"]


def test_a_dimension_without_a_score_has_its_raters_still(tmp_path: Path) -> None:
    path = tmp_path / "ratings.csv"
    rows = [
        f"{item},{rater},pitch,{grade}"
        for item, given in TWELVE.items()
        for rater, grade in zip(RATERS, given, strict=True)
    ]
    path.write_text("\n".join(["item,rater,dimension,score", *rows]), encoding="utf-8")
    scores = tmp_path / "scores.csv"
    scores.write_text(
        "\n".join(["item,dimension,score", *(f"{i},technique,{n}" for n, i in enumerate(TWELVE))])
    )
    found = [
        run_htpr(
            path,
            audio=None,
            predictions_path=scores,
            options=Options(scores_for=mapping, n_draws=100),
        ).to_document()["dimensions"]["pitch"]
        for mapping in ({}, {"pitch": "technique"})
    ]
    assert found[0]["score"] is None
    assert "--map pitch=NAME" in found[0]["reason"]
    assert found[0]["model"]["spearman"]["reason"] == found[0]["reason"]
    assert found[0]["human"] == found[1]["human"]
    assert found[1]["score"] == "technique"
    assert found[1]["model"]["spearman"]["value"] > 0.95


def test_raters_alone_can_be_described(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ratings = write_ratings(tmp_path / "r.csv", TWELVE)
    assert main(["bench", "htpr", "--ratings", str(ratings), "--draws", "100"]) == 0
    printed = capsys.readouterr().out
    assert "ICC(2,1)" in printed
    assert "Scores: none given" in printed
    document = run_htpr(ratings, options=Options(scores_for={}, n_draws=100)).to_document()
    overall = document["dimensions"]["overall"]
    assert document["source"]["kind"] == "none"
    assert overall["model"]["spearman"]["reason"] == "no scores were given"
    assert overall["human"]["figures"]["spearman"]["value"] > 0.9
    assert (document["items"]["scored"], document["items"]["without_recording"]) == (0, [])


def test_the_command_prints_tables_and_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ratings = write_ratings(tmp_path / "r.csv", TWELVE)
    scores = write_scores(tmp_path / "s.csv", {i: float(n) for n, i in enumerate(TWELVE)})
    base = ["bench", "htpr", "--ratings", str(ratings), "--predictions", str(scores)]
    out = tmp_path / "out.json"
    assert main([*base, "--draws", "100", "--json", str(out)]) == 0
    printed = capsys.readouterr()
    assert "tier-pair accuracy" in printed.out
    assert "12 items, 4 raters, 48 ratings" in printed.out
    assert printed.err == ""
    assert main([*base, "--draws", "100", "--json", "-"]) == 0
    document = json.loads(capsys.readouterr().out)
    validate_document(document)
    assert document == json.loads(out.read_text(encoding="utf-8"))
    document["dimensions"]["overall"]["model"]["spearman"]["low80"] = None
    with pytest.raises(ValueError, match="spearman"):
        validate_document(document)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "needs --ratings"),
        (["--key", "k", "--audio", ".", "--predictions", "s.csv"], 2, "either"),
        (["--ratings", "r.csv", "--audio", ".", "--predictions", "s.csv"], 2, "either"),
        (["--key", "k", "--ratings", "r.csv"], 2, "needs --ratings, or --key"),
        (["--key", "k"], 2, "--key needs --predictions"),
        (["--ratings", "r.csv", "--predictions", "s.csv", "--scale", "5", "1"], 2, "lower end"),
        (["--ratings", "r.csv", "--predictions", "s.csv", "--scale", "nan", "1"], 2, "lower end"),
        (["--ratings", "r.csv", "--predictions", "s.csv", "--backing", "."], 2, "--backing"),
        (["--ratings", "r.csv", "--predictions", "s.csv", "--draws", "5"], 2, ""),
        (["--ratings", "none.csv", "--predictions", "s.csv"], 3, "does not exist"),
        (["--ratings", "r.csv", "--predictions", "other.csv"], 3, "None of the 12 items"),
        (["--ratings", "r.csv", "--audio", "empty"], 3, "holds no recordings"),
        (["--ratings", "r.csv", "--audio", "none"], 3, "is not a folder"),
        (["--ratings", "r.csv", "--predictions", "s.csv", "--json", "r.csv"], 3, "overwritten"),
        (["--ratings", "r.csv", "--predictions", "s.csv", "--within", "choir"], 3, "no column"),
    ],
)
def test_faults_are_one_sentence_with_the_right_code(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_ratings(Path("r.csv"), TWELVE)
    write_scores(Path("s.csv"), {i: float(n) for n, i in enumerate(TWELVE)})
    write_scores(Path("other.csv"), {"x": 1.0})
    Path("empty").mkdir()
    assert main(["bench", "htpr", *arguments]) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in printed.err
    assert "Traceback" not in printed.err
    if code == 3:
        assert printed.err.count("\n") == 1


def test_the_benchmark_is_loaded_only_when_it_runs() -> None:
    code = (
        "import sys; from singcoach.cli.main import build_parser; build_parser(); "
        "sys.exit(any(name.startswith('singcoach.benchmark') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
