"""Words and melodies from LRC, MIDI and UltraStar files, well written and not."""

from __future__ import annotations

import io

import mido
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from singcoach.errors import InputError
from singcoach.songs.lrc import LONGEST_LINE_S, parse_lrc, read_lrc
from singcoach.songs.lyrics import text_of
from singcoach.songs.midi import parse_midi, read_midi
from singcoach.songs.sheet import read_sheet
from singcoach.songs.ultrastar import parse_song


def spans(line):
    return [(s.text, round(s.start_s, 3), round(s.end_s, 3)) for s in line.syllables]


def test_lines_end_where_the_next_begins():
    text = parse_lrc("[ti:Song]\n[ar: Me ]\n[00:01.00]one two\n[00:03.5]three\n[00:05.000]\n")
    assert (text.title, text.artist, text.words_timed) == ("Song", "Me", False)
    assert [spans(line) for line in text.lines] == [
        [("one two", 1.0, 3.5)],
        [("three", 3.5, 5.0)],
    ]
    assert text.lines[0].text == "one two"


def test_the_last_line_and_long_rests_have_an_end():
    text = parse_lrc("[00:01.00]one\n[01:00.00]two")
    assert text.lines[0].end_s == 1.0 + LONGEST_LINE_S
    assert text.lines[1].end_s == 60.0 + LONGEST_LINE_S


def test_a_line_that_comes_back_is_there_twice_and_in_order():
    text = parse_lrc("[00:10.00][00:01.00]again\n[00:05.00]between")
    assert [line.text for line in text.lines] == ["again", "between", "again"]
    assert [line.start_s for line in text.lines] == [1.0, 5.0, 10.0]


def test_words_have_their_own_times():
    text = parse_lrc("[00:01.00] <00:01.00> Hel<00:01.40>lo <00:02.00>you <00:02.60>")
    assert text.words_timed
    assert text.source == "enhanced_lrc"
    assert spans(text.lines[0]) == [(" Hel", 1.0, 1.4), ("lo ", 1.4, 2.0), ("you ", 2.0, 2.6)]
    assert text.lines[0].text == "Hello you"


def test_words_before_the_first_word_time_begin_with_the_line():
    text = parse_lrc("[00:01.00]Oh <00:01.50>yes")
    assert spans(text.lines[0])[0] == ("Oh ", 1.0, 1.5)


@pytest.mark.parametrize(("offset", "start_s"), [("+500", 1.5), ("-500", 2.5), ("x", 2.0)])
def test_a_positive_offset_shows_words_earlier(offset, start_s):
    text = parse_lrc(f"[offset:{offset}]\n[00:02.00]word\n[00:04.00]")
    assert text.lines[0].start_s == start_s
    assert bool(text.warnings) == (offset == "x")


@pytest.mark.parametrize(
    ("stamp", "start_s"),
    [("[01:02]", 62.0), ("[1:02:50]", 62.5), ("[01:02,5]", 62.5), ("[01:00:02.5]", 3602.5)],
)
def test_many_ways_of_writing_a_time(stamp, start_s):
    assert parse_lrc(f"{stamp}word").lines[0].start_s == start_s


def test_the_singers_of_a_duet_are_not_sung():
    assert parse_lrc("[00:01.00]F: I see").lines[0].text == "I see"


def test_text_without_times_is_counted_and_nothing_timed_is_refused():
    text = parse_lrc("Words by me\n[00:01.00]sung")
    assert text.warnings == ("Line 1 was skipped: it has no time.",)
    for bad in ("", "hello\nworld", "[ti:only]", "[00:01.00]\n[00:02.00]  "):
        with pytest.raises(InputError, match="timed"):
            parse_lrc(bad)


def test_which_line_is_on():
    text = parse_lrc("[00:01.00]one\n[00:03.00]two")
    assert [text.line_at(t) for t in (0.0, 1.0, 2.9, 3.0, 99.0)] == [None, 0, 0, 1, 1]
    assert text.line_at(2.5, ahead_s=1.0) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_lrc_in_any_encoding(tmp_path, encoding):
    path = tmp_path / "a.lrc"
    path.write_bytes("[00:01.00]Fräulein\r\n".encode(encoding))
    assert read_lrc(path).lines[0].text == "Fräulein"
    assert read_sheet(path).text.lines[0].text == "Fräulein"


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="[]<>:.0123456789ab \n-", max_size=80))
def test_whatever_is_written_gives_lines_or_a_refusal(text):
    try:
        lines = parse_lrc(f"[00:01.00]a\n{text}").lines
    except InputError:
        return
    assert all(s.end_s > s.start_s >= 0.0 for line in lines for s in line.syllables)
    assert [line.start_s for line in lines] == sorted(line.start_s for line in lines)


ULTRASTAR = """#TITLE:T
#BPM:300
#GAP:1000
: 0 4 0 Hel
: 4 4 2 lo
: 8 4 4 ~
- 12
: 20 4 5 you
E
"""


def test_held_syllables_of_a_song_grow():
    text = text_of(parse_song(ULTRASTAR))
    assert [line.text for line in text.lines] == ["Hello", "you"]
    assert spans(text.lines[0]) == [("Hel", 1.0, 1.2), ("lo", 1.2, 1.6)]


def test_a_song_without_words_has_no_text():
    assert text_of(parse_song("#BPM:300\n: 0 4 0\n: 8 4 0 ~\nE\n")) is None


def midi_file(*tracks, charset="latin1"):
    file = mido.MidiFile(ticks_per_beat=480, charset=charset)
    for messages in tracks:
        file.tracks.append(mido.MidiTrack(messages))
    stream = io.BytesIO()
    file.save(file=stream)
    return stream.getvalue()


def note(pitch, ticks=480, rest=0, channel=0):
    return [
        mido.Message("note_on", note=pitch, velocity=90, time=rest, channel=channel),
        mido.Message("note_off", note=pitch, time=ticks, channel=channel),
    ]


def test_midi_times_follow_every_tempo_change():
    tempo = [
        mido.MetaMessage("set_tempo", tempo=500_000),
        mido.MetaMessage("set_tempo", tempo=1_000_000, time=480),
    ]
    song = parse_midi(midi_file(tempo, note(60) + note(62) + note(64)))
    assert [(n.onset_s, n.offset_s, n.midi) for n in song.notes] == [
        (0.0, 0.5, 60),
        (0.5, 1.5, 62),
        (1.5, 2.5, 64),
    ]


def test_midi_words_stand_under_their_notes():
    words = ["Hel-", "lo", "you\n", "there"]
    messages = []
    for text, pitch in zip(words, (60, 62, 64, 65), strict=True):
        messages += [mido.MetaMessage("lyrics", text=text), *note(pitch)]
    text = text_of(parse_midi(midi_file(messages)), source="midi")
    assert [line.text for line in text.lines] == ["Hello you", "there"]


def test_karaoke_files_name_title_and_lines():
    head = [
        mido.MetaMessage("text", text="@KMIDI KARAOKE FILE"),
        mido.MetaMessage("text", text="@TMy Song"),
        mido.MetaMessage("text", text="@TMe"),
    ]
    words = ["\\Good ", "mor", "ning ", "/dear"]
    messages = [*head]
    for text, pitch in zip(words, (60, 62, 64, 65), strict=True):
        messages += [mido.MetaMessage("text", text=text), *note(pitch)]
    song = parse_midi(midi_file(messages))
    assert (song.title, song.artist) == ("My Song", "Me")
    assert [line.text for line in text_of(song).lines] == ["Good morning", "dear"]


def test_the_melody_is_found_among_other_parts():
    bass = [m for _ in range(20) for m in note(36, channel=1)]
    drums = [m for _ in range(80) for m in note(50, ticks=120, channel=9)]
    chords = []
    for _ in range(20):
        for pitch in (60, 64, 67):
            chords.append(mido.Message("note_on", note=pitch, velocity=60, channel=2))
        chords.append(mido.Message("note_off", note=60, time=480, channel=2))
        for pitch in (64, 67):
            chords.append(mido.Message("note_off", note=pitch, channel=2))
    tune = [m for k in range(20) for m in note(62 + k % 5, ticks=400, rest=80, channel=3)]
    named = parse_midi(midi_file(bass, chords, drums, tune))
    assert {n.midi for n in named.notes} == {62, 63, 64, 65, 66}
    called = [mido.MetaMessage("track_name", name="Lead Vocal"), *bass]
    assert {n.midi for n in parse_midi(midi_file(tune, called)).notes} == {36}


def test_of_a_chord_the_highest_note_is_sung_and_notes_never_overlap():
    messages = [
        mido.Message("note_on", note=60, velocity=80),
        mido.Message("note_on", note=67, velocity=80),
        mido.Message("note_on", note=72, velocity=80, time=240),
        mido.Message("note_off", note=60, time=240),
        mido.Message("note_off", note=67),
        mido.Message("note_off", note=72, time=480),
    ]
    notes = parse_midi(midi_file(messages)).notes
    assert [(n.onset_s, n.offset_s, n.midi) for n in notes] == [(0.0, 0.25, 67), (0.25, 1.0, 72)]


def test_midi_that_is_none_or_empty_or_cut_is_refused(tmp_path):
    whole = midi_file(note(60))
    for content in (b"", b"MThd", b"not midi", whole[:20], midi_file([])):
        with pytest.raises(InputError):
            parse_midi(content)
    path = tmp_path / "song.txt"
    path.write_bytes(midi_file(note(60)))
    assert read_sheet(path).song == read_midi(path)


def test_midi_words_in_utf_8():
    messages = [mido.MetaMessage("lyrics", text="愛"), *note(60)]
    song = parse_midi(midi_file(messages, charset="utf-8"))
    assert song.notes[0].syllable.strip() == "愛"


def test_a_text_file_may_hold_lrc(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("[00:01.00]one", encoding="utf-8")
    assert read_sheet(path).text.lines[0].text == "one"
    path.write_text("just some words", encoding="utf-8")
    with pytest.raises(InputError, match="no notes"):
        read_sheet(path)


def test_a_real_song_has_all_its_lines(shared_data):
    sheet = read_sheet(shared_data / "songs" / "on_the_run" / "song.txt")
    assert len(sheet.song.notes) == 333
    assert len(sheet.text.lines) == 53
    assert sheet.text.lines[0].text == "So far away from home,"
