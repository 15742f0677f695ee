"""The stages of the chain, each as a piece of work that can be timed alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from singcoach.audio.reading import open_audio
from singcoach.audio.writing import WavWriter
from singcoach.benchmark.material import MIXTURE_RATE, Material
from singcoach.core.arrays import ANALYSIS_RATE, FloatArray
from singcoach.models.catalogue import Catalogue
from singcoach.models.sessions import Session, open_session

Work = Callable[[], object]
"""Does the work once; what it returns keeps the result alive until the clock has stopped."""

Preparation = Callable[[Material], Work]
"""Loads models and inputs, which is not timed, and returns the work."""


def _session(role: str, part: str, material: Material) -> Session:
    return open_session(Catalogue.default().require(role, part), threads=material.threads)


def _mixture_blocks(material: Material) -> Iterator[FloatArray]:
    with open_audio(material.mixture) as audio:
        yield from audio.blocks(sample_rate=MIXTURE_RATE, channels=2)


def decoding(material: Material) -> Work:
    """Read, convert to 44.1 kHz stereo, in blocks."""
    return lambda: sum(block.shape[1] for block in _mixture_blocks(material))


def kind_detection(material: Material) -> Work:
    """Solo or mixture."""
    from singcoach.regions.detector import SingingDetector, detect_kind

    audio = material.mono()
    detector = SingingDetector(Catalogue.default().require("singing_detector"))
    return lambda: detect_kind(audio, detector=detector)


def separation(material: Material) -> Work:
    """Separate the song into both stems, from blocks of decoded audio."""
    from singcoach.separation.spleeter import separate

    audio = material.stereo()
    vocals = _session("separation", "vocals", material)
    accompaniment = _session("separation", "accompaniment", material)

    def work() -> int:
        stems = separate(
            _cut(audio),
            vocals=vocals,
            accompaniment=accompaniment,
            n_samples=audio.shape[1],
            workers=material.threads,
        )
        return sum(stem.vocals.shape[1] for stem in stems)

    return work


def _cut(audio: FloatArray) -> Iterator[FloatArray]:
    for start in range(0, audio.shape[1], 2 * MIXTURE_RATE):
        yield audio[:, start : start + 2 * MIXTURE_RATE]


def dereverberation(material: Material) -> Work:
    """Take the room out of the voice."""
    from singcoach.separation.dereverb import dereverb

    vocal = material.vocal()
    return lambda: dereverb(vocal, sample_rate=ANALYSIS_RATE)


def pitch_tracking(material: Material) -> Work:
    """Fundamental frequency of the voice."""
    from singcoach.pitch.f0 import track_pitch

    vocal = material.vocal()
    session = _session("pitch", "", material)
    return lambda: track_pitch(vocal, session=session)


def note_finding(material: Material) -> Work:
    """Notes with their vibrato, from a pitch track that was made before."""
    from singcoach.pitch.f0 import track_pitch
    from singcoach.pitch.notes import find_notes

    vocal = material.vocal()
    pitch = track_pitch(vocal, session=_session("pitch", "", material))
    return lambda: find_notes(pitch, vocal, sample_rate=ANALYSIS_RATE)


def encoding(material: Material) -> Work:
    """Encode the whole voice, log-mel spectrogram included."""
    from singcoach.encoders.song import encode_song

    vocal = material.vocal()
    session = _session("encoder_general", "", material)
    return lambda: encode_song(vocal, session=session)


def quality_rating(material: Material) -> Work:
    """Rate the recording."""
    from singcoach.screening.quality import recording_quality

    vocal = material.vocal()
    session = _session("recording_quality", "", material)
    return lambda: recording_quality(vocal, session=session)


def backing_analysis(material: Material) -> Work:
    """Chroma, key and beats of the accompaniment."""
    from singcoach.screening.backing import analyse_backing

    backing = material.backing()
    return lambda: analyse_backing(backing, sample_rate=ANALYSIS_RATE)


STAGES: dict[str, tuple[str, Preparation]] = {
    "decode": ("decoding", decoding),
    "kind": ("kind detection", kind_detection),
    "separate": ("separation", separation),
    "dereverb": ("dereverb", dereverberation),
    "pitch": ("pitch", pitch_tracking),
    "notes": ("notes", note_finding),
    "encode": ("encoder", encoding),
    "quality": ("recording quality", quality_rating),
    "backing": ("backing analysis", backing_analysis),
}
"""Name of the stage for the worker -> the work it does and how to prepare it."""


def prepare_voice(material: Material) -> None:
    """Separate the song once and keep both stems, in mono, for the stages that need them."""
    from singcoach.separation.spleeter import separate

    vocals = _session("separation", "vocals", material)
    accompaniment = _session("separation", "accompaniment", material)
    with _mono_writer(material.vocal_path) as voice, _mono_writer(material.backing_path) as rest:
        for stem in separate(
            _mixture_blocks(material),
            vocals=vocals,
            accompaniment=accompaniment,
            workers=material.threads,
        ):
            for writer, audio in ((voice, stem.vocals), (rest, stem.accompaniment)):
                writer.write(audio.mean(axis=0, keepdims=True, dtype=np.float32))


def _mono_writer(path: Path) -> WavWriter:
    return WavWriter(path, sample_rate=MIXTURE_RATE, channels=1)
