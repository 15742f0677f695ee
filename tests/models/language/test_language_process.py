"""The program's end holds whatever the process of the language model does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
import stand_ins
from tiny_gguf import entry_of, tiny_gguf

from singcoach.errors import Cancelled, ModelError
from singcoach.jobs import Job
from singcoach.models.language import LanguageModel, Request
from singcoach.models.language.process import CHILD, threads_for_language
from singcoach.models.language.protocol import ANSWERS, COMMANDS, ProtocolError, decode, encode

ASKED = Request(system="Be kind.", user="Hello", grammar='root ::= "a"')


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.gguf"
    path.write_bytes(tiny_gguf())
    return path


def start(file: Path, program: str, **options: float) -> LanguageModel:
    return LanguageModel(entry_of(file), command=stand_ins.command(program), **options)  # type: ignore[arg-type]


def gone(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return True
    return False


def test_text_comes_in_pieces_and_whole(file: Path) -> None:
    pieces: list[str] = []
    with start(file, stand_ins.ECHO) as model:
        for _ in range(2):
            written = model.write(ASKED, timeout_s=10.0, on_piece=pieces.append)
            assert written.text == "You said: Hello"
            assert written.whole
    assert pieces == ["You said: ", "Hello"] * 2
    assert gone(model.process_id)
    assert not model.usable
    with pytest.raises(ModelError):
        model.write(ASKED, timeout_s=1.0)


@pytest.mark.parametrize(
    "program",
    [
        stand_ins.DIES,
        stand_ins.BABBLES,
        stand_ins.ANSWERS_ANOTHER,
        stand_ins.ENDLESS_LINE,
        stand_ins.HANGS,
        stand_ins.TALKS_ON,
    ],
    ids=["dies", "babbles", "answers another", "endless line", "hangs", "talks on"],
)
def test_fault_while_writing_is_an_error_and_ends_the_process(file: Path, program: str) -> None:
    n_threads = threading.active_count()
    model = start(file, program)
    began_s = time.monotonic()
    with pytest.raises(ModelError) as caught:
        model.write(ASKED, timeout_s=1.5)
    assert time.monotonic() - began_s < 5.0
    assert caught.value.hint
    assert not model.usable
    assert gone(model.process_id)
    assert threading.active_count() == n_threads


def test_log_of_a_process_that_died_is_in_the_detail(file: Path) -> None:
    with start(file, stand_ins.DIES) as model, pytest.raises(ModelError) as caught:
        model.write(ASKED, timeout_s=10.0)
    assert "out of memory" in caught.value.detail


def test_silence_is_a_fault_before_the_whole_time_is_over(file: Path) -> None:
    with start(file, stand_ins.HANGS, silence_timeout_s=0.5) as model:
        began_s = time.monotonic()
        with pytest.raises(ModelError):
            model.write(ASKED, timeout_s=60.0)
        assert time.monotonic() - began_s < 5.0


def test_process_that_does_not_read_holds_nobody_up(file: Path) -> None:
    n_threads = threading.active_count()
    with start(file, stand_ins.HANGS) as model, pytest.raises(ModelError):
        model.write(replace(ASKED, user="x" * 500_000), timeout_s=0.5)
    assert threading.active_count() == n_threads


def test_request_without_measure_is_an_error(file: Path) -> None:
    with start(file, stand_ins.ECHO) as model, pytest.raises(ModelError):
        model.write(replace(ASKED, user="x" * (1 << 20)), timeout_s=10.0)


@pytest.mark.parametrize("program", [stand_ins.HANGS_AT_START, stand_ins.DIES_AT_START])
def test_start_that_fails_is_an_error(file: Path, program: str) -> None:
    n_threads = threading.active_count()
    with pytest.raises(ModelError):
        start(file, program, load_timeout_s=1.0)
    assert threading.active_count() == n_threads


def test_missing_runtime_says_how_to_install_it(file: Path) -> None:
    with pytest.raises(ModelError) as caught:
        start(file, stand_ins.NO_RUNTIME)
    assert "pip install" in caught.value.hint


def test_program_that_cannot_be_started_is_an_error(file: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        LanguageModel(entry_of(file), command=[str(tmp_path / "nothing")])


@pytest.mark.parametrize("program", [stand_ins.HANGS, stand_ins.TALKS_ON])
def test_cancelling_ends_the_process_within_a_second(file: Path, program: str) -> None:
    model = start(file, program)
    job = Job()
    asked_s: list[float] = []

    def cancel() -> None:
        asked_s.append(time.monotonic())
        job.cancel()

    timer = threading.Timer(0.3, cancel)
    timer.start()
    with pytest.raises(Cancelled):
        model.write(ASKED, timeout_s=60.0, job=job)
    assert time.monotonic() - asked_s[0] < 1.0
    timer.join()
    assert gone(model.process_id)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_killed_between_two_texts_is_an_error(file: Path) -> None:
    with start(file, stand_ins.ECHO) as model:
        model.write(ASKED, timeout_s=10.0)
        os.kill(model.process_id, signal.SIGKILL)
        with pytest.raises(ModelError):
            model.write(ASKED, timeout_s=10.0)


def test_real_process_refuses_a_file_with_another_digest(file: Path) -> None:
    with pytest.raises(ModelError, match="damaged"):
        LanguageModel(entry_of(file, sha256="0" * 64))


def test_real_process_refuses_a_shortened_file(file: Path) -> None:
    entry = entry_of(file)
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ModelError, match="damaged"):
        LanguageModel(entry)


def test_real_process_refuses_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        LanguageModel(entry_of(tmp_path / "none.gguf"))


def test_process_ends_with_the_program_that_started_it() -> None:
    program = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen({list(CHILD)!r}, stdin=subprocess.PIPE)\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child_id = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until_s = time.monotonic() + 10.0
    while not _ended(child_id) and time.monotonic() < until_s:
        time.sleep(0.05)
    assert _ended(child_id)


def _ended(process_id: int) -> bool:
    """Whether a process is gone or only waits for whoever inherited it to notice."""
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return gone(process_id)
    return state == "Z"


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"{}\n",
        b"[]\n",
        b'{"is": "ready", "n_context": 1}',
        b'{"is": "ready"}\n',
        b'{"is": "ready", "n_context": 1, "more": 2}\n',
        b'{"is": "ready", "n_context": true}\n',
        b'{"is": "ready", "n_context": "1"}\n',
        b'{"is": ["ready"], "n_context": 1}\n',
        b'{"is": "load", "n_context": 1}\n',
        b"[" * 100_000 + b"\n",
        b'"' + b"x" * (1 << 20) + b'"\n',
    ],
)
def test_anything_but_a_message_is_refused(line: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode(line, ANSWERS)


def test_messages_come_back_as_they_were_written() -> None:
    values = {"number": 3, "text": 'at “0:12”\n\u2028"é"'}
    line = encode("piece", **values)
    assert line.count(b"\n") == 1
    assert decode(line, ANSWERS) == ("piece", values)
    assert not ANSWERS.keys() & COMMANDS.keys()


def test_one_core_is_left_to_others() -> None:
    assert 1 <= threads_for_language() < max(2, os.cpu_count() or 1)
