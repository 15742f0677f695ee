"""The voice out of a mixture, and the room out of the voice, at the recording's full rate.

The embedded models or the user's packs, as the engine's profile says. What is kept of hours of
audio is mono at 16 kHz.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from singcoach.audio.chunks import Chunk
from singcoach.audio.reading import AudioFile, open_audio
from singcoach.audio.resampling import Converter
from singcoach.chain.cache import make_key
from singcoach.chain.clock import Clock
from singcoach.chain.engine import Engine, Roformer, RoformerRole
from singcoach.core.arrays import ANALYSIS_RATE, FloatArray, read_only
from singcoach.jobs import NO_JOB, Job
from singcoach.models.sessions import available_cores
from singcoach.separation.roformer import dereverb_roformer, separate_roformer
from singcoach.separation.spleeter import Stems, separate

EMBEDDED_RATE = 44_100
SEPARATION_VERSION = 4
DRY_VERSION = 1

_BLOCK_S = 2.0
_OPENING = 0.03
"""Share of the progress for checking and opening a pack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Separator:
    """What separates in this take: a pack's network, or the embedded ones.

    Attributes
    ----------
    rate
        Rate in Hz of the stereo blocks that :meth:`stems` wants.
    """

    rate: int
    _roformer: Roformer | None
    _engine: Engine

    def stems(
        self, blocks: Iterable[FloatArray], duration_s: float, job: Job = NO_JOB
    ) -> Iterator[Stems]:
        """Separate stereo blocks; ``duration_s`` is the expected length, for the progress."""
        n_samples = round(duration_s * self.rate) or None
        if self._roformer is not None:
            return separate_roformer(
                blocks,
                session=self._roformer.session,
                config=self._roformer.config,
                n_samples=n_samples,
                batch=self._roformer.batch,
                job=job,
            )
        return separate(
            blocks,
            vocals=self._engine.session("separation", "vocals"),
            accompaniment=self._engine.session("separation", "accompaniment"),
            n_samples=n_samples,
            workers=self._engine.threads or available_cores(),
            job=job,
        )


def find_separator(engine: Engine, job: Job = NO_JOB) -> Separator:
    """Return what separates in this take, opened."""
    roformer = engine.roformer("separation", job)
    rate = roformer.config.sample_rate if roformer is not None else EMBEDDED_RATE
    return Separator(rate=rate, _roformer=roformer, _engine=engine)


def separation_key(sha256: str, engine: Engine) -> str:
    """Return the cache key of the two separated signals of a file."""
    return make_key("separation", SEPARATION_VERSION, sha256, _models(engine, "separation"))


def separate_voice(
    path: Path, sha256: str, engine: Engine, job: Job = NO_JOB
) -> tuple[FloatArray, FloatArray, str]:
    """Return voice and accompaniment of a mixture, mono at 16 kHz, and their cache key."""
    key = separation_key(sha256, engine)
    kept = engine.cache.load(key)
    if kept is not None:
        engine.ran_before("separation", str(kept["separation_ran"]))
        return kept["vocal"], kept["accompaniment"], key
    separator = find_separator(engine, job.part(0.0, _OPENING))
    rate = separator.rate
    vocal, rest = _Narrow(), _Narrow()
    with open_audio(path) as file:
        blocks = file.blocks(sample_rate=rate, channels=2, block_s=_BLOCK_S)
        for stems in separator.stems(blocks, file.info.duration_s, job.part(_OPENING, 1.0)):
            vocal.push(stems.vocals, rate)
            rest.push(stems.accompaniment, rate)
    engine.release_memory("separation")
    arrays = {"vocal": vocal.finish(), "accompaniment": rest.finish()}
    # Made anew: memory may have been too short for the pack.
    key = _keep(separation_key(sha256, engine), arrays, ("separation",), engine)
    return arrays["vocal"], arrays["accompaniment"], key


def dry_voice(
    path: Path,
    sha256: str,
    mono: FloatArray | None,
    *,
    engine: Engine,
    clock: Clock,
    job: Job = NO_JOB,
) -> tuple[FloatArray, FloatArray, FloatArray | None, str] | None:
    """Take the room out of a voice with the user's pack, out of a mixture after separation.

    Both networks work at full rate, one after the other on each stretch.

    Parameters
    ----------
    mono
        The voice at 16 kHz where the file is a solo take; None for a mixture.

    Returns
    -------
    The voice before and after, the accompaniment (None for a solo take), mono at 16 kHz, and the
    cache key of the dry voice; None where no pack does this work.
    """
    if engine.pack("dereverb") is None:
        return None
    roles: tuple[RoformerRole, ...] = ("separation", "dereverb") if mono is None else ("dereverb",)
    key = _dry_key(sha256, roles, engine)
    kept = engine.cache.load(key)
    if kept is not None:
        for role in roles:
            engine.ran_before(role, str(kept[f"{role}_ran"]))
        raw = kept["raw"] if mono is None else mono
        return raw, kept["vocal"], kept.get("accompaniment"), key
    roformer = engine.roformer("dereverb", job.part(0.0, _OPENING))
    if roformer is None:
        return None
    voices = _Voices(path, mono, roformer, engine)
    start_s = time.perf_counter()
    arrays = voices.dry(job.part(_OPENING, 1.0))
    for role in roles:
        engine.release_memory(role)
    clock.add("dereverb", time.perf_counter() - start_s - voices.separation_s)
    if mono is None:
        clock.add("separation", voices.separation_s)
    # Made anew: memory may have been too short for the other pack.
    key = _keep(_dry_key(sha256, roles, engine), arrays, roles, engine)
    raw = arrays["raw"] if mono is None else mono
    return raw, arrays["vocal"], arrays.get("accompaniment"), key


def joined(blocks: Iterable[FloatArray]) -> FloatArray:
    """Return mono blocks as one read-only array."""
    return read_only(np.concatenate([*blocks, np.zeros(0, np.float32)]))


class _Narrow:
    """A stream at a full rate, brought to mono at 16 kHz."""

    def __init__(self) -> None:
        self._converter = Converter(sample_rate=ANALYSIS_RATE, channels=1)
        self._pieces: list[FloatArray] = []

    def push(self, audio: FloatArray, rate: int) -> None:
        chunk = Chunk(audio=audio, sample_rate=rate, layout=())
        self._pieces += [piece[0] for piece in self._converter.push(chunk)]

    def finish(self) -> FloatArray:
        self._pieces += [piece[0] for piece in self._converter.finish()]
        whole = joined(self._pieces)
        self._pieces.clear()
        return whole


class _Voices:
    """Both networks on one file; keeps what passes between them."""

    def __init__(
        self, path: Path, mono: FloatArray | None, roformer: Roformer, engine: Engine
    ) -> None:
        self._path = path
        self._mono = mono
        self._roformer = roformer
        self._engine = engine
        self._raw, self._rest = _Narrow(), _Narrow()
        self.separation_s = 0.0

    def dry(self, job: Job) -> dict[str, FloatArray]:
        """Return ``vocal``, and of a mixture ``raw`` and ``accompaniment`` too."""
        vocal = _Narrow()
        dry_rate = self._roformer.config.sample_rate
        with open_audio(self._path) as file:
            duration_s = file.info.duration_s
            if self._mono is not None:
                voices = file.blocks(sample_rate=dry_rate, channels=2, block_s=_BLOCK_S)
                progress = job
            else:
                voices = self._separated(file, dry_rate, job)
                progress = job.aside()  # the separation comes first and tells how far it is
            for part in dereverb_roformer(
                voices,
                session=self._roformer.session,
                config=self._roformer.config,
                n_samples=round(duration_s * dry_rate) or None,
                batch=self._roformer.batch,
                job=progress,
            ):
                vocal.push(part.dry, dry_rate)
        if self._mono is not None:
            return {"vocal": _as_long_as(vocal.finish(), self._mono.size)}
        raw = self._raw.finish()
        return {
            "raw": raw,
            "vocal": _as_long_as(vocal.finish(), raw.size),
            "accompaniment": self._rest.finish(),
        }

    def _separated(self, file: AudioFile, dry_rate: int, job: Job) -> Iterator[FloatArray]:
        separator = find_separator(self._engine, job)
        rate = separator.rate
        blocks = file.blocks(sample_rate=rate, channels=2, block_s=_BLOCK_S)

        def voices() -> Iterator[FloatArray]:
            for stems in self._timed(separator.stems(blocks, file.info.duration_s, job)):
                self._raw.push(stems.vocals, rate)
                self._rest.push(stems.accompaniment, rate)
                yield stems.vocals

        return _at_rate(voices(), rate, dry_rate)

    def _timed(self, stems: Iterator[Stems]) -> Iterator[Stems]:
        while True:
            start_s = time.perf_counter()
            part = next(stems, None)
            self.separation_s += time.perf_counter() - start_s
            if part is None:
                return
            yield part


def _at_rate(blocks: Iterator[FloatArray], rate: int, wanted: int) -> Iterator[FloatArray]:
    if rate == wanted:
        yield from blocks
        return
    converter = Converter(sample_rate=wanted, channels=2)
    for block in blocks:
        yield from converter.push(Chunk(audio=block, sample_rate=rate, layout=()))
    yield from converter.finish()


def _as_long_as(audio: FloatArray, n_samples: int) -> FloatArray:
    """Cut or fill up the sample or two by which resampling twice may differ."""
    if audio.size == n_samples:
        return audio
    return read_only(np.pad(audio[:n_samples], (0, max(0, n_samples - audio.size))))


def _dry_key(sha256: str, roles: Iterable[RoformerRole], engine: Engine) -> str:
    models = {role: _models(engine, role) for role in roles}
    return make_key("dry", DRY_VERSION, SEPARATION_VERSION, sha256, models)


def _models(engine: Engine, role: RoformerRole) -> list[str]:
    """Return what a result of a role depends on: its models, and where they run."""
    if engine.pack(role) is None:
        return [engine.entry(role, part).sha256 for part in ("vocals", "accompaniment")]
    return [*engine.pack_contents(role), engine.device]


def _keep(
    key: str, arrays: Mapping[str, FloatArray], roles: Iterable[RoformerRole], engine: Engine
) -> str:
    """Store a result and return its key.

    What was made in part on a device that gave up gets a key that never comes again, so that
    nothing which is computed from it is taken for the result of a good run.
    """
    ran: dict[str, NDArray[Any]] = {
        f"{role}_ran": np.array(engine.what_ran(role)) for role in roles
    }
    if engine.changed:
        return make_key("changed", 1, secrets.token_hex())
    engine.keep(key, {**arrays, **ran})
    return key
