"""Running a child process to its end: timed, with its memory, stoppable."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from singcoach.chain.clock import peak_of
from singcoach.jobs import Job

POLL_S = 0.02
REPORT_S = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a child process ended.

    ``seconds`` is the wall time from its start to its end. ``peak_memory_mb`` is the largest
    resident size that the system recorded for it, 0 where the system does not tell.
    """

    code: int
    stdout: str
    stderr: str
    seconds: float
    peak_memory_mb: float


def run_child(
    command: Sequence[str], *, environment: Mapping[str, str], job: Job, stage: str
) -> Outcome:
    """Run ``command`` and wait for its end; a cancelled ``job`` ends it at once.

    Raises
    ------
    Cancelled
        When ``job`` was cancelled; the child is gone by then.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started_s = time.perf_counter()
        reported_s = started_s
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env={**os.environ, **environment},
        )
        peak_mb = 0.0
        try:
            while child.poll() is None:
                peak_mb = max(peak_mb, peak_of(child.pid))
                now_s = time.perf_counter()
                if now_s - reported_s >= REPORT_S:
                    reported_s = now_s
                    job.report(0.0, stage)
                time.sleep(POLL_S)
        finally:
            if child.poll() is None:
                child.kill()
            child.wait()
        seconds = time.perf_counter() - started_s
        out.seek(0)
        err.seek(0)
        return Outcome(
            code=child.returncode,
            stdout=out.read().decode(errors="replace"),
            stderr=err.read().decode(errors="replace"),
            seconds=seconds,
            peak_memory_mb=peak_mb,
        )
