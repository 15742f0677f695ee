"""Files that other programs read."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import mido  # type: ignore[import-untyped]
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pitch_signals import track

from singcoach.core.music import Note
from singcoach.errors import OutputError
from singcoach.pitch.export import (
    notes_csv,
    notes_midi,
    pitch_csv,
    write_notes_csv,
    write_notes_midi,
    write_pitch_csv,
)

NOTES = (
    Note(onset_s=0.5, offset_s=1.0, midi=60, cents_deviation=12.3),
    Note(onset_s=1.0, offset_s=1.25, midi=62, cents_deviation=-40.0),
)


def played(content: bytes) -> list[tuple[float, float, int]]:
    """Return onset, offset and pitch of every note of a MIDI file."""
    now, open_notes, found = 0.0, {}, []
    for message in mido.MidiFile(file=io.BytesIO(content)):
        now += message.time
        if message.type == "note_on":
            open_notes[message.note] = now
        elif message.type == "note_off":
            found.append((open_notes.pop(message.note), now, message.note))
    assert not open_notes
    return found


def test_the_pitch_table_says_where_nothing_is_sung() -> None:
    text = pitch_csv(track(np.array([6900.0, np.nan])))
    rows = list(csv.DictReader(io.StringIO(text)))
    assert rows[0] == {
        "time_s": "0.0000",
        "f0_hz": "440.000",
        "confidence": "0.9500",
        "voiced": "1",
    }
    assert rows[1] == {"time_s": "0.0160", "f0_hz": "", "confidence": "0.0000", "voiced": "0"}
    assert pitch_csv(track(np.zeros(0))) == "time_s,f0_hz,confidence,voiced\n"


def test_the_note_table() -> None:
    rows = list(csv.DictReader(io.StringIO(notes_csv(NOTES))))
    assert rows[0] == {
        "onset_s": "0.5000",
        "offset_s": "1.0000",
        "midi": "60",
        "cents_deviation": "12.3",
    }
    assert len(rows) == 2


@given(
    starts=st.lists(st.floats(0.001, 2.0), max_size=20),
    midi=st.integers(0, 127),
    bend=st.none() | st.floats(-50.0, 50.0),
)
def test_midi_plays_what_was_sung(starts: list[float], midi: int, bend: float | None) -> None:
    edges = np.cumsum([0.0, *starts])
    notes = [
        Note(onset_s=a, offset_s=b, midi=midi, cents_deviation=30.0)
        for a, b in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    ]
    found = played(notes_midi(notes, bend_tuning_cents=bend))
    assert len(found) == len(notes)
    for (onset_s, offset_s, pitch), note in zip(found, notes, strict=True):
        assert pitch == midi
        assert abs(onset_s - note.onset_s) < 0.001
        assert abs(offset_s - note.offset_s) < 0.002


def test_bends_carry_the_deviation() -> None:
    content = notes_midi(NOTES, bend_tuning_cents=-10.0)
    wheels = [m.pitch for m in mido.MidiFile(file=io.BytesIO(content)) if m.type == "pitchwheel"]
    heard = [wheel / 8192 * 200.0 for wheel in wheels]
    assert heard == pytest.approx([2.3, -50.0], abs=0.05)


def test_notes_that_midi_has_no_number_for_are_left_out() -> None:
    high = Note(onset_s=0.0, offset_s=1.0, midi=128, cents_deviation=0.0)
    assert played(notes_midi([high])) == []


def test_files_are_written_whole(tmp_path: Path) -> None:
    write_notes_csv(tmp_path / "n.csv", NOTES)
    write_notes_midi(tmp_path / "n.mid", NOTES)
    write_pitch_csv(tmp_path / "p.csv", track(np.array([6900.0])))
    assert (tmp_path / "n.csv").read_text() == notes_csv(NOTES)
    assert (tmp_path / "n.mid").read_bytes() == notes_midi(NOTES)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["n.csv", "n.mid", "p.csv"]


def test_an_impossible_place_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        write_notes_csv(tmp_path / "missing" / "n.csv", NOTES)
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError):
        write_notes_csv(tmp_path / "folder", NOTES)
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]
