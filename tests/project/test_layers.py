"""Imports go only downwards, and heavy packages load only when they are used."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

import singcoach

ROOT = Path(__file__).resolve().parents[2]
HEAVY = (
    "PySide6",
    "ctranslate2",
    "librosa",
    "llama_cpp",
    "numba",
    "onnx",
    "onnxruntime",
    "pyqtgraph",
    "sklearn",
    "sounddevice",
    "torch",
)
WRITTEN_FOR_TORCH = ("singcoach.models.roformer.network",)
"""Modules of classes that derive from torch's; others import them inside functions."""

_IMPORT_ALL = """
import importlib, importlib.util, json, pkgutil, sys, singcoach
found = {}
has_qt = importlib.util.find_spec("PySide6") is not None
for module in pkgutil.walk_packages(singcoach.__path__, "singcoach."):
    if module.name.endswith("__main__") or module.name in %r:
        continue
    gui = module.name.startswith("singcoach.gui.")
    if gui and not has_qt:
        continue
    before = set(sys.modules)
    importlib.import_module(module.name)
    for name in %r:
        if name in sys.modules and name not in before and not (gui and name == "PySide6"):
            found.setdefault(module.name, []).append(name)
n_modules = sum(name.startswith("singcoach") for name in sys.modules)
print(json.dumps({"found": found, "n_modules": n_modules}))
"""


def test_the_import_contracts_hold(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    status = lint_imports(config_filename="pyproject.toml", cache_dir=None)
    assert status == EXIT_STATUS_SUCCESS, capsys.readouterr().out


def test_importing_everything_loads_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT_ALL % (WRITTEN_FOR_TORCH, HEAVY)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["found"] == {}
    assert result["n_modules"] > 30


def test_a_small_command_needs_no_network_and_no_decoder() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys\nfrom singcoach.cli.main import main\n"
            "code = main(['--version'])\n"
            "loaded = {'av', 'scipy', 'soundfile', 'reportlab', 'jsonschema'} & set(sys.modules)\n"
            "sys.exit(f'{code} {loaded}' if code or loaded else 0)",
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    assert singcoach.__version__ in done.stdout
