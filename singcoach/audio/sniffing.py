"""A first look at a file: refuse what is not a recording before a decoder sees it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from singcoach.audio.chunks import MOST_CHANNELS
from singcoach.errors import InputError
from singcoach.files import reading

HEAD_BYTES = 65_536
Reader = Literal["sndfile", "av"]

_FORMATS = (
    "SingCoach reads wav, flac, ogg, opus, mp3, m4a/aac, wma, aiff and the sound of mp4, mkv and "
    "webm files."
)
_DAMAGED_HINT = "Copy or export the recording again; this copy is cut off or damaged."

# Formats that libsndfile reads without loss and without guessing.
_SNDFILE_MAGIC = (b".snd", b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb")

# What people pick by mistake. (magic, what it is)
_OTHER_FILES: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a zip archive or office document"),
    (b"Rar!", "a rar archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"MThd", "a MIDI file, which holds notes but no sound"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"SQLite format 3", "a database"),
)

# Top-level objects of an ASF (wma) header that announce protection, as GUIDs in file order.
_ASF_PROTECTION = (
    bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e"),
    bytes.fromhex("14e68a292226174cb935dae07ee9289c"),
)
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")


def read_head(path: Path) -> tuple[bytes, int]:
    """Return the first bytes of a regular file and its length in bytes.

    Raises
    ------
    InputError
        Missing, a folder, no permission, not a regular file, unreadable or empty.
    """
    with reading(path, kind="a recording", hint="Give a sound file.") as file:
        head = file.read(HEAD_BYTES)
        size = os.fstat(file.fileno()).st_size
    if not head:
        raise InputError(f"{path.name} is empty", hint=_DAMAGED_HINT)
    return head, size


def choose_reader(head: bytes, name: str) -> Reader:
    """Decide which decoder fits a file, or refuse what cannot be a recording.

    Parameters
    ----------
    head
        The first ``HEAD_BYTES`` bytes.
    name
        File name, for the sentence to the user.
    """
    # Strict, because libsndfile goes by the name where the content is unclear.
    if head[:4] in (b"RIFF", b"RIFX", b"RF64") and head[8:12] == b"WAVE":
        return "sndfile"
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return "sndfile"
    if head[:4] == b"caff" and head[8:12] == b"desc":
        return "sndfile"
    if head.startswith(_SNDFILE_MAGIC):
        return "sndfile"
    if head.startswith((b"OggS", b"fLaC")):
        return "av"
    if head.startswith(_ASF_HEADER) and any(guid in head for guid in _ASF_PROTECTION):
        raise protected(name)
    for magic, what in _OTHER_FILES:
        if head.startswith(magic):
            raise InputError(f"{name} is {what}, not a recording", hint=_FORMATS)
    if _is_text(head):
        what = "a web page" if b"<html" in head[:2048].lower() else "a text file"
        raise InputError(f"{name} is {what}, not a recording", hint=_FORMATS)
    return "av"


def protected(name: str) -> InputError:
    """Return the refusal of a copy-protected file."""
    return InputError(
        f"{name} is copy-protected and cannot be opened",
        hint="Use a recording without copy protection (DRM).",
    )


def damaged(name: str, detail: str = "") -> InputError:
    """Return the refusal of a file that no decoder understands."""
    return InputError(
        f"{name} is damaged, cut off or not a sound file",
        hint=f"Copy or export it again. {_FORMATS}",
        detail=detail,
    )


def too_many_channels(name: str, channels: int) -> InputError:
    """Return the refusal of a file with more channels than can be mixed."""
    return InputError(
        f"{name} has {channels} channels, more than {MOST_CHANNELS}",
        hint="Export the recording in mono or stereo.",
    )


def no_sound(name: str) -> InputError:
    """Return the refusal of a file that opens but holds no samples."""
    return InputError(f"{name} holds no sound (its length is zero)", hint=_DAMAGED_HINT)


def missing_bytes(head: bytes, size: int) -> float:
    """Return the share (0..1) of the sound data that a wav or aiff promises but does not hold.

    ``head`` is the start of the file, ``size`` its length in bytes. Streaming recorders leave 0 or
    the largest number where the length belongs; that is no promise.
    """
    if head[:4] in (b"RIFF", b"RIFX"):
        order: Literal["little", "big"] = "little" if head[:4] == b"RIFF" else "big"
        wanted = b"data"
    elif head[:4] == b"FORM":
        order, wanted = "big", b"SSND"
    else:
        return 0.0
    position = 12
    while position + 8 <= len(head):
        length = int.from_bytes(head[position + 4 : position + 8], order)
        if head[position : position + 4] == wanted:
            if length == 0 or length >= 0x7FFFF000:
                return 0.0
            return max(0.0, (position + 8 + length - size) / length)
        position += 8 + length + (length & 1)
    return 0.0


def _is_text(head: bytes) -> bool:
    sample = head[:4096]
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")) and _is_utf16(sample):
        return True
    if any(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in sample):
        return False
    printable = sum(32 <= byte < 127 or byte in b"\t\n\r" for byte in sample)
    return printable >= 0.7 * len(sample) or _is_utf8(sample)


def _is_utf16(sample: bytes) -> bool:
    text = sample[: len(sample) // 2 * 2].decode("utf-16", errors="replace")
    return sum(sign.isprintable() or sign.isspace() for sign in text) >= 0.9 * len(text)


def _is_utf8(sample: bytes) -> bool:
    for cut in range(4):
        try:
            sample[: len(sample) - cut].decode("utf-8")
        except UnicodeDecodeError:
            continue
        return True
    return False
