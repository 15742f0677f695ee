"""The coach's running text taken apart: sentences, times that point to moments, exercise steps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from singcoach.core.scores import Feedback
from singcoach.core.wording import split_sentences
from singcoach.report.figures import Moment

_CLOCK = re.compile(r"(?<![\d:])(?:(\d+):)?(\d{1,2}):([0-5]\d)(?![\d:])")
_STEP = re.compile(r"^\s*\d+[.)]\s+(.*)$")
CARE_PREFIX = "Take care:"


def critique_sentences(feedback: Feedback) -> list[str]:
    """Return the critique one by one: as it was written, else cut where English ends sentences."""
    written = [s.text for s in feedback.sentences if s.part == "critique"]
    return written or split_sentences(feedback.critique)


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
    """Read an exercise text: title, ``1.`` lines as steps, how it shows, cautions.

    Of two and more lines after the steps the last is the caution, in any language; a line that
    starts with ``Take care:`` is one wherever it stands. A text without lines is one paragraph
    without a title.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    title = lines.pop(0) if len(lines) > 1 else ""
    numbered = [place for place, line in enumerate(lines) if _STEP.match(line)]
    cautions = {place for place, line in enumerate(lines) if line.startswith(CARE_PREFIX)}
    if numbered and numbered[-1] < len(lines) - 2:
        cautions.add(len(lines) - 1)
    told = cautions.union(numbered)
    return ExerciseText(
        title=title,
        paragraphs=tuple(line for place, line in enumerate(lines) if place not in told),
        steps=tuple(_STEP.sub(r"\1", lines[place]) for place in numbered),
        cautions=tuple(lines[place] for place in sorted(cautions)),
    )
