"""``singcoach models`` as a user meets it: adding, listing, verifying and removing packs."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))
from pack_sources import write_gguf_pair, write_onnx, write_openai, write_roformer

from singcoach.cli.main import main
from singcoach.models.installed import packs_dir, read_packs

Capture = pytest.CaptureFixture[str]


def lines_of(capsys: Capture, *command: str) -> list[str]:
    assert main(["models", *command]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out.splitlines()


def test_a_pack_is_added_listed_verified_and_removed(tmp_path: Path, capsys: Capture) -> None:
    path = write_roformer(tmp_path)
    (added,) = lines_of(capsys, "add", str(path), "--trust")
    assert added.startswith("added vocals for separation (")
    assert added.endswith(" MB); `--profile best` uses it")
    listed = [line for line in lines_of(capsys, "list") if line.startswith("vocals")]
    assert len(listed) == 2
    for line, part in zip(listed, ("network", "weights"), strict=True):
        assert f"separation/{part}" in line
        assert "best" in line
        assert "unknown" in line
        (entry,) = (e for pack in read_packs() for e in pack.entries if e.part == part)
        assert line.endswith(entry.sha256[:12])
    verified = lines_of(capsys, "verify")
    assert sum(line.startswith("vocals") and " ok  " in line for line in verified) == 2
    assert lines_of(capsys, "remove", "vocals") == ["removed vocals"]
    assert not any(line.startswith("vocals") for line in lines_of(capsys, "list"))


def test_the_list_says_which_profile_uses_what(tmp_path: Path, capsys: Capture) -> None:
    def profiles() -> dict[str, str]:
        found = {}
        for line in lines_of(capsys, "list"):
            words = line.split()
            found[words[0]] = "fast, balanced" if words[2] == "fast," else words[2]
        return found

    found = profiles()
    assert found.pop("coach-smollm2") in ("not", "all")  # "not built" where its file is not here
    assert set(found.values()) == {"all"}
    source = str(write_roformer(tmp_path))
    for name in ("one", "two"):
        lines_of(capsys, "add", source, "--trust", "--name", name)
    found = profiles()
    assert found["spleeter-2stems-vocals"] == "fast, balanced"
    assert found["swift-f0"] == "all"
    assert (found["one"], found["one-weights"]) == ("none", "none")
    assert (found["two"], found["two-weights"]) == ("best", "best")


def test_a_file_that_is_not_known_is_refused_with_its_hash(tmp_path: Path, capsys: Capture) -> None:
    path = write_roformer(tmp_path)
    assert main(["models", "add", str(path)]) == 4
    out, err = capsys.readouterr()
    assert out == ""
    assert hashlib.sha256(path.read_bytes()).hexdigest() in err
    assert "--trust" in err
    assert err.count("\n") == 1


def test_roles_names_and_replacing_are_asked_for(tmp_path: Path, capsys: Capture) -> None:
    source = str(write_roformer(tmp_path))
    added = lines_of(capsys, "add", source, "--trust", "--role", "dereverb", "--name", "dry")
    assert added[0].startswith("added dry for dereverb")
    assert main(["models", "add", source, "--trust", "--name", "dry"]) == 4
    assert "--replace" in capsys.readouterr().err
    added = lines_of(capsys, "add", source, "--trust", "--name", "dry", "--replace")
    assert added[0].startswith("added dry for separation")
    assert main(["models", "add", source, "--role", "cooking"]) == 2
    assert main(["models", "add"]) == 2


def test_other_kinds_of_files_are_added(tmp_path: Path, capsys: Capture) -> None:
    added = lines_of(capsys, "add", str(write_openai(tmp_path)), "--trust", "--name", "whisper")
    assert added[0].startswith("added whisper for encoder_general, encoder_singing")
    added = lines_of(capsys, "add", str(write_onnx(tmp_path)), "--trust")
    assert added[0].startswith("added quality for recording_quality")
    pair = map(str, write_gguf_pair(tmp_path))
    added = lines_of(capsys, "add", *pair, "--trust", "--name", "llm")
    assert added[0].startswith("added llm for language_model")
    assert added[0].endswith("; it writes the coach's words in English from now on")
    found = {line.split()[1]: line for line in lines_of(capsys, "list") if line.startswith("llm")}
    assert found["language_model/model"].split()[2] == "all"
    assert "none yet" in found["language_model/projector"]
    lines_of(capsys, "add", str(tmp_path / "tiny-Q8_0.gguf"), "--trust", "--name", "newer")
    found = {line.split()[0]: line.split()[2] for line in lines_of(capsys, "list")}
    assert (found["llm"], found["newer"]) == ("none", "all")
    verified = lines_of(capsys, "verify")
    assert any(line.startswith("newer") and " ok  " in line for line in verified)
    assert lines_of(capsys, "remove", "newer") == ["removed newer"]
    found = {line.split()[0]: line.split()[2] for line in lines_of(capsys, "list")}
    assert found["llm"] == "all"


@pytest.mark.parametrize("what", ["manifest.toml", "network.onnx"])
def test_a_damaged_pack_is_told_and_stops_nothing(
    tmp_path: Path, capsys: Capture, what: str
) -> None:
    lines_of(capsys, "add", str(write_roformer(tmp_path)), "--trust")
    damaged = packs_dir() / "vocals" / what
    damaged.chmod(0o644)
    damaged.write_bytes(b"X" + damaged.read_bytes()[1:])
    assert main(["models", "verify"]) == 4
    out, err = capsys.readouterr()
    assert "vocals" in out
    assert "FAILED" in out
    assert "swift-f0                         ok" in out
    assert "models remove" in err or "model pack" in err
    assert main(["models", "list"]) == 0
    assert "swift-f0" in capsys.readouterr().out
    assert lines_of(capsys, "remove", "vocals") == ["removed vocals"]


def test_removing_what_is_not_there_is_told(capsys: Capture) -> None:
    assert main(["models", "remove", "nothing"]) == 4
    assert "no pack 'nothing'" in capsys.readouterr().err


def test_a_folder_with_an_odd_name_is_listed_and_can_be_removed(
    tmp_path: Path, capsys: Capture
) -> None:
    lines_of(capsys, "add", str(write_roformer(tmp_path)), "--trust")
    (packs_dir() / "My Pack").mkdir()
    (tmp_path / "else").mkdir()
    assert main(["models", "list"]) == 0
    assert "My Pack                          DAMAGED" in capsys.readouterr().out
    for path in ("./My Pack", "My Pack/", str(tmp_path / "else"), str(packs_dir() / "My Pack")):
        assert main(["models", "remove", path]) == 4
        assert "no pack" in capsys.readouterr().err
    assert lines_of(capsys, "remove", "My Pack") == ["removed My Pack"]
    assert [path.name for path in packs_dir().iterdir() if path.is_dir()] == ["vocals"]


def test_a_file_in_place_of_the_packs_is_told_and_stops_nothing(capsys: Capture) -> None:
    packs_dir().parent.mkdir(parents=True)
    packs_dir().write_text("in the way", encoding="utf-8")
    assert main(["models", "list"]) == 0
    out, err = capsys.readouterr()
    assert "swift-f0" in out
    assert "packs                            DAMAGED" in out
    assert "cannot be read" in err
    assert main(["models", "verify"]) == 4
    assert "swift-f0                         ok" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_an_interrupted_addition_ends_with_6_and_leaves_nothing(tmp_path: Path) -> None:
    big = tmp_path / "big.gguf"
    with big.open("wb") as file:  # a hole of 400 GB: hashing it takes minutes
        file.truncate(400_000_000_000)
    terminal, its_end = os.openpty()  # progress is drawn for somebody who watches
    process = subprocess.Popen(
        [sys.executable, "-m", "singcoach", "models", "add", str(big), "--trust"],
        stderr=its_end,
        env={**os.environ},
    )
    os.close(its_end)
    try:
        drawn = b""
        while b"reading big.gguf" not in drawn:
            drawn += os.read(terminal, 4096)
        process.send_signal(signal.SIGINT)
        told = b""
        while not told.endswith(b"singcoach: stopped.\r\n"):
            told += os.read(terminal, 4096)
        assert process.wait(timeout=30) == 6
    finally:
        process.kill()
        process.wait()
        os.close(terminal)
    assert not packs_dir().exists()
