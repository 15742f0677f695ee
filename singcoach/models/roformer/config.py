"""What a MelBand Roformer looks like: read from its tensors, kept as JSON beside the pack."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from itertools import pairwise

from singcoach.errors import ModelError
from singcoach.models.roformer.bands import band_layout

Shapes = Mapping[str, tuple[int, ...]]

_HINT = "Use a checkpoint of the public MelBand Roformer family, such as Kim's vocal model"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoformerConfig:
    """Shape of one network and how it is to be driven; named as in the public YAML files.

    ``stft_*`` and ``chunk_size`` are in samples at ``sample_rate`` Hz. ``ff_mult`` and
    ``mlp_expansion_factor`` are the widths of the hidden layers in units of ``dim``.

    Raises
    ------
    ValueError
        When a value is out of range: sizes that no public network comes near are refused before
        any memory is taken for them.
    """

    dim: int
    depth: int
    stereo: bool = True
    num_stems: int = 1
    time_transformer_depth: int = 1
    freq_transformer_depth: int = 1
    num_bands: int = 60
    dim_head: int = 64
    heads: int = 8
    ff_mult: int = 4
    mask_estimator_depth: int = 2
    mlp_expansion_factor: int = 4
    sample_rate: int = 44_100
    stft_n_fft: int = 2048
    stft_hop_length: int = 441
    stft_win_length: int = 2048
    chunk_size: int = 352_800
    num_overlap: int = 2

    def __post_init__(self) -> None:
        for name, (least, most) in _RANGES.items():
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= most:
                raise ValueError(f"{name} is {value!r}; {least} to {most} would work")
        if type(self.stereo) is not bool:
            raise ValueError(f"stereo is {self.stereo!r}; true or false would work")
        if self.dim_head % 2 or self.stft_n_fft % 2:
            raise ValueError("dim_head and stft_n_fft have to be even")
        if self.stft_win_length > self.stft_n_fft:
            raise ValueError(
                f"stft_win_length is {self.stft_win_length}; up to {self.stft_n_fft} would work"
            )
        if 2 * self.stft_hop_length > self.stft_win_length:
            raise ValueError(
                f"stft_hop_length is {self.stft_hop_length}; "
                f"up to {self.stft_win_length // 2} would work"
            )
        if self.chunk_size <= self.stft_n_fft:
            raise ValueError(f"chunk_size is {self.chunk_size}; above {self.stft_n_fft} would work")

    @property
    def channels(self) -> int:
        """Channels that the network takes: 2 or 1."""
        return 2 if self.stereo else 1

    @property
    def freqs(self) -> int:
        """Bins of the spectrum."""
        return self.stft_n_fft // 2 + 1


_RANGES = {
    "dim": (1, 4096),
    "depth": (1, 64),
    "num_stems": (1, 16),
    "time_transformer_depth": (1, 16),
    "freq_transformer_depth": (1, 16),
    "num_bands": (1, 512),
    "dim_head": (2, 512),
    "heads": (1, 64),
    "ff_mult": (1, 16),
    "mask_estimator_depth": (1, 8),
    "mlp_expansion_factor": (1, 16),
    "sample_rate": (8_000, 192_000),
    "stft_n_fft": (16, 16_384),
    "stft_hop_length": (1, 8_192),
    "stft_win_length": (16, 16_384),
    "chunk_size": (17, 10_000_000),
    "num_overlap": (1, 64),
}

KIM = RoformerConfig(dim=384, depth=6)
"""The public vocal and de-reverberation checkpoints of 913 MB: 228 million parameters."""


def config_to_json(config: RoformerConfig) -> str:
    """Return the configuration as one line of JSON."""
    return json.dumps({"family": _FAMILY, **asdict(config)}, sort_keys=True)


def config_from_json(text: str) -> RoformerConfig:
    """Return the configuration that :func:`config_to_json` wrote.

    Raises
    ------
    ModelError
        When the text is not such a configuration or a value is out of range.
    """
    try:
        values = json.loads(text)
        if not isinstance(values, dict) or values.pop("family", None) != _FAMILY:
            raise ValueError(f"not a {_FAMILY} configuration")
        unknown = set(values) - {field.name for field in fields(RoformerConfig)}
        if unknown:
            raise ValueError(f"unknown settings: {', '.join(sorted(unknown))}")
        return RoformerConfig(**values)
    except (ValueError, TypeError, RecursionError) as error:
        raise ModelError(
            "The configuration of the MelBand Roformer cannot be used",
            hint="Remove the pack and add its checkpoint again",
            detail=str(error),
        ) from error


_FAMILY = "mel-band-roformer"


def config_from_shapes(shapes: Shapes) -> RoformerConfig | None:
    """Return the configuration of a checkpoint from the names and shapes of its tensors.

    Parameters
    ----------
    shapes
        Names as published, such as ``layers.0.0.layers.0.0.to_qkv.weight``, with their shapes.

    Returns
    -------
    RoformerConfig or None
        None when this is another family of networks. What tensors do not tell (sample rate, hop,
        window, chunk) is as in the public configurations of this family, except that the small
        networks with a single mask layer were published with a hop of 512 and chunks of 3 s.

    Raises
    ------
    ModelError
        When it is this family but not the variant that was published: linear attention, value
        residuals, bands of another layout, missing or superfluous tensors. For its sister family,
        BS Roformer, too.
    """
    if not {_FIRST_BAND, _FIRST_MASK} <= shapes.keys():
        return None
    if "final_norm.gamma" in shapes:
        raise ModelError(
            "This is a BS Roformer, which cannot be used here",
            hint=_HINT,
            detail="final_norm.gamma",
        )
    try:
        config = _guess(shapes)
        expected = expected_shapes(config)
    except (ValueError, KeyError, IndexError, ZeroDivisionError) as error:
        raise _unusable(repr(error)) from error
    missing = expected.keys() - shapes.keys()
    extra = shapes.keys() - expected.keys()
    if missing or extra:
        raise _unusable(f"missing {_some(missing)}; not known {_some(extra)}")
    wrong = [name for name, shape in expected.items() if tuple(shapes[name]) != shape]
    if wrong:
        raise _unusable(f"shapes of {_some(wrong)}")
    return config


_QKV = "layers.0.0.layers.0.0.to_qkv.weight"
_GATES = "layers.0.0.layers.0.0.to_gates.weight"
_FIRST_BAND = "band_split.to_features.0.1.weight"
_FIRST_MASK = "mask_estimators.0.to_freqs.0.0.0.weight"


def _guess(shapes: Shapes) -> RoformerConfig:
    """Return the configuration that the counts and sizes of the tensors speak for."""
    heads, dim = shapes[_GATES]
    mask_depth = _count(shapes, r"mask_estimators\.0\.to_freqs\.0\.0\.(\d+)\.weight") - 1
    num_bands = _count(shapes, r"band_split\.to_features\.(\d+)\.1\.weight")
    values = {
        "dim": dim,
        "depth": _count(shapes, r"layers\.(\d+)\.0\.norm\.gamma"),
        "num_stems": _count(shapes, r"mask_estimators\.(\d+)\.to_freqs\.0\.0\.0\.weight"),
        "time_transformer_depth": _count(shapes, r"layers\.0\.0\.layers\.(\d+)\.0\.norm\.gamma"),
        "freq_transformer_depth": _count(shapes, r"layers\.0\.1\.layers\.(\d+)\.0\.norm\.gamma"),
        "num_bands": num_bands,
        "dim_head": shapes[_QKV][0] // (3 * heads),
        "heads": heads,
        "ff_mult": shapes["layers.0.0.layers.0.1.net.1.weight"][0] // dim,
        "mask_estimator_depth": mask_depth,
        "mlp_expansion_factor": shapes[_FIRST_MASK][0] // dim,
    }
    if mask_depth == 1:
        values |= {"stft_hop_length": 512, "chunk_size": 131_584}
    n_first = shapes[_FIRST_BAND][1]
    n_last = shapes[f"band_split.to_features.{num_bands - 1}.1.weight"][1]
    for n_fft in (2048, 4096, 1024, 8192, 512, 256, 128):
        for stereo in (True, False):
            config = _with_transform(values, n_fft=n_fft, stereo=stereo)
            widths = _widths(config)
            if widths and (widths[0], widths[-1]) == (n_first, n_last):
                return config
    raise ValueError(f"{num_bands} bands from {n_first} to {n_last} values fit no mel layout")


def _with_transform(values: Mapping[str, int], *, n_fft: int, stereo: bool) -> RoformerConfig:
    own = dict(values)
    if n_fft < 2048:
        own["stft_hop_length"] = n_fft // 4
    return RoformerConfig(**own, stereo=stereo, stft_n_fft=n_fft, stft_win_length=n_fft)


def _widths(config: RoformerConfig) -> tuple[int, ...]:
    try:
        return band_layout(config).widths
    except ValueError:
        return ()


def _count(shapes: Shapes, pattern: str) -> int:
    return sum(re.fullmatch(pattern, name) is not None for name in shapes)


def expected_shapes(config: RoformerConfig) -> dict[str, tuple[int, ...]]:
    """Return the name and shape of every tensor of a published checkpoint of this configuration."""
    dim, inner = config.dim, config.heads * config.dim_head
    hidden = config.mlp_expansion_factor * dim
    widths = band_layout(config).widths
    shapes: dict[str, tuple[int, ...]] = {}
    depths = (config.time_transformer_depth, config.freq_transformer_depth)
    for layer in range(config.depth):
        for axis, depth in enumerate(depths):
            for block in range(depth):
                attention = f"layers.{layer}.{axis}.layers.{block}.0."
                forward = f"layers.{layer}.{axis}.layers.{block}.1.net."
                shapes |= {
                    attention + "rotary_embed.freqs": (config.dim_head // 2,),
                    attention + "norm.gamma": (dim,),
                    attention + "to_qkv.weight": (3 * inner, dim),
                    attention + "to_gates.weight": (config.heads, dim),
                    attention + "to_gates.bias": (config.heads,),
                    attention + "to_out.0.weight": (dim, inner),
                    forward + "0.gamma": (dim,),
                    forward + "1.weight": (config.ff_mult * dim, dim),
                    forward + "1.bias": (config.ff_mult * dim,),
                    forward + "4.weight": (dim, config.ff_mult * dim),
                    forward + "4.bias": (dim,),
                }
            shapes[f"layers.{layer}.{axis}.norm.gamma"] = (dim,)
    for band, width in enumerate(widths):
        shapes[f"band_split.to_features.{band}.0.gamma"] = (width,)
        shapes[f"band_split.to_features.{band}.1.weight"] = (dim, width)
        shapes[f"band_split.to_features.{band}.1.bias"] = (dim,)
    for stem in range(config.num_stems):
        for band, width in enumerate(widths):
            sizes = (dim, *(hidden,) * config.mask_estimator_depth, 2 * width)
            for i, (n_in, n_out) in enumerate(pairwise(sizes)):
                linear = f"mask_estimators.{stem}.to_freqs.{band}.0.{2 * i}."
                shapes[linear + "weight"] = (n_out, n_in)
                shapes[linear + "bias"] = (n_out,)
    return shapes


def _unusable(detail: str) -> ModelError:
    return ModelError(
        "This MelBand Roformer is of a variant that cannot be used here", hint=_HINT, detail=detail
    )


def _some(names: object) -> str:
    found = sorted(names)  # type: ignore[call-overload]
    return f"{', '.join(found[:3])} ({len(found)} in all)" if found else "nothing"
