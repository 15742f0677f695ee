"""What a singer sings along with: the song without its voice, the voice, and a melody to follow.

A song is prepared once, into a folder of its own. Written notes win; where there are none, the
melody is heard from the song's own voice. A recording in which nobody sings is its own backing.
"""

from __future__ import annotations

import contextlib
import json
import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from singcoach.audio.reading import open_audio, read_audio
from singcoach.audio.writing import WavWriter, write_wav
from singcoach.chain.engine import Engine
from singcoach.chain.stems import write_stems
from singcoach.core.arrays import ANALYSIS_RATE, FloatArray
from singcoach.core.music import Note, SongNote
from singcoach.dsp.stretch import stretch
from singcoach.errors import InputError
from singcoach.files import make_folder, write_whole
from singcoach.jobs import NO_JOB, Job
from singcoach.pitch.f0 import track_pitch
from singcoach.pitch.notes import find_notes
from singcoach.pitch.tuning import estimate_tuning
from singcoach.songs.lyrics import SungText
from singcoach.songs.sheet import read_sheet

BACKING_RATE = 44_100
GUIDE_VERSION = 1
LONGEST_CHANGED_S = 1800.0
"""Key and tempo of a song are changed in memory: half an hour takes 1.3 GB."""

_RECORD = "guide.json"
_LEAST_SUNG_S = 2.0
_LEAST_SUNG_SHARE = 0.01
_LINE_REST_S = 0.7
_LONGEST_LINE_S = 12.0
_MOST_KEPT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidedSong:
    """A song that is ready to be sung.

    Attributes
    ----------
    instrumental
        The sound to sing to; None for a song of notes and words alone.
    vocals
        The voice that was taken out of it; None where there was none.
    notes
        The melody, seconds of the song; empty where none is known.
    estimated
        Whether the melody was heard and not written.
    text
        The words, if a file gives them.
    tuning_cents
        How far the recording is off A4 = 440 Hz, -50..50.
    beat_s
        Seconds between the beats to count in by.
    """

    instrumental: Path | None
    vocals: Path | None
    notes: tuple[SongNote, ...]
    estimated: bool
    text: SungText | None
    tuning_cents: float
    duration_s: float
    beat_s: float
    warnings: tuple[str, ...] = ()


def is_prepared(folder: Path) -> bool:
    """Whether :func:`prepare_song` has already worked into ``folder``."""
    return _read_record(folder) is not None


def prepare_song(
    audio: Path | None,
    folder: Path,
    *,
    lyrics: Path | None = None,
    engine: Engine | None = None,
    job: Job = NO_JOB,
) -> GuidedSong:
    """Take the voice out of a song and find its melody, or read what was kept of that.

    Parameters
    ----------
    audio
        The song; None where only notes or words are there.
    folder
        Where the parts are kept; a second call with it costs nothing.
    lyrics
        An UltraStar, LRC or MIDI file. One that cannot be read becomes a warning.
    engine
        Opens the networks; a new one by default.

    Raises
    ------
    InputError
        The song cannot be used.
    OutputError
        The folder cannot be written to.
    Cancelled
        When ``job`` was cancelled; nothing is left that would count as prepared.
    """
    warnings: list[str] = []
    sheet = None
    if lyrics is not None:
        try:
            sheet = read_sheet(lyrics)
            warnings += sheet.warnings
        except InputError as fault:
            warnings.append(f"{fault.message}.")
    record: dict[str, Any] = {}
    if audio is not None:
        kept = _read_record(folder)
        record = _separated(audio, folder, engine or Engine(), job) if kept is None else kept
    written = sheet.song.notes if sheet is not None and sheet.song is not None else ()
    heard = tuple(_song_note(row) for row in record.get("notes", ()))
    notes = written or heard
    text = sheet.text if sheet is not None else None
    ends_s = [notes[-1].offset_s + 2.0] if notes else []
    ends_s += [text.lines[-1].end_s] if text is not None else []
    bpm = sheet.song.bpm if sheet is not None and sheet.song is not None else 0.0
    return GuidedSong(
        instrumental=_existing(folder, record.get("instrumental")) or audio,
        vocals=_existing(folder, record.get("vocals")),
        notes=notes,
        estimated=bool(notes) and not written,
        text=text,
        tuning_cents=float(record.get("tuning_cents", 0.0)),
        duration_s=float(record.get("duration_s", max(ends_s, default=0.0))),
        beat_s=beat_of(bpm),
        warnings=tuple(warnings),
    )


def beat_of(bpm: float) -> float:
    """Return the seconds of a beat that can be counted: 0.4..0.8, by halving and doubling.

    Song files state multiples of the tempo; 0 or nonsense gives 0.6 s.
    """
    if not (math.isfinite(bpm) and bpm > 0.0):
        return 0.6
    beat_s = 60.0 / bpm
    while beat_s < 0.4:
        beat_s *= 2.0
    while beat_s >= 0.8:
        beat_s /= 2.0
    return beat_s


def guide_notes(notes: Sequence[Note]) -> tuple[SongNote, ...]:
    """Return heard notes as a melody to follow: without words, parted into lines by rests."""
    melody: list[SongNote] = []
    line, line_start_s = 0, 0.0
    for note in notes:
        if melody:
            rest_s = note.onset_s - melody[-1].offset_s
            long = note.onset_s - line_start_s > _LONGEST_LINE_S and rest_s > 0.15
            if rest_s > _LINE_REST_S or long:
                line, line_start_s = line + 1, note.onset_s
        else:
            line_start_s = note.onset_s
        melody.append(
            SongNote(
                onset_s=note.onset_s,
                offset_s=note.offset_s,
                midi=note.midi,
                syllable="",
                kind="normal",
                line=line,
            )
        )
    return tuple(melody)


def make_backing(
    song: GuidedSong,
    folder: Path,
    *,
    semitones: int = 0,
    tempo: float = 1.0,
    guide_level: float = 0.0,
    job: Job = NO_JOB,
) -> Path | None:
    """Return the sound to sing to, in a key, at a tempo and with some of the voice.

    A few are kept in ``folder``; unchanged, it is the instrumental itself.

    Parameters
    ----------
    guide_level
        Loudness of the song's own voice, 0 (none) to 1 (as recorded).

    Raises
    ------
    InputError
        The song cannot be read, or is longer than half an hour and another key or tempo is wished.
    OutputError
        No room or right to write.
    """
    if song.instrumental is None:
        return None
    level = guide_level if song.vocals is not None else 0.0
    if semitones == 0 and tempo == 1.0 and level == 0.0:
        return song.instrumental
    name = f"backing_k{semitones:+d}_t{round(100 * tempo)}_g{round(100 * level)}.wav"
    target = folder / name
    if target.is_file():
        with contextlib.suppress(OSError):
            target.touch()
        return target
    if song.duration_s > LONGEST_CHANGED_S:
        raise InputError(
            "Key, tempo and guide voice cannot be changed in songs longer than half an hour",
            hint="Sing it as it is, or import a part of it.",
        )
    audio = np.array(read_audio(song.instrumental, sample_rate=BACKING_RATE, channels=2))
    job.report(0.05, "backing")
    if song.vocals is not None and level > 0.0:
        voice = read_audio(song.vocals, sample_rate=BACKING_RATE, channels=2)
        shared = min(audio.shape[1], voice.shape[1])
        audio[:, :shared] += np.float32(level) * voice[:, :shared]
    job.report(0.1, "backing")
    changed = stretch(
        audio, BACKING_RATE, tempo=tempo, semitones=float(semitones), job=job.part(0.1, 0.95)
    )
    loudest = float(np.abs(changed).max(initial=0.0))
    if loudest > 0.99:
        changed = changed * np.float32(0.99 / loudest)
    make_folder(folder)
    write_wav(target, changed, sample_rate=BACKING_RATE, subtype="PCM_16")
    _forget_old(folder, target)
    return target


def _separated(audio: Path, folder: Path, engine: Engine, job: Job) -> dict[str, Any]:
    """Separate, listen to the voice, and keep the parts and the record of them."""
    make_folder(folder)
    with tempfile.TemporaryDirectory(dir=folder, prefix="parts-") as parts:
        stems = write_stems(audio, Path(parts), engine=engine, job=job.part(0.0, 0.8))
        voice = _mono(stems.vocals)
        duration_s = voice.size / ANALYSIS_RATE
        pitch = track_pitch(voice, session=engine.session("pitch"), job=job.part(0.8, 0.9))
        sung_s = float(pitch.voiced.sum()) * pitch.hop_s
        tuning = estimate_tuning(pitch)
        record: dict[str, Any] = {
            "version": GUIDE_VERSION,
            "duration_s": duration_s,
            "instrumental": None,
            "vocals": None,
            "tuning_cents": tuning.cents if tuning is not None else 0.0,
            "notes": [],
        }
        if sung_s >= max(_LEAST_SUNG_S, _LEAST_SUNG_SHARE * duration_s):
            notes = guide_notes(find_notes(pitch, voice, job=job.part(0.9, 0.95)))
            record["notes"] = [[n.onset_s, n.offset_s, n.midi, n.line] for n in notes]
            for role, source in (("vocals", stems.vocals), ("instrumental", stems.accompaniment)):
                record[role] = f"{role}.wav"
                _copy_smaller(source, folder / f"{role}.wav", job)
    write_whole(folder / _RECORD, json.dumps(record))
    job.report(1.0, "guide")
    return record


def _mono(path: Path) -> FloatArray:
    with open_audio(path) as file:
        blocks = [b.reshape(-1) for b in file.blocks(sample_rate=ANALYSIS_RATE, channels=1)]
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


def _copy_smaller(source: Path, target: Path, job: Job) -> None:
    """Copy a sound with 16 bit a sample, half of what separation wrote."""
    with open_audio(source) as file:
        rate = file.info.sample_rate
        with WavWriter(target, sample_rate=rate, channels=2, subtype="PCM_16") as writer:
            for block in file.blocks(sample_rate=rate, channels=2):
                job.report(0.97, "guide")
                writer.write(block)


def _read_record(folder: Path) -> dict[str, Any] | None:
    """Return what was kept of a song; None when nothing is there, or it is damaged or old."""
    try:
        record: Any = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
        if not isinstance(record, dict) or record["version"] != GUIDE_VERSION:
            return None
        for row in record["notes"]:
            _song_note(row)
        numbers = (float(record["duration_s"]), float(record["tuning_cents"]))
        whole = all(
            record[role] is None or _existing(folder, record[role]) is not None
            for role in ("instrumental", "vocals")
        )
        return record if whole and all(math.isfinite(n) for n in numbers) else None
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None


def _song_note(row: Any) -> SongNote:
    return SongNote(
        onset_s=float(row[0]),
        offset_s=float(row[1]),
        midi=int(row[2]),
        syllable="",
        kind="normal",
        line=int(row[3]),
    )


def _existing(folder: Path, name: Any) -> Path | None:
    if name not in ("instrumental.wav", "vocals.wav"):
        return None
    path = folder / str(name)
    return path if path.is_file() else None


def _forget_old(folder: Path, newest: Path) -> None:
    """Keep the backings that were used last."""
    with contextlib.suppress(OSError):
        made = sorted(folder.glob("backing_*.wav"), key=lambda path: path.stat().st_mtime)
        for path in [path for path in made if path != newest][: -(_MOST_KEPT - 1)]:
            path.unlink(missing_ok=True)
