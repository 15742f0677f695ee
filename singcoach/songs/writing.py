"""Notes as an UltraStar file, so that a take can be read beside the song it was sung to."""

from __future__ import annotations

from collections.abc import Sequence

from singcoach.core.music import SongNote

_BEAT_S = 0.005
_BPM = 60.0 / (4.0 * _BEAT_S)
_MARKS = {"normal": ":", "golden": "*", "freestyle": "F", "rap": "R", "rap_golden": "G"}


def song_text(notes: Sequence[SongNote], *, title: str = "", artist: str = "") -> str:
    """Return an UltraStar file with beats of 5 ms.

    Notes before second 0 are left out; one that begins before it begins there.
    """
    lines = [f"#TITLE:{_plain(title)}", f"#ARTIST:{_plain(artist)}", f"#BPM:{_BPM:g}", "#GAP:0"]
    line: int | None = None
    for note in notes:
        start = max(0, round(note.onset_s / _BEAT_S))
        end = round(note.offset_s / _BEAT_S)
        if end <= start:
            continue
        if line is not None and note.line != line:
            lines.append(f"- {start}")
        line = note.line
        syllable = note.syllable.replace("\n", " ").replace("\r", " ") or "~"
        lines.append(f"{_MARKS[note.kind]} {start} {end - start} {note.midi - 60} {syllable}")
    return "\n".join([*lines, "E", ""])


def moved_notes(
    notes: Sequence[SongNote], *, offset_s: float, tempo: float, semitones: int, duration_s: float
) -> tuple[SongNote, ...]:
    """Return the notes as a take has them, those that lie within it.

    Parameters
    ----------
    offset_s
        Second of the sounding backing at which the take begins.
    tempo, semitones
        How the backing differs from the song: times faster, higher.
    duration_s
        Length of the take.
    """
    moved = (
        SongNote(
            onset_s=note.onset_s / tempo - offset_s,
            offset_s=note.offset_s / tempo - offset_s,
            midi=note.midi + semitones,
            syllable=note.syllable,
            kind=note.kind,
            line=note.line,
        )
        for note in notes
    )
    return tuple(
        note
        for note in moved
        if note.offset_s > 0.05 and note.onset_s < duration_s - 0.05 and 0 <= note.midi <= 127
    )


def _plain(words: str) -> str:
    return " ".join(words.split())
