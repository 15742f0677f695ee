"""What the lines of the queue say, and what can be done with each. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from singcoach.errors import SingCoachError
from singcoach.gui.texts import text
from singcoach.gui.view_models.library import Lines, ListRow, Tint
from singcoach.library.values import QueueItem, QueueState

if TYPE_CHECKING:
    from singcoach.library.store import Library

_TINTS: Final[dict[QueueState, Tint]] = {
    "waiting": "plain",
    "running": "accent",
    "done": "good",
    "failed": "danger",
    "cancelled": "plain",
}
_ORDER: Final[dict[QueueState, int]] = {
    "running": 0,
    "failed": 1,
    "waiting": 2,
    "cancelled": 3,
    "done": 4,
}
_STAGES: Final = (
    ("import", ("importing", "copying", "hashing")),
    ("read", ("reading", "starting", "waiting")),
    ("voice", ("solo or", "regions", "finding", "accompan", "dereverb", "backing", "guide")),
    ("voice", ("separat", "removing")),
    ("melody", ("pitch", "notes", "beats", "aligning")),
    ("measure", ("measur", "harmonics", "note shapes", "voice quality", "recording quality")),
    ("measure", ("screening", "evidence")),
    ("score", ("scores",)),
    ("words", ("feedback",)),
    ("keep", ("writing", "keeping", "done")),
)
_GRAPHICS: Final = ("CUDA", "TensorRT", "Dml", "CoreML", "ROCM", "MPS")


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """How many items are in which state, with one sentence."""

    waiting: int
    running: int
    done: int
    failed: int
    cancelled: int
    words: str

    @property
    def ended(self) -> int:
        """How many can be cleared away."""
        return self.done + self.failed + self.cancelled


def in_order(items: Sequence[QueueItem]) -> list[QueueItem]:
    """Return what runs, what failed, what waits, then what has ended, the newest of these first."""
    return sorted(
        items,
        key=lambda item: (
            _ORDER[item.state],
            item.id if item.state in ("running", "waiting") else -item.id,
        ),
    )


def queue_rows(items: Sequence[QueueItem], library: Library) -> Lines:
    """Return the lines of the queue; names are looked up when a line comes into view."""
    return Lines([str(item.id) for item in items], lambda number: _row(items[number], library))


def name_of(item: QueueItem, library: Library) -> str:
    """Return the name of the take, or that of the file that is not one yet."""
    if item.take_id is not None:
        try:
            return library.take(item.take_id).title
        except SingCoachError:  # deleted meanwhile
            return item.path.name
    return item.path.name


def failure_words(item: QueueItem) -> str:
    """Return the one sentence on why an item failed; empty for every other state."""
    if item.state != "failed":
        return ""
    words = item.message.strip()
    return (words[0].upper() + words[1:]) if words else text("common.inside_fault")


def summarise(items: Sequence[QueueItem]) -> Summary:
    """Count the items and say it in one sentence."""
    states = [item.state for item in items]
    counts = {state: states.count(state) for state in _ORDER}
    parts = [
        text(f"queue.count_{state}", count=counts[state])
        for state in ("done", "waiting", "failed", "cancelled")
        if counts[state]
    ]
    return Summary(
        waiting=counts["waiting"],
        running=counts["running"],
        done=counts["done"],
        failed=counts["failed"],
        cancelled=counts["cancelled"],
        words=" · ".join(parts),
    )


def stage_words(stage: str) -> str:
    """Say in plain words what an analysis does now."""
    for name, starts in _STAGES:
        if stage.startswith(starts):
            return text(f"queue.stage_{name}")
    return text("queue.stage_listen")


def device_words(providers: Sequence[str], device: str) -> str:
    """Say which part of the computer works.

    ``providers`` is what the last analysis used; before the first one ``device`` of the settings
    says what is meant to work.
    """
    if providers:
        graphics = any(provider.startswith(_GRAPHICS) for provider in providers)
        return text("queue.on_graphics" if graphics else "queue.on_processor")
    if device == "cpu":
        return text("queue.on_processor")
    return text("queue.on_automatic" if device == "auto" else "queue.on_graphics")


def _row(item: QueueItem, library: Library) -> ListRow:
    title = name_of(item, library)
    detail = failure_words(item)
    if not detail:
        detail = item.path.parent.name if item.take_id is None else text("queue.in_library")
    tag = text(f"queue.state_{item.state}")
    spoken = ", ".join(part for part in (title, tag, detail) if part)
    return ListRow(
        key=str(item.id),
        title=title,
        detail=detail,
        tag=tag,
        tint=_TINTS[item.state],
        spoken=spoken,
    )
