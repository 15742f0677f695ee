"""Checkpoints of torch put together byte by byte, so that every part of them can be wrong."""

from __future__ import annotations

import io
import pickle
import stat
import struct
import zipfile
from collections.abc import Mapping

LEGACY_MAGIC = pickle.dumps(0x1950A86A20F9469CFC6C, 2)


def plain(value: object) -> bytes:
    """Return the instructions that put a plain value on the stack."""
    return pickle.dumps(value, 2)[2:-1]


def named(module: str, name: str) -> bytes:
    return b"c" + f"{module}\n{name}\n".encode()


def call(function: bytes, *arguments: bytes) -> bytes:
    return function + b"(" + b"".join(arguments) + b"tR"


def storage(
    key: str = "0",
    n: int = 6,
    kind: bytes = named("torch", "FloatStorage"),
    word: str = "storage",
    view: bytes = b"",
) -> bytes:
    """Return a reference to data; the form before torch 1.6 has a ``view`` (or None) at the end."""
    return b"(" + plain(word) + kind + plain(key) + plain("cpu") + plain(n) + view + b"tQ"


def tensor(
    shape: tuple[int, ...] = (2, 3),
    strides: tuple[int, ...] = (3, 1),
    *,
    offset: int = 0,
    stored: bytes | None = None,
    hooks: bytes = call(named("collections", "OrderedDict")),
) -> bytes:
    return call(
        named("torch._utils", "_rebuild_tensor_v2"),
        stored if stored is not None else storage(),
        plain(offset),
        plain(shape),
        plain(strides),
        plain(False),
        hooks,
    )


def table(**values: bytes) -> bytes:
    """Return a whole pickle of a table."""
    items = b"".join(plain(key) + value for key, value in values.items())
    return whole(b"}(" + items + b"u")


def whole(instructions: bytes) -> bytes:
    return b"\x80\x02" + instructions + b"."


def checkpoint(
    content: bytes,
    storages: Mapping[str, bytes] | None = None,
    *,
    extra: Mapping[str, bytes] | None = None,
    method: int = zipfile.ZIP_STORED,
    links: tuple[str, ...] = (),
) -> bytes:
    """Return the zip form with ``content`` as its pickle."""
    target = io.BytesIO()
    entries = {"a/data.pkl": content, "a/byteorder": b"little"}
    for key, data in ({"0": bytes(24)} if storages is None else storages).items():
        entries[f"a/data/{key}"] = data
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in [*entries.items(), *(extra or {}).items()]:
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = method
            mode = stat.S_IFLNK if name in links else stat.S_IFREG
            info.external_attr = (mode | 0o644) << 16
            archive.writestr(info, data)
    return target.getvalue()


def legacy(content: bytes, keys: list[str] | None = None, data: bytes | None = None) -> bytes:
    """Return the form before torch 1.6 with ``content`` as its pickle."""
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}
    head = LEGACY_MAGIC + pickle.dumps(1001, 2) + pickle.dumps(system, 2) + content
    raw = struct.pack("<q", 6) + bytes(24) if data is None else data
    return head + pickle.dumps(["0"] if keys is None else keys, 2) + raw
