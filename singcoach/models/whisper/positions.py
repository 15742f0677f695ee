"""What an encoder answers at each place of a window whatever is heard there.

About half of the variance of Whisper's answers comes from the place in the window alone. Its mean
over many sounds is taken away by ``singcoach.encoders``, so that the same bar looks much the same
wherever a recording was cut. The sounds need not be music: on Whisper base the mean over pictures
of noise did as well as the mean over real singing (``docs/encoders.md``), so a pack is measured
when it is added, without any recording.
"""

from __future__ import annotations

import mmap
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYetError
from pathlib import Path

import numpy as np

from singcoach.core.arrays import FloatArray
from singcoach.jobs import NO_JOB, Job
from singcoach.models.catalogue import VerifiedModel
from singcoach.models.manifest import ModelEntry
from singcoach.models.sessions import Session, Tensor, open_session
from singcoach.models.whisper.config import Recipe, WhisperConfig
from singcoach.models.whisper.graph import WrittenEncoder
from singcoach.models.whisper.products import PositionTable

N_WINDOWS = 16
RANK = 48
_SEED = 1
_MEAN, _SPREAD = 0.3, 0.25
"""Of the noise, as in the log-mel picture of a voice; 0.3 is about half of its range."""

_POLL_S = 0.1
_STAGE = "measuring the encoder's places"


def empty_table(config: WhisperConfig) -> PositionTable:
    """Return a table that takes nothing away, with the shapes of the measured one."""
    n_rows = config.n_positions // config.pooling
    rank = min(RANK, n_rows, config.n_dims)
    return PositionTable(
        np.zeros((n_rows, rank), dtype=np.float16),
        np.zeros((rank, config.n_dims), dtype=np.float16),
    )


def measure_table(
    path: Path,
    written: WrittenEncoder,
    config: WhisperConfig,
    *,
    recipe: Recipe,
    job: Job = NO_JOB,
) -> None:
    """Run the network at ``path`` on noise and put the mean of its answers into the file.

    Raises
    ------
    ModelError
        When the network cannot be run here.
    OSError
        When the file cannot be written.
    """
    if written.table_places is None or written.table_directions is None:
        raise ValueError("the network has no table")
    mean = _mean_answer(path, config, recipe.window_rows, job)
    table = _compact(mean, empty_table(config))
    with path.open("r+b") as file:
        file.seek(written.table_places)
        file.write(table.places.tobytes())
        file.seek(written.table_directions)
        file.write(table.directions.tobytes())


def _mean_answer(path: Path, config: WhisperConfig, n_rows: int, job: Job) -> FloatArray:
    n_columns = 2 * config.pooling * n_rows
    rng = np.random.default_rng(_SEED)
    total = np.zeros((n_rows, config.n_dims))
    size = path.stat().st_size
    with path.open("rb") as file, mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as mapped:
        # Once the session is open, it keeps a mapping of its own.
        view = memoryview(mapped)
        session = open_session(VerifiedModel(entry=_entry(path, size), content=view))
        view.release()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="encoder") as pool:
        try:
            for i in range(N_WINDOWS):
                noise = rng.standard_normal((1, config.n_mels, n_columns), dtype=np.float32)
                noise *= np.float32(_SPREAD)
                noise += np.float32(_MEAN)
                running = pool.submit(session.run, {"mel": noise})
                total += _awaited(running, session, i / N_WINDOWS, job)[0][0]
        finally:
            session.close()
    mean: FloatArray = (total / N_WINDOWS).astype(np.float32)
    return mean


def _awaited(
    running: Future[list[Tensor]], session: Session, fraction: float, job: Job
) -> list[Tensor]:
    while True:
        try:
            job.report(fraction, _STAGE)
        except BaseException:
            session.stop()
            raise
        try:
            return running.result(timeout=_POLL_S)
        except NotYetError:
            if running.done():
                raise


def _compact(mean: FloatArray, empty: PositionTable) -> PositionTable:
    """Return the mean in the shapes of ``empty``; places beyond the window repeat its last one."""
    n_rows, rank = empty.places.shape
    left, sizes, right = np.linalg.svd(mean.astype(np.float64), full_matrices=False)
    known = (left[:, :rank] * sizes[:rank])[:n_rows]
    places = np.zeros(empty.places.shape, dtype=np.float16)
    directions = np.zeros(empty.directions.shape, dtype=np.float16)
    places[: len(known), : known.shape[1]] = known
    places[len(known) :] = places[len(known) - 1]
    directions[: known.shape[1]] = right[:rank]
    return PositionTable(places, directions)


def _entry(path: Path, size: int) -> ModelEntry:
    return ModelEntry(
        id=path.stem.lower(),
        role="encoder_general",
        part="",
        version="",
        file=path.name,
        sha256="",
        size=size,
        licence="",
        source="",
        package="",
        sample_rate=None,
        inputs=(),
        outputs=(),
        published="",
        folder=path.parent,
    )
