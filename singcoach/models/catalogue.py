"""The models at hand: which file fills a role, and whether it is intact.

The shipped folder comes first; a manifest of the same form in the user's own model folder may
replace any role whole (all its parts), never half of it. Beside them stand the packs that the user
added, which are asked for by their id. A model that is too large to ship is in the manifest too;
it counts once `singcoach models build` has made its file.
"""

from __future__ import annotations

import hashlib
import hmac
import mmap
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from singcoach import resources
from singcoach.errors import ModelError
from singcoach.jobs import NO_JOB, Job
from singcoach.models.installed import PROVENANCE_NAME, Pack, read_packs, user_models_dir
from singcoach.models.manifest import MANIFEST_NAME, ModelEntry, read_manifest

__all__ = ["Catalogue", "Pack", "VerifiedModel", "built_dir", "load", "user_models_dir", "verify"]

BUILT_ROLES = ("language_model",)
"""Roles whose embedded files are made on the user's machine, for they are too large to ship."""

_BLOCK_BYTES = 1 << 22
_MAPPED_FROM_BYTES = 64 << 20


def built_dir() -> Path:
    """Folder of the models that `singcoach models build` made here; it need not exist."""
    return user_models_dir() / "built"


class VerifiedModel:
    """A model file whose bytes were checked against the digest that the manifest names.

    Small files are read once. Larger ones are mapped and hashed through the mapping, so that they
    take no memory of their own; an installed pack is never written to, and removing it leaves the
    mapping as it is.

    Parameters
    ----------
    entry
        Where it comes from.
    content
        Its bytes, checked.
    """

    __slots__ = ("_content", "entry")

    def __init__(self, *, entry: ModelEntry, content: bytes | memoryview) -> None:
        self.entry = entry
        self._content = content

    @property
    def content(self) -> bytes:
        """The bytes; of a large file this is a copy: use :attr:`view` or :attr:`path` there."""
        return self._content if isinstance(self._content, bytes) else bytes(self._content)

    @property
    def view(self) -> memoryview:
        """The bytes without a copy."""
        return memoryview(self._content)

    @property
    def is_mapped(self) -> bool:
        """Whether the file is mapped, because it is large; then :attr:`path` spares a copy."""
        return isinstance(self._content, memoryview)

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
    packs
        Packs that the user added, the newest first.
    built
        Where the files of :data:`BUILT_ROLES` may lie that are not in their manifest's folder.

    Raises
    ------
    ModelError
        When a manifest of ``folders`` cannot be read or is not valid.
    """

    def __init__(
        self, folders: Sequence[Path], *, packs: Sequence[Pack] = (), built: Path | None = None
    ) -> None:
        entries: tuple[ModelEntry, ...] = ()
        for folder in folders:
            added = read_manifest(folder / MANIFEST_NAME)
            replaced = {entry.role for entry in added}
            entries = (*(e for e in entries if e.role not in replaced), *added)
        placed = [_placed(entry, built) for entry in entries]
        self._unbuilt = tuple(e for e in placed if _is_unbuilt(e))
        self._entries = tuple(e for e in placed if not _is_unbuilt(e))
        self._packs = tuple(packs)

    @classmethod
    def default(cls) -> Catalogue:
        """Return the shipped models, the user's own in front of them, and the user's packs."""
        folders = [resources.models_dir()]
        if (user_models_dir() / MANIFEST_NAME).is_file():
            folders.append(user_models_dir())
        return cls(folders, packs=read_packs(), built=built_dir())

    @property
    def entries(self) -> tuple[ModelEntry, ...]:
        """The embedded entries in force, shipped before the user's own; without the packs."""
        return self._entries

    @property
    def unbuilt(self) -> tuple[ModelEntry, ...]:
        """The embedded entries whose files `singcoach models build` could make here."""
        return self._unbuilt

    @property
    def packs(self) -> tuple[Pack, ...]:
        """The packs that the user added, the newest first, damaged ones with their fault."""
        return self._packs

    def newest_pack(self, role: str, part: str | None = None) -> Pack | None:
        """Return the pack that was added last among those that can be used and fill ``role``.

        ``part`` asks for that part of it; None for any.
        """
        for pack in self._packs:
            if any(e.role == role and part in (None, e.part) for e in pack.entries):
                return pack
        return None

    def find(self, role: str, part: str = "", *, pack: str | None = None) -> ModelEntry | None:
        """Return the entry that fills a role, None when there is none; opens no file.

        ``pack`` is the id of the pack to look in; None stands for the embedded models.
        """
        for entry in self._entries if pack is None else self._entries_of(pack):
            if entry.role == role and entry.part == part:
                return entry
        return None

    def require(
        self, role: str, part: str = "", *, pack: str | None = None, job: Job = NO_JOB
    ) -> VerifiedModel:
        """Read the model that fills a role and check its size and SHA-256 before returning it.

        ``job`` reports the check, and may cancel it.

        Raises
        ------
        ModelError
            When no model fills the role, or its file is missing, unreadable or not the file that
            the manifest names.
        """
        entry = self.find(role, part, pack=pack)
        if entry is None:
            wanted = f"{role} ({part})" if part else role
            raise ModelError(
                f"No model for {wanted} is installed",
                hint="`singcoach models list` shows what is installed",
            )
        return load(entry, job)

    def _entries_of(self, pack_id: str) -> tuple[ModelEntry, ...]:
        for pack in self._packs:
            if pack.id == pack_id:
                if pack.fault is not None:
                    raise pack.fault
                return pack.entries
        return ()


def _placed(entry: ModelEntry, built: Path | None) -> ModelEntry:
    """Return the entry with the folder that its file was built in, where it does not ship."""
    if built is None or not _is_unbuilt(entry) or not (built / entry.file).is_file():
        return entry
    return replace(entry, folder=built)


def _is_unbuilt(entry: ModelEntry) -> bool:
    return entry.role in BUILT_ROLES and bool(entry.package) and not entry.path.is_file()


def load(entry: ModelEntry, job: Job = NO_JOB) -> VerifiedModel:
    """Read or map the file of ``entry`` and check it; see :meth:`Catalogue.require`."""
    digest = hashlib.sha256()
    content: bytes | memoryview
    try:
        with entry.path.open("rb") as file:
            _check_size(entry, file)
            if entry.size >= _MAPPED_FROM_BYTES:
                content = memoryview(mmap.mmap(file.fileno(), entry.size, access=mmap.ACCESS_READ))
            else:
                content = file.read(entry.size + 1)
    except (OSError, ValueError) as error:
        raise _unreadable(entry, error) from error
    view = memoryview(content)
    for at in range(0, len(content), _BLOCK_BYTES):
        digest.update(view[at : at + _BLOCK_BYTES])
        job.report(at / len(content), f"checking {entry.id}")
    _check_digest(entry, len(content), digest.hexdigest())
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


def _unreadable(entry: ModelEntry, error: Exception) -> ModelError:
    missing = isinstance(error, FileNotFoundError)
    return ModelError(
        f"The model file {entry.path} {'is missing' if missing else 'cannot be read'}",
        hint=_repair_hint(entry),
        detail=str(error),
    )


def _repair_hint(entry: ModelEntry) -> str:
    if entry.package:
        return f"Install SingCoach again, or rebuild it with `singcoach models build {entry.id}`"
    if (entry.folder / PROVENANCE_NAME).is_file():
        return f"Remove it with `singcoach models remove {entry.folder.name}` and add it again"
    return f"Add the model pack {entry.id} again, or remove it"
