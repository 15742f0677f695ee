"""What README and CONTRIBUTING promise exists."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from singcoach import __version__
from singcoach.cli.main import build_parser

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "CHANGELOG.md", "THIRD_PARTY.md")
BOOTSTRAP_OPTIONS = {"--venv", "--no-system", "--torch-index"}


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _parsers(parser: argparse.ArgumentParser, name: str = "") -> dict[str, argparse.ArgumentParser]:
    """Every command, "models list" included, with its parser."""
    found = {name: parser}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, child in action.choices.items():
                found |= _parsers(child, f"{name} {word}".strip())
    return found


def _options(parser: argparse.ArgumentParser) -> set[str]:
    return {option for action in parser._actions for option in action.option_strings}


def test_every_command_that_the_readme_shows_parses() -> None:
    lines = [
        line.strip().removeprefix("singcoach ")
        for line in _text("README.md").splitlines()
        if line.startswith("    singcoach ")
    ]
    assert len(lines) >= 4
    for line in lines:
        build_parser().parse_args(line.split())


def test_every_command_of_the_program_is_in_the_readme() -> None:
    readme = _text("README.md")
    for name in _parsers(build_parser()):
        if name and " " not in name:
            assert re.search(rf"`singcoach {name}\b", readme), name


def test_every_command_in_the_readme_exists() -> None:
    commands = _parsers(build_parser())
    for name in re.findall(r"singcoach ([a-z]+)", _text("README.md")):
        assert name in commands, name


def test_every_option_in_the_documents_exists() -> None:
    ours = set().union(*(_options(parser) for parser in _parsers(build_parser()).values()))
    for name in ("README.md", "CONTRIBUTING.md"):
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", _text(name)):
            assert option in ours | BOOTSTRAP_OPTIONS | {"--check"}, (name, option)


def test_every_option_of_assess_is_in_the_readme() -> None:
    readme = _text("README.md")
    for option in _options(_parsers(build_parser())["assess"]) - {"-h", "--help"}:
        assert f"`{option}`" in readme, option


def test_the_exit_codes_of_the_readme_are_those_of_the_errors() -> None:
    from singcoach import errors

    named = {int(code) for code in re.findall(r"\b(\d+) [a-z]", _line("README.md", "Exit codes"))}
    ours = {
        kind.exit_code
        for kind in (errors.InputError, errors.ModelError, errors.DeviceError, errors.Cancelled)
    }
    assert named == {0, 2, errors.SingCoachError.exit_code} | ours


def _line(name: str, start: str) -> str:
    return next(line for line in _text(name).splitlines() if line.startswith(start))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_and_paths_lead_somewhere(name: str) -> None:
    text = _text(name)
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / target).exists(), target
    for target in re.findall(r"`((?:singcoach|packaging|models|assets|tests)/[\w./-]+)`", text):
        # Documents may name a place inside the package by its short path.
        assert (ROOT / target).exists() or (ROOT / "singcoach" / target).exists(), target


def test_the_change_log_has_this_version_on_top() -> None:
    first = re.search(r"^## (\S+?),? ", _text("CHANGELOG.md"), re.MULTILINE)
    assert first is not None
    assert first.group(1).rstrip(",") == __version__


def test_the_ci_runs_the_test_command_of_the_readme() -> None:
    assert "python3 packaging/bootstrap.py test" in _text(".ci/run")
    assert "python3 packaging/bootstrap.py test" in _text("README.md")
    assert "python3 packaging/bootstrap.py demo" in _text("README.md")
