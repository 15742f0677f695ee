"""What this machine offers SingCoach, and whether everything that ships is whole."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from singcoach import resources
from singcoach.errors import SingCoachError
from singcoach.jobs import NO_JOB, Job

State = Literal["ok", "note", "warning", "fault"]

ENOUGH_MEMORY_MB = 4000
"""The chain may use 2 GB for an hour of audio; the system and the window need the rest."""
ENOUGH_DISK_MB = 1000
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    ``state``: ``ok``; ``note`` = nothing is wrong but good to know; ``warning`` = a part of
    SingCoach will not work; ``fault`` = the main job will not work. ``hint`` says what to do.
    """

    area: str
    name: str
    state: State
    text: str
    hint: str = ""


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
    looks: list[Callable[[], Iterable[Finding]]] = [
        _python,
        _packages,
        _processor,
        _memory,
        _folders,
        _models,
        _recordings,
        _audio_devices,
    ]
    if self_test:
        looks += [_decoder_test, _pitch_test]
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
    try:
        requirements = metadata.requires("singcoach") or []
    except metadata.PackageNotFoundError:
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
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield Finding(
                area="packages",
                name=name,
                state="fault",
                text=f"{specifier.strip()} is not installed",
                hint=f"python -m pip install {name}",
            )
        else:
            yield Finding(area="packages", name=name, state="ok", text=version)


def _processor() -> Iterator[Finding]:
    cores = os.cpu_count() or 1
    yield Finding(area="processor", name="cores", state="ok", text=f"{cores} cores")
    graphics = _graphics_cards()
    yield Finding(
        area="processor",
        name="graphics",
        state="note" if graphics is None else "ok",
        text=graphics or "no NVIDIA graphics card found; everything runs on the processor",
    )


def _graphics_cards() -> str | None:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    try:
        done = subprocess.run(
            [tool, "--query-gpu=name,memory.total", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return "; ".join(done.stdout.split("\n")).strip("; ") or None if done.returncode == 0 else None


def _memory() -> Iterator[Finding]:
    total_mb = _total_memory_mb()
    if total_mb is None:
        yield Finding(area="memory", name="total", state="note", text="size of the memory unknown")
        return
    enough = total_mb >= ENOUGH_MEMORY_MB
    yield Finding(
        area="memory",
        name="total",
        state="ok" if enough else "warning",
        text=f"{total_mb / 1000:.1f} GB",
        hint="" if enough else "Close other programs before you assess a long recording",
    )


def _total_memory_mb() -> float | None:
    try:
        import psutil
    except ImportError:  # the packages above say so
        return None
    return float(psutil.virtual_memory().total) / 1e6


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


def _models() -> Iterator[Finding]:
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
    for entry in models.entries:
        try:
            catalogue.verify(entry)
        except SingCoachError as error:
            yield _fault("models", entry.id, error)
        else:
            text = (
                f"{entry.role}, version {entry.version}, {entry.size / 1e6:.1f} MB, {entry.licence}"
            )
            yield Finding(area="models", name=entry.id, state="ok", text=text)


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


def _fault(area: str, name: str, error: SingCoachError) -> Finding:
    return Finding(area=area, name=name, state="fault", text=error.message, hint=error.hint)


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
