from __future__ import annotations

import json

import numpy as np
import pytest
from whisper_referee import SMALL, SMALL_TOWER

from singcoach.errors import Cancelled, ModelError
from singcoach.jobs import Job
from singcoach.models.weights import open_weights
from singcoach.models.whisper.config import (
    GENERAL,
    SINGING,
    Recipe,
    config_from_shapes,
    recipe_for,
)
from singcoach.models.whisper.convert import convert
from singcoach.models.whisper.names import Layout
from singcoach.models.whisper.synthetic import sizes, tensor_maker, write_checkpoint

PUBLISHED = {
    "tiny": (80, 384, 4, 6),
    "base": (80, 512, 6, 8),
    "small": (80, 768, 12, 12),
    "medium": (80, 1024, 24, 16),
    "large-v2": (80, 1280, 32, 20),
    "large-v3": (128, 1280, 32, 20),
    "qwen2-audio": (128, 1280, 32, 20),
}
LAYOUTS = {
    "openai": Layout(name="openai", prefix="encoder."),
    "transformers": Layout(name="transformers", prefix="model.encoder."),
    "transformers, peeled": Layout(name="transformers", prefix="encoder."),
    "transformers, encoder alone": Layout(name="transformers", prefix=""),
    "tower": Layout(name="transformers", prefix="audio_tower."),
}


def shapes_of(config, layout) -> dict[str, tuple[int, ...]]:
    return {layout.source(n): config.shape(n) for n in config.names(config.n_blocks)}


@pytest.mark.parametrize("size", PUBLISHED)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_published_sizes_are_recognised_by_shape_alone(size, layout):
    config = sizes(size)
    found = config_from_shapes(shapes_of(config, LAYOUTS[layout]))
    assert found is not None
    assert (found.n_mels, found.n_dims, found.n_blocks, found.n_heads) == PUBLISHED[size]
    assert found.pooling == (2 if layout == "tower" else 1)


@pytest.mark.parametrize(
    ("projector", "pooling"),
    [("linear.weight", 2), ("linear_1.weight", 1)],
)
def test_only_qwen2_audios_tower_pools(projector, pooling):
    shapes = shapes_of(sizes("large-v3"), LAYOUTS["tower"])
    shapes[f"multi_modal_projector.{projector}"] = (4096, 1280)
    found = config_from_shapes(shapes)
    assert found is not None
    assert found.pooling == pooling


@pytest.mark.parametrize(
    "metadata",
    [
        {"dims": {"n_audio_head": 4}},
        {"config": {"encoder_attention_heads": 4}},
        {"config": {"audio_config": {"encoder_attention_heads": 4}}},
    ],
)
def test_the_number_of_heads_is_read_where_it_is_told(metadata):
    found = config_from_shapes(shapes_of(SMALL, LAYOUTS["openai"]), metadata)
    assert found is not None
    assert found.n_heads == 4


@pytest.mark.parametrize(
    "shapes", [{}, {"conv1.weight": (4, 80, 3)}, {"model.layers.0.weight": (4, 4)}]
)
def test_other_networks_are_not_of_this_family(shapes):
    assert config_from_shapes(shapes) is None


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("encoder.blocks.2.mlp.0.weight", None),
        ("encoder.blocks.1.attn.value.bias", None),
        ("encoder.ln_post.weight", None),
        ("encoder.positional_embedding", None),
        ("encoder.conv2.weight", (128, 64, 3)),
        ("encoder.conv1.weight", (128, 96, 3)),
        ("encoder.blocks.0.attn.out.weight", (128, 127)),
        ("encoder.positional_embedding", (100_000, 128)),
        ("encoder.blocks.9.attn_ln.weight", (128,)),
    ],
)
def test_an_incomplete_encoder_is_refused(name, shape):
    shapes = shapes_of(SMALL, LAYOUTS["openai"])
    shapes.pop(name, None)
    if shape is not None:
        shapes[name] = shape
    with pytest.raises(ModelError, match="cannot be used"):
        config_from_shapes(shapes)


def test_a_rounded_copy_is_refused():
    shapes = shapes_of(SMALL, LAYOUTS["openai"])
    with pytest.raises(ModelError, match="already rounded"):
        config_from_shapes(shapes, dtypes=dict.fromkeys(shapes, "int8"))


@pytest.mark.parametrize("recipe", [GENERAL, SINGING, recipe_for(SMALL_TOWER, "encoder_general")])
def test_a_recipe_survives_the_manifest(recipe):
    assert Recipe.from_json(recipe.to_json()) == recipe
    assert Recipe.from_json("") == GENERAL


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "else"),
        ("n_mels", 81),
        ("pooling", 3),
        ("window_s", 1e9),
        ("window_s", "20"),
        ("overlap_s", -1),
        ("overlap_s", 15),
        ("rate_hz", 1),
        ("more", 1),
    ],
)
def test_a_damaged_recipe_is_refused(key, value):
    text = json.dumps({**json.loads(GENERAL.to_json()), key: value})
    with pytest.raises(ModelError, match="cannot be understood"):
        Recipe.from_json(text)


@pytest.mark.parametrize("text", ["[]", "{", "null", "7", "[" * 100_000])
def test_what_is_no_recipe_is_refused(text):
    with pytest.raises(ModelError, match="cannot be understood"):
        Recipe.from_json(text)


def test_both_roles_come_from_one_checkpoint(tmp_path):
    write_checkpoint(tmp_path / "model.safetensors", SMALL, form="transformers")
    with open_weights(tmp_path / "model.safetensors") as weights:
        made = convert(weights, tmp_path, roles=["encoder_general", "encoder_singing"])
    assert [file.role for file in made] == ["encoder_general", "encoder_singing"]
    assert all((tmp_path / file.file).stat().st_size > 100_000 for file in made)
    recipes = [Recipe.from_json(file.config) for file in made]
    assert [recipe.name for recipe in recipes] == ["whisper", "samoye"]
    assert [output.name for output in made[0].outputs] == ["features", "position_mean"]


def test_weights_that_are_not_numbers_are_refused(tmp_path):
    from singcoach.models.roformer.safetensors_writer import write_safetensors

    layout = LAYOUTS["transformers"]
    own = {layout.source(n): n for n in SMALL.names(SMALL.n_blocks)}
    make = tensor_maker(SMALL)

    def read(source: str):
        values = make(own[source])
        if own[source] == "layer_1.up.weight":
            values[3, 4] = np.nan
        return values

    path = tmp_path / "model.safetensors"
    write_safetensors(path, {s: SMALL.shape(n) for s, n in own.items()}, read)
    with open_weights(path) as weights, pytest.raises(ModelError, match="not numbers"):
        convert(weights, tmp_path)


@pytest.mark.parametrize("at", [0.1, 0.7])
def test_conversion_can_be_stopped(at, tmp_path):
    write_checkpoint(tmp_path / "model.safetensors", SMALL, form="transformers")
    seen: list[float] = []

    def follow(fraction: float, _stage: str) -> None:
        seen.append(fraction)
        if fraction >= at:
            job.cancel()

    job = Job(follow)
    with open_weights(tmp_path / "model.safetensors") as weights, pytest.raises(Cancelled):
        convert(weights, tmp_path, job=job)
    assert seen == sorted(seen)
