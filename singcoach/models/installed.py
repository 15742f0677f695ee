"""The packs that the user added: one folder each, with a manifest, a card and where it came from.

A pack that is damaged is told apart and passed by; it never stops the others from working. Names
that begin with a dot are packs in the making or on their way out.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from singcoach import resources
from singcoach.errors import ModelError
from singcoach.models.manifest import MANIFEST_NAME, ModelEntry, is_plain_id, read_manifest

PROVENANCE_NAME = "provenance.toml"
REPLACED_PREFIX = ".replaced-"
PACK_SCHEMA = "singcoach.pack/1"

_MAX_PROVENANCE_BYTES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file that a pack was made from."""

    file: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a pack came from; for people and for the order of packs, never for numbers.

    Attributes
    ----------
    added
        When it was added here, ISO 8601 in UTC: of two packs with the same role the later counts.
    publication
        Id of the known publication that it was made from; empty when nobody vouches for it.
    made_by
        Program and version that converted it.
    sources
        The files that the user gave.
    """

    added: str
    publication: str
    made_by: str
    sources: tuple[SourceFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """One folder of the user's packs.

    ``fault`` is None for a pack whose manifest can be used (its files are only checked by
    ``verify`` and when they are loaded); otherwise there are no entries.
    """

    id: str
    folder: Path
    entries: tuple[ModelEntry, ...]
    provenance: Provenance | None
    fault: ModelError | None = None

    @property
    def card(self) -> Path:
        """Where the pack's card is."""
        return self.folder / f"{self.id}.md"


def user_models_dir() -> Path:
    """Folder of the models that the user added; it need not exist."""
    return resources.user_data_dir() / "models"


def packs_dir() -> Path:
    """Folder of the user's packs; it need not exist."""
    return user_models_dir() / "packs"


def read_packs(folder: Path | None = None) -> tuple[Pack, ...]:
    """Return the packs in ``folder`` (by default :func:`packs_dir`), the newest first.

    A folder that is there but cannot be listed is told as one pack with a fault, so that what
    needs no packs goes on working.
    """
    root = folder if folder is not None else packs_dir()
    try:
        names = sorted(path.name for path in root.iterdir() if path.is_dir())
    except FileNotFoundError:
        return ()
    except OSError as error:
        fault = ModelError(
            f"The folder of the model packs {root} cannot be read",
            hint="Check that it is a folder and that you may open it",
            detail=str(error),
        )
        return (Pack(id=root.name, folder=root, entries=(), provenance=None, fault=fault),)
    packs = [read_pack(root / name, name) for name in names if not name.startswith(".")]
    # A replacement that was killed between two renames: the old pack is whole, under this name.
    for name in names:
        pack_id = name.removeprefix(REPLACED_PREFIX)
        if name.startswith(REPLACED_PREFIX) and pack_id not in names:
            packs.append(read_pack(root / name, pack_id))
    return tuple(sorted(packs, key=_newest_last, reverse=True))


def read_pack(folder: Path, pack_id: str) -> Pack:
    """Read one pack; whatever is wrong with it is its ``fault``."""
    try:
        if not is_plain_id(pack_id):
            raise _damaged(folder, "its name is not that of a pack")
        entries = read_manifest(folder / MANIFEST_NAME)
        if not entries:
            raise _damaged(folder, "it names no files")
        provenance = read_provenance(folder / PROVENANCE_NAME)
    except ModelError as error:
        return Pack(id=pack_id, folder=folder, entries=(), provenance=None, fault=error)
    return Pack(id=pack_id, folder=folder, entries=entries, provenance=provenance)


def read_provenance(path: Path) -> Provenance:
    """Read where a pack came from; :class:`ModelError` when it is not as it was written."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_PROVENANCE_BYTES)
        table = tomllib.loads(content.decode("utf-8"))
        if table["schema"] != PACK_SCHEMA:
            raise ValueError("schema")
        return Provenance(
            added=_text(table["added"]),
            publication=_text(table["publication"]),
            made_by=_text(table["made_by"]),
            sources=tuple(
                SourceFile(
                    file=_text(source["file"]),
                    sha256=_text(source["sha256"]),
                    size=_number(source["size"]),
                )
                for source in table["source"]
            ),
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _damaged(path.parent, f"{path.name}: {error!r}") from error


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 500 or not (value.isprintable() or not value):
        raise TypeError("not a plain text")
    return value


def _number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TypeError("not a size")
    return value


def _newest_last(pack: Pack) -> tuple[str, str]:
    return (pack.provenance.added if pack.provenance is not None else "", pack.id)


def _damaged(folder: Path, detail: str) -> ModelError:
    return ModelError(
        f"The model pack in {folder} is damaged",
        hint="Remove it with `singcoach models remove` and add it again",
        detail=detail,
    )
