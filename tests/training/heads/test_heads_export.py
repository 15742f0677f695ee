"""Packs: the file says what torch says, and the program reads what was written."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest
from head_examples import made_examples
from hypothesis import given, settings
from hypothesis import strategies as st

from singcoach.errors import Cancelled, InputError
from singcoach.jobs import Job
from singcoach.models.catalogue import VerifiedModel
from singcoach.models.heads.graph import write_head
from singcoach.models.installed import read_pack
from singcoach.models.manifest import ModelEntry
from singcoach.models.sessions import Session, open_session
from singcoach.scoring.judges import NetworkJudge
from singcoach.scoring.network_specs import read_networks
from singcoach.scoring.networks import (
    LEAST_ROWS,
    NetworkHead,
    rows_of_moments,
    rows_outside,
)
from singcoach.scoring.reading import make_reading, weighted_mean
from singcoach.scoring.sequences import Sequences
from singcoach.scoring.specs import read_heads
from singcoach.training.examples import MEASURE_NAMES, Example
from singcoach.training.export import HEADS_FILE, PackAbout, export_pack, graph_of
from singcoach.training.fit import FittedHead, fit_head
from singcoach.training.toml_text import toml_text

ABOUT = PackAbout(
    id="my-heads", licence="CC-BY-4.0", source="made examples", warning="Made for a test",
    encoders={"general": "whisper-base", "singing": "whisper-base-singing"}, card="# my-heads\n",
)  # fmt: skip


def fitted(architecture: str, dimension: str = "technique", **changes: object) -> FittedHead:
    examples = made_examples(n_each=5)
    inputs = ("measures",) if architecture == "linear" else ("measures", "general", "singing")
    asked: dict[str, object] = {"inputs": inputs, "members": 3, "epochs": 4, **changes}
    labelled = [_for(e, dimension) for e in examples]
    return fit_head(
        labelled,
        dimension=dimension,
        architecture=architecture,
        loss="pairwise",
        seed=1,
        **asked,  # type: ignore[arg-type]
    )


def _for(example: Example, dimension: str) -> Example:
    from dataclasses import replace

    return replace(example, labels={dimension: example.labels["technique"]})


def session_of(path: Path) -> Session:
    entry = ModelEntry(
        id="head", role="heads", part="x", version="1", file=path.name, sha256="", size=0,
        licence="", source="", package="", sample_rate=None, inputs=(), outputs=(), published="",
        folder=path.parent,
    )  # fmt: skip
    return open_session(VerifiedModel(entry=entry, content=path.read_bytes()), threads=1)


def sequences_of(example: Example) -> Sequences:
    rows = example.sequences
    n_rows = len(next(iter(rows.values()))) if rows else 0
    return Sequences(
        starts_s=np.arange(n_rows) * 0.5, general=rows.get("general"), singing=rows.get("singing")
    )


def network_of(folder: Path) -> NetworkHead:
    document = tomllib.loads((folder / HEADS_FILE).read_text())
    heads = read_heads(document)
    specs = read_networks(heads.networks)
    (spec,) = specs.values()
    return NetworkHead(spec, session_of(folder / spec.file))


def values_of(example: Example) -> dict[str, np.ndarray]:
    return {name: example.measures[[i]] for i, name in enumerate(MEASURE_NAMES)}


@pytest.mark.parametrize(
    ("architecture", "inputs"),
    [
        ("mlp", ("measures",)),
        ("mlp", ("general",)),
        ("mlp", ("measures", "general", "singing")),
        ("rnn", ("measures", "general", "singing")),
        ("rnn", ("singing",)),
        ("transformer", ("measures", "general", "singing")),
        ("transformer", ("general",)),
    ],
)
def test_the_file_says_what_torch_says(
    tmp_path: Path, architecture: str, inputs: tuple[str, ...]
) -> None:
    head = fitted(architecture, inputs=inputs)
    write_head(graph_of(head), tmp_path / "head.onnx")
    write_head(graph_of(head), tmp_path / "again.onnx")
    assert (tmp_path / "head.onnx").read_bytes() == (tmp_path / "again.onnx").read_bytes()
    session = session_of(tmp_path / "head.onnx")
    others = made_examples(seed=5, n_each=4)
    expected = head.predict_members(others)
    for example, wanted in zip(others, expected, strict=True):
        given = {name: example.sequences[name][None] for name in head.widths}
        if head.measures:
            given["measures"] = example.measures[None].astype(np.float32)
        (said,) = session.run(given)
        assert said.shape == (1, 3)
        np.testing.assert_allclose(said[0], wanted, atol=1e-5 * max(1.0, np.abs(wanted).max()))


@pytest.mark.parametrize("architecture", ["mlp", "rnn", "transformer"])
def test_a_pack_is_read_as_it_was_written(tmp_path: Path, architecture: str) -> None:
    head = fitted(architecture)
    examples = made_examples(n_each=5)
    folder = export_pack(tmp_path / "my-heads", [head], examples, ABOUT)
    pack = read_pack(folder, "my-heads")
    assert pack.fault is None
    assert [(e.role, e.part) for e in pack.entries] == [
        ("heads", ""), ("heads", f"technique_{architecture}"),
    ]  # fmt: skip
    heads = read_heads(tomllib.loads((folder / HEADS_FILE).read_text()))
    assert heads.routing["technique"] == f"technique_{architecture}"
    assert heads.routing["breath"] == "rules"
    network = network_of(folder)
    assert network.spec.encoder == "whisper-base + whisper-base-singing"
    said = np.array([network.positions(sequences_of(e), values_of(e))[0].mean() for e in examples])
    mean, _ = head.predict(examples)
    np.testing.assert_allclose(
        said, (mean - network.spec.centre) / network.spec.spread, rtol=1e-4, atol=1e-4
    )


def test_a_network_that_judges_many_draws_is_stopped_between_two(tmp_path: Path) -> None:
    folder = export_pack(tmp_path / "p", [fitted("mlp")], made_examples(n_each=5), ABOUT)
    (example,) = made_examples(seed=8, n_singers=1, n_each=1 + 1)[:1]
    sequences = sequences_of(example)
    reading = make_reading(
        "note_drift", spans_s=[(0.0, 1.0)], stats=[np.ones(2)], shown=[1.0], finish=weighted_mean
    )
    judge = NetworkJudge(
        network=network_of(folder),
        sequences=sequences,
        readings={"note_drift": reading},
        moments_s=np.zeros(1),
    )
    starts_s = np.arange(20.0)
    told: list[float] = []

    def watch(fraction: float, _stage: str) -> None:
        told.append(fraction)
        if len(told) == 3:
            job.cancel()

    job = Job(watch)
    with pytest.raises(Cancelled):
        judge.network.positions(
            sequences,
            {"nothing": np.full(20, np.nan)},
            [rows_outside(sequences, s, s + 1.0) for s in starts_s],
            job,
        )
    assert told == [0.0, 0.05, 0.1]
    for ask in (judge.drawn, lambda job: judge.without(starts_s, starts_s + 1.0, job)):
        with pytest.raises(Cancelled):
            ask(job)


def test_leaving_rows_out_and_drawing_them(tmp_path: Path) -> None:
    folder = export_pack(tmp_path / "p", [fitted("rnn")], made_examples(n_each=5), ABOUT)
    network = network_of(folder)
    (example,) = made_examples(seed=8, n_singers=1, n_each=1 + 1)[:1]
    sequences, values = sequences_of(example), values_of(example)
    n_rows = len(sequences.starts_s)
    twice = {name: np.repeat(value, 2) for name, value in values.items()}
    kept = rows_outside(sequences, 1.0, 2.0)
    assert list(kept) == [i for i in range(n_rows) if i not in (2, 3)]
    both = network.positions(sequences, twice, [np.arange(n_rows), kept])
    assert both.shape == (2, 3)
    np.testing.assert_array_equal(both[0], network.positions(sequences, values)[0])
    assert (both[0] != both[1]).any()
    few = network.positions(sequences, values, [np.arange(LEAST_ROWS - 1)])
    assert np.isnan(few).all()
    drawn = rows_of_moments(sequences, np.array([0.6, 2.0]), np.array([2.0, 1.0]))
    assert list(drawn) == [0, 1, 2, 3, 0, 1, 2, 3, *range(4, n_rows)]
    assert network.lack(sequences) is None
    deaf = Sequences(starts_s=sequences.starts_s, general=None, singing=sequences.singing)
    assert "needs the general encoder" in str(network.lack(deaf))
    assert sequences.general is not None
    narrow = Sequences(
        starts_s=sequences.starts_s, general=sequences.general[:, :5], singing=sequences.singing
    )
    assert "another general encoder" in str(network.lack(narrow))


def test_a_linear_head_becomes_weights_of_the_rules(tmp_path: Path) -> None:
    head = fitted("linear")
    examples = made_examples(n_each=5)
    folder = export_pack(tmp_path / "p", [head], examples, ABOUT)
    heads = read_heads(tomllib.loads((folder / HEADS_FILE).read_text()))
    assert set(heads.routing.values()) == {"rules"}
    assert heads.heads["technique"].weights.keys() == set(head.measures)
    assert heads.warnings["technique"] == "Made for a test"
    from singcoach.scoring.heads import all_positions

    values = {n: np.array([e.measures[i] for e in examples]) for i, n in enumerate(MEASURE_NAMES)}
    said = all_positions(values, heads)["technique"]
    both = np.isfinite(said)
    mean = head.predict(examples)[0]
    if both.sum() > 3:
        assert np.corrcoef(said[both], mean[both])[0, 1] > 0.99


def test_a_pack_takes_each_dimension_once(tmp_path: Path) -> None:
    head = fitted("linear")
    with pytest.raises(InputError, match="cannot hold heads"):
        export_pack(tmp_path, [head, head], made_examples(), ABOUT)
    overall = fitted("linear", dimension="overall")
    with pytest.raises(InputError, match="cannot hold heads"):
        export_pack(tmp_path, [overall], made_examples(), ABOUT)


VALUES = st.one_of(
    st.booleans(), st.integers(-(2**60), 2**60), st.text(),
    st.floats(allow_nan=False, allow_infinity=False),
)  # fmt: skip


@settings(max_examples=50)
@given(
    st.dictionaries(
        st.text(min_size=1),
        st.one_of(VALUES, st.lists(VALUES, max_size=3), st.dictionaries(st.text(), VALUES)),
        max_size=5,
    )
)
def test_toml_comes_back_as_it_was(document: dict[str, object]) -> None:
    assert tomllib.loads(toml_text(document)) == document
