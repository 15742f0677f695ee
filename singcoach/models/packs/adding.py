"""``singcoach models add``: from files that people publish to a pack of this machine."""

from __future__ import annotations

import datetime
import hashlib
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from singcoach import __version__
from singcoach.errors import ModelError
from singcoach.files import cannot_write
from singcoach.jobs import NO_JOB, Job
from singcoach.models.installed import (
    PROVENANCE_NAME,
    Pack,
    Provenance,
    SourceFile,
    packs_dir,
    read_pack,
)
from singcoach.models.manifest import MANIFEST_NAME, ModelEntry, is_plain_id
from singcoach.models.packs.pack_folder import about_folder, plan_folder, read_folder
from singcoach.models.packs.plan import About, Plan
from singcoach.models.packs.publications import Publication, lookalike_of, publication_of
from singcoach.models.packs.recognise import recognise
from singcoach.models.packs.sources import (
    Given,
    HashedFile,
    check_unchanged,
    gather,
    hash_again,
    hash_files,
)
from singcoach.models.packs.staging import Staging, already_there
from singcoach.models.packs.writing import (
    FinishedFile,
    card_text,
    manifest_text,
    provenance_text,
    write_texts,
)
from singcoach.models.weights.faults import shown

_HASHED, _MADE, _HASHED_AGAIN = 0.2, 0.85, 0.95
_BLOCK_BYTES = 1 << 22
_MAX_ID_CHARACTERS = 40

Check = Callable[[Sequence[ModelEntry]], None]


def add(
    paths: Sequence[Path],
    *,
    trust: bool = False,
    role: str | None = None,
    name: str | None = None,
    replace: bool = False,
    check: Check | None = None,
    job: Job = NO_JOB,
) -> Pack:
    """Make a pack from a checkpoint, a GGUF model with its projector, or a pack folder.

    The files are hashed before anything parses them; then our own readers look into them, and the
    pack is written into a hidden folder that takes its name in one step at the end.

    Parameters
    ----------
    paths
        One file or folder, or a GGUF model and its projector.
    trust
        Whether the user vouches for files that no publication vouches for.
    role
        What it is for, where the files do not tell.
    name
        Id of the pack; None takes the publication's or the file's name.
    replace
        Whether a pack of the same id gives way.
    check
        Called with the finished files before they take their name; refuses them by raising
        :class:`ModelError`. For what only those know who use the pack.
    job
        Reports at least every 0.1 s; cancelling leaves nothing behind.

    Raises
    ------
    ModelError
        When the files are not known and not trusted, damaged, would run code, are of no network
        that is known, or the id is taken.
    OutputError
        When the disk is full or may not be written.
    """
    given = gather(paths)
    hashed = hash_files(given.files, job.part(0.0, _HASHED))
    sources = tuple(file.source for file in hashed)
    publication = publication_of(sources)
    if publication is None and not trust:
        raise _not_known(given, sources)
    plan, about, sources = _recognised(given, hashed, publication, role, job.part(_HASHED, _HASHED))
    known_name = about.title if given.is_pack and name is None else name
    pack_id = _chosen_id(given, publication, known_name)
    if not replace and (packs_dir() / pack_id).exists():
        raise already_there(pack_id)
    return _install(
        plan,
        about,
        _provenance(sources, publication),
        pack_id,
        hashed=hashed,
        replace=replace,
        check=check,
        job=job.part(_HASHED, 1.0),
    )


def _recognised(
    given: Given,
    hashed: Sequence[HashedFile],
    publication: Publication | None,
    role: str | None,
    job: Job,
) -> tuple[Plan, About, tuple[SourceFile, ...]]:
    if given.is_pack:
        entries, old = read_folder(given.path)
        plan = plan_folder(given.path, entries)
        if role is not None and plan.roles != (role,):
            raise ModelError(
                f"{given.path.name} cannot fill the role {role}",
                hint=f"It is a finished pack for {' and '.join(plan.roles)}",
            )
        return plan, about_folder(entries), old.sources
    known_roles = publication.roles if publication is not None else ()
    hashes = {file.path: file.source.sha256 for file in hashed}
    plan = recognise(given, role=role, known_roles=known_roles, hashes=hashes, job=job)
    sources = tuple(file.source for file in hashed)
    return plan, _about(given, sources, publication), sources


def _about(given: Given, sources: tuple[SourceFile, ...], publication: Publication | None) -> About:
    digest = sources[0].sha256
    if publication is not None:
        return About(
            title=publication.title,
            version=digest[:12],
            licence=publication.licence,
            source=f"{publication.title}, file {shown(sources[0].file)} with SHA-256 {digest}",
            published=publication.published,
        )
    file = shown(given.path.name) or "a file"
    return About(
        title=file,
        version=digest[:12],
        licence="unknown",
        source=f"{file}, given by the user, SHA-256 {digest}",
        published="",
    )


def _provenance(sources: tuple[SourceFile, ...], publication: Publication | None) -> Provenance:
    now = datetime.datetime.now(datetime.UTC)
    return Provenance(
        added=now.isoformat(timespec="microseconds"),
        publication=publication.id if publication is not None else "",
        made_by=f"SingCoach {__version__}",
        sources=tuple(
            SourceFile(file=shown(s.file, 200) or "?", sha256=s.sha256, size=s.size)
            for s in sources
        ),
    )


def _chosen_id(given: Given, publication: Publication | None, name: str | None) -> str:
    if name is not None:
        if not is_plain_id(name) or len(name) > _MAX_ID_CHARACTERS:
            raise ModelError(
                f"{shown(name, 60)!r} cannot be the name of a pack",
                hint="Use lower-case letters, digits, dots and dashes, such as kim-vocals",
            )
        return name
    if publication is not None:
        return publication.id
    stem = given.path.name if given.path.is_dir() else given.path.stem
    if given.path.parent.name and stem in ("model", "pytorch_model", "network", "weights"):
        stem = given.path.parent.name
    words = re.sub(r"[^a-z0-9.]+", "-", stem.lower()).strip("-.")[:_MAX_ID_CHARACTERS].strip("-.")
    return words if is_plain_id(words) else "pack"


def _not_known(given: Given, sources: Sequence[SourceFile]) -> ModelError:
    hint = "If you trust where it came from, add it with --trust"
    for source in sources:
        alike = lookalike_of(source)
        if alike is not None:
            return ModelError(
                f"{shown(source.file)} looks like {alike.title} but is another file: its SHA-256 "
                f"is {source.sha256}",
                hint=f"Fetch it again from {alike.published}. {hint}",
            )
    listed = "; ".join(f"SHA-256 of {shown(s.file)}: {s.sha256}" for s in sources[:4])
    return ModelError(f"{shown(given.path.name)} is not known to SingCoach ({listed})", hint=hint)


def _install(
    plan: Plan,
    about: About,
    provenance: Provenance,
    pack_id: str,
    *,
    hashed: Sequence[HashedFile],
    replace: bool,
    check: Check | None,
    job: Job,
) -> Pack:
    try:
        with Staging(pack_id, needed_bytes=plan.needed_bytes, job=job) as staging:
            made = plan.make(staging.folder, job.part(0.0, _MADE))
            check_unchanged(hashed)
            if not plan.copies:
                hash_again(hashed, job.part(_MADE, _HASHED_AGAIN))
            files = [
                FinishedFile(described=one, sha256=digest, size=size)
                for one in made
                for digest, size in [
                    _digest(staging.folder / one.file, job.part(_HASHED_AGAIN, 1.0))
                ]
            ]
            write_texts(
                staging.folder,
                {
                    MANIFEST_NAME: manifest_text(pack_id, about, files),
                    PROVENANCE_NAME: provenance_text(provenance),
                    f"{pack_id}.md": card_text(pack_id, about, plan, provenance, files),
                },
            )
            read = read_pack(staging.folder, pack_id)
            if read.fault is not None:
                raise ModelError(
                    f"{about.title} cannot be described in the manifest of a pack",
                    hint="Give a file as its authors publish it",
                    detail=read.fault.detail,
                )
            if check is not None:
                check(read.entries)
            job.report(1.0, "putting the pack in its place")
            folder = staging.publish(replace=replace)
    except OSError as error:
        raise cannot_write(packs_dir() / f"the pack {pack_id}", error) from error
    return read_pack(folder, pack_id)


def _digest(path: Path, job: Job) -> tuple[str, int]:
    digest = hashlib.sha256()
    n_bytes = 0
    with path.open("rb") as file:
        size = max(1, os.fstat(file.fileno()).st_size)
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
            n_bytes += len(block)
            job.report(n_bytes / size, f"checking {path.name}")
    return digest.hexdigest(), n_bytes
