"""One chunk of music through a pack's network, in each of the ways that are compared.

All have the same made-up weights. The reference is the public implementation, driven as the common
tools drive it: one chunk after another through its ``forward``, transforms included, in float32 on
a processor and under autocast to float16 on a graphics card.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from singcoach.audio.hashing import sha256_file
from singcoach.benchmark.peers import Missing
from singcoach.core.arrays import FloatArray
from singcoach.models.catalogue import load
from singcoach.models.manifest import ModelEntry
from singcoach.models.roformer.config import RoformerConfig, config_from_json
from singcoach.separation.roformer import MaskSession, separate_roformer

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "weights.safetensors"
REFERENCE = "BS-RoFormer==0.3.10"
_REFERENCE_HINT = f"pip install --no-deps {REFERENCE} rotary-embedding-torch einops beartype"

Separate = Callable[[FloatArray], FloatArray]
"""Takes chunks ``(n_chunks, 2, n_samples)`` to their voices, same shape."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way to run the network.

    Attributes
    ----------
    name
        For the worker.
    title
        For people.
    kind
        The public implementation, ours in torch, or ours as a graph.
    precision
        Of the weights and, in torch, of the values.
    device
        ``"cpu"`` or ``"cuda"``.
    batch
        Chunks that go through at once.
    """

    name: str
    title: str
    kind: Literal["reference", "torch", "onnx"]
    precision: str = "float32"
    device: Literal["cpu", "cuda"] = "cpu"
    batch: int = 1

    @property
    def graph_file(self) -> str:
        """File of the graph in the run's folder."""
        return f"network-{self.precision}.onnx"


CPU_VARIANTS = (
    Variant(name="reference", title=f"{REFERENCE}, float32", kind="reference"),
    Variant(name="torch", title="SingCoach, torch float32", kind="torch"),
    Variant(name="onnx-fp32", title="SingCoach, ONNX float32", kind="onnx", precision="fp32"),
    Variant(name="onnx-int8", title="SingCoach, ONNX 8 bits", kind="onnx", precision="int8"),
)
CUDA_VARIANTS = (
    Variant(name="cuda-reference", title=f"{REFERENCE}, autocast float16, CUDA",
            kind="reference", precision="float16", device="cuda"),
    Variant(name="cuda-reference-fp32", title=f"{REFERENCE}, float32, CUDA",
            kind="reference", device="cuda"),
    Variant(name="cuda-fp16", title="SingCoach, torch float16, CUDA, 4 chunks at once",
            kind="torch", precision="float16", device="cuda", batch=4),
    Variant(name="cuda-bf16", title="SingCoach, torch bfloat16, CUDA, 4 chunks at once",
            kind="torch", precision="bfloat16", device="cuda", batch=4),
)  # fmt: skip
VARIANTS = {variant.name: variant for variant in (*CPU_VARIANTS, *CUDA_VARIANTS)}


def prepare(variant: Variant, folder: Path, *, threads: int) -> Separate:
    """Load the network of ``variant`` from the run's folder.

    Raises
    ------
    Missing
        When the peer is not installed.
    """
    config = config_from_json((folder / CONFIG_FILE).read_text(encoding="utf-8"))
    if variant.kind == "reference":
        return _reference(variant, folder, config, threads)
    return _ours(variant, open_masks(variant, folder, config, threads=threads), config)


def _ours(variant: Variant, session: MaskSession, config: RoformerConfig) -> Separate:
    def separate(chunks: FloatArray) -> FloatArray:
        # Chunks without anything in common: the stream's own cutting gives exactly these back.
        stream = separate_roformer(
            _blocks(chunks), session=session, config=config, overlap=0.0, batch=variant.batch
        )
        joined = np.concatenate([part.vocals for part in stream], axis=1)
        return np.stack(np.split(joined, len(chunks), axis=1))

    return separate


def _blocks(chunks: FloatArray) -> Iterator[FloatArray]:
    yield from chunks


def open_masks(
    variant: Variant, folder: Path, config: RoformerConfig, *, threads: int
) -> MaskSession:
    """Open one of our forms as the separation uses it."""
    if variant.kind == "onnx":
        from singcoach.models.sessions import open_session

        return open_session(load(_entry(folder / variant.graph_file)), threads=threads)
    return _TorchMasks(variant, folder / WEIGHTS_FILE, config, threads)


class _TorchMasks:
    """Our torch network behind the face of a session."""

    def __init__(
        self, variant: Variant, weights: Path, config: RoformerConfig, threads: int
    ) -> None:
        import torch

        from singcoach.models.roformer.torch_form import load_network

        torch.set_num_threads(threads)
        self._torch = torch
        self._device = variant.device
        self._dtype = getattr(torch, variant.precision)
        self._network = load_network(
            weights, config, device=variant.device, dtype=variant.precision
        )

    def run(self, inputs: Mapping[str, NDArray[Any]], /) -> list[NDArray[Any]]:
        """Return the masks of ``spectrum``."""
        torch = self._torch
        spectrum = torch.from_numpy(np.ascontiguousarray(inputs["spectrum"])).to(self._device)
        with torch.inference_mode():
            masks = self._network(spectrum)
        return [masks.float().cpu().numpy()]

    def stop(self) -> None:
        """Do nothing: a benchmark's process is ended as a whole."""


def reference_settings(config: RoformerConfig) -> dict[str, Any]:
    """Return what the reference network's constructor is given for a configuration."""
    names = (
        "dim", "depth", "stereo", "num_stems", "time_transformer_depth", "freq_transformer_depth",
        "num_bands", "dim_head", "heads", "sample_rate", "stft_n_fft", "stft_hop_length",
        "stft_win_length", "mask_estimator_depth",
    )  # fmt: skip
    settings = {name: getattr(config, name) for name in names}
    return {**settings, "attn_dropout": 0.0, "ff_dropout": 0.0}


def _reference(variant: Variant, folder: Path, config: RoformerConfig, threads: int) -> Separate:
    try:
        import torch
        from safetensors.torch import load_file

        peer = importlib.import_module("bs_roformer.mel_band_roformer")
    except ImportError as error:
        raise Missing(_REFERENCE_HINT) from error
    torch.set_num_threads(threads)
    network = peer.MelBandRoformer(**reference_settings(config), flash_attn=True)
    network.load_state_dict(load_file(folder / WEIGHTS_FILE), strict=True)
    network = network.to(variant.device).eval()
    half = variant.precision == "float16"

    def separate(chunks: FloatArray) -> FloatArray:
        voices = []
        with torch.inference_mode(), torch.autocast(variant.device, torch.float16, enabled=half):
            for chunk in chunks:
                audio = torch.from_numpy(chunk[None].copy()).to(variant.device)
                voice = network(audio).float().cpu().numpy()
                voices.append(voice.reshape(-1, *chunk.shape)[0])
        return np.stack(voices)

    return separate


def _entry(path: Path) -> ModelEntry:
    return ModelEntry(
        id=path.stem,
        role="separation",
        part="network",
        version="0",
        file=path.name,
        sha256=sha256_file(path),
        size=path.stat().st_size,
        licence="MIT",
        source="made up for this run",
        package="",
        sample_rate=None,
        inputs=(),
        outputs=(),
        published="",
        folder=path.parent,
    )
