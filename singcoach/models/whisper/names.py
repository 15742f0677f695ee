"""Under which names the published checkpoints keep the encoder's weights.

Three layouts are in use: OpenAI's own, that of the transformers library (also for Qwen2-Audio's
tower), and CTranslate2's, which keeps query, key and value in one matrix. Everywhere else in this
package a weight has one name: ``conv1.weight``, ``positions``, ``layer_0.q.weight``, ...,
``norm.bias``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

LayoutName = Literal["openai", "transformers", "ctranslate2"]

_STEM = ("conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias")
_OPENAI_BLOCK = {
    "attention_norm": "attn_ln",
    "q": "attn.query",
    "k": "attn.key",
    "v": "attn.value",
    "o": "attn.out",
    "ffn_norm": "mlp_ln",
    "up": "mlp.0",
    "down": "mlp.2",
}
_TRANSFORMERS_BLOCK = {
    "attention_norm": "self_attn_layer_norm",
    "q": "self_attn.q_proj",
    "k": "self_attn.k_proj",
    "v": "self_attn.v_proj",
    "o": "self_attn.out_proj",
    "ffn_norm": "final_layer_norm",
    "up": "fc1",
    "down": "fc2",
}
_CTRANSLATE2_BLOCK = {
    "attention_norm": "self_attention/layer_norm",
    "q": "self_attention/linear_0",
    "k": "self_attention/linear_0",
    "v": "self_attention/linear_0",
    "o": "self_attention/linear_1",
    "ffn_norm": "ffn/layer_norm",
    "up": "ffn/linear_0",
    "down": "ffn/linear_1",
}
_PREFIXES = ("encoder.", "model.encoder.", "audio_tower.", "model.audio_tower.", "")
"""The last one: a file of the encoder alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where a checkpoint keeps the encoder; ``prefix`` stands before each of its names."""

    name: LayoutName
    prefix: str

    @property
    def is_tower(self) -> bool:
        """Whether it is the audio tower of a larger model."""
        return self.prefix.endswith("audio_tower.")

    @property
    def blocks(self) -> str:
        """What stands before the number of a block."""
        own = {"openai": "blocks.", "transformers": "layers.", "ctranslate2": "layer_"}
        return self.prefix + own[self.name]

    @property
    def positions(self) -> str:
        """Name of the table of positions."""
        own = {
            "openai": "positional_embedding",
            "transformers": "embed_positions.weight",
            "ctranslate2": "position_encodings/encodings",
        }
        return self.prefix + own[self.name]

    def source(self, name: str) -> str:
        """Return the checkpoint's name of the weight that is called ``name`` here."""
        if name == "positions":
            return self.positions
        owner, _, kind = name.rpartition(".")
        if self.name == "ctranslate2":
            return self.prefix + _ctranslate2(owner, kind)
        if name in _STEM:
            return self.prefix + name
        if owner == "norm":
            return f"{self.prefix}{'ln_post' if self.name == 'openai' else 'layer_norm'}.{kind}"
        block, _, part = owner.partition(".")
        parts = _OPENAI_BLOCK if self.name == "openai" else _TRANSFORMERS_BLOCK
        return f"{self.blocks}{block.removeprefix('layer_')}.{parts[part]}.{kind}"


def _ctranslate2(owner: str, kind: str) -> str:
    block, _, part = owner.partition(".")
    if block == "norm" or part.endswith("_norm"):
        kind = {"weight": "gamma", "bias": "beta"}[kind]
    if block == "norm":
        return f"layer_norm/{kind}"
    return f"{block}/{_CTRANSLATE2_BLOCK[part]}/{kind}" if part else f"{block}/{kind}"


def find_layout(shapes: Mapping[str, tuple[int, ...]]) -> Layout | None:
    """Return where the encoder lies in a checkpoint with these tensors, None when there is none."""
    if "encoder/conv1/weight" in shapes:
        return Layout(name="ctranslate2", prefix="encoder/")
    for prefix in _PREFIXES:
        if f"{prefix}conv1.weight" not in shapes or f"{prefix}conv2.weight" not in shapes:
            continue
        if f"{prefix}blocks.0.attn.query.weight" in shapes:
            return Layout(name="openai", prefix=prefix)
        if f"{prefix}layers.0.self_attn.q_proj.weight" in shapes:
            return Layout(name="transformers", prefix=prefix)
    return None


def count_blocks(shapes: Mapping[str, tuple[int, ...]], layout: Layout) -> int:
    """Return one more than the highest number of a block."""
    pattern = re.compile(re.escape(layout.blocks) + r"(\d{1,4})[./]")
    found = (pattern.match(name) for name in shapes)
    return 1 + max((int(match[1]) for match in found if match), default=-1)
