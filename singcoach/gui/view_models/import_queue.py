"""Working the queue of recordings: import, analyse, keep. No Qt; the caller brings the thread."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from singcoach.audio.listing import list_audio
from singcoach.chain.analysis_protocol import AnalysisRequest
from singcoach.errors import Cancelled, InputError, SingCoachError
from singcoach.gui.settings import AppSettings
from singcoach.jobs import NO_JOB, Job
from singcoach.library.folders import ASSESSMENT
from singcoach.library.values import QueueItem, QueueState

if TYPE_CHECKING:
    from singcoach.chain.analysis_process import AnalysisResult, OnSentence
    from singcoach.library.store import Library

_IMPORT_SHARE: Final = 0.05
_REMEMBERED: Final = 20
"""How many of the latest analyses the time left is reckoned from."""


class Analyser(Protocol):
    """What analyses: :class:`singcoach.chain.analysis_process.AnalysisProcess`, or a stand-in."""

    def analyse(
        self,
        request: AnalysisRequest,
        job: Job = NO_JOB,
        *,
        on_sentence: OnSentence | None = None,
    ) -> AnalysisResult:
        """Analyse one recording into the folder of the request."""

    def close(self) -> None:
        """End what it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one item of the queue.

    Attributes
    ----------
    take_id
        The take that it became; None when it could not even be imported.
    seconds
        How long its analysis took; None when it did not end well.
    """

    item: QueueItem
    state: QueueState
    take_id: str | None
    message: str = ""
    seconds: float | None = None
    providers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What was put into the queue, and a sentence for each thing that could not be."""

    n_files: int
    faults: tuple[SingCoachError, ...]


def add_paths(
    library: Library, paths: Sequence[Path], options: Mapping[str, Any] | None = None
) -> Added:
    """Put files, and the recordings in folders, into the queue; a folder may hold thousands."""
    found = list_audio(paths)
    library.enqueue(found.files, options)
    return Added(n_files=len(found.files), faults=tuple(found.faults.values()))


class QueueWork:
    """Takes one item after the other out of the queue and sees it through.

    Parameters
    ----------
    singer_id
        Gives the singer of imported recordings.
    settings
        Gives the settings that hold now.
    """

    def __init__(
        self,
        library: Library,
        analyser: Analyser,
        *,
        singer_id: Callable[[], str],
        settings: Callable[[], AppSettings],
    ) -> None:
        self._library = library
        self._analyser = analyser
        self._singer_id = singer_id
        self._settings = settings
        self._put_back = threading.Event()
        self.current: QueueItem | None = None
        self.current_take: str | None = None

    def put_back(self) -> None:
        """Let the item that is stopped now wait again, instead of counting it as cancelled."""
        self._put_back.set()

    def next(self, job: Job = NO_JOB, *, on_sentence: OnSentence | None = None) -> Outcome | None:
        """Work on the first waiting item; None when none waits.

        One recording's fault is its outcome and never an exception, so that the rest goes on.
        """
        item = self._library.claim_next()
        if item is None:
            return None
        self.current, self.current_take = item, item.take_id
        try:
            result = self._see_through(item, job, on_sentence)
            return self._end(item, "done", seconds=result.seconds, providers=result.providers)
        except Cancelled:
            return self._end(item, "waiting" if self._put_back.is_set() else "cancelled")
        except SingCoachError as error:
            words = f"{error.message}. {error.hint}" if error.hint else error.message
            return self._end(item, "failed", message=words)
        except BaseException:
            # A bug of ours: the item must not look as if it were still worked on.
            self._end(item, "failed")
            raise
        finally:
            self.current = self.current_take = None
            self._put_back.clear()

    def _see_through(
        self, item: QueueItem, job: Job, on_sentence: OnSentence | None
    ) -> AnalysisResult:
        take_id = item.take_id
        if take_id is None:
            take_id = self._import(item, job.part(0.0, _IMPORT_SHARE))
        self.current_take = take_id
        take = self._library.take(take_id)
        folder = self._library.folder_of(take_id)
        settings = self._settings()
        request = AnalysisRequest(
            recording=take.recording,
            folder=folder,
            name=item.path.name if item.take_id is None else take.title,
            backing=_path(item.options.get("backing")),
            song=_path(item.options.get("song_file")),
            kind=item.options.get("kind"),
            language=settings.language,
            profile=settings.profile,
            words=settings.coach,
            device=settings.device,
        )
        own = job.part(_IMPORT_SHARE, 1.0)
        result = self._analyser.analyse(request, own, on_sentence=on_sentence)
        try:
            document = json.loads((folder / ASSESSMENT).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(
                f"The result of {take.title} cannot be read from the disk",
                hint="Check the drive and try again",
                detail=str(error),
            ) from error
        self._library.set_assessment(take_id, document)
        return result

    def _import(self, item: QueueItem, job: Job) -> str:
        job.report(0.0, "importing")
        singer = item.options.get("singer_id")
        take = self._library.add_take(
            item.path,
            singer_id=str(singer) if singer else self._singer_id(),
            song_id=item.options.get("song_id"),
            origin="imported",
            job=job,
        )
        self._library.set_queue_take(item.id, take.id)
        return take.id

    def _end(
        self,
        item: QueueItem,
        state: QueueState,
        *,
        message: str = "",
        seconds: float | None = None,
        providers: tuple[str, ...] = (),
    ) -> Outcome:
        self._library.set_queue_state(item.id, state, message)
        return Outcome(
            item=item,
            state=state,
            take_id=self.current_take,
            message=message,
            seconds=seconds,
            providers=providers,
        )


class TimeLeft:
    """Reckons how long the queue will take from how long the latest recordings took."""

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=_REMEMBERED)

    def note(self, seconds: float) -> None:
        """Remember how long one recording took."""
        self._seconds.append(seconds)

    def seconds(self, *, waiting: int, elapsed_s: float, fraction: float) -> float | None:
        """Return the seconds left for the running recording and those that wait.

        None while nothing is known: no recording has ended and the running one has hardly begun.
        """
        typical = sum(self._seconds) / len(self._seconds) if self._seconds else None
        running: float | None = None
        if fraction >= 1.0:
            running = 0.0
        elif fraction > 0.1 and elapsed_s > 1.0:
            running = elapsed_s * (1.0 - fraction) / fraction
            typical = typical if typical is not None else elapsed_s / fraction
        elif typical is not None:
            running = max(0.0, typical - elapsed_s)
        if running is None or typical is None:
            return None
        return running + waiting * typical


def _path(value: object) -> Path | None:
    return Path(value) if isinstance(value, str) and value else None
