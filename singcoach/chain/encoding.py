"""The encoders' view of a voice: the whole song, kept by what it was computed from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from singcoach.chain.cache import make_key
from singcoach.chain.engine import HUBERT_PART, Engine
from singcoach.chain.melody import PITCH_VERSION
from singcoach.core.arrays import FeatureArray, FloatArray, read_only
from singcoach.core.features import SingingFeatures
from singcoach.core.music import PitchTrack
from singcoach.encoders.singing import encode_singing
from singcoach.encoders.song import encode_song
from singcoach.jobs import NO_JOB, Job
from singcoach.models.manifest import ModelEntry
from singcoach.models.whisper.config import Recipe

GENERAL_VERSION = 2
SINGING_VERSION = 1

_GENERAL = "encoder_general"
_SINGING = "encoder_singing"


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneralFeatures:
    """float16 rows ``(n_rows, n_dims)`` and how many of them there are in a second."""

    rows: FeatureArray
    rate_hz: float


def general_features(
    vocal: FloatArray, vocal_key: str, engine: Engine, job: Job = NO_JOB
) -> GeneralFeatures:
    """Return what the general encoder hears, from the cache or anew.

    Parameters
    ----------
    vocal
        Mono at 16 kHz.
    vocal_key
        Cache key of ``vocal``.
    """
    entry = engine.entry(_GENERAL)
    kept = engine.cache.load(_general_key(vocal_key, entry, engine))
    if kept is not None:
        engine.entry(_GENERAL, provider=str(kept["provider"]))
        rate_hz = Recipe.from_json(entry.config).rate_hz
        return GeneralFeatures(rows=_halves(kept["features"]), rate_hz=rate_hz)
    session = engine.session(_GENERAL)
    # Memory may have been too short for the pack: what runs now counts.
    entry = engine.entry(_GENERAL, provider=session.provider)
    recipe = Recipe.from_json(entry.config)
    rows = read_only(encode_song(vocal, session=session, recipe=recipe, job=job))
    engine.keep(
        _general_key(vocal_key, entry, engine),
        {"features": rows, "provider": np.array(session.provider)},
    )
    return GeneralFeatures(rows=rows, rate_hz=recipe.rate_hz)


def singing_features(
    vocal: FloatArray, vocal_key: str, pitch: PitchTrack, engine: Engine, job: Job = NO_JOB
) -> SingingFeatures:
    """Return what the singing encoder hears, from the cache or anew.

    HuBERT-soft takes part where a pack has it. Parameters as for :func:`general_features`;
    ``pitch`` is that of ``vocal``.
    """
    kept = engine.cache.load(_singing_key(vocal_key, engine))
    if kept is not None:
        engine.singing_entry(provider=str(kept["provider"]))
        if "hubert" in kept:
            engine.entry(_SINGING, HUBERT_PART, provider=str(kept["hubert_provider"]))
        return SingingFeatures(
            whisper=_halves(kept["whisper"]),
            f0_bin=kept["f0_bin"],
            f0_voiced=kept["f0_voiced"],
            hubert=_halves(kept["hubert"]) if "hubert" in kept else None,
        )
    session, entry = engine.singing_encoder()
    hubert = engine.hubert()
    features = encode_singing(
        vocal,
        pitch,
        session=session,
        recipe=Recipe.from_json(entry.config),
        hubert=hubert,
        job=job,
    )
    arrays: dict[str, NDArray[Any]] = {
        "whisper": features.whisper,
        "f0_bin": features.f0_bin,
        "f0_voiced": features.f0_voiced,
    }
    if features.hubert is not None:
        arrays["hubert"] = features.hubert
    arrays["provider"] = np.array(session.provider)
    if hubert is not None:
        arrays["hubert_provider"] = np.array(hubert.provider)
    engine.keep(_singing_key(vocal_key, engine), arrays)
    return features


def _general_key(vocal_key: str, entry: ModelEntry, engine: Engine) -> str:
    return make_key("encoder", GENERAL_VERSION, vocal_key, _model(entry, _GENERAL, engine))


def _singing_key(vocal_key: str, engine: Engine) -> str:
    models = [_model(engine.singing_entry(), _SINGING, engine)]
    if engine.pack(_SINGING, HUBERT_PART) is not None:
        models.append(_model(engine.entry(_SINGING, HUBERT_PART), _SINGING, engine))
    return make_key("singing", SINGING_VERSION, PITCH_VERSION, vocal_key, models)


def _model(entry: ModelEntry, role: str, engine: Engine) -> list[str]:
    """Return what the numbers depend on: the file, how it is run, and where."""
    return [entry.sha256, entry.config, engine.device if engine.pack(role) else "cpu"]


def _halves(array: NDArray[Any]) -> FeatureArray:
    return np.asarray(array, dtype=np.float16)
