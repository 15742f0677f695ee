"""The list of models as the settings show it. No Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from singcoach.errors import ModelError
from singcoach.jobs import NO_JOB, Job

if TYPE_CHECKING:
    from singcoach.models.catalogue import Catalogue
    from singcoach.models.installed import Pack
    from singcoach.models.manifest import ModelEntry

ModelState = Literal["built_in", "pack", "unbuilt", "damaged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelLine:
    """One model file, or a pack that cannot be read.

    Attributes
    ----------
    pack
        The pack that it belongs to; empty for what is built in.
    fault
        One sentence where it is damaged.
    """

    id: str
    role: str
    version: str
    licence: str
    size_bytes: int
    sha256: str
    source: str
    state: ModelState
    pack: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """A pack that was made; ``writes_words``: it is a language model, which every profile uses."""

    name: str
    writes_words: bool


def model_lines(catalogue: Catalogue) -> list[ModelLine]:
    """Return the built-in models, then those that could be made here, then the added packs."""
    lines = [_line(entry, "built_in") for entry in catalogue.entries]
    lines += [_line(entry, "unbuilt") for entry in catalogue.unbuilt]
    for pack in catalogue.packs:
        if pack.fault is not None:
            lines.append(_damaged(pack, pack.fault))
        lines += [_line(entry, "pack", pack=pack.id) for entry in pack.entries]
    return lines


def read_lines(_job: Job = NO_JOB) -> list[ModelLine]:
    """Return the lines of what is installed on this machine."""
    from singcoach.models.catalogue import Catalogue

    return model_lines(Catalogue.default())


def check_all(job: Job = NO_JOB) -> Mapping[str, str]:
    """Compare every file with its hash; returns a sentence for each, empty where it is whole."""
    from singcoach.models.catalogue import Catalogue, verify

    catalogue = Catalogue.default()
    entries = [*catalogue.entries, *(e for pack in catalogue.packs for e in pack.entries)]
    found = {pack.id: pack.fault.message for pack in catalogue.packs if pack.fault is not None}
    for number, entry in enumerate(entries):
        part = job.part(number / len(entries), (number + 1) / len(entries))
        part.report(0.0, entry.id)
        try:
            verify(entry, part)
        except ModelError as error:
            found[entry.id] = error.message
        else:
            found.setdefault(entry.id, "")
    return found


def add_files(paths: Sequence[Path], *, trust: bool, job: Job = NO_JOB) -> Added:
    """Make a pack of files or a folder.

    Raises
    ------
    ModelError
        As :func:`singcoach.models.packs.adding.add` says.
    """
    from singcoach.models.packs.adding import add
    from singcoach.models.packs.roles import LANGUAGE_ROLE
    from singcoach.scoring.networks import check_pack

    pack = add(paths, trust=trust, check=check_pack, job=job)
    writes = all(entry.role == LANGUAGE_ROLE for entry in pack.entries)
    return Added(name=pack.id, writes_words=writes)


def is_only_unknown(error: Exception) -> bool:
    """Whether a file was refused only because nobody has vouched for it."""
    return isinstance(error, ModelError) and "--trust" in error.hint


def folder_bytes(folder: Path) -> int:
    """Return what the files of a folder take."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:  # removed in between
            continue
    return total


def _line(entry: ModelEntry, state: ModelState, *, pack: str = "") -> ModelLine:
    return ModelLine(
        id=entry.id,
        role=entry.role,
        version=entry.version,
        licence=entry.licence,
        size_bytes=entry.size,
        sha256=entry.sha256,
        source=entry.published or entry.source,
        state=state,
        pack=pack,
    )


def _damaged(pack: Pack, fault: ModelError) -> ModelLine:
    return ModelLine(
        id=pack.id,
        role="",
        version="",
        licence="",
        size_bytes=0,
        sha256="",
        source="",
        state="damaged",
        pack=pack.id,
        fault=fault.message,
    )
