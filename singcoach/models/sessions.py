"""Running of ONNX models, on the processor or on a device that onnxruntime reaches.

Memory of a model of 240 MB (int8, measured on Linux): parsed from its bytes, a session peaks at
750 MB and keeps 517 MB; with the weights left in the mapped file (:mod:`.skeleton`) it peaks at
304 MB and keeps 302 MB, in half the time and with the same numbers. 660 MB: 1,930 and 690 MB. What
is kept are the weights in the order in which the processor reads them; without that (prepacking)
the memory is the same, but of the file, and each run orders them anew.
"""

from __future__ import annotations

import contextlib
import functools
import mmap
import os
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from singcoach.errors import Cancelled, ModelError
from singcoach.models.catalogue import VerifiedModel
from singcoach.models.devices import DeviceInfo
from singcoach.models.memory import OutOfMemoryError, return_freed_memory
from singcoach.models.skeleton import NotAModelError, skeleton

Tensor = NDArray[Any]

_CPU = "CPUExecutionProvider"

_MEMORY_WORDS = (
    "bad allocation", "bad_alloc", "failed to allocate", "out of memory", "out_of_memory",
    "outofmemory", "memoryallocation", "8007000e", "available memory of",
)  # fmt: skip
"""What the engines write when memory is short, lower case."""

_IDENTITY_GRAPH = bytes.fromhex(
    "08083a3b0a120a017812036f757422084964656e746974791201675a0f0a0178120a0a0808011204"
    "0a02080162110a036f7574120a0a08080112040a02080142040a001011"
)
"""An ONNX model that hands its one number on: the runtime tidies its memory after a run only."""


class AnySession(Protocol):
    """What the sessions of all engines have in common."""

    @property
    def model_id(self) -> str:
        """Id of the manifest entry that is running."""
        ...

    @property
    def provider(self) -> str:
        """What runs the model, such as ``"CPUExecutionProvider"`` or ``"torch cuda"``."""
        ...

    @property
    def notices(self) -> tuple[str, ...]:
        """What the user should know about the runs so far."""
        ...

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the inputs in the network's order."""
        ...

    def run(self, inputs: Mapping[str, Tensor], /) -> list[Tensor]:
        """Run the model once and return its outputs."""
        ...

    def stop(self) -> None:
        """End the runs under way in other threads; they raise :class:`Cancelled`."""
        ...

    def close(self) -> None:
        """Give weights and memory back; no run may follow."""
        ...


class Session:
    """A loaded ONNX model; made by :func:`open_session`. Runs may come from several threads."""

    def __init__(self, inner: Any, model: VerifiedModel) -> None:
        self._inner: Any = inner
        self._model_id = model.entry.id
        self._input_names = tuple(str(tensor.name) for tensor in inner.get_inputs())
        self._output_names = tuple(str(tensor.name) for tensor in inner.get_outputs())
        self._provider = str(inner.get_providers()[0])
        self._faults = _faults()
        self._running: dict[int, Any] = {}

    @property
    def model_id(self) -> str:
        """Id of the manifest entry that is running."""
        return self._model_id

    @property
    def provider(self) -> str:
        """What runs the model, such as ``"CPUExecutionProvider"``."""
        return self._provider

    @property
    def notices(self) -> tuple[str, ...]:
        """Nothing: a run on this engine does what was asked or fails."""
        return ()

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the inputs in the graph's order."""
        return self._input_names

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs in the graph's order."""
        return self._output_names

    def run(self, inputs: Mapping[str, Tensor]) -> list[Tensor]:
        """Run the model once and return its outputs in the graph's order.

        Raises
        ------
        ValueError
            When the names, types or shapes of the inputs are not those of the model.
        OutOfMemoryError
            When memory ran out; fewer items at once may work.
        ModelError
            When the model fails while running (a broken operator, a lost device).
        """
        if set(inputs) != set(self._input_names):
            raise ValueError(f"{self._model_id} takes {self._input_names}, not {tuple(inputs)}")
        import onnxruntime

        if self._inner is None:
            raise ValueError(f"the session of {self._model_id} is closed")
        options = onnxruntime.RunOptions()
        self._running[id(options)] = options
        try:
            outputs: list[Tensor] = self._inner.run(None, dict(inputs), options)
        except self._faults as error:
            if options.terminate:
                raise Cancelled(f"stopped {self._model_id}") from None
            if type(error).__name__ == "InvalidArgument":
                raise ValueError(f"{self._model_id}: {error}") from error
            kind = OutOfMemoryError if is_memory_fault(error) else ModelError
            raise kind(
                f"The model {self._model_id} failed while running",
                hint="Close other programs to free memory, then try again",
                detail=str(error),
            ) from error
        finally:
            del self._running[id(options)]
        return outputs

    def stop(self) -> None:
        """End the runs under way in other threads; they raise :class:`Cancelled`."""
        for options in list(self._running.values()):
            options.terminate = True

    def close(self) -> None:
        """Give weights and memory back; no run may follow."""
        self._inner = None
        release_memory()


def open_session(
    model: VerifiedModel, *, threads: int | None = None, device: DeviceInfo | None = None
) -> Session:
    """Load a verified ONNX model.

    The weights of a large model (``model.is_mapped``) stay in its file, which must not change as
    long as the session is open.

    Parameters
    ----------
    model
        From :meth:`singcoach.models.catalogue.Catalogue.require`: its bytes were checked.
    threads
        Threads that one run may use; None means every core that this process may use. The same
        number gives bit-identical results on one machine.
    device
        One of the devices of onnxruntime; None is the processor. What a device cannot compute, the
        processor does.

    Raises
    ------
    ModelError
        When the bytes are not a model that can be run here, or the device does not start.
    """
    import onnxruntime

    if threads is not None and threads < 1:
        raise ValueError(f"threads is {threads}; 1 or more would work")
    if device is not None and device.engine != "onnxruntime":
        raise ValueError(f"{device.name} is a device of {device.engine}")
    onnxruntime.set_default_logger_severity(4)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads if threads is not None else available_cores()
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.use_deterministic_compute = True
    _share_memory()
    options.add_session_config_entry("session.use_env_allocators", "1")
    # Planning memory ahead by pattern costs 75 MB in the separation and gains no time.
    options.enable_mem_pattern = False
    # Waiting threads must sleep: the chain runs transforms of its own between two runs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    provider = _CPU if device is None else device.provider
    if provider not in onnxruntime.get_available_providers():
        raise _not_started(provider, "onnxruntime was built without it")
    try:
        inner = onnxruntime.InferenceSession(
            _source(model, options),
            sess_options=options,
            providers=_with_settings(provider),
            enable_fallback=0,  # it would go on with the processor without a word
        )
    except _load_faults() as error:
        kind = OutOfMemoryError if is_memory_fault(error) else ModelError
        raise kind(
            f"The model {model.entry.id} cannot be run here",
            hint="Update onnxruntime, or install SingCoach again",
            detail=str(error),
        ) from error
    if inner.get_providers()[0] != provider:
        raise _not_started(provider, f"onnxruntime chose {inner.get_providers()}")
    # The bytes are kept for a change of the provider, which never happens here.
    if hasattr(inner, "_model_bytes"):
        inner._model_bytes = None
    if model.is_mapped:
        return_freed_memory()
    return Session(inner, model)


def _not_started(provider: str, detail: str) -> ModelError:
    return ModelError(
        f"{provider} did not start",
        hint="Install the driver and the libraries that it needs",
        detail=detail,
    )


def release_memory() -> None:
    """Give the memory back that all sessions work in and that no run needs at this moment.

    Call after a stage with a large network: the shared arena keeps what the largest run took. Runs
    under way in other threads are not disturbed. Some milliseconds.
    """
    _share_memory()
    tidy = _tidy_session()
    import onnxruntime

    options = onnxruntime.RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    tidy.run(None, {"x": np.zeros(1, np.float32)}, options)
    return_freed_memory()


def is_memory_fault(error: BaseException) -> bool:
    """Whether an engine's error says that memory, the host's or the device's, was short."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(words in text for words in _MEMORY_WORDS)


@functools.cache
def _tidy_session() -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.use_env_allocators", "1")
    return onnxruntime.InferenceSession(_IDENTITY_GRAPH, sess_options=options, providers=[_CPU])


def _source(model: VerifiedModel, options: Any) -> bytes:
    if not model.is_mapped:
        return model.content
    # onnxruntime knows this setting since 1.21.
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", str(model.path.parent)
    )
    source = skeleton(model.view, model.entry.file)
    _forget_pages(model)
    return source


def _forget_pages(model: VerifiedModel) -> None:
    """Let the system take the pages back that the check of a mapped file has read."""
    mapping = model.view.obj
    if isinstance(mapping, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        with contextlib.suppress(OSError, ValueError):
            mapping.madvise(mmap.MADV_DONTNEED)


def _with_settings(provider: str) -> list[Any]:
    """Return the provider with what keeps its numbers the same and its memory small."""
    settings = {
        "CUDAExecutionProvider": {
            "arena_extend_strategy": "kSameAsRequested",
            "cudnn_conv_algo_search": "HEURISTIC",
            "use_tf32": "0",
        }
    }
    if provider == _CPU:
        return [_CPU]
    return [(provider, settings.get(provider, {})), _CPU]


@functools.cache
def _share_memory() -> None:
    """Let all sessions of the process work in one arena: they run one after the other."""
    import onnxruntime

    where = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    grow_as_needed = onnxruntime.OrtArenaCfg({"arena_extend_strategy": 1})
    onnxruntime.create_and_register_allocator(where, grow_as_needed)


def available_cores() -> int:
    """Return how many processor cores this process may use, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)


def _load_faults() -> tuple[type[Exception], ...]:
    return (*_faults(), NotAModelError)


def _faults() -> tuple[type[Exception], ...]:
    """Return what onnxruntime raises; its classes share no base of their own."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    found = [
        getattr(state, name)
        for name in (
            "EPFail", "Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NoModel",
            "NoSuchFile", "NotImplemented", "RuntimeException",
        )
        if hasattr(state, name)
    ]  # fmt: skip
    return (*found, RuntimeError, MemoryError)
