"""The two files of ``torch.save``: a zip archive (since 1.6), and pickles followed by raw data."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Mapping

from singcoach.models.weights.faults import damaged, shown, unsafe, unusable
from singcoach.models.weights.state_dict import find_tensors
from singcoach.models.weights.tensors import Storage, TensorPlace, check_place, item_bytes
from singcoach.models.weights.torch_pickle import read_pickle
from singcoach.models.weights.torch_values import StorageName, TensorName
from singcoach.models.weights.weightfile import OpenFile

_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_MAX_PICKLE_BYTES = 32 << 20
_MAX_DIRECTORY_BYTES = 16 << 20
_MAX_ENTRIES = 200_000
_LOCAL_HEADER_BYTES = 30
_END_BYTES = 22
_LOCATOR_BYTES = 20
_WIDE_BYTES = 56
_MAX_COMMENT_BYTES = 65_535
_IN_WIDE_RECORD = 0xFFFFFFFF
_ENCRYPTED = 0x1
_LEGACY_VERSION = 1001

Layout = tuple[dict[str, TensorPlace], dict[str, object]]


def read_zip(file: OpenFile) -> Layout:
    """Return the tensors and plain values of a checkpoint in the zip form.

    Raises
    ------
    ModelError
        When the archive is damaged, compressed, encrypted, has names that lead out of it, or its
        table of contents is more than data.
    """
    entries = _entries(file)
    tables = [name for name in entries if name.endswith("/data.pkl") and name.count("/") == 1]
    if len(tables) != 1:
        raise unusable(file.name, "it is a zip archive but no checkpoint of torch")
    root = tables[0].removesuffix("data.pkl")
    if f"{root}constants.pkl" in entries or any(n.startswith(f"{root}code/") for n in entries):
        raise unsafe(file.name, "it is a TorchScript archive, which carries code")
    if f"{root}byteorder" in entries:
        order = _content(file, entries[f"{root}byteorder"], 16)
        if order != b"little":
            raise unusable(file.name, f"its byte order is {shown(order, 16)}, not little")
    table = _content(file, entries[tables[0]], _MAX_PICKLE_BYTES)
    described = read_pickle(io.BytesIO(table), file.name, file.count)
    tensors, metadata = find_tensors(described.value, file.name, file.count)
    storages = {
        name.removeprefix(f"{root}data/"): storage
        for name, storage in entries.items()
        if name.startswith(f"{root}data/")
    }
    return _placed(file, tensors, storages), metadata


def looks_like_pickle(start: bytes) -> bool:
    """Whether a file begins as the older form does: with a pickle (of a magic number)."""
    return len(start) > 2 and start[0] == 0x80 and 2 <= start[1] <= 5


def read_legacy(file: OpenFile) -> Layout:
    """Return the tensors and plain values of a checkpoint in the form before torch 1.6.

    Raises
    ------
    ModelError
        When it is damaged, or its table of contents is more than data.
    """
    file.stream.seek(0)
    head = io.BytesIO(file.stream.read(min(file.size, _MAX_PICKLE_BYTES)))
    if read_pickle(head, file.name).value != _LEGACY_MAGIC:
        raise unusable(file.name, "it is a pickle but no checkpoint of torch")
    version = read_pickle(head, file.name).value
    system = read_pickle(head, file.name).value
    if version != _LEGACY_VERSION or not isinstance(system, dict):
        raise unusable(file.name, f"its format version is {shown(version, 20)}")
    if system.get("little_endian") is not True:
        raise unusable(file.name, "its byte order is not little")
    described = read_pickle(head, file.name, file.count)
    tensors, metadata = find_tensors(described.value, file.name, file.count)
    keys = read_pickle(head, file.name, file.count).value
    sizes = {key: item_bytes(storage.dtype) for key, storage in described.storages.items()}
    return _placed(file, tensors, _legacy_storages(file, keys, sizes, head.tell())), metadata


def _legacy_storages(
    file: OpenFile, keys: object, sizes: Mapping[str, int], at: int
) -> dict[str, Storage]:
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise damaged(file.name, "its list of data is no list of names")
    storages: dict[str, Storage] = {}
    for key in keys:
        # The length of data that the table does not name cannot be known.
        if key in storages or key not in sizes:
            raise damaged(file.name, f"the data {shown(key, 30)} comes twice or without a tensor")
        file.stream.seek(at)
        raw = file.stream.read(8)
        n_bytes = int.from_bytes(raw, "little") * sizes[key]
        at += 8
        if len(raw) != 8 or at + n_bytes > file.size:
            raise damaged(file.name, f"it ends before its data does (byte {at + n_bytes})")
        storages[key] = Storage(start=at, n_bytes=n_bytes)
        at += n_bytes
    if at != file.size:
        raise damaged(file.name, f"{file.size - at} bytes follow after the end")
    return storages


def _placed(
    file: OpenFile, tensors: Mapping[str, TensorName], storages: Mapping[str, Storage]
) -> dict[str, TensorPlace]:
    places = {}
    for name, tensor in tensors.items():
        storage = storages.get(tensor.storage.key)
        if storage is None:
            raise damaged(file.name, f"the data of {shown(name)} is missing")
        _check_storage(file, name, tensor.storage, storage)
        place = TensorPlace(
            storage=storage,
            dtype=tensor.storage.dtype,
            shape=tensor.shape,
            offset=tensor.offset + tensor.storage.view_offset,
            strides=tensor.strides,
        )
        check_place(file.name, name, place)
        places[name] = place
    return places


def _check_storage(file: OpenFile, name: str, claimed: StorageName, storage: Storage) -> None:
    expected = claimed.n_elements * item_bytes(claimed.dtype)
    fits = expected <= storage.n_bytes if claimed.view_offset else expected == storage.n_bytes
    if not fits:
        raise damaged(
            file.name, f"the data of {shown(name)} has {storage.n_bytes} bytes, not {expected}"
        )


def _entries(file: OpenFile) -> dict[str, Storage]:
    """Return where the content of each entry of the archive lies."""
    _check_directory(file)
    try:
        with zipfile.ZipFile(file.stream) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, EOFError) as error:
        raise damaged(file.name, "the zip archive is cut or garbled") from error
    if len(infos) > _MAX_ENTRIES:
        raise damaged(file.name, f"it has {len(infos)} entries")
    entries: dict[str, Storage] = {}
    spans: list[tuple[int, int]] = []
    for info in infos:
        file.count()
        _check_entry(file, info)
        name = info.filename
        if name in entries:
            raise damaged(file.name, f"the entry {shown(name)} comes twice")
        start = _content_start(file, info)
        spans.append((info.header_offset, start + info.file_size))
        # torch can be told to leave the checksums out; then they are all 0.
        entries[name] = Storage(start=start, n_bytes=info.file_size, crc32=info.CRC or None)
    end = 0
    for first, after in sorted(spans):
        if first < end or after > file.size:
            raise damaged(file.name, "entries of the zip archive overlap or lie outside of it")
        end = after
    return entries


def _check_directory(file: OpenFile) -> None:
    """Refuse an archive whose table of entries is absurdly long, before it is read whole."""
    n_tail = min(file.size, _END_BYTES + _MAX_COMMENT_BYTES)
    file.stream.seek(file.size - n_tail)
    tail = file.stream.read(n_tail)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + _END_BYTES > len(tail):
        raise damaged(file.name, "the zip archive is cut or garbled")
    claims = [int.from_bytes(tail[at + 12 : at + 16], "little")]
    wide = _wide_claims(file, file.size - n_tail + at)
    if wide and claims[0] == _IN_WIDE_RECORD:
        claims = []
    n_bytes = max(claims + wide)
    if n_bytes > _MAX_DIRECTORY_BYTES:
        raise damaged(file.name, f"its table of entries claims {n_bytes} bytes")


def _wide_claims(file: OpenFile, end_at: int) -> list[int]:
    """Return the length of the table by each zip64 record that a reader may go by.

    Readers go by it even where the plain record, at ``end_at``, does not ask for it: some by the
    one right before its locator, some by the one that the locator names.
    """
    locator_at = end_at - _LOCATOR_BYTES
    if locator_at < 0:
        return []
    file.stream.seek(locator_at)
    locator = file.stream.read(_LOCATOR_BYTES)
    if not locator.startswith(b"PK\x06\x07"):
        return []
    claims = []
    for at in (locator_at - _WIDE_BYTES, int.from_bytes(locator[8:16], "little")):
        if 0 <= at <= file.size - _WIDE_BYTES:
            file.stream.seek(at)
            record = file.stream.read(_WIDE_BYTES)
            if record.startswith(b"PK\x06\x06"):
                claims.append(int.from_bytes(record[40:48], "little"))
    return claims


def _check_entry(file: OpenFile, info: zipfile.ZipInfo) -> None:
    name = info.filename
    parts = name.split("/")
    if name.startswith("/") or "\\" in name or ":" in name or ".." in parts:
        raise unsafe(file.name, f"the entry {shown(name)} leads out of the archive")
    if info.flag_bits & _ENCRYPTED:
        raise unusable(file.name, f"the entry {shown(name)} is encrypted")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise unsafe(file.name, f"the entry {shown(name)} is a link or a device, not data")
    if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
        raise unusable(
            file.name,
            f"the entry {shown(name)} is compressed, which torch.save never does",
        )


def _content_start(file: OpenFile, info: zipfile.ZipInfo) -> int:
    file.stream.seek(info.header_offset)
    header = file.stream.read(_LOCAL_HEADER_BYTES)
    if len(header) != _LOCAL_HEADER_BYTES or not header.startswith(b"PK\x03\x04"):
        raise damaged(file.name, f"the entry {shown(info.filename)} has no header")
    n_name = int.from_bytes(header[26:28], "little")
    n_extra = int.from_bytes(header[28:30], "little")
    name = file.stream.read(n_name)
    if name != info.orig_filename.encode("utf-8", "surrogateescape"):
        raise damaged(file.name, f"the entry {shown(info.filename)} has two names")
    return info.header_offset + _LOCAL_HEADER_BYTES + n_name + n_extra


def _content(file: OpenFile, storage: Storage, most: int) -> bytes:
    if storage.n_bytes > most:
        raise damaged(file.name, f"its table of contents claims {storage.n_bytes} bytes")
    file.stream.seek(storage.start)
    content = file.stream.read(storage.n_bytes)
    if len(content) != storage.n_bytes:
        raise damaged(file.name, "its table of contents is cut")
    return content
