"""Tricks made from a real take: whispered, shouted, hummed, spoken, slowed, looped.

What changes the voice itself goes through WORLD (:mod:`singcoach.training.edits.world`): its
parameters are changed and the sound is made again. What does not (half speed of a tape, an early
end) is done on the samples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from singcoach.core.arrays import ANALYSIS_RATE, FloatArray, RealArray
from singcoach.training.edits.voice import FRAME_S, Singing
from singcoach.training.edits.world import synthesise

HUM_HZ = 196.0
SHOUT_HZ = 330.0
SPEECH_HZ = 130.0
_BINS_HZ_STEP = ANALYSIS_RATE / 2.0 / 512.0


def whispered(singing: Singing) -> FloatArray:
    """The words without the voice: noise through the same mouth, a little brighter."""
    spectrum = _tilted(singing.spectrum, db_per_octave=2.0)
    # Where the voice sounds WORLD takes its noise from the share of noise, so that becomes all.
    return synthesise(
        replace(
            singing,
            f0_hz=np.zeros_like(singing.f0_hz),
            spectrum=spectrum,
            aperiodicity=np.ones_like(singing.aperiodicity),
        )
    )


def shouted(singing: Singing) -> FloatArray:
    """The words shouted: high, falling with each breath, pressed and without dynamics."""
    f0_hz = _spoken_contour(singing, middle_hz=SHOUT_HZ, span_semitones=5.0)
    return _pressed(replace(singing, f0_hz=f0_hz))


def sung_shouting(singing: Singing) -> FloatArray:
    """The melody kept, but sung as loud as it goes: sharp, pressed and without dynamics."""
    f0_hz = singing.f0_hz * 2.0 ** (np.where(singing.f0_hz > 0.0, 40.0, 0.0) / 1200.0)
    return _pressed(replace(singing, f0_hz=f0_hz))


def spoken(singing: Singing) -> FloatArray:
    """The words spoken: gliding pitch in place of the notes."""
    return synthesise(
        replace(singing, f0_hz=_spoken_contour(singing, SPEECH_HZ * _octave(singing), 7.0))
    )


def hummed_melody(singing: Singing) -> FloatArray:
    """The melody hummed with closed lips: next to nothing above 800 Hz, no consonants."""
    return synthesise(_closed(singing))


def hummed_note(singing: Singing) -> FloatArray:
    """One note hummed as people hold it: with small slow wander."""
    random = np.random.default_rng(11)
    wander_cents = _wander(singing.f0_hz.size, 1.5, 12.0, random)
    f0_hz = np.where(
        singing.f0_hz > 0.0, HUM_HZ * _octave(singing) * 2.0 ** (wander_cents / 1200.0), 0.0
    )
    return synthesise(_closed(replace(singing, f0_hz=f0_hz)))


def wandering_note(singing: Singing) -> FloatArray:
    """One note with the words, held badly: it sinks by a tone and wobbles."""
    random = np.random.default_rng(12)
    sinking = -200.0 * np.arange(singing.f0_hz.size) / max(1, singing.f0_hz.size)
    cents = sinking + _wander(singing.f0_hz.size, 0.4, 25.0, random)
    f0_hz = np.where(singing.f0_hz > 0.0, HUM_HZ * _octave(singing) * 2.0 ** (cents / 1200.0), 0.0)
    return synthesise(replace(singing, f0_hz=f0_hz))


def two_notes(singing: Singing) -> FloatArray:
    """Two notes a whole tone apart, changed with every sung note."""
    cents = np.zeros(singing.f0_hz.size)
    for index, note in enumerate(singing.notes):
        first, last = round(note.onset_s / FRAME_S), round(note.offset_s / FRAME_S)
        cents[first:last] = 200.0 * (index % 2)
    f0_hz = np.where(singing.f0_hz > 0.0, HUM_HZ * _octave(singing) * 2.0 ** (cents / 1200.0), 0.0)
    return synthesise(replace(singing, f0_hz=f0_hz))


def siren(singing: Singing) -> FloatArray:
    """The voice gliding up and down an octave without ever resting on a note."""
    times_s = np.arange(singing.f0_hz.size) * FRAME_S
    octaves = 0.5 - 0.5 * np.cos(2.0 * np.pi * times_s / 4.0)
    f0_hz = np.where(singing.f0_hz > 0.0, 170.0 * _octave(singing) * 2.0**octaves, 0.0)
    return synthesise(replace(singing, f0_hz=f0_hz))


def stretched(singing: Singing) -> FloatArray:
    """Half speed at the same pitch."""
    index = np.minimum(np.arange(2 * singing.f0_hz.size) // 2, singing.f0_hz.size - 1)
    return synthesise(
        replace(
            singing,
            f0_hz=singing.f0_hz[index],
            spectrum=singing.spectrum[index],
            aperiodicity=singing.aperiodicity[index],
            n_samples=2 * singing.n_samples,
        )
    )


def octave_lower(singing: Singing) -> FloatArray:
    """The same voice an octave lower, its resonances kept."""
    return synthesise(replace(singing, f0_hz=singing.f0_hz / 2.0))


def again(singing: Singing) -> FloatArray:
    """The take through WORLD unchanged: what making the sound again costs by itself."""
    return synthesise(singing)


VOICE_TRICKS: Mapping[str, Callable[[Singing], FloatArray]] = {
    "resynthesised": again,
    "whispered": whispered,
    "spoken": spoken,
    "shouted": shouted,
    "shouted melody": sung_shouting,
    "one note hummed": hummed_note,
    "one note, badly held": wandering_note,
    "two notes": two_notes,
    "siren": siren,
    "melody hummed": hummed_melody,
    "half speed": stretched,
    "octave lower": octave_lower,
}
"""Tricks that need the parameters of the voice."""


def tape_at_half_speed(audio: FloatArray) -> FloatArray:
    """Every sample twice as slow: half the tempo and an octave lower."""
    import soxr

    return np.asarray(soxr.resample(audio, 1.0, 2.0, quality="HQ"), dtype=np.float32)


def quieter(audio: FloatArray) -> FloatArray:
    """20 dB less."""
    return np.asarray(0.1 * audio, dtype=np.float32)


def first_third(audio: FloatArray) -> FloatArray:
    """The first third of the take."""
    return audio[: audio.size // 3].copy()


def looped_phrase(audio: FloatArray) -> FloatArray:
    """Its first 4 s with singing, over and over for the length of the take."""
    loud = np.flatnonzero(np.abs(audio) > 0.1 * float(np.max(np.abs(audio), initial=0.0)))
    start = int(loud[0]) if loud.size else 0
    piece = audio[start : start + 4 * ANALYSIS_RATE]
    return np.asarray(np.resize(piece, max(audio.size, 3 * piece.size)), dtype=np.float32)


SAMPLE_TRICKS: Mapping[str, Callable[[FloatArray], FloatArray]] = {
    "tape at half speed": tape_at_half_speed,
    "20 dB quieter": quieter,
    "stopped after a third": first_third,
    "one phrase looped": looped_phrase,
}
"""Tricks on the samples."""


def _octave(singing: Singing) -> float:
    """1 for low voices, 2 for high ones, so that every trick stays where the voice sings."""
    voiced = singing.f0_hz[singing.f0_hz > 0.0]
    return 2.0 if voiced.size and float(np.median(voiced)) > 260.0 else 1.0


def _spoken_contour(singing: Singing, middle_hz: float, span_semitones: float) -> RealArray:
    """Pitch that falls through every stretch of voice and moves with every syllable."""
    random = np.random.default_rng(13)
    semitones = np.zeros(singing.f0_hz.size)
    for phrase in singing.phrases:
        first, last = round(phrase.start_s / FRAME_S), round(phrase.end_s / FRAME_S)
        semitones[first:last] += np.linspace(0.3, -0.4, max(0, last - first)) * span_semitones
    for note in singing.notes:
        # Syllables of speech last 0.2 s; a long sung note holds several.
        for start_s in np.arange(note.onset_s, note.offset_s, 0.2):
            first = round(start_s / FRAME_S)
            last = round(min(start_s + 0.2, note.offset_s) / FRAME_S)
            height = random.normal(0.0, 0.15) * span_semitones
            fall = random.uniform(-0.4, 0.15) * span_semitones
            semitones[first:last] += height + np.linspace(0.0, fall, max(0, last - first))
    width = round(0.04 / FRAME_S)
    smooth = np.convolve(np.pad(semitones, width, mode="edge"), np.ones(width) / width, "same")
    semitones = smooth[width : width + semitones.size]
    return np.where(singing.f0_hz > 0.0, middle_hz * 2.0 ** (semitones / 12.0), 0.0)


def _pressed(singing: Singing) -> FloatArray:
    """Flatten the spectrum and the level of the voiced frames, then drive it into saturation."""
    spectrum = _tilted(singing.spectrum, db_per_octave=3.0)
    level_db = 10.0 * np.log10(spectrum.sum(axis=1))
    voiced = singing.f0_hz > 0.0
    if voiced.any():
        loud_db = float(np.percentile(level_db[voiced], 90.0))
        gain_db = np.where(voiced, 0.8 * np.clip(loud_db - level_db, 0.0, 20.0), 0.0)
        spectrum = spectrum * 10.0 ** (gain_db / 10.0)[:, np.newaxis]
    sound = synthesise(replace(singing, spectrum=spectrum))
    peak = float(np.percentile(np.abs(sound), 99.0)) if sound.size else 0.0
    if peak > 0.0:
        sound = np.tanh(1.5 * sound / peak).astype(np.float32) * np.float32(0.6)
    return sound


def _closed(singing: Singing) -> Singing:
    bins_hz = np.arange(singing.spectrum.shape[1]) * _BINS_HZ_STEP
    slope_db = -24.0 * np.log2(np.maximum(bins_hz, 1.0) / 400.0).clip(0.0)
    voiced = (singing.f0_hz > 0.0)[:, np.newaxis]
    spectrum = singing.spectrum * 10.0 ** (slope_db / 10.0)
    # No mouth, no vowels: the envelope of the whole take in place of the moment's.
    level = spectrum.sum(axis=1, keepdims=True)
    if voiced.any():
        mean = spectrum[voiced[:, 0]].mean(axis=0)
        spectrum = np.where(voiced, mean / mean.sum() * level, 1e-3 * spectrum)
    return replace(
        singing,
        spectrum=np.maximum(spectrum, 1e-16),
        aperiodicity=np.minimum(singing.aperiodicity, 0.3),
    )


def _tilted(spectrum: RealArray, *, db_per_octave: float) -> RealArray:
    bins_hz = np.arange(spectrum.shape[1]) * _BINS_HZ_STEP
    octaves = np.log2(np.clip(bins_hz, 250.0, 8000.0) / 250.0)
    return np.asarray(spectrum * 10.0 ** (db_per_octave * octaves / 10.0), dtype=np.float64)


def _wander(n_frames: int, rate_hz: float, cents: float, random: np.random.Generator) -> RealArray:
    """Slow noise of a given width."""
    knots = random.normal(0.0, cents, max(4, round(n_frames * FRAME_S * rate_hz) + 4))
    place = np.linspace(0.0, knots.size - 1.0, n_frames)
    return np.asarray(np.interp(place, np.arange(knots.size), knots), dtype=np.float64)
