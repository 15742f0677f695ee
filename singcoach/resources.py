"""Where the shipped files and the user's folders are."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

_PACKAGE = Path(__file__).resolve().parent


def _shipped(name: str) -> Path:
    packed = _PACKAGE / "_shipped" / name
    return packed if packed.is_dir() else _PACKAGE.parent / name


def models_dir() -> Path:
    """Folder of the shipped models and their manifest."""
    return _shipped("models")


def assets_dir() -> Path:
    """Folder of the shipped recordings and drawings."""
    return _shipped("assets")


def user_data_dir() -> Path:
    """Folder for the user's own models and takes; ``SINGCOACH_HOME`` moves it (and the cache)."""
    home = os.environ.get("SINGCOACH_HOME")
    if home:
        return Path(home) / "data"
    return Path(platformdirs.user_data_dir("singcoach", appauthor=False))


def cache_dir() -> Path:
    """Folder for results that can be computed again."""
    home = os.environ.get("SINGCOACH_HOME")
    if home:
        return Path(home) / "cache"
    return Path(platformdirs.user_cache_dir("singcoach", appauthor=False))
