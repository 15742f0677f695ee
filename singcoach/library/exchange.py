"""What other programs read of kept takes: JSON, PDF, MIDI and CSV (and one file with it all)."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any, Final

import numpy as np

from singcoach.core.assessment import Assessment
from singcoach.core.music import PitchTrack, Song
from singcoach.core.scores import DIMENSIONS
from singcoach.core.take import Take
from singcoach.errors import InputError
from singcoach.files import refuse_overwriting, write_whole
from singcoach.jobs import NO_JOB, Job
from singcoach.library.archive import export_take, import_take
from singcoach.library.curves import TakeCurves
from singcoach.library.folders import to_text
from singcoach.library.store import Library

__all__ = [
    "export_csv",
    "export_json",
    "export_midi",
    "export_notes_csv",
    "export_pdf",
    "export_pitch_csv",
    "export_take",
    "import_take",
    "take_of",
]

_VOICE_RATE: Final = 16_000
_RISKY: Final = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings that make a spreadsheet run a cell as a formula."""
_BOM: Final = "\ufeff"
_DO_FIRST: Final = "Analyse the take first"


def export_json(library: Library, take_id: str, path: Path) -> None:
    """Write the assessment of a take ("singcoach.assessment/1").

    Raises
    ------
    InputError
        The take was not analysed.
    OutputError
        No permission, disk full, or ``path`` is the recording itself.
    """
    from singcoach.report.document import to_json

    document = dict(_document(library, take_id))
    refuse_overwriting(path, _files(library, take_id))
    write_whole(path, to_json(document) + "\n")


def export_pdf(
    library: Library,
    take_id: str,
    path: Path,
    *,
    language: str | None = None,
    job: Job = NO_JOB,
) -> None:
    """Write the report of a take; raises as :func:`export_json` does."""
    from singcoach.report.parsing import parse_assessment
    from singcoach.report.pdf import write_pdf

    assessment = parse_assessment(_document(library, take_id))
    curves = _curves(library, take_id)
    refuse_overwriting(path, _files(library, take_id))
    write_pdf(
        path,
        assessment,
        take_of(curves, assessment),
        title=library.take(take_id).title,
        language=language,
        job=job,
    )


def export_midi(library: Library, take_id: str, path: Path) -> None:
    """Write the sung notes, bent to where they were sung; raises as :func:`export_json` does."""
    from singcoach.pitch.export import write_notes_midi

    curves = _curves(library, take_id)
    refuse_overwriting(path, _files(library, take_id))
    write_notes_midi(path, curves.notes, bend_tuning_cents=curves.tuning_cents)


def export_pitch_csv(library: Library, take_id: str, path: Path) -> None:
    """Write the pitch as time_s, f0_hz, confidence, voiced; raises as :func:`export_json` does."""
    from singcoach.pitch.export import write_pitch_csv

    curves = _curves(library, take_id)
    refuse_overwriting(path, _files(library, take_id))
    write_pitch_csv(path, _pitch(curves))


def export_notes_csv(library: Library, take_id: str, path: Path) -> None:
    """Write the teacher's notes as start_s, end_s, text, written_at."""
    rows: list[list[object]] = [["start_s", "end_s", "text", "written_at"]]
    rows += [
        [f"{note.start_s:.3f}", f"{note.end_s:.3f}", _cell(note.text), to_text(note.made_at)]
        for note in library.notes(take_id)
    ]
    refuse_overwriting(path, _files(library, take_id))
    write_whole(path, _table(rows))


def export_csv(
    library: Library,
    path: Path,
    *,
    search: str = "",
    singer_id: str | None = None,
    song_id: str | None = None,
) -> int:
    """Write one line a take with its scores and their 80 % intervals; return how many.

    Opens in spreadsheets (UTF-8 with its mark); names that a spreadsheet would run as a formula
    get an apostrophe before them.

    Raises
    ------
    OutputError
        No permission, disk full.
    """
    names = ("overall", *DIMENSIONS)
    header: list[object] = ["id", "title", "singer", "song", "sung_at", "duration_s", "verdict"]
    header += [f"{name}{part}" for name in names for part in ("", "_low", "_high")]
    scores = library.all_scores()
    rows = [header]
    takes = library.takes(search, singer_id=singer_id, song_id=song_id, order="oldest")
    for take in takes:
        row: list[object] = [
            take.id,
            _cell(take.title),
            _cell(take.singer),
            _cell(take.song),
            to_text(take.made_at),
            f"{take.duration_s:.3f}",
            take.verdict or "",
        ]
        for name in names:
            score = scores.get((take.id, name))
            parts = (None, None, None) if score is None else (score.score, score.low, score.high)
            row += ["" if part is None else f"{part:.2f}" for part in parts]
        rows.append(row)
    write_whole(path, _table(rows))
    return len(takes)


def take_of(curves: TakeCurves, assessment: Assessment) -> Take:
    """Return an analysed take as far as it was kept, for drawing: it has no sound in it."""
    silence = np.zeros(0, np.float32)
    song = None
    if curves.song:
        song = Song(title="", artist="", language="", notes=curves.song)
    return Take(
        duration_s=curves.duration_s,
        kind=curves.kind,
        vocal=silence,
        vocal_raw=silence,
        sample_rate=_VOICE_RATE,
        pitch=_pitch(curves),
        notes=curves.notes,
        regions=(),
        phrases=curves.phrases,
        screening=assessment.screening,
        song=song,
    )


def _pitch(curves: TakeCurves) -> PitchTrack:
    steps = np.diff(curves.times_s)
    return PitchTrack(
        times_s=curves.times_s,
        f0_hz=curves.f0_hz,
        confidence=curves.confidence,
        hop_s=float(np.median(steps)) if steps.size else 0.016,
    )


def _document(library: Library, take_id: str) -> dict[str, Any]:
    title = library.take(take_id).title
    document = library.assessment(take_id)
    if document is None:
        raise InputError(f"{title} was not analysed yet", hint=_DO_FIRST)
    return dict(document)


def _curves(library: Library, take_id: str) -> TakeCurves:
    title = library.take(take_id).title
    curves = library.curves(take_id)
    if curves is None:
        raise InputError(f"{title} was not analysed yet", hint=_DO_FIRST)
    return curves


def _files(library: Library, take_id: str) -> list[Path]:
    folder = library.folder_of(take_id)
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_RISKY) else text


def _table(rows: list[list[object]]) -> str:
    target = io.StringIO()
    csv.writer(target, lineterminator="\r\n").writerows(rows)
    return _BOM + target.getvalue()
