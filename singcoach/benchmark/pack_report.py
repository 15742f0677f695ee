"""What a speed run of a model pack found: rows beside the reference, losses, both schedules."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from singcoach.benchmark.report import text_table

SCHEMA = "singcoach.bench.pack/1"
REFERENCE_SDR_DB = 10.98
"""Published quality of the vocal checkpoint (multisong set), which losses are told at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackRow:
    """One variant.

    Attributes
    ----------
    name, title
        For programs and for people.
    chunk_s, all_chunk_s
        Median seconds for one chunk, transforms included, and every one; None when it did not run.
    chunk_processor_s
        Seconds of work of all cores for one chunk. Other programs on the machine lengthen
        ``chunk_s``, this hardly.
    common_s_per_minute, own_s_per_minute
        Seconds for a minute of audio when every moment is looked at twice, and as SingCoach cuts
        by default: ``chunk_s`` times chunks per minute.
    times_faster, times_faster_own
        Beside the reference under the common schedule; the variant under the common and under its
        own. Median of the ratios of the rounds.
    peak_memory_mb
        Largest resident size of the process; on a graphics card, of the card's memory.
    below_exact_db
        How far the difference to the same weights in float32 lies below the voice.
    loss_db
        What that difference takes from a voice of :data:`REFERENCE_SDR_DB`, when it is independent
        of the faults that are there.
    note
        Why it did not run; empty when it did.
    """

    name: str
    title: str
    chunk_s: float | None = None
    all_chunk_s: tuple[float, ...] = ()
    chunk_processor_s: float | None = None
    common_s_per_minute: float | None = None
    own_s_per_minute: float | None = None
    times_faster: float | None = None
    times_faster_own: float | None = None
    peak_memory_mb: float | None = None
    below_exact_db: float | None = None
    loss_db: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackReport:
    """Everything that one run found.

    ``schedules_differ_db`` says how far the difference between the voices of both schedules lies
    below the voice, ``file_mb`` how long the files are.
    """

    pack: str
    audio: str
    chunks: int
    rounds: int
    threads: int
    machine: str
    parameters: int
    rows: tuple[PackRow, ...]
    schedules_differ_db: float | None
    file_mb: dict[str, float]

    def to_document(self) -> dict[str, Any]:
        """Return the report as plain values for JSON."""
        return {"schema": SCHEMA, **asdict(self)}

    def table(self) -> tuple[str, ...]:
        """Return the report as text for a terminal, line by line."""
        header = (
            "network",
            "s per chunk",
            "core s",
            "s per minute",
            "faster",
            "own cutting: s per minute",
            "faster",
            "peak MB",
            "below float32 dB",
            f"loss at {REFERENCE_SDR_DB:g} dB",
            "",
        )
        rows = [
            (
                row.title,
                _number(row.chunk_s, 2),
                _number(row.chunk_processor_s, 1),
                _number(row.common_s_per_minute, 0),
                _number(row.times_faster, 2, " x"),
                _number(row.own_s_per_minute, 0),
                _number(row.times_faster_own, 2, " x"),
                _number(row.peak_memory_mb, 0),
                _number(row.below_exact_db, 1),
                _number(row.loss_db, 3),
                row.note,
            )
            for row in self.rows
        ]
        lines = [
            f"{self.pack}, {self.parameters / 1e6:.1f} million made-up parameters, {self.audio}: "
            f"{self.chunks} chunks timed, {self.rounds} rounds, {self.threads} threads, "
            f"{self.machine}",
            "",
            "Every variant in a process of its own, in turns. Seconds per minute are seconds per "
            "chunk times chunks per minute.",
            *text_table(header, rows).split("\n"),
            "",
            "files: " + ", ".join(f"{name} {size:.0f} MB" for name, size in self.file_mb.items()),
        ]
        if self.schedules_differ_db is not None:
            lines.append(
                "difference between the voices of both ways of cutting: "
                f"{self.schedules_differ_db:.1f} dB below the voice"
            )
        return tuple(lines)


def loss_at(sdr_db: float, below_db: float) -> float:
    """Return by how much independent noise ``below_db`` under the output lowers an SDR, in dB."""
    faults = 10 ** (-sdr_db / 10)
    return 10 * math.log10(1 + 10 ** (-below_db / 10) / faults)


def _number(value: float | None, digits: int, unit: str = "") -> str:
    return "-" if value is None else f"{value:.{digits}f}{unit}"
