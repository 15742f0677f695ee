"""Half-finished training on the disk: a folder with one JSON file and the weights that it names.

The weights are written under a new name first, then the JSON file takes their name in one step,
then what it no longer names goes. A program that is killed at any moment leaves a state that fits
together.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path
from typing import Any

from singcoach.errors import InputError
from singcoach.files import make_folder, write_whole
from singcoach.training.tensors import Tensors, load_tensors, save_tensors

STATE_NAME = "state.json"
_FORMAT = "singcoach.training/1"
_HINT = "Start anew without --resume, or give the folder and settings of the former start"


class Checkpoint:
    """Where one fit keeps how far it is.

    Parameters
    ----------
    folder
        Its folder, made on the first write; None keeps nothing.
    fingerprint
        What the result depends on; another one refuses to go on.

    Raises
    ------
    InputError
        When there is a state of another training, or a damaged one.
    """

    def __init__(self, folder: Path | None, fingerprint: str) -> None:
        self._folder = folder
        self._state: dict[str, Any] = {
            "format": _FORMAT, "fingerprint": fingerprint, "done": [], "running": None,
        }  # fmt: skip
        if folder is None or not (folder / STATE_NAME).is_file():
            return
        try:
            state = json.loads((folder / STATE_NAME).read_bytes())
            same = (state["format"], state["fingerprint"]) == (_FORMAT, fingerprint)
            files = [*state["done"], *([state["running"]] if state["running"] else [])]
            known = all(isinstance(f["file"], str) and isinstance(f["sha256"], str) for f in files)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _damaged(folder, str(error)) from error
        if not known:
            raise _damaged(folder, "files")
        if not same:
            raise InputError(f"{folder} holds another training than this one", hint=_HINT)
        self._state = state

    def done(self) -> list[tuple[Tensors, dict[str, Any]]]:
        """Return the finished members in their order."""
        return [self._load(entry) for entry in self._state["done"]]

    def running(self) -> tuple[Tensors, dict[str, Any]] | None:
        """Return how far the member is that was at work; None when it had not begun."""
        entry = self._state["running"]
        return self._load(entry) if entry else None

    def save_running(self, tensors: Tensors, about: dict[str, Any]) -> None:
        """Keep how far the member at work is."""
        if self._folder is not None:
            member, epoch = len(self._state["done"]), about["epoch"]
            entry = self._save(f"member-{member}-epoch-{epoch}.safetensors", tensors, about)
            self._replace({**self._state, "running": entry})

    def save_done(self, tensors: Tensors, about: dict[str, Any]) -> None:
        """Keep the finished member; the next one has not begun."""
        if self._folder is not None:
            member = len(self._state["done"])
            entry = self._save(f"member-{member}.safetensors", tensors, about)
            done = [*self._state["done"], entry]
            self._replace({**self._state, "done": done, "running": None})

    def _load(self, entry: dict[str, str]) -> tuple[Tensors, dict[str, Any]]:
        assert self._folder is not None
        path = self._folder / Path(entry["file"]).name
        try:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise _damaged(self._folder, str(error)) from error
        if digest != entry["sha256"]:
            raise _damaged(self._folder, f"{path.name} has SHA-256 {digest}")
        return load_tensors(path)

    def _save(self, name: str, tensors: Tensors, about: dict[str, Any]) -> dict[str, str]:
        assert self._folder is not None
        make_folder(self._folder)
        save_tensors(self._folder / name, tensors, about)
        digest = hashlib.sha256((self._folder / name).read_bytes()).hexdigest()
        return {"file": name, "sha256": digest}

    def _replace(self, state: dict[str, Any]) -> None:
        assert self._folder is not None
        write_whole(self._folder / STATE_NAME, json.dumps(state, indent=1) + "\n")
        self._state = state
        named = {
            f["file"] for f in [*state["done"], *([state["running"]] if state["running"] else [])]
        }
        for path in self._folder.glob("member-*.safetensors"):
            if path.name not in named:
                with contextlib.suppress(OSError):
                    path.unlink()


def clear(folder: Path) -> None:
    """Forget a state: removes what :class:`Checkpoint` writes and nothing else."""
    for path in [folder / STATE_NAME, *folder.glob("member-*.safetensors")]:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.rmdir()


def _damaged(folder: Path, detail: str) -> InputError:
    return InputError(
        f"The half-finished training in {folder} is damaged",
        hint="Start anew without --resume",
        detail=detail,
    )
