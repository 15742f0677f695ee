"""Faults of breath and level: early decay, wobble, breaks, gasps, flat dynamics."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from singcoach.core.arrays import RealArray
from singcoach.training.edits.kinds import Fault, over_phrases
from singcoach.training.edits.voice import (
    FRAME_S,
    SILENCE,
    Singing,
    fade_in_spans,
    random_curve,
    shifted,
    smoothed,
    sung_level_db,
    voiced_runs,
    with_gain,
)

Edited = tuple[Singing, tuple[Fault, ...]]

DECAY_DB = 22.0
DECAY_S = 1.4
DECAY_CENTS = 50.0
WOBBLE_DB = 5.0
BREAKS_PER_S = 0.6
BREAK_S = (0.14, 0.24)
BREAK_DB = 45.0
GASP_S = (0.28, 0.4)
SOFT_GASP_DB, LOUD_GASP_DB = -45.0, -14.0
GASP_SHARE = 0.6


def early_decay(
    singing: Singing,
    severity: float,
    generator: np.random.Generator,
) -> Edited:
    """Let every phrase run out of air: its end grows soft and sinks.

    At severity 1 the level falls by 22 dB over the last 1.4 s (or the last 60 % of a shorter
    phrase) and the pitch by 50 cents over the second half of that. Subglottal pressure that gives
    way lowers both (Sundberg 1987, ch. 3; Thorpe et al. 2001).
    """
    gain = np.zeros(singing.n_frames)
    sag = np.zeros(singing.n_frames)
    faults = []
    for phrase in singing.phrases:
        strength = generator.uniform(0.8, 1.2)
        length_s = min(DECAY_S, 0.6 * phrase.duration_s)
        here = singing.frames_of(phrase.end_s - length_s, phrase.end_s + 0.25)
        x = np.clip(np.arange(here.stop - here.start) * FRAME_S / max(length_s, FRAME_S), 0.0, 1.0)
        gain[here] -= DECAY_DB * strength * severity * x
        sag[here] -= DECAY_CENTS * strength * severity * np.clip(2.0 * x - 1.0, 0.0, 1.0)
        faults.append(
            Fault(
                kind="early_decay",
                severity=severity,
                start_s=phrase.end_s - length_s,
                end_s=phrase.end_s,
                amount=DECAY_DB * strength * severity,
                unit="dB",
            )
        )
    edited = replace(
        singing,
        spectrum=with_gain(singing.spectrum, gain),
        f0_hz=shifted(singing.f0_hz, sag),
    )
    return edited, tuple(faults)


def level_wobble(singing: Singing, severity: float, generator: np.random.Generator) -> Edited:
    """Make the level unsteady.

    At severity 1 by 5 dB (standard deviation) in swings at and below 2 Hz, slower than vibrato,
    as from a support that is not held (Sundberg 1987; Baken and Orlikoff 2000 on tremor).
    """
    curve = np.clip(random_curve(generator, singing.n_frames, hz=2.0), -2.5, 2.5)
    gain = WOBBLE_DB * severity * curve * smoothed(singing.voiced.astype(np.float64), seconds=0.01)
    edited = replace(singing, spectrum=with_gain(singing.spectrum, gain))
    return edited, over_phrases(singing, "level_wobble", severity, WOBBLE_DB * severity, "dB")


def breaks(singing: Singing, severity: float, generator: np.random.Generator) -> Edited:
    """Let the tone give out for a moment inside the notes.

    At severity 1 on average 0.6 times a second of voice, for 140 to 240 ms, by 45 dB; at a lower
    severity a part of the same places. Breaks of phonation are what teachers call a cracking or
    unsupported voice (Hirano 1981).
    """
    places: list[tuple[float, float]] = []
    for first, last in voiced_runs(singing):
        length_s = (last - first) * FRAME_S
        count = int(generator.poisson(BREAKS_PER_S * length_s))
        for _ in range(count):
            long_s = generator.uniform(*BREAK_S)
            start_s = first * FRAME_S + generator.uniform(0.1, max(0.11, length_s - long_s - 0.1))
            kept = generator.random() < severity
            inside = start_s + long_s < last * FRAME_S - 0.06
            if kept and inside:
                places.append((start_s, start_s + long_s))
    hole = fade_in_spans(singing.n_frames, places, fade_s=0.025)
    f0 = np.where(hole > 0.6, 0.0, singing.f0_hz)
    edited = replace(singing, f0_hz=f0, spectrum=with_gain(singing.spectrum, -BREAK_DB * hole))
    faults = tuple(
        Fault(
            kind="breaks", severity=severity, start_s=a, end_s=b, amount=1000.0 * (b - a), unit="ms"
        )
        for a, b in sorted(places)
    )
    return edited, faults


def gasps(singing: Singing, severity: float, generator: np.random.Generator) -> Edited:
    """Breathe in loudly, and in the middle of phrases.

    Before every phrase an inhalation of 0.28 to 0.4 s is put in, -45 dB (severity 0) to -14 dB
    (severity 1) relative to the singing. At severity 1 also before six of ten notes inside phrases
    of 1.5 s and more, one second at least from the last, where the note before is cut short for
    it; at a lower severity before a part of the same notes. Where and how audibly one breathes is
    the first thing in rating breath control (Thorpe et al. 2001; Salomoni et al. 2016).
    """
    level_db = sung_level_db(singing)
    loud_db = SOFT_GASP_DB + (LOUD_GASP_DB - SOFT_GASP_DB) * severity
    places = []
    for phrase in singing.phrases:
        long_s = generator.uniform(*GASP_S)
        places.append((max(0.0, phrase.start_s - long_s - 0.03), phrase.start_s - 0.03))
        last_s = phrase.start_s
        for note in singing.notes:
            inside = phrase.start_s + 0.6 < note.onset_s < phrase.end_s - 0.6
            wanted = generator.random() < GASP_SHARE
            kept = generator.random() < severity
            long_s = generator.uniform(*GASP_S)
            if not inside or phrase.duration_s < 1.5 or note.onset_s - last_s < 1.0 or not wanted:
                continue
            last_s = note.onset_s
            if kept:
                places.append((note.onset_s - long_s, note.onset_s - 0.01))
    spectrum, f0 = singing.spectrum.copy(), singing.f0_hz.copy()
    noise = singing.aperiodicity.copy()
    faults = []
    for start_s, end_s in places:
        here = singing.frames_of(start_s, end_s)
        if here.stop - here.start < 20:
            continue
        spectrum[here] = breath_spectrum(
            here.stop - here.start,
            singing.bins_hz,
            level_db=level_db + loud_db,
            generator=generator,
        )
        f0[here] = 0.0
        noise[here] = 1.0
        faults.append(
            Fault(
                kind="gasps",
                severity=severity,
                start_s=start_s,
                end_s=end_s,
                amount=loud_db,
                unit="dB",
            )
        )
    edited = replace(singing, spectrum=spectrum, f0_hz=f0, aperiodicity=noise)
    return edited, tuple(faults)


def flat_dynamics(
    singing: Singing,
    severity: float,
    generator: np.random.Generator,  # noqa: ARG001 - one form for all
) -> Edited:
    """Take the shape out of the level; at severity 1 every phrase is equally loud throughout.

    The level under a Gaussian of 0.15 s is drawn towards the take's median, by up to 20 dB;
    attacks and releases stay. Level and its shape are the strongest means of expression (Juslin and
    Laukka 2003; Sundberg et al. 1995).
    """
    level = singing.level_db()
    middle = sung_level_db(singing)
    gain = np.zeros(singing.n_frames)
    for first, last in voiced_runs(singing):
        slow = smoothed(level[first:last], seconds=0.15)
        gain[first:last] = np.clip(middle - slow, -20.0, 20.0)
    known = np.flatnonzero(singing.voiced)
    if known.size:
        gain = np.interp(np.arange(singing.n_frames), known, gain[known])
    # What lies between notes moves with its neighbours, but rests are not raised.
    gain = np.where(singing.voiced, gain, np.minimum(gain, 0.0))
    gain = severity * smoothed(gain, seconds=0.02)
    edited = replace(singing, spectrum=with_gain(singing.spectrum, gain))
    return edited, over_phrases(singing, "flat_dynamics", severity, severity, "share")


def breath_spectrum(
    n_frames: int, bins_hz: RealArray, *, level_db: float, generator: np.random.Generator
) -> RealArray:
    """Return the envelope of an inhalation: noise with the throat's broad resonances.

    Two broad peaks near 1.2 and 2.6 kHz over a falling floor, rising for two thirds and ending
    fast; the mean power at its loudest is ``level_db``. Shape ``(n_frames, n_bins)``.
    """
    first_hz = generator.uniform(1000.0, 1500.0)
    second_hz = generator.uniform(2300.0, 3000.0)
    shape_db = (
        12.0 * np.exp(-(((bins_hz - first_hz) / 500.0) ** 2))
        + 9.0 * np.exp(-(((bins_hz - second_hz) / 700.0) ** 2))
        - 12.0 * bins_hz / 8000.0
        - 25.0 * np.exp(-bins_hz / 200.0)
    )
    shape = 10.0 ** (shape_db / 10.0)
    shape = shape / shape.mean() * 10.0 ** (level_db / 10.0)
    x = np.linspace(0.0, 1.0, n_frames)
    rise = np.minimum(np.sin(0.5 * np.pi * np.clip(x / 0.65, 0.0, 1.0)), (1.0 - x) / 0.2)
    curve = np.clip(rise, 0.0, 1.0) ** 2
    return np.asarray(np.maximum(curve[:, np.newaxis] * shape[np.newaxis, :], SILENCE))
