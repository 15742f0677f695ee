"""Strict reading of the package's own TOML tables: every key asked for, nothing left over."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from importlib.resources import files
from typing import Any


def read_toml(path: str, *, package: str = "singcoach.coaching") -> Table:
    """Read one file below the folder of a package.

    Raises
    ------
    ValueError
        When it is no TOML; that is a fault of the package, not of the user.
    """
    text = files(package).joinpath(path).read_text(encoding="utf-8")
    try:
        return Table(tomllib.loads(text), where=path)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path}: {error}") from error


class Table:
    """One table; each reader says which keys it wants and of what kind they are."""

    def __init__(self, values: Mapping[str, Any], *, where: str) -> None:
        self._values = values
        self.where = where

    @property
    def names(self) -> tuple[str, ...]:
        """Keys in the order of the file."""
        return tuple(self._values)

    def only(self, names: Collection[str]) -> Table:
        """Refuse keys that are missing and keys that are unknown."""
        if missing := sorted(set(names) - set(self._values)):
            raise ValueError(f"{self.where}: {missing[0]!r} is missing")
        if unknown := sorted(set(self._values) - set(names)):
            raise ValueError(f"{self.where}: {unknown[0]!r} is not known")
        return self

    def table(self, name: str) -> Table:
        """Return a table inside this one."""
        value = self._get(name)
        if not isinstance(value, dict):
            raise ValueError(f"{self.where}: {name} has to be a table")
        return Table(value, where=f"{self.where}: {name}")

    def text(self, name: str) -> str:
        """Return one line of text, not empty, without spaces at its ends."""
        value = self._get(name)
        if not isinstance(value, str) or not value or value != value.strip() or "\n" in value:
            raise ValueError(f"{self.where}: {name} has to be one line of text")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of lines of text without repetition."""
        value = self._get(name)
        if not isinstance(value, list) or len(set(map(str, value))) != len(value):
            raise ValueError(f"{self.where}: {name} has to be a list without repetition")
        items = Table({str(i): item for i, item in enumerate(value)}, where=f"{self.where}: {name}")
        return tuple(items.text(index) for index in items.names)

    def whole(self, name: str, *, least: int, most: int) -> int:
        """Return a whole number within limits."""
        value = self._get(name)
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"{self.where}: {name} has to be from {least} to {most}")
        return value

    def flag(self, name: str) -> bool:
        """Return true or false."""
        value = self._get(name)
        if not isinstance(value, bool):
            raise ValueError(f"{self.where}: {name} has to be true or false")
        return value

    def _get(self, name: str) -> Any:
        if name not in self._values:
            raise ValueError(f"{self.where}: {name!r} is missing")
        return self._values[name]
