"""A small library made from the shipped recordings, for pictures of the screens and for tests.

Its assessments are real: the shipped recordings, whole and as excerpts, go through the whole chain.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from singcoach.chain.analysis_process import AnalysisProcess
from singcoach.chain.analysis_protocol import AnalysisRequest
from singcoach.chain.demo import demo_recording
from singcoach.jobs import NO_JOB, Job

if TYPE_CHECKING:
    from singcoach.library.store import Library

_FIRST_DAY: Final = datetime(2026, 9, 3, 18, 20, tzinfo=UTC)
_EXCERPTS_S: Final = ((0.0, 10.6), (0.6, 11.2), (0.0, 11.4), (1.2, 12.19), (0.9, 12.19))
"""Start and end of the excerpts of the first recording, one for every practice day."""
_DAYS_APART: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoLibrary:
    """What :func:`fill` put into the library: ids, the newest last."""

    singer_id: str
    song_id: str
    takes: tuple[str, ...]


def fill(library: Library, job: Job = NO_JOB) -> DemoLibrary:
    """Put singers, a song and judged takes into an empty library; a full one is only described."""
    takes = library.takes(order="oldest")
    singers = library.singers()
    songs = library.songs()
    if takes and singers and songs:
        return DemoLibrary(
            singer_id=takes[0].singer_id,
            song_id=songs[0].id,
            takes=tuple(take.id for take in takes),
        )
    singer = library.add_singer("Mika")
    library.add_singer("Dana")
    solo, mixture = demo_recording(), demo_recording("mixture")
    song = library.add_song("Slow Motion Dream", "Steven M. Bryant", audio=mixture.path)
    made: list[str] = []
    with tempfile.TemporaryDirectory() as folder, AnalysisProcess() as process:
        pieces = _excerpts(solo.path, Path(folder))
        plan: list[tuple[Path, str | None, str]] = [(path, None, "recorded") for path in pieces]
        plan += [(mixture.path, song.id, "imported"), (solo.path, None, "demo")]
        for number, (path, song_id, origin) in enumerate(plan):
            job.report(number / len(plan), "demo library")
            title = "Slow Motion Dream" if song_id else solo.title
            take = library.add_take(
                path,
                singer_id=singer.id,
                song_id=song_id,
                made_at=_FIRST_DAY + timedelta(days=_DAYS_APART * number),
                origin=origin,  # type: ignore[arg-type]
                title=title,
            )
            target = library.folder_of(take.id)
            process.analyse(
                AnalysisRequest(recording=take.recording, folder=target, name=title), job.aside()
            )
            document = json.loads((target / "assessment.json").read_text(encoding="utf-8"))
            library.set_assessment(take.id, document)
            made.append(take.id)
    library.add_note(made[-1], 5.4, 7.6, "Lovely line. Save a little air for the last word.")
    return DemoLibrary(singer_id=singer.id, song_id=song.id, takes=tuple(made))


def _excerpts(path: Path, folder: Path) -> list[Path]:
    from singcoach.audio.reading import read_audio
    from singcoach.audio.writing import write_wav

    rate = 44_100
    audio = read_audio(path, sample_rate=rate, channels=1)
    paths = []
    for number, (start_s, end_s) in enumerate(_EXCERPTS_S):
        piece = folder / f"practice {number + 1}.wav"
        write_wav(
            piece,
            audio[..., round(start_s * rate) : round(end_s * rate)],
            sample_rate=rate,
            subtype="PCM_16",
        )
        paths.append(piece)
    return paths
