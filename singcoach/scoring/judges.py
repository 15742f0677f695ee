"""What judges a dimension: the rules of the heads' file, or a network that its routing names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from singcoach.core.arrays import RealArray
from singcoach.core.scores import DIMENSIONS, Dimension
from singcoach.core.take import Take
from singcoach.jobs import NO_JOB, Job
from singcoach.scoring.heads import head_position
from singcoach.scoring.moments import draw_moments, drawn_values, values_without
from singcoach.scoring.networks import NetworkHead, rows_of_moments, rows_outside
from singcoach.scoring.reading import Reading
from singcoach.scoring.sequences import Sequences, read_sequences
from singcoach.scoring.specs import RULES, Head, Heads, Norm
from singcoach.scoring.uncertainty import draw_members, member_positions

NETWORK_DRAWS = 40
"""Draws of the moments that a network hears: it costs a thousand times what the rules cost."""


class Judge(Protocol):
    """One dimension of one take, judged whole, in parts, and by its doubters."""

    @property
    def label(self) -> str:
        """Name of the head for people."""
        ...

    @property
    def encoder(self) -> str | None:
        """Id of the encoder that it listens to; None without one."""
        ...

    def whole(self) -> float:
        """Position of the take; NaN where it cannot be judged."""
        ...

    def without(self, starts_s: RealArray, ends_s: RealArray, job: Job = NO_JOB) -> RealArray:
        """Positions with each span left out, shape ``(n_spans,)``."""
        ...

    def drawn(self, job: Job = NO_JOB) -> RealArray:
        """Positions by an ensemble over redrawn moments, shape ``(n,)``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesJudge:
    """A signed sum; ``drawn_positions`` come from one draw for all dimensions."""

    head: Head
    norms: Mapping[str, Norm]
    readings: Mapping[str, Reading]
    label: str
    drawn_positions: RealArray
    encoder: str | None = None

    def whole(self) -> float:
        """See :class:`Judge`."""
        own = {name: np.array([reading.value()]) for name, reading in self.readings.items()}
        return float(self._positions(own)[0])

    def without(self, starts_s: RealArray, ends_s: RealArray, job: Job = NO_JOB) -> RealArray:
        """See :class:`Judge`."""
        job.report(0.0, "evidence")
        return self._positions(values_without(self.readings, starts_s, ends_s))

    def drawn(self, job: Job = NO_JOB) -> RealArray:
        """See :class:`Judge`."""
        job.report(1.0, "scores")
        return self.drawn_positions

    def _positions(self, values: Mapping[str, RealArray]) -> RealArray:
        return head_position(values, head=self.head, norms=self.norms)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkJudge:
    """A network over the measures and the encoders' rows of the take."""

    network: NetworkHead
    sequences: Sequences
    readings: Mapping[str, Reading]
    moments_s: RealArray

    @property
    def label(self) -> str:
        """See :class:`Judge`."""
        spec = self.network.spec
        return f"{spec.id} ({spec.architecture}, trained on {spec.loss}s)"

    @property
    def encoder(self) -> str | None:
        """See :class:`Judge`."""
        return self.network.spec.encoder

    def whole(self) -> float:
        """See :class:`Judge`."""
        own = {name: np.array([reading.value()]) for name, reading in self.readings.items()}
        return float(self.network.positions(self.sequences, own).mean())

    def without(self, starts_s: RealArray, ends_s: RealArray, job: Job = NO_JOB) -> RealArray:
        """See :class:`Judge`."""
        values = values_without(self.readings, starts_s, ends_s)
        spans = zip(starts_s, ends_s, strict=True)
        rows = [rows_outside(self.sequences, float(a), float(b)) for a, b in spans]
        return np.asarray(self.network.positions(self.sequences, values, rows, job).mean(axis=1))

    def drawn(self, job: Job = NO_JOB) -> RealArray:
        """See :class:`Judge`; every member judges every draw."""
        counts = draw_moments(len(self.moments_s))[:NETWORK_DRAWS]
        values = drawn_values(self.readings, self.moments_s)
        first = {name: x[:NETWORK_DRAWS] for name, x in values.items()}
        rows = [rows_of_moments(self.sequences, self.moments_s, row) for row in counts]
        return np.asarray(self.network.positions(self.sequences, first, rows, job).ravel())


def make_judges(
    take: Take,
    readings: Mapping[str, Reading],
    moments_s: RealArray,
    heads: Heads,
    networks: Mapping[Dimension, NetworkHead],
) -> tuple[dict[Dimension, Judge], tuple[str, ...]]:
    """Return what judges each dimension, and warnings where the rules have to stand in.

    A network that the routing names but that is not given, or that this take lacks the input for,
    leaves its dimension to the rules.
    """
    drawn = dict.fromkeys(DIMENSIONS, np.zeros(0))
    if len(moments_s):
        drawn = member_positions(drawn_values(readings, moments_s), draw_members(heads), heads)
    routed = [d for d in DIMENSIONS if heads.routing[d] != RULES]
    sequences = read_sequences(take) if routed else None
    judges: dict[Dimension, Judge] = {}
    warnings: list[str] = []
    for dimension in DIMENSIONS:
        judges[dimension] = RulesJudge(
            head=heads.heads[dimension],
            norms=heads.norms,
            readings={n: readings[n] for n in heads.heads[dimension].weights if n in readings},
            label=heads.label,
            drawn_positions=drawn[dimension],
        )
        if dimension not in routed or sequences is None:
            continue
        network = networks.get(dimension)
        if network is None:
            lack: str | None = (
                f"The head {heads.routing[dimension]} is not open, so the rules judged {dimension}"
            )
        else:
            lack = network.lack(sequences)
        if lack is not None or network is None:
            warnings.append(str(lack))
            continue
        judge = NetworkJudge(
            network=network, sequences=sequences, readings=readings, moments_s=moments_s
        )
        if not np.isfinite(judge.whole()):
            warnings.append(
                f"The head {network.spec.id} gave no number, so the rules judged {dimension}"
            )
            continue
        judges[dimension] = judge
        if network.spec.warning:
            warnings.append(network.spec.warning)
    return judges, tuple(warnings)
