"""The recording that ships with the app."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from singcoach import resources
from singcoach.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A shipped recording with the words that its licence asks for."""

    path: Path
    title: str
    attribution: str


def demo_recording(role: str = "demo") -> Recording:
    """Return the shipped recording of a role (``demo``: one voice; ``mixture``: a mixed song).

    Raises
    ------
    InputError
        The shipped files are not there.
    """
    manifest = resources.assets_dir() / "manifest.toml"
    try:
        assets = tomllib.loads(manifest.read_text(encoding="utf-8"))["asset"]
    except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
        raise InputError(
            "the recordings that ship with SingCoach are missing",
            hint="Install SingCoach again",
            detail=str(error),
        ) from error
    for asset in assets:
        if asset["role"] == role:
            return Recording(
                path=manifest.parent / asset["file"],
                title=asset["title"],
                attribution=asset["attribution"],
            )
    raise ValueError(f"no shipped recording has the role {role!r}")
