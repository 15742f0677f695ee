"""A network that runs where it runs best, and goes on elsewhere when that fails.

:func:`open_on_device` is the one call for the networks of packs: it chooses, checks that there is
memory, and opens.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from singcoach.errors import ModelError
from singcoach.jobs import NO_JOB, Job
from singcoach.models.catalogue import load
from singcoach.models.devices import (
    THIS_MACHINE,
    DeviceInfo,
    Machine,
    Wanted,
    available_devices,
)
from singcoach.models.manifest import ModelEntry
from singcoach.models.memory import OutOfMemoryError, plan_batch, require_host
from singcoach.models.sessions import AnySession, Tensor, open_session, release_memory
from singcoach.models.torch_session import LoadNetwork, open_torch_session
from singcoach.models.trial import (
    ChoiceStore,
    broken_warning,
    choice_key,
    choose_device,
    time_runs,
)

_HELD_SHARE = 1.15
"""A session holds the weights once, a little of it aligned or twice (measured: 1.06 to 1.13)."""

_CARD_BYTES = 600_000_000
"""What the libraries of a graphics card take on it beside the network."""

Open = Callable[[DeviceInfo], AnySession]


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """What is to run: one network in one or two forms.

    Attributes
    ----------
    graph
        Entry of its ONNX file, for the processor and the devices of onnxruntime.
    weights, load_network
        Entry of its checkpoint (safetensors) and the function that makes its torch module from it.
    input_names
        Inputs in the order of the module's ``forward``.
    bytes_per_item
        Memory of one item of the batch while it runs; 0 where nobody knows.
    batched
        Whether axis 0 of all inputs and outputs counts independent items.
    """

    graph: ModelEntry | None = None
    weights: ModelEntry | None = None
    load_network: LoadNetwork | None = None
    input_names: tuple[str, ...] = ()
    bytes_per_item: int = 0
    batched: bool = False

    @property
    def entries(self) -> tuple[ModelEntry, ...]:
        """The files that there are."""
        return tuple(entry for entry in (self.graph, self.weights) if entry is not None)

    def runs_on(self, device: DeviceInfo) -> bool:
        """Whether there is a form for a device."""
        if device.engine == "onnxruntime":
            return self.graph is not None
        return self.weights is not None and self.load_network is not None

    def fixed_bytes(self, device: DeviceInfo) -> int:
        """Return what the weights take on a device whatever the batch."""
        entry = self.graph if device.engine == "onnxruntime" else self.weights
        if entry is None:
            return 0
        held = int(_HELD_SHARE * entry.size)
        if device.engine == "torch" and device.kind != "cpu":
            held //= 2  # half precision
        return held + (0 if device.shares_host_memory else _CARD_BYTES)

    def needed_bytes(self, device: DeviceInfo) -> int:
        """Return what the smallest plan takes on a device."""
        return self.fixed_bytes(device) + self.bytes_per_item


class DeviceSession:
    """A session on the device that was chosen; made by :func:`open_on_device`.

    When memory runs out in a run of several items, it goes on with half as many at a time, down to
    one, and then with the processor; a device that fails gives way to the processor in the middle
    of the song, with the same chunk. Each of these adds a warning. Numbers of two devices differ by
    their rounding: a result with :attr:`changed` set is not to be kept for later.

    Parameters
    ----------
    opener
        Opens the network on a device.
    device
        The place that was chosen.
    processor
        Where to go on; None where the network has no form for it.
    network
        For the plans.
    warnings
        What there was to say before.
    machine
        For the free memory.
    """

    def __init__(
        self,
        opener: Open,
        *,
        device: DeviceInfo,
        processor: DeviceInfo | None,
        network: Network,
        warnings: Sequence[str] = (),
        machine: Machine = THIS_MACHINE,
    ) -> None:
        self._opener = opener
        self._processor = processor if device.kind != "cpu" else None
        self._network = network
        self._machine = machine
        self._warnings = list(warnings)
        self._changed = False
        self._at_once: int | None = None
        self._change = threading.Lock()
        self._device = device
        try:
            self._inner = opener(device)
        except ModelError as error:
            if self._processor is None:
                raise
            self._warnings.append(broken_warning(device, error) + "; the processor is used instead")
            self._inner = self._go_to_processor()
        self._providers = [self._inner.provider]

    @property
    def model_id(self) -> str:
        """Id of the manifest entry that is running."""
        return self._inner.model_id

    @property
    def device(self) -> DeviceInfo:
        """Where the network runs now."""
        return self._device

    @property
    def provider(self) -> str:
        """What ran the network, for the assessment; two names where it changed in between."""
        return ", then ".join(self._providers)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know about where it ran; may grow with every run."""
        return (*self._warnings, *self._inner.notices)

    @property
    def notices(self) -> tuple[str, ...]:
        """The same as :attr:`warnings`."""
        return self.warnings

    @property
    def changed(self) -> bool:
        """Whether a run ended otherwise than it was planned: elsewhere, or in smaller batches."""
        return self._changed or bool(self._inner.notices)

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the inputs."""
        return self._inner.input_names

    def begin_take(self) -> None:
        """Begin anew with :attr:`provider`; what went wrong before stays told and stays changed."""
        self._providers = self._providers[-1:]

    def work_smaller(self, warning: str) -> None:
        """Take note that less is worked on at once than was published; see :attr:`changed`."""
        self._changed = True
        self._warn(warning)

    def batch_size(self, at_most: int = 8) -> int:
        """Return how many items to give to :meth:`run` at once, from the free memory.

        One on the processor, where more only take memory; a power of two on a card.

        Raises
        ------
        NotEnoughMemoryError
            When there is no room for a single item any more.
        """
        per_item = self._network.bytes_per_item
        release_memory()  # what earlier runs worked in counts as free
        if self._device.kind == "cpu":
            require_host(per_item, memory=self._machine.memory(), name=self.model_id)
            return 1
        if not self._network.batched or per_item == 0:
            return 1
        # The weights are there already; what they took is no longer free.
        now = [d for d in self._devices() if d.key == self._device.key]
        room = now[0].room_bytes if now else self._device.room_bytes
        return plan_batch(room, bytes_fixed=0, bytes_per_item=per_item, at_most=at_most)

    def run(self, inputs: Mapping[str, Tensor], /) -> list[Tensor]:
        """Run the network, in parts or elsewhere where it must be.

        Raises
        ------
        ValueError
            When the names, types or shapes of the inputs are not those of the model.
        OutOfMemoryError
            When one item does not fit, on the processor either.
        ModelError
            When it fails on the processor.
        Cancelled
            After :meth:`stop`.
        """
        n_items = self._n_items(inputs)
        at_once = self._at_once
        if at_once is not None and n_items > at_once:
            return self._run_in_parts(inputs, n_items, at_once)
        inner = self._inner
        try:
            return inner.run(inputs)
        except OutOfMemoryError as error:
            if n_items > 1:
                self._halve(n_items)
            else:
                self._leave(inner, error, "ran out of memory")
        except ModelError as error:
            self._leave(inner, error, "failed in the middle of the work")
        return self.run(inputs)

    def stop(self) -> None:
        """End the runs under way in other threads."""
        self._inner.stop()

    def close(self) -> None:
        """Give weights and memory back; no run may follow."""
        self._inner.close()

    def release_memory(self) -> None:
        """Give back what the runs worked in; the weights stay. Call after a stage."""
        release_memory()

    def _n_items(self, inputs: Mapping[str, Tensor]) -> int:
        lengths = {len(value) for value in inputs.values() if value.ndim}
        return lengths.pop() if self._network.batched and len(lengths) == 1 else 1

    def _run_in_parts(
        self, inputs: Mapping[str, Tensor], n_items: int, at_once: int
    ) -> list[Tensor]:
        parts = [
            self.run({name: value[i : i + at_once] for name, value in inputs.items()})
            for i in range(0, n_items, at_once)
        ]
        return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]

    def _halve(self, n_items: int) -> None:
        with self._change:
            self._at_once = min(self._at_once or n_items, max(1, n_items // 2))
            self._changed = True
            self._warn(
                f"{self._device.name} ran out of memory, so {self.model_id} went on with smaller "
                "batches, which is slower"
            )

    def _leave(self, inner: AnySession, error: ModelError, what: str) -> None:
        """Go on with the processor, or raise ``error`` where that is where we are."""
        with self._change:
            if self._inner is not inner:  # another thread was here before
                return
            if self._processor is None:
                raise error
            self._changed = True
            self._warn(
                f"{self._device.name} {what} ({self._device.provider}), so {self.model_id} went on "
                "with the processor, which is slower"
            )
            self._warnings += inner.notices
            inner.close()
            self._inner = self._go_to_processor()
            self._providers.append(self._inner.provider)

    def _go_to_processor(self) -> AnySession:
        assert self._processor is not None
        device, self._processor = self._processor, None
        require_host(
            self._network.needed_bytes(device),
            memory=self._machine.memory(),
            name=self._network.entries[0].id,
        )
        self._device = device
        self._at_once = None
        return self._opener(device)

    def _warn(self, text: str) -> None:
        if text not in self._warnings:
            self._warnings.append(text)

    def _devices(self) -> tuple[DeviceInfo, ...]:
        return available_devices(torch=self._device.engine == "torch", machine=self._machine)


def open_on_device(
    network: Network,
    *,
    wanted: Wanted = "auto",
    trial_inputs: Callable[[], Mapping[str, Tensor]] | None = None,
    threads: int | None = None,
    machine: Machine = THIS_MACHINE,
    opener: Open | None = None,
    choices: Callable[[str], ChoiceStore] = ChoiceStore,
    job: Job = NO_JOB,
) -> DeviceSession:
    """Open a network where the user wants it, or where a trial shows it to be fastest.

    With one candidate, as on a machine without a graphics card, nothing is tried. torch is
    imported only where it has a card, or where the network has no other form. See
    :func:`singcoach.models.trial.choose_device` for what can change the choice.

    Parameters
    ----------
    network
        Its files.
    wanted
        The user's word: ``auto``, ``cpu``, ``cuda`` or ``mps``.
    trial_inputs
        Makes one small item of input, in about a second of work for the processor; None chooses
        the first device that has room, the fastest as a rule, untried.
    threads
        Threads of a run on the processor.
    machine, opener, choices
        For tests: the machine, what opens a session, and where choices are kept.
    job
        Reports the checking and the trial, and may cancel there.

    Raises
    ------
    NotEnoughMemoryError
        Before anything was started, when no device has room, saying how much is needed.
    ModelError
        When a file is damaged or cannot be run at all.
    ValueError
        When the network has no form.
    """
    if not network.entries:
        raise ValueError("the network has neither a graph nor weights")
    release_memory()  # what earlier runs worked in counts as free
    open_one = opener if opener is not None else _opener(network, threads, job)
    found = available_devices(torch=network.weights is not None, machine=machine)
    candidates = [device for device in found if network.runs_on(device)]

    def trial(device: DeviceInfo, best_s: float) -> float:
        assert trial_inputs is not None
        session = open_one(device)
        try:
            return time_runs(session, trial_inputs(), best_s=best_s, job=job)
        finally:
            session.close()

    remembered = None
    if trial_inputs is not None and len(candidates) > 1:
        hashes = [entry.sha256 for entry in network.entries]
        key = choice_key(hashes, candidates, wanted=wanted, threads=threads, machine=machine)
        remembered = choices(key)
    choice = choose_device(
        wanted,
        candidates,
        trial if trial_inputs is not None else None,
        needed_bytes=network.needed_bytes,
        remembered=remembered,
        job=job,
    )
    if choice.device.shares_host_memory:
        require_host(
            network.needed_bytes(choice.device),
            memory=machine.memory(),
            name=network.entries[0].id,
        )
    processors = [device for device in candidates if device.kind == "cpu"]
    return DeviceSession(
        open_one,
        device=choice.device,
        processor=processors[0] if processors else None,
        network=network,
        warnings=choice.warnings,
        machine=machine,
    )


def _opener(network: Network, threads: int | None, job: Job) -> Open:
    def open_one(device: DeviceInfo) -> AnySession:
        if device.engine == "onnxruntime":
            assert network.graph is not None
            return open_session(load(network.graph, job), threads=threads, device=device)
        assert network.weights is not None
        assert network.load_network is not None
        return open_torch_session(
            network.weights,
            network.load_network,
            device,
            input_names=network.input_names,
            threads=threads,
            job=job,
        )

    return open_one
