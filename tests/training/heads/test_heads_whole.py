"""From recordings through training to a score, by the commands alone."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from singcoach.cli.main import main
from singcoach.training.corpus import Manifest, Row, Source, write_labels, write_manifest

SONG = Path(__file__).parents[3] / "assets" / "vocadito_14.flac"
TRAINING = ["--members", "2", "--epochs", "2"]


def assessed(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, object]:
    command = ["assess", str(SONG), "--vocals-only", "--no-feedback", "--json", "-", *options]
    capsys.readouterr()
    assert main(command) == 0
    return json.loads(capsys.readouterr().out)  # type: ignore[no-any-return]


def corpus(folder: Path) -> Path:
    """A corpus whose items share one recording: it is heard once, and labels are not the point."""
    (folder / "audio").mkdir(parents=True)
    shutil.copy(SONG, folder / "audio" / "one.flac")
    edits = [("original", 0.0), ("neutral", 0.0), ("breaks", 0.5), ("breaks", 1.0)]
    rows = [
        Row(
            item=f"{singer}-{number}", file="audio/one.flac", corpus="vocadito", singer=singer,
            song="s", group=singer, edit=edit, severity=severity,  # type: ignore[arg-type]
            split="held-out" if singer in ("c", "d") else "train",
        )
        for singer in ("a", "b", "c", "d", "e")
        for number, (edit, severity) in enumerate(edits)
    ]  # fmt: skip
    write_labels(folder, rows)
    source = Source(name="vocadito", licence="CC BY 4.0", attribution="vocadito", files=("14",))
    write_manifest(folder, Manifest(seed=0, takes=20, shippable=True, sources=(source,)))
    return folder


@pytest.mark.slow
def test_from_a_corpus_to_scores_and_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made, pack = str(corpus(tmp_path / "corpus")), str(tmp_path / "my-heads")
    assert main(["train", "heads", "--corpus", made, "--out", pack, "--dimension", "breath",
                 "--architecture", "rnn", *TRAINING]) == 0  # fmt: skip
    out = capsys.readouterr().out
    assert "breath" in out
    assert "held out" in out
    assert f"models add {pack} --trust" in out
    card = (tmp_path / "my-heads" / "my-heads.md").read_text()
    assert "vocadito: CC BY 4.0" in card
    shipped = assessed(capsys, "--profile", "best")
    assert main(["models", "add", pack, "--trust"]) == 0
    ours = assessed(capsys, "--profile", "best")
    dimensions, before = ours["dimensions"], shipped["dimensions"]
    assert isinstance(dimensions, dict)
    assert isinstance(before, dict)
    assert "breath_rnn" in dimensions["breath"]["head"]
    assert dimensions["breath"]["encoder"] == "whisper-base"
    assert dimensions["technique"]["encoder"] is None
    assert dimensions["technique"]["score"] == before["technique"]["score"]
    low, score, high = (dimensions["breath"][name] for name in ("low", "score", "high"))
    assert 1.0 <= low <= score <= high <= 5.0
    models = ours["models"]
    assert isinstance(models, list)
    assert {"my-heads", "my-heads-breath-rnn"} <= {model["id"] for model in models}
    warnings = ours["warnings"]
    assert isinstance(warnings, list)
    assert any("controlled edits" in warning for warning in warnings)
    again = assessed(capsys, "--profile", "best")
    assert again["dimensions"] == dimensions
    assert assessed(capsys)["models"] == assessed(capsys, "--profile", "balanced")["models"]
    assert main(["models", "remove", "my-heads"]) == 0
    assert assessed(capsys, "--profile", "best")["dimensions"] == before


@pytest.mark.slow
def test_from_ratings_to_a_pack(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "audio").mkdir()
    with (tmp_path / "ratings.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["item", "rater", "score", "dimension", "singer"])
        for number in range(6):
            shutil.copy(SONG, tmp_path / "audio" / f"take{number}.flac")
            for rater, mood in (("ann", 0.0), ("bob", 1.0)):
                score = 1 + (number + mood) % 4
                writer.writerow([f"take{number}", rater, score, "overall", f"s{number % 3}"])
    options = ["train", "heads", "--ratings", str(tmp_path / "ratings.csv"), "--audio",
               str(tmp_path / "audio"), "--vocals-only", *TRAINING]  # fmt: skip
    assert main([*options, "--out", str(tmp_path / "none")]) == 3
    assert "--map overall=technique" in capsys.readouterr().err
    pack = tmp_path / "mine"
    assert main([*options, "--out", str(pack), "--map", "overall=technique", "--inputs", "general",
                 "--loss", "score"]) == 0  # fmt: skip
    assert "6 examples, 3 singers" in capsys.readouterr().out
    assert "NOT FOR SHIPPING" in (pack / "mine.md").read_text()
    assert main(["models", "add", str(pack), "--trust"]) == 0
