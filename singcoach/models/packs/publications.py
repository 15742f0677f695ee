"""Checkpoints that are known by their SHA-256, read from ``models/publications.toml``."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from singcoach import resources
from singcoach.errors import ModelError
from singcoach.models.installed import SourceFile
from singcoach.models.manifest import ROLES, is_plain_id

FILE_NAME = "publications.toml"
SCHEMA = "singcoach.publications/1"

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedFile:
    """A file as it is published; ``size`` is None where nobody states it."""

    name: str
    sha256: str
    size: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A checkpoint that its authors publish.

    ``published`` is the address where the user gets it, ``stated`` where its hash was found.
    """

    id: str
    title: str
    roles: tuple[str, ...]
    licence: str
    published: str
    stated: str
    files: tuple[PublishedFile, ...]


@functools.cache
def known_publications() -> tuple[Publication, ...]:
    """Return the publications that this version knows.

    Raises
    ------
    ModelError
        When the list that ships is damaged.
    """
    path = resources.models_dir() / FILE_NAME
    try:
        return parse_publications(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(
            "The list of known model files is damaged",
            hint="Install SingCoach again",
            detail=str(error),
        ) from error


def parse_publications(text: str) -> tuple[Publication, ...]:
    """Read the list strictly; :class:`ValueError` names what is wrong."""
    document = tomllib.loads(text)
    if document.keys() != {"schema", "publication"} or document["schema"] != SCHEMA:
        raise ValueError(f"schema is not {SCHEMA!r}")
    found = tuple(_publication(table) for table in document["publication"])
    hashes = [file.sha256 for publication in found for file in publication.files]
    if len(set(hashes)) != len(hashes) or len({p.id for p in found}) != len(found):
        raise ValueError("an id or a hash comes twice")
    return found


def publication_of(sources: Sequence[SourceFile]) -> Publication | None:
    """Return the publication that holds every one of ``sources`` by its hash, None if none does."""
    wanted = {source.sha256 for source in sources}
    for publication in known_publications():
        if wanted and wanted <= {file.sha256 for file in publication.files}:
            return publication
    return None


def lookalike_of(source: SourceFile) -> Publication | None:
    """Return a publication with a file of this name, or of this very size, but another hash."""
    for publication in known_publications():
        for file in publication.files:
            is_alike = file.name == source.file or file.size == source.size
            if is_alike and file.sha256 != source.sha256:
                return publication
    return None


def _publication(table: dict[str, Any]) -> Publication:
    keys = {"id", "title", "roles", "licence", "published", "stated", "files"}
    if table.keys() != keys:
        raise ValueError(f"{table.get('id')!r} has not the keys {sorted(keys)}")
    for key in ("title", "licence", "published", "stated"):
        if not isinstance(table[key], str) or not table[key].isprintable() or not table[key]:
            raise ValueError(f"{table['id']!r}: {key}")
    if not is_plain_id(table["id"]) or not table["published"].startswith("https://"):
        raise ValueError(f"{table['id']!r} or its address")
    if not table["roles"] or not set(table["roles"]) <= set(ROLES) or not table["files"]:
        raise ValueError(f"{table['id']!r}: roles or files")
    return Publication(
        **{key: table[key] for key in ("id", "title", "licence", "published", "stated")},
        roles=tuple(table["roles"]),
        files=tuple(_file(file) for file in table["files"]),
    )


def _file(table: dict[str, Any]) -> PublishedFile:
    size = table.get("size")
    if not {"name", "sha256"} <= table.keys() <= {"name", "sha256", "size"}:
        raise ValueError(f"keys of a file: {sorted(table)}")
    if not _SHA256.fullmatch(table["sha256"]) or not (size is None or size > 0):
        raise ValueError(f"hash or size of {table['name']!r}")
    return PublishedFile(name=table["name"], sha256=table["sha256"], size=size)
