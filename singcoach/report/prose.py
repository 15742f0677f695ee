"""The coach's running text taken apart: sentences, times that point to moments, exercise steps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from singcoach.report.figures import Moment

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9\"'(])")
_CLOCK = re.compile(r"(?<![\d:])(?:(\d+):)?(\d{1,2}):([0-5]\d)(?![\d:])")
_STEP = re.compile(r"^\s*\d+[.)]\s+(.*)$")
CARE_PREFIX = "Take care:"


def sentences(text: str) -> list[str]:
    """Split running text into sentences; a decimal point or a clock time splits nothing."""
    return [part for part in _SENTENCE_END.split(" ".join(text.split())) if part]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text and the moment it speaks of, if any."""

    text: str
    moment: Moment | None


def linked_pieces(text: str, marks: Sequence[Moment]) -> list[Piece]:
    """Cut ``text`` at its ``m:ss`` times; each is tied to the moment that holds that second."""
    pieces: list[Piece] = []
    position = 0
    for match in _CLOCK.finditer(text):
        moment = _moment_at(match, marks)
        if moment is None:
            continue
        pieces.append(Piece(text[position : match.start()], None))
        pieces.append(Piece(match.group(), moment))
        position = match.end()
    pieces.append(Piece(text[position:], None))
    return [piece for piece in pieces if piece.text]


def _moment_at(match: re.Match[str], marks: Sequence[Moment]) -> Moment | None:
    hours, minutes, seconds = match.groups()
    second = int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)
    starting = [m for m in marks if int(m.evidence.start_s) == second]
    within = [m for m in marks if m.evidence.start_s - 1 <= second <= m.evidence.end_s]
    return next(iter(starting or within), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExerciseText:
    """An exercise as its parts: a title, paragraphs, numbered steps, cautions."""

    title: str
    paragraphs: tuple[str, ...]
    steps: tuple[str, ...]
    cautions: tuple[str, ...]


def exercise_parts(text: str) -> ExerciseText:
    """Read an exercise text: first line title, ``1.`` lines steps, ``Take care:`` lines cautions.

    A text without lines is one paragraph without a title.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    title = lines.pop(0) if len(lines) > 1 else ""
    steps = [match.group(1) for match in map(_STEP.match, lines) if match]
    cautions = [line for line in lines if line.startswith(CARE_PREFIX)]
    rest = [line for line in lines if not _STEP.match(line) and not line.startswith(CARE_PREFIX)]
    return ExerciseText(
        title=title, paragraphs=tuple(rest), steps=tuple(steps), cautions=tuple(cautions)
    )
