"""Networks of the llama family with a few thousand random weights and byte pairs as tokens."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from singcoach.models.gguf import Tensor, write_gguf
from singcoach.models.gguf.writing import number_setting, text_setting
from singcoach.training.feedback.tokens import BEGIN, END, _letters

N_EMBED, N_HEADS, N_KV, N_FEED, N_BLOCKS = 64, 4, 2, 96, 2
_JOINED = ("Ġ t", "h e", "Ġt he", "o u", "y ou")
_NORMAL, _CONTROL = 1, 3


def write_llama(path: Path, *, seed: int = 1, changes: dict[str, bytes] | None = None) -> Path:
    tokens = ["<|endoftext|>", BEGIN, END, *_letters(), *(p.replace(" ", "") for p in _JOINED)]
    kinds = [_CONTROL] * 3 + [_NORMAL] * (len(tokens) - 3)
    settings = {
        "general.architecture": text_setting("llama"),
        "general.name": text_setting("small"),
        "llama.context_length": number_setting(512),
        "llama.embedding_length": number_setting(N_EMBED),
        "llama.block_count": number_setting(N_BLOCKS),
        "llama.feed_forward_length": number_setting(N_FEED),
        "llama.attention.head_count": number_setting(N_HEADS),
        "llama.attention.head_count_kv": number_setting(N_KV),
        "llama.attention.layer_norm_rms_epsilon": struct.pack("<If", 6, 1e-5),
        "llama.rope.freq_base": struct.pack("<If", 6, 1e5),
        "llama.rope.dimension_count": number_setting(N_EMBED // N_HEADS),
        "tokenizer.ggml.model": text_setting("gpt2"),
        "tokenizer.ggml.pre": text_setting("smollm"),
        "tokenizer.ggml.tokens": _texts(tokens),
        "tokenizer.ggml.token_type": struct.pack(f"<IIQ{len(kinds)}i", 9, 5, len(kinds), *kinds),
        "tokenizer.ggml.merges": _texts(_JOINED),
        "tokenizer.ggml.bos_token_id": number_setting(1),
        "tokenizer.ggml.eos_token_id": number_setting(2),
        "tokenizer.ggml.add_bos_token": struct.pack("<IB", 7, 0),
        **(changes or {}),
    }
    narrow = N_EMBED // N_HEADS * N_KV
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (len(tokens), N_EMBED),
        "output_norm.weight": (N_EMBED,),
    }
    for block in range(N_BLOCKS):
        shapes |= {
            f"blk.{block}.attn_norm.weight": (N_EMBED,),
            f"blk.{block}.attn_q.weight": (N_EMBED, N_EMBED),
            f"blk.{block}.attn_k.weight": (narrow, N_EMBED),
            f"blk.{block}.attn_v.weight": (narrow, N_EMBED),
            f"blk.{block}.attn_output.weight": (N_EMBED, N_EMBED),
            f"blk.{block}.ffn_norm.weight": (N_EMBED,),
            f"blk.{block}.ffn_gate.weight": (N_FEED, N_EMBED),
            f"blk.{block}.ffn_up.weight": (N_FEED, N_EMBED),
            f"blk.{block}.ffn_down.weight": (N_EMBED, N_FEED),
        }
    draw = np.random.default_rng(seed)
    weights = {
        name: (draw.uniform(0.5, 1.5, size) if len(size) == 1 else draw.normal(0.0, 0.25, size))
        for name, size in shapes.items()
    }
    described = {
        name: Tensor(shape=size, number=0, n_bytes=4 * int(np.prod(size)))
        for name, size in shapes.items()
    }
    write_gguf(path, settings, described, lambda name: weights[name].astype("<f4").tobytes())
    return path


def _texts(items: list[str] | tuple[str, ...]) -> bytes:
    found = [struct.pack("<Q", len(t.encode())) + t.encode() for t in items]
    return struct.pack("<IIQ", 9, 8, len(items)) + b"".join(found)
