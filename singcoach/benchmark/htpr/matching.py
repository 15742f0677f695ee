"""Which recording belongs to which rated item."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """Names found for items.

    Attributes
    ----------
    found
        By item; several names are the parts of one performance, in order.
    missing
        Items without any.
    ambiguous
        Items whose name fits several recordings, with these.
    unused
        Names that no item asked for.
    """

    found: Mapping[str, tuple[str, ...]]
    missing: tuple[str, ...]
    ambiguous: Mapping[str, tuple[str, ...]]
    unused: tuple[str, ...]


def match(items: Iterable[str], names: Iterable[str], *, folders: bool = False) -> Matches:
    """Find the recording of each item by its path, with or without ending, or by its name alone.

    The first of these that any recording fits decides: the path below the folder; the path without
    ending; the file's name; the name without ending; the item without its own ending, as path or
    name. An item that fits two recordings at the deciding step is ambiguous and gets none.

    Parameters
    ----------
    items
        As the ratings name them.
    names
        Paths of the recordings below the folder, with ``/``.
    folders
        Whether an item may also name a folder, whose recordings are then the parts of one
        performance in the order of their names.
    """
    known = sorted(set(names))
    indices = [_index(known, key) for key in _KEYS]
    by_folder = _folders(known) if folders else {}
    found: dict[str, tuple[str, ...]] = {}
    ambiguous: dict[str, tuple[str, ...]] = {}
    missing = []
    for item in dict.fromkeys(items):
        wanted = _normal(item)
        bare = _bare(PurePosixPath(wanted))
        fits = next((index[wanted] for index in indices if wanted in index), None)
        if fits is None and wanted in by_folder:
            found[item] = by_folder[wanted]
            continue
        if fits is None:
            fits = next((index[bare] for index in (indices[1], indices[3]) if bare in index), None)
        if fits is None:
            missing.append(item)
        elif len(fits) > 1:
            ambiguous[item] = tuple(fits)
        else:
            found[item] = tuple(fits)
    used = {name for parts in found.values() for name in parts}
    return Matches(
        found=found,
        missing=tuple(missing),
        ambiguous=ambiguous,
        unused=tuple(name for name in known if name not in used),
    )


def relative_names(files: Iterable[Path], root: Path) -> dict[str, Path]:
    """Return each file by its path below ``root``, with ``/``; others by their name."""
    return {
        (file.relative_to(root) if file.is_relative_to(root) else Path(file.name)).as_posix(): file
        for file in files
    }


def _bare(path: PurePosixPath) -> str:
    return str(path.with_name(path.stem)) if path.stem else str(path)


_KEYS: tuple[Callable[[PurePosixPath], str], ...] = (
    str,
    _bare,
    lambda path: path.name,
    lambda path: path.stem,
)


def _index(names: Iterable[str], key: Callable[[PurePosixPath], str]) -> dict[str, list[str]]:
    index: dict[str, list[str]] = {}
    for name in names:
        index.setdefault(key(PurePosixPath(_normal(name))), []).append(name)
    return index


def _folders(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    inside: dict[str, list[str]] = {}
    for name in names:
        parent = PurePosixPath(_normal(name)).parent
        if parent != PurePosixPath("."):
            inside.setdefault(str(parent), []).append(name)
    found = {folder: tuple(parts) for folder, parts in inside.items()}
    last: dict[str, list[str]] = {}
    for folder in inside:
        last.setdefault(PurePosixPath(folder).name, []).append(folder)
    for name, paths in last.items():
        if len(paths) == 1:
            found.setdefault(name, found[paths[0]])
    return found


def _normal(text: str) -> str:
    """Composed Unicode, no ``./`` in front."""
    composed = unicodedata.normalize("NFC", text)
    return str(PurePosixPath(composed)) if composed else "."
