"""What the commands say to a person."""

from __future__ import annotations

import sys

from singcoach.errors import SingCoachError


def say(problem: SingCoachError | str, hint: str = "") -> None:
    """Write one sentence with its hint to stderr."""
    if isinstance(problem, SingCoachError):
        message, hint = problem.message, problem.hint
    else:
        message = problem
    text = f"singcoach: {message.rstrip('.')}."
    if hint:
        text += f" {hint.rstrip('.')}."
    print(printable(text), file=sys.stderr, flush=True)  # noqa: T201


def show(text: str = "") -> None:
    """Write a line to stdout."""
    print(printable(text, stdout=True), flush=True)  # noqa: T201


def printable(text: str, *, stdout: bool = False) -> str:
    """Return ``text`` with whatever could break a terminal's line replaced by ``?``."""
    encoding = (sys.stdout if stdout else sys.stderr).encoding or "utf-8"
    clean = text.encode(encoding, "replace").decode(encoding)
    return "".join(c if c in "\n\t" or c.isprintable() else "?" for c in clean)
