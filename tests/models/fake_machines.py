"""Machines and sessions that do what a test wants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from singcoach.models.devices import Card, DeviceInfo, Kind
from singcoach.models.memory import FreeMemory

GB = 1_000_000_000


def device(
    kind: Kind = "cpu", *, engine: str = "onnxruntime", free: int | None = 8 * GB, name: str = ""
) -> DeviceInfo:
    names = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
    provider = names.get(kind, f"{kind} provider") if engine == "onnxruntime" else f"torch {kind}"
    return DeviceInfo(
        kind=kind,
        engine=engine,  # type: ignore[arg-type]
        name=name or f"the {kind}",
        provider=provider,
        free_bytes=free,
        total_bytes=free,
    )


class FakeMachine:
    """A machine that has what it is told."""

    def __init__(
        self,
        *,
        providers: Sequence[str] = ("CPUExecutionProvider",),
        cards: Sequence[Card] = (),
        torch: Sequence[DeviceInfo] = (),
        torch_installed: bool = False,
        free: int = 8 * GB,
        versions: Mapping[str, str] | None = None,
    ) -> None:
        self._providers = tuple(providers)
        self._cards = tuple(cards)
        self._torch = tuple(torch)
        self._torch_installed = torch_installed or bool(torch)
        self.free = free
        self._versions = versions or {"system": "Test"}

    def memory(self) -> FreeMemory:
        return FreeMemory(free_bytes=self.free, total_bytes=16 * GB)

    def providers(self) -> Sequence[str]:
        return self._providers

    def nvidia_cards(self) -> tuple[Card, ...]:
        return self._cards

    def torch_devices(self) -> tuple[DeviceInfo, ...]:
        return self._torch

    def has_torch(self) -> bool:
        return self._torch_installed

    def versions(self) -> Mapping[str, str]:
        return self._versions


CARD = Card(name="Test Card 9000", free_bytes=7 * GB, total_bytes=8 * GB, driver="555.1")


class FakeSession:
    """Doubles its input; ``before`` may raise or wait first."""

    def __init__(
        self, provider: str, before: Callable[[FakeSession, np.ndarray], None] | None = None
    ) -> None:
        self.model_id = "fake"
        self.provider = provider
        self.input_names = ("x",)
        self.notices: tuple[str, ...] = ()
        self.batches: list[int] = []
        self.closed = False
        self.stopped = False
        self._before = before

    def run(self, inputs: Mapping[str, np.ndarray], /) -> list[np.ndarray[Any, Any]]:
        assert not self.closed
        x = inputs["x"]
        self.batches.append(len(x))
        if self._before is not None:
            self._before(self, x)
        return [2 * x]

    def stop(self) -> None:
        self.stopped = True

    def close(self) -> None:
        self.closed = True
