"""The folder of a pack in training: what is gone on with, and what stays untouched."""

from __future__ import annotations

from pathlib import Path

import pytest

from singcoach.errors import InputError
from singcoach.training.heads import CHECKPOINTS, prepare


@pytest.mark.parametrize("resume", [False, True])
def test_a_new_folder_is_made(tmp_path: Path, resume: bool) -> None:
    prepare(tmp_path / "new", resume=resume)
    assert (tmp_path / "new").is_dir()


def test_what_was_begun_goes_on_only_when_asked(tmp_path: Path) -> None:
    (tmp_path / CHECKPOINTS).mkdir()
    prepare(tmp_path, resume=True)
    with pytest.raises(InputError, match="not empty"):
        prepare(tmp_path, resume=False)


def test_files_of_another_kind_are_not_gone_on_with(tmp_path: Path) -> None:
    (tmp_path / "manifest.toml").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="No training was begun"):
        prepare(tmp_path, resume=True)
