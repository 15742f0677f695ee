"""The voice out of a mixture, and the room out of the voice, at the recording's full rate.

The embedded models or the user's packs, as the engine's profile says. What is kept of hours of
audio is mono at 16 kHz.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from singcoach.audio.chunks import Chunk
from singcoach.audio.reading import open_audio
from singcoach.audio.resampling import Converter
from singcoach.chain.cache import make_key
from singcoach.chain.clock import Clock
from singcoach.chain.engine import Engine, Roformer, RoformerRole
from singcoach.core.arrays import ANALYSIS_RATE, FloatArray, read_only
from singcoach.core.take import TakeKind
from singcoach.jobs import NO_JOB, Job
from singcoach.models.sessions import available_cores
from singcoach.separation.roformer import dereverb_roformer, separate_roformer
from singcoach.separation.spleeter import Stems, separate

EMBEDDED_RATE = 44_100
SEPARATION_VERSION = 3
DRY_VERSION = 1

_BLOCK_S = 2.0


def separation_rate(engine: Engine, job: Job = NO_JOB) -> int:
    """Return the rate in Hz at which :func:`separate_blocks` wants its audio."""
    roformer = engine.roformer("separation", job)
    return roformer.config.sample_rate if roformer is not None else EMBEDDED_RATE


def separate_blocks(
    blocks: Iterable[FloatArray], duration_s: float, engine: Engine, job: Job = NO_JOB
) -> Iterator[Stems]:
    """Separate stereo blocks at :func:`separation_rate`.

    ``duration_s`` is the expected length, for the progress.
    """
    roformer = engine.roformer("separation", job)
    if roformer is None:
        return separate(
            blocks,
            vocals=engine.session("separation", "vocals"),
            accompaniment=engine.session("separation", "accompaniment"),
            n_samples=round(duration_s * EMBEDDED_RATE) or None,
            workers=engine.threads or available_cores(),
            job=job,
        )
    return separate_roformer(
        blocks,
        session=roformer.session,
        config=roformer.config,
        n_samples=round(duration_s * roformer.config.sample_rate) or None,
        batch=roformer.session.batch_size(),
        job=job,
    )


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
        engine.ran("separation", _kept_provider(kept))
        return kept["vocal"], kept["accompaniment"], key
    rate = separation_rate(engine, job)
    vocal, rest = _Narrow(), _Narrow()
    with open_audio(path) as file:
        blocks = file.blocks(sample_rate=rate, channels=2, block_s=_BLOCK_S)
        for stems in separate_blocks(blocks, file.info.duration_s, engine, job):
            vocal.push(stems.vocals, rate)
            rest.push(stems.accompaniment, rate)
    engine.release_memory("separation")
    key = separation_key(sha256, engine)  # memory may have been too short for the pack
    arrays = {"vocal": vocal.finish(), "accompaniment": rest.finish()}
    _keep(key, arrays, ("separation",), engine)
    return arrays["vocal"], arrays["accompaniment"], key


def dry_voice(
    path: Path, sha256: str, kind: TakeKind, *, engine: Engine, clock: Clock, job: Job = NO_JOB
) -> tuple[FloatArray, FloatArray, FloatArray | None, str] | None:
    """Take the room out of a voice with the user's pack, out of a mixture after separation.

    Both networks work at full rate, one after the other on each stretch.

    Returns
    -------
    The voice before and after, the accompaniment (None for a solo take), mono at 16 kHz, and the
    cache key of the dry voice; None where no pack does this work.
    """
    if engine.pack("dereverb") is None:
        return None
    key = _dry_key(sha256, kind, engine)
    kept = engine.cache.load(key)
    if kept is not None:
        for role in _roles(kind):
            engine.ran(role, _kept_provider(kept, role))
        return kept["raw"], kept["vocal"], kept.get("accompaniment"), key
    roformer = engine.roformer("dereverb", job)
    if roformer is None:
        return None
    voices = _Voices(path, kind, roformer, engine)
    start_s = time.perf_counter()
    arrays = voices.dry(job)
    for role in _roles(kind):
        engine.release_memory(role)
    clock.add("dereverb", time.perf_counter() - start_s - voices.separation_s)
    if kind == "mixture":
        clock.add("separation", voices.separation_s)
    key = _dry_key(sha256, kind, engine)
    _keep(key, arrays, _roles(kind), engine)
    return arrays["raw"], arrays["vocal"], arrays.get("accompaniment"), key


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

    def __init__(self, path: Path, kind: TakeKind, roformer: Roformer, engine: Engine) -> None:
        self._path = path
        self._kind = kind
        self._roformer = roformer
        self._engine = engine
        self.separation_s = 0.0

    def dry(self, job: Job) -> dict[str, FloatArray]:
        raw, vocal, rest = _Narrow(), _Narrow(), _Narrow()
        dry_rate = self._roformer.config.sample_rate
        mixture = self._kind == "mixture"
        # Progress is told by the network that comes first; both are checked for a stop.
        first, second = (job, job.aside()) if mixture else (job, job)
        rate = separation_rate(self._engine, job) if mixture else dry_rate
        with open_audio(self._path) as file:
            duration_s = file.info.duration_s
            blocks = file.blocks(sample_rate=rate, channels=2, block_s=_BLOCK_S)

            def voices() -> Iterator[FloatArray]:
                if not mixture:
                    for block in blocks:
                        raw.push(block, rate)
                        yield block
                    return
                for stems in self._timed(separate_blocks(blocks, duration_s, self._engine, first)):
                    raw.push(stems.vocals, rate)
                    rest.push(stems.accompaniment, rate)
                    yield stems.vocals

            for part in dereverb_roformer(
                _at_rate(voices(), rate, dry_rate),
                session=self._roformer.session,
                config=self._roformer.config,
                n_samples=round(duration_s * dry_rate) or None,
                batch=self._roformer.session.batch_size(),
                job=second,
            ):
                vocal.push(part.dry, dry_rate)
        arrays = {"raw": raw.finish(), "vocal": vocal.finish()}
        arrays["vocal"] = _as_long_as(arrays["vocal"], arrays["raw"].size)
        if mixture:
            arrays["accompaniment"] = rest.finish()
        return arrays

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


def _roles(kind: TakeKind) -> tuple[RoformerRole, ...]:
    return ("separation", "dereverb") if kind == "mixture" else ("dereverb",)


def _dry_key(sha256: str, kind: TakeKind, engine: Engine) -> str:
    models = [_models(engine, role) for role in _roles(kind)]
    return make_key("dry", DRY_VERSION, SEPARATION_VERSION, sha256, kind, models)


def _models(engine: Engine, role: RoformerRole) -> list[str]:
    """Return what a result of a role depends on: the hashes of its models, and where they run."""
    if engine.pack(role) is None:
        return [engine.entry(role, part).sha256 for part in ("vocals", "accompaniment")]
    return [*engine.pack_hashes(role), engine.device]


def _keep(
    key: str, arrays: Mapping[str, FloatArray], roles: Iterable[RoformerRole], engine: Engine
) -> None:
    """Store a result, unless it was made in part on a device that gave up on the way."""
    roles = tuple(roles)
    if any(engine.changed(role) for role in roles):
        return
    names: dict[str, NDArray[Any]] = {
        f"{role}_provider": np.array(engine.provider(role)) for role in roles
    }
    engine.cache.store(key, {**arrays, **names})


def _kept_provider(kept: Mapping[str, NDArray[Any]], role: str = "separation") -> str:
    return str(kept[f"{role}_provider"])
