"""What distinguishes one encoder of the Whisper family from another, and how it is to be run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from singcoach.errors import ModelError
from singcoach.models.whisper.names import Layout, count_blocks, find_layout

Role = Literal["encoder_general", "encoder_singing"]

_HEAD_DIMS = 64
"""Every published encoder of the family has heads of this size."""

_MOST_DIMS = 4096
_MOST_BLOCKS = 128
_MOST_POSITIONS = 30_000
_MEL_COUNTS = (80, 128)
_SIZES = {(384, 4): "tiny", (512, 6): "base", (768, 12): "small", (1024, 24): "medium"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WhisperConfig:
    """Sizes of an encoder.

    Attributes
    ----------
    n_mels
        Bands of the log-mel picture: 80, or 128 since large-v3.
    n_dims, n_hidden
        Width of the features and of the layer inside each feed-forward part.
    n_blocks, n_heads
        Attention blocks in the checkpoint and heads in each.
    n_positions
        Rows of the table of positions: the longest window in frames of 20 ms.
    pooling
        How many frames are averaged before the last norm: 1, or 2 in Qwen2-Audio's tower.
    """

    n_mels: int
    n_dims: int
    n_hidden: int
    n_blocks: int
    n_heads: int
    n_positions: int
    pooling: int = 1

    @property
    def size(self) -> str:
        """The published size that it has, such as ``"base"``; ``"own"`` when it has none."""
        if (self.n_dims, self.n_blocks) == (1280, 32):
            if self.pooling == 2:
                return "qwen2-audio"
            return "large" if self.n_mels == 80 else "large-v3"
        return _SIZES.get((self.n_dims, self.n_blocks), "own")

    def blocks_for(self, role: Role) -> int:
        """Return how many blocks are computed: all, or the first three quarters for singing."""
        return self.n_blocks if role == "encoder_general" else self.n_blocks - self.n_blocks // 4

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of a weight by its name in this package."""
        d, hidden = self.n_dims, self.n_hidden
        if name == "positions":
            return (self.n_positions, d)
        owner, _, kind = name.rpartition(".")
        part = owner.rpartition(".")[2]
        if kind == "bias":
            return (hidden,) if part == "up" else (d,)
        shapes: dict[str, tuple[int, ...]] = {
            "conv1": (d, self.n_mels, 3),
            "conv2": (d, d, 3),
            "up": (hidden, d),
            "down": (d, hidden),
        }
        return shapes.get(part, (d,) if part.endswith("norm") else (d, d))

    def names(self, n_blocks: int) -> tuple[str, ...]:
        """Return the names of the weights that a network with ``n_blocks`` blocks needs."""
        stem = ("conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias", "positions")
        parts = ("attention_norm", "q", "k", "v", "o", "ffn_norm", "up", "down")
        inside = tuple(
            f"layer_{i}.{part}.{kind}"
            for i in range(n_blocks)
            for part in parts
            for kind in ("weight", "bias")
            if (part, kind) != ("k", "bias")
        )
        return (*stem, *inside, "norm.weight", "norm.bias")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How an encoder is run over a song; the ``config`` of a pack's manifest as JSON.

    Attributes
    ----------
    name
        ``"whisper"``, ``"qwen2-audio"`` or ``"samoye"`` (three quarters of the blocks).
    n_mels
        Bands of the log-mel picture.
    pooling
        Frames of 20 ms that one row of the features stands for.
    window_s, overlap_s
        Length of the unpadded windows and how much neighbours share.
    """

    name: Literal["whisper", "qwen2-audio", "samoye"]
    n_mels: int = 80
    pooling: int = 1
    window_s: float = 20.0
    overlap_s: float = 5.0

    @property
    def rate_hz(self) -> float:
        """Rows of the features per second."""
        return 50.0 / self.pooling

    @property
    def window_rows(self) -> int:
        """Rows of the features in a window."""
        return max(1, int(self.window_s * self.rate_hz))

    def to_json(self) -> str:
        """Return it as the JSON text of a manifest."""
        return json.dumps({**asdict(self), "rate_hz": self.rate_hz}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """Read it from a manifest; an empty text stands for the embedded encoder's.

        Raises
        ------
        ModelError
            When the text is not a recipe that can be followed.
        """
        if not text:
            return GENERAL
        try:
            values = json.loads(text)
            rate_hz = values.pop("rate_hz")
            recipe = cls(**values)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise _no_recipe(str(error)) from error
        if (
            recipe.name not in ("whisper", "qwen2-audio", "samoye")
            or recipe.n_mels not in _MEL_COUNTS
            or recipe.pooling not in (1, 2)
            or not _is_number(recipe.window_s)
            or not _is_number(recipe.overlap_s)
            or not 0.2 <= recipe.window_s <= 600.0
            or not 0.0 <= recipe.overlap_s <= recipe.window_s / 2
            or rate_hz != recipe.rate_hz
        ):
            raise _no_recipe(text)
        return recipe


GENERAL = Recipe(name="whisper")
"""The embedded general encoder: windows of 20 s. Longer ones cost more (attention grows with the
square) and agree no better."""

SINGING = Recipe(name="samoye", window_s=15.0)
"""The embedded singing encoder: windows of 15 s, as published."""


def recipe_for(config: WhisperConfig, role: Role) -> Recipe:
    """Return how an encoder with these sizes is run in a role."""
    usual = SINGING if role == "encoder_singing" else GENERAL
    name = "qwen2-audio" if usual is GENERAL and config.pooling == 2 else usual.name
    window_s = min(usual.window_s, config.n_positions / 50)
    return Recipe(
        name=name,
        n_mels=config.n_mels,
        pooling=config.pooling,
        window_s=window_s,
        overlap_s=min(usual.overlap_s, window_s / 4),
    )


def config_from_shapes(
    shapes: Mapping[str, tuple[int, ...]],
    metadata: Mapping[str, object] | None = None,
    *,
    dtypes: Mapping[str, str] | None = None,
) -> WhisperConfig | None:
    """Return the sizes of the encoder in a checkpoint, None when it holds none of this family.

    Parameters
    ----------
    shapes, metadata, dtypes
        Of a weight file. ``metadata`` may hold OpenAI's ``dims`` or the transformers library's
        ``config``; without them a head has 64 dimensions, as in every published encoder.

    Raises
    ------
    ModelError
        When it is of this family but a weight is missing, has a shape that does not fit the
        others, or is already rounded to whole numbers.
    """
    layout = find_layout(shapes)
    if layout is None:
        return None
    conv = shapes[layout.source("conv1.weight")]
    n_blocks = count_blocks(shapes, layout)
    up = shapes.get(layout.source("layer_0.up.weight"), ())
    table = shapes.get(layout.positions, ())
    if len(conv) != 3 or len(up) != 2 or len(table) != 2:
        raise _unusable("its first layers do not have the shapes of a Whisper encoder")
    n_dims = conv[0]
    config = WhisperConfig(
        n_mels=conv[1],
        n_dims=n_dims,
        n_hidden=up[0],
        n_blocks=n_blocks,
        n_heads=_n_heads(metadata or {}, n_dims),
        n_positions=table[0],
        pooling=_pooling(shapes, metadata or {}, layout),
    )
    if config.n_mels not in _MEL_COUNTS:
        raise _unusable(f"it expects {config.n_mels} mel bands, and 80 or 128 are known")
    if not (
        0 < n_dims <= _MOST_DIMS
        and 0 < up[0] <= 4 * _MOST_DIMS
        and n_blocks <= _MOST_BLOCKS
        and 0 < table[0] <= _MOST_POSITIONS
        and n_dims % config.n_heads == 0
        and n_dims % 2 == up[0] % 2 == 0
    ):
        raise _unusable("its sizes are beyond every published encoder")
    _check_shapes(config, shapes, layout)
    _check_types(config, dtypes or {}, layout)
    return config


def _check_shapes(
    config: WhisperConfig, shapes: Mapping[str, tuple[int, ...]], layout: Layout
) -> None:
    for name in config.names(config.n_blocks):
        expected = config.shape(name)
        if layout.name == "ctranslate2" and name.split(".")[-2:-1] in (["q"], ["k"], ["v"]):
            expected = (3 * expected[0], *expected[1:])
        found = shapes.get(layout.source(name))
        if found != expected:
            state = "is missing" if found is None else f"has the shape {found}"
            raise _unusable(f"{layout.source(name)} {state}, and {expected} belongs there")


def _check_types(config: WhisperConfig, dtypes: Mapping[str, str], layout: Layout) -> None:
    for name in config.names(config.n_blocks):
        dtype = dtypes.get(layout.source(name), "float32")
        if dtype not in ("float16", "bfloat16", "float32", "float64"):
            raise ModelError(
                "This copy of the encoder is already rounded",
                hint="Give a copy in float16, bfloat16 or float32",
                detail=f"{layout.source(name)} is {dtype}",
            )


def _n_heads(metadata: Mapping[str, object], n_dims: int) -> int:
    config = _table(metadata, "config")
    for table, key in (
        (_table(metadata, "dims"), "n_audio_head"),
        (_table(config, "audio_config"), "encoder_attention_heads"),
        (config, "encoder_attention_heads"),
    ):
        n_heads = table.get(key)
        if isinstance(n_heads, int) and 0 < n_heads <= n_dims:
            return n_heads
    return max(1, n_dims // _HEAD_DIMS)


def _pooling(
    shapes: Mapping[str, tuple[int, ...]], metadata: Mapping[str, object], layout: Layout
) -> int:
    """Return 2 for Qwen2-Audio's tower; the towers of other models do not pool."""
    kind = _table(metadata, "config").get("model_type")
    if isinstance(kind, str) and kind in ("qwen2_audio", "qwen2_audio_encoder"):
        return 2
    if not layout.is_tower:
        return 1
    projector = {name for name in shapes if "multi_modal_projector." in name}
    own = any(name.endswith("multi_modal_projector.linear.weight") for name in projector)
    return 2 if own or not projector else 1


def _table(metadata: Mapping[str, object], key: str) -> Mapping[str, Any]:
    """Return a table of the metadata; safetensors can keep it as JSON text only."""
    value = metadata.get(key)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def _unusable(reason: str) -> ModelError:
    return ModelError(
        f"This Whisper encoder cannot be used: {reason}",
        hint="Give the checkpoint as its authors publish it",
    )


def _no_recipe(detail: str) -> ModelError:
    return ModelError(
        "The settings of an encoder pack cannot be understood",
        hint="Remove the pack and add it again",
        detail=detail[:300],
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
