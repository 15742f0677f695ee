"""Finding the table of tensors in what a checkpoint holds, under its wrappers and prefixes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from singcoach.models.weights.faults import damaged, shown, unusable
from singcoach.models.weights.tensors import MAX_NAME_CHARACTERS, MAX_TENSORS
from singcoach.models.weights.torch_values import TensorName, Unknown

T = TypeVar("T")

_WRAPPERS = ("state_dict", "model_state_dict", "model_state", "state", "model", "params", "ema")
_PREFIXES = ("module.", "model.", "_orig_mod.")
_MAX_DEPTH = 16
_MAX_VALUES = 1_000_000


def find_tensors(
    content: object, file_name: str, count: Callable[[], None] = lambda: None
) -> tuple[dict[str, TensorName], dict[str, object]]:
    """Return the tensors by name and the plain values that stand beside them.

    ``count`` is called for every value.

    Raises
    ------
    ModelError
        When there are no tensors, or the tables are nested beyond reason.
    """
    metadata: dict[str, object] = {}
    for _ in range(_MAX_DEPTH):
        if not isinstance(content, dict):
            raise unusable(file_name, "it holds no table of tensors")
        metadata.update(_plain_table(content))
        if any(isinstance(value, TensorName) for value in content.values()):
            break
        inner = next((content[w] for w in _WRAPPERS if isinstance(content.get(w), dict)), None)
        if inner is None:
            break
        content = inner
    tensors = _Flattening(file_name, count).flat(content)
    if not tensors:
        raise unusable(file_name, "it holds no tensors")
    return peel_prefixes(tensors), metadata


def peel_prefixes(tensors: Mapping[str, T]) -> dict[str, T]:
    """Return the table without what wrappers put before every name, such as ``module.``."""
    peeled = dict(tensors)
    for _ in range(_MAX_DEPTH):
        prefix = next((p for p in _PREFIXES if all(name.startswith(p) for name in peeled)), None)
        if prefix is None or not peeled:
            break
        shorter = {name.removeprefix(prefix): value for name, value in peeled.items()}
        if "" in shorter:
            break
        peeled = shorter
    return peeled


class _Flattening:
    """Tables within tables become names with dots; values are counted, never trusted to end."""

    def __init__(self, file_name: str, count: Callable[[], None]) -> None:
        self._file = file_name
        self._count = count
        self._n_values = 0

    def flat(self, content: Any) -> dict[str, TensorName]:
        found: dict[str, TensorName] = {}
        self._visit(content, (), found)
        return found

    def _visit(self, value: Any, path: tuple[str, ...], found: dict[str, TensorName]) -> None:
        self._n_values += 1
        self._count()
        if self._n_values > _MAX_VALUES or len(path) > _MAX_DEPTH:
            raise damaged(self._file, "its tables are nested beyond reason")
        if isinstance(value, TensorName):
            name = ".".join(path)
            if name in found or len(name) > MAX_NAME_CHARACTERS or not name.isprintable():
                raise damaged(
                    self._file, f"the tensor name {shown(name, 40)} is odd or comes twice"
                )
            if len(found) >= MAX_TENSORS:
                raise damaged(self._file, f"it holds more than {MAX_TENSORS} tensors")
            found[name] = value
        elif isinstance(value, dict):
            for key, inner in value.items():
                self._visit(inner, (*path, str(key)), found)


def _plain_table(table: Mapping[Any, Any]) -> dict[str, object]:
    budget = [10_000]
    found = {}
    for key, value in table.items():
        if isinstance(key, str) and len(key) <= MAX_NAME_CHARACTERS:
            plain = _plain(value, 0, budget)
            if plain is not _NOT_PLAIN:
                found[key] = plain
    return found


_NOT_PLAIN = object()


def _plain(value: Any, depth: int, budget: list[int]) -> object:
    """Return ``value`` if it is made of plain values alone and small, else ``_NOT_PLAIN``."""
    budget[0] -= 1
    if budget[0] < 0 or depth > _MAX_DEPTH:
        return _NOT_PLAIN
    if isinstance(value, Unknown):
        return value.name if value.name.startswith("torch.") else _NOT_PLAIN
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        items = [_plain(item, depth + 1, budget) for item in value]
        return _NOT_PLAIN if any(item is _NOT_PLAIN for item in items) else items
    if isinstance(value, dict):
        pairs = {str(key): _plain(inner, depth + 1, budget) for key, inner in value.items()}
        return _NOT_PLAIN if any(item is _NOT_PLAIN for item in pairs.values()) else pairs
    return _NOT_PLAIN
