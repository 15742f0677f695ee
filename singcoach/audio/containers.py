"""What the decoders do not tell about a container: ogg chains and ends, mp4 protection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_PAGE_HEADER = 27
_BEGINS, _ENDS = 2, 4
_MOST_LINKS = 1_000

_PROTECTED_ENTRIES = (b"enca", b"drms", b"aavd", b"p608")
_BRANCHES = (b"moov", b"trak", b"mdia", b"minf", b"stbl")
_MOST_BOXES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class OggChain:
    """The streams that follow one another in an ogg file, and whether the last one ends properly.

    ``links`` holds ``(start, end)`` byte positions.
    """

    links: tuple[tuple[int, int], ...]
    ends_properly: bool


def read_ogg_chain(path: Path) -> OggChain:
    """Walk the page headers of an ogg file (RFC 3533).

    A new link starts where pages that begin a stream follow pages that do not. Damage ends the
    walk: what follows belongs to the last link.
    """
    size = path.stat().st_size
    starts: list[int] = []
    in_heads = False
    ends = False
    position = 0
    with path.open("rb", buffering=1 << 18) as file:
        while position < size and len(starts) < _MOST_LINKS:
            file.seek(position)
            header = file.read(_PAGE_HEADER + 255)
            if len(header) < _PAGE_HEADER or header[:4] != b"OggS":
                ends = False
                break
            n_segments = header[26]
            flags = header[5]
            body = sum(header[_PAGE_HEADER : _PAGE_HEADER + n_segments])
            if flags & _BEGINS and not in_heads:
                starts.append(position)
            in_heads = bool(flags & _BEGINS)
            position += _PAGE_HEADER + n_segments + body
            ends = bool(flags & _ENDS) and position <= size
    starts = starts or [0]
    return OggChain(links=tuple(zip(starts, [*starts[1:], size], strict=True)), ends_properly=ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mp4Index:
    """What the index of an mp4 file says: is it there, is it whole, is a track encrypted."""

    present: bool
    whole: bool
    protected: bool


def read_mp4_index(path: Path) -> Mp4Index:
    """Walk the boxes of an mp4, m4a, m4p or mov file down to the sample descriptions.

    Source: ISO/IEC 14496-12, boxes ``moov`` to ``stsd``; encrypted sound has the entry ``enca``
    (common encryption) or ``drms`` (older shops).
    """
    size = path.stat().st_size
    present, whole, is_protected = False, True, False
    with path.open("rb") as file:
        for kind, start, end in _boxes(file, 0, size, [_MOST_BOXES]):
            if kind == b"moov":
                present = True
            whole = whole and end <= size
            if kind == b"stsd" and end - start >= 16:
                file.seek(start + 8)
                entry = file.read(8)
                is_protected = is_protected or entry[4:8] in _PROTECTED_ENTRIES
    return Mp4Index(present=present, whole=whole, protected=is_protected)


def _boxes(
    file: BinaryIO, start: int, end: int, budget: list[int]
) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start of the content and end of every box between two positions."""
    while start + 8 <= end and budget[0] > 0:
        budget[0] -= 1
        file.seek(start)
        header = file.read(16)
        if len(header) < 8:
            return
        length = int.from_bytes(header[:4], "big")
        kind = header[4:8]
        content = start + 8
        if length == 1 and len(header) == 16:
            length = int.from_bytes(header[8:16], "big")
            content = start + 16
        elif length == 0:
            length = end - start
        if length < content - start:
            return
        yield kind, content, start + length
        if kind in _BRANCHES:
            yield from _boxes(file, content, min(end, start + length), budget)
        start += length
