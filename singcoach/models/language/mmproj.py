"""An encoder of the Whisper family with layers of our own as the projector of a language model.

The file is one that llama.cpp's library mtmd reads: the kind ``ultravox`` (Ultravox, fixie.ai):
the encoder's rows are stacked, normed by their RMS, mapped to twice ``n_inner`` numbers of which
one half gates the other, normed again and mapped to the width of the language model's words.

In llama-cpp-python 0.3.36 the rows of a window are counted twice, once rounded up and once down:
with ``n_dims * stack`` a power of two that does not divide the window the library ends the process.
So ``stack`` has to divide the 1500 rows of a window.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from singcoach.core.arrays import FloatArray
from singcoach.files import whole_file
from singcoach.jobs import NO_JOB, Job
from singcoach.models.gguf import Tensor, write_gguf
from singcoach.models.gguf.blocks import LAYOUTS, BlockType, pack, stored_bytes
from singcoach.models.gguf.writing import number_setting, text_setting
from singcoach.models.whisper.config import WhisperConfig

WINDOW_ROWS: Final = 1500
NORM_EPSILON: Final = 1e-6
"""Of the projector's two norms; the library has it fixed."""

_LAYER_NORM_EPSILON: Final = 1e-5
_FLOAT, _BOOL = 6, 7
_PARTS: Final = {
    "attention_norm": "ln1",
    "q": "attn_q",
    "k": "attn_k",
    "v": "attn_v",
    "o": "attn_out",
    "ffn_norm": "ln2",
    "up": "ffn_up",
    "down": "ffn_down",
}


class Encoder(Protocol):
    """The weights of an encoder by their names in ``models.whisper``."""

    def read(self, name: str, /) -> Any:
        """Return one of them."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """The projector's own weights, float32.

    Attributes
    ----------
    norm_in, norm_inner
        ``(n_dims * stack,)`` and ``(n_inner,)``.
    to_inner
        ``(2 * n_inner, n_dims * stack)``; the second half gates the first.
    to_words
        ``(width, n_inner)``.
    stack
        Rows of the encoder (20 ms) that make one row for the language model.
    """

    norm_in: FloatArray
    to_inner: FloatArray
    norm_inner: FloatArray
    to_words: FloatArray
    stack: int

    def check(self, n_dims: int) -> None:
        """Raise :class:`ValueError` unless the shapes fit one another and the encoder."""
        n_in, n_inner = n_dims * self.stack, len(self.norm_inner)
        if self.stack < 1 or WINDOW_ROWS % self.stack:
            raise ValueError(f"stack is {self.stack}; a divisor of {WINDOW_ROWS} would work")
        shapes = (self.norm_in.shape, self.to_inner.shape, self.to_words.shape[1:])
        if shapes != ((n_in,), (2 * n_inner, n_in), (n_inner,)):
            raise ValueError(f"shapes {shapes} do not fit {n_in} inputs and {n_inner} inside")


def write_projector(
    path: Path,
    encoder: Encoder,
    config: WhisperConfig,
    layers: Layers,
    *,
    name: str,
    kind: BlockType = "f16",
    settings: Mapping[str, bytes] | None = None,
    job: Job = NO_JOB,
) -> None:
    """Write a projector; the same weights give the same bytes.

    Parameters
    ----------
    name
        What the file calls itself.
    kind
        How matrices are stored; the convolutions are always ``f16``, everything else ``f32``.
    settings
        More settings in their stored form.

    Raises
    ------
    ValueError
        When the layers do not fit the encoder, or the encoder pools or has not 1500 positions.
    OutputError
        When the file cannot be written.
    """
    layers.check(config.n_dims)
    if config.pooling != 1 or config.n_positions != WINDOW_ROWS:
        raise ValueError(
            f"an encoder with {config.n_positions} positions, pooling {config.pooling}"
        )
    own = {
        "mm.a.norm_pre.weight": layers.norm_in,
        "mm.a.mlp.1.weight": layers.to_inner,
        "mm.a.norm_mid.weight": layers.norm_inner,
        "mm.a.mlp.2.weight": layers.to_words,
    }
    sources = {_stored_name(part): part for part in config.names(config.n_blocks)}
    shapes = {stored: _stored_shape(config.shape(part), part) for stored, part in sources.items()}
    shapes |= {stored: array.shape for stored, array in own.items()}
    tensors = {stored: _described(stored, shape, kind) for stored, shape in shapes.items()}

    def read(stored: str) -> bytes:
        array = own[stored] if stored in own else encoder.read(sources[stored])
        return pack(
            np.asarray(array, np.float32).reshape(shapes[stored]),
            _kind(stored, shapes[stored], kind),
        )

    with whole_file(path) as temporary:
        write_gguf(
            temporary,
            {**_settings(config, layers, name), **(settings or {})},
            tensors,
            read,
            job=job,
        )


def project(layers: Layers, rows: FloatArray) -> FloatArray:
    """Return what the projector makes of an encoder's rows, float32.

    Parameters
    ----------
    rows
        ``(n_rows, n_dims)``; ``n_rows`` a multiple of ``stack``.
    """
    x = rows.reshape(len(rows) // layers.stack, -1)
    x = _normed(x) * layers.norm_in
    first, gate = np.split(x @ layers.to_inner.T, 2, axis=1)
    x = _normed(first * gate / (1.0 + np.exp(-gate))) * layers.norm_inner
    projected: FloatArray = (x @ layers.to_words.T).astype(np.float32)
    return projected


def _normed(x: Any) -> Any:
    return x / np.sqrt(np.mean(np.square(x), axis=1, keepdims=True) + NORM_EPSILON)


def _settings(config: WhisperConfig, layers: Layers, name: str) -> dict[str, bytes]:
    numbers = {
        "embedding_length": config.n_dims,
        "feed_forward_length": config.n_hidden,
        "block_count": config.n_blocks,
        "projection_dim": len(layers.to_words),
        "attention.head_count": config.n_heads,
        "num_mel_bins": config.n_mels,
        "projector.stack_factor": layers.stack,
    }
    return {
        "general.architecture": text_setting("clip"),
        "general.type": text_setting("mmproj"),
        "general.name": text_setting(name),
        "clip.has_audio_encoder": struct.pack("<I?", _BOOL, True),
        "clip.projector_type": text_setting("ultravox"),
        **{f"clip.audio.{key}": number_setting(value) for key, value in numbers.items()},
        "clip.audio.attention.layer_norm_epsilon": struct.pack("<If", _FLOAT, _LAYER_NORM_EPSILON),
    }


def _stored_name(name: str) -> str:
    if name == "positions":
        return "a.position_embd.weight"
    owner, _, kind = name.rpartition(".")
    if owner == "norm":
        return f"a.post_ln.{kind}"
    if owner.startswith("conv"):
        return f"a.conv1d.{owner.removeprefix('conv')}.{kind}"
    block, _, part = owner.partition(".")
    return f"a.blk.{block.removeprefix('layer_')}.{_PARTS[part]}.{kind}"


def _stored_shape(shape: tuple[int, ...], name: str) -> tuple[int, ...]:
    """The biases of the convolutions stand as columns."""
    return (*shape, 1) if name.startswith("conv") and name.endswith(".bias") else shape


def _kind(stored: str, shape: tuple[int, ...], kind: BlockType) -> BlockType:
    if stored.startswith("a.conv1d.") and len(shape) == 3:
        return "f16"
    is_matrix = len(shape) == 2 and not stored.startswith(("a.conv1d.", "a.position"))
    return kind if is_matrix else "f32"


def _described(stored: str, shape: tuple[int, ...], kind: BlockType) -> Tensor:
    used = _kind(stored, shape, kind)
    return Tensor(shape=shape, number=LAYOUTS[used].number, n_bytes=stored_bytes(shape, used))
