"""Heads that are networks: opening them and running them on a take.

A network is one ONNX file that holds a whole ensemble. It takes the raw measures (NaN: missing) and
the rows of the encoders that it names, and gives one number per member; standardisation is inside.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from singcoach.core.arrays import BoolArray, RealArray
from singcoach.core.scores import Dimension
from singcoach.errors import ModelError
from singcoach.jobs import NO_JOB, Job
from singcoach.models.catalogue import VerifiedModel, load
from singcoach.models.manifest import ModelEntry
from singcoach.models.sessions import AnySession, open_session
from singcoach.scoring.network_specs import NetworkSpec, read_networks
from singcoach.scoring.sequences import ROW_S, Sequences
from singcoach.scoring.specs import RULES, Heads, parse_heads

LEAST_ROWS = 6
"""Half seconds of singing below which a network that listens says nothing."""

_HINT = "Remove the pack with `singcoach models remove`, and add it again"

_ANY: Mapping[str, Collection[str]] = MappingProxyType({})

Rows = NDArray[np.intp]


class NetworkHead:
    """A network that is ready to judge takes.

    Parameters
    ----------
    spec
        What the heads file says of it.
    session
        The network itself: inputs named as ``spec.inputs``, one output ``(1, members)``.
    strangers
        Encoders that are other models now than when it was trained.
    """

    def __init__(
        self, spec: NetworkSpec, session: AnySession, *, strangers: Collection[str] = ()
    ) -> None:
        self.spec = spec
        self._session = session
        self._strangers = frozenset(strangers)

    def lack(self, sequences: Sequences) -> str | None:
        """Return as a sentence why this take cannot be judged by it; None where it can."""
        for name in self.spec.heard:
            rows = getattr(sequences, name)
            if rows is None:
                return (
                    f"The head {self.spec.id} needs the {name} encoder, which this profile does "
                    f"not run, so the rules judged {self.spec.dimension}"
                )
            if name in self._strangers or rows.shape[1] != self.spec.widths[name]:
                return (
                    f"The head {self.spec.id} was trained on another {name} encoder, so the rules "
                    f"judged {self.spec.dimension}"
                )
        return None

    def positions(
        self,
        sequences: Sequences,
        values: Mapping[str, RealArray],
        rows: Sequence[Rows] | None = None,
        job: Job = NO_JOB,
    ) -> RealArray:
        """Return positions on the norms' scale by member, NaN where there is too little singing.

        Parameters
        ----------
        sequences
            Rows of the take, of which :meth:`lack` said nothing.
        values
            Measures by name for each of ``n`` ways to look at the take, each of shape ``(n,)``;
            NaN or no entry: missing.
        rows
            Which rows are heard in each of the ``n`` ways, in order, repeats allowed
            (:func:`rows_outside`, :func:`rows_of_moments`); None: all, in each.

        Returns
        -------
        Shape ``(n, members)``: the mean over members is the position, their deviation the doubt of
        the ensemble. Cost of five members on one core, for each way and minute of singing: 1 ms
        (mlp), 2 ms (rnn), 8 ms (transformer).
        """
        n = len(next(iter(values.values())))
        everything = np.arange(len(sequences.starts_s))
        result = np.full((n, self.spec.members), np.nan)
        for way in range(n):
            job.report(way / n, "listening to the take")
            heard = everything if rows is None else rows[way]
            if self.spec.heard and len(heard) < LEAST_ROWS:
                continue
            given = self._inputs(sequences, values, way, heard)
            said = self._session.run(given)[0]
            if said.shape != (1, self.spec.members):
                raise _unfit(self.spec)
            result[way] = said[0]
        return (result - self.spec.centre) / self.spec.spread

    def _inputs(
        self, sequences: Sequences, values: Mapping[str, RealArray], way: int, heard: Rows
    ) -> dict[str, NDArray[Any]]:
        given: dict[str, NDArray[Any]] = {}
        if "measures" in self.spec.inputs:
            row = [values[m][way] if m in values else math.nan for m in self.spec.measures]
            given["measures"] = np.asarray([row], dtype=np.float32)
        for name in self.spec.heard:
            given[name] = np.ascontiguousarray(getattr(sequences, name)[heard][None])
        return given


def rows_outside(sequences: Sequences, start_s: float, end_s: float) -> Rows:
    """Return the rows whose middles do not lie in a span: what is heard when it is left out."""
    return np.flatnonzero(~_inside(sequences, start_s, end_s))


def rows_of_moments(sequences: Sequences, starts_s: RealArray, counts: RealArray) -> Rows:
    """Return the rows of moments that were drawn ``counts`` times each, moment by moment.

    Parameters
    ----------
    starts_s
        Starts of the moments in seconds, ascending; what is sung before the first belongs to it.
    counts
        How often each was drawn, shape ``(n_moments,)``.
    """
    place = np.searchsorted(starts_s, sequences.starts_s + ROW_S / 2, side="right") - 1
    place = np.clip(place, 0, len(starts_s) - 1)
    drawn = [
        np.tile(np.flatnonzero(place == moment), round(count))
        for moment, count in enumerate(counts)
    ]
    return np.concatenate(drawn) if drawn else np.zeros(0, dtype=np.intp)


def open_networks(
    heads: Heads,
    read: Callable[[str], VerifiedModel],
    *,
    encoders: Mapping[str, Collection[str]] = _ANY,
    threads: int | None = 1,
) -> dict[Dimension, NetworkHead]:
    """Open the networks that the routing of a heads file names.

    Parameters
    ----------
    heads
        From :func:`singcoach.scoring.specs.parse_heads`.
    read
        Returns the checked bytes of the part of the role ``heads`` that has this id, from where
        the heads file came from.
    encoders
        Ids of the models that listened, by encoder; one that is not named is not compared.
    threads
        Threads of one run: the networks are small.

    Returns
    -------
    The networks by the dimension that they judge; dimensions that the rules judge are missing.

    Raises
    ------
    ModelError
        When a file is missing, damaged, or not the network that the heads file speaks of.
    """
    try:
        specs = read_networks(heads.networks)
    except ValueError as error:
        raise ModelError(
            f"The score heads {heads.name} are damaged", hint=_HINT, detail=str(error)
        ) from error
    opened: dict[Dimension, NetworkHead] = {}
    for dimension, route in heads.routing.items():
        if route == RULES:
            continue
        spec = specs[route]
        model = read(route)
        if (model.entry.sha256, model.entry.file) != (spec.sha256, spec.file):
            raise _unfit(spec)
        session = open_session(model, threads=threads)
        if spec.dimension != dimension or set(session.input_names) != set(spec.inputs):
            raise _unfit(spec)
        strangers = [
            e for e in spec.heard if spec.encoders[e] not in encoders.get(e, spec.encoders.values())
        ]
        opened[dimension] = NetworkHead(spec, session, strangers=strangers)
        _try(opened[dimension])
    return opened


def check_pack(entries: Sequence[ModelEntry]) -> None:
    """Read the heads of a pack as they will be read in use, and open all of its networks.

    For ``models add``, before the pack takes its name; packs of other roles pass.

    Raises
    ------
    ModelError
        When the heads file is no valid set of heads, or a network is not what it says.
    """
    parts = {entry.part: entry for entry in entries if entry.role == "heads"}
    if not parts:
        return
    heads = parse_heads(load(parts[""]))

    def read(part: str) -> VerifiedModel:
        if part not in parts:
            raise ModelError(
                f"The score heads {heads.name} speak of the network {part}, which is not there",
                hint="Train the heads again with `singcoach train heads`",
            )
        return load(parts[part])

    open_networks(heads, read)


def _try(head: NetworkHead) -> None:
    """Run a network once on silence, so that one of other sizes is found before any take."""
    spec, n_rows = head.spec, LEAST_ROWS
    rows = {name: np.zeros((n_rows, spec.widths[name]), dtype=np.float32) for name in spec.heard}
    silence = Sequences(
        starts_s=ROW_S * np.arange(n_rows, dtype=np.float64),
        general=rows.get("general"),
        singing=rows.get("singing"),
    )
    try:
        found = head.positions(silence, {"nothing": np.full(1, np.nan)})
    except ValueError as error:
        raise _unfit(spec) from error
    if not np.isfinite(found).all():
        raise _unfit(spec)


def _inside(sequences: Sequences, start_s: float, end_s: float) -> BoolArray:
    middles_s = sequences.starts_s + ROW_S / 2
    return np.asarray((middles_s >= start_s) & (middles_s < end_s))


def _unfit(spec: NetworkSpec) -> ModelError:
    return ModelError(
        f"The head {spec.id} is not the network that its heads file speaks of",
        hint=_HINT,
    )
