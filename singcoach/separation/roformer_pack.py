"""Opening of the MelBand Roformer of a pack where it runs best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from singcoach.jobs import NO_JOB, Job
from singcoach.models.device_session import DeviceSession, Network, open_on_device
from singcoach.models.devices import THIS_MACHINE, Machine, Wanted
from singcoach.models.manifest import ModelEntry
from singcoach.models.memory import NotEnoughMemoryError
from singcoach.models.roformer.config import KIM, RoformerConfig, config_from_json
from singcoach.models.roformer.torch_form import load_network
from singcoach.models.sessions import Tensor

_TRIAL_FRAMES = 96
_WORK_BYTES = 600_000_000
"""What a chunk of the full size takes while it runs, over the weights: 0.40 GB measured on the
processor (docs/devices.md), and something for the rest of the stage."""

_SHORTEST_SHARE = 4
"""Chunks become no shorter than a quarter: the network was trained on whole ones."""


def open_roformer(
    graph: ModelEntry,
    weights: ModelEntry | None,
    *,
    wanted: Wanted = "auto",
    threads: int | None = None,
    machine: Machine = THIS_MACHINE,
    job: Job = NO_JOB,
) -> tuple[DeviceSession, RoformerConfig]:
    """Open the network of a pack on the device that the user wants or that a trial finds fastest.

    Where memory is too short for a chunk of the published length, chunks of a half or a quarter of
    it are taken: the configuration that is returned has that length, the session warns, and what it
    gives is not to be kept.

    Parameters
    ----------
    graph, weights
        Entries of the pack's parts ``network`` (ONNX) and ``weights`` (safetensors, for torch).
    wanted, threads, machine
        As for :func:`singcoach.models.device_session.open_on_device`.
    job
        Reports the checking of the files and the trial.

    Raises
    ------
    NotEnoughMemoryError
        Before anything was started.
    ModelError
        When the pack is damaged or cannot be run here.
    """
    config = config_from_json(graph.config)

    def load_weights(path: Path, device: str, dtype: str) -> Any:
        return load_network(path, config, device=device, dtype=dtype)

    def trial_inputs() -> Mapping[str, Tensor]:
        noise = np.random.default_rng(0).standard_normal(
            (1, config.freqs * config.channels, _TRIAL_FRAMES, 2)
        )
        return {"spectrum": noise.astype(np.float32)}

    share = 1
    while True:
        shorter = replace(config, chunk_size=config.chunk_size // share)
        network = Network(
            graph=graph,
            weights=weights,
            load_network=load_weights,
            input_names=("spectrum",),
            bytes_per_item=_work_bytes(shorter),
            batched=True,
        )
        try:
            session = open_on_device(
                network,
                wanted=wanted,
                trial_inputs=trial_inputs,
                threads=threads,
                machine=machine,
                job=job,
            )
        except NotEnoughMemoryError:
            share *= 2
            if share > _SHORTEST_SHARE or shorter.chunk_size // 2 <= config.stft_n_fft:
                raise
            continue
        if share > 1:
            seconds = shorter.chunk_size / config.sample_rate
            session.work_smaller(
                f"Memory is short, so {graph.id} works in pieces of {seconds:.0f} s, "
                "which can sound a little worse"
            )
        return session, shorter


def _work_bytes(config: RoformerConfig) -> int:
    """Return what one chunk takes: it grows with its frames, bands and width."""
    return max(50_000_000, int(_WORK_BYTES * _size(config) / _size(KIM)))


def _size(config: RoformerConfig) -> float:
    return config.chunk_size / config.stft_hop_length * config.num_bands * config.dim
