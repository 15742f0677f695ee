"""Processor, memory and graphics cards: where networks can run here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from singcoach.doctor.finding import Finding
from singcoach.errors import SingCoachError

if TYPE_CHECKING:
    from singcoach.models.devices import DeviceInfo, Machine

ENOUGH_MEMORY_MB = 4000
"""The chain may use 2 GB for an hour of audio; the system and the window need the rest."""
ENOUGH_FREE_MB = 1500
"""What a song of usual length takes at most."""


def look_at_processor() -> Iterator[Finding]:
    """Say how many cores there are, and which."""
    from singcoach.models.devices import processor_name
    from singcoach.models.sessions import available_cores

    cores = available_cores()
    text = f"{cores} core{'s' if cores > 1 else ''} {processor_name()}".strip()
    yield Finding(area="processor", name="cores", state="ok", text=text)


def look_at_memory() -> Iterator[Finding]:
    """Say how much memory is free, in this container where it is one."""
    try:
        from singcoach.models.memory import host_memory

        memory = host_memory()
    except ImportError:  # the packages above say so
        yield Finding(area="memory", name="total", state="note", text="size of the memory unknown")
        return
    enough = (
        memory.total_bytes >= ENOUGH_MEMORY_MB * 1e6 and memory.free_bytes >= ENOUGH_FREE_MB * 1e6
    )
    yield Finding(
        area="memory",
        name="total",
        state="ok" if enough else "warning",
        text=f"{memory.free_bytes / 1e9:.1f} of {memory.total_bytes / 1e9:.1f} GB free",
        hint="" if enough else "Close other programs before you assess a long recording",
    )


def look_at_devices(machine: Machine | None = None) -> Iterator[Finding]:
    """Say where networks can run and what ``--device auto`` does with that."""
    try:
        from singcoach.models.devices import THIS_MACHINE, available_devices, describe

        machine = machine or THIS_MACHINE
        found = available_devices(torch=True, machine=machine)
        cards = machine.nvidia_cards()
        has_torch = machine.has_torch()
    except ImportError as error:  # the packages above say so
        text = f"cannot be looked at ({error})"
        yield Finding(area="devices", name="engines", state="fault", text=text)
        return
    for device in found:
        yield Finding(area="devices", name=device.provider, state="ok", text=describe(device))
    if not has_torch:
        text = "torch is not installed; model packs run with onnxruntime"
        yield Finding(area="devices", name="torch", state="note", text=text)
    if cards and all(device.kind != "cuda" for device in found):
        yield Finding(
            area="devices",
            name=cards[0].name,
            state="note",
            text="the graphics card is there, but neither onnxruntime nor torch is built for it",
            hint="Install torch with CUDA, or onnxruntime-gpu instead of onnxruntime",
        )
    yield Finding(area="devices", name="auto", state="ok", text=_auto_text(found))


def _auto_text(found: Sequence[DeviceInfo]) -> str:
    from singcoach.models.trial import remembered_choices

    embedded = "the embedded models run on the processor"
    cards = [device for device in found if device.kind != "cpu"]
    if not cards:
        return f"{embedded}, and so do model packs: there is nothing else here"
    names = " and ".join(f"{device.name} ({device.provider})" for device in cards)
    text = f"{embedded}; each model pack is tried once on {names} and on the processor"
    chosen = remembered_choices()
    if chosen:
        text += f", and stays where it was fastest; so far: {'; '.join(chosen)}"
    return text


def try_devices() -> Iterator[Finding]:
    """Start a small network on every device of onnxruntime beside the processor."""
    import numpy as np

    from singcoach.models.catalogue import Catalogue
    from singcoach.models.devices import available_devices
    from singcoach.models.sessions import open_session
    from singcoach.models.trial import trial_inputs

    for device in available_devices():
        if device.kind == "cpu":
            continue
        try:
            model = Catalogue.default().require("recording_quality")
            session = open_session(model, device=device)
            outputs = session.run(trial_inputs(model.entry, {}))
            works = all(bool(np.isfinite(output).all()) for output in outputs)
        except SingCoachError as error:
            yield Finding(
                area="self-test",
                name=device.provider,
                state="warning",
                text=f"{error.message}; networks run on the processor instead",
                hint=error.hint,
            )
        else:
            yield Finding(
                area="self-test",
                name=device.provider,
                state="ok" if works else "warning",
                text="a small network runs" if works else "answers with values that are no numbers",
                hint="" if works else "Update the driver, or use --device cpu",
            )
