"""The models at hand: which file fills a role, and whether it is intact.

The shipped folder comes first; a manifest of the same form in the user's own model folder may
replace any role whole (all its parts), never half of it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from singcoach import resources
from singcoach.errors import ModelError
from singcoach.jobs import NO_JOB, Job
from singcoach.models.manifest import MANIFEST_NAME, ModelEntry, read_manifest

_BLOCK_BYTES = 1 << 22


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedModel:
    """A model file whose bytes were read once and have the digest that the manifest names."""

    entry: ModelEntry
    content: bytes

    @property
    def path(self) -> Path:
        """Where the bytes were read from."""
        return self.entry.path


class Catalogue:
    """Models of one or more folders.

    Parameters
    ----------
    folders
        Folders with a ``manifest.toml``, the strongest last: a role named in a later folder
        replaces that role of the earlier ones.

    Raises
    ------
    ModelError
        When a manifest cannot be read or is not valid.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        entries: tuple[ModelEntry, ...] = ()
        for folder in folders:
            added = read_manifest(folder / MANIFEST_NAME)
            replaced = {entry.role for entry in added}
            entries = (*(e for e in entries if e.role not in replaced), *added)
        self._entries = entries

    @classmethod
    def default(cls) -> Catalogue:
        """Return the shipped models, with the user's own in front of them where there are any."""
        folders = [resources.models_dir()]
        if (user_models_dir() / MANIFEST_NAME).is_file():
            folders.append(user_models_dir())
        return cls(folders)

    @property
    def entries(self) -> tuple[ModelEntry, ...]:
        """The entries in force, shipped before the user's own."""
        return self._entries

    def find(self, role: str, part: str = "") -> ModelEntry | None:
        """Return the entry that fills a role, None when there is none; opens no file."""
        for entry in self._entries:
            if entry.role == role and entry.part == part:
                return entry
        return None

    def require(self, role: str, part: str = "") -> VerifiedModel:
        """Read the model that fills a role and check its size and SHA-256 before returning it.

        Raises
        ------
        ModelError
            When no model fills the role, or its file is missing, unreadable or not the file that
            the manifest names.
        """
        entry = self.find(role, part)
        if entry is None:
            wanted = f"{role} ({part})" if part else role
            raise ModelError(
                f"No model for {wanted} is installed",
                hint="`singcoach models list` shows what is installed",
            )
        return load(entry)


def user_models_dir() -> Path:
    """Folder of the models that the user added; it need not exist."""
    return resources.user_data_dir() / "models"


def load(entry: ModelEntry) -> VerifiedModel:
    """Read the file of ``entry`` once and check it; see :meth:`Catalogue.require`."""
    try:
        with entry.path.open("rb") as file:
            _check_size(entry, file)
            content = file.read(entry.size + 1)
    except OSError as error:
        raise _unreadable(entry, error) from error
    _check_digest(entry, len(content), hashlib.sha256(content).hexdigest())
    return VerifiedModel(entry=entry, content=content)


def verify(entry: ModelEntry, job: Job = NO_JOB) -> None:
    """Check size and SHA-256 of the file of ``entry`` in bounded memory.

    Raises
    ------
    ModelError
        When the file is missing, unreadable or not the file that the manifest names.
    """
    digest = hashlib.sha256()
    n_bytes = 0
    try:
        with entry.path.open("rb") as file:
            _check_size(entry, file)
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
                n_bytes += len(block)
                job.report(n_bytes / entry.size, f"checking {entry.id}")
    except OSError as error:
        raise _unreadable(entry, error) from error
    _check_digest(entry, n_bytes, digest.hexdigest())


def _check_size(entry: ModelEntry, file: BinaryIO) -> None:
    n_bytes = file.seek(0, 2)
    file.seek(0)
    if n_bytes != entry.size:
        raise _damaged(entry, f"{n_bytes} bytes instead of {entry.size}")


def _check_digest(entry: ModelEntry, n_bytes: int, digest: str) -> None:
    if n_bytes != entry.size or not hmac.compare_digest(digest, entry.sha256):
        raise _damaged(entry, f"{n_bytes} bytes with SHA-256 {digest}")


def _damaged(entry: ModelEntry, detail: str) -> ModelError:
    return ModelError(
        f"The model file {entry.path} is damaged or not the one that belongs there",
        hint=_repair_hint(entry),
        detail=detail,
    )


def _unreadable(entry: ModelEntry, error: OSError) -> ModelError:
    missing = isinstance(error, FileNotFoundError)
    return ModelError(
        f"The model file {entry.path} {'is missing' if missing else 'cannot be read'}",
        hint=_repair_hint(entry),
        detail=str(error),
    )


def _repair_hint(entry: ModelEntry) -> str:
    if entry.package:
        return f"Install SingCoach again, or rebuild it with `singcoach models build {entry.id}`"
    return f"Add the model pack {entry.id} again, or remove it"
