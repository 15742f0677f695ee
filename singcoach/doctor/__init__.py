"""What this machine offers SingCoach, and whether everything that ships is whole."""

from __future__ import annotations

import platform
import re
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from singcoach import resources
from singcoach.doctor.devices import (
    look_at_devices,
    look_at_memory,
    look_at_processor,
    try_devices,
)
from singcoach.doctor.finding import Finding, State
from singcoach.errors import SingCoachError
from singcoach.jobs import NO_JOB, Job

if TYPE_CHECKING:
    from singcoach.models.manifest import ModelEntry

__all__ = ["Finding", "State", "examine"]

ENOUGH_DISK_MB = 1000
ALTERNATIVES = {"onnxruntime": ("onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-rocm")}
"""Packages that stand in for one that is required."""

MAIN_JOB_MODELS = (
    ("separation", "vocals"),
    ("separation", "accompaniment"),
    ("pitch", ""),
    ("encoder_general", ""),
    ("singing_detector", ""),
    ("recording_quality", ""),
    ("heads", ""),
)
"""Roles and parts without which a recording cannot be assessed in full."""
SELF_TEST_HZ = 220.0
SELF_TEST_TOLERANCE_CENTS = 10.0


def examine(*, self_test: bool = True, job: Job = NO_JOB) -> tuple[Finding, ...]:
    """Look at Python, packages, models, recordings, memory, disk, folders and devices.

    Nothing is written but a temporary file in each folder that SingCoach writes to.

    Parameters
    ----------
    self_test
        Also read the shipped recording and track the pitch of a tone (some seconds).

    Raises
    ------
    Cancelled
        When ``job`` was cancelled.
    """

    def models() -> Iterable[Finding]:
        done = looks.index(models)
        return _models(job.part(done / len(looks), (done + 1) / len(looks)))

    looks: list[Callable[[], Iterable[Finding]]] = [
        _python,
        _packages,
        look_at_processor,
        look_at_memory,
        look_at_devices,
        _folders,
        models,
        _recordings,
        _audio_devices,
    ]
    if self_test:
        looks += [_decoder_test, _pitch_test, try_devices]
    findings: list[Finding] = []
    for done, look in enumerate(looks):
        job.report(done / len(looks), "looking")
        findings.extend(look())
    job.report(1.0, "looking")
    return tuple(findings)


# --- the machine ----------------------------------------------------------------------------


def _python() -> Iterator[Finding]:
    version = platform.python_version()
    text = f"Python {version}, {platform.system()} {platform.release()} on {platform.machine()}"
    yield Finding(area="python", name="version", state="ok", text=text)


def _packages() -> Iterator[Finding]:
    requirements = _requirements()
    if requirements is None:
        yield Finding(
            area="packages",
            name="singcoach",
            state="note",
            text="SingCoach runs from its source folder and is not installed",
        )
        return
    for requirement in requirements:
        specifier, _, marker = requirement.partition(";")
        named = re.match(r"[\w.-]+", specifier)
        if named is None or "extra" in marker:
            continue
        name = named.group()
        version = _installed(name, *ALTERNATIVES.get(name, ()))
        if version is None:
            yield Finding(
                area="packages",
                name=name,
                state="fault",
                text=f"{specifier.strip()} is not installed",
                hint=f"python -m pip install {name}",
            )
        else:
            yield Finding(area="packages", name=name, state="ok", text=version)


def _installed(*names: str) -> str | None:
    """Return the version of the first of several packages that is there."""
    for name in names:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return None


def _requirements() -> list[str] | None:
    """Return what has to be installed: by the source folder, which is newer, or by the package."""
    try:
        with (Path(__file__).resolve().parents[2] / "pyproject.toml").open("rb") as file:
            project = tomllib.load(file)["project"]
        if project["name"] == "singcoach":
            return [str(requirement) for requirement in project["dependencies"]]
    except (OSError, tomllib.TOMLDecodeError, KeyError):
        pass
    try:
        return metadata.requires("singcoach")
    except metadata.PackageNotFoundError:
        return None


# --- folders --------------------------------------------------------------------------------


def _folders() -> Iterator[Finding]:
    for name, folder in (("data", resources.user_data_dir()), ("cache", resources.cache_dir())):
        yield _folder(name, folder)
    free_mb = shutil.disk_usage(_existing(resources.cache_dir())).free / 1e6
    enough = free_mb >= ENOUGH_DISK_MB
    yield Finding(
        area="folders",
        name="disk",
        state="ok" if enough else "warning",
        text=f"{free_mb / 1000:.1f} GB free",
        hint="" if enough else "Free some disk space; analysed songs are kept in the cache",
    )


def _folder(name: str, folder: Path) -> Finding:
    try:
        with tempfile.TemporaryFile(dir=_existing(folder)):
            pass
        used_mb = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / 1e6
    except OSError as error:
        return Finding(
            area="folders",
            name=name,
            state="fault",
            text=f"{folder} cannot be used ({error.strerror or error})",
            hint="Give yourself the right to write there, or set SINGCOACH_HOME to another folder",
        )
    return Finding(area="folders", name=name, state="ok", text=f"{folder} ({used_mb:.0f} MB)")


def _existing(folder: Path) -> Path:
    """Return ``folder`` or the nearest folder above it that exists."""
    return next(place for place in (folder, *folder.parents) if place.exists())


# --- what ships -----------------------------------------------------------------------------


def _models(job: Job) -> Iterator[Finding]:
    from singcoach.models import catalogue

    try:
        models = catalogue.Catalogue.default()
    except SingCoachError as error:
        yield _fault("models", "manifest", error)
        return
    for role, part in MAIN_JOB_MODELS:
        if models.find(role, part) is None:
            yield Finding(
                area="models",
                name=f"{role} {part}".strip(),
                state="fault",
                text="no model for this part of the analysis is installed",
                hint="Install SingCoach again",
            )
    for pack in models.packs:
        if pack.fault is not None:
            yield _fault("packs", pack.id, pack.fault, state="warning")
    added = [entry for pack in models.packs for entry in pack.entries]
    n = len(models.entries) + len(added)
    for i, entry in enumerate([*models.entries, *added]):
        own = job.part(i / n, (i + 1) / n)
        if i < len(models.entries):
            yield _model(entry, area="models", broken="fault", job=own)
        else:
            yield _model(entry, area="packs", broken="warning", job=own)


def _model(entry: ModelEntry, *, area: str, broken: State, job: Job) -> Finding:
    """Check one file; a pack that is not whole is a warning: the main job works without it."""
    from singcoach.models import catalogue

    try:
        catalogue.verify(entry, job)
    except SingCoachError as error:
        return _fault(area, entry.id, error, state=broken)
    text = f"{entry.role}, version {entry.version}, {entry.size / 1e6:.1f} MB, {entry.licence}"
    return Finding(area=area, name=entry.id, state="ok", text=text)


def _recordings() -> Iterator[Finding]:
    from singcoach.audio.hashing import sha256_file

    folder = resources.assets_dir()
    try:
        with (folder / "manifest.toml").open("rb") as file:
            assets = tomllib.load(file)["asset"]
        for asset in assets:
            whole = sha256_file(folder / asset["file"]) == asset["sha256"]
            yield Finding(
                area="recordings",
                name=asset["file"],
                state="ok" if whole else "warning",
                text=asset["attribution"] if whole else "is not the recording that shipped",
                hint="" if whole else "Install SingCoach again; only the demo needs it",
            )
    except (OSError, SingCoachError, tomllib.TOMLDecodeError, KeyError) as error:
        yield Finding(
            area="recordings",
            name="manifest.toml",
            state="warning",
            text=f"the recordings that ship cannot be read ({error})",
            hint="Install SingCoach again; only the demo needs them",
        )


def _fault(area: str, name: str, error: SingCoachError, *, state: State = "fault") -> Finding:
    return Finding(area=area, name=name, state=state, text=error.message, hint=error.hint)


# --- devices --------------------------------------------------------------------------------


def _audio_devices() -> Iterator[Finding]:
    try:
        import sounddevice
    except ImportError:
        yield Finding(
            area="audio",
            name="devices",
            state="note",
            text="recording from a microphone is not installed; files can be assessed",
            hint='python -m pip install "singcoach[desktop]"',
        )
        return
    except OSError as error:
        yield Finding(
            area="audio",
            name="devices",
            state="warning",
            text=f"the sound library cannot be loaded ({error})",
            hint="On Debian or Ubuntu: sudo apt-get install -y libportaudio2",
        )
        return
    try:
        devices = list(sounddevice.query_devices())
    except sounddevice.PortAudioError as error:
        yield Finding(area="audio", name="devices", state="warning", text=str(error))
        return
    for kind, channels in (
        ("microphones", "max_input_channels"),
        ("outputs", "max_output_channels"),
    ):
        names = [str(device["name"]) for device in devices if device[channels] > 0]
        yield Finding(
            area="audio",
            name=kind,
            state="ok" if names else "note",
            text="; ".join(names) or "none found",
        )


# --- self-tests -----------------------------------------------------------------------------


def _decoder_test() -> Iterator[Finding]:
    from singcoach.audio.reading import read_audio

    for path in sorted(resources.assets_dir().iterdir()):
        if path.suffix not in {".flac", ".mp3"}:
            continue
        try:
            audio = read_audio(path, sample_rate=16_000, channels=1)
        except SingCoachError as error:
            yield _fault("self-test", path.name, error)
        else:
            text = f"{audio.shape[1] / 16_000:.1f} s read"
            yield Finding(area="self-test", name=path.name, state="ok", text=text)


def _pitch_test() -> Iterator[Finding]:
    import numpy as np

    from singcoach.core.arrays import ANALYSIS_RATE
    from singcoach.models.catalogue import Catalogue
    from singcoach.models.sessions import open_session
    from singcoach.pitch.f0 import track_pitch

    times_s = np.arange(2 * ANALYSIS_RATE) / ANALYSIS_RATE
    tone = sum(0.2 / k * np.sin(2 * np.pi * k * SELF_TEST_HZ * times_s) for k in range(1, 9))
    try:
        session = open_session(Catalogue.default().require("pitch"))
        track = track_pitch(np.asarray(tone, dtype=np.float32), session=session)
    except SingCoachError as error:
        yield _fault("self-test", "pitch", error)
        return
    voiced_hz = track.f0_hz[track.voiced]
    if voiced_hz.size:
        off_cents = 1200.0 * float(np.log2(np.median(voiced_hz) / SELF_TEST_HZ))
        right = abs(off_cents) <= SELF_TEST_TOLERANCE_CENTS
        text = f"a tone of {SELF_TEST_HZ:.0f} Hz is heard {off_cents:+.1f} cents off"
    else:
        right, text = False, f"a tone of {SELF_TEST_HZ:.0f} Hz is not heard"
    yield Finding(
        area="self-test",
        name="pitch",
        state="ok" if right else "fault",
        text=f"{text} ({session.provider})",
        hint="" if right else "Install SingCoach and onnxruntime again",
    )
