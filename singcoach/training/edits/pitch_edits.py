"""Faults of pitch: wrong heights, drifting notes, scoops, vibrato gone or uneven."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from singcoach.core.arrays import RealArray
from singcoach.core.music import Note
from singcoach.pitch.contour import find_oscillations
from singcoach.pitch.vibrato import FASTEST_HZ, SLOWEST_HZ
from singcoach.training.edits.kinds import EditKind, Fault
from singcoach.training.edits.voice import (
    FRAME_S,
    Singing,
    cents_of,
    random_curve,
    shifted,
    smoothed,
)

Edited = tuple[Singing, tuple[Fault, ...]]

ERROR_CENTS = 45.0
DRIFT_CENTS = 90.0
SCOOP_CENTS = 250.0
SCOOP_S = 0.28
LONG_NOTE_S = 0.35
WARP_S = 0.045
_GLIDE_S = 0.025


def pitch_error(singing: Singing, severity: float, generator: np.random.Generator) -> Edited:
    """Put every note off its height by a random amount, sharp or flat.

    At severity 1 the mean distance is 45 cents (between 22 and 68), about what singers who are
    heard as out of tune show (Pfordresher and Brown 2007; Larrouy-Maestri et al. 2013). The glides
    between notes follow; vibrato and the shape inside the notes stay.
    """
    curve = np.zeros(singing.n_frames)
    faults = []
    edges = _note_edges(singing)
    for note, (first, last) in zip(singing.notes, edges, strict=True):
        size = generator.uniform(0.5, 1.5) * ERROR_CENTS * severity
        size *= 1.0 if generator.random() < 0.5 else -1.0
        curve[first:last] = size
        faults.append(_fault("pitch_error", severity, note, size, "cents"))
    moved = shifted(singing.f0_hz, smoothed(curve, seconds=_GLIDE_S))
    return replace(singing, f0_hz=moved), tuple(faults)


def pitch_drift(singing: Singing, severity: float, generator: np.random.Generator) -> Edited:
    """Let the pitch of every note of 0.35 s and longer slide away from where it began.

    At severity 1 by 90 cents over 0.8 s (no more than 110), in seven of ten notes downwards, as
    when the support gives way (Sundberg 1987, ch. 3; "modulations within tones" of
    Larrouy-Maestri et al. 2013). Heights at the onsets stay.
    """
    curve = np.zeros(singing.n_frames)
    faults = []
    for note in singing.notes:
        sign = -1.0 if generator.random() < 0.7 else 1.0
        strength = generator.uniform(0.7, 1.3)
        if note.duration_s < LONG_NOTE_S:
            continue
        size = min(110.0, DRIFT_CENTS * note.duration_s / 0.8) * strength * severity * sign
        here = singing.frames_of(note.onset_s, note.offset_s)
        n = here.stop - here.start
        curve[here] = size * np.linspace(0.0, 1.0, n) if n else 0.0
        faults.append(_fault("pitch_drift", severity, note, size, "cents"))
    moved = shifted(singing.f0_hz, smoothed(curve, seconds=0.015))
    return replace(singing, f0_hz=moved), tuple(faults)


def scoops(singing: Singing, severity: float, generator: np.random.Generator) -> Edited:
    """Begin seven of ten notes too low and slide up into them.

    At severity 1 from 250 cents below, reached within 0.28 s by a decaying curve (or half of a
    shorter note). Scooping on most notes is a fault that coaches name; a few are a style
    (Larrouy-Maestri and Pfordresher 2018 on scoops).
    """
    curve = np.zeros(singing.n_frames)
    faults = []
    for note in singing.notes:
        wanted = generator.random() < 0.7
        strength = generator.uniform(0.7, 1.3)
        if not wanted or note.duration_s < 0.16:
            continue
        length_s = min(SCOOP_S, 0.5 * note.duration_s)
        depth = SCOOP_CENTS * strength * severity
        here = singing.frames_of(note.onset_s, note.onset_s + length_s)
        x = np.linspace(0.0, 1.0, here.stop - here.start)
        curve[here] = -depth * (1.0 - x) ** 2
        faults.append(
            Fault(
                kind="scoops",
                severity=severity,
                start_s=note.onset_s,
                end_s=note.onset_s + length_s,
                amount=depth,
                unit="cents",
            )
        )
    moved = shifted(singing.f0_hz, smoothed(curve, seconds=0.008))
    return replace(singing, f0_hz=moved), tuple(faults)


def vibrato_removed(
    singing: Singing,
    severity: float,
    generator: np.random.Generator,  # noqa: ARG001 - one form for all
) -> Edited:
    """Narrow the vibrato; at severity 1 the notes are straight.

    The middle line, the glides and the small unsteadiness stay. Presence of vibrato is what
    raters of trained singing look for (Nakano et al. 2006; Ekholm et al. 1998).
    """
    swing = vibrato_part(singing)
    moved = shifted(singing.f0_hz, -severity * swing)
    return replace(singing, f0_hz=moved), _vibrato_faults(
        singing, swing, "vibrato_removed", severity, severity, "share"
    )


def vibrato_irregular(singing: Singing, severity: float, generator: np.random.Generator) -> Edited:
    """Make rate and width of the vibrato uneven.

    The vibrato is read with its time bent to and fro by 45 ms (standard deviation, at about 1.5 Hz)
    and its width multiplied by a factor that wanders between a third and three times, at severity
    1. Unevenness parts trained from untrained vibrato (Sundberg 1994; Ferrante 2011).
    """
    swing = vibrato_part(singing)
    times = singing.times_s
    bend = WARP_S * severity * random_curve(generator, singing.n_frames, hz=1.5)
    width = np.exp(0.55 * severity * random_curve(generator, singing.n_frames, hz=2.0))
    uneven = np.interp(times + bend, times, swing) * width
    uneven = np.clip(uneven, -250.0, 250.0) * (np.abs(swing) > 0.0)
    moved = shifted(singing.f0_hz, uneven - swing)
    return replace(singing, f0_hz=moved), _vibrato_faults(
        singing, swing, "vibrato_irregular", severity, 1000.0 * WARP_S * severity, "ms"
    )


def vibrato_part(singing: Singing) -> RealArray:
    """Return the vibrato of all notes in cents around their middle lines, 0 elsewhere.

    Within every even oscillation of 4 to 8.5 Hz
    (:func:`singcoach.pitch.contour.find_oscillations`) the middle line is what a Gaussian as long
    as half a cycle leaves. Shape ``(n_frames,)``.
    """
    cents = cents_of(singing.f0_hz)
    swing = np.zeros(singing.n_frames)
    for note in singing.notes:
        here = singing.frames_of(note.onset_s, note.offset_s)
        known = np.flatnonzero(np.isfinite(cents[here])) + here.start
        if known.size < 40:
            continue
        contour = np.interp(np.arange(known[0], known[-1] + 1), known, cents[known])
        calm = smoothed(contour, seconds=0.012)
        for found in find_oscillations(calm, hop_s=FRAME_S):
            length = float(found.turns[-1] - found.turns[0])
            cycle_s = 2.0 * length * FRAME_S / (found.turns.size - 1)
            if not SLOWEST_HZ <= 1.0 / cycle_s <= FASTEST_HZ or found.swings_cents.mean() < 20.0:
                continue
            first = max(0, int(found.turns[0]) - round(0.25 * cycle_s / FRAME_S))
            last = min(calm.size, int(found.turns[-1]) + round(0.25 * cycle_s / FRAME_S) + 1)
            middle = smoothed(calm, seconds=0.36 * cycle_s)
            edge = np.minimum(np.arange(last - first), np.arange(last - first)[::-1])
            fade = np.clip(edge / max(1.0, 0.25 * cycle_s / FRAME_S), 0.0, 1.0)
            swing[known[0] + first : known[0] + last] = (calm - middle)[first:last] * fade
    swing[~singing.voiced] = 0.0
    return swing


def _vibrato_faults(
    singing: Singing, swing: RealArray, kind: EditKind, severity: float, amount: float, unit: str
) -> tuple[Fault, ...]:
    touched = []
    for note in singing.notes:
        here = singing.frames_of(note.onset_s, note.offset_s)
        if here.stop > here.start and float(np.abs(swing[here]).max()) > 0.0:
            touched.append(_fault(kind, severity, note, amount, unit))
    return tuple(touched)


def _note_edges(singing: Singing) -> list[tuple[int, int]]:
    """Return the frames that belong to each note; gaps between notes are halved."""
    edges = []
    notes = singing.notes
    for index, note in enumerate(notes):
        start_s = 0.5 * (notes[index - 1].offset_s + note.onset_s) if index else 0.0
        end_s = (
            0.5 * (note.offset_s + notes[index + 1].onset_s)
            if index + 1 < len(notes)
            else singing.n_frames * FRAME_S
        )
        here = singing.frames_of(start_s, end_s)
        edges.append((here.start, here.stop))
    return edges


def _fault(kind: EditKind, severity: float, note: Note, amount: float, unit: str) -> Fault:
    return Fault(
        kind=kind,
        severity=severity,
        start_s=note.onset_s,
        end_s=note.offset_s,
        amount=float(amount),
        unit=unit,
    )
