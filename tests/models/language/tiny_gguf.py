"""A language model of a few thousand random weights, written as GGUF version 3 with numpy alone."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import numpy as np

from singcoach.models.manifest import ModelEntry

N_EMBED, N_FEED, N_HEADS, N_BLOCKS, N_CONTEXT = 32, 64, 2, 1, 2048
_ALIGNMENT = 32
_UNKNOWN, _CONTROL, _BYTE = 2, 3, 6
_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] + ': ' + message['content'] + '\\n' }}"
    "{% endfor %}"
)


def tiny_gguf(*, seed: int = 1) -> bytes:
    """A whole file: one llama block over single bytes as tokens."""
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    kinds = [_UNKNOWN, _CONTROL, _CONTROL, *[_BYTE] * 256]
    pairs = [
        _pair("general.architecture", _text("llama")),
        _pair("general.name", _text("tiny")),
        _pair("llama.context_length", _u32(N_CONTEXT)),
        _pair("llama.embedding_length", _u32(N_EMBED)),
        _pair("llama.block_count", _u32(N_BLOCKS)),
        _pair("llama.feed_forward_length", _u32(N_FEED)),
        _pair("llama.attention.head_count", _u32(N_HEADS)),
        _pair("llama.attention.layer_norm_rms_epsilon", struct.pack("<If", 6, 1e-5)),
        _pair("llama.rope.dimension_count", _u32(N_EMBED // N_HEADS)),
        _pair("tokenizer.ggml.model", _text("llama")),
        _pair("tokenizer.ggml.tokens", _list(8, [_string(t) for t in tokens])),
        _pair("tokenizer.ggml.scores", _list(6, [struct.pack("<f", 0.0)] * len(tokens))),
        _pair("tokenizer.ggml.token_type", _list(5, [struct.pack("<i", k) for k in kinds])),
        _pair("tokenizer.ggml.bos_token_id", _u32(1)),
        _pair("tokenizer.ggml.eos_token_id", _u32(2)),
        _pair("tokenizer.ggml.unknown_token_id", _u32(0)),
        _pair("tokenizer.chat_template", _text(_TEMPLATE)),
    ]
    draw = np.random.default_rng(seed)
    shapes = {
        "token_embd.weight": (len(tokens), N_EMBED),
        "output.weight": (len(tokens), N_EMBED),
        "output_norm.weight": (N_EMBED,),
        "blk.0.attn_norm.weight": (N_EMBED,),
        "blk.0.ffn_norm.weight": (N_EMBED,),
        "blk.0.attn_q.weight": (N_EMBED, N_EMBED),
        "blk.0.attn_k.weight": (N_EMBED, N_EMBED),
        "blk.0.attn_v.weight": (N_EMBED, N_EMBED),
        "blk.0.attn_output.weight": (N_EMBED, N_EMBED),
        "blk.0.ffn_gate.weight": (N_FEED, N_EMBED),
        "blk.0.ffn_up.weight": (N_FEED, N_EMBED),
        "blk.0.ffn_down.weight": (N_EMBED, N_FEED),
    }
    head, data = b"", b""
    for name, shape in shapes.items():
        weights = np.ones(shape) if len(shape) == 1 else draw.normal(0.0, 0.2, shape)
        head += _string(name) + struct.pack("<I", len(shape))
        head += b"".join(struct.pack("<Q", size) for size in reversed(shape))
        head += struct.pack("<IQ", 0, len(data))
        data += weights.astype("<f4").tobytes()
        data += bytes(-len(data) % _ALIGNMENT)
    start = b"GGUF" + struct.pack("<IQQ", 3, len(shapes), len(pairs)) + b"".join(pairs) + head
    return start + bytes(-len(start) % _ALIGNMENT) + data


def entry_of(path: Path, *, sha256: str | None = None, size: int | None = None) -> ModelEntry:
    """The entry of a manifest for a file as it lies there."""
    content = path.read_bytes() if path.is_file() else b"-"
    return ModelEntry(
        id="tiny-words",
        role="language_model",
        part="model",
        version="1",
        file=path.name,
        sha256=sha256 or hashlib.sha256(content).hexdigest(),
        size=size or len(content),
        licence="Apache-2.0",
        source="made here",
        package="",
        sample_rate=None,
        inputs=(),
        outputs=(),
        published="",
        folder=path.parent,
    )


def _pair(key: str, value: bytes) -> bytes:
    return _string(key) + value


def _string(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()


def _text(text: str) -> bytes:
    return struct.pack("<I", 8) + _string(text)


def _u32(value: int) -> bytes:
    return struct.pack("<II", 4, value)


def _list(kind: int, items: list[bytes]) -> bytes:
    return struct.pack("<IIQ", 9, kind, len(items)) + b"".join(items)
