"""Voices for made singing: envelopes of licence-clean clips, singer by singer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from singcoach.audio.reading import read_audio
from singcoach.core.arrays import ANALYSIS_RATE, FloatArray, RealArray
from singcoach.dsp.runs import runs_of
from singcoach.jobs import NO_JOB, Job
from singcoach.pitch.f0 import PitchSession, track_pitch
from singcoach.pitch.notes import find_notes
from singcoach.training.edits.voice import FRAME_S, SILENCE, Singing
from singcoach.training.edits.world import analyse_voice

SHORTEST_S = 0.22
MOST_FILES = 36
_EDGE_S = 0.04
_QUIET_DB = 12.0
_TRACKS = {"vocadito_1": "S1", "vocadito_10": "S7", "vocadito_14": "S11"}
"""The singers of the tracks, from the metadata of vocadito."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """Envelopes of a sustained vowel, each frame brought to a power of 1.

    Attributes
    ----------
    technique, vowel
        As the set names them; ``"plain"`` and ``""`` where it does not.
    f0_hz
        Median fundamental.
    log_spectrum, aperiodicity
        Natural logarithm of power, and noise; shape ``(n_frames, n_bins)``, float32.
    """

    source: str
    technique: str
    vowel: str
    f0_hz: float
    log_spectrum: FloatArray
    aperiodicity: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """One singer: the corpus, a name that is unique in it, and clips."""

    corpus: str
    singer: str
    clips: tuple[Clip, ...]

    @property
    def techniques(self) -> tuple[str, ...]:
        """The techniques there are, without fry, which is no way to sing a melody."""
        return tuple(sorted({c.technique for c in self.clips} - {"fry"}))

    def centre_midi(self) -> float:
        """Middle of what the singer sang in the clips."""
        heights = [c.f0_hz for c in self.clips if c.technique != "fry"]
        return float(69.0 + 12.0 * np.log2(np.median(heights) / 440.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceSource:
    """Files that one voice is made from."""

    corpus: str
    singer: str
    files: tuple[Path, ...]


def find_voices(data: Path) -> tuple[VoiceSource, ...]:
    """Return the singers of vocalset_1s, vocobox and vocadito that lie in ``data``, in order."""
    found = []
    for folder in sorted((data / "vocalset_1s" / "audio").glob("*")):
        files = tuple(sorted(folder.rglob("*.mp3")))
        if files:
            found.append(VoiceSource(corpus="vocalset", singer=folder.name, files=files))
    notes = tuple(
        path
        for path in sorted((data / "vocobox").glob("*.flac"))
        if not re.search("ko|instable|bended", path.stem)
    )
    notes = notes[:: max(1, -(-len(notes) // MOST_FILES))]
    if notes:
        found.append(VoiceSource(corpus="vocobox", singer="vocobox", files=notes))
    for track, singer in _TRACKS.items():
        path = data / "vocadito" / "Audio" / f"{track}.wav"
        if path.is_file():
            found.append(VoiceSource(corpus="vocadito", singer=singer, files=(path,)))
    return tuple(found)


def read_voice(source: VoiceSource, *, session: PitchSession, job: Job = NO_JOB) -> Voice:
    """Analyse the clips of one singer.

    Raises
    ------
    InputError
        When a file cannot be read.
    ModelError
        When pyworld is not installed.
    """
    clips: list[Clip] = []
    for index, path in enumerate(source.files):
        job.report(index / len(source.files), f"voice {source.singer}")
        audio = read_audio(path, sample_rate=ANALYSIS_RATE, channels=1)[0]
        pitch = track_pitch(audio, session=session)
        notes = find_notes(pitch, audio) if source.corpus == "vocadito" else ()
        singing = analyse_voice(audio, sample_rate=ANALYSIS_RATE, pitch=pitch, notes=notes)
        technique, vowel = _labels(source.corpus, path.stem)
        spans = (
            [(n.onset_s, n.offset_s) for n in singing.notes]
            if source.corpus == "vocadito"
            else [(a * FRAME_S, b * FRAME_S) for a, b in runs_of(singing.voiced)]
        )
        clips += _clips(singing, spans, source=path.name, technique=technique, vowel=vowel)
    return Voice(corpus=source.corpus, singer=source.singer, clips=tuple(clips))


def _labels(corpus: str, stem: str) -> tuple[str, str]:
    if corpus != "vocalset":
        return "plain", ""
    parts = re.match(r"\w+?_(?:scales|arpeggios)_(\w+?)_([aeiou])_", stem)
    if parts is None:
        return "plain", ""
    return parts[1].replace("vocal_fry", "fry"), parts[2]


def _clips(
    singing: Singing,
    spans_s: Sequence[tuple[float, float]],
    *,
    source: str,
    technique: str,
    vowel: str,
) -> list[Clip]:
    """Cut the sustained, loud enough part out of every span that is long enough."""
    found = []
    level = singing.level_db()
    for start_s, end_s in spans_s:
        here = singing.frames_of(start_s + _EDGE_S, end_s - _EDGE_S)
        frames = np.arange(here.start, here.stop)
        frames = frames[singing.voiced[frames]]
        if frames.size * FRAME_S < SHORTEST_S:
            continue
        frames = frames[level[frames] > np.median(level[frames]) - _QUIET_DB]
        power = singing.spectrum[frames].mean(axis=1, keepdims=True)
        shape: RealArray = singing.spectrum[frames] / np.maximum(power, SILENCE)
        found.append(
            Clip(
                source=source,
                technique=technique,
                vowel=vowel,
                f0_hz=float(np.median(singing.f0_hz[frames])),
                log_spectrum=np.log(np.maximum(shape, 1e-9)).astype(np.float32),
                aperiodicity=singing.aperiodicity[frames].astype(np.float32),
            )
        )
    return found
