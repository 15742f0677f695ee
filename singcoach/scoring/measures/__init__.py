"""Every measure of a take, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from singcoach.core.take import Take
from singcoach.jobs import NO_JOB, Job
from singcoach.pitch.shape import NoteShape, measure_shapes
from singcoach.scoring.contour import NoteContour, note_contours
from singcoach.scoring.frames import phrase_frames
from singcoach.scoring.measures import breath, emotion, noise, pitch, rhythm, timbre, vibrato
from singcoach.scoring.reading import Reading

UNITS: Mapping[str, str] = {
    "scale_deviation": "cents",
    "tuning_concentration": "ratio",
    "backing_key_deviation": "cents",
    "note_drift": "cents",
    "pitch_unsteadiness": "cents",
    "pitch_wander": "cents",
    "scoop_depth": "cents",
    "vibrato_share": "ratio",
    "vibrato_regularity": "ratio",
    "vibrato_rate": "Hz",
    "vibrato_extent": "cents",
    "level_wobble": "dB",
    "level_movement": "dB/s",
    "phrase_end_fall": "dB",
    "phrase_end_sag": "cents",
    "phrase_length": "s",
    "phrase_breaks": "s per 10 s",
    "audible_breath": "dB",
    "harmonicity": "dB",
    "harmonics_to_noise": "dB",
    "cpp_low": "dB",
    "clarity_shortfall": "dB",
    "roughness": "dB",
    "singing_power_ratio": "dB",
    "alpha_ratio": "dB",
    "spectral_tilt": "dB/octave",
    "brightness": "Hz",
    "dullness": "octaves",
    "tone_evenness": "dB",
    "dynamics_range": "dB",
    "dynamics_in_phrases": "dB",
    "phrase_arch": "dB",
    "phrase_peak": "ratio",
    "dynamics_with_melody": "ratio",
    "phrase_contrast": "dB",
    "pitch_range": "semitones",
    "melodic_variety": "bits",
    "timing_variety": "octaves",
    "beat_deviation": "ms",
    "pitch_accuracy": "ratio",
    "rhythm_accuracy": "ratio",
}
"""Unit of every measure. The last two come from the screening, as whole-take numbers."""


_BATCH = 500


def read_measures(
    take: Take, contours: tuple[NoteContour, ...] | None = None, job: Job = NO_JOB
) -> dict[str, Reading]:
    """Read every measure that needs audio, pitch or notes.

    Parameters
    ----------
    contours
        From :func:`singcoach.scoring.contour.note_contours`; made here when None.
    """
    if contours is None:
        contours = note_contours(take.pitch, take.notes, job.part(0.0, 0.2))
    frames = phrase_frames(take, job.part(0.2, 0.7))
    shapes = _shapes(take, job.part(0.7, 0.8))
    ratio = noise.harmonics_to_noise(take, frames, job.part(0.8, 0.85))
    hop_s = take.pitch.hop_s
    key = take.backing.key if take.backing is not None else None
    # One by one, so that a stop is heard between them.
    read: tuple[Callable[[], Reading], ...] = (
        lambda: pitch.scale_deviation(contours, hop_s=hop_s),
        lambda: pitch.tuning_concentration(contours, hop_s=hop_s),
        lambda: pitch.backing_key_deviation(contours, key=key, hop_s=hop_s),
        lambda: pitch.note_drift(contours, take.notes, shapes),
        lambda: pitch.pitch_unsteadiness(take.notes, shapes),
        lambda: pitch.pitch_wander(contours),
        lambda: pitch.scoop_depth(take.notes, shapes),
        lambda: vibrato.vibrato_share(take.notes),
        lambda: vibrato.vibrato_regularity(take.notes),
        lambda: vibrato.vibrato_rate(take.notes),
        lambda: vibrato.vibrato_extent(take.notes),
        lambda: breath.level_wobble(contours, frames),
        lambda: breath.level_movement(contours, frames),
        lambda: breath.phrase_end_fall(frames),
        lambda: breath.phrase_end_sag(contours, frames),
        lambda: breath.phrase_length(take),
        lambda: breath.phrase_breaks(frames),
        lambda: breath.audible_breath(take, frames),
        lambda: timbre.harmonicity(frames),
        lambda: ratio,
        lambda: timbre.cpp_low(frames),
        lambda: timbre.clarity_shortfall(frames),
        lambda: timbre.roughness(frames),
        lambda: timbre.singing_power_ratio(frames),
        lambda: timbre.alpha_ratio(frames),
        lambda: timbre.spectral_tilt(frames),
        lambda: timbre.brightness(frames),
        lambda: timbre.dullness(take, frames),
        lambda: timbre.tone_evenness(frames),
        lambda: emotion.dynamics_range(frames, hop_s=hop_s),
        lambda: emotion.dynamics_in_phrases(frames),
        lambda: emotion.phrase_arch(frames),
        lambda: emotion.phrase_peak(frames),
        lambda: emotion.dynamics_with_melody(take, frames),
        lambda: emotion.phrase_contrast(frames),
        lambda: emotion.pitch_range(contours),
        lambda: emotion.melodic_variety(contours),
        lambda: emotion.timing_variety(contours),
        lambda: rhythm.beat_deviation(take),
    )
    readings = []
    for index, measure in enumerate(read):
        job.report(0.85 + 0.15 * index / len(read), "measures")
        readings.append(measure())
    return {reading.name: reading for reading in readings}


def _shapes(take: Take, job: Job) -> tuple[NoteShape, ...]:
    """Shapes of all notes, in batches between which a stop is heard."""
    shapes: list[NoteShape] = []
    for start in range(0, len(take.notes), _BATCH):
        job.report(start / len(take.notes), "note shapes")
        # The note before the batch says whether its first note is reached from below.
        before = max(0, start - 1)
        batch = measure_shapes(take.notes[before : start + _BATCH], take.pitch)
        shapes += batch[start - before :]
    return tuple(shapes)
