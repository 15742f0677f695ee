"""Which code measures a take: what was heard by other code is heard anew."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from singcoach import __version__, resources

HEARING = (
    "audio",
    "chain",
    "core",
    "dsp",
    "encoders",
    "pitch",
    "regions",
    "scoring",
    "screening",
    "separation",
    "songs",
)
"""Packages whose code decides what is measured of a recording, and what it scores."""


def code_digest(packages: Iterable[str]) -> str:
    """SHA-256 over the source of some packages of ours and of the list of shipped models.

    Over the version too, for an installation that has no source to read.
    """
    root = Path(resources.__file__).resolve().parent
    digest = hashlib.sha256(__version__.encode())
    digest.update((resources.models_dir() / "manifest.toml").read_bytes())
    for name in packages:
        for path in sorted((root / name).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
