"""From a checkpoint of the Whisper family to the files of a pack."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol

from singcoach.errors import ModelError
from singcoach.jobs import NO_JOB, Job
from singcoach.models.packfile import PackFile
from singcoach.models.whisper.config import Role, WhisperConfig, config_from_shapes, recipe_for
from singcoach.models.whisper.graph import Weights, write_encoder
from singcoach.models.whisper.positions import empty_table, measure_table
from singcoach.models.whisper.products import Form, Style

Precision = Literal["int8", "fp32"]

SAMPLE_RATE = 16_000
_MANY_BLOCKS = 12
_FILES: dict[Role, str] = {
    "encoder_general": "encoder.onnx",
    "encoder_singing": "encoder-singing.onnx",
}


class WeightFile(Weights, Protocol):
    """The part of ``singcoach.models.weights.WeightFile`` that is needed."""

    @property
    def dtypes(self) -> Mapping[str, str]:
        """Element type of each tensor by its name."""
        ...

    @property
    def metadata(self) -> Mapping[str, object]:
        """Plain values that stand beside the tensors."""
        ...


def convert(
    weights: WeightFile,
    out_dir: Path,
    *,
    roles: Sequence[Role] = ("encoder_general",),
    precision: Precision = "int8",
    job: Job = NO_JOB,
) -> tuple[PackFile, ...]:
    """Write one network per role into ``out_dir`` and say what each is.

    Parameters
    ----------
    weights
        An open checkpoint; decoders and projectors in it are left out.
    roles
        ``encoder_general``: every block, and the pooling where the model has one.
        ``encoder_singing``: the first three quarters of the blocks, then the last norm.
    precision
        ``"int8"``: matrices in 8 bits with one scale per output, their inputs in 8 bits with one
        scale per frame; the rest, and the first block's most sensitive matrices, in float16.
        ``"fp32"``: four times the size, for comparisons; an encoder of the large sizes does not fit
        into one file then.

    Raises
    ------
    ModelError
        When it holds no encoder of the family, or one that cannot be used; see
        :func:`singcoach.models.whisper.config.config_from_shapes`.
    OSError
        When the files cannot be written.

    Notes
    -----
    One matrix is in memory at a time. Then the network is run on noise to learn what it answers at
    each place of a window; see :mod:`singcoach.models.whisper.positions`.
    """
    config = config_from_shapes(weights.shapes, weights.metadata, dtypes=weights.dtypes)
    if config is None:
        raise ModelError(
            "The checkpoint holds no encoder of the Whisper family",
            hint="`singcoach models add --help` tells which checkpoints are known",
        )
    made = []
    for i, role in enumerate(roles):
        part = job.part(i / len(roles), (i + 1) / len(roles))
        recipe = recipe_for(config, role)
        written = write_encoder(
            weights,
            config,
            out_dir / _FILES[role],
            n_blocks=config.blocks_for(role),
            style=Style(
                name="whisper-encoder",
                form=_rounded_form(config) if precision == "int8" else _exact,
                stored="float16" if precision == "int8" else "float32",
                table=empty_table(config),
            ),
            job=part.part(0.0, 0.6),
        )
        measure_table(
            out_dir / _FILES[role], written, config, recipe=recipe, job=part.part(0.6, 1.0)
        )
        made.append(
            PackFile(
                file=_FILES[role],
                role=role,
                sample_rate=SAMPLE_RATE,
                inputs=written.inputs,
                outputs=written.outputs,
                config=recipe.to_json(),
            )
        )
    return tuple(made)


def _rounded_form(config: WhisperConfig) -> Callable[[str], Form]:
    """Return which matrices are rounded: all but those at the start, where an error grows most.

    Measured on Whisper base (docs/encoders.md): with the first block's values rounded the frames
    agree to 0.997, without to 0.999. In a larger model the whole first block costs little.
    """
    parts = ("q", "k", "v", "o", "up", "down") if config.n_blocks >= _MANY_BLOCKS else ("v", "o")
    exact = {f"layer_0.{part}" for part in parts}
    return lambda name: "exact" if name in exact else "frame"


def _exact(_name: str) -> Form:
    return "exact"
