"""Children are timed, weighed and stopped."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from singcoach.benchmark.processes import run_child
from singcoach.chain.clock import peak_of
from singcoach.errors import Cancelled
from singcoach.jobs import Job


def _python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_output_code_and_environment_come_back() -> None:
    outcome = run_child(
        _python("import os, sys; print(os.environ['A']); sys.stderr.write('no'); sys.exit(3)"),
        environment={"A": "yes"},
        job=Job(),
        stage="x",
    )
    assert (outcome.code, outcome.stdout.strip(), outcome.stderr) == (3, "yes", "no")


def test_the_whole_life_is_timed() -> None:
    outcome = run_child(
        _python("import time; time.sleep(0.3)"), environment={}, job=Job(), stage="x"
    )
    assert outcome.seconds >= 0.3


def test_more_output_than_a_pipe_holds_is_no_trap() -> None:
    outcome = run_child(_python("print('x' * 3_000_000)"), environment={}, job=Job(), stage="x")
    assert len(outcome.stdout) > 3_000_000


@pytest.mark.skipif(sys.platform != "linux", reason="the counter is Linux's")
def test_memory_of_the_child_is_its_own() -> None:
    ballast = bytearray(os.urandom(1)) * 150_000_000
    code = "x = bytearray(b'1') * {}; import time; time.sleep(0.2)"
    small = run_child(_python(code.format(1)), environment={}, job=Job(), stage="x")
    large = run_child(_python(code.format(80_000_000)), environment={}, job=Job(), stage="x")
    assert peak_of("self") > 150
    assert small.peak_memory_mb < 80
    assert 75 < large.peak_memory_mb - small.peak_memory_mb < 90
    del ballast


def test_an_unknown_process_weighs_nothing() -> None:
    assert peak_of(2**30) == 0.0


def test_a_cancelled_child_is_gone_within_a_second(tmp_path: Path) -> None:
    job = Job()
    noted = tmp_path / "pid"
    code = f"import os, time; open({str(noted)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    failure: list[BaseException] = []
    ended: list[float] = []

    def work() -> None:
        try:
            run_child(_python(code), environment={}, job=job, stage="x")
        except Cancelled as stop:
            failure.append(stop)
        ended.append(time.monotonic())

    thread = threading.Thread(target=work)
    thread.start()
    while not (noted.exists() and noted.read_text()):
        time.sleep(0.01)
    asked = time.monotonic()
    job.cancel()
    thread.join(10)
    assert failure
    assert ended[0] - asked < 1.0
    with pytest.raises(ProcessLookupError):
        os.kill(int(noted.read_text()), 0)
