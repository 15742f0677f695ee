"""UltraStar files as people write them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from singcoach.core.music import Song
from singcoach.errors import InputError
from singcoach.songs.timing import BeatClock
from singcoach.songs.ultrastar import parse_song, read_song

HEADER = "#TITLE:Test\n#ARTIST:Nobody\n#BPM:300\n#GAP:1000\n"
BEAT_S = 60.0 / (300 * 4)


def lengths(song: Song) -> list[float]:
    return [note.offset_s - note.onset_s for note in song.notes]


def onsets(song: Song) -> list[float]:
    return [note.onset_s for note in song.notes]


def test_times_pitches_and_kinds() -> None:
    song = parse_song(
        HEADER + "#LANGUAGE:English\n#MP3:song.mp3\n"
        ": 0 4 0 Hel\n* 4 4 12 lo\nF 8 2 0  there\nR 10 2 -5 ~\n- 14\nG 20 8 7 end\nE\n"
    )
    assert (song.title, song.artist, song.language) == ("Test", "Nobody", "English")
    assert (song.audio_name, song.bpm, song.gap_s) == ("song.mp3", 300.0, 1.0)
    assert [note.kind for note in song.notes] == [
        "normal",
        "golden",
        "freestyle",
        "rap",
        "rap_golden",
    ]
    assert [note.midi for note in song.notes] == [60, 72, 60, 55, 67]
    assert [note.syllable for note in song.notes] == ["Hel", "lo", " there", "~", "end"]
    assert [note.line for note in song.notes] == [0, 0, 0, 0, 1]
    assert onsets(song) == pytest.approx([1 + beat * BEAT_S for beat in (0, 4, 8, 10, 20)])
    assert song.notes[-1].offset_s == pytest.approx(1 + 28 * BEAT_S)
    assert song.warnings == ()


@pytest.mark.parametrize("bpm", ["297,5", "297.5", " 297,50 ", "+297.5"])
def test_decimal_comma(bpm: str) -> None:
    song = parse_song(f"#BPM:{bpm}\n#GAP:12,5\n: 4 1 0 a\n")
    assert song.notes[0].onset_s == pytest.approx(0.0125 + 4 * 60 / (297.5 * 4))


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings_and_line_ends(tmp_path: Path, newline: str, encoding: str) -> None:
    text = "#TITLE:Żółć 歌\n#BPM:300\n#GAP:0\n: 0 4 0 né\n: 4 4 2  ö\nE\n"
    path = tmp_path / "song.txt"
    path.write_bytes(text.replace("\n", newline).encode(encoding))
    song = read_song(path)
    assert song.title == "Żółć 歌"
    assert [note.syllable for note in song.notes] == ["né", " ö"]


@pytest.mark.parametrize(
    ("encoding", "tag", "word"),
    [
        ("cp1252", "", "Größe"),
        ("cp1252", "#ENCODING:CP1252\n", "Größe"),
        ("cp1250", "#ENCODING:CP1250\n", "žluť"),
        ("cp1251", "#ENCODING:CP1251\n", "песня"),
    ],
)
def test_code_pages(tmp_path: Path, encoding: str, tag: str, word: str) -> None:
    path = tmp_path / "song.txt"
    path.write_bytes(f"{tag}#TITLE:{word}\n#BPM:300\n: 0 4 0 {word}\n".encode(encoding))
    song = read_song(path)
    assert song.title == song.notes[0].syllable == word


def test_relative_beats() -> None:
    body = ": 0 4 0 a\n: 4 4 0 b\n- 10 12\n: 0 4 0 c\n- 8\n: 2 4 0 d\nE\n"
    song = parse_song(HEADER + "#RELATIVE:yes\n" + body)
    assert onsets(song) == pytest.approx([1 + beat * BEAT_S for beat in (0, 4, 12, 22)])
    absolute = parse_song(HEADER + ": 0 4 0 a\n: 4 4 0 b\n- 10 12\n: 20 4 0 c\n- 28\n: 30 4 0 d\n")
    assert [note.line for note in absolute.notes] == [0, 0, 1, 2]


def test_tempo_change() -> None:
    song = parse_song(HEADER + ": 0 4 0 a\nB 10 150\n: 10 4 0 b\n: 20 4 0 c\n")
    assert onsets(song) == pytest.approx([1.0, 1 + 10 * BEAT_S, 1 + 10 * BEAT_S + 20 * BEAT_S])


def test_a_note_across_a_tempo_change() -> None:
    song = parse_song(HEADER + "B 2 150\n: 0 4 0 a\n")
    assert lengths(song)[0] == pytest.approx(2 * BEAT_S + 2 * 2 * BEAT_S)


@pytest.mark.parametrize("mark", ["P1|P2", "P 1|P 2", "p1|p2"])
def test_duet(mark: str) -> None:
    one, two = mark.split("|")
    text = f"{HEADER}{one}\n: 0 4 0 a\n- 4\n: 8 4 0 b\nE\n{two}\n: 2 4 5 c\nE\n"
    first, second = parse_song(text), parse_song(text, voice=2)
    assert [note.syllable for note in first.notes] == ["a", "b"]
    assert [note.syllable for note in second.notes] == ["c"]
    assert "2 voices" in first.warnings[0]
    with pytest.raises(InputError, match="no voice 3"):
        parse_song(text, voice=3)


def test_both_voices_at_once() -> None:
    text = HEADER + "P1\n: 0 4 0 a\nP3\n: 8 4 0 b\nP2\n: 16 4 0 c\n"
    assert [note.syllable for note in parse_song(text).notes] == ["a", "b"]
    assert [note.syllable for note in parse_song(text, voice=2).notes] == ["b", "c"]


def test_only_the_second_voice_sings() -> None:
    song = parse_song(HEADER + "P2\n: 0 4 0 a\n")
    assert len(song.notes) == 1
    assert "voice 2 was taken" in song.warnings[0]


def test_missing_end_and_text_after_the_end() -> None:
    assert len(parse_song(HEADER + ": 0 4 0 a").notes) == 1
    assert len(parse_song(HEADER + ": 0 4 0 a\nE\n: 4 4 0 comment\n").notes) == 1


def test_new_header_names() -> None:
    song = parse_song("#VERSION:1.1.0\n#MP3:old.mp3\n#AUDIO:new.ogg\n" + HEADER + ": 0 1 0 a\n")
    assert song.audio_name == "new.ogg"


def test_video_gap_does_not_move_notes() -> None:
    assert parse_song("#VIDEOGAP:5,5\n" + HEADER + ": 0 1 0 a\n").notes[0].onset_s == 1.0


@pytest.mark.parametrize(
    "line",
    [
        ": x 4 0 a",
        ": 0 4",
        ":",
        "hello world",
        ": 0 4 999 a",
        ": 99999999999999999999 4 0 a",
        ": 0 " + "9" * 5_000 + " 0 a",
        ": 1e9 4 0 a",
        "- a b",
        "B 4 0",
        "B 4 -100",
        "B x y",
        "#NOCOLON",
        "FOO",
        "\x00\x01",
    ],
)
def test_bad_lines_are_skipped_and_named(line: str) -> None:
    song = parse_song(HEADER + ": 0 4 0 a\n" + line + "\n: 8 4 0 b\nE\n")
    assert [note.syllable for note in song.notes] == ["a", "b"]
    assert len(song.warnings) == 1
    assert "Line 6" in song.warnings[0]


def test_many_faults_do_not_flood() -> None:
    song = parse_song(HEADER + ": 0 4 0 a\n" + "rubbish\n" * 5_000)
    assert len(song.warnings) == 21
    assert song.warnings[-1] == "4980 more faults in the song file."


def test_negative_and_zero_lengths() -> None:
    song = parse_song(HEADER + ": 0 -4 0 a\n: 8 0 0 b\n")
    assert lengths(song) == pytest.approx([BEAT_S, BEAT_S])
    assert len(song.warnings) == 2


def test_overlaps_are_cut_and_order_restored() -> None:
    song = parse_song(HEADER + ": 20 4 0 c\n: 0 8 0 a\n: 4 4 0 b\n: 20 8 1 d\n")
    assert [note.syllable for note in song.notes] == ["a", "b", "d"]
    assert song.notes[0].offset_s == song.notes[1].onset_s
    assert any("overlapped" in warning for warning in song.warnings)


def test_notes_before_the_audio_are_left_out() -> None:
    song = parse_song("#BPM:300\n#GAP:-1000\n: 0 4 0 a\n: 40 4 0 b\n")
    assert [note.syllable for note in song.notes] == ["b"]
    assert any("outside" in warning for warning in song.warnings)


@pytest.mark.parametrize("gap", ["", "abc", "1e9", "nan", "inf", "9" * 400])
def test_senseless_gap(gap: str) -> None:
    assert parse_song(f"#BPM:300\n#GAP:{gap}\n: 0 4 0 a\n").notes[0].onset_s in (0.0, 0.001)


@pytest.mark.parametrize("text", ["", "\n\n", HEADER, HEADER + "E\n", "lyrics only\n", "\x00" * 99])
def test_no_notes(text: str) -> None:
    with pytest.raises(InputError, match="holds no notes") as caught:
        parse_song(text)
    assert caught.value.hint


@pytest.mark.parametrize("bpm", ["", "#BPM:0\n", "#BPM:-5\n", "#BPM:x\n", "#BPM:inf\n"])
def test_no_tempo(bpm: str) -> None:
    with pytest.raises(InputError, match="#BPM"):
        parse_song(bpm + ": 0 4 0 a\n")
    song = parse_song(bpm + "B 0 300\n: 4 4 0 a\n")
    assert song.notes[0].onset_s == pytest.approx(4 * BEAT_S)


def test_refused_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_song(tmp_path / "none.txt")
    with pytest.raises(InputError, match="is a folder"):
        read_song(tmp_path)
    (tmp_path / "empty.txt").touch()
    with pytest.raises(InputError, match=r"empty\.txt holds no notes"):
        read_song(tmp_path / "empty.txt")
    with (tmp_path / "huge.txt").open("wb") as file:
        file.truncate(5_000_000)
    with pytest.raises(InputError, match="too large"):
        read_song(tmp_path / "huge.txt")


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "song.txt"
    path.write_text(HEADER)

    def refuse(*_args: object, **_kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match="may not be read"):
        read_song(path)


@pytest.mark.parametrize(
    "text",
    [
        ": " + " " * 1_000_000,
        ": 0 4 0 " + " " * 1_000_000 + "x",
        "1" * 2_000_000,
        ":" * 2_000_000,
        "- " + "1 " * 1_000_000,
        "\n".join("B 5 300" for _ in range(50_000)),
        "#" * 1_000_000,
    ],
)
def test_no_line_takes_long(text: str) -> None:
    start = time.process_time()
    parse_song(HEADER + ": 0 4 0 a\n" + text)
    assert time.process_time() - start < 2.0


@given(
    bpm=st.floats(1.0, 5_000.0),
    gap_s=st.floats(-10.0, 100.0),
    changes=st.lists(st.tuples(st.floats(0, 1e4), st.floats(1.0, 5_000.0)), max_size=5),
    beats=st.lists(st.floats(0, 2e4), min_size=2, max_size=10),
)
def test_time_never_runs_backwards(
    bpm: float, gap_s: float, changes: list[tuple[float, float]], beats: list[float]
) -> None:
    clock = BeatClock(bpm=bpm, gap_s=gap_s, changes=changes)
    times = [clock.seconds(beat) for beat in sorted(beats)]
    assert times == sorted(times)
    assert times[0] >= gap_s


def test_real_song(shared_data: Path) -> None:
    song = read_song(shared_data / "songs" / "on_the_run" / "song.txt")
    assert len(song.notes) == 333
    assert song.warnings == ()
    assert song.audio_name == "audio.ogg"
    assert song.notes[0].onset_s == pytest.approx(11.25)
    assert song.notes[0].midi == 69
    assert song.notes[-1].offset_s < 288.3
