"""The process of the language model: ``python -m singcoach.models.language.child``.

Commands come as lines on its input, answers go to its output; nothing else is ever written there.
It ends when its input ends, so that it never outlives the program that started it.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import queue
import signal
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO

from singcoach.models.language.protocol import (
    COMMANDS,
    MOST_LINE_BYTES,
    Fault,
    ProtocolError,
    decode,
    encode,
)

_BLOCK_BYTES = 1 << 22
_UNUSABLE = "the file cannot be run as a language model"


class _FailedError(Exception):
    def __init__(self, fault: Fault, detail: str) -> None:
        super().__init__(detail)
        self.fault: Fault = fault
        self.detail = detail[:2000]


def main() -> int:
    """Answer commands until the input ends."""
    with contextlib.suppress(ValueError, OSError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the program decides when to stop
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever a library prints goes to the log
    _die_first()
    commands: queue.Queue[bytes] = queue.Queue()
    threading.Thread(target=_read, args=(commands,), daemon=True).start()
    model: Any = None
    opening = _Opening(None)
    ear: Any = None
    while True:
        try:
            kind, values = decode(commands.get(), COMMANDS)
            if kind == "load":
                model, ear = _load(values, answers), None
                opening = _Opening(model)
                answers.write(encode("ready", n_context=int(model.n_ctx())))
            elif model is None:
                raise _FailedError("request", "no model is loaded")
            elif kind == "project":
                ear = _project(model, values, answers)
                answers.write(encode("ready", n_context=int(model.n_ctx())))
            elif kind in ("sound", "hear"):
                _hear(ear, kind, values, answers)
                opening = _Opening(model)
            else:
                _write(model, opening, ear, values, answers)
        except ProtocolError as error:
            answers.write(encode("failed", fault="request", detail=str(error)))
        except _FailedError as error:
            answers.write(encode("failed", fault=error.fault, detail=error.detail))


def _read(commands: queue.Queue[bytes]) -> None:
    """Take commands; end the process at once when there are no more, even amid a computation."""
    while line := sys.stdin.buffer.readline(MOST_LINE_BYTES + 1):
        commands.put(line)
    os._exit(0)


def _die_first() -> None:
    """Ask the system to end this process before any other when memory runs out."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _load(values: dict[str, Any], answers: BinaryIO) -> Any:
    path = Path(values["path"])
    _check(path, values["size"], values["sha256"], answers)
    if values["most_bytes"] > 0:
        _limit_memory(values["most_bytes"])
    try:
        import llama_cpp
    except (ImportError, OSError, RuntimeError) as error:
        raise _FailedError("missing_runtime", str(error)) from error
    answers.write(encode("alive", share=1.0))
    try:
        return llama_cpp.Llama(
            model_path=str(path),
            n_ctx=values["n_context"],
            n_threads=values["n_threads"],
            n_threads_batch=values["n_threads"],
            n_gpu_layers=0,
            verbose=False,
        )
    except Exception as error:  # whatever a file brings about
        raise _FailedError("unusable", f"{_UNUSABLE}: {error}") from error


def _check(path: Path, size: int, sha256: str, answers: BinaryIO) -> None:
    digest, n_bytes = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
                n_bytes += len(block)
                answers.write(encode("alive", share=min(1.0, n_bytes / size)))
    except OSError as error:
        raise _FailedError("missing_file", str(error)) from error
    if n_bytes != size or not hmac.compare_digest(digest.hexdigest(), sha256):
        raise _FailedError("damaged", f"{n_bytes} bytes with SHA-256 {digest.hexdigest()}")


def _limit_memory(most_bytes: int) -> None:
    try:
        import resource
    except ImportError:  # not on Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes))


def _messages(system: str, user: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]


class _Opening:
    """The beginning that all prompts share, computed once.

    Every text starts from exactly this state, so that it does not depend on the texts before it.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._system: str | None = None
        self._n_shared = 0

    def prepare(self, system: str) -> None:
        """Put the model where it has read the beginning of the prompt and nothing else."""
        if system != self._system:
            self._system = None
            tokens = [self._tokens(system, user) for user in ("1", "A")]
            pairs = enumerate(zip(*tokens, strict=False))
            self._n_shared = next((n for n, (a, b) in pairs if a != b), 0)
            self._system = system
        self._model.n_tokens = self._n_shared

    def _tokens(self, system: str, user: str) -> list[int]:
        """Read a whole prompt; the model's state is that of its tokens afterwards."""
        self._model.reset()
        self._model.create_chat_completion(
            messages=_messages(system, user), max_tokens=1, temperature=0.0
        )
        return [int(token) for token in self._model.input_ids[: self._model.n_tokens]]


def _project(model: Any, values: dict[str, Any], answers: BinaryIO) -> Any:
    path = Path(values["path"])
    _check(path, values["size"], values["sha256"], answers)
    answers.write(encode("alive", share=1.0))
    try:
        from singcoach.models.language.mtmd import Ear

        return Ear(model, path, n_threads=int(model.n_threads))
    except (ImportError, AttributeError) as error:
        raise _FailedError("missing_runtime", str(error)) from error
    except Exception as error:  # whatever a file brings about
        raise _FailedError("unusable", f"{_UNUSABLE}: {error}") from error


def _hear(ear: Any, kind: str, values: dict[str, Any], answers: BinaryIO) -> None:
    from singcoach.models.language.mtmd import decode_sound

    if ear is None:
        raise _FailedError("request", "no projector is loaded")
    try:
        if kind == "sound":
            ear.take(decode_sound(values["samples"]))
            answers.write(encode("alive", share=0.0))
            return
        n_windows, n_tokens = ear.hear(
            values["system"],
            values["about"],
            lambda share: answers.write(encode("alive", share=float(share))),
        )
    except Exception as error:  # the library raises many kinds
        raise _FailedError("request", f"{type(error).__name__}: {error}") from error
    answers.write(encode("heard", n_windows=n_windows, n_tokens=n_tokens))


def _write(
    model: Any, opening: _Opening, ear: Any, values: dict[str, Any], answers: BinaryIO
) -> None:
    import llama_cpp

    number, n_tokens, whole = values["number"], 0, False
    try:
        grammar = llama_cpp.LlamaGrammar.from_string(values["grammar"], verbose=False)
        sampling: dict[str, Any] = {
            "grammar": grammar,
            "seed": values["seed"],
            "temperature": values["temperature"],
            "top_k": 40,
            "top_p": 0.95,
            "min_p": 0.02,
            "repeat_penalty": 1.0,
            "max_tokens": values["most_tokens"],
            "stream": True,
        }
        if ear is not None and ear.system == values["system"]:
            pieces = model.create_completion(prompt=ear.tokens(values["user"]), **sampling)
        else:
            opening.prepare(values["system"])
            messages = _messages(values["system"], values["user"])
            pieces = model.create_chat_completion(messages=messages, **sampling)
        for piece in pieces:
            choice = piece["choices"][0]
            text = choice["text"] if "text" in choice else choice["delta"].get("content")
            if text:
                n_tokens += 1
                answers.write(encode("piece", number=number, text=str(text)))
            whole = whole or choice["finish_reason"] == "stop"
    except Exception as error:  # the library raises many kinds
        raise _FailedError("request", f"{type(error).__name__}: {error}") from error
    answers.write(encode("done", number=number, n_tokens=n_tokens, whole=whole))


if __name__ == "__main__":
    raise SystemExit(main())
