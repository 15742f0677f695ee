"""Running of networks that have a form for torch, on its graphics cards and on the processor."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from singcoach.errors import Cancelled, ModelError
from singcoach.jobs import NO_JOB, Job
from singcoach.models.catalogue import verify
from singcoach.models.devices import DeviceInfo
from singcoach.models.manifest import ModelEntry
from singcoach.models.memory import OutOfMemoryError
from singcoach.models.sessions import Tensor, available_cores, is_memory_fault
from singcoach.models.weights import open_weights

Build = Callable[[], Any]
"""Makes the ``torch.nn.Module`` of a network, without its weights. Its ``forward`` takes the
inputs in order and returns a tensor or several. Where it has an attribute ``check``, that is set to
a function to be called between pieces of work, which raises when the run is to end."""

_PREFIX = {"cuda": "cuda", "rocm": "cuda", "mps": "mps", "cpu": "cpu"}


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
    dtype
        Type of torch that the inputs are given in.
    """

    def __init__(
        self,
        module: Any,
        *,
        device: DeviceInfo,
        model_id: str,
        input_names: Sequence[str],
        dtype: Any,
    ) -> None:
        self._module: Any = module
        self._device = device
        self._model_id = model_id
        self._input_names = tuple(input_names)
        self._dtype = dtype
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
        import torch

        try:
            outputs = self._forward(values)
            if self._dtype != torch.float32 and not _all_finite(outputs) and _all_finite(values):
                self._widen()
                outputs = self._forward(values)
        except (RuntimeError, MemoryError) as error:
            if is_memory_fault(error):
                _give_back(self._device)
                raise self._fault(error, OutOfMemoryError) from error
            if self._device.kind == "cpu":  # there is nothing to lose but a wrong shape
                raise ValueError(f"{self._model_id}: {error}") from error
            raise self._fault(error, ModelError) from error
        return outputs

    def _forward(self, values: list[Tensor]) -> list[Tensor]:
        import torch

        place = _PREFIX[self._device.kind]
        with torch.inference_mode():
            given = [
                torch.from_numpy(np.ascontiguousarray(value)).to(device=place, dtype=self._dtype)
                for value in values
            ]
            answer = self._module(*given)
            answers = answer if isinstance(answer, tuple | list) else [answer]
            return [part.to(dtype=torch.float32, device="cpu").numpy() for part in answers]

    def _widen(self) -> None:
        import torch

        self._module.float()
        self._dtype = torch.float32
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
    build: Build,
    device: DeviceInfo,
    *,
    input_names: Sequence[str],
    threads: int | None = None,
    job: Job = NO_JOB,
) -> TorchSession:
    """Load a checkpoint into a network, one tensor at a time.

    Host memory: the device's share (nothing for a card but one tensor). torch's own number of
    threads is set for the whole process.

    Parameters
    ----------
    entry
        The file of weights (safetensors); its SHA-256 is checked first.
    build
        Makes the network. It is called so that no memory is filled with weights that are
        thrown away.
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

    verify(entry, job.part(0.0, 0.4))
    if device.kind == "cpu":
        torch.set_num_threads(threads if threads is not None else available_cores())
    elif device.kind in ("cuda", "rocm"):
        torch.use_deterministic_algorithms(True)
        torch.utils.deterministic.fill_uninitialized_memory = False
    dtype = torch.float32 if device.kind == "cpu" else torch.float16
    try:
        with _blank(torch):
            module = build()
        _fill(module, entry, _PREFIX[device.kind], dtype, job.part(0.4, 1.0))
    except (RuntimeError, MemoryError) as error:
        kind = OutOfMemoryError if is_memory_fault(error) else ModelError
        raise kind(
            f"The model {entry.id} cannot be loaded on {device.name}",
            hint="Close other programs that use it, or use --device cpu",
            detail=str(error),
        ) from error
    module.eval()
    return TorchSession(
        module, device=device, model_id=entry.id, input_names=input_names, dtype=dtype
    )


def _fill(module: Any, entry: ModelEntry, place: str, dtype: Any, job: Job) -> None:
    """Give every parameter its tensor of the file, on the device; buffers are moved there."""
    import torch

    wanted = module.state_dict()
    trained = {
        name
        for name, parameter in module.named_parameters(remove_duplicate=False)
        if parameter.requires_grad
    }
    with open_weights(entry.path) as weights:
        if set(weights.shapes) != set(wanted):
            odd = sorted(set(weights.shapes) ^ set(wanted))
            raise _unfit(entry, f"{len(odd)} tensors are missing or too many: {odd[:3]}")
        for i, name in enumerate(wanted):
            job.report(i / len(wanted), f"loading {entry.id}")
            if tuple(wanted[name].shape) != tuple(weights.shapes[name]):
                raise _unfit(entry, f"{name} is {weights.shapes[name]}")
            # What is not trained, such as frequencies of positions, needs all of its digits.
            exact = name not in trained
            tensor = torch.from_numpy(weights.read(name)).to(
                device=place, dtype=torch.float32 if exact else dtype
            )
            owner_name, _, own_name = name.rpartition(".")
            owner = module.get_submodule(owner_name)
            if own_name in owner._parameters:
                owner._parameters[own_name] = torch.nn.Parameter(tensor, requires_grad=False)
            else:
                owner._buffers[own_name] = tensor
    for part in module.modules():
        for name, buffer in part._buffers.items():
            if buffer is not None:
                part._buffers[name] = buffer.to(device=place)


def _blank(torch: Any) -> Any:
    """Return a context in which new layers do not fill their weights, so that none take memory."""
    from torch.overrides import TorchFunctionMode

    class Blank(TorchFunctionMode):  # type: ignore[misc]
        def __torch_function__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            del types
            kwargs = kwargs or {}
            if getattr(func, "__module__", None) == torch.nn.init.__name__ or (
                getattr(func, "__name__", "") in ("uniform_", "normal_")
            ):
                return kwargs["tensor"] if "tensor" in kwargs else args[0]
            return func(*args, **kwargs)

    return Blank()


def _unfit(entry: ModelEntry, detail: str) -> ModelError:
    return ModelError(
        f"The weights of {entry.id} do not fit their network",
        hint=f"Remove the pack {entry.folder.name} and add it again",
        detail=detail,
    )


def _all_finite(arrays: Sequence[Tensor]) -> bool:
    return all(bool(np.isfinite(array).all()) for array in arrays)


def _give_back(device: DeviceInfo) -> None:
    import torch

    if device.kind in ("cuda", "rocm"):
        torch.cuda.empty_cache()
    elif device.kind == "mps":
        torch.mps.empty_cache()
