"""Tables in text files, whatever program wrote them: encoding, delimiter, decimal comma."""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from singcoach.errors import InputError
from singcoach.files import reading

LARGEST_BYTES = 64_000_000
"""A million ratings take half of this."""

_DELIMITERS = (",", ";", "\t", "|")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NOTHING = frozenset(("", "-", "?", "na", "n/a", "nan", "null", "none"))
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)(e[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)
_LARGEST_NUMBER = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a table: its number in the file and its fields by column (lower case)."""

    line: int
    fields: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table as it was read; ``notes`` say what the reader had to guess."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


def read_text(path: Path, *, kind: str, hint: str) -> tuple[str, str]:
    """Return a file's text and a note on its encoding (empty when it was plain).

    UTF-8 and UTF-16 (with or without mark) are known by themselves; anything else is taken for
    Windows-1252, and the note says so.

    Raises
    ------
    InputError
        Missing, a folder, no permission, unreadable, larger than 64 MB, or not text.
    """
    with reading(path, kind=kind, hint=hint) as file:
        content = file.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        raise InputError(f"{path.name} is larger than 64 MB", hint=hint)
    encoding, start = _encoding(content)
    try:
        text = content[start:].decode(encoding)
    except UnicodeDecodeError:
        if encoding != "utf-8":
            raise InputError(f"{path.name} is not {encoding} text", hint=hint) from None
        text = content.decode("cp1252", errors="replace")
        note = f"{path.name} is not UTF-8; it was read as Windows-1252"
    else:
        note = ""
    if "\0" in text:
        raise InputError(f"{path.name} is not a text file", hint=hint)
    return text, note


def _encoding(content: bytes) -> tuple[str, int]:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return encoding, len(mark)
    if content[1:2] == b"\0" and content[:1] != b"\0":
        return "utf-16-le", 0
    if content[:1] == b"\0" and content[1:2] != b"\0":
        return "utf-16-be", 0
    return "utf-8", 0


def read_table(path: Path, *, needed: Sequence[str], kind: str, hint: str) -> Table:
    """Read a table with a header; the delimiter is the one that gives the needed columns.

    Column names are compared without case and outer spaces. Empty lines are passed over.

    Raises
    ------
    InputError
        One sentence that names the file, and the line where there is one.
    """
    text, note = read_text(path, kind=kind, hint=hint)
    if not text.strip():
        raise InputError(f"{path.name} is empty", hint=hint)
    delimiter, columns = _header(path.name, text, needed, hint)
    rows = []
    for line, fields in _lines(path.name, text, delimiter):
        if not any(field.strip() for field in fields):
            continue
        if len(fields) > len(columns) and any(field.strip() for field in fields[len(columns) :]):
            raise InputError(
                f"{path.name}, line {line}: {len(fields)} fields under {len(columns)} columns",
                hint="Put fields that hold the delimiter, such as decimal commas, in quotes",
            )
        rows.append(Row(line=line, fields=dict(zip(columns, fields, strict=False))))
    return Table(
        name=path.name,
        columns=columns,
        rows=tuple(rows[1:]),
        notes=(note,) if note else (),
    )


def _header(name: str, text: str, needed: Sequence[str], hint: str) -> tuple[str, tuple[str, ...]]:
    nearest: tuple[int, str, tuple[str, ...]] = (-1, "", ())
    for delimiter in _DELIMITERS:
        for _, fields in _lines(name, text, delimiter):
            if any(field.strip() for field in fields):
                columns = tuple(field.strip().lower() for field in fields)
                break
        found = len(set(needed) & set(columns))
        if found > nearest[0] or (found == nearest[0] and len(columns) > len(nearest[2])):
            nearest = found, delimiter, columns
    _, delimiter, columns = nearest
    missing = [column for column in needed if column not in columns]
    if missing:
        shown = ", ".join(column[:30] or "(empty)" for column in columns[:12])
        raise InputError(
            f"{name} has no column {' and no column '.join(missing)}",
            hint=f"{hint}; its columns are: {shown}",
        )
    twice = sorted({column for column in columns if column and columns.count(column) > 1})
    if twice:
        raise InputError(f"{name} has the column {twice[0][:30]} twice", hint="Rename one of them")
    return delimiter, columns


def _lines(name: str, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError(
                f"{name}, line {reader.line_num}: the quotes or fields are not as in a CSV file",
                hint="Export the table again as CSV",
                detail=str(error),
            ) from None
        yield reader.line_num, fields


def read_number(row: Row, column: str, name: str) -> float | None:
    """Return the number in a field, None where nothing stands (empty, NaN, NA, -).

    A single comma counts as a decimal point.

    Raises
    ------
    InputError
        The field holds something else, or a number beyond a billion.
    """
    text = row.fields.get(column, "").strip()
    if text.lower() in _NOTHING:
        return None
    value = float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else None
    if value is None or abs(value) > _LARGEST_NUMBER:
        raise InputError(
            f"{name}, line {row.line}: the {column} {text[:30]!r} is not a usable number",
            hint="Write numbers such as 3, 3.5 or 3,5, and leave missing ones empty",
        )
    return value


def read_name(row: Row, column: str) -> str:
    """Return a field as a name: composed Unicode, no outer spaces."""
    return unicodedata.normalize("NFC", row.fields.get(column, "")).strip()
