"""The text of a song file, whatever encoding its author's editor chose."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from singcoach.errors import InputError
from singcoach.files import reading

LARGEST_BYTES = 4_000_000
"""The longest songs in use are a hundredth of this."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NAMED = {
    "cp1250": "cp1250",
    "cp1251": "cp1251",
    "cp1252": "cp1252",
    "utf8": "utf-8",
    "utf-8": "utf-8",
}
_ENCODING_TAG = re.compile(rb"#ENCODING\s*:\s*([\w-]{1,12})", re.IGNORECASE)


def read_text(path: Path) -> str:
    """Return the text of a song file.

    Raises
    ------
    InputError
        Missing, a folder, no permission, unreadable, or too large for a song file.
    """
    with reading(path, kind="a song file", hint="Give a .txt file.") as file:
        content = file.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        raise InputError(
            f"{path.name} is too large for a song file", hint="Give an UltraStar .txt file."
        )
    return decode(content)


def decode(content: bytes) -> str:
    """Decode UTF-8, UTF-16 (with or without mark), a named code page or CP1252; never fails."""
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, errors="replace")
    if content[:1] == b"#" and content[1:2] == b"\0":
        return content.decode("utf-16-le", errors="replace")
    if content[:2] == b"\0#":
        return content.decode("utf-16-be", errors="replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        pass
    named = _ENCODING_TAG.search(content[:4096])
    label = named.group(1).decode("ascii", errors="replace").lower() if named else ""
    encoding = _NAMED.get(label, "cp1252")
    return content.decode("cp1252" if encoding == "utf-8" else encoding, errors="replace")
