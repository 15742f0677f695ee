"""What a speed run found, as values, as a table and as a JSON document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

SCHEMA = "singcoach.speed/1"

Owner = Literal["singcoach", "peer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """One thing that was timed, in processes of its own.

    Attributes
    ----------
    name, work, owner
        What ran, which work it did (rows with the same work are compared) and whose it is.
    seconds
        Median over the rounds, None when it did not run.
    all_seconds
        Every round, in order.
    realtime_factor
        ``seconds`` per second of audio; below 1 is faster than playing it.
    peak_memory_mb
        Largest resident size of the process, Python and the decoded audio included.
    note
        Why it did not run, or what the reader must know; empty when nothing.
    """

    name: str
    work: str
    owner: Owner
    audio_s: float
    seconds: float | None
    all_seconds: tuple[float, ...]
    realtime_factor: float | None
    peak_memory_mb: float | None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """How many times faster than the peer: median of the ratios of the rounds."""

    work: str
    peer: str
    times_faster: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One budget of the product; ``value`` is None when it was not measured."""

    name: str
    value: float | None
    limit: float
    unit: str
    better: Literal["lower", "higher"]

    @property
    def met(self) -> bool | None:
        """Whether the budget is held, None when it was not measured."""
        if self.value is None:
            return None
        return self.value <= self.limit if self.better == "lower" else self.value >= self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedReport:
    """Everything that one run found; times are wall seconds."""

    audio: str
    audio_s: float
    threads: int
    rounds: int
    machine: str
    stages: tuple[Timing, ...]
    chain: tuple[Timing, ...]
    chain_stages_s: dict[str, float]
    ratios: tuple[Ratio, ...]
    goals: tuple[Goal, ...]

    def to_document(self) -> dict[str, Any]:
        """Return the report as plain values for JSON."""
        document = asdict(self)
        for goal, plain in zip(self.goals, document["goals"], strict=True):
            plain["met"] = goal.met
        return {"schema": SCHEMA, **document}

    def table(self) -> tuple[str, ...]:
        """Return the report as tables for a terminal, line by line."""
        parts = [
            f"{self.audio}: {self.audio_s:.0f} s of audio, {_count(self.threads, 'thread')}, "
            f"{_count(self.rounds, 'round')}, {self.machine}",
            _timings("Stages (models loaded, each in its own process)", self.stages),
        ]
        if self.ratios:
            ratios = [(r.work, r.peer, f"{r.times_faster:.2f} x") for r in self.ratios]
            parts.append(text_table(("work", "beside", "SingCoach is faster"), ratios))
        if self.chain:
            parts.append(
                _timings("Whole chain (cold: start of Python and models included)", self.chain)
            )
        if self.chain_stages_s:
            within = [(name, f"{seconds:.2f}") for name, seconds in self.chain_stages_s.items()]
            parts.append(text_table(("stage within the chain", "seconds"), within))
        goals = [
            (goal.name, _number(goal.value), _limit(goal), _verdict(goal)) for goal in self.goals
        ]
        parts.append(text_table(("budget", "measured", "limit", ""), goals))
        return tuple("\n\n".join(parts).split("\n"))


def _timings(title: str, timings: Sequence[Timing]) -> str:
    rows = [
        (
            timing.work,
            timing.name,
            f"{timing.audio_s:.0f}",
            _number(timing.seconds),
            "-" if timing.realtime_factor is None else f"{timing.realtime_factor:.4f}",
            "-" if timing.peak_memory_mb is None else f"{timing.peak_memory_mb:.0f}",
            timing.note,
        )
        for timing in timings
    ]
    header = ("work", "by", "audio s", "seconds", "realtime", "peak MB", "")
    return f"{title}\n{text_table(header, rows)}"


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows of cells below a header as columns of plain text."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _limit(goal: Goal) -> str:
    sign = "<=" if goal.better == "lower" else ">="
    return f"{sign} {goal.limit:g} {goal.unit}".rstrip()


def _verdict(goal: Goal) -> str:
    return {True: "held", False: "MISSED", None: "not measured"}[goal.met]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
