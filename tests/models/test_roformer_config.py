from __future__ import annotations

import dataclasses
import json
import math

import pytest
from roformers import FAMILY, SMALL

from singcoach.errors import ModelError
from singcoach.models.roformer.config import (
    KIM,
    RoformerConfig,
    config_from_json,
    config_from_shapes,
    config_to_json,
    expected_shapes,
)

QKV = "layers.0.0.layers.0.0.to_qkv.weight"


def test_kims_checkpoint_has_the_published_size():
    """913,106,900 bytes are the tensors and 430 bytes for each of them: names and a zip's entries.

    The rotation's frequencies are stored once for each of the two axes.
    """
    shapes = expected_shapes(KIM)
    n_parameters = sum(math.prod(shape) for shape in shapes.values())
    assert n_parameters == 228_203_172
    rest = 913_106_900 - 4 * n_parameters
    assert 0 < rest < 500 * len(shapes)


@pytest.mark.parametrize("config", [KIM, *FAMILY.values()], ids=["kim", *FAMILY])
def test_tensors_tell_the_configuration(config):
    found = config_from_shapes(expected_shapes(config))
    assert found is not None
    # What no tensor tells: where there is no public value, it does not matter to the tensors.
    untold = ("stft_hop_length", "chunk_size")
    assert dataclasses.replace(found, **{name: getattr(config, name) for name in untold}) == config


def test_what_tensors_do_not_tell_is_as_published():
    assert config_from_shapes(expected_shapes(KIM)) == KIM
    small = dataclasses.replace(
        KIM, dim=192, depth=8, mask_estimator_depth=1, stft_hop_length=512, chunk_size=131_584
    )
    assert config_from_shapes(expected_shapes(small)) == small


@pytest.mark.parametrize(
    "shapes",
    [{}, {"encoder.conv1.weight": (512, 80, 3)}, {QKV: (96, 16), "layers.0.0.norm.gamma": (16,)}],
)
def test_other_families_are_left_to_others(shapes):
    assert config_from_shapes(shapes) is None


def renamed(shapes, old: str, new: str):
    return {name.replace(old, new): shape for name, shape in shapes.items()}


@pytest.mark.parametrize(
    "change",
    [
        lambda s: {k: v for k, v in s.items() if "to_gates" not in k},
        lambda s: s | {"layers.0.0.layers.0.0.learned_value_residual_mix.0.weight": (4, 32)},
        lambda s: s | {"final_norm.gamma": (32,)},
        lambda s: renamed(s, "layers.0.1.", "layers.0.2."),
        lambda s: s | {QKV: (96, 33)},
        lambda s: s | {QKV: ()},
        lambda s: s | {"layers.0.0.layers.0.0.to_gates.weight": (0, 32)},
        lambda s: s | {"layers.0.0.layers.0.0.to_gates.weight": (4, 10**9)},
        lambda s: s | {"band_split.to_features.0.1.weight": (32, 1000)},
        lambda s: {k: v for k, v in s.items() if not k.startswith("mask_estimators.0.to_freqs.7")},
        lambda s: {k: v for k, v in s.items() if not k.startswith("layers.1.0.norm")},
    ],
)
def test_variants_that_were_not_published_are_refused(change):
    with pytest.raises(ModelError, match="cannot be used here") as caught:
        config_from_shapes(change(expected_shapes(SMALL)))
    assert caught.value.hint
    assert caught.value.detail


def test_json_keeps_every_setting():
    config = dataclasses.replace(SMALL, stereo=False, chunk_size=99_999, num_overlap=4)
    assert config_from_json(config_to_json(config)) == config
    assert "\n" not in config_to_json(config)


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "1", "null", "{}", "[" * 100_000,
        json.dumps({"family": "whisper"}),
        json.dumps({"family": "mel-band-roformer"}),
        config_to_json(SMALL).replace('"dim": 32', '"dim": 32000000'),
        config_to_json(SMALL).replace('"dim": 32', '"dim": "32"'),
        config_to_json(SMALL).replace('"dim": 32', '"dim": true'),
        config_to_json(SMALL).replace('"dim": 32', '"dim": 32, "run": "rm"'),
        config_to_json(SMALL).replace('"stereo": true', '"stereo": 1'),
        config_to_json(SMALL).replace("16384", "16"),
        config_to_json(SMALL).replace('"stft_hop_length": 128', '"stft_hop_length": 512'),
    ],
)  # fmt: skip
def test_other_json_is_refused(text):
    with pytest.raises(ModelError, match="configuration"):
        config_from_json(text)


@pytest.mark.parametrize(
    "change",
    [{"dim": 0}, {"heads": 65}, {"dim_head": 7}, {"stft_win_length": 1024}, {"chunk_size": 512}],
)
def test_values_out_of_range_are_refused(change):
    with pytest.raises(ValueError, match=r"would work|even"):
        RoformerConfig(**(dataclasses.asdict(SMALL) | change))
