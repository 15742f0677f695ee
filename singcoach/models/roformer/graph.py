"""MelBand Roformer as an ONNX graph, written node by node: exact, or with its matrices in 8 bits.

The same mathematics as ``network.py``, laid out for processors. Vectors lie band by band,
``(bands, batch, frames, dim)``. Every transformer runs in a loop over groups of sequences that
stay near the cores, which bounds the memory. Gains of the norms are part of the matrices after
them. Attention never holds more than a block of its weights.

In 8 bits, each row of a matrix has a scale of its own, and vectors are brought to one length before
their group is rounded. Exact stay the band split, the gates, attention itself and all norms. What
that costs and gains is told in ``docs/roformer-speed.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from singcoach.jobs import NO_JOB, Job
from singcoach.models.manifest import TensorSpec
from singcoach.models.roformer.bands import band_layout
from singcoach.models.roformer.config import RoformerConfig
from singcoach.models.roformer.graph_parts import (
    LEAST_SQUARE,
    Precision,
    Scope,
    by_groups,
    product,
)
from singcoach.models.whisper.onnx_file import CONTRIB, OnnxFile

Array = NDArray[Any]

GROUP_TOKENS = 4096
"""Vectors that go through a transformer at once: few enough to stay near the cores, many enough
that the threads need not wait for one another often."""


class Weights(Protocol):
    """Tensors by their published names, such as an open checkpoint."""

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Shape of every tensor."""
        ...

    def read(self, name: str) -> Array:
        """Return one tensor."""
        ...


def tensor_specs(config: RoformerConfig) -> tuple[TensorSpec, TensorSpec]:
    """Return what the graph takes and what it gives."""
    rows = config.freqs * config.channels
    taken = TensorSpec(name="spectrum", dtype="float32", shape=("batch", rows, "frames", 2))
    given = TensorSpec(
        name="masks", dtype="float32", shape=("batch", config.num_stems, rows, "frames", 2)
    )
    return taken, given


def write_graph(
    weights: Weights,
    config: RoformerConfig,
    out_path: Path,
    *,
    precision: Precision = "int8",
    group_tokens: int = GROUP_TOKENS,
    job: Job = NO_JOB,
) -> None:
    """Write the network as one ONNX file.

    The graph maps ``spectrum`` (float32, ``(batch, rows, frames, 2)``; row ``bin * channels +
    channel``; real and imaginary part) to ``masks`` (float32, ``(batch, stems, rows, frames,
    2)``), the mean of the bands that hold a row.

    Parameters
    ----------
    weights
        The published tensors; each is read when it is written, one at a time.
    config
        The network's shape, which the tensors must have.
    out_path
        The file to write; one that is there is replaced.
    precision
        ``"fp32"``, or ``"int8"`` for the matrices of the transformers and the masks.
    group_tokens
        Vectors that go through a transformer at once.

    Raises
    ------
    ModelError
        When the file would be longer than an ONNX file can be, or a tensor cannot be read.
    OSError
        When it cannot be written.
    """
    taken, given = tensor_specs(config)
    file = OnnxFile("mel-band-roformer")
    _Network(Scope(file), weights, config, precision, group_tokens).add(taken.name, given.name)
    file.write(out_path, inputs=[taken], outputs=[given], job=job)


class _Network:
    """Adds the network to a graph, part by part."""

    def __init__(
        self,
        scope: Scope,
        weights: Weights,
        config: RoformerConfig,
        precision: Precision,
        group_tokens: int,
    ) -> None:
        self._scope = scope
        self._weights = weights
        self._config = config
        self._precision: Precision = precision
        self._layout = band_layout(config)
        n_frames = config.chunk_size // config.stft_hop_length + 1
        self._bands_at_once = max(1, min(config.num_bands, group_tokens // n_frames))
        self._frames_at_once = max(1, group_tokens // config.num_bands)

    def add(self, spectrum: str, masks: str) -> None:
        scope, config = self._scope, self._config
        x = self._band_split(spectrum)
        time = self._positions(0, spectrum)
        bands = self._positions(1, None)
        for layer in range(config.depth):
            x = self._along_time(x, f"layers.{layer}.0", time, layer)
            x = self._along_bands(x, f"layers.{layer}.1", bands)
        shape = self._joined_shape(spectrum)
        x = scope.node("Reshape", [x, shape], "features")
        stems = [self._mask(x, stem) for stem in range(config.num_stems)]
        scope.node("Concat", stems, masks, axis=1)

    # -- in and out --------------------------------------------------------------------------

    def _band_split(self, spectrum: str) -> str:
        """Add one vector per band and frame: ``(bands, batch, frames, dim)``."""
        scope, dim = self._scope, self._config.dim
        layout = self._layout
        bands = []
        for i, width in enumerate(layout.widths):
            source, name = f"band_split.to_features.{i}", f"split.{i}"
            rows = [scope.whole(layout.starts[i]), scope.whole(layout.stops[i]), scope.whole(1)]
            x = scope.node("Slice", [spectrum, *rows], f"{name}.rows")
            x = scope.node("Transpose", [x], f"{name}.frames", perm=[0, 2, 1, 3])
            x = scope.node("Reshape", [x, scope.whole(0, 0, width)], f"{name}.values")
            x = self._norm(scope, x, f"{name}.norm", width)
            matrix = self._folded(f"{source}.1.weight", f"{source}.0.gamma")
            bias = self._read(f"{source}.1.bias")
            x = product(scope, x, name, (dim, width), matrix, bias, precision="fp32")
            bands.append(scope.node("Unsqueeze", [x, scope.whole(0)], f"{name}.band"))
        return scope.node("Concat", bands, "split", axis=0)

    def _mask(self, x: str, stem: int) -> str:
        """Add the mask of one stem, ``(batch, 1, rows, frames, 2)``."""
        scope, config = self._scope, self._config
        hidden = config.mlp_expansion_factor * config.dim
        found = []
        for band, width in enumerate(self._layout.widths):
            name = f"mask.{stem}.{band}"
            sizes = [config.dim, *[hidden] * config.mask_estimator_depth, 2 * width]
            y = scope.node("Gather", [x, scope.number(band)], f"{name}.in", axis=0)
            for i, (n_in, n_out) in enumerate(pairwise(sizes)):
                source = f"mask_estimators.{stem}.to_freqs.{band}.0.{2 * i}"
                matrix, bias = self._read(f"{source}.weight"), self._read(f"{source}.bias")
                if i:
                    y = scope.node("Tanh", [y], f"{name}.{i}.tanh")
                y = product(
                    scope, y, f"{name}.{i}", (n_out, n_in), matrix, bias, precision=self._precision
                )
            values, gates = f"{name}.values", f"{name}.gates"
            scope.node("Split", [y], (values, gates), axis=-1, num_outputs=2)
            gates = scope.node("Sigmoid", [gates], f"{name}.open")
            found.append(scope.node("Mul", [values, gates], name))
        bands = scope.node("Concat", found, f"mask.{stem}.bands", axis=-1)
        shape = scope.whole(0, 0, self._layout.indices.size, 2)
        bands = scope.node("Reshape", [bands, shape], f"mask.{stem}.pairs")
        bands = scope.node("Transpose", [bands], f"mask.{stem}.slots", perm=[0, 2, 1, 3])
        mask = self._spread(bands, f"mask.{stem}")
        return scope.node("Unsqueeze", [mask, scope.whole(1)], f"mask.{stem}.stem")

    def _spread(self, slots: str, name: str) -> str:
        """Add the mean of the bands of every row, from the rows of all bands one after another."""
        scope, layout = self._scope, self._layout
        where = np.argsort(layout.indices, kind="stable")
        counts = layout.bands_per_row.astype(np.int64)
        first = np.concatenate([[0], np.cumsum(counts)[:-1]])
        total = ""
        for i in range(int(counts.max())):
            has = counts > i
            slot = where[np.where(has, first + i, first)]
            share = (has / counts).astype(np.float32)[:, None, None]
            picked = scope.node(
                "Gather", [slots, scope.shared(f"row_slots.{i}", slot)], f"{name}.rows_{i}", axis=1
            )
            part = scope.node(
                "Mul", [picked, scope.shared(f"row_shares.{i}", share)], f"{name}.share_{i}"
            )
            total = scope.node("Add", [total, part], f"{name}.sum_{i}") if total else part
        return total

    # -- transformers ------------------------------------------------------------------------

    def _positions(self, axis: int, spectrum: str | None) -> tuple[str, str]:
        """Add cosines and sines of the rotation at every position, ``(n, dim_head / 2)``."""
        scope, config = self._scope, self._config
        name = ("time", "bands")[axis]
        source = f"layers.0.{axis}.layers.0.0.rotary_embed.freqs"
        freqs = scope.weight(
            f"{name}.freqs", np.float32, (config.dim_head // 2,), self._read(source)
        )
        if spectrum is None:
            n = scope.number(config.num_bands)
        else:
            n = scope.node("Shape", [spectrum], f"{name}.n_list", start=2, end=3)
            n = scope.node("Squeeze", [n], f"{name}.n")
        at = scope.node("Range", [scope.number(0), n, scope.number(1)], f"{name}.range")
        at = scope.node("Cast", [at], f"{name}.floats", to=1)
        at = scope.node("Unsqueeze", [at, scope.whole(1)], f"{name}.column")
        angles = scope.node("Mul", [at, freqs], f"{name}.angles")
        cosines = scope.node("Cos", [angles], f"{name}.cosines")
        return cosines, scope.node("Sin", [angles], f"{name}.sines")

    def _along_time(self, x: str, source: str, table: tuple[str, str], layer: int) -> str:
        """Take ``(bands, ...)`` of any layout to ``(bands * batch, frames, dim)``."""
        scope, config = self._scope, self._config
        if layer:
            shape = "time.shape"
        else:
            shape = scope.node(
                "Concat", [scope.whole(-1), "time.n_list", scope.whole(config.dim)], "time.shape",
                axis=0,
            )  # fmt: skip
        x = scope.node("Reshape", [x, shape], f"{source}.in")

        def work(body: Scope, group: str) -> str:
            return self._transformer(body, group, source, config.time_transformer_depth, table)

        return by_groups(scope, x, source, axis=0, size=self._bands_at_once, work=work)

    def _along_bands(self, x: str, source: str, table: tuple[str, str]) -> str:
        """Take ``(bands, ...)`` of any layout to ``(bands, batch * frames, dim)``."""
        scope, config = self._scope, self._config
        shape = scope.whole(config.num_bands, -1, config.dim)
        x = scope.node("Reshape", [x, shape], f"{source}.in")

        def work(body: Scope, group: str) -> str:
            y = body.node("Transpose", [group], f"{source}.by_frame", perm=[1, 0, 2])
            y = self._transformer(body, y, source, config.freq_transformer_depth, table)
            return body.node("Transpose", [y], f"{source}.by_band", perm=[1, 0, 2])

        return by_groups(scope, x, source, axis=1, size=self._frames_at_once, work=work)

    def _joined_shape(self, spectrum: str) -> str:
        scope, config = self._scope, self._config
        batch = scope.node("Shape", [spectrum], "batch", start=0, end=1)
        parts = [scope.whole(config.num_bands), batch, "time.n_list", scope.whole(config.dim)]
        return scope.node("Concat", parts, "features.shape", axis=0)

    def _transformer(
        self, scope: Scope, x: str, source: str, depth: int, table: tuple[str, str]
    ) -> str:
        """Add the blocks of one transformer for ``(n_sequences, n, dim)``."""
        for block in range(depth):
            here = f"{source}.layers.{block}"
            y = self._attention(scope, x, f"{here}.0", table)
            x = scope.node("Add", [x, y], f"{here}.attended")
            y = self._feed_forward(scope, x, f"{here}.1.net")
            x = scope.node("Add", [x, y], f"{here}.fed")
        gain = scope.weight(
            f"{source}.norm.gain",
            np.float32,
            (self._config.dim,),
            self._read(f"{source}.norm.gamma"),
        )
        return self._norm(scope, x, f"{source}.norm", self._config.dim, gain)

    def _attention(self, scope: Scope, x: str, source: str, table: tuple[str, str]) -> str:
        config = self._config
        inner, dim = config.heads * config.dim_head, config.dim
        gamma = f"{source}.norm.gamma"
        x = self._norm(scope, x, f"{source}.norm", dim)
        joint = self._folded(f"{source}.to_qkv.weight", gamma)
        parts = []
        for i, part in enumerate("qkv"):
            name = f"{source}.{part}"
            y = product(
                scope, x, name, (inner, dim), _rows_of(joint, i, inner), precision=self._precision
            )
            if part != "v":
                inputs = [y, scope.whole(0), *table]
                y = scope.node(
                    "RotaryEmbedding", inputs, f"{name}.turned", CONTRIB,
                    interleaved=1, num_heads=config.heads,
                )  # fmt: skip
            parts.append(y)
        y = scope.node(
            "MultiHeadAttention", parts, f"{source}.answer", CONTRIB, num_heads=config.heads
        )
        gates = product(
            scope, x, f"{source}.gates", (config.heads, dim),
            self._folded(f"{source}.to_gates.weight", gamma), self._read(f"{source}.to_gates.bias"),
            precision="fp32",
        )  # fmt: skip
        gates = scope.node("Sigmoid", [gates], f"{source}.open")
        gates = scope.node("Unsqueeze", [gates, scope.whole(-1)], f"{source}.open_heads")
        y = scope.node(
            "Reshape", [y, scope.whole(0, 0, config.heads, config.dim_head)], f"{source}.heads"
        )
        y = scope.node("Mul", [y, gates], f"{source}.gated")
        y = scope.node("Reshape", [y, scope.whole(0, 0, inner)], f"{source}.joined_heads")
        return product(
            scope, y, f"{source}.out", (dim, inner), self._read(f"{source}.to_out.0.weight"),
            precision=self._precision, even=True,
        )  # fmt: skip

    def _feed_forward(self, scope: Scope, x: str, source: str) -> str:
        dim, hidden = self._config.dim, self._config.dim * self._config.ff_mult
        exact = self._precision == "fp32"
        x = self._norm(scope, x, f"{source}.norm", dim)
        matrix = self._folded(f"{source}.1.weight", f"{source}.0.gamma")
        bias = self._read(f"{source}.1.bias")
        if exact:
            x = product(scope, x, f"{source}.up", (hidden, dim), matrix, precision="fp32")
            added = scope.weight(f"{source}.up.bias", np.float32, (hidden,), bias)
            x = scope.node("BiasGelu", [x, added], f"{source}.gelu", CONTRIB)
        else:
            x = product(scope, x, f"{source}.up", (hidden, dim), matrix, bias, precision="int8")
            x = scope.node("FastGelu", [x], f"{source}.gelu", CONTRIB)
        return product(
            scope, x, f"{source}.down", (dim, hidden),
            self._read(f"{source}.4.weight"), self._read(f"{source}.4.bias"),
            precision=self._precision, even=True,
        )  # fmt: skip

    def _norm(self, scope: Scope, x: str, name: str, dim: int, gain: str | None = None) -> str:
        """Add ``x`` brought to length ``sqrt(dim)`` along the last axis."""
        ones = gain or scope.shared(f"ones_{dim}", np.ones(dim, dtype=np.float32))
        return scope.node(
            "SimplifiedLayerNormalization", [x, ones], name, axis=-1, epsilon=LEAST_SQUARE
        )

    # -- weights -----------------------------------------------------------------------------

    def _read(self, name: str) -> Callable[[], Array]:
        return lambda: np.asarray(self._weights.read(name), dtype=np.float32)

    def _folded(self, name: str, gamma: str) -> Callable[[], Array]:
        """Return a matrix that takes the gains before it along."""
        matrix, gains = self._read(name), self._read(gamma)
        return lambda: matrix() * gains()


def _rows_of(matrix: Callable[[], Array], part: int, n_rows: int) -> Callable[[], Array]:
    return lambda: matrix()[part * n_rows : (part + 1) * n_rows]
