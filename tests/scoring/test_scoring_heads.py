"""The heads' file: what it may hold, and what the heads make of measures."""

from __future__ import annotations

import copy
import hashlib
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from singcoach.core.scores import DIMENSIONS, Dimension
from singcoach.errors import ModelError
from singcoach.models.catalogue import Catalogue, VerifiedModel
from singcoach.resources import models_dir
from singcoach.scoring.heads import (
    all_positions,
    head_position,
    overall_position,
    percentile_of,
    standardise,
    to_position,
    to_score,
)
from singcoach.scoring.measures import UNITS
from singcoach.scoring.norms import MARKER, make_norms, rewrite
from singcoach.scoring.specs import QUANTILE_LEVELS, Heads, load_heads, parse_heads, read_heads
from singcoach.scoring.uncertainty import draw_members, member_positions
from singcoach.scoring.wording import PHRASINGS
from singcoach.training.toml_text import toml_text

FILE = models_dir() / "heads-rules.toml"


@pytest.fixture
def document() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def test_the_shipped_heads_load_through_the_catalogue() -> None:
    heads = load_heads()
    assert set(heads.heads) == set(DIMENSIONS)
    assert heads.label.startswith("rules/2 (norms: ")
    assert sum(heads.overall_weights.values()) == pytest.approx(1.0)
    assert {"breath", "emotion"} <= set(heads.warnings)
    for dimension in ("breath", "emotion"):
        assert "calibrated on controlled recordings" in heads.warnings[dimension]


def test_a_changed_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    for file in (FILE, models_dir() / "manifest.toml"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    changed = FILE.read_bytes().replace(b"rules/2", b"rules/3")
    (tmp_path / FILE.name).write_bytes(changed)
    with pytest.raises(ModelError, match="damaged"):
        load_heads(Catalogue([tmp_path]))


def test_every_graded_measure_has_a_sentence_or_is_a_whole_take_number() -> None:
    for head in load_heads().heads.values():
        assert head.weights.keys() <= PHRASINGS.keys() | {"pitch_accuracy", "rhythm_accuracy"}


@pytest.mark.parametrize(
    "name",
    [
        "brightness",
        "spectral_tilt",
        "tone_evenness",
        "audible_breath",
        "scoop_depth",
        "vibrato_extent",
        "vibrato_rate",
    ],
)
def test_what_describes_is_not_graded(name: str) -> None:
    assert all(name not in head.weights for head in load_heads().heads.values())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), "singcoach.heads/1"),
        (("name",), ""),
        (("norms_from",), "two\nlines"),
        (("extra",), 1),
        (("heads", "breath", "spread"), 0.0),
        (("heads", "breath", "margin"), 1.0),
        (("routing", "breath"), "charm"),
        (("routing", "charm"), "rules"),
        (("routing", "overall"), "rules"),
        (("networks",), "many"),
        (("ensemble", "left_out"), 1.0),
        (("ensemble", "weight_spread"), -0.1),
        (("ensemble", "recordings"), 0),
        (("uncertainty", "base"), 0.0),
        (("uncertainty", "calibrated_on"), ""),
        (("uncertainty", "conditions", "short"), -0.1),
        (("uncertainty", "conditions", "charm"), 0.1),
        (("uncertainty", "factors", "overall"), [1.0, 2.0]),
        (("uncertainty", "factors", "overall"), [2.0, 1.0, 3.0]),
        (("uncertainty", "factors", "charm"), [1.0, 2.0, 3.0]),
        (("heads", "breath", "limits"), {"charm": 0.5}),
        (("heads", "breath", "limits"), {"alpha_ratio": 0.5}),
        (("heads", "breath", "limits"), {"level_wobble": "much"}),
        (("heads", "breath", "limits"), {"level_wobble": 2.5}),
        (("heads", "breath", "limits"), {"level_wobble": -2.5}),
        (("heads", "breath", "limits"), [0.5]),
        (("heads", "breath", "weights", "charm"), 1.0),
        (("heads", "breath", "weights", "level_wobble"), "much"),
        (("heads", "breath", "weights", "level_wobble"), float("nan")),
        (("heads", "breath", "weights"), {}),
        (("heads", "charm"), {}),
        (("measures", "harmonicity", "scale"), 0.0),
        (("measures", "harmonicity", "quantiles"), [1.0, 2.0]),
        (("measures", "harmonicity", "quantiles"), list(range(11, 0, -1))),
        (("measures", "harmonicity"), 3),
        (("overall", "weights", "timbre"), True),
    ],
)
def test_a_wrong_value_refuses_the_whole_file(
    document: dict[str, Any], path: tuple[str, ...], value: object
) -> None:
    table = document
    for key in path[:-1]:
        table = table[key]
    table[path[-1]] = value
    with pytest.raises(ValueError, match=r"."):
        read_heads(document)


def test_a_missing_key_refuses_the_whole_file(document: dict[str, Any]) -> None:
    for key in document:
        less = {k: v for k, v in document.items() if k != key}
        with pytest.raises(ValueError, match=key):
            read_heads(less)


def test_heads_of_the_former_format_are_refused_by_name(document: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="made for another version of SingCoach"):
        read_heads({**document, "schema": "singcoach.heads/1"})


def test_routing_may_name_a_network_of_the_file(document: dict[str, Any]) -> None:
    table = {"file": "some.onnx"}
    document["networks"] = {"some": table}
    document["routing"]["timbre"] = "some"
    heads = read_heads(document)
    assert heads.routing["timbre"] == "some"
    assert heads.routing["breath"] == "rules"
    assert heads.networks == {"some": table}


@given(st.binary(max_size=200))
@settings(deadline=None, max_examples=200)
def test_no_bytes_leave_another_error_than_a_damaged_model(content: bytes) -> None:
    entry = Catalogue.default().require("heads").entry
    with pytest.raises(ModelError, match="damaged"):
        parse_heads(VerifiedModel(entry=entry, content=content))


def test_the_manifest_names_this_very_file() -> None:
    model = Catalogue.default().require("heads")
    assert model.entry.sha256 == hashlib.sha256(FILE.read_bytes()).hexdigest()
    assert model.entry.card.is_file()


@given(st.floats(-20.0, 20.0), st.floats(0.001, 5.0))
def test_the_map_to_scores_is_monotone_and_inside_one_to_five(x: float, step: float) -> None:
    assert 1.0 <= to_score(x) <= to_score(x + step) <= 5.0


@given(st.floats(-6.0, 6.0))
def test_a_score_leads_back_to_its_position(x: float) -> None:
    assert to_position(to_score(x)) == pytest.approx(x, abs=1e-6)


def test_the_middle_of_the_norms_is_three() -> None:
    assert to_score(0.0) == 3.0
    assert to_score(1.0) == pytest.approx(4.0, abs=0.01)
    assert to_score(-1.0) == pytest.approx(2.0, abs=0.01)


def test_each_measure_moves_its_score_by_its_sign() -> None:
    heads = load_heads()
    middle = {n: np.array([heads.norms[n].median if n in heads.norms else np.nan]) for n in UNITS}
    for dimension, head in heads.heads.items():
        before = all_positions(middle, heads)[dimension][0]
        for name, weight in head.weights.items():
            # Towards the bad side, where no limit stops it.
            norm = heads.norms[name]
            worse = {**middle, name: np.array([norm.median - np.sign(weight) * norm.scale])}
            assert all_positions(worse, heads)[dimension][0] < before, name


def test_one_wild_measure_cannot_carry_a_head() -> None:
    heads = load_heads()
    norm = heads.norms["harmonicity"]
    values = np.array([1e6, norm.median + 3 * norm.scale])
    z = standardise(values, norm)
    assert z[0] <= 2.5
    assert z[0] > z[1] > 2.0


def limited(document: dict[str, Any], dimension: str, **limits: float) -> Heads:
    changed = copy.deepcopy(document)
    changed["heads"][dimension]["limits"] = limits
    return read_heads(changed)


@pytest.mark.parametrize(
    ("dimension", "name", "better"),
    [("timbre", "alpha_ratio", 1.0), ("breath", "level_movement", -1.0)],
)
def test_beyond_its_limit_a_measure_earns_nothing_and_below_it_all(
    document: dict[str, Any], dimension: Dimension, name: str, better: float
) -> None:
    free, heads = limited(document, dimension), limited(document, dimension, **{name: 0.5})
    norm, head = heads.norms[name], heads.heads[dimension]
    steps = np.array([-2.0, 0.0, 0.4, 0.6, 2.0, 50.0])
    others = {n: np.full(steps.size, heads.norms[n].median) for n in head.weights}
    values = {**others, name: norm.median + better * steps * norm.scale}
    found = head_position(values, head=head, norms=heads.norms)
    as_before = head_position(values, head=free.heads[dimension], norms=heads.norms)
    assert (np.diff(found[:4]) > 0.0).all()
    assert found[3] == found[4] == found[5] < as_before[3]
    np.testing.assert_array_equal(found[:3], as_before[:3])
    wild = {**values, name: np.full(steps.size, norm.median + better * 1e6)}
    members = draw_members(heads, count=steps.size)
    more = {**values, name: np.full(steps.size, norm.median + better * 9e5)}
    drawn = [member_positions(v, members, heads)[dimension] for v in (wild, more)]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert (drawn[0] <= member_positions(wild, members, free)[dimension]).all()


def test_limits_survive_the_writer_of_packs(document: dict[str, Any]) -> None:
    changed = copy.deepcopy(document)
    changed["heads"]["timbre"]["limits"] = {"alpha_ratio": 0.5, "dullness": -0.25}
    again = read_heads(tomllib.loads(toml_text(changed))).heads["timbre"]
    assert again.limits == {"alpha_ratio": 0.5, "dullness": -0.25}
    assert again.bounds == {"alpha_ratio": (-np.inf, 0.5), "dullness": (0.25, np.inf)}


def test_norms_place_a_head_as_it_judges_with_its_limits() -> None:
    text = FILE.read_text(encoding="utf-8")
    changed = text.replace("alpha_ratio = 0.0\n", "alpha_ratio = -0.25\n", 1)
    assert changed != text
    random = np.random.default_rng(5)
    columns = {
        name: norm.median + norm.scale * random.standard_normal(60)
        for name, norm in load_heads().norms.items()
    }
    for written in (text, changed):
        heads = read_heads(tomllib.loads(rewrite(written, columns)))
        found = all_positions(columns, heads)["timbre"]
        assert np.median(found) == pytest.approx(0.0, abs=2e-3)
        low, high = np.percentile(found, [16.0, 84.0])
        assert (high - low) / 2.0 == pytest.approx(1.0, abs=2e-3)


def test_missing_measures_leave_the_head_to_the_others_until_too_few_are_left() -> None:
    heads = load_heads()
    head = heads.heads["timbre"]
    medians = {n: np.array([heads.norms[n].median]) for n in head.weights}
    one_missing = {**medians, "alpha_ratio": np.array([np.nan])}
    none_left = {n: np.array([np.nan]) for n in head.weights}
    assert np.isfinite(head_position(one_missing, head=head, norms=heads.norms)[0])
    assert np.isnan(head_position(none_left, head=head, norms=heads.norms)[0])


def test_overall_needs_technique() -> None:
    heads = load_heads()
    positions = {d: np.array([1.0]) for d in DIMENSIONS}
    assert overall_position(positions, heads)[0] == pytest.approx(1.0)
    positions["technique"] = np.array([np.nan])
    assert np.isnan(overall_position(positions, heads)[0])


def test_percentiles_follow_the_table() -> None:
    norm = load_heads().norms["harmonicity"]
    for quantile, level in zip(norm.quantiles, QUANTILE_LEVELS, strict=True):
        assert percentile_of(quantile, norm, QUANTILE_LEVELS) == pytest.approx(level)
    assert percentile_of(-1e5, norm, QUANTILE_LEVELS) < 2.0
    assert percentile_of(1e5, norm, QUANTILE_LEVELS) > 98.0


def test_norms_of_known_numbers() -> None:
    column = np.append(np.arange(101.0), np.nan)
    norm = make_norms({"harmonicity": column})["harmonicity"]
    assert norm.median == 50.0
    assert norm.scale == pytest.approx(50.0 / 1.349, rel=1e-3)
    assert norm.quantiles == QUANTILE_LEVELS
    assert make_norms({"harmonicity": np.array([np.nan])}) == {}


def test_rewriting_keeps_the_words_and_makes_a_readable_file(document: dict[str, Any]) -> None:
    generator = np.random.default_rng(3)
    columns = {name: generator.normal(5.0, 2.0, 80) for name in UNITS}
    text = rewrite(FILE.read_text(encoding="utf-8"), columns)
    again = tomllib.loads(text)
    heads = read_heads(again)
    for dimension in DIMENSIONS:
        assert again["heads"][dimension]["weights"] == document["heads"][dimension]["weights"]
    for table in ("routing", "ensemble", "uncertainty"):
        assert again[table] == document[table]
    # The recordings of the norms lie around the middle of their own scale.
    for position in all_positions(columns, heads).values():
        assert np.median(position) == pytest.approx(0.0, abs=0.01)
    assert text.count(MARKER) == 1
    assert rewrite(text, columns) == text
    assert copy.deepcopy(again) == tomllib.loads(text)
