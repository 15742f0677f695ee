"""The speed of a pack's network beside the public implementation, with made-up weights."""

from __future__ import annotations

import json
import math
import platform
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from singcoach.benchmark.material import repeat_to, shipped_song
from singcoach.benchmark.pack_report import (
    REFERENCE_SDR_DB,
    PackReport,
    PackRow,
    loss_at,
)
from singcoach.benchmark.pack_variants import (
    CONFIG_FILE,
    CPU_VARIANTS,
    CUDA_VARIANTS,
    Variant,
)
from singcoach.benchmark.pack_worker import (
    COMMON_OVERLAP,
    MAKE,
    SCHEDULES,
    SONG_FILE,
    distance_db,
    voices_file,
)
from singcoach.benchmark.processes import Outcome, run_child
from singcoach.errors import SingCoachError
from singcoach.jobs import NO_JOB, Job
from singcoach.models.roformer.config import KIM, RoformerConfig, config_to_json, expected_shapes
from singcoach.models.sessions import available_cores
from singcoach.separation.roformer import DEFAULT_OVERLAP

PACKS: Mapping[str, RoformerConfig] = {"mel-band-roformer": KIM}
"""Networks that can be measured, by the name of their family."""

DEFAULT_SECONDS = 12.0
"""Two chunks of the common schedule."""

_EXACT = {"cpu": "torch", "cuda": "cuda-reference-fp32"}
_REFERENCE = {"cpu": "reference", "cuda": "cuda-reference"}
_MAKE_SHARE = 0.15


@dataclass(slots=True)
class _Row:
    variant: Variant
    rounds_s: list[list[float]] = field(default_factory=list)
    processor_s: list[float] = field(default_factory=list)
    peaks_mb: list[float] = field(default_factory=list)
    note: str = ""

    def round_s(self, number: int) -> float:
        return statistics.fmean(self.rounds_s[number])


def run_pack_speed(
    pack: str = "mel-band-roformer",
    *,
    audio: Path | None = None,
    seconds: float = DEFAULT_SECONDS,
    repeats: int = 1,
    threads: int | None = None,
    config: RoformerConfig | None = None,
    job: Job = NO_JOB,
) -> PackReport:
    """Time the network of a pack in every form beside the public implementation.

    Parameters
    ----------
    pack
        One of :data:`PACKS`; its public weights cannot ship, so all get the same made-up ones.
    audio
        The song; by default the excerpt that ships, repeated.
    seconds
        How much of it: a chunk for every half chunk length beyond the first. Times for a minute
        are carried over from these chunks, whose cost does not depend on what is in them.
    repeats
        Rounds in which every form gets its turn.
    threads
        Threads of each; None takes every core.
    config
        Another shape than the pack's own, for tests.

    Raises
    ------
    ValueError
        For an unknown pack or a length below one chunk.
    SingCoachError
        When the audio cannot be read, there is no room, or the weights cannot be made.
    Cancelled
        When ``job`` was cancelled; no process and no file is left behind.

    Notes
    -----
    Needs 2.1 GB in the folder for temporary files and up to 4 GB of memory. On two cores about
    six minutes.
    """
    if pack not in PACKS:
        raise ValueError(f"no pack {pack!r}; {', '.join(PACKS)} would work")
    config = config or PACKS[pack]
    chunk_s = config.chunk_size / config.sample_rate
    if not math.isfinite(seconds) or seconds < chunk_s or repeats < 1:
        raise ValueError(f"{seconds} s, {repeats} rounds; from {chunk_s:.3g} s and 1 would work")
    n_threads = threads or available_cores()
    source = audio if audio is not None else shipped_song()
    with tempfile.TemporaryDirectory(prefix="singcoach-pack-") as name:
        folder = Path(name)
        (folder / CONFIG_FILE).write_text(config_to_json(config), encoding="utf-8")
        repeat_to(source, folder / SONG_FILE, duration_s=seconds, job=job.part(0.0, 0.01))
        made = _run(MAKE, folder, n_threads, job.part(0.01, _MAKE_SHARE))
        devices = ["cpu", *(["cuda"] if has_cuda() else [])]
        rows = {
            variant.name: _Row(variant)
            for variant in (*CPU_VARIANTS, *CUDA_VARIANTS)
            if variant.device in devices
        }
        steps = len(rows) * repeats + 1
        span = (1.0 - _MAKE_SHARE) / steps
        for number in range(repeats):
            for index, row in enumerate(rows.values()):
                start = _MAKE_SHARE + (number * len(rows) + index) * span
                if not row.note:
                    _measure(row, folder, n_threads, job.part(start, start + span))
        schedules = _run(SCHEDULES, folder, n_threads, job.part(1.0 - span, 1.0))
        distances = {name: _distance(row, rows, folder) for name, row in rows.items()}
    n_chunks = max((len(times) for row in rows.values() for times in row.rounds_s), default=0)
    return PackReport(
        pack=pack,
        audio=f"{source.name}, {seconds:g} s",
        chunks=n_chunks,
        rounds=repeats,
        threads=n_threads,
        machine=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        parameters=sum(
            math.prod(shape)
            for name, shape in expected_shapes(config).items()
            if not name.endswith("rotary_embed.freqs")
        ),
        rows=tuple(_packed(row, rows, distances[name], chunk_s) for name, row in rows.items()),
        schedules_differ_db=schedules["difference_db"],
        file_mb=made["file_mb"],
    )


def shortest_s(pack: str) -> float:
    """Return how many seconds of audio a measurement needs at least: one chunk."""
    return PACKS[pack].chunk_size / PACKS[pack].sample_rate


def has_cuda() -> bool:
    """Whether PyTorch is here and sees a card of NVIDIA."""
    try:
        import torch
    except ImportError:
        return False
    return bool(torch.cuda.is_available())


def _measure(row: _Row, folder: Path, threads: int, job: Job) -> None:
    outcome = _child(row.variant.name, folder, threads, job)
    if outcome.code != 0:
        row.note = f"failed: {_reason(outcome)}"
        return
    result = json.loads(outcome.stdout.splitlines()[-1])
    if "missing" in result:
        row.note = f"not installed: {result['missing']}"
        return
    row.rounds_s.append(result["seconds"])
    row.processor_s.append(result["processor_s"])
    row.peaks_mb.append(result["peak_memory_mb"])


def _run(work: str, folder: Path, threads: int, job: Job) -> dict[str, Any]:
    outcome = _child(work, folder, threads, job)
    if outcome.code != 0:
        raise SingCoachError(
            f"The benchmark's own part ({work}) failed",
            hint="Free memory and disk (2.1 GB), then try again",
            detail=_reason(outcome),
        )
    result: dict[str, Any] = json.loads(outcome.stdout.splitlines()[-1])
    return result


def _child(work: str, folder: Path, threads: int, job: Job) -> Outcome:
    return run_child(
        [
            sys.executable, "-m", "singcoach.benchmark.pack_worker",
            work, str(folder), "--threads", str(threads),
        ],
        environment={"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)},
        job=job,
        stage=f"measuring {work}",
    )  # fmt: skip


def _reason(outcome: Outcome) -> str:
    last = outcome.stderr.strip().splitlines()[-1:]
    return last[0] if last else f"exit code {outcome.code}"


def _distance(row: _Row, rows: Mapping[str, _Row], folder: Path) -> float | None:
    """Return how far below the voice of the exact network the difference lies, in dB."""
    exact = _EXACT[row.variant.device]
    paths = voices_file(folder, exact), voices_file(folder, row.variant.name)
    if row.variant.name == exact or exact not in rows or not all(p.is_file() for p in paths):
        return None
    wanted, found = (np.load(path, allow_pickle=False) for path in paths)
    return distance_db(wanted, found[: len(wanted)])


def _packed(
    row: _Row, rows: Mapping[str, _Row], below_db: float | None, chunk_len_s: float
) -> PackRow:
    variant = row.variant
    if not row.rounds_s:
        return PackRow(name=variant.name, title=variant.title, note=row.note)
    times = tuple(seconds for round_s in row.rounds_s for seconds in round_s)
    chunk_s = statistics.median(times)
    common = 60.0 / (chunk_len_s / COMMON_OVERLAP)
    own = 60.0 / (chunk_len_s * (1.0 - DEFAULT_OVERLAP))
    faster = _faster(row, rows[_REFERENCE[variant.device]])
    return PackRow(
        name=variant.name,
        title=variant.title,
        chunk_s=chunk_s,
        all_chunk_s=times,
        chunk_processor_s=statistics.median(row.processor_s),
        common_s_per_minute=chunk_s * common,
        own_s_per_minute=None if variant.kind == "reference" else chunk_s * own,
        times_faster=faster,
        times_faster_own=(
            None if faster is None or variant.kind == "reference" else faster * common / own
        ),
        peak_memory_mb=max(row.peaks_mb),
        below_exact_db=below_db,
        loss_db=None if below_db is None else loss_at(REFERENCE_SDR_DB, below_db),
        note=row.note,
    )


def _faster(row: _Row, reference: _Row) -> float | None:
    n_rounds = min(len(row.rounds_s), len(reference.rounds_s))
    ratios: Sequence[float] = [
        reference.round_s(number) / row.round_s(number) for number in range(n_rounds)
    ]
    return statistics.median(ratios) if ratios else None
