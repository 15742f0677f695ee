"""A first opening of a foreign ONNX file in a process of its own.

The libraries that parse and prepare an ONNX network are native code: what makes them crash, hang
or swallow memory shall cost a child process and not the program (about a second). Our own walk
through the file (``onnx_file``) comes before; this comes before the file counts as installed. The
ONNX package's own checker is left out: it refuses operators that onnxruntime adds to the standard.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import time
from multiprocessing.connection import Connection
from pathlib import Path

from singcoach.errors import ModelError
from singcoach.jobs import NO_JOB, Job
from singcoach.models.weights.faults import shown, unusable

_DEADLINE_S = 300.0
_POLL_S = 0.1
_MEMORY_BYTES = 6 << 30
_MEMORY_TIMES_FILE = 6


def try_onnx(path: Path, name: str, job: Job = NO_JOB) -> None:
    """Open ``path`` in onnxruntime in a child process.

    Parameters
    ----------
    path
        The file; its content was looked through already.
    name
        What the user calls it.

    Raises
    ------
    ModelError
        When the child refuses it, dies or does not come to an end.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_open, args=(str(path), sender), daemon=True)
    child.start()
    sender.close()
    try:
        answer = _answer(receiver, child.is_alive, job, name)
    finally:
        if child.is_alive():
            child.kill()
        child.join()
        receiver.close()
    if answer is None:
        raise unusable(name, "the program that opens it died or did not come to an end")
    if answer:
        raise ModelError(
            f"{name} cannot be used: it is no network that can run here",
            hint="Give a file as its authors publish it",
            detail=shown(answer, 500),
        )


def _answer(receiver: Connection, is_alive: object, job: Job, name: str) -> str | None:
    """Return what the child found wrong (empty: nothing), None when it gives no answer."""
    start_s = time.monotonic()
    while time.monotonic() - start_s < _DEADLINE_S:
        if receiver.poll(_POLL_S):
            try:
                return str(receiver.recv_bytes(10_000), "utf-8", "replace")
            except (EOFError, OSError):
                return None
        if callable(is_alive) and not is_alive() and not receiver.poll(0):
            return None
        job.report(0.0, f"trying {name}")
    return None


def _open(path: str, sender: Connection) -> None:
    """Run in the child: send the fault in words, or nothing."""
    _limit_memory(Path(path).stat().st_size)
    with contextlib.suppress(OSError):  # the libraries write to stderr as they please
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    try:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - whatever it is, the answer is no
        sender.send_bytes((str(error).split("\n")[0] or type(error).__name__)[:2_000].encode())
    else:
        sender.send_bytes(b"")


def _limit_memory(file_bytes: int) -> None:
    try:
        import resource
    except ImportError:  # no such thing on this system
        return
    limit = _MEMORY_BYTES + _MEMORY_TIMES_FILE * file_bytes
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
