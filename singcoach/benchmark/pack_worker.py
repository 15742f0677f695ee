"""One variant of a pack's network in a process of its own.

``python -m singcoach.benchmark.pack_worker WORK FOLDER --threads N`` prints one line of JSON.
``WORK`` is ``make`` (weights and graphs), the name of a variant, or ``schedules`` (both ways of
cutting, ours in 8 bits). A variant prints ``{"seconds": [...], "processor_s": s,
"peak_memory_mb": m}``, one time per chunk and the mean of all cores' work for one, and leaves the
voices in the folder.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from singcoach.audio.reading import read_audio
from singcoach.benchmark.pack_variants import (
    CONFIG_FILE,
    VARIANTS,
    WEIGHTS_FILE,
    Variant,
    open_masks,
    prepare,
)
from singcoach.benchmark.peers import Missing
from singcoach.chain.clock import peak_memory_mb
from singcoach.core.arrays import FloatArray
from singcoach.errors import SingCoachError
from singcoach.models.roformer.config import RoformerConfig, config_from_json, expected_shapes
from singcoach.models.roformer.graph import write_graph
from singcoach.models.roformer.synthetic import tensor_reader, write_checkpoint
from singcoach.separation.roformer import DEFAULT_OVERLAP, overlap_of, separate_roformer

MAKE = "make"
SCHEDULES = "schedules"
SONG_FILE = "song.wav"
COMMON_OVERLAP = 2
"""How often the common tools look at every moment."""
SEED = 0
_SCHEDULE_VARIANT = "onnx-int8"


def voices_file(folder: Path, name: str) -> Path:
    """Return where a variant leaves its voices, ``(n_chunks, 2, n_samples)``."""
    return folder / f"voices-{name}.npy"


def main(argv: Sequence[str] | None = None) -> int:
    """Do the named work once and print what it took; returns the exit code."""
    parser = argparse.ArgumentParser(prog="singcoach.benchmark.pack_worker")
    parser.add_argument("work", choices=(MAKE, SCHEDULES, *VARIANTS))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int, required=True)
    args = parser.parse_args(argv)
    try:
        # Peers print; standard output is for the result alone.
        with contextlib.redirect_stdout(sys.stderr):
            result = _do(args.work, args.folder, args.threads)
    except Missing as missing:
        result = {"missing": str(missing)}
    except SingCoachError as error:
        print(f"{error.message}. {error.hint}".strip(), file=sys.stderr)  # noqa: T201 - a program
        return error.exit_code
    print(json.dumps(result))  # noqa: T201 - the result of this program
    return 0


def _do(work: str, folder: Path, threads: int) -> dict[str, Any]:
    config = config_from_json((folder / CONFIG_FILE).read_text(encoding="utf-8"))
    if work == MAKE:
        return _make(folder, config)
    song = read_audio(folder / SONG_FILE, sample_rate=config.sample_rate, channels=config.channels)
    if work == SCHEDULES:
        return _schedules(song, folder, config, threads)
    return _variant(VARIANTS[work], song, folder, config, threads)


class _MadeUp:
    def __init__(self, config: RoformerConfig) -> None:
        self.shapes = expected_shapes(config)
        self.read = tensor_reader(config, SEED)


def _make(folder: Path, config: RoformerConfig) -> dict[str, Any]:
    write_checkpoint(folder / WEIGHTS_FILE, config, SEED, form=".safetensors")
    sizes = {WEIGHTS_FILE: (folder / WEIGHTS_FILE).stat().st_size}
    for variant in VARIANTS.values():
        if variant.kind == "onnx":
            path = folder / variant.graph_file
            write_graph(
                _MadeUp(config), config, path,
                precision="int8" if variant.precision == "int8" else "fp32",
            )  # fmt: skip
            sizes[path.name] = path.stat().st_size
    return {"file_mb": {name: size / 1e6 for name, size in sizes.items()}}


def cut(song: FloatArray, config: RoformerConfig) -> FloatArray:
    """Return the whole chunks of a song as the common tools cut it, ``(n, channels, samples)``."""
    step = config.chunk_size // COMMON_OVERLAP
    starts = range(0, song.shape[1] - config.chunk_size + 1, step)
    return np.stack([song[:, start : start + config.chunk_size] for start in starts])


def _variant(
    variant: Variant, song: FloatArray, folder: Path, config: RoformerConfig, threads: int
) -> dict[str, Any]:
    chunks = cut(song, config)
    separate = prepare(variant, folder, threads=threads)
    if variant.device == "cuda":
        separate(np.repeat(chunks[:1], variant.batch, axis=0))  # kernels are chosen at first use
        chunks = np.repeat(chunks, -(-variant.batch // len(chunks)), axis=0)
    seconds: list[float] = []
    voices = []
    began_processor_s = time.process_time()
    for start in range(0, len(chunks), variant.batch):
        group = chunks[start : start + variant.batch]
        began_s = time.perf_counter()
        voices.append(separate(group))
        seconds += [(time.perf_counter() - began_s) / len(group)] * len(group)
    processor_s = (time.process_time() - began_processor_s) / len(chunks)
    np.save(voices_file(folder, variant.name), np.concatenate(voices))
    return {
        "seconds": seconds,
        "processor_s": processor_s,
        "peak_memory_mb": _peak(variant),
    }


def _peak(variant: Variant) -> float:
    if variant.device == "cpu":
        return peak_memory_mb()
    import torch

    return float(torch.cuda.max_memory_allocated()) / 1e6


def _schedules(
    song: FloatArray, folder: Path, config: RoformerConfig, threads: int
) -> dict[str, Any]:
    """Separate the song both ways and compare the voices."""
    session = open_masks(VARIANTS[_SCHEDULE_VARIANT], folder, config, threads=threads)
    voices = []
    for overlap in (overlap_of(COMMON_OVERLAP), DEFAULT_OVERLAP):
        stream = separate_roformer([song], session=session, config=config, overlap=overlap)
        voices.append(np.concatenate([part.vocals for part in stream], axis=1))
    common, ours = voices
    return {"difference_db": distance_db(common, ours)}


def distance_db(wanted: FloatArray, found: FloatArray) -> float:
    """Return how far below ``wanted`` the difference lies, in dB; at most 200."""
    signal = float(np.square(wanted, dtype=np.float64).sum())
    error = float(np.square(wanted.astype(np.float64) - found).sum())
    return float(10 * np.log10(signal / max(error, 1e-20 * signal))) if signal else 200.0


if __name__ == "__main__":
    sys.exit(main())
