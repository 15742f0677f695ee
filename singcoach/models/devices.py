"""Where networks can run on this machine, and which place is best for one of them.

The machine is looked at through :class:`Machine`, so that tests can make one up.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import platform
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal, Protocol

from singcoach.models.memory import FreeMemory, host_memory

Kind = Literal["cpu", "cuda", "rocm", "mps", "directml", "coreml"]
Engine = Literal["onnxruntime", "torch"]
Wanted = Literal["auto", "cpu", "cuda", "mps"]

UNKNOWN_DEVICE_BYTES = 1_000_000_000
"""Taken to be free where a device does not say: every card of the last ten years has that."""

KINDS_OF: Mapping[Wanted, tuple[Kind, ...]] = {
    "auto": ("cuda", "rocm", "mps", "directml", "coreml", "cpu"),
    "cpu": ("cpu",),
    "cuda": ("cuda", "rocm"),
    "mps": ("mps", "coreml"),
}
"""What each choice of the user stands for, the fastest as a rule first. DirectML is for ``auto``
alone; torch itself calls a card of AMD "cuda"."""

PROVIDERS: Mapping[str, Kind] = {
    "CUDAExecutionProvider": "cuda",
    "ROCMExecutionProvider": "rocm",
    "MIGraphXExecutionProvider": "rocm",
    "DmlExecutionProvider": "directml",
    "CoreMLExecutionProvider": "coreml",
    "CPUExecutionProvider": "cpu",
}
"""Engines within onnxruntime. Not TensorRT, which compiles a network for minutes first."""

_KIND_NAMES: Mapping[Kind, str] = {
    "cpu": "the processor",
    "cuda": "NVIDIA graphics card",
    "rocm": "AMD graphics card",
    "mps": "Apple graphics",
    "directml": "graphics card through DirectML",
    "coreml": "Apple graphics and neural engine through Core ML",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceInfo:
    """One place where a network can run.

    Attributes
    ----------
    kind, engine
        The sort of device and the library that reaches it.
    name
        For people, such as ``"NVIDIA GeForce RTX 4070"``.
    provider
        As it stands in the assessment: ``"CUDAExecutionProvider"``, ``"torch cuda"``.
    free_bytes, total_bytes
        Memory when it was looked at; None where the device does not say.
    """

    kind: Kind
    engine: Engine
    name: str
    provider: str
    free_bytes: int | None
    total_bytes: int | None

    @property
    def key(self) -> str:
        """The device without what changes from minute to minute."""
        return f"{self.provider} {self.name}"

    @property
    def room_bytes(self) -> int:
        """Free memory, guessed low where the device does not say."""
        return UNKNOWN_DEVICE_BYTES if self.free_bytes is None else self.free_bytes

    @property
    def shares_host_memory(self) -> bool:
        """Whether what runs here takes the memory of the whole machine."""
        return self.kind in ("cpu", "mps", "coreml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A graphics card as its driver describes it."""

    name: str
    free_bytes: int
    total_bytes: int
    driver: str


class Machine(Protocol):
    """What has to be known of a machine; :data:`THIS_MACHINE` asks the real one."""

    def memory(self) -> FreeMemory:
        """Return the memory of the host."""
        ...

    def providers(self) -> Sequence[str]:
        """Return what onnxruntime was built with, by its names."""
        ...

    def nvidia_cards(self) -> tuple[Card, ...]:
        """Return the cards that NVIDIA's driver knows."""
        ...

    def torch_devices(self) -> tuple[DeviceInfo, ...]:
        """Return what torch reaches beside the processor; may import it (seconds)."""
        ...

    def has_torch(self) -> bool:
        """Whether torch is installed; never imports it."""
        ...

    def versions(self) -> Mapping[str, str]:
        """Return what else decides about speed and numbers: system, processor, libraries."""
        ...


class RealMachine:
    """The machine that this program runs on."""

    def memory(self) -> FreeMemory:
        """Return the memory of the host or its container."""
        return host_memory()

    def providers(self) -> Sequence[str]:
        """Return what onnxruntime was built with."""
        import onnxruntime

        return tuple(onnxruntime.get_available_providers())

    def nvidia_cards(self) -> tuple[Card, ...]:
        """Return the cards that NVIDIA's driver knows; none where its tool is missing or fails."""
        tool = shutil.which("nvidia-smi")
        if tool is None:
            return ()
        query = "--query-gpu=name,memory.free,memory.total,driver_version"
        try:
            done = subprocess.run(
                [tool, query, "--format=csv,noheader,nounits"],
                capture_output=True,
                text=True,
                errors="replace",
                timeout=10,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return ()
        return parse_cards(done.stdout) if done.returncode == 0 else ()

    def torch_devices(self) -> tuple[DeviceInfo, ...]:
        """Return torch's cards; torch is imported only where it could have one."""
        if not self.has_torch() or not _torch_may_have_a_card():
            return ()
        # Read once by the library when it starts: the same sums in the same order in every run.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        try:
            import torch
        except (ImportError, OSError):  # a library of the driver is missing
            return ()
        if torch.cuda.is_available():
            free, total = torch.cuda.mem_get_info(0)
            kind: Kind = "rocm" if getattr(torch.version, "hip", None) else "cuda"
            name = torch.cuda.get_device_name(0)
            return (_torch_device(kind, name, int(free), int(total)),)
        if torch.backends.mps.is_available():
            most = int(torch.mps.recommended_max_memory())
            free = min(most - int(torch.mps.driver_allocated_memory()), host_memory().free_bytes)
            return (_torch_device("mps", platform.machine(), max(0, free), most),)
        return ()

    def has_torch(self) -> bool:
        """Whether torch is installed."""
        return _has("torch")

    def versions(self) -> Mapping[str, str]:
        """Return system, processor and the versions of the libraries, without importing them."""
        found = {
            "system": platform.system(),
            "machine": platform.machine(),
            "cores": str(os.cpu_count()),
            "processor": processor_name(),
        }
        for name in ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "torch"):
            found[name] = _version(name)
        return found


THIS_MACHINE: Machine = RealMachine()


def available_devices(
    *, torch: bool = False, machine: Machine = THIS_MACHINE
) -> tuple[DeviceInfo, ...]:
    """Return where networks can run here, the fastest as a rule first.

    Of several cards the first counts. What onnxruntime was built for but does not start (a missing
    driver) is found out when it is tried.

    Parameters
    ----------
    torch
        Also for networks that have a form for torch. It is imported only where a graphics card
        could be there, for that takes seconds; its processor form comes last.
    machine
        The machine to look at.
    """
    memory = machine.memory()
    providers = machine.providers()
    cards = machine.nvidia_cards() if "CUDAExecutionProvider" in providers else ()
    found: list[DeviceInfo] = []
    for provider in providers:
        kind = PROVIDERS.get(provider)
        if kind is None or (kind == "cuda" and not cards):
            continue
        found.append(_onnx_device(kind, provider, cards, memory))
    if torch:
        found += machine.torch_devices()
        if machine.has_torch():
            found.append(_torch_device("cpu", "processor", memory.free_bytes, memory.total_bytes))
    order = KINDS_OF["auto"]
    return tuple(sorted(found, key=lambda device: (order.index(device.kind), device.engine)))


def describe(device: DeviceInfo) -> str:
    """Return a device in plain words."""
    where = _KIND_NAMES[device.kind]
    name = "" if device.kind in ("cpu", "directml", "coreml") else f" {device.name}"
    free = ""
    if device.free_bytes is not None and device.total_bytes is not None:
        free = f", {device.free_bytes / 1e9:.1f} of {device.total_bytes / 1e9:.1f} GB free"
    return f"{where}{name} ({device.engine}{free})"


def parse_cards(text: str) -> tuple[Card, ...]:
    """Return the cards of a listing ``name, free MiB, total MiB, driver``; odd lines are left out.

    Some cards do not tell their memory (``[N/A]``): they count as having
    :data:`UNKNOWN_DEVICE_BYTES`.
    """
    cards = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.rsplit(",", 3)]
        if len(cells) != 4 or not cells[0]:
            continue
        free, total = (
            int(cell) << 20 if cell.isdecimal() else UNKNOWN_DEVICE_BYTES for cell in cells[1:3]
        )
        cards.append(Card(name=cells[0], free_bytes=free, total_bytes=total, driver=cells[3]))
    return tuple(cards)


def _onnx_device(
    kind: Kind, provider: str, cards: tuple[Card, ...], memory: FreeMemory
) -> DeviceInfo:
    name: str = kind
    free: int | None = None
    total: int | None = None
    if kind == "cuda":
        name, free, total = cards[0].name, cards[0].free_bytes, cards[0].total_bytes
    elif kind in ("cpu", "coreml"):
        name = "processor" if kind == "cpu" else platform.machine()
        free, total = memory.free_bytes, memory.total_bytes
    return DeviceInfo(
        kind=kind,
        engine="onnxruntime",
        name=name,
        provider=provider,
        free_bytes=free,
        total_bytes=total,
    )


def _torch_device(kind: Kind, name: str, free_bytes: int, total_bytes: int) -> DeviceInfo:
    return DeviceInfo(
        kind=kind,
        engine="torch",
        name=name,
        provider=f"torch {kind}",
        free_bytes=free_bytes,
        total_bytes=total_bytes,
    )


def _torch_may_have_a_card() -> bool:
    if platform.system() == "Darwin":
        return platform.machine() == "arm64"
    if "+cpu" in _version("torch"):
        return False
    return (
        shutil.which("nvidia-smi") is not None
        or Path("/proc/driver/nvidia/version").exists()
        or Path("/dev/kfd").exists()
    )


def _has(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


@functools.cache
def processor_name() -> str:
    """Return the processor's name where the system tells it in a file; else what Python knows."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor()
