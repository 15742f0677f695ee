"""Run the experiments from the command line; see :mod:`singcoach.benchmark.experiments`."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from singcoach import resources
from singcoach.benchmark.experiments.page import to_json, to_markdown
from singcoach.benchmark.experiments.run import EXPERIMENTS, Laboratory, run
from singcoach.errors import Cancelled, SingCoachError
from singcoach.files import write_whole
from singcoach.jobs import Job

PROGRAM = "python -m singcoach.benchmark.experiments"


def main(argv: Sequence[str] | None = None) -> int:
    """Read the arguments, run, write the page; returns the exit code."""
    parser = argparse.ArgumentParser(prog=PROGRAM, description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the rated recordings")
    parser.add_argument(
        "--corpus", type=Path, help="folder of controlled edits, from `singcoach train edits`"
    )
    parser.add_argument(
        "--examples", type=Path, help="npz of takes of that corpus that were heard before"
    )
    parser.add_argument(
        "--work",
        type=Path,
        default=resources.cache_dir() / "experiments",
        help="folder for what can be computed again; a stopped run goes on from it",
    )
    parser.add_argument(
        "--only", nargs="+", choices=list(EXPERIMENTS), default=[], help="these experiments alone"
    )
    parser.add_argument("--out", type=Path, help="page in Markdown; printed by default")
    parser.add_argument("--json", type=Path, help="file for the same figures, unrounded")
    arguments = parser.parse_args(argv)
    job = Job(_Progress().show)
    signal.signal(signal.SIGINT, lambda *_: job.cancel())
    lab = Laboratory(
        data=arguments.data,
        corpus=arguments.corpus,
        work=arguments.work,
        examples=arguments.examples,
    )
    try:
        sections = []
        for section in run(lab, arguments.only, job):
            sections.append(section)  # every page so far is whole: a stopped run leaves one
            page = to_markdown(sections, command=_command(arguments))
            if arguments.json is not None:
                write_whole(arguments.json, to_json(sections))
            if arguments.out is not None:
                write_whole(arguments.out, page)
        if arguments.out is None:
            sys.stdout.write(page)
    except Cancelled as stopped:
        sys.stderr.write("\nStopped. The same command goes on from what was finished.\n")
        return stopped.exit_code
    except SingCoachError as error:
        sys.stderr.write(f"\n{error.message}. {error.hint}".rstrip() + "\n")
        return error.exit_code
    return 0


def _command(arguments: argparse.Namespace) -> str:
    words = [PROGRAM, "--data DIR"]
    words += ["--corpus DIR"] if arguments.corpus is not None else []
    words += ["--examples NPZ"] if arguments.examples is not None else []
    words += [f"--only {' '.join(arguments.only)}"] if arguments.only else []
    return " ".join(words)


class _Progress:
    """One line on a terminal, a line a minute elsewhere."""

    EVERY_S = 60.0

    def __init__(self) -> None:
        self._started_s = self._told_s = time.monotonic()
        self._terminal = sys.stderr.isatty()

    def show(self, fraction: float, stage: str) -> None:
        """Tell how far the run is."""
        now_s = time.monotonic()
        if now_s - self._told_s < (0.2 if self._terminal else self.EVERY_S):
            return
        self._told_s = now_s
        spent_s = now_s - self._started_s
        left_s = spent_s * (1.0 - fraction) / fraction if fraction > 0.01 else 0.0
        said = f"{fraction:6.1%} {stage[:60]:60} about {left_s / 60:.0f} min left"
        sys.stderr.write(f"\r{said}" if self._terminal else f"{said}\n")
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
