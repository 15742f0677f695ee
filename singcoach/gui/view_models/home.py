"""What the first screen offers: one next step, the latest takes, what was cut off. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from singcoach.gui.texts import clock, day_and_time, text
from singcoach.gui.view_models.library import Lines, take_rows
from singcoach.jobs import NO_JOB, Job
from singcoach.library.values import LibraryTake, TakeRow

if TYPE_CHECKING:
    from singcoach.audio.recorder.values import RecoveredTake
    from singcoach.library.store import Library

Step = Literal["demo", "demo_waits", "demo_running", "demo_open", "sing"]
"""``demo``: listen to the shipped recording; ``demo_waits``, ``demo_running``: that is under way;
``demo_open``: its result is there to look at; ``sing``: there are takes of one's own."""
MOST_TAKES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeContent:
    """What is shown.

    Attributes
    ----------
    step
        The one next step.
    demo_id
        The take made from the shipped recording, where there is one.
    rows
        The latest takes, newest first.
    progress
        One sentence on how the overall score moves; empty where nothing can be said.
    """

    step: Step
    demo_id: str | None
    rows: Lines
    progress: str = ""


def read_home(library: Library, *, singer_id: str | None) -> HomeContent:
    """Read what the first screen shows; nothing is written, no singer is made."""
    takes = library.takes(limit=MOST_TAKES)
    demo = next((take for take in takes if library.take(take.id).origin == "demo"), None)
    own = any(take is not demo for take in takes)
    return HomeContent(
        step="sing" if own else _demo_step(demo),
        demo_id=None if demo is None else demo.id,
        rows=take_rows(takes),
        progress=_progress_words(library, singer_id),
    )


def add_demo(library: Library, *, singer_id: str, job: Job = NO_JOB) -> LibraryTake:
    """Put the shipped recording into the library, under a singer of its own.

    Raises
    ------
    SingCoachError
        The recording is missing, or the disk refuses.
    """
    from singcoach.chain.demo import demo_recording

    recording = demo_recording()
    name = text("home.sample_singer")
    others = [singer for singer in library.singers() if singer.id != singer_id]
    sample = next((singer for singer in others if singer.name == name), None)
    if sample is None:
        sample = library.add_singer(name)
    return library.add_take(
        recording.path,
        singer_id=sample.id,
        origin="demo",
        title=text("home.sample_title"),
        job=job,
    )


def find_interrupted(folder: Path) -> list[RecoveredTake]:
    """Return the recordings that were cut off and belong to no take yet, oldest first."""
    from singcoach.audio.recorder import recover_takes

    return recover_takes(folder)


def interrupted_words(take: RecoveredTake) -> str:
    """Say when a recording was made that was cut off, and how long it is."""
    made = datetime.fromisoformat(take.made_at).astimezone()
    return text("home.interrupted", when=day_and_time(made), length=clock(take.duration_s))


def keep_interrupted(
    library: Library, take: RecoveredTake, *, singer_id: str, job: Job = NO_JOB
) -> LibraryTake:
    """Move a recording that was cut off into the library.

    Raises
    ------
    SingCoachError
        The disk refuses; the recording is still at its place.
    """
    from singcoach.audio.recorder import forget_note

    made = datetime.fromisoformat(take.made_at).astimezone()
    kept = library.add_take(
        take.path,
        singer_id=singer_id,
        made_at=made,
        origin="recorded",
        move=True,
        title=text("home.interrupted_title", when=day_and_time(made)),
        duration_s=take.duration_s,
        job=job,
    )
    forget_note(take.path)
    return kept


def has_microphone() -> bool:
    """Return whether anything can be recorded from; where nobody can say, there is none."""
    from singcoach.audio import devices
    from singcoach.errors import DeviceError

    try:
        found = devices.list_devices()
    except DeviceError:
        return False
    return any(device.inputs > 0 for device in found)


def _demo_step(demo: TakeRow | None) -> Step:
    if demo is None or demo.state in ("new", "failed"):
        return "demo"
    if demo.state == "waiting":
        return "demo_waits"
    return "demo_running" if demo.state == "running" else "demo_open"


def _progress_words(library: Library, singer_id: str | None) -> str:
    singers = library.singers()
    if singer_id is None or all(singer.id != singer_id for singer in singers):
        return ""
    curve = library.progress(singer_id, "overall")
    if not curve.points:
        return ""
    if curve.trend == "not enough":
        return text("home.trend_early", count=len(curve.points))
    return text(f"home.trend_{curve.trend}")
