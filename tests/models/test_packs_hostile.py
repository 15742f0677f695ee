"""Hostile and damaged files: one clear sentence each, nothing run, nothing left behind."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import pytest
from hostile_networks import good_pack
from hostile_packs import CANARY, CASES, roformer, roformer_safetensors

from singcoach.cli.main import main
from singcoach.errors import ModelError
from singcoach.models.installed import packs_dir, read_packs
from singcoach.models.packs.adding import add

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes, devices and links")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refusal(what: str, folder: Path) -> str:
    """Return the sentence with which a case is refused."""
    with pytest.raises(ModelError) as caught:
        add(CASES[what](folder), trust=True)
    assert caught.value.hint
    return caught.value.message


@pytest.mark.parametrize("what", CASES)
def test_it_is_refused_with_a_sentence_and_exit_code_4(what, here, capsys):
    paths = CASES[what](here)
    start_s = time.monotonic()
    code = main(["models", "add", "--trust", *map(str, paths)])
    assert time.monotonic() - start_s < 60
    out, err = capsys.readouterr()
    assert code == 4, err
    assert out == ""
    assert err.startswith("singcoach: ")
    assert err.count("\n") == 1, "one line"
    assert "Traceback" not in err
    assert "0x" not in err
    assert not list(here.rglob(CANARY)), "something was run"
    left = [p.name for p in packs_dir().iterdir()] if packs_dir().exists() else []
    assert set(left) <= {".changes.lock"}


def test_what_the_cases_break_is_added_when_it_is_whole(here):
    for i, content in enumerate((roformer(), roformer_safetensors())):
        path = here / f"{i}.ckpt"
        path.write_bytes(content)
        add([path], trust=True, name=f"whole-{i}")
    add([good_pack(here)], trust=True)
    assert {pack.id for pack in read_packs()} == {"whole-0", "whole-1", "mine"}
    assert all(pack.fault is None for pack in read_packs())


def test_every_length_of_a_checkpoint_but_the_full_one_is_refused(here):
    content = roformer()
    path = here / "cut.ckpt"
    for n_bytes in {*range(0, 200, 7), *range(0, len(content), 1 + len(content) // 60)}:
        path.write_bytes(content[:n_bytes])
        with pytest.raises(ModelError):
            add([path], trust=True)


def table(folder: Path) -> str:
    """Return the table of ``docs/packs.md``."""
    rows = ["| what is given | what SingCoach says |", "| --- | --- |"]
    for i, what in enumerate(CASES):
        own = folder / str(i)
        own.mkdir()
        sentence = refusal(what, own).replace(str(own), "FOLDER").replace("|", "/")
        sentence = re.sub(r"[0-9a-f]{64}", "…", sentence)
        rows.append(f"| {what} | {sentence} |")
    return "\n".join(rows)


def test_the_document_shows_each_case_with_its_sentence(here):
    text = table(here)
    print(f"\n{len(CASES)} cases\n\n{text}")
    assert len(CASES) >= 45
    document = Path(__file__).parents[2] / "docs" / "packs.md"
    assert text in document.read_text(encoding="utf-8"), "run with -rP and copy the table"
