"""Running of networks that have a form for torch, on its graphics cards and on the processor."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from singcoach.errors import Cancelled, ModelError
from singcoach.jobs import NO_JOB, Job
from singcoach.models.catalogue import verify
from singcoach.models.devices import DeviceInfo
from singcoach.models.manifest import ModelEntry
from singcoach.models.memory import OutOfMemoryError
from singcoach.models.sessions import Tensor, available_cores, is_memory_fault

LoadNetwork = Callable[[Path, str, str], Any]
"""Makes the ``torch.nn.Module`` of a network from its (verified) file, on a device and in a
precision as torch names them: ``load(path, "cuda", "float16")``. Its ``forward`` takes float32
inputs in order and returns a float32 tensor or several. Where it has an attribute ``check``, that
is set to a function to be called between pieces of work, which raises when the run is to end.
Raises ModelError for weights that do not fit, and lets torch's own errors of memory pass."""

_PLACES = {"cuda": "cuda", "rocm": "cuda", "mps": "mps", "cpu": "cpu"}


class TorchSession:
    """A network in torch with the face of :class:`singcoach.models.sessions.Session`.

    Cards compute in half precision (float16: on networks of this size its error is a tenth of
    bfloat16's), the processor in single. Where half precision overflows, the run is done again in
    single precision, which is then kept, and a notice says so.

    Parameters
    ----------
    module
        The network with its weights, on the device.
    device
        Where it is.
    model_id, input_names
        As in the manifest.
    half
        Whether its weights are in half precision.
    """

    def __init__(
        self,
        module: Any,
        *,
        device: DeviceInfo,
        model_id: str,
        input_names: Sequence[str],
        half: bool,
    ) -> None:
        self._module: Any = module
        self._device = device
        self._model_id = model_id
        self._input_names = tuple(input_names)
        self._half = half
        self._notices: tuple[str, ...] = ()
        self._one_at_a_time = threading.Lock()
        self._stops = 0
        self._running = False
        if hasattr(module, "check"):
            module.check = self._check

    @property
    def model_id(self) -> str:
        """Id of the manifest entry that is running."""
        return self._model_id

    @property
    def provider(self) -> str:
        """What runs the network, such as ``"torch cuda"``."""
        return self._device.provider

    @property
    def notices(self) -> tuple[str, ...]:
        """What the user should know about the runs so far."""
        return self._notices

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the inputs in the order in which the network takes them."""
        return self._input_names

    def run(self, inputs: Mapping[str, Tensor], /) -> list[Tensor]:
        """Run the network once; inputs and outputs are float32.

        Raises
        ------
        ValueError
            When the names or shapes of the inputs are not those of the network.
        OutOfMemoryError
            When the device's memory ran out; fewer items at once may work.
        Cancelled
            After :meth:`stop`.
        ModelError
            When the device fails.
        """
        if set(inputs) != set(self._input_names):
            raise ValueError(f"{self._model_id} takes {self._input_names}, not {tuple(inputs)}")
        with self._one_at_a_time:
            if self._module is None:
                raise ValueError(f"the session of {self._model_id} is closed")
            self._stops, self._running = 0, True
            try:
                return self._run_guarded([inputs[name] for name in self._input_names])
            finally:
                self._running = False

    def stop(self) -> None:
        """End the run under way in another thread; it raises :class:`Cancelled`."""
        if self._running:
            self._stops += 1

    def close(self) -> None:
        """Give weights and memory back; no run may follow."""
        with self._one_at_a_time:
            self._module = None
        _give_back(self._device)

    def _run_guarded(self, values: list[Tensor]) -> list[Tensor]:
        try:
            outputs = self._forward(values)
            if self._half and not _all_finite(outputs) and _all_finite(values):
                self._widen()
                outputs = self._forward(values)
        except (RuntimeError, IndexError, MemoryError) as error:
            if is_memory_fault(error):
                _give_back(self._device)
                raise self._fault(error, OutOfMemoryError) from error
            if self._device.kind == "cpu":  # there is nothing to lose but a wrong shape
                raise ValueError(f"{self._model_id}: {error}") from error
            raise self._fault(error, ModelError) from error
        return outputs

    def _forward(self, values: list[Tensor]) -> list[Tensor]:
        import torch

        place = _PLACES[self._device.kind]
        with torch.inference_mode():
            given = [
                torch.from_numpy(np.ascontiguousarray(value, dtype=np.float32)).to(place)
                for value in values
            ]
            answer = self._module(*given)
            answers = answer if isinstance(answer, tuple | list) else [answer]
            return [part.to("cpu").numpy() for part in answers]

    def _widen(self) -> None:
        self._module.float()
        self._half = False
        self._notices = (
            *self._notices,
            f"{self._model_id} overflowed in half precision and went on in single precision on "
            f"{self._device.name}, which is slower",
        )

    def _check(self) -> None:
        if self._stops:
            raise Cancelled(f"stopped {self._model_id}")

    def _fault(self, error: BaseException, kind: type[ModelError]) -> ModelError:
        return kind(
            f"The model {self._model_id} failed while running on {self._device.name}",
            hint="Close other programs that use the graphics card, or use --device cpu",
            detail=str(error),
        )


def open_torch_session(
    entry: ModelEntry,
    load_network: LoadNetwork,
    device: DeviceInfo,
    *,
    input_names: Sequence[str],
    threads: int | None = None,
    job: Job = NO_JOB,
) -> TorchSession:
    """Check a checkpoint and load it into its network.

    torch's own number of threads is set for the whole process, and on a card its choice of
    algorithms that give the same numbers every time.

    Parameters
    ----------
    entry
        The file of weights; its SHA-256 is checked first.
    load_network
        Makes the network from the file.
    device
        One of the devices of torch.
    input_names
        Names of the inputs in the order of the network's ``forward``.
    threads
        Threads of a run on the processor.

    Raises
    ------
    ModelError
        When the file is not the one of the manifest, does not fit the network, or the device does
        not start.
    """
    if device.engine != "torch":
        raise ValueError(f"{device.name} is a device of {device.engine}")
    if threads is not None and threads < 1:
        raise ValueError(f"threads is {threads}; 1 or more would work")
    import torch

    verify(entry, job)
    if device.kind == "cpu":
        torch.set_num_threads(threads if threads is not None else available_cores())
    elif device.kind in ("cuda", "rocm"):
        torch.use_deterministic_algorithms(True)
        torch.utils.deterministic.fill_uninitialized_memory = False
    half = device.kind != "cpu"
    try:
        module = load_network(entry.path, _PLACES[device.kind], "float16" if half else "float32")
    except (RuntimeError, MemoryError) as error:
        kind = OutOfMemoryError if is_memory_fault(error) else ModelError
        raise kind(
            f"The model {entry.id} cannot be loaded on {device.name}",
            hint="Close other programs that use it, or use --device cpu",
            detail=str(error),
        ) from error
    return TorchSession(
        module, device=device, model_id=entry.id, input_names=input_names, half=half
    )


def _all_finite(arrays: Sequence[Tensor]) -> bool:
    return all(bool(np.isfinite(array).all()) for array in arrays)


def _give_back(device: DeviceInfo) -> None:
    """Give the device's memory back; one that is lost has nothing to give and says so in vain."""
    import torch

    with contextlib.suppress(RuntimeError):
        if device.kind in ("cuda", "rocm"):
            torch.cuda.empty_cache()
        elif device.kind == "mps":
            torch.mps.empty_cache()
