"""One piece of work in a process of its own: ``python -m singcoach.benchmark.worker``.

Prints one line of JSON: ``{"seconds": s, "peak_memory_mb": m}``, or ``{"missing": command}`` for
a peer that is not installed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from singcoach.benchmark.material import Material
from singcoach.benchmark.peers import PEERS, Missing
from singcoach.benchmark.stages import STAGES, prepare_voice
from singcoach.chain.clock import peak_memory_mb
from singcoach.errors import SingCoachError

PREPARE = "prepare"


def main(argv: Sequence[str] | None = None) -> int:
    """Do the named work once and print what it took; returns the exit code."""
    parser = argparse.ArgumentParser(prog="singcoach.benchmark.worker")
    parser.add_argument("work", choices=(PREPARE, *STAGES, *PEERS))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int, required=True)
    args = parser.parse_args(argv)
    material = Material(folder=args.folder, threads=args.threads)
    try:
        # Peers print; standard output is for the result alone.
        with contextlib.redirect_stdout(sys.stderr):
            result = _measure(args.work, material)
    except Missing as missing:
        result = {"missing": str(missing)}
    except SingCoachError as error:
        print(f"{error.message}. {error.hint}".strip(), file=sys.stderr)  # noqa: T201 - a program
        return error.exit_code
    print(json.dumps(result))  # noqa: T201 - the result of this program
    return 0


def _measure(name: str, material: Material) -> dict[str, float | str]:
    if name == PREPARE:
        prepare_voice(material)
        return {}
    _, prepare = STAGES[name] if name in STAGES else PEERS[name]
    work = prepare(material)
    started_s = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - started_s
    del result
    return {"seconds": seconds, "peak_memory_mb": peak_memory_mb()}


if __name__ == "__main__":
    sys.exit(main())
