"""The program's end of the analysis process.

Separation, networks and scoring take gigabytes and seconds, and a damaged pack or a starved system
can end a process: so the work runs in a child. It can crash, hang, be killed or run out of memory;
then the call raises one sentence and the next call starts another child.
"""

from __future__ import annotations

import contextlib
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from singcoach import errors
from singcoach.chain.analysis_protocol import (
    ANSWERS,
    MOST_LINE_BYTES,
    AnalysisRequest,
    ProtocolError,
    decode,
    encode,
    encode_request,
)
from singcoach.errors import Cancelled, SingCoachError
from singcoach.jobs import NO_JOB, Job

CHILD: Final = (sys.executable, "-P", "-m", "singcoach.chain.worker")
SILENCE_TIMEOUT_S: Final = 180.0
"""Time without any word after which the child counts as hung (a slow disk, a large pack)."""
POLITE_S: Final = 0.6
"""How long a cancelled child may take to stop by itself before it is ended."""
MOST_IDLE_MB: Final = 1600.0
"""A child that holds more than this after its work is ended, and the next one starts afresh."""

_POLL_S: Final = 0.05
_END_S: Final = 3.0
_LAST_WORD_S: Final = 0.5
_MOST_LOG_LINES: Final = 30
_FAULTS: Final[dict[str, type[SingCoachError]]] = {
    name: value
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, SingCoachError)
}

OnSentence = Callable[[str, int, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisResult:
    """What came of an analysis; its files are in the folder of the request.

    Attributes
    ----------
    duration_s
        Length of the recording.
    seconds
        How long the analysis took.
    providers
        Where networks ran, as onnxruntime and torch call it.
    """

    folder: Path
    duration_s: float
    seconds: float
    providers: tuple[str, ...]


class AnalysisProcess:
    """One child that analyses, started at the first call and kept with its networks.

    Thread-safe: one call works at a time, the next waits. End it by :meth:`close` or ``with``.

    Parameters
    ----------
    command
        How the child is started.
    silence_timeout_s
        When to give up.
    """

    def __init__(
        self,
        *,
        command: Sequence[str] = CHILD,
        silence_timeout_s: float = SILENCE_TIMEOUT_S,
    ) -> None:
        self._command = list(command)
        self._silence_timeout_s = silence_timeout_s
        self._turn = threading.Lock()
        self._child: _Child | None = None

    def __enter__(self) -> AnalysisProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def process_id(self) -> int | None:
        """Number of the child; None while there is none."""
        child = self._child
        return child.process_id if child is not None and child.alive else None

    def analyse(
        self,
        request: AnalysisRequest,
        job: Job = NO_JOB,
        *,
        on_sentence: OnSentence | None = None,
    ) -> AnalysisResult:
        """Analyse one recording; blocks until it is done.

        Parameters
        ----------
        job
            Cancelling it acts within a second: the child is asked to stop, then ended.
        on_sentence
            Called with part, place and text of every sentence of the coach, as it is written.

        Raises
        ------
        InputError, ModelError, OutputError
            As the chain says.
        SingCoachError
            The child ended, hung or could not be started.
        Cancelled
            ``job`` was stopped.
        """
        while not self._turn.acquire(timeout=_POLL_S):
            job.report(0.0, "waiting")
        try:
            return self._analyse(request, job, on_sentence)
        except BaseException:
            if self._child is not None and not self._child.idle:
                self._end()
            raise
        finally:
            self._turn.release()

    def close(self) -> None:
        """End the child, also amid its work; the next call starts another."""
        self._end()

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.end()

    def _analyse(
        self, request: AnalysisRequest, job: Job, on_sentence: OnSentence | None
    ) -> AnalysisResult:
        job.report(0.0, "starting")
        if self._child is None or not self._child.alive:
            self._end()
            self._child = _Child(self._command)
        child = self._child
        child.idle = False
        child.send(encode_request(request))
        asked_s: float | None = None
        heard_s = time.monotonic()
        while True:
            now_s = time.monotonic()
            if job.cancelled and asked_s is None:
                asked_s = now_s
                child.send(encode("cancel"))
            if asked_s is not None and now_s - asked_s > POLITE_S:
                raise Cancelled("the analysis was ended")
            if now_s - heard_s > self._silence_timeout_s:
                raise _stopped(request, "it said nothing any more", child)
            line = child.next(_POLL_S)
            if line == b"":
                continue
            if line is None:
                if asked_s is not None:
                    raise Cancelled("the analysis was ended")
                raise _stopped(request, child.last_words(), child)
            heard_s = now_s
            result = self._hear(line, request, job, on_sentence, child)
            if result is not None:
                return result

    def _hear(
        self,
        line: bytes,
        request: AnalysisRequest,
        job: Job,
        on_sentence: OnSentence | None,
        child: _Child,
    ) -> AnalysisResult | None:
        try:
            kind, values = decode(line)
            if kind not in ANSWERS:
                raise ProtocolError(f"an unknown answer: {kind}")
            if kind == "progress":
                with contextlib.suppress(Cancelled):  # the child is told in a moment
                    job.report(float(values["fraction"]), str(values["stage"]))
            elif kind == "sentence":
                if on_sentence is not None:
                    on_sentence(str(values["part"]), int(values["place"]), str(values["text"]))
            elif kind == "cancelled":
                child.idle = True
                raise Cancelled("the analysis was stopped")
            elif kind == "failed":
                child.idle = True
                raise _fault(values)
            elif kind == "done":
                child.idle = True
                result = AnalysisResult(
                    folder=request.folder,
                    duration_s=float(values["duration_s"]),
                    seconds=float(values["seconds"]),
                    providers=tuple(map(str, values["providers"])),
                )
                if float(values["resident_mb"]) > MOST_IDLE_MB:
                    self._end()
                return result
        except (ProtocolError, KeyError, TypeError, ValueError) as error:
            child.idle = False
            raise _stopped(request, f"an answer that cannot be read: {error}", child) from error
        return None


class _Child:
    """A running child with the threads that listen to it."""

    def __init__(self, command: Sequence[str]) -> None:
        self.idle = True
        self._lines: queue.Queue[bytes | None] = queue.Queue()
        self._log: deque[str] = deque(maxlen=_MOST_LOG_LINES)
        try:
            self._process = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            raise SingCoachError(
                "The analysis could not be started",
                hint="Free some memory, or install SingCoach again",
                detail=str(error),
            ) from error
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._listeners = (
            threading.Thread(target=_listen, args=(self._process.stdout, self._lines), daemon=True),
            threading.Thread(target=_log, args=(self._process.stderr, self._log), daemon=True),
        )
        for thread in self._listeners:
            thread.start()

    @property
    def process_id(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def log(self) -> str:
        return "\n".join(self._log)

    def send(self, line: bytes) -> None:
        """Write a line; a child that has ended is noticed by who waits for its answer."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(line)
            self._process.stdin.flush()

    def next(self, timeout_s: float) -> bytes | None:
        """Return the next line; ``b""`` when none came in time, None after the last one."""
        try:
            return self._lines.get(timeout=timeout_s)
        except queue.Empty:
            return b""

    def last_words(self) -> str:
        """Wait a moment for the end of a child whose output has ended, and say how it ended."""
        code: int | None = None
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self._process.wait(_LAST_WORD_S)
        self._listeners[1].join(_LAST_WORD_S)
        return f"its process ended with {code}"

    def end(self) -> None:
        """End it, whatever it does, and let go of its pipes."""
        with contextlib.suppress(OSError):
            self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_S)
        for thread in self._listeners:
            thread.join(_END_S)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def _fault(values: dict[str, Any]) -> SingCoachError:
    kind = _FAULTS.get(str(values["kind"]), SingCoachError)
    return kind(
        str(values["message"]), hint=str(values["hint"]), detail=str(values.get("detail", ""))
    )


def _stopped(request: AnalysisRequest, detail: str, child: _Child) -> SingCoachError:
    return SingCoachError(
        f"The analysis of {request.name or request.recording.name} ended before it was done",
        hint="Try again; the recording is kept. It may need more memory than is free",
        detail=f"{detail}\n{child.log}".strip(),
    )


def _listen(pipe: IO[bytes], lines: queue.Queue[bytes | None]) -> None:
    with contextlib.suppress(OSError, ValueError):
        while line := pipe.readline(MOST_LINE_BYTES + 1):
            lines.put(line)
    lines.put(None)


def _log(pipe: IO[bytes], log: deque[str]) -> None:
    with contextlib.suppress(OSError, ValueError):
        while line := pipe.readline(1 << 12):
            log.append(line.decode("utf-8", "replace").rstrip()[:500])
