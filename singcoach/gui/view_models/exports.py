"""The forms in which a take leaves the library. No Qt."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, get_args

from singcoach.gui.texts import text
from singcoach.jobs import NO_JOB, Job
from singcoach.library.values import LibraryTake

if TYPE_CHECKING:
    from singcoach.library.store import Library

ExportKind = Literal["pdf", "json", "midi", "csv", "notes", "take"]
EXPORTS: Final[tuple[ExportKind, ...]] = get_args(ExportKind)
SUFFIXES: Final[Mapping[ExportKind, str]] = {
    "pdf": ".pdf",
    "json": ".json",
    "midi": ".mid",
    "csv": ".csv",
    "notes": ".csv",
    "take": ".singcoach",
}
_FORBIDDEN: Final = re.compile(r'[<>:"/\\|?*\x00-\x1f]+')


def export_name(take: LibraryTake, kind: ExportKind) -> str:
    """Propose a file name that every system allows."""
    words = take.title or take.song or text("review.this_take")
    stem = _FORBIDDEN.sub(" ", words).strip(" .") or "take"
    return f"{stem[:80].rstrip()} {take.made_at.astimezone():%Y-%m-%d}{SUFFIXES[kind]}"


def with_suffix(path: Path, kind: ExportKind) -> Path:
    """Give a chosen name its ending where the user left it away."""
    return path if path.suffix else path.with_suffix(SUFFIXES[kind])


def write_export(
    library: Library,
    take_id: str,
    kind: ExportKind,
    path: Path,
    *,
    language: str,
    job: Job = NO_JOB,
) -> None:
    """Write a take in one form.

    Raises
    ------
    InputError
        The take was not analysed, where the form needs that.
    OutputError
        No permission, disk full.
    """
    from singcoach.library import exchange

    if kind == "pdf":
        exchange.export_pdf(library, take_id, path, language=language, job=job)
    elif kind == "json":
        exchange.export_json(library, take_id, path)
    elif kind == "midi":
        exchange.export_midi(library, take_id, path)
    elif kind == "csv":
        exchange.export_pitch_csv(library, take_id, path)
    elif kind == "notes":
        exchange.export_notes_csv(library, take_id, path)
    else:
        exchange.export_take(library, take_id, path, job)
