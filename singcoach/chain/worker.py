"""The analysis process: ``python -m singcoach.chain.worker``.

Requests come as lines on its input, answers go to its output; nothing else is ever written there.
Its networks stay open between requests. It ends when its input ends, so that it never outlives the
program that started it, and results appear in the take's folder whole or not at all.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from singcoach.chain.analysis_protocol import (
    MOST_LINE_BYTES,
    AnalysisRequest,
    ProtocolError,
    decode,
    decode_request,
    encode,
)
from singcoach.errors import Cancelled, SingCoachError
from singcoach.jobs import Job

if TYPE_CHECKING:
    from singcoach.chain.engine import Engine
    from singcoach.core.scores import Sentence

ASSESSMENT: Final = "assessment.json"
CURVES: Final = "curves.npz"
VOCALS: Final = "vocals.flac"

_REPORT_S = 0.1
_NICENESS = 5
_LEFTOVERS = ".singcoach-*.part"

Send = Callable[..., None]
Analyse = Callable[[AnalysisRequest, "Engine", Send, Job], dict[str, Any]]


def main() -> int:
    """Answer requests until the input ends."""
    with contextlib.suppress(ValueError, OSError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the program decides when to stop
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever a library prints goes to the log
    _step_back()
    return serve(sys.stdin.buffer, answers, analyse)


def serve(requests: BinaryIO, answers: BinaryIO, work: Analyse) -> int:
    """Answer the lines of ``requests``; ``work`` does one of them."""
    lock = threading.Lock()

    def send(kind: str, /, **values: object) -> None:
        with lock:
            answers.write(encode(kind, **values))

    inbox: queue.Queue[AnalysisRequest] = queue.Queue()
    desk = _Desk()
    threading.Thread(target=_read, args=(requests, inbox, desk, send), daemon=True).start()
    send("ready")
    engines = _Engines()
    while True:
        request = inbox.get()
        job = desk.begin(_Throttled(send).note)
        try:
            send("done", **work(request, engines.of(request), send, job))
        except Cancelled:
            send("cancelled")
        except SingCoachError as error:
            send(
                "failed",
                kind=type(error).__name__,
                message=error.message,
                hint=error.hint,
                detail=error.detail[-2000:],
            )
        except MemoryError:
            send(
                "failed",
                kind="SingCoachError",
                message=f"There is not enough memory to analyse {request.recording.name}",
                hint="Close other programs and try again",
                detail="",
            )
        except Exception as error:  # noqa: BLE001 - the outermost layer: one recording's trouble
            send(
                "failed",
                kind="inside",
                message=f"{request.recording.name} met a fault inside SingCoach "
                f"({type(error).__name__})",
                hint="Try again; the recording is kept",
                detail=traceback.format_exc()[-2000:],
            )
        finally:
            desk.end()


def analyse(request: AnalysisRequest, engine: Engine, send: Send, job: Job) -> dict[str, Any]:
    """Analyse one recording into its folder; returns what ``done`` says."""
    from singcoach.audio.writing import write_flac
    from singcoach.chain.assess import assess
    from singcoach.chain.settings import Settings
    from singcoach.files import write_whole
    from singcoach.library.curves import curves_of, save_curves
    from singcoach.report.document import to_document, to_json

    _sweep(request.folder)

    def on_sentence(sentence: Sentence) -> None:
        send("sentence", part=sentence.part, place=sentence.place, text=sentence.text)

    settings = Settings(
        kind=request.kind,
        profile=request.profile,
        backing=request.backing,
        song=request.song,
        language=request.language,
        words=request.words,
    )
    assessed = assess(
        request.recording,
        settings=settings,
        engine=engine,
        on_sentence=on_sentence,
        job=job.part(0.0, 0.97),
    )
    assessment, take = assessed.assessment, assessed.take
    if request.name:
        assessment = replace(assessment, input=replace(assessment.input, file=request.name))
    job.report(0.97, "writing")
    save_curves(request.folder / CURVES, curves_of(take))
    if take.kind == "mixture":
        write_flac(request.folder / VOCALS, take.vocal_raw, sample_rate=take.sample_rate)
    job.report(0.99, "writing")
    # The assessment comes last: where it is, everything is.
    document = to_document(assessment)
    write_whole(request.folder / ASSESSMENT, to_json(document, indent=None) + "\n")
    return {
        "duration_s": float(take.duration_s),
        "seconds": float(assessment.timings.get("total_s", 0.0)),
        "providers": sorted({use.provider for use in assessment.models}),
        "resident_mb": _resident_mb(),
    }


class _Engines:
    """The networks that are open; other choices of the user close them first."""

    def __init__(self) -> None:
        self._engine: Engine | None = None
        self._device: str | None = None

    def of(self, request: AnalysisRequest) -> Engine:
        from singcoach import resources
        from singcoach.chain.cache import Cache
        from singcoach.chain.engine import Engine

        if self._engine is None or self._device != request.device:
            self._engine = None
            self._engine = Engine(
                cache=Cache(resources.cache_dir() / "results"),
                device=request.device,
                profile=request.profile,
            )
            self._device = request.device
        return self._engine


class _Desk:
    """The request that is worked on, so that another thread can cancel it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._job: Job | None = None
        self._cancelled_early = False

    def begin(self, on_progress: Callable[[float, str], None]) -> Job:
        with self._lock:
            self._job = Job(on_progress)
            if self._cancelled_early:
                self._job.cancel()
            return self._job

    def end(self) -> None:
        with self._lock:
            self._job = None
            self._cancelled_early = False

    def cancel(self) -> None:
        with self._lock:
            if self._job is not None:
                self._job.cancel()
            else:  # the request lies in the inbox still
                self._cancelled_early = True

    def accept(self) -> None:
        """Forget a cancel that came for nothing."""
        with self._lock:
            self._cancelled_early = False


class _Throttled:
    """Sends progress at most ten times a second, and every new stage."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._sent_s = 0.0
        self._stage = ""
        self._lock = threading.Lock()

    def note(self, fraction: float, stage: str) -> None:
        now_s = time.monotonic()
        with self._lock:
            if now_s - self._sent_s < _REPORT_S and stage == self._stage:
                return
            self._sent_s, self._stage = now_s, stage
        self._send("progress", fraction=float(fraction), stage=stage)


def _read(requests: BinaryIO, inbox: queue.Queue[AnalysisRequest], desk: _Desk, send: Send) -> None:
    """Take requests; end the process at once when there are no more, even amid a computation."""
    while line := requests.readline(MOST_LINE_BYTES + 1):
        try:
            kind, values = decode(line)
            if kind == "cancel":
                desk.cancel()
            elif kind == "analyse":
                request = decode_request(values)
                desk.accept()
                inbox.put(request)
            else:
                raise ProtocolError(f"an unknown kind: {kind}")
        except ProtocolError as error:
            send(
                "failed",
                kind="inside",
                message="The analysis was asked for something it does not know",
                hint="Start SingCoach again",
                detail=str(error),
            )
    os._exit(0)


def _sweep(folder: Path) -> None:
    """Remove what a process that was killed left half written."""
    for path in folder.glob(_LEFTOVERS):
        with contextlib.suppress(OSError):
            path.unlink()


def _step_back() -> None:
    """Let the window and the recorder come first, and be the first to end when memory is short."""
    import psutil

    with contextlib.suppress(OSError, psutil.Error, AttributeError):
        process = psutil.Process()
        if sys.platform == "win32":
            process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        else:
            process.nice(_NICENESS)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _resident_mb() -> float:
    import psutil

    return float(psutil.Process().memory_info().rss) / 1e6


if __name__ == "__main__":
    raise SystemExit(main())
