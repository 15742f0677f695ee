"""From fitted heads to a pack folder that ``singcoach models add`` takes."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from singcoach import __version__
from singcoach.core.arrays import RealArray
from singcoach.core.scores import DIMENSIONS
from singcoach.errors import InputError
from singcoach.files import make_folder, write_whole
from singcoach.jobs import NO_JOB, Job
from singcoach.models.catalogue import Catalogue
from singcoach.models.heads.graph import HeadGraph, write_head
from singcoach.models.installed import PROVENANCE_NAME, Provenance
from singcoach.models.manifest import MANIFEST_NAME
from singcoach.models.packfile import PackFile
from singcoach.models.packs.plan import About
from singcoach.models.packs.writing import FinishedFile, manifest_text, provenance_text
from singcoach.scoring.heads import SOFT_LIMIT, signed_mean
from singcoach.scoring.network_specs import read_networks
from singcoach.scoring.specs import Heads, parse_heads, read_heads
from singcoach.training.examples import MEASURE_NAMES, Example
from singcoach.training.fit import FittedHead
from singcoach.training.linear import match, rules_positions
from singcoach.training.networks import ROW_LIMIT, TRANSFORMER_HEADS
from singcoach.training.toml_text import toml_text

HEADS_FILE = "heads.toml"
_LEAST_SPREAD = 1e-3
_ADDED = "1970-01-01T00:00:00+00:00"
"""No clock in a pack: when it was added is written when it is added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackAbout:
    """What a pack says of its training.

    Attributes
    ----------
    id
        Plain name of the pack.
    licence
        Licence of the weights, as an SPDX expression or ``"LicenseRef-private"``.
    source
        Where the training audio came from, one line.
    encoders
        Id of the model that each encoder was.
    warning
        What is told beside every score of these heads.
    card
        The model card's text.
    """

    id: str
    licence: str
    source: str
    encoders: Mapping[str, str]
    warning: str
    card: str


def graph_of(head: FittedHead) -> HeadGraph:
    """Return a fitted network as the graph that is written; ValueError for a linear head."""
    if head.architecture == "linear":
        raise ValueError("a linear head is no network: it becomes weights of the heads file")
    return HeadGraph(
        architecture=cast("Any", head.architecture),
        n_measures=len(head.measures),
        widths=head.widths,
        members=head.members,
        tensors=head.tensors,
        soft_limit=SOFT_LIMIT,
        row_limit=ROW_LIMIT,
        n_heads=TRANSFORMER_HEADS,
    )


def export_pack(
    folder: Path,
    fitted: Sequence[FittedHead],
    examples: Sequence[Example],
    about: PackAbout,
    *,
    catalogue: Catalogue | None = None,
    job: Job = NO_JOB,
) -> Path:
    """Write a pack folder: heads file, one ONNX file per network, manifest, provenance, card.

    The heads file is the shipped one with the fitted heads in the place of its own: a linear head
    becomes the weights of its dimension (without limits, as it was fitted), a network a table and a
    route. Both are put on the norms'
    scale by giving them the mean and deviation that the shipped heads have over ``examples``.

    Raises
    ------
    InputError
        When a head is not for one of the four dimensions, or comes twice.
    OutputError
        When the folder cannot be written.
    """
    dimensions = [head.dimension for head in fitted]
    if len(set(dimensions)) != len(dimensions) or not set(dimensions) <= set(DIMENSIONS):
        raise InputError(
            f"A pack cannot hold heads for {', '.join(dimensions)}",
            hint=f"Train one head for each of {', '.join(DIMENSIONS)}, or for some of them",
        )
    make_folder(folder)
    shipped = (catalogue or Catalogue.default()).require("heads")
    rules = parse_heads(shipped)
    reference = rules_positions(examples, rules)
    document = tomllib.loads(shipped.content.decode("utf-8"))
    document["name"] = about.id
    document["networks"] = {}
    files: list[PackFile] = []
    for head in fitted:
        goal = reference[head.dimension]
        if head.architecture == "linear":
            own = document["heads"][head.dimension]
            own.pop("limits", None)  # fitted without them
            own |= _weights(head, rules, examples, goal) | {"warning": about.warning}
            continue
        name = f"{head.dimension}_{head.architecture}"
        graph = graph_of(head)
        write_head(graph, folder / f"{name}.onnx", job=job)
        files.append(
            PackFile(
                file=f"{name}.onnx",
                role="heads",
                part=name,
                inputs=graph.inputs,
                outputs=graph.outputs,
            )
        )
        placed = match(head.predict(examples, job)[0], goal)
        document["networks"][name] = _network(folder / f"{name}.onnx", head, placed, about)
        document["routing"][head.dimension] = name
    text = toml_text(document)
    read_networks(read_heads(tomllib.loads(text)).networks)  # as the program will read it
    write_whole(folder / HEADS_FILE, text)
    finished = [_finished(folder, PackFile(file=HEADS_FILE, role="heads"))]
    finished += [_finished(folder, described) for described in files]
    said = About(
        title=about.id, version=_version(finished), licence=about.licence, source=about.source,
        published="",
    )  # fmt: skip
    provenance = Provenance(
        added=_ADDED, publication="", made_by=f"SingCoach {__version__}", sources=()
    )
    write_whole(folder / MANIFEST_NAME, manifest_text(about.id, said, finished))
    write_whole(folder / PROVENANCE_NAME, provenance_text(provenance))
    write_whole(folder / f"{about.id}.md", about.card)
    return folder


def _weights(
    head: FittedHead, rules: Heads, examples: Sequence[Example], goal: RealArray
) -> dict[str, Any]:
    """Return the mean weights of a linear ensemble, with centre and spread."""
    mean = np.asarray(head.tensors["weights"], dtype=np.float64).mean(axis=0)
    weights = {name: round(float(w), 4) for name, w in zip(head.measures, mean, strict=True)}
    values = {
        name: np.array([e.measures[MEASURE_NAMES.index(name)] for e in examples])
        for name in weights
    }
    own = signed_mean(
        values,
        weights,
        medians={name: rules.norms[name].median for name in weights},
        scales={name: rules.norms[name].scale for name in weights},
    )
    return {"weights": weights, **_rounded(match(own, goal))}


def _network(
    path: Path, head: FittedHead, placed: Mapping[str, float], about: PackAbout
) -> dict[str, Any]:
    """Return the table of a network in the heads file."""
    return {
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "dimension": head.dimension,
        "architecture": head.architecture,
        "loss": head.loss,
        "inputs": [*(["measures"] if head.measures else []), *head.widths],
        "measures": list(head.measures),
        "widths": dict(head.widths),
        "encoders": {encoder: about.encoders[encoder] for encoder in head.widths},
        "members": head.members,
        **_rounded(placed),
        "warning": about.warning,
    }


def _rounded(placed: Mapping[str, float]) -> dict[str, float]:
    return {
        "centre": round(placed["centre"], 6),
        "spread": round(max(placed["spread"], _LEAST_SPREAD), 6),
    }


def _finished(folder: Path, described: PackFile) -> FinishedFile:
    content = (folder / described.file).read_bytes()
    return FinishedFile(
        described=described, sha256=hashlib.sha256(content).hexdigest(), size=len(content)
    )


def _version(files: Sequence[FinishedFile]) -> str:
    digest = hashlib.sha256("".join(file.sha256 for file in files).encode())
    return digest.hexdigest()[:12]
