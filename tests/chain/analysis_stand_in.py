"""A worker that obeys the name of its recording: what a real one does only when all goes wrong."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from singcoach.chain import worker
from singcoach.chain.analysis_protocol import AnalysisRequest
from singcoach.errors import InputError
from singcoach.jobs import Job


def act(request: AnalysisRequest, engine: object, send: Any, job: Job) -> dict[str, Any]:
    what = request.recording.stem
    job.report(0.25, "listening")
    if what == "die":
        os._exit(9)
    if what == "hang":
        time.sleep(60)
    if what == "slow":
        while True:
            time.sleep(0.02)
            job.report(0.5, "listening")
    if what == "refuse":
        raise InputError("refuse.wav is no recording", hint="Choose another")
    if what == "bug":
        raise KeyError("secret")
    if what == "starve":
        raise MemoryError
    if what == "gibberish":
        os.write(int(os.environ["STAND_IN_OUT"]), b"not JSON\n")
        time.sleep(60)
    if what == "sing":
        send("sentence", part="summary", place=0, text="Well sung.")
    print("a library prints this")  # goes to the log, not among the answers
    (request.folder / "assessment.json").write_text(request.language, encoding="utf-8")
    size = 9999.0 if what == "fat" else 100.0
    return {"duration_s": 2.0, "seconds": 0.1, "providers": ["CPU"], "resident_mb": size}


def main() -> int:
    out = os.dup(1)
    os.environ["STAND_IN_OUT"] = str(out)
    os.dup2(2, 1)
    print("started", file=sys.stderr, flush=True)
    with os.fdopen(out, "wb", buffering=0) as answers:
        return worker.serve(sys.stdin.buffer, answers, act)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    raise SystemExit(main())
