"""What a timeline shows of a take, prepared once so that drawing only picks what is visible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from singcoach.core.arrays import FloatArray, RealArray
from singcoach.core.music import Note, Phrase, SongNote
from singcoach.gui.view_models.review import Moment
from singcoach.gui.view_models.timeline import octave_shift, packed, pitch_range, semitones_of
from singcoach.library.curves import PEAKS_PER_S, TakeCurves
from singcoach.library.values import TakeNote

MOST_MARK_ROWS = 3
_MARK_S_PER_ROW = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A note as a bar: sung (``written`` False) or of the song."""

    start_s: float
    end_s: float
    semitone: float
    written: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """The pitch of another take, already at the times of this one."""

    name: str
    times_s: RealArray
    semitones: RealArray


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineContent:
    """One take as lanes.

    Attributes
    ----------
    semitones
        Pitch frames at ``times_s`` as fractional MIDI numbers, NaN where unvoiced.
    sung, written
        Bars in order of time; the written ones moved by octaves to where the singer sings.
    mark_rows
        A row for each moment, so that they do not cover each other.
    starts, longest_s
        Starts of the items of each lane in order, and the length of its longest item.
    """

    duration_s: float
    peaks: FloatArray
    times_s: RealArray
    semitones: RealArray
    low: int
    high: int
    sung: tuple[Bar, ...] = ()
    written: tuple[Bar, ...] = ()
    phrases: tuple[Phrase, ...] = ()
    moments: tuple[Moment, ...] = ()
    mark_rows: tuple[int, ...] = ()
    notes: tuple[TakeNote, ...] = ()
    overlay: Overlay | None = None
    peaks_per_s: float = float(PEAKS_PER_S)
    starts: dict[str, RealArray] = field(default_factory=dict)
    longest_s: dict[str, float] = field(default_factory=dict)

    @property
    def n_mark_rows(self) -> int:
        """How many rows the moments need."""
        return 1 + max(self.mark_rows, default=-1)


def timeline_content(
    curves: TakeCurves,
    *,
    moments: Sequence[Moment] = (),
    notes: Sequence[TakeNote] = (),
    overlay: Overlay | None = None,
) -> TimelineContent:
    """Prepare a take for drawing."""
    semitones = semitones_of(curves.f0_hz)
    sung = tuple(_sung_bar(note, curves.tuning_cents or 0.0) for note in curves.notes)
    written = _written_bars(curves.song, [bar.semitone for bar in sung])
    others = [bar.semitone for bar in written]
    if overlay is not None:
        known = overlay.semitones[np.isfinite(overlay.semitones)]
        others += [float(v) for v in np.percentile(known, (2.0, 98.0))] if known.size else []
    low, high = pitch_range(semitones, others)
    ordered = tuple(sorted(moments, key=lambda m: (m.start_s, m.end_s)))
    content = TimelineContent(
        duration_s=curves.duration_s,
        peaks=curves.peaks,
        times_s=curves.times_s,
        semitones=semitones,
        low=low,
        high=high,
        sung=sung,
        written=written,
        phrases=curves.phrases,
        moments=ordered,
        mark_rows=tuple(packed(ordered, apart_s=_MARK_S_PER_ROW, most_rows=MOST_MARK_ROWS)),
        notes=tuple(sorted(notes, key=lambda n: n.start_s)),
        overlay=overlay,
    )
    for name in ("sung", "written", "phrases", "moments", "notes"):
        items = getattr(content, name)
        content.starts[name] = np.array([item.start_s for item in items])
        content.longest_s[name] = max((item.end_s - item.start_s for item in items), default=0.0)
    return content


def _sung_bar(note: Note, tuning_cents: float) -> Bar:
    height = note.midi + (tuning_cents + note.cents_deviation) / 100.0
    return Bar(start_s=note.onset_s, end_s=note.offset_s, semitone=height, written=False)


def _written_bars(song: Sequence[SongNote], sung: Sequence[float]) -> tuple[Bar, ...]:
    pitched = [note for note in song if note.kind in ("normal", "golden")]
    shift = octave_shift(sung, [float(note.midi) for note in pitched])
    return tuple(
        Bar(start_s=n.onset_s, end_s=n.offset_s, semitone=float(n.midi + shift), written=True)
        for n in pitched
    )
