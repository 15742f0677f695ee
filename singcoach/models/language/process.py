"""The program's end of a language model that runs in a process of its own.

The process can crash, hang, be killed or run out of memory: then the call raises ``ModelError``,
the process is ended, and nothing else happens. It is ended too when the job is cancelled, for a
computation cannot be asked to stop.
"""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import IO, Final

from singcoach.errors import ModelError
from singcoach.jobs import NO_JOB, Job
from singcoach.models.language.protocol import (
    ANSWERS,
    MOST_LINE_BYTES,
    ProtocolError,
    Request,
    Written,
    decode,
    encode,
)
from singcoach.models.manifest import ModelEntry
from singcoach.models.memory import host_memory, peak_of_process_mb, require_host

CHILD: Final = (sys.executable, "-P", "-m", "singcoach.models.language.child")
N_CONTEXT: Final = 1024
"""Tokens of a prompt with its answer; one sentence takes about 200."""

LOAD_TIMEOUT_S: Final = 60.0
SILENCE_TIMEOUT_S: Final = 15.0
"""Time without any word after which the process counts as hung."""

_POLL_S: Final = 0.05
_END_S: Final = 2.0
_LAST_WORD_S: Final = 1.0
"""How long the end of a process and of what it wrote about itself is waited for."""
_MOST_LOG_LINES: Final = 30
_WORKING_BYTES: Final = 350_000_000
"""Beside its weights: Python with the library, the tokens' state, the buffers."""

_FAULTS: Final = {
    "missing_runtime": (
        "The program part that runs language models is not installed",
        "Install it with `pip install singcoach[language-model]`",
    ),
    "missing_file": ("The file of the language model {id} cannot be read", "Add it again"),
    "damaged": (
        "The file of the language model {id} is damaged or not the one that belongs there",
        "Add it again, or remove it",
    ),
    "unusable": (
        "The language model {id} cannot be run",
        "Choose another language model, or use the built-in words",
    ),
    "slow": (
        "The language model {id} was too slow",
        "Choose a smaller language model, or use the built-in words",
    ),
    "request": (
        "The language model {id} could not write",
        "Choose another language model, or use the built-in words",
    ),
}


def threads_for_language() -> int:
    """Cores to use: all but one, for with every core busy elsewhere the model would crawl."""
    return max(1, (os.cpu_count() or 1) - 1)


class LanguageModel:
    """A language model that is loaded and ready to write.

    Use it in a ``with`` statement; it starts on entering the constructor and ends on leaving.

    Parameters
    ----------
    entry
        The file, its size and its digest, which are checked before anything reads it.
    n_threads
        All cores but one when None.
    most_bytes
        Limit of the address space of the process; 0 for none. Not on Windows.
    load_timeout_s, silence_timeout_s
        When to give up.
    command
        How the process is started.
    job
        May cancel the start.

    Attributes
    ----------
    id, prompt
        As in ``entry``.
    peak_memory_mb
        The most that its process was seen to hold, in MB.

    Raises
    ------
    ModelError
        When the model cannot be started.
    """

    def __init__(
        self,
        entry: ModelEntry,
        *,
        n_threads: int | None = None,
        n_context: int = N_CONTEXT,
        most_bytes: int = 0,
        load_timeout_s: float = LOAD_TIMEOUT_S,
        silence_timeout_s: float = SILENCE_TIMEOUT_S,
        command: Sequence[str] = CHILD,
        job: Job = NO_JOB,
    ) -> None:
        require_host(entry.size + _WORKING_BYTES, memory=host_memory(), name="The language model")
        self.id = entry.id
        self.prompt = entry.prompt
        self.peak_memory_mb = 0.0
        self._silence_timeout_s = silence_timeout_s
        self._number = 0
        self._answers: queue.Queue[bytes | None] = queue.Queue()
        self._log: deque[str] = deque(maxlen=_MOST_LOG_LINES)
        self._closed = False
        try:
            self._child = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            raise self._fault("unusable", str(error)) from error
        self._logger = threading.Thread(
            target=_log, args=(self._child.stderr, self._log), daemon=True
        )
        self._threads = [
            threading.Thread(target=_read, args=(self._child.stdout, self._answers), daemon=True),
            self._logger,
        ]
        for thread in self._threads:
            thread.start()
        with self._ending_on_fault():
            self._send(
                "load",
                path=str(entry.path),
                size=entry.size,
                sha256=entry.sha256,
                n_threads=threads_for_language() if n_threads is None else n_threads,
                n_context=n_context,
                most_bytes=most_bytes,
            )
            until_s = time.monotonic() + load_timeout_s
            while self._next(("alive", "ready"), until_s, job, "language model")[0] != "ready":
                pass
            self._note_memory()

    def __enter__(self) -> LanguageModel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def usable(self) -> bool:
        """Whether it can still write; a fault or a cancelled job ends the process."""
        return not self._closed

    @property
    def process_id(self) -> int:
        """Number of the process, also after its end."""
        return self._child.pid

    def write(
        self,
        request: Request,
        *,
        timeout_s: float,
        on_piece: Callable[[str], None] | None = None,
        job: Job = NO_JOB,
    ) -> Written:
        """Write a text.

        Parameters
        ----------
        timeout_s
            Time for the whole text; the process is ended when it is over.
        on_piece
            Called with every piece as it is written.
        job
            Cancelling it ends the process within a few hundredths of a second.

        Raises
        ------
        ModelError
            When nothing whole came back; ask :attr:`usable` whether to go on.
        """
        if self._closed:
            raise self._fault("request", "its process has ended")
        self._number += 1
        number = self._number
        pieces: list[str] = []
        until_s = time.monotonic() + timeout_s
        with self._ending_on_fault():
            self._send(
                "write",
                number=number,
                system=request.system,
                user=request.user,
                grammar=request.grammar,
                seed=request.seed,
                temperature=float(request.temperature),
                most_tokens=request.most_tokens,
            )
            while True:
                kind, values = self._next(("piece", "done"), until_s, job, "feedback")
                if values["number"] != number:
                    raise self._fault("request", "an answer to another request")
                if kind == "done":
                    n_tokens, whole = values["n_tokens"], values["whole"]
                    self._note_memory()
                    break
                pieces.append(str(values["text"]))
                if on_piece is not None:
                    on_piece(pieces[-1])
        assert isinstance(n_tokens, int)
        return Written(text="".join(pieces), n_tokens=n_tokens, whole=whole is True)

    def close(self) -> None:
        """End the process; harmless when it has ended already."""
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(OSError):
            self._child.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(_END_S)
        for thread in self._threads:
            thread.join(_END_S)
        for pipe in (self._child.stdin, self._child.stdout, self._child.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _note_memory(self) -> None:
        self.peak_memory_mb = max(self.peak_memory_mb, peak_of_process_mb(self._child.pid))

    @contextlib.contextmanager
    def _ending_on_fault(self):  # type: ignore[no-untyped-def]
        try:
            yield
        except BaseException:
            self.close()
            raise

    def _send(self, kind: str, **values: object) -> None:
        line = encode(kind, **values)
        if len(line) > MOST_LINE_BYTES:
            raise self._fault("request", "the request is too long")
        assert self._child.stdin is not None
        # A process that hangs does not read: only this thread waits for it, until it is ended.
        sender = threading.Thread(target=_put, args=(self._child.stdin, line), daemon=True)
        sender.start()
        self._threads = [t for t in self._threads if t.is_alive()] + [sender]

    def _next(
        self, kinds: Sequence[str], until_s: float, job: Job, stage: str
    ) -> tuple[str, dict[str, object]]:
        """Wait for the next answer; look at the job and the clock all the while."""
        silent_until_s = time.monotonic() + self._silence_timeout_s
        while True:
            if job.cancelled:
                job.report(0.0, stage)
            if time.monotonic() > min(until_s, silent_until_s):
                raise self._fault("slow", "it took too long")
            try:
                line = self._answers.get(timeout=_POLL_S)
            except queue.Empty:
                continue
            if line is None:
                code = None
                with contextlib.suppress(subprocess.TimeoutExpired):
                    code = self._child.wait(_LAST_WORD_S)
                self._logger.join(_LAST_WORD_S)
                raise self._fault("request", f"its process ended with {code}")
            try:
                kind, values = decode(line, ANSWERS)
            except ProtocolError as error:
                raise self._fault("request", f"an answer that cannot be read: {error}") from error
            if kind == "failed":
                fault = str(values["fault"])
                raise self._fault(fault if fault in _FAULTS else "request", str(values["detail"]))
            if kind not in kinds:
                raise self._fault("request", f"an answer out of turn: {kind}")
            return kind, values

    def _fault(self, fault: str, detail: str) -> ModelError:
        message, hint = _FAULTS[fault]
        log = "\n".join(self._log)
        return ModelError(message.format(id=self.id), hint=hint, detail=f"{detail}\n{log}".strip())


def _put(pipe: IO[bytes], line: bytes) -> None:
    with contextlib.suppress(OSError, ValueError):  # whoever waits for the answer sees the end
        pipe.write(line)
        pipe.flush()


def _read(pipe: IO[bytes], answers: queue.Queue[bytes | None]) -> None:
    try:
        while line := pipe.readline(MOST_LINE_BYTES + 1):
            answers.put(line)
    except (OSError, ValueError):
        pass
    answers.put(None)


def _log(pipe: IO[bytes], log: deque[str]) -> None:
    with contextlib.suppress(OSError, ValueError):
        while line := pipe.readline(1 << 12):
            log.append(line.decode("utf-8", "replace").rstrip()[:500])
