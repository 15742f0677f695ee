"""The set-up script decides rightly; pip and apt themselves are stood in for."""

from __future__ import annotations

import argparse
import ast
import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "packaging" / "bootstrap.py"


@pytest.fixture
def bootstrap() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bootstrap", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def pip_calls(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    calls: list[list[str]] = []

    def pip(_python: Path, arguments: list[str], *, required: bool = True) -> bool:
        calls.append(arguments)
        return True

    monkeypatch.setattr(bootstrap, "_pip", pip)
    return calls


def _options(goal: str, *, torch_index: str = "") -> argparse.Namespace:
    return argparse.Namespace(goal=goal, torch_index=torch_index)


def _python_in(folder: Path) -> Path:
    python = folder / "bin" / "python"
    python.parent.mkdir(parents=True)
    return python


def test_it_needs_nothing_but_the_standard_library() -> None:
    tree = ast.parse(SCRIPT.read_text(encoding="utf-8"))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= set(sys.stdlib_module_names)


def test_an_old_python_can_read_it_to_its_sentence() -> None:
    ast.parse(SCRIPT.read_text(encoding="utf-8"), feature_version=(3, 7))


def test_an_old_python_gets_one_sentence(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer"):
        bootstrap._use_newer_python()


def test_an_old_python_hands_over_to_a_newer_one(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed: list[str] = []

    def execv(path: str, arguments: list[str]) -> None:
        handed.append(path)
        raise SystemExit

    monkeypatch.setattr(
        bootstrap.shutil, "which", lambda name: f"/x/{name}" if name.endswith("3.12") else None
    )
    monkeypatch.setattr(bootstrap.os, "execv", execv)
    with pytest.raises(SystemExit):
        bootstrap._use_newer_python()
    assert handed == ["/x/python3.12"]


def test_the_demo_installs_no_torch(
    bootstrap: ModuleType, pip_calls: list[list[str]], tmp_path: Path
) -> None:
    bootstrap._provide_packages(_python_in(tmp_path), _options("demo"))
    assert pip_calls == [["--editable", str(ROOT)], ["--editable", f"{ROOT}[desktop]"]]


def test_a_second_run_installs_nothing(
    bootstrap: ModuleType, pip_calls: list[list[str]], tmp_path: Path
) -> None:
    python = _python_in(tmp_path)
    bootstrap._provide_packages(python, _options("test"))
    assert pip_calls
    pip_calls.clear()
    bootstrap._provide_packages(python, _options("test"))
    assert pip_calls == []


def test_changed_requirements_are_installed_anew(
    bootstrap: ModuleType,
    pip_calls: list[list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    checkout = tmp_path / "a checkout"
    checkout.mkdir()
    project = checkout / "pyproject.toml"
    project.write_text("one", encoding="utf-8")
    monkeypatch.setattr(bootstrap, "ROOT", checkout)
    python = _python_in(tmp_path / "venv")
    bootstrap._provide_packages(python, _options("demo"))
    project.write_text("two", encoding="utf-8")
    bootstrap._provide_packages(python, _options("demo"))
    wanted = [["--editable", str(checkout)], ["--editable", f"{checkout}[desktop]"]]
    assert pip_calls == wanted * 2


def test_linux_asks_only_for_cpu_builds_of_torch(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[list[str]] = []
    monkeypatch.setattr(bootstrap.sys, "platform", "linux")
    monkeypatch.setattr(bootstrap, "_pip", lambda _p, args, **_k: calls.append(args))
    bootstrap._install_torch(Path("python"), "")
    wanted = f"torch=={bootstrap.TORCH}+cpu"
    assert calls == [[wanted], [wanted, "--extra-index-url", bootstrap.PYTORCH_CPU_INDEX]]


def test_a_named_index_is_the_only_one_asked(
    bootstrap: ModuleType, pip_calls: list[list[str]]
) -> None:
    bootstrap._install_torch(Path("python"), "file:///somewhere")
    assert pip_calls == [[f"torch=={bootstrap.TORCH}", "--index-url", "file:///somewhere"]]


def test_torch_comes_before_what_could_pull_another(
    bootstrap: ModuleType, pip_calls: list[list[str]], tmp_path: Path
) -> None:
    bootstrap._provide_packages(_python_in(tmp_path), _options("test", torch_index="file:///x"))
    assert pip_calls[0][0].startswith("torch==")
    assert pip_calls[1][0] == "--no-deps"
    assert pip_calls[2] == ["--editable", f"{ROOT}[dev,test,desktop]"]


@pytest.mark.parametrize("goal", ["demo", "test"])
def test_what_cannot_be_had_is_told_and_the_rest_goes_on(
    goal: str,
    bootstrap: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked: list[list[str]] = []

    def pip(_python: Path, arguments: list[str], *, required: bool = True) -> bool:
        asked.append(arguments)
        return required

    monkeypatch.setattr(bootstrap, "_pip", pip)
    bootstrap._provide_packages(_python_in(tmp_path), _options(goal))
    optional = bootstrap.OPTIONAL[goal]
    tried = [[part.format(root=ROOT) for part in packages] for packages, _ in optional]
    assert asked[-len(optional) :] == tried
    said = capsys.readouterr().err
    assert all(lost in said for _, lost in optional)


def test_the_language_model_is_that_of_its_extra(bootstrap: ModuleType) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert list(bootstrap.LANGUAGE_MODEL) == project["optional-dependencies"]["language-model"]


def test_the_vocoder_is_that_of_the_training_extra(bootstrap: ModuleType) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(bootstrap.TRAINING) <= set(project["optional-dependencies"]["training"])


def test_only_the_tests_ask_for_a_compiler(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap.sys, "platform", "linux")
    monkeypatch.setattr(bootstrap.ctypes.util, "find_library", lambda name: f"lib{name}.so")
    monkeypatch.setattr(bootstrap.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: None)
    bootstrap._provide_system_libraries()
    assert capsys.readouterr().err == ""
    bootstrap._provide_system_libraries(testing=True)
    assert "g++" in capsys.readouterr().err


def test_without_rights_one_message_names_all_that_is_missing(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap.sys, "platform", "linux")
    monkeypatch.setattr(bootstrap.ctypes.util, "find_library", lambda name: None)
    monkeypatch.setattr(bootstrap, "_apt_command", list)
    bootstrap._provide_system_libraries()
    said = capsys.readouterr().err
    assert said.count("System packages that are missing") == 1
    for package in ("libportaudio2", "libegl1", "libxcb-cursor0"):
        assert package in said
    assert "sudo apt-get install" in said


def test_nothing_is_said_where_nothing_is_missing(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap.ctypes.util, "find_library", lambda name: f"lib{name}.so")
    monkeypatch.setattr(bootstrap.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(bootstrap, "_apt_command", lambda: pytest.fail("apt was asked for"))
    bootstrap._provide_system_libraries()
    assert capsys.readouterr() == ("", "")


def test_one_unknown_package_does_not_lose_the_others(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed: list[str] = []

    def succeeds(command: list[str]) -> bool:
        packages = [word for word in command if word.startswith("lib")]
        if "update" in command or "libunknown" in packages:
            return False
        installed.extend(packages)
        return True

    monkeypatch.setattr(bootstrap, "_succeeds", succeeds)
    missing = bootstrap._apt_install(["apt-get"], ["libone", "libunknown", "libtwo"])
    assert missing == ["libunknown"]
    assert installed == ["libone", "libtwo"]


def test_a_folder_that_is_no_environment_stays_as_it_is(
    bootstrap: ModuleType, tmp_path: Path
) -> None:
    keep = tmp_path / "song.wav"
    keep.write_text("mine", encoding="utf-8")
    with pytest.raises(bootstrap.SetupError, match="no virtual environment"):
        bootstrap._provide_environment(tmp_path)
    assert keep.read_text(encoding="utf-8") == "mine"


def test_settings_that_lead_pip_elsewhere_are_dropped(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("PIP_TARGET", "/elsewhere")
    monkeypatch.setenv("PIP_USER", "1")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:1")
    variables = bootstrap._environment_variables()
    assert "PYTHONPATH" not in variables
    assert "PIP_TARGET" not in variables
    assert variables["PIP_USER"] == "0"
    assert variables["HTTPS_PROXY"] == "http://proxy:1"


def test_one_failed_check_does_not_hide_the_others(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[str] = []

    def run(command: list[str], *, quiet: bool) -> subprocess.CompletedProcess[str]:
        ran.append(Path(command[0]).stem)
        return subprocess.CompletedProcess(command, int("mypy" in command[0]))

    monkeypatch.setattr(bootstrap, "_run", run)
    assert bootstrap._test(Path("venv/bin/python"), ["-k", "pitch"], 0.0) == 1
    assert ran == ["ruff", "ruff", "mypy", "lint-imports", "pytest"]
    assert "1 of 5 checks failed" in capsys.readouterr().out


def test_usage_is_told_without_a_goal() -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "demo" in done.stderr
