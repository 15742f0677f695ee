"""What the singing encoder knows of a take."""

from __future__ import annotations

from dataclasses import dataclass

from singcoach.core.arrays import BinArray, BoolArray, FeatureArray


@dataclass(frozen=True, slots=True, kw_only=True)
class SingingFeatures:
    """Features of a take, one row every 20 ms, row ``i`` centred at ``i * 0.02`` s.

    Attributes
    ----------
    whisper
        float16, shape ``(n_frames, n_dims)``.
    f0_bin
        Coarse pitch 1..255, uint8, shape ``(n_frames,)``; 1 where unvoiced.
    f0_voiced
        Whether there is a pitch, shape ``(n_frames,)``.
    hubert
        float16, shape ``(n_frames, 256)``; None without a pack that has HuBERT-soft.
    """

    whisper: FeatureArray
    f0_bin: BinArray
    f0_voiced: BoolArray
    hubert: FeatureArray | None = None

    def __post_init__(self) -> None:
        n_frames = len(self.whisper)
        for name, array in (
            ("f0_bin", self.f0_bin),
            ("f0_voiced", self.f0_voiced),
            ("hubert", self.hubert),
        ):
            if array is not None and len(array) != n_frames:
                raise ValueError(f"{name} has {len(array)} frames, whisper {n_frames}")
