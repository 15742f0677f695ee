"""Made singing: a melody, a voice and a style become parameters with known truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from singcoach.core.arrays import BoolArray, RealArray
from singcoach.training.edits.level_edits import breath_spectrum
from singcoach.training.edits.voice import FRAME_S, Singing, phrases_of
from singcoach.training.edits.world import N_BINS
from singcoach.training.made.melody import Melody, compose
from singcoach.training.made.performance import Line, Style, draw_line, draw_style
from singcoach.training.made.voices import Clip, Voice

LEVEL_DB = -22.0
FLOOR_DB = -62.0
_FADE_FRAMES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeTake:
    """Made singing with everything that is true of it."""

    singing: Singing
    melody: Melody
    style: Style
    sources: tuple[str, ...]


def make_singing(
    voice: Voice, *, seconds: float, with_vibrato: bool, generator: np.random.Generator
) -> MadeTake:
    """Let a voice sing a random melody of about ``seconds``.

    Each syllable takes a clip whose pitch is near the note's; its envelopes are walked through to
    and fro at their own pace (so that the small changes of a real tone stay) and cross-faded over
    80 ms. Louder frames are a little brighter. Syllables begin with voiced or voiceless consonants
    or none; before phrases a soft breath is heard; the rests hold a faint noise.

    Parameters
    ----------
    voice
        From :func:`singcoach.training.made.voices.read_voice`, with at least one clip that is not
        fry.
    """
    centre = voice.centre_midi() + generator.uniform(-2.0, 2.0)
    melody = compose(generator, centre_midi=centre, seconds=seconds)
    style = draw_style(generator, voice.techniques, with_vibrato=with_vibrato)
    line = draw_line(melody, style, generator)
    log_spectrum, noise, sources = _walk(voice, style, line, generator)
    bins_hz = np.linspace(0.0, 8000.0, N_BINS)
    octaves = np.log2(np.maximum(bins_hz, 800.0) / 800.0)
    voiced = np.isfinite(line.cents)
    tilt = np.clip(0.12 * line.level_db, -2.0, 1.0)
    log_spectrum += (np.log(10.0) / 10.0) * (tilt[:, np.newaxis] * octaves[np.newaxis, :])
    spectrum = np.exp(log_spectrum)
    spectrum /= spectrum.mean(axis=1, keepdims=True)
    spectrum *= 10.0 ** ((LEVEL_DB + line.level_db) / 10.0)[:, np.newaxis]
    _consonants(melody, style, spectrum, noise, voiced, bins_hz, generator)
    _rests(line, style, spectrum, noise, voiced, bins_hz, generator)
    f0 = np.where(voiced, 440.0 * 2.0 ** (np.nan_to_num(line.cents) / 1200.0), 0.0)
    singing = Singing(
        f0_hz=f0,
        spectrum=spectrum,
        aperiodicity=noise,
        n_samples=round((len(f0) - 1) * FRAME_S * 16_000),
        notes=line.notes,
        phrases=phrases_of(line.notes),
    )
    return MadeTake(singing=singing, melody=melody, style=style, sources=sources)


def _walk(
    voice: Voice, style: Style, line: Line, generator: np.random.Generator
) -> tuple[RealArray, RealArray, tuple[str, ...]]:
    """Return log envelopes, noise and the names of the clips of a take."""
    n_frames = line.cents.size
    log_spectrum = np.zeros((n_frames, N_BINS))
    noise = np.zeros((n_frames, N_BINS))
    weight = np.full((n_frames, 1), 1e-9)
    sources: dict[str, None] = {}
    clip: Clip | None = None
    for index, note in enumerate(line.notes):
        hz = 440.0 * 2.0 ** ((note.midi - 69) / 12.0)
        if clip is None or generator.random() < 0.75:
            clip = _pick(voice, style, hz, generator)
        sources[clip.source] = None
        gap_s = 0.2  # into the rest: releases keep the last vowel
        nexts = line.notes[index + 1].onset_s if index + 1 < len(line.notes) else note.offset_s + 1
        end_s = min(note.offset_s + gap_s, nexts)
        first = max(0, round(note.onset_s / FRAME_S) - _FADE_FRAMES)
        last = min(n_frames, round(end_s / FRAME_S) + _FADE_FRAMES)
        if last <= first:
            continue
        place = _to_and_fro(len(clip.log_spectrum), last - first, generator)
        fade = np.minimum(np.arange(last - first), np.arange(last - first)[::-1]) + 1.0
        share = np.clip(fade / (2.0 * _FADE_FRAMES), 0.0, 1.0)[:, np.newaxis]
        log_spectrum[first:last] += share * clip.log_spectrum[place]
        noise[first:last] += share * clip.aperiodicity[place]
        weight[first:last] += share
    return log_spectrum / weight, np.clip(noise / weight, 1e-3, 1.0), tuple(sources)


def _pick(voice: Voice, style: Style, hz: float, generator: np.random.Generator) -> Clip:
    """Draw one of the three clips of the style whose pitch is nearest."""
    fitting = [c for c in voice.clips if c.technique == style.technique]
    near = sorted(fitting, key=lambda c: abs(np.log2(c.f0_hz / hz)))[:3]
    return near[int(generator.integers(len(near)))]


def _to_and_fro(
    n_clip: int, n_frames: int, generator: np.random.Generator
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    start = int(generator.integers(2 * n_clip))
    place = (start + np.arange(n_frames)) % (2 * n_clip)
    return np.where(place < n_clip, place, 2 * n_clip - 1 - place)


def _consonants(
    melody: Melody,
    style: Style,
    spectrum: RealArray,
    noise: RealArray,
    voiced: BoolArray,
    bins_hz: RealArray,
    generator: np.random.Generator,
) -> None:
    """Put consonants before some of the onsets, in place."""
    dark = 10.0 ** (-1.2 * np.log2(np.maximum(bins_hz, 400.0) / 400.0))
    for index, note in enumerate(melody.notes):
        wanted = generator.random() < style.consonants
        voiceless = generator.random() < 0.4
        long_s = generator.uniform(0.045, 0.085)
        depth_db = generator.uniform(7.0, 13.0)
        hiss_hz = generator.uniform(3500.0, 6500.0)
        if not wanted:
            continue
        begins_phrase = index == 0 or melody.notes[index - 1].phrase != note.phrase
        last = round(note.onset_s / FRAME_S) + int(begins_phrase)
        first = max(0, last - round(long_s / FRAME_S))
        if last - first < 4 or (begins_phrase and not voiceless):
            continue
        x = np.sin(np.linspace(0.0, np.pi, last - first))[:, np.newaxis]
        if voiceless:
            hiss = np.exp(-(((bins_hz - hiss_hz) / 1500.0) ** 2)) + 0.02
            hiss *= 10.0 ** ((LEVEL_DB - generator.uniform(16.0, 24.0)) / 10.0) / hiss.mean()
            spectrum[first:last] = x * hiss[np.newaxis, :] + 1e-9
            noise[first:last] = 1.0
            voiced[first:last] = False
        else:
            spectrum[first:last] *= (10.0 ** (-depth_db / 10.0) * dark[np.newaxis, :]) ** x


def _rests(
    line: Line,
    style: Style,
    spectrum: RealArray,
    noise: RealArray,
    voiced: BoolArray,
    bins_hz: RealArray,
    generator: np.random.Generator,
) -> None:
    """Fill what is not sung with a faint noise, and with a soft breath before phrases, in place."""
    silent = ~np.isfinite(line.cents)
    fall = 1.0 / (1.0 + (bins_hz / 600.0) ** 1.5)
    floor = fall / fall.mean() * 10.0 ** (FLOOR_DB / 10.0)
    sounding = ~voiced & ~silent
    spectrum[silent & (noise[:, 0] < 1.0)] = floor
    spectrum[sounding] += floor
    noise[silent] = 1.0
    for phrase in phrases_of(line.notes):
        long_s = generator.uniform(0.25, 0.4)
        last = round((phrase.start_s - 0.04) / FRAME_S)
        first = max(0, last - round(long_s / FRAME_S))
        if last - first < 20 or not silent[first:last].all():
            continue
        breath = breath_spectrum(
            last - first, bins_hz, level_db=LEVEL_DB + style.breath_db, generator=generator
        )
        spectrum[first:last] += breath
