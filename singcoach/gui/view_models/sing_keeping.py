"""From a recording that has just ended to a take in the library, ready for its analysis. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from singcoach.audio.reading import open_audio
from singcoach.audio.recorder.values import RecordedTake
from singcoach.audio.writing import WavWriter
from singcoach.core.music import SongNote
from singcoach.files import write_whole
from singcoach.jobs import NO_JOB, Job
from singcoach.songs.writing import moved_notes, song_text

if TYPE_CHECKING:
    from singcoach.library.store import Library

SHORTEST_S: Final = 0.5
"""What is shorter was a slip of the finger."""
LEAST_NOTES: Final = 4
_BACKING_RATE: Final = 22_050
_SONG_FILE: Final = "song.txt"
_BACKING_FILE: Final = "backing.wav"


class Running(Protocol):
    """What is needed of a recording: :class:`singcoach.audio.recorder.Recording` or a stand-in."""

    def stop(self) -> RecordedTake:
        """End it and return what was kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SungTo:
    """What a take was sung to.

    Attributes
    ----------
    song_id
        The library's song; None when sung freely.
    notes
        The written melody in seconds of the song, not transposed; empty when it was only heard from
        the original voice: an estimate is something to follow, not something to be judged by.
    backing
        The sound that was played, in its key and tempo.
    """

    title: str
    song_id: str | None = None
    artist: str = ""
    notes: tuple[SongNote, ...] = ()
    semitones: int = 0
    tempo: float = 1.0
    backing: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptTake:
    """A take that is in the library now; ``options`` are for its analysis."""

    take_id: str
    options: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def keep_take(
    running: Running, sung_to: SungTo, *, library: Library, singer_id: str, job: Job = NO_JOB
) -> KeptTake | None:
    """End a recording and keep it; None when it was shorter than half a second.

    The recording is in the library before anything else is tried; what its analysis needs (the
    notes and the backing, moved to the take's own time) lies beside it.

    Raises
    ------
    SingCoachError
        The take cannot be kept; its recording stays where the recorder wrote it and is offered at
        the next start.
    """
    from singcoach.audio.alignment import refine_offset
    from singcoach.audio.recorder import discard_take

    taken = running.stop()
    if taken.path is None:
        if taken.fault is not None:
            raise taken.fault
        return None
    if taken.duration_s < SHORTEST_S:
        discard_take(taken)
        return None
    if sung_to.backing is not None:
        taken = refine_offset(taken, sung_to.backing, job=job.part(0.0, 0.4))
    if taken.path is None:
        raise ValueError("a recording lost its file while it was aligned")
    kept = library.add_take(
        taken.path,
        singer_id=singer_id,
        song_id=sung_to.song_id,
        origin="recorded",
        move=True,
        title=sung_to.title,
        duration_s=taken.duration_s,
        job=job.part(0.4, 0.6),
    )
    options = _companions(library.folder_of(kept.id), taken, sung_to, job.part(0.6, 1.0))
    warnings = taken.warnings + ((f"{taken.fault.message}.",) if taken.fault is not None else ())
    return KeptTake(take_id=kept.id, options=options, warnings=warnings)


def _companions(folder: Path, taken: RecordedTake, sung_to: SungTo, job: Job) -> dict[str, Any]:
    """Write what was to be sung and what was heard, in the take's own time."""
    options: dict[str, Any] = {}
    notes = moved_notes(
        sung_to.notes,
        offset_s=taken.backing_offset_s,
        tempo=sung_to.tempo,
        semitones=sung_to.semitones,
        duration_s=taken.duration_s,
    )
    if len(notes) >= LEAST_NOTES:
        path = folder / _SONG_FILE
        write_whole(path, song_text(notes, title=sung_to.title, artist=sung_to.artist))
        options["song_file"] = path
    if sung_to.backing is not None:
        path = folder / _BACKING_FILE
        _cut_backing(sung_to.backing, path, taken, job)
        options["backing"] = path
    return options


def _cut_backing(source: Path, target: Path, taken: RecordedTake, job: Job) -> None:
    """Write the part of the backing that was heard during the take, silence where none was."""
    import numpy as np

    skip = round(taken.backing_offset_s * _BACKING_RATE)
    wanted = round(taken.duration_s * _BACKING_RATE)
    written = 0
    with WavWriter(target, sample_rate=_BACKING_RATE, channels=1, subtype="PCM_16") as writer:
        if skip < 0:
            silence = min(-skip, wanted)
            writer.write(np.zeros((1, silence), np.float32))
            written, skip = silence, 0
        with open_audio(source) as file:
            for block in file.blocks(sample_rate=_BACKING_RATE, channels=1):
                job.report(written / max(1, wanted), "keeping")
                mono = block.reshape(1, -1)
                part = mono[:, skip : skip + wanted - written]
                skip = max(0, skip - mono.shape[1])
                writer.write(part)
                written += part.shape[1]
                if written >= wanted:
                    break
        if written < wanted:
            writer.write(np.zeros((1, wanted - written), np.float32))
