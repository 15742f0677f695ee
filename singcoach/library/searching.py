"""Words that the user typed, as conditions of a query."""

from __future__ import annotations

from collections.abc import Sequence

from singcoach.library.database import fold

_MOST_WORDS = 12


def words_of(search: str, columns: Sequence[str]) -> tuple[str, list[str]]:
    """Return ``AND ...`` conditions and their values: every word is in one of the columns.

    Case, accents and the width of letters do not count. No words give no conditions.
    """
    conditions, values = "", []
    typed = "".join(c if c.isprintable() else " " for c in search)
    for word in fold(typed).split()[:_MOST_WORDS]:
        places = " OR ".join(f"instr(fold({column}), ?) > 0" for column in columns)
        conditions += f" AND ({places})"
        values += [word] * len(columns)
    return conditions, values
