"""``singcoach train heads`` from recordings to a pack that judges."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from head_examples import made_examples

from singcoach.chain.engine import Engine
from singcoach.cli.main import main
from singcoach.errors import InputError
from singcoach.training.examples import Example
from singcoach.training.heads import FIGURES_NAME, Material, Options, train_heads
from singcoach.training.listening import Labelled, listen

SMALL = Options(members=2, epochs=3, dimensions=("technique",))


def material(**changes: object) -> Material:
    made = Material(
        examples=made_examples(n_each=5),
        held_out=with_neutral(made_examples(n_each=5, seed=7)),
        encoders={"general": "whisper-base", "singing": "whisper-base"},
        described="made examples",
        sources=("nobody: CC0",),
        shippable=True,
        warning="Made for a test",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def with_neutral(examples: list[Example]) -> list[Example]:
    neutral = [
        replace(e, item=f"{e.item}-n", edit="neutral") for e in examples if e.severity == 0.0
    ]
    return examples + neutral


def test_a_training_tells_how_it_did_and_leaves_a_pack(tmp_path: Path) -> None:
    folder = tmp_path / "my-heads"
    trained = train_heads(material(), SMALL, folder)
    (figures,) = trained.figures
    assert {path.name for path in folder.iterdir()} == {
        "heads.toml", "technique_mlp.onnx", "manifest.toml", "provenance.toml", "my-heads.md",
        FIGURES_NAME,
    }  # fmt: skip
    assert figures.held_out is not None
    assert figures.rules is not None
    assert figures.held_out.n_pairs == figures.rules.n_pairs
    assert figures.neutral_shift == 0.0  # the same rows and measures
    assert set(figures.by_edit) == {"pitch_error"}
    document = json.loads((folder / FIGURES_NAME).read_text())
    assert document[0]["held_out"]["value"] == figures.held_out.value
    card = (folder / "my-heads.md").read_text()
    assert f"{figures.held_out.value:.2f} (" in card
    assert "nobody: CC0" in card
    assert "NOT FOR SHIPPING" not in card
    assert 'licence = "CC-BY-4.0"' in (folder / "manifest.toml").read_text()


def test_recordings_without_a_clean_licence_are_not_for_shipping(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    train_heads(material(shippable=False, held_out=[]), SMALL, folder)
    assert "NOT FOR SHIPPING" in (folder / "mine.md").read_text()
    assert "LicenseRef-not-for-distribution" in (folder / "manifest.toml").read_text()


def test_the_same_training_writes_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        train_heads(material(), SMALL, tmp_path / name / "pack")
    for path in (tmp_path / "a" / "pack").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / "pack" / path.name).read_bytes(), path.name


def test_a_folder_in_use_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(InputError, match="is not empty"):
        train_heads(material(), SMALL, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--ratings", "r.csv"], "needs the recordings too"),
        (["--corpus", "c", "--audio", "a"], "belong to --ratings"),
        (["--corpus", "c", "--architecture", "rnn", "--inputs", "measures"], "needs an encoder"),
        (["--corpus", "c", "--architecture", "linear", "--inputs", "general"], "measures alone"),
        (["--corpus", "c", "--inputs", "general", "general"], "the same twice"),
        (["--corpus", "c"], "not a corpus"),
        (["--ratings", "r.csv", "--audio", "a"], "does not exist"),
    ],
)
def test_what_cannot_be_done_is_told_first(
    options: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", "heads", "--out", "out", *options]) == 3
    err = capsys.readouterr().err
    assert sentence in err
    assert err.count("\n") == 1


@pytest.fixture(scope="module")
def song() -> Path:
    return Path(__file__).parents[3] / "assets" / "vocadito_14.flac"


def test_a_recording_is_heard_once(song: Path, tmp_path: Path) -> None:
    from singcoach.chain.cache import Cache

    recording = Labelled(
        item="a", file=song, labels={"technique": 1.0}, singer="s", kind="solo", dry=True
    )
    silent = tmp_path / "nothing.flac"
    silent.write_bytes(b"")
    nothing = replace(recording, item="b", file=silent)
    engine = Engine(cache=Cache(tmp_path / "cache"), profile="best")
    first = listen([recording, nothing], engine)
    assert list(first.failed) == ["b"]
    (example,) = first.examples
    assert first.encoders["general"] == "whisper-base"
    assert example.sequences["general"].shape[1] == 512
    assert example.sequences["singing"].shape[1] == 515
    assert np.isfinite(example.measures).sum() > 15
    again = listen([recording], Engine(cache=Cache(tmp_path / "cache"), profile="best"))
    assert again.examples[0].measures.tobytes() == example.measures.tobytes()
    assert (
        again.examples[0].sequences["singing"].tobytes() == example.sequences["singing"].tobytes()
    )
