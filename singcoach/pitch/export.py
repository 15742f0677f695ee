"""Pitch and notes as files that other programs read: CSV and standard MIDI."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import mido  # type: ignore[import-untyped]

from singcoach.core.music import Note, PitchTrack
from singcoach.files import write_whole

TICKS_PER_BEAT = 960
TEMPO_US_PER_BEAT = 500_000
TICKS_PER_S = TICKS_PER_BEAT * 1_000_000 // TEMPO_US_PER_BEAT
BEND_RANGE_CENTS = 200.0
"""What every General MIDI instrument does with a full pitch wheel unless told otherwise."""
BEND_STEPS = 8192
VELOCITY = 90
CHOIR_AAHS = 52


def pitch_csv(pitch: PitchTrack) -> str:
    """Return the track as CSV with the columns time_s, f0_hz, confidence, voiced.

    ``f0_hz`` is empty and ``voiced`` is 0 where nothing is sung.
    """
    lines = ["time_s,f0_hz,confidence,voiced"]
    for time_s, f0_hz, confidence, voiced in zip(
        pitch.times_s.tolist(),
        pitch.f0_hz.tolist(),
        pitch.confidence.tolist(),
        pitch.voiced.tolist(),
        strict=True,
    ):
        height = f"{f0_hz:.3f}" if voiced else ""
        lines.append(f"{time_s:.4f},{height},{confidence:.4f},{int(voiced)}")
    return "\n".join(lines) + "\n"


def notes_csv(notes: Sequence[Note]) -> str:
    """Return the notes as CSV with the columns onset_s, offset_s, midi, cents_deviation."""
    lines = ["onset_s,offset_s,midi,cents_deviation"]
    lines += [
        f"{note.onset_s:.4f},{note.offset_s:.4f},{note.midi},{note.cents_deviation:.1f}"
        for note in notes
    ]
    return "\n".join(lines) + "\n"


def notes_midi(notes: Sequence[Note], *, bend_tuning_cents: float | None = None) -> bytes:
    """Return the notes as a standard MIDI file of one track, 120 beats a minute, 960 ticks a beat.

    Times are exact to half a millisecond. Notes outside 0..127 are left out.

    Parameters
    ----------
    notes
        In order of onset, not overlapping.
    bend_tuning_cents
        None writes plain semitones. The take's tuning writes a pitch bend before every note, so
        that it sounds where it was sung, ``bend_tuning_cents + cents_deviation`` beside the key.
    """
    events: list[tuple[int, int, mido.Message]] = []
    for note in notes:
        if not 0 <= note.midi <= 127:
            continue
        start = round(note.onset_s * TICKS_PER_S)
        end = max(start + 1, round(note.offset_s * TICKS_PER_S))
        if bend_tuning_cents is not None:
            share = (bend_tuning_cents + note.cents_deviation) / BEND_RANGE_CENTS
            wheel = min(BEND_STEPS - 1, max(-BEND_STEPS, round(share * BEND_STEPS)))
            events.append((start, 1, mido.Message("pitchwheel", pitch=wheel)))
        events.append((start, 2, mido.Message("note_on", note=note.midi, velocity=VELOCITY)))
        events.append((end, 0, mido.Message("note_off", note=note.midi, velocity=0)))
    events.sort(key=lambda event: event[:2])
    track = mido.MidiTrack()
    track.append(mido.MetaMessage("set_tempo", tempo=TEMPO_US_PER_BEAT))
    track.append(mido.Message("program_change", program=CHOIR_AAHS))
    now = 0
    for tick, _, message in events:
        track.append(message.copy(time=tick - now))
        now = tick
    target = BytesIO()
    mido.MidiFile(ticks_per_beat=TICKS_PER_BEAT, tracks=[track]).save(file=target)
    return target.getvalue()


def write_pitch_csv(path: Path, pitch: PitchTrack) -> None:
    """Write :func:`pitch_csv` to ``path``, whole or not at all; raises OutputError."""
    write_whole(path, pitch_csv(pitch))


def write_notes_csv(path: Path, notes: Sequence[Note]) -> None:
    """Write :func:`notes_csv` to ``path``, whole or not at all; raises OutputError."""
    write_whole(path, notes_csv(notes))


def write_notes_midi(
    path: Path, notes: Sequence[Note], *, bend_tuning_cents: float | None = None
) -> None:
    """Write :func:`notes_midi` to ``path``, whole or not at all; raises OutputError."""
    write_whole(path, notes_midi(notes, bend_tuning_cents=bend_tuning_cents))
