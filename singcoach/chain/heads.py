"""The heads that are in force: the shipped ones, or in the profile ``best`` those of a pack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from singcoach.chain.engine import Engine
from singcoach.core.scores import Dimension
from singcoach.scoring.networks import NetworkHead, open_networks
from singcoach.scoring.specs import Heads, parse_heads

_ENCODER = "encoder_"
_CPU = "CPUExecutionProvider"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenHeads:
    """The heads and, by dimension, the networks that their routing names."""

    heads: Heads
    networks: Mapping[Dimension, NetworkHead]


def open_heads(engine: Engine) -> OpenHeads:
    """Read the heads that judge the current take, and note that they take part.

    Call after the encoders have listened: a network is for the encoders that it was trained on.

    Raises
    ------
    ModelError
        A file is missing or damaged.
    """
    heads = parse_heads(engine.model("heads", provider="numpy"))
    listened: dict[str, set[str]] = {}
    for use in engine.uses:
        if use.role.startswith(_ENCODER):
            listened.setdefault(use.role.removeprefix(_ENCODER), set()).add(use.id)
    networks = open_networks(
        heads, lambda part: engine.model("heads", part, provider=_CPU), encoders=listened
    )
    return OpenHeads(heads=heads, networks=networks)
