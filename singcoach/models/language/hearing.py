"""The program's end of a language model that hears.

The sound goes to the model's process through its pipe, never through a file, in pieces; the process
hears it in windows of 30 s and then writes with the whole song before it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from singcoach.core.arrays import ANALYSIS_RATE, FloatArray
from singcoach.errors import ModelError
from singcoach.jobs import NO_JOB, Job
from singcoach.models.catalogue import Catalogue
from singcoach.models.language.choice import ROLE, find_language_model
from singcoach.models.language.mtmd import MOST_PIECE_SAMPLES, WINDOW_SAMPLES, encode_sound
from singcoach.models.language.process import LanguageModel
from singcoach.models.language.projector import Projector
from singcoach.models.language.protocol import Request, Written
from singcoach.models.manifest import ModelEntry

TEXT_TOKENS: Final = 1536
"""Room beside the sound: the facts, a question and an answer."""

_PEAK: Final = 0.5
WINDOW_TIMEOUT_S: Final = 180.0
"""A model of 8 billion weights takes a minute for a window on a small machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a model heard: windows of 30 s, and the tokens before a question."""

    n_windows: int
    n_tokens: int


def windows_of(n_samples: int) -> int:
    """Return the number of windows of a song at 16 kHz."""
    return -(-n_samples // WINDOW_SAMPLES)


def find_hearing_pair(catalogue: Catalogue) -> tuple[ModelEntry, ModelEntry] | None:
    """Return the language model that would be used and its projector; None where it has none."""
    entry = find_language_model(catalogue)
    if entry is None:
        return None
    for pack in catalogue.packs:
        parts = {own.part: own for own in pack.entries if own.role == ROLE}
        if parts.get("model") == entry and "projector" in parts:
            return entry, parts["projector"]
    return None


class HearingModel(LanguageModel):
    """A language model with its projector, loaded and ready to hear and to write.

    Before it has heard a song it writes as any language model.

    Parameters
    ----------
    entry, projector
        The two files with their sizes and digests, which are checked before anything reads them.
    duration_s
        The longest sound that it is to hear; it decides how much it keeps in mind.
    options
        As of :class:`LanguageModel`.

    Raises
    ------
    ModelError
        When the projector is none of a model that hears or belongs to another model, or the model
        cannot be started.
    """

    def __init__(
        self,
        entry: ModelEntry,
        projector: ModelEntry,
        *,
        duration_s: float,
        job: Job = NO_JOB,
        **options: Any,
    ) -> None:
        try:
            self.projector = Projector.from_json(projector.config)
        except ValueError as error:
            raise ModelError(
                f"The language model {entry.id} cannot hear",
                hint="Add it again together with its projector",
                detail=str(error),
            ) from error
        n_windows = windows_of(int(duration_s * ANALYSIS_RATE) + 1)
        n_context = TEXT_TOKENS + n_windows * self.projector.most_window_tokens
        options.setdefault("n_context", n_context)
        options.setdefault("silence_timeout_s", WINDOW_TIMEOUT_S)
        load_timeout_s = float(options.get("load_timeout_s", WINDOW_TIMEOUT_S))
        self._heard_under: str | None = None
        super().__init__(entry, job=job, **options)
        with self._ending_on_fault():
            self._send(
                "project",
                path=str(projector.path),
                size=projector.size,
                sha256=projector.sha256,
            )
            until_s = time.monotonic() + load_timeout_s
            while self._next(("alive", "ready"), until_s, job, "language model")[0] != "ready":
                pass

    def hear(
        self,
        audio: FloatArray,
        *,
        system: str,
        about: str = "",
        timeout_s: float,
        job: Job = NO_JOB,
    ) -> Heard:
        """Hear a song; every text that is then asked for comes after it.

        Parameters
        ----------
        audio
            Mono at 16 kHz, ``(n_samples,)``, such as the stem of the voice; how loud it is does not
            matter.
        system
            The first part of the prompt; those of later requests give way to it.
        about
            What is told after the sound and before every question, such as the measured facts.
        timeout_s
            Time for everything; the process is ended when it is over.
        job
            Cancelling it ends the process.

        Raises
        ------
        ModelError
            When the song is too long for the model, or the process fails.
        """
        if audio.ndim != 1:
            raise ValueError(f"audio has shape {audio.shape}; (n_samples,) would work")
        if not self.usable:
            raise self._fault("request", "its process has ended")
        until_s = time.monotonic() + timeout_s
        audio = _levelled(audio)
        with self._ending_on_fault():
            for start in range(0, len(audio), MOST_PIECE_SAMPLES):
                piece = audio[start : start + MOST_PIECE_SAMPLES]
                self._send("sound", samples=encode_sound(piece))
                self._next(("alive",), until_s, job, "hearing")
            self._send("hear", system=system, about=about)
            while True:
                kind, values = self._next(("alive", "heard"), until_s, job, "hearing")
                if kind == "heard":
                    break
                job.report(min(1.0, max(0.0, _number(values["share"]))), "hearing")
        n_windows, n_tokens = values["n_windows"], values["n_tokens"]
        assert isinstance(n_windows, int)
        assert isinstance(n_tokens, int)
        self._heard_under = system
        return Heard(n_windows=n_windows, n_tokens=n_tokens)

    def write(
        self,
        request: Request,
        *,
        timeout_s: float,
        on_piece: Callable[[str], None] | None = None,
        job: Job = NO_JOB,
    ) -> Written:
        """Write a text with the song that was heard before it; see :class:`LanguageModel`."""
        if self._heard_under is not None:
            request = replace(request, system=self._heard_under)
        return super().write(request, timeout_s=timeout_s, on_piece=on_piece, job=job)


def open_heard(
    pair: tuple[ModelEntry, ModelEntry],
    audio: FloatArray,
    *,
    system: str,
    about: str = "",
    timeout_s: float,
    job: Job = NO_JOB,
    **options: Any,
) -> HearingModel:
    """Start a model that hears and let it hear a song; parameters as of its two steps.

    Raises
    ------
    ModelError
        When it does not start, or not hear the song in time; no process is left then.
    """
    until_s = time.monotonic() + timeout_s
    options.setdefault("load_timeout_s", timeout_s)
    duration_s = len(audio) / ANALYSIS_RATE
    model = HearingModel(*pair, duration_s=duration_s, job=job.part(0.0, 0.2), **options)
    left_s = max(0.0, until_s - time.monotonic())
    model.hear(audio, system=system, about=about, timeout_s=left_s, job=job.part(0.2, 1.0))
    return model


def _levelled(audio: FloatArray) -> FloatArray:
    """The library takes what is 72 dB below full scale for silence, Whisper only what is 80 dB
    below the loudest: so the loudest is brought close to full scale.
    """
    peak = float(np.max(np.abs(audio), initial=0.0))
    return audio * np.float32(_PEAK / peak) if peak > 0.0 and math.isfinite(peak) else audio


def _number(value: object) -> float:
    return value if isinstance(value, float) else 0.0
