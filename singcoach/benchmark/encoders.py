"""Memory, speed and agreement of a rounded encoder beside the exact one, on made-up weights.

Run as ``python -m singcoach.benchmark.encoders --size large-v3``. Each step runs in a process of
its own, so that its peak of memory is its own; both networks hear the same windows with the same
threads in turn. The exact network computes in fp32 from the same file layout with halves, as the
checkpoints are published, because a file of 2.5 GB cannot be one ONNX file.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from singcoach.benchmark.processes import run_child
from singcoach.chain.clock import peak_of
from singcoach.jobs import NO_JOB, Job
from singcoach.models.catalogue import VerifiedModel, load
from singcoach.models.manifest import ModelEntry
from singcoach.models.sessions import open_session
from singcoach.models.weights import open_weights
from singcoach.models.whisper.config import Role, config_from_shapes, recipe_for
from singcoach.models.whisper.convert import convert
from singcoach.models.whisper.graph import write_encoder
from singcoach.models.whisper.products import Form, Style
from singcoach.models.whisper.synthetic import sizes, write_checkpoint

N_WINDOWS = 3


def measure(size: str, *, role: Role, threads: int, job: Job = NO_JOB) -> dict[str, Any]:
    """Make a checkpoint up, convert it and run it, exact and rounded; return the figures."""
    figures: dict[str, Any] = {"size": size, "role": role, "threads": threads}
    with tempfile.TemporaryDirectory(prefix="singcoach-encoders-") as name:
        folder = Path(name)
        for step in ("make", "convert", "exact", "run-int8", "run-exact", "run-int8"):
            found = _child(step, size, role, threads, folder, job)
            kept = figures.get(step)
            if kept is None or found.get("window_s", 0.0) < kept.get("window_s", 0.0):
                figures[step] = found
        ours, exact = (np.load(folder / f"run-{kind}.npy") for kind in ("int8", "exact"))
        cosines = (ours * exact).sum(axis=-1)
        cosines /= np.linalg.norm(ours, axis=-1) * np.linalg.norm(exact, axis=-1)
        figures["cosine_mean"] = float(cosines.mean())
        figures["cosine_worst_frame"] = float(cosines.min())
        figures["exact_over_int8_s"] = (
            figures["run-exact"]["window_s"] / figures["run-int8"]["window_s"]
        )
        figures["exact_over_int8_bytes"] = (
            2 * (folder / "exact.onnx").stat().st_size / (folder / _file(role)).stat().st_size
        )
    return figures


def _child(
    step: str, size: str, role: Role, threads: int, folder: Path, job: Job
) -> dict[str, Any]:
    command = [sys.executable, "-m", __spec__.name if __spec__ else "", "--step", step]
    command[2] = "singcoach.benchmark.encoders"
    command += ["--size", size, "--role", role, "--threads", str(threads), "--folder", str(folder)]
    outcome = run_child(command, environment={}, job=job, stage=step)
    if outcome.code:
        raise RuntimeError(f"{step} failed: {outcome.stderr}")
    figures: dict[str, Any] = json.loads(outcome.stdout)
    return {**figures, "seconds": outcome.seconds, "peak_mb": outcome.peak_memory_mb}


def _step(step: str, size: str, role: Role, threads: int, folder: Path) -> dict[str, Any]:
    checkpoint = folder / "model.pt"
    if step == "make":
        write_checkpoint(checkpoint, sizes(cast("Any", size)))
        return {}
    if step in ("convert", "exact"):
        with open_weights(checkpoint) as weights:
            if step == "convert":
                convert(weights, folder, roles=[role])
                return {"file_mb": (folder / _file(role)).stat().st_size / 1e6}
            config = config_from_shapes(weights.shapes, weights.metadata)
            if config is None:
                raise ValueError("no encoder")
            style = Style(name="whisper-encoder", form=_exact, stored="float16")
            n_blocks = config.blocks_for(role)
            write_encoder(weights, config, folder / "exact.onnx", n_blocks=n_blocks, style=style)
        return {"file_mb": (folder / "exact.onnx").stat().st_size / 1e6}
    file = _file(role) if step == "run-int8" else "exact.onnx"
    return _run(folder / file, folder / f"{step}.npy", size, role, threads)


def _run(path: Path, out: Path, size: str, role: Role, threads: int) -> dict[str, Any]:
    started_s = time.perf_counter()
    session = open_session(_model(path), threads=threads)
    load_s = time.perf_counter() - started_s
    load_mb = peak_of(os.getpid())
    config = sizes(cast("Any", size))
    recipe = recipe_for(config, role)
    rng = np.random.default_rng(2)
    answers, seconds = [], []
    for _ in range(N_WINDOWS):
        n_columns = 2 * recipe.pooling * recipe.window_rows
        mel = rng.normal(0.2, 0.4, (1, config.n_mels, n_columns)).astype(np.float32)
        started_s = time.perf_counter()
        answers.append(session.run({"mel": mel})[0][0])
        seconds.append(time.perf_counter() - started_s)
    np.save(out, np.stack(answers))
    return {
        "load_s": load_s,
        "load_peak_mb": load_mb,
        "window_s": min(seconds),
        "window_audio_s": recipe.window_s,
    }


def _model(path: Path) -> VerifiedModel:
    import hashlib

    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return load(
        ModelEntry(
            id=path.stem,
            role="encoder_general",
            part="",
            version="",
            file=path.name,
            sha256=digest,
            size=path.stat().st_size,
            licence="",
            source="",
            package="",
            sample_rate=16_000,
            inputs=(),
            outputs=(),
            published="",
            folder=path.parent,
        )
    )


def _file(role: Role) -> str:
    return "encoder.onnx" if role == "encoder_general" else "encoder-singing.onnx"


def _exact(_name: str) -> Form:
    return "exact"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, prog="python -m singcoach.benchmark.encoders"
    )
    parser.add_argument("--size", default="large-v3")
    parser.add_argument("--role", default="encoder_general")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--step", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.step:
        found = _step(chosen.step, chosen.size, chosen.role, chosen.threads, chosen.folder)
    else:
        found = measure(chosen.size, role=chosen.role, threads=chosen.threads)
    sys.stdout.write(json.dumps(found, indent=None if chosen.step else 2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
