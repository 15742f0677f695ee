"""Uncertainty: the ensemble, what widens an interval, and the calibration on human ratings."""

from __future__ import annotations

import itertools
import math
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scoring_takes import melody, sing

from singcoach.core.arrays import RealArray
from singcoach.core.scores import DIMENSIONS
from singcoach.core.take import Take
from singcoach.errors import InputError
from singcoach.resources import models_dir
from singcoach.scoring import calibration, score_take
from singcoach.scoring.conformal import (
    STAND_INS,
    UNRATED_FACTOR,
    Case,
    conformal_factor,
    corpus_factors,
    left_out_factors,
    shipped_factors,
)
from singcoach.scoring.coverage import by_difference, cover, ordered, to_text
from singcoach.scoring.heads import to_score
from singcoach.scoring.judges import make_judges
from singcoach.scoring.measures import read_measures
from singcoach.scoring.moments import moment_starts
from singcoach.scoring.score import measure_take, whole_take_readings
from singcoach.scoring.specs import NOMINAL, SCORED, Heads, load_heads, read_heads
from singcoach.scoring.uncertainty import (
    conditions,
    draw_members,
    drawn_spread,
    interval,
    member_positions,
    standard_error,
    unusualness,
)

FILE = models_dir() / "heads-rules.toml"
GENERATOR = np.random.default_rng(11)


@pytest.fixture(scope="module")
def heads() -> Heads:
    return load_heads()


@pytest.fixture(scope="module")
def take() -> Take:
    return sing(
        [
            [replace(tone, drift_cents=15.0 * (-1) ** (i + j)) for i, tone in enumerate(tones)]
            for j, tones in enumerate(melody(40, length_s=0.8, vibrato_cents=25.0))
        ],
        noise_db=-35.0,
    )


def errors_of(take: Take, heads: Heads) -> dict[str, float]:
    return dict(measure_take(take, heads).errors)


def values_at(heads: Heads, shift: float, count: int = 1) -> dict[str, RealArray]:
    """Every measure so many scale units from the middle of the norms, on its better side."""
    signs = {n: math.copysign(1.0, w) for h in heads.heads.values() for n, w in h.weights.items()}
    return {
        name: np.full(count, norm.median + shift * signs.get(name, 0.0) * norm.scale)
        for name, norm in heads.norms.items()
    }


def test_the_ensemble_is_the_same_on_every_call_and_keeps_the_signs(heads: Heads) -> None:
    first, second = draw_members(heads, count=300), draw_members(heads, count=300)
    for dimension in DIMENSIONS:
        for name, weight in heads.heads[dimension].weights.items():
            drawn = first.weights[dimension][name]
            assert np.array_equal(drawn, second.weights[dimension][name])
            assert (drawn * weight >= 0.0).all()
            left_out = float((drawn == 0.0).mean())
            assert left_out == pytest.approx(heads.ensemble.left_out, abs=0.1)
            asked = np.abs(drawn[drawn != 0.0] / weight)
            assert np.median(asked) == pytest.approx(1.0, abs=0.2)
        everything = np.stack(list(first.weights[dimension].values()))
        assert (np.abs(everything).sum(axis=0) > 0.0).all()


def test_redrawn_norms_lie_around_the_norms_and_closer_with_more_recordings(heads: Heads) -> None:
    few = draw_members(replace(heads, ensemble=replace(heads.ensemble, recordings=20)), count=400)
    many = draw_members(
        replace(heads, ensemble=replace(heads.ensemble, recordings=2000)), count=400
    )
    for name in ("harmonicity", "scale_deviation", "dynamics_range"):
        norm = heads.norms[name]
        assert np.median(many.medians[name]) == pytest.approx(norm.median, abs=0.1 * norm.scale)
        assert many.medians[name].std() < 0.3 * few.medians[name].std()
        assert many.scales[name].std() < few.scales[name].std()


def test_members_disagree_more_the_less_the_measures_agree(heads: Heads) -> None:
    members = draw_members(heads)
    agreeing = values_at(heads, 0.5, len(members.spreads["breath"]))
    torn = dict(agreeing)
    for name in list(heads.heads["breath"].weights)[::2]:
        norm = heads.norms[name]
        torn[name] = 2.0 * norm.median - agreeing[name]
    one, other = (member_positions(v, members, heads)["breath"] for v in (agreeing, torn))
    assert np.nanstd(other) > np.nanstd(one)


def test_members_agree_with_the_head_on_average(heads: Heads) -> None:
    members = draw_members(heads)
    values = values_at(heads, 0.5, len(members.spreads["breath"]))
    readings = {name: column[:1] for name, column in values.items()}
    from singcoach.scoring.heads import all_positions

    own = all_positions(readings, heads)
    for dimension, drawn in member_positions(values, members, heads).items():
        assert np.median(drawn) == pytest.approx(own[dimension][0], abs=0.35), dimension


def test_nothing_is_unusual_about_the_middle_and_much_about_what_lies_far_outside(
    heads: Heads,
) -> None:
    middle = {name: float(x[0]) for name, x in values_at(heads, 0.0).items()}
    assert unusualness(middle, heads) == dict.fromkeys(DIMENSIONS, 0.0)
    for name in ("harmonicity", "brightness"):
        norm = heads.norms[name]
        odd = unusualness({**middle, name: norm.quantiles[-1] + 2.0 * norm.scale}, heads)
        assert all(x > 0.0 for x in odd.values())
        odder = unusualness({**middle, name: norm.quantiles[-1] + 3.0 * norm.scale}, heads)
        assert all(odder[d] > odd[d] for d in DIMENSIONS)
    missing = unusualness({**middle, "brightness": math.nan}, heads)
    assert missing == dict.fromkeys(DIMENSIONS, 0.0)


def test_an_odd_take_is_less_certain_than_a_plain_one(take: Take, heads: Heads) -> None:
    plain = errors_of(take, heads)
    # The same melody as a gliding buzz without upper harmonics: nothing like the norms' voices.
    odd = sing(
        [
            [replace(t, wobble_cents=150.0, wobble_db=10.0, drift_cents=300.0) for t in tones]
            for tones in melody(40, length_s=0.8)
        ],
        noise_db=-5.0,
        tilt=4.0,
    )
    wider = errors_of(odd, heads)
    for name in ("timbre", "breath", "overall"):
        assert wider[name] > 1.1 * plain[name], name


def test_each_condition_widens(take: Take, heads: Heads) -> None:
    plain = errors_of(take, heads)
    heard = take.screening
    changed = {
        "separated": replace(take, kind="mixture"),
        "noisy": replace(take, screening=replace(heard, recording_quality=2.0)),
        "worse": replace(take, screening=replace(heard, recording_quality=1.2)),
        "clipped": replace(take, screening=replace(heard, clipped_share=0.02)),
        "weak": replace(take, screening=replace(heard, verdict="weak")),
        "short": replace(take, screening=replace(heard, voiced_s=heard.voiced_s / 3.0)),
    }
    errors = {name: errors_of(one, heads) for name, one in changed.items()}
    for name, found in errors.items():
        assert all(found[part] > plain[part] for part in SCORED), name
    assert all(errors["worse"][part] > errors["noisy"][part] for part in SCORED)
    assert errors["clipped"] == errors["noisy"]


def test_noise_and_clipping_add_up_to_a_limit(take: Take) -> None:
    def noisy(quality: float | None, clipped: float) -> float:
        heard = replace(take.screening, recording_quality=quality, clipped_share=clipped)
        return conditions(replace(take, screening=heard))["noisy"]

    assert noisy(2.5, 0.01) == pytest.approx(1.0)
    assert noisy(None, 0.01) == pytest.approx(0.5)
    assert noisy(1.5, 0.04) == noisy(1.0, 1.0) == 2.0


def test_a_good_recording_and_an_unheard_one_widen_nothing(take: Take) -> None:
    fine = replace(take, screening=replace(take.screening, recording_quality=4.0))
    assert conditions(fine) == conditions(take)


def test_few_moments_are_not_taken_for_certainty() -> None:
    drawn = GENERATOR.normal(0.0, 1.0, 4000)
    assert drawn_spread(drawn, n_moments=1000) == pytest.approx(1.0, abs=0.05)
    spreads = [drawn_spread(drawn, n_moments=n) for n in (1, 2, 4, 16)]
    assert spreads == sorted(spreads, reverse=True)
    assert spreads[0] > 1.5
    assert drawn_spread(np.array([np.nan, 1.0]), n_moments=3) == 0.0


def test_parts_of_the_error_add_in_quadrature(heads: Heads) -> None:
    bare = standard_error(np.zeros(50), n_moments=5, found={}, heads=heads)
    assert bare == heads.uncertainty.base
    unusual = standard_error(np.zeros(50), n_moments=5, found={"unusual": 2.0}, heads=heads)
    own = heads.uncertainty.conditions["unusual"] * 2.0
    assert unusual == pytest.approx(math.hypot(bare, own))


def test_intervals_nest_and_stay_on_the_scale(heads: Heads) -> None:
    for scored in SCORED:
        for position in (-4.0, 0.0, 4.0):
            bounds = [interval(position, 0.7, scored, heads, nominal=n) for n in NOMINAL]
            for low, high in bounds:
                assert 1.0 <= low <= to_score(position) <= high <= 5.0
            for inner, outer in itertools.pairwise(bounds):
                assert outer[0] <= inner[0]
                assert outer[1] >= inner[1]
    with pytest.raises(ValueError, match="tuple"):
        interval(0.0, 0.7, "overall", heads, nominal=0.9)


def made_case(
    corpus: str = "a", *, n: int = 400, spread: float = 1.0, scored: str = "overall", seed: int = 0
) -> Case:
    """Scores whose errors are really ``spread`` times what they are told to be."""
    generator = np.random.default_rng(seed)
    errors = generator.uniform(0.1, 0.4, n)
    scores = generator.uniform(2.2, 3.8, n)
    return Case(
        corpus=corpus,
        condition="",
        scored=scored,  # type: ignore[arg-type]
        ratings=("overall",),
        calibrates=True,
        scores=scores,
        errors=errors,
        human=scores + spread * errors * generator.standard_normal(n),
    )


def test_the_factor_is_the_rank_that_a_new_take_needs() -> None:
    ratios = np.arange(1.0, 11.0)
    # ceil(11 * 0.8) = 9, ceil(11 * 0.5) = 6.
    assert conformal_factor(ratios, 0.8) == 9.0
    assert conformal_factor(ratios, 0.5) == 6.0
    # Ten residuals cannot vouch for 95 %: the normal distribution has to.
    assert conformal_factor(ratios, 0.95) == pytest.approx(9.0 * 1.96 / 1.2816, rel=1e-3)
    assert conformal_factor(ratios[:1], 0.8) == 1.0
    with pytest.raises(ValueError, match="no residuals"):
        conformal_factor(np.zeros(0), 0.8)


@pytest.mark.parametrize("spread", [0.5, 1.0, 2.5])
def test_calibrated_intervals_cover_new_takes_as_often_as_they_say(spread: float) -> None:
    factors = corpus_factors([made_case(spread=spread, seed=1)], "overall")["a"]
    new = made_case(spread=spread, n=2000, seed=2)
    for factor, nominal in zip(factors, NOMINAL, strict=True):
        assert cover(new, factor).value == pytest.approx(nominal, abs=0.06)


def test_a_left_out_corpus_is_covered_by_what_the_other_knows() -> None:
    sure, unsure = made_case("sure", spread=0.5, seed=1), made_case("unsure", spread=1.5, seed=2)
    cases = [sure, unsure]
    for_sure, for_unsure = (left_out_factors(cases, case) for case in cases)
    assert for_sure is not None
    assert for_unsure is not None
    assert cover(sure, for_sure[1]).value > 0.95
    assert cover(unsure, for_unsure[1]).value < 0.6
    assert left_out_factors([sure], sure) is None


def every_case(n: int = 400, **spreads: float) -> list[Case]:
    return [
        made_case(corpus, n=n, spread=spread, scored=scored, seed=i)
        for i, scored in enumerate(SCORED)
        for corpus, spread in spreads.items()
    ]


def test_the_wider_corpus_decides_and_unrated_scores_get_more() -> None:
    factors = shipped_factors(every_case(first=0.5, second=1.5))
    for scored, found in factors.items():
        own = corpus_factors(every_case(first=0.5, second=1.5), scored)["second"]
        more = UNRATED_FACTOR if scored in STAND_INS else 1.0
        assert found == pytest.approx([more * x for x in own], rel=0.02)
        assert all(a >= more * b for a, b in zip(found, own, strict=True))
    with pytest.raises(InputError, match="timbre"):
        shipped_factors([case for case in every_case(first=1.0) if case.scored != "timbre"])


def test_only_its_own_table_is_rewritten_and_again_gives_the_same() -> None:
    text = FILE.read_text(encoding="utf-8")
    changed = calibration.rewrite(text, every_case(nycu_first=1.0, pesnq_edelweiss=1.3))
    before, after = tomllib.loads(text), tomllib.loads(changed)
    own = after.pop("uncertainty")
    former = before.pop("uncertainty")
    assert after == before
    assert own["base"] == former["base"]
    assert own["conditions"] == former["conditions"]
    assert "nycu_first (400)" in own["calibrated_on"]
    assert read_heads(tomllib.loads(changed)).uncertainty.factors["overall"][1] > 1.2
    again = calibration.rewrite(changed, every_case(nycu_first=1.0, pesnq_edelweiss=1.3))
    assert again == changed
    with pytest.raises(ValueError, match="marks"):
        calibration.rewrite(text.replace("# Made by", "# made by"), [])


def test_pairs_far_apart_are_ordered_and_close_ones_are_tossed() -> None:
    case = made_case(n=50, seed=4)
    apart, n_apart = ordered(case, 1.3, apart=True)
    lapping, n_lapping = ordered(case, 1.3, apart=False)
    assert n_apart + n_lapping == 50 * 49 // 2
    assert apart.value > 0.97
    assert lapping.value < apart.value
    near, _ = by_difference(case, 1.3, 0.0, 0.25)
    far, _ = by_difference(case, 1.3, 1.0, math.inf)
    assert near.value < 0.7 < far.value


def test_the_tables_name_every_corpus_and_score(heads: Heads) -> None:
    text = to_text(every_case(12, first=1.0, second=1.2), heads)
    for title in ("Factors", "Cover", "Intervals against order", "Difference against order"):
        assert f"### {title}" in text
    for scored in SCORED:
        assert f"| first | whole | {scored} | overall | 12 | " in text


def test_the_shipped_factors_say_where_they_come_from(heads: Heads) -> None:
    told = heads.uncertainty.calibrated_on
    assert "nycu_first (51)" in told
    assert "pesnq_edelweiss (10)" in told
    for scored in SCORED:
        half, eighty, most = heads.uncertainty.factors[scored]
        assert 0.3 < half < eighty < most < 10.0


def test_a_folder_without_the_rated_sets_is_a_fault_of_the_user(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert calibration.main(["--data", str(tmp_path)]) == 3
    assert "nycu_first is missing" in capsys.readouterr().err


def test_a_routed_network_that_is_not_open_leaves_the_dimension_to_the_rules(
    take: Take, heads: Heads
) -> None:
    routed = replace(
        heads, routing={**heads.routing, "timbre": "some"}, networks={"some": {"file": "some.onnx"}}
    )
    scores, plain = score_take(take, heads=routed), score_take(take, heads=heads)
    assert scores.dimensions == plain.dimensions
    assert "The head some is not open, so the rules judged timbre" in scores.warnings
    readings = read_measures(take) | whole_take_readings(take)
    judges, warnings = make_judges(take, readings, moment_starts(take), heads, {})
    assert warnings == ()
    assert judges["timbre"].encoder is None
