"""Running of ONNX models on the processor."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from singcoach.errors import Cancelled, ModelError
from singcoach.models.catalogue import VerifiedModel

Tensor = NDArray[Any]


class Session:
    """A loaded ONNX model; made by :func:`open_session`. Runs may come from several threads."""

    def __init__(self, inner: Any, model: VerifiedModel) -> None:
        self._inner = inner
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
        ModelError
            When the model fails while running (memory, a broken operator).
        """
        if set(inputs) != set(self._input_names):
            raise ValueError(f"{self._model_id} takes {self._input_names}, not {tuple(inputs)}")
        import onnxruntime

        options = onnxruntime.RunOptions()
        self._running[id(options)] = options
        try:
            outputs: list[Tensor] = self._inner.run(None, dict(inputs), options)
        except self._faults as error:
            if options.terminate:
                raise Cancelled(f"stopped {self._model_id}") from None
            if type(error).__name__ == "InvalidArgument":
                raise ValueError(f"{self._model_id}: {error}") from error
            raise ModelError(
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


def open_session(model: VerifiedModel, *, threads: int | None = None) -> Session:
    """Load a verified ONNX model.

    Parameters
    ----------
    model
        From :meth:`singcoach.models.catalogue.Catalogue.require`: its bytes were checked.
    threads
        Threads that one run may use; None means every core that this process may use. The same
        number gives bit-identical results on one machine.

    Raises
    ------
    ModelError
        When the bytes are not a model that can be run here.
    """
    import onnxruntime

    if threads is not None and threads < 1:
        raise ValueError(f"threads is {threads}; 1 or more would work")
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
    try:
        inner = onnxruntime.InferenceSession(
            model.content, sess_options=options, providers=["CPUExecutionProvider"]
        )
    except _faults() as error:
        raise ModelError(
            f"The model {model.entry.id} cannot be run here",
            hint="Update onnxruntime, or install SingCoach again",
            detail=str(error),
        ) from error
    return Session(inner, model)


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
