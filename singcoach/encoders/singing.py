"""What a singing-voice encoder knows of a take: three views of it on one grid of 20 ms.

After Encoder-SaMoye as it was released: a Whisper without its last quarter of blocks, the pitch in
coarse steps, and the speech units of HuBERT. Two things differ: nothing is added to the log-mel
picture (there it is noise, and a score must be repeatable), and windows overlap and are cross-faded
instead of being put end to end.
"""

from __future__ import annotations

import numpy as np

from singcoach.core.arrays import FeatureArray, FloatArray, read_only
from singcoach.core.features import SingingFeatures
from singcoach.core.music import PitchTrack
from singcoach.encoders.f0_bins import coarse_pitch
from singcoach.encoders.song import Encoder, encode_song
from singcoach.encoders.units import UnitEncoder, encode_units
from singcoach.jobs import NO_JOB, Job
from singcoach.models.whisper.config import SINGING, Recipe


def encode_singing(
    audio: FloatArray,
    pitch: PitchTrack,
    *,
    session: Encoder,
    recipe: Recipe = SINGING,
    hubert: UnitEncoder | None = None,
    job: Job = NO_JOB,
) -> SingingFeatures:
    """Return the singing features of a whole take.

    Parameters
    ----------
    audio
        Mono at 16 kHz in [-1, 1], shape ``(n_samples,)``; finite. May be empty.
    pitch
        Pitch of the same audio.
    session
        A model of the role ``encoder_singing``.
    recipe
        How it is run: ``Recipe.from_json(entry.config)``.
    hubert
        A model of the role ``encoder_singing``, part ``hubert``, where there is one.

    Raises
    ------
    ValueError
        When ``audio`` is not one-dimensional or not finite, or the model pools its frames.
    """
    if recipe.pooling != 1:
        raise ValueError("a singing encoder gives 50 rows per second")
    share = 1.0 if hubert is None else 0.6
    whisper = encode_song(audio, session=session, recipe=recipe, job=job.part(0.0, share))
    n_frames = len(whisper)
    coarse = coarse_pitch(pitch, n_frames=n_frames)
    units: FeatureArray | None = None
    if hubert is not None:
        found = encode_units(audio, session=hubert, job=job.part(share, 1.0))
        units = _of_length(found, n_frames)
    return SingingFeatures(
        whisper=whisper, f0_bin=coarse.bins, f0_voiced=coarse.voiced, hubert=units
    )


def _of_length(features: FeatureArray, n_frames: int) -> FeatureArray:
    """Return the features with their last row repeated or left out: the grids differ by a row."""
    missing = n_frames - len(features)
    if missing <= 0:
        return read_only(features[:n_frames])
    return read_only(np.pad(features, ((0, missing), (0, 0)), mode="edge"))
