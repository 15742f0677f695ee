"""A trained pack: added, used, listed, removed; and refused where it is not what it says."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from head_examples import made_examples
from test_heads_export import ABOUT, fitted

from singcoach.chain.engine import Engine
from singcoach.chain.heads import open_heads
from singcoach.cli.main import main
from singcoach.errors import ModelError
from singcoach.models.installed import packs_dir, read_packs
from singcoach.models.packs.adding import add
from singcoach.models.packs.staging import remove
from singcoach.scoring.networks import check_pack
from singcoach.scoring.sequences import Sequences
from singcoach.training.export import HEADS_FILE, export_pack


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "my-heads"
    heads = [fitted("mlp"), fitted("transformer", "breath"), fitted("linear", "timbre")]
    return export_pack(folder, heads, made_examples(n_each=5), ABOUT)


@pytest.fixture
def pack(whole: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "my-heads"
    folder.mkdir()
    for path in whole.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def test_added_it_judges_in_best_and_removed_the_shipped_ones_judge_again(
    pack: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shipped = open_heads(Engine(profile="best")).heads
    assert main(["models", "add", str(pack), "--trust"]) == 0
    (installed,) = read_packs()
    assert installed.id == "my-heads"
    assert installed.fault is None
    assert "# my-heads" in installed.card.read_text()
    engine = Engine(profile="best")
    engine.start_take("best")
    ours = open_heads(engine)
    assert ours.heads.name == "my-heads"
    assert set(ours.networks) == {"technique", "breath"}
    assert ours.heads.heads["timbre"].weights.keys() == shipped.heads["timbre"].weights.keys()
    assert {use.id for use in engine.uses} == {
        "my-heads", "my-heads-technique-mlp", "my-heads-breath-transformer",
    }  # fmt: skip
    assert open_heads(Engine(profile="balanced")).heads.name == shipped.name
    capsys.readouterr()
    assert main(["models", "list"]) == 0
    assert "my-heads-technique-mlp" in capsys.readouterr().out
    assert main(["models", "verify"]) == 0
    assert main(["models", "remove", "my-heads"]) == 0
    assert open_heads(Engine(profile="best")).heads.name == shipped.name


def test_a_network_is_for_the_encoders_that_it_was_trained_on(pack: Path) -> None:
    add([pack], trust=True, check=check_pack)
    engine = Engine(profile="best")
    engine.start_take("best")
    engine.entry("encoder_general")  # whisper-base, as in training
    singing = made_examples(n_each=2)[0].sequences
    rows = Sequences(
        starts_s=np.arange(len(singing["general"])) * 0.5,
        general=singing["general"],
        singing=singing["singing"],
    )
    assert open_heads(engine).networks["technique"].lack(rows) is None
    engine.singing_entry()  # not whisper-base-singing, which the pack speaks of
    lack = open_heads(engine).networks["technique"].lack(rows)
    assert lack is not None
    assert "another singing encoder" in lack
    remove("my-heads")


def test_a_pack_that_was_harmed_after_it_was_added_says_so(pack: Path) -> None:
    add([pack], trust=True, check=check_pack)
    path = packs_dir() / "my-heads" / "technique_mlp.onnx"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    with pytest.raises(ModelError, match="damaged") as caught:
        open_heads(Engine(profile="best"))
    assert "models remove my-heads" in caught.value.hint
    remove("my-heads")


def _text(pack: Path, change: Callable[[str], str]) -> None:
    """Change the heads file and make the manifest agree with it."""
    path = pack / HEADS_FILE
    before = path.read_bytes()
    path.write_text(change(before.decode()))
    _agree(pack, before, path.read_bytes())


def _agree(pack: Path, before: bytes, after: bytes) -> None:
    manifest = (pack / "manifest.toml").read_text()
    old, new = (hashlib.sha256(content).hexdigest() for content in (before, after))
    assert old in manifest
    entry = manifest.index(old)
    size = manifest.index("size = ", entry)
    end = manifest.index("\n", size)
    manifest = manifest[:size] + f"size = {len(after)}" + manifest[end:]
    (pack / "manifest.toml").write_text(manifest.replace(old, new))


def _swap(pack: Path) -> None:
    """The network of another head under this one's name, with the right hashes everywhere."""
    mine, other = (pack / "technique_mlp.onnx", pack / "breath_transformer.onnx")
    before, after = mine.read_bytes(), other.read_bytes()
    mine.write_bytes(after)
    old, new = (hashlib.sha256(content).hexdigest() for content in (before, after))
    manifest = (
        (pack / "manifest.toml")
        .read_text()
        .replace(f"size = {len(before)}", f"size = {len(after)}")
    )
    (pack / "manifest.toml").write_text(manifest.replace(old, new))
    heads = (pack / HEADS_FILE).read_text()
    _text(pack, lambda _: heads.replace(old, new).replace("members = 3", "members = 4"))


ROUTE = 'technique = "technique_mlp"'
HARMS: dict[str, tuple[Callable[[Path], object], str]] = {
    "heads file cut": (lambda p: _cut(p / HEADS_FILE), "has not the .* bytes"),
    "heads file changed": (lambda p: _flip(p / HEADS_FILE), "SHA-256"),
    "network changed": (lambda p: _flip(p / "technique_mlp.onnx"), "SHA-256"),
    "network missing": (lambda p: (p / "technique_mlp.onnx").unlink(), "is missing"),
    "no TOML": (lambda p: _text(p, lambda t: t + "[["), "no TOML"),
    "unknown key": (lambda p: _text(p, lambda t: 'code = "x"\n' + t), "damaged"),
    "unknown measure": (
        lambda p: _text(
            p, lambda t: t.replace('measures = ["', 'measures = ["loudness_of_shoes", "', 1)
        ),
        "damaged",
    ),
    "a number that is none": (
        lambda p: _text(p, lambda t: re.sub(r"^centre = .*$", "centre = nan", t, flags=re.M)),
        "damaged",
    ),
    "a file elsewhere": (
        lambda p: _text(p, lambda t: t.replace('"technique_mlp.onnx"', '"../technique_mlp.onnx"')),
        "damaged",
    ),
    "routed to nothing": (
        lambda p: _text(
            p, lambda t: t.replace('technique = "technique_mlp"', 'technique = "best"')
        ),
        "damaged",
    ),
    "routed to another dimension's": (
        lambda p: _text(
            p,
            lambda t: t.replace('technique = "technique_mlp"', 'technique = "breath_transformer"'),
        ),
        "not the network",
    ),
    "another hash in the heads file": (
        lambda p: _text(
            p, lambda t: re.sub(r'sha256 = "[0-9a-f]{64}"', f'sha256 = "{"0" * 64}"', t)
        ),
        "not the network",
    ),
    "another number of members": (
        lambda p: _text(p, lambda t: t.replace("members = 3", "members = 4")),
        "not the network",
    ),
    "another width": (
        lambda p: _text(p, lambda t: t.replace("general = 12", "general = 13")),
        "not the network",
    ),
    "another version": (
        lambda p: _text(p, lambda t: t.replace("singcoach.heads/2", "singcoach.heads/1")),
        "damaged",
    ),
    "a network too many in the manifest": (_swap, "cannot be used|not the network|damaged"),
    "a script as heads": (lambda p: _rename(p), "cannot be used"),
}


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def _rename(pack: Path) -> None:
    (pack / HEADS_FILE).rename(pack / "heads.py")
    manifest = (pack / "manifest.toml").read_text()
    (pack / "manifest.toml").write_text(manifest.replace(HEADS_FILE, "heads.py"))


@pytest.mark.parametrize("harm", HARMS)
def test_a_harmed_pack_is_refused_with_one_sentence(
    pack: Path, harm: str, capsys: pytest.CaptureFixture[str]
) -> None:
    work, sentence = HARMS[harm]
    work(pack)
    assert main(["models", "add", str(pack), "--trust"]) == 4
    err = capsys.readouterr().err
    assert re.search(sentence, err), err
    assert err.count("\n") == 1, "one line"
    assert "Traceback" not in err
    assert read_packs() == ()


def test_a_pack_of_heads_is_one_heads_file(pack: Path) -> None:
    manifest = (pack / "manifest.toml").read_text()
    (pack / "manifest.toml").write_text(manifest.replace('part = ""', 'part = "more"'))
    with pytest.raises(ModelError, match="do not belong together"):
        add([pack], trust=True, check=check_pack)


def test_the_pack_needs_the_users_word(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "add", str(pack)]) == 4
    assert "--trust" in capsys.readouterr().err


def test_what_was_made_is_what_the_toml_says(whole: Path) -> None:
    document = tomllib.loads((whole / HEADS_FILE).read_text())
    for name, table in document["networks"].items():
        content = (whole / f"{name}.onnx").read_bytes()
        assert table["sha256"] == hashlib.sha256(content).hexdigest()
