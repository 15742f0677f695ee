"""Faults of the user's environment, each with a sentence, a hint and an exit code.

Bugs of our own stay :class:`ValueError` or :class:`TypeError`. "No voice found" or "too short to
judge" is a result, not an error. :class:`Cancelled` stands outside the tree on purpose, so that
``except SingCoachError`` never swallows a wish to stop.
"""

from __future__ import annotations

from typing import ClassVar


class SingCoachError(Exception):
    """Base of every fault that a user can do something about.

    Parameters
    ----------
    message
        One sentence for the user, without a trailing full stop.
    hint
        What the user can do next; empty when nothing helps.
    detail
        For the log only (never shown without ``--debug``). Never holds user audio.
    """

    exit_code: ClassVar[int] = 70

    def __init__(self, message: str, *, hint: str = "", detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.detail = detail


class InputError(SingCoachError):
    """The recording, song file or folder cannot be used."""

    exit_code = 3


class ModelError(SingCoachError):
    """A model is missing, damaged, or not the file that the manifest names."""

    exit_code = 4


class DeviceError(SingCoachError):
    """A microphone or loudspeaker cannot be used."""

    exit_code = 5


class OutputError(SingCoachError):
    """A result cannot be written (disk full, no permission, a folder in the way)."""

    exit_code = 3


class Cancelled(Exception):  # noqa: N818 - not an error: the user wished it
    """The user stopped a job. Raised from :meth:`singcoach.jobs.Job.report`."""

    exit_code: ClassVar[int] = 6
