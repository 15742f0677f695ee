"""A child process that reads broken files: a decoder's crash or hang must be seen, not suffered."""

from __future__ import annotations

import select
import struct
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

_WORKER = Path(__file__).with_name("fuzz_worker.py")
DEADLINE_S = 30.0
"""Far beyond what an input takes, so that a busy machine fails nothing; a hang is forever."""


class Reader:
    """A child process that reads what it is given; its death or silence is a finding."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.answers: Counter[str] = Counter()
        self.slowest_s = 0.0

    def read(self, kind: str, content: bytes) -> str:
        """Return ``"read"``, ``"refused: ..."`` or fail."""
        process = self.process()
        assert process.stdin is not None
        assert process.stdout is not None
        start = time.monotonic()
        process.stdin.write(struct.pack(">8sI", kind.encode(), len(content)) + content)
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], DEADLINE_S)
        if not ready:
            self.stop()
            pytest.fail(f"no answer for {DEADLINE_S:.0f} s: hang; {self._keep(kind)}")
        answer = process.stdout.readline().decode("utf-8", "replace").strip()
        self.slowest_s = max(self.slowest_s, time.monotonic() - start)
        if not answer:
            code = process.wait()
            complaints = self.stop().decode("utf-8", "replace")
            pytest.fail(f"the reader died with exit code {code}; {self._keep(kind)}: {complaints}")
        word = answer.split(":")[0]
        self.answers[f"{kind} {word}"] += 1
        if word not in ("read", "refused"):
            pytest.fail(f"{answer}; {self._keep(kind)}")
        return answer

    def _keep(self, kind: str) -> Path:
        """Put the input aside that the child was reading, for whoever looks into it."""
        kept = self._folder / f"finding-{time.time_ns()}.{kind}"
        (self._folder / f"take.{kind}").replace(kept)
        return kept

    def stop(self) -> bytes:
        """End the child and return what it said on stderr."""
        process, self._process = self._process, None
        if process is None:
            return b""
        process.kill()
        _, complaints = process.communicate()
        return complaints

    def process(self) -> subprocess.Popen[bytes]:
        """Return the child, started if need be."""
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-X", "faulthandler", str(_WORKER), str(self._folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
            )
        return self._process
