"""Choosing where a network runs: by a measured trial, once for each model and machine."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from singcoach import files, resources
from singcoach.errors import Cancelled, ModelError, OutputError
from singcoach.jobs import NO_JOB, Job
from singcoach.models.devices import KINDS_OF, THIS_MACHINE, DeviceInfo, Machine, Wanted, describe
from singcoach.models.manifest import ModelEntry
from singcoach.models.memory import not_enough, usable
from singcoach.models.sessions import AnySession, Tensor

_STAGE = "choosing where to compute"
_SCHEMA = "singcoach.device/1"
_MAX_CHOICE_BYTES = 10_000
_LOST_SHARE = 3.0
"""A device whose first run takes this many times the best timed run has lost: first runs are slow,
but not that slow. Without the end, a processor would work on for a minute behind a fast card."""

_LEAST_LIMIT_S = 2.0

Trial = Callable[[DeviceInfo, float], float]
"""Seconds of one run on a device that has run once before; the second argument is the best of the
others, infinity for the first. Raises ModelError when the device does not work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Where a network is to run.

    Attributes
    ----------
    device
        The place.
    warnings
        Sentences for the user when it is not what was asked for, or a device was passed by.
    seconds
        What the trial measured, by :attr:`DeviceInfo.key`; empty where none was needed.
    """

    device: DeviceInfo
    warnings: tuple[str, ...] = ()
    seconds: Mapping[str, float] | None = None


def choose_device(
    wanted: Wanted,
    candidates: Sequence[DeviceInfo],
    trial: Trial | None,
    *,
    needed_bytes: Callable[[DeviceInfo], int] = lambda _device: 0,
    remembered: ChoiceStore | None = None,
    job: Job = NO_JOB,
) -> Choice:
    """Choose where a network runs.

    Of the devices that the user's word allows, those with room are tried in the order given, and
    the fastest wins. One candidate is taken without a trial. A device that is asked for and is
    missing, full or broken gives way to the processor, with a warning.

    The same device is chosen again as long as the choice is remembered: the same model, driver,
    libraries, processor and cards. What can change it: another version of one of these, an emptied
    cache, too little free memory on the device that was chosen (then the others are tried anew and
    nothing is remembered), and a device that failed its trial (it is tried again the next time).

    Parameters
    ----------
    wanted
        The user's word.
    candidates
        From :func:`singcoach.models.devices.available_devices`.
    trial
        Measures one device; None takes the first that has room, untried.
    needed_bytes
        Memory that the smallest plan takes on a device.
    remembered
        Where the choice is kept; None tries every time.

    Raises
    ------
    NotEnoughMemoryError
        When no candidate has room, the processor included.
    ModelError
        When there is no candidate that works.
    """
    allowed = [device for device in candidates if device.kind in KINDS_OF[wanted]]
    processors = [device for device in candidates if device.kind == "cpu"]
    warnings: list[str] = []
    if not allowed:
        warnings.append(
            f"--device {wanted}: no such device that can run this network was found, so it ran on "
            "the processor"
        )
    fitting = [device for device in allowed if _fits(device, needed_bytes)]
    full = [device for device in allowed if device not in fitting]
    warnings += [_full_warning(d, needed_bytes(d)) for d in full if d.kind != "cpu"]
    if not fitting:
        fitting = [device for device in processors if _fits(device, needed_bytes)]
        if not fitting:
            raise _no_room((*processors, *allowed), needed_bytes)
    fitting = _one_processor(fitting)
    if len(fitting) == 1 or trial is None:
        return Choice(device=fitting[0], warnings=tuple(warnings))
    again = remembered.load(fitting) if remembered is not None else None
    if again is not None:
        return Choice(device=again, warnings=tuple(warnings))
    chosen = _measure(fitting, trial, job)
    failed = len(chosen.warnings)
    if remembered is not None and not full and not failed:
        remembered.store(chosen)
    return Choice(
        device=chosen.device, warnings=(*warnings, *chosen.warnings), seconds=chosen.seconds
    )


def time_runs(
    session: AnySession, inputs: Mapping[str, Tensor], *, best_s: float, job: Job = NO_JOB
) -> float:
    """Return the seconds of a second run; infinity when the first shows that it cannot win.

    A stop of the job, or a first run that is far slower than ``best_s``, ends the run under way.
    """
    limit_s = max(_LEAST_LIMIT_S, _LOST_SHARE * best_s)
    try:
        _run_within(session, inputs, limit_s, job)
        start = time.perf_counter()
        _run_within(session, inputs, limit_s, job)
    except _LostError:
        return math.inf
    return time.perf_counter() - start


def trial_inputs(entry: ModelEntry, sizes: Mapping[str, int]) -> dict[str, Tensor]:
    """Return inputs for a trial: the same faint noise every time.

    Parameters
    ----------
    entry
        Its inputs are filled; whole numbers are zeros.
    sizes
        Length of each free dimension; 1 for those that are not named.
    """
    noise = np.random.default_rng(0)
    made: dict[str, Tensor] = {}
    for tensor in entry.inputs:
        shape = [sizes.get(d, 1) if isinstance(d, str) else d for d in tensor.shape]
        if tensor.dtype.startswith("float"):
            made[tensor.name] = (0.1 * noise.standard_normal(shape)).astype(tensor.dtype)
        else:
            made[tensor.name] = np.zeros(shape, dtype=tensor.dtype)
    return made


class ChoiceStore:
    """The device that won, kept in a file by the hash of the model and the machine.

    A damaged or foreign file counts as absent, and one that cannot be written is no fault.

    Parameters
    ----------
    key
        From :func:`choice_key`.
    folder
        Where the files are; the user's cache by default.
    """

    def __init__(self, key: str, folder: Path | None = None) -> None:
        folder = resources.cache_dir() / "devices" if folder is None else folder
        self._path = folder / f"{key}.json"

    def load(self, candidates: Sequence[DeviceInfo]) -> DeviceInfo | None:
        """Return the candidate that won before, if it is among them."""
        stored = _read_choice(self._path) or {}
        for device in candidates:
            if device.key == stored.get("device"):
                return device
        return None

    def store(self, choice: Choice) -> None:
        """Keep a choice, whole or not at all."""
        seconds = {k: s for k, s in (choice.seconds or {}).items() if math.isfinite(s)}
        text = json.dumps({"schema": _SCHEMA, "device": choice.device.key, "seconds": seconds})
        with contextlib.suppress(OutputError):
            files.make_folder(self._path.parent)
            files.write_whole(self._path, text)


def remembered_choices(folder: Path | None = None) -> tuple[str, ...]:
    """Return in words what was chosen before on this computer, whatever the model; for people."""
    folder = resources.cache_dir() / "devices" if folder is None else folder
    found = []
    for path in sorted(folder.glob("*.json")):
        stored = _read_choice(path)
        if stored is not None and isinstance(stored.get("device"), str):
            found.append(str(stored["device"]))
    return tuple(dict.fromkeys(found))


def choice_key(
    model_hashes: Sequence[str],
    devices: Sequence[DeviceInfo],
    *,
    wanted: Wanted,
    threads: int | None,
    machine: Machine = THIS_MACHINE,
) -> str:
    """Return the key of a choice: everything that may decide which device is the fastest."""
    parts = {
        "models": list(model_hashes),
        "devices": sorted(device.key for device in devices),
        "drivers": sorted(card.driver for card in machine.nvidia_cards()),
        "versions": dict(machine.versions()),
        "wanted": wanted,
        "threads": threads,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _read_choice(path: Path) -> dict[str, object] | None:
    try:
        with path.open("rb") as file:
            stored = json.loads(file.read(_MAX_CHOICE_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    return stored if isinstance(stored, dict) and stored.get("schema") == _SCHEMA else None


def _measure(fitting: Sequence[DeviceInfo], trial: Trial, job: Job) -> Choice:
    seconds: dict[str, float] = {}
    warnings: list[str] = []
    best: DeviceInfo | None = None
    fault: ModelError | None = None
    for i, device in enumerate(fitting):
        job.report(i / len(fitting), _STAGE)
        least_s = min(seconds.values(), default=math.inf)
        try:
            took_s = trial(device, least_s)
        except ModelError as error:
            fault = error
            warnings.append(broken_warning(device, error))
            continue
        seconds[device.key] = took_s
        if best is None or took_s < least_s:
            best = device
    job.report(1.0, _STAGE)
    if best is None:
        assert fault is not None
        raise fault
    return Choice(device=best, warnings=tuple(warnings), seconds=seconds)


class _LostError(Exception):
    """The run took too long to win."""


def _run_within(
    session: AnySession, inputs: Mapping[str, Tensor], limit_s: float, job: Job
) -> None:
    """Run in a thread, so that a stop is heard here; what goes wrong is raised here."""
    faults: list[BaseException] = []

    def run() -> None:
        try:
            session.run(inputs)
        except BaseException as error:  # noqa: BLE001 - handed over to the waiting thread
            faults.append(error)

    thread = threading.Thread(target=run, name="trial", daemon=True)
    start = time.monotonic()
    late = False
    thread.start()
    try:
        while thread.is_alive():
            thread.join(timeout=0.05)
            job.report(0.0, _STAGE)
            if thread.is_alive() and time.monotonic() - start > limit_s:
                late = True
                session.stop()
    except BaseException:
        while thread.is_alive():
            session.stop()
            thread.join(timeout=0.05)
        raise
    if faults:
        if late and isinstance(faults[0], Cancelled):
            raise _LostError
        raise faults[0]


def _one_processor(devices: Sequence[DeviceInfo]) -> list[DeviceInfo]:
    """Keep the processor once: its second engine is for networks that the first cannot run."""
    kept: list[DeviceInfo] = []
    for device in devices:
        if device.kind != "cpu" or all(other.kind != "cpu" for other in kept):
            kept.append(device)
    return kept


def _fits(device: DeviceInfo, needed_bytes: Callable[[DeviceInfo], int]) -> bool:
    return needed_bytes(device) <= usable(device.room_bytes)


def _full_warning(device: DeviceInfo, needed_bytes: int) -> str:
    return (
        f"{device.name} has {device.room_bytes / 1e9:.1f} GB of memory free and this network needs "
        f"{needed_bytes / 1e9:.1f} GB there, so it did not run on it"
    )


def broken_warning(device: DeviceInfo, error: ModelError) -> str:
    """Return the sentence for a device that did not work."""
    reason = error.message[:1].lower() + error.message[1:]
    return f"{describe(device)} could not be used: {reason}"


def _no_room(
    devices: Sequence[DeviceInfo], needed_bytes: Callable[[DeviceInfo], int]
) -> ModelError:
    if not devices:
        return ModelError(
            "No engine that can run this network is installed",
            hint="Install onnxruntime, or SingCoach again",
        )
    easiest = min(devices, key=lambda device: needed_bytes(device) - device.room_bytes)
    return not_enough(needed_bytes=needed_bytes(easiest), free_bytes=easiest.room_bytes)
