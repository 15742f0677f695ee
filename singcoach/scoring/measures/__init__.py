"""Every measure of a take, by name."""

from __future__ import annotations

from collections.abc import Mapping

from singcoach.core.take import Take
from singcoach.jobs import NO_JOB, Job
from singcoach.pitch.shape import measure_shapes
from singcoach.scoring.contour import NoteContour, note_contours
from singcoach.scoring.frames import phrase_frames
from singcoach.scoring.measures import breath, emotion, pitch, timbre, vibrato
from singcoach.scoring.reading import Reading

UNITS: Mapping[str, str] = {
    "scale_deviation": "cents",
    "tuning_concentration": "ratio",
    "backing_key_deviation": "cents",
    "note_drift": "cents",
    "pitch_unsteadiness": "cents",
    "scoop_depth": "cents",
    "vibrato_share": "ratio",
    "vibrato_regularity": "ratio",
    "vibrato_rate": "Hz",
    "vibrato_extent": "cents",
    "level_wobble": "dB",
    "phrase_end_fall": "dB",
    "phrase_end_sag": "cents",
    "phrase_length": "s",
    "phrase_breaks": "s per 10 s",
    "audible_breath": "dB",
    "harmonicity": "dB",
    "cpp_low": "dB",
    "singing_power_ratio": "dB",
    "spectral_tilt": "dB/octave",
    "brightness": "Hz",
    "tone_evenness": "dB",
    "dynamics_range": "dB",
    "dynamics_in_phrases": "dB",
    "phrase_contrast": "dB",
    "pitch_range": "semitones",
    "melodic_variety": "bits",
    "timing_variety": "octaves",
    "pitch_accuracy": "ratio",
    "rhythm_accuracy": "ratio",
}
"""Unit of every measure. The last two come from the screening, as whole-take numbers."""


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
    frames = phrase_frames(take, job.part(0.2, 0.9))
    job.report(0.9, "measures")
    hop_s = take.pitch.hop_s
    shapes = measure_shapes(take.notes, take.pitch)
    key = take.backing.key if take.backing is not None else None
    readings = (
        pitch.scale_deviation(contours, hop_s=hop_s),
        pitch.tuning_concentration(contours, hop_s=hop_s),
        pitch.backing_key_deviation(contours, key=key, hop_s=hop_s),
        pitch.note_drift(contours, take.notes, shapes),
        pitch.pitch_unsteadiness(take.notes, shapes),
        pitch.scoop_depth(take.notes, shapes),
        vibrato.vibrato_share(take.notes),
        vibrato.vibrato_regularity(take.notes),
        vibrato.vibrato_rate(take.notes),
        vibrato.vibrato_extent(take.notes),
        breath.level_wobble(contours, frames),
        breath.phrase_end_fall(frames),
        breath.phrase_end_sag(contours, frames),
        breath.phrase_length(take),
        breath.phrase_breaks(frames),
        breath.audible_breath(take, frames),
        timbre.harmonicity(frames),
        timbre.cpp_low(frames),
        timbre.singing_power_ratio(frames),
        timbre.spectral_tilt(frames),
        timbre.brightness(frames),
        timbre.tone_evenness(frames),
        emotion.dynamics_range(frames, hop_s=hop_s),
        emotion.dynamics_in_phrases(frames),
        emotion.phrase_contrast(frames),
        emotion.pitch_range(contours),
        emotion.melodic_variety(contours),
        emotion.timing_variety(contours),
    )
    return {reading.name: reading for reading in readings}
