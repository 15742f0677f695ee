"""How a melody is sung: pitch line, vibrato, level; the truth of made singing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from singcoach.core.arrays import RealArray
from singcoach.core.music import Note, Vibrato
from singcoach.training.edits.voice import FRAME_S, fade_in_spans, random_curve, smoothed
from singcoach.training.made.melody import Melody

INTONATION_CENTS = 9.0
WANDER_CENTS = 6.0
JITTER_CENTS = 4.0
RELEASE_S = 0.09
QUIETEST_DB = -60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How one take is sung; drawn by :func:`draw_style`.

    Attributes
    ----------
    technique
        Which clips of the voice are used.
    vibrato_share
        Share of the long notes that get vibrato.
    arc_db, contrast_db, accent_db
        Swell inside phrases, and standard deviations between phrases and between notes.
    consonants
        Share of the notes that begin with one.
    breath_db
        Level of the breaths before phrases relative to the singing.
    """

    technique: str
    vibrato_share: float
    vibrato_hz: float
    vibrato_cents: float
    arc_db: float
    contrast_db: float
    accent_db: float
    portamento_s: float
    consonants: float
    breath_db: float


def draw_style(
    generator: np.random.Generator, techniques: tuple[str, ...], *, with_vibrato: bool
) -> Style:
    """Draw the style of a good take; with little vibrato unless it is asked for."""
    odds = np.array([0.35 if name == "breathy" else 1.0 for name in techniques])
    technique = str(generator.choice(techniques, p=odds / odds.sum()))
    return Style(
        technique=technique,
        vibrato_share=float(generator.uniform(0.75, 1.0) if with_vibrato else 0.25),
        vibrato_hz=float(generator.uniform(5.0, 6.6)),
        vibrato_cents=float(generator.uniform(35.0, 80.0)),
        arc_db=float(generator.uniform(6.0, 12.0)),
        contrast_db=float(generator.uniform(1.5, 3.5)),
        accent_db=float(generator.uniform(0.6, 1.5)),
        portamento_s=float(generator.uniform(0.05, 0.11)),
        consonants=float(generator.uniform(0.35, 0.75)),
        breath_db=float(generator.uniform(-42.0, -30.0)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Pitch and level of a take by frame, and the notes that are true of it.

    ``cents`` are above A4, NaN outside the phrases; ``level_db`` is 0 at the middle of the singing.
    """

    cents: RealArray
    level_db: RealArray
    notes: tuple[Note, ...]


def draw_line(melody: Melody, style: Style, generator: np.random.Generator) -> Line:
    """Sing a melody as a line of pitch and level.

    Notes deviate by 9 cents (standard deviation), glide into each other along an S-shaped curve,
    and wander by 6 cents below 1.5 Hz and 4 cents below 25 Hz. Vibrato begins 0.12 to 0.3 s into
    notes of 0.45 s and more and widens over a quarter of a second; its rate quickens a little
    towards the end (Prame 1994). The level swells over each phrase and follows the pitch by 0.3 dB
    a semitone.
    """
    n_frames = round(melody.duration_s / FRAME_S) + 1
    times = np.arange(n_frames, dtype=np.float64) * FRAME_S
    cents = np.full(n_frames, np.nan)
    level = np.full(n_frames, QUIETEST_DB)
    notes: list[Note] = []
    middle_midi = float(np.median([n.midi for n in melody.notes]))
    for phrase in range(melody.notes[-1].phrase + 1):
        members = [n for n in melody.notes if n.phrase == phrase]
        start_s, end_s = members[0].onset_s, members[-1].offset_s
        first, last = round(start_s / FRAME_S), round((end_s + RELEASE_S) / FRAME_S)
        here = slice(first, min(n_frames, last))
        t = times[here]
        off = np.clip(generator.normal(0.0, INTONATION_CENTS, len(members)), -20.0, 20.0)
        heights = np.array([100.0 * (n.midi - 69) for n in members]) + off
        line = np.full(t.size, heights[0])
        for index in range(1, len(members)):
            width_s = style.portamento_s * generator.uniform(0.7, 1.3) / 4.4
            step = heights[index] - heights[index - 1]
            z = np.clip((t - members[index].onset_s) / width_s, -30.0, 30.0)
            line = line + step / (1.0 + np.exp(-z))
        line = line - generator.uniform(5.0, 25.0) * np.exp(-(t - start_s) / 0.04)
        arc = style.arc_db * generator.uniform(0.7, 1.3)
        x = np.clip((t - start_s) / (end_s - start_s), 0.0, 1.0)
        loud = arc * (np.sin(np.pi * x ** generator.uniform(0.6, 1.2)) - 0.64)
        loud = loud + generator.normal(0.0, style.contrast_db)
        for index, member in enumerate(members):
            vibrato = None
            inside = (t >= member.onset_s) & (t < member.offset_s)
            length_s = member.offset_s - member.onset_s
            wanted = generator.random() < style.vibrato_share
            if wanted and length_s >= 0.45:
                swing, vibrato = _vibrato(t[inside] - member.onset_s, length_s, style, generator)
                line[inside] += swing
                loud[inside] += 0.012 * swing * generator.choice([-1.0, 1.0])
            loud[inside] += generator.normal(0.0, style.accent_db)
            loud[inside] += np.clip(0.3 * (member.midi - middle_midi), -3.0, 3.0)
            notes.append(
                Note(
                    onset_s=member.onset_s,
                    offset_s=member.offset_s,
                    midi=member.midi,
                    cents_deviation=float(off[index]),
                    vibrato=vibrato,
                )
            )
        cents[here] = line
        edge = fade_in_spans(t.size, [(-0.02, t[-1] - t[0] + 0.005)], fade_s=RELEASE_S)
        level[here] = _softened(loud) + 20.0 * np.log10(np.maximum(edge, 1e-3))
    cents = cents + WANDER_CENTS * random_curve(generator, n_frames, hz=1.5)
    cents = cents + JITTER_CENTS * random_curve(generator, n_frames, hz=25.0)
    level = level + 0.35 * random_curve(generator, n_frames, hz=4.0)
    return Line(cents=cents, level_db=level, notes=tuple(notes))


def _vibrato(
    t: RealArray, length_s: float, style: Style, generator: np.random.Generator
) -> tuple[RealArray, Vibrato]:
    begin_s = generator.uniform(0.12, 0.3)
    rate_hz = style.vibrato_hz * generator.uniform(0.95, 1.05)
    extent = style.vibrato_cents * generator.uniform(0.8, 1.2)
    late = np.clip(t - begin_s, 0.0, None)
    phase = 2.0 * np.pi * rate_hz * (late + 0.02 * late * late / max(length_s, 0.1))
    growth = np.clip(late / 0.25, 0.0, 1.0) * np.clip((length_s - t) / 0.06, 0.0, 1.0)
    swing = extent * growth * np.sin(phase)
    return swing, Vibrato(rate_hz=float(rate_hz), extent_cents=float(extent), regularity=1.0)


def _softened(level_db: RealArray) -> RealArray:
    """Return the level without steps from note to note."""
    return smoothed(level_db, seconds=0.025)
