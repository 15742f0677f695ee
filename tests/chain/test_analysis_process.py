"""The analysis process can die, hang or be cancelled; the program gets one sentence and goes on."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from singcoach.chain.analysis_process import CHILD, AnalysisProcess
from singcoach.chain.analysis_protocol import (
    AnalysisRequest,
    ProtocolError,
    decode,
    decode_request,
    encode,
    encode_request,
)
from singcoach.chain.demo import demo_recording
from singcoach.errors import Cancelled, InputError, SingCoachError
from singcoach.jobs import Job

STAND_IN = (sys.executable, str(Path(__file__).with_name("analysis_stand_in.py")))


@pytest.fixture
def process() -> Iterator[AnalysisProcess]:
    with AnalysisProcess(command=STAND_IN, silence_timeout_s=20.0) as made:
        yield made


def _request(folder: Path, what: str) -> AnalysisRequest:
    return AnalysisRequest(recording=Path(f"{what}.wav"), folder=folder, language="fr")


def _analyse_in_thread(
    process: AnalysisProcess, request: AnalysisRequest, job: Job
) -> tuple[threading.Thread, list[BaseException]]:
    faults: list[BaseException] = []

    def work() -> None:
        try:
            process.analyse(request, job)
        except BaseException as error:  # noqa: BLE001 - looked at by the test
            faults.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    return thread, faults


def test_the_child_is_kept_between_requests(process: AnalysisProcess, tmp_path: Path) -> None:
    seen: list[tuple[float, str]] = []
    job = Job(lambda fraction, stage: seen.append((fraction, stage)))
    first = process.analyse(_request(tmp_path, "a"), job)
    number = process.process_id
    process.analyse(_request(tmp_path, "b"))
    assert (first.duration_s, first.providers) == (2.0, ("CPU",))
    assert (0.25, "listening") in seen
    assert (tmp_path / "assessment.json").read_text(encoding="utf-8") == "fr"
    assert process.process_id == number is not None


def test_sentences_arrive_while_it_works(process: AnalysisProcess, tmp_path: Path) -> None:
    heard: list[tuple[str, int, str]] = []
    process.analyse(_request(tmp_path, "sing"), on_sentence=lambda *said: heard.append(said))
    assert heard == [("summary", 0, "Well sung.")]


@pytest.mark.parametrize(
    ("what", "kind", "words"),
    [
        ("refuse", InputError, "refuse.wav is no recording"),
        ("bug", SingCoachError, "met a fault inside SingCoach (KeyError)"),
        ("starve", SingCoachError, "not enough memory"),
    ],
)
def test_a_fault_of_one_recording_leaves_the_child(
    process: AnalysisProcess, tmp_path: Path, what: str, kind: type[Exception], words: str
) -> None:
    process.analyse(_request(tmp_path, "a"))
    number = process.process_id
    with pytest.raises(kind, match=words.replace("(", r"\(").replace(")", r"\)")) as caught:
        process.analyse(_request(tmp_path, what))
    assert "secret" not in str(caught.value)
    process.analyse(_request(tmp_path, "b"))
    assert process.process_id == number


@pytest.mark.parametrize("what", ["die", "gibberish"])
def test_a_child_that_fails_is_replaced(
    process: AnalysisProcess, tmp_path: Path, what: str
) -> None:
    with pytest.raises(SingCoachError, match="ended before it was done"):
        process.analyse(_request(tmp_path, what))
    assert process.analyse(_request(tmp_path, "a")).duration_s == 2.0


def test_a_killed_child_is_one_sentence(process: AnalysisProcess, tmp_path: Path) -> None:
    started = threading.Event()
    job = Job(lambda fraction, stage: started.set() if stage == "listening" else None)
    thread, faults = _analyse_in_thread(process, _request(tmp_path, "slow"), job)
    assert started.wait(20)
    number = process.process_id
    assert number is not None
    psutil.Process(number).kill()
    thread.join(10)
    assert isinstance(faults[0], SingCoachError)
    assert "ended before it was done" in str(faults[0])
    assert process.analyse(_request(tmp_path, "a")).duration_s == 2.0


@pytest.mark.parametrize("what", ["slow", "hang"])
def test_cancelling_acts_within_a_second(
    process: AnalysisProcess, tmp_path: Path, what: str
) -> None:
    process.analyse(_request(tmp_path, "a"))
    number = process.process_id
    started = threading.Event()
    job = Job(lambda fraction, stage: started.set() if stage == "listening" else None)
    thread, faults = _analyse_in_thread(process, _request(tmp_path, what), job)
    assert started.wait(20)
    job.cancel()
    thread.join(5.0)
    assert not thread.is_alive()
    assert isinstance(faults[0], Cancelled)
    kept = process.process_id == number
    assert kept is (what == "slow"), "a child that stops by itself keeps its networks"


def test_a_child_that_says_nothing_is_ended(tmp_path: Path) -> None:
    with AnalysisProcess(command=STAND_IN, silence_timeout_s=3.0) as process:
        with pytest.raises(SingCoachError, match="ended before") as caught:
            process.analyse(_request(tmp_path, "hang"))
        assert "said nothing" in caught.value.detail
        assert process.process_id is None


def test_a_child_that_grew_too_large_is_not_kept(process: AnalysisProcess, tmp_path: Path) -> None:
    process.analyse(_request(tmp_path, "fat"))
    assert process.process_id is None


def test_a_child_that_cannot_be_started_is_one_sentence(tmp_path: Path) -> None:
    with (
        AnalysisProcess(command=[str(tmp_path / "nothing")]) as process,
        pytest.raises(SingCoachError, match="could not be started"),
    ):
        process.analyse(_request(tmp_path, "a"))


def test_the_child_ends_with_its_program(tmp_path: Path) -> None:
    script = (
        "import sys, threading\nfrom pathlib import Path\n"
        "from singcoach.chain.analysis_process import AnalysisProcess\n"
        "from singcoach.chain.analysis_protocol import AnalysisRequest\n"
        "from singcoach.jobs import Job\n"
        f"p = AnalysisProcess(command={list(STAND_IN)!r})\n"
        "def tell(fraction, stage):\n"
        "    if stage == 'listening': print(p.process_id, flush=True)\n"
        f"p.analyse(AnalysisRequest(recording=Path('hang.wav'), folder=Path({str(tmp_path)!r})),"
        " Job(tell))\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        child = psutil.Process(int(program.stdout.readline()))
        program.kill()
        program.wait()
    with contextlib.suppress(psutil.NoSuchProcess):
        child.wait(10)
    assert not child.is_running()


def test_requests_survive_the_line(tmp_path: Path) -> None:
    request = AnalysisRequest(
        recording=tmp_path / "é 歌.wav", folder=tmp_path, song=tmp_path / "s.txt", kind="mixture"
    )
    kind, values = decode(encode_request(request))
    assert kind == "analyse"
    assert decode_request(values) == request


@pytest.mark.parametrize(
    "line", [b"", b"{}\n", b"[]\n", b'{"is": 3}\n', b"x\n", b"[" * 9999 + b"\n", b'{"is":"a"}']
)
def test_what_is_no_message_is_refused(line: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode(line)


@pytest.mark.parametrize(
    "change",
    [{"kind": "duet"}, {"recording": ""}, {"recording": None}, {"extra": 1}, {"name": 3}],
)
def test_what_is_no_request_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    _, values = decode(encode_request(_request(tmp_path, "a")))
    with pytest.raises(ProtocolError):
        decode_request({**values, **change})


def test_a_request_that_is_none_is_answered(tmp_path: Path) -> None:
    with subprocess.Popen(
        list(CHILD), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert decode(child.stdout.readline())[0] == "ready"
        child.stdin.write(encode("dance"))
        child.stdin.flush()
        kind, values = decode(child.stdout.readline())
        assert (kind, values["kind"]) == ("failed", "inside")
        child.stdin.close()
        assert child.wait(10) == 0


@pytest.mark.slow
def test_a_real_recording_is_analysed_into_its_folder(tmp_path: Path) -> None:
    from singcoach.library.curves import load_curves

    (tmp_path / ".singcoach-left.part").write_bytes(b"half")
    with AnalysisProcess() as process:
        for role in ("demo", "mixture"):
            folder = tmp_path / role
            folder.mkdir()
            (folder / ".singcoach-left.part").write_bytes(b"half")
            request = AnalysisRequest(
                recording=demo_recording(role).path,
                folder=folder,
                name="mine.wav",
                language="de",
                words="template",
            )
            result = process.analyse(request)
            document = json.loads((folder / "assessment.json").read_text(encoding="utf-8"))
            assert document["input"]["file"] == "mine.wav"
            assert document["feedback"]["language"] == "de" or document["feedback"]["summary"]
            curves = load_curves(folder / "curves.npz")
            assert curves.duration_s == pytest.approx(result.duration_s)
            assert (folder / "vocals.flac").exists() is (role == "mixture")
            assert not list(folder.glob("*.part"))


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no way to stop a process here")
def test_a_stopped_child_can_be_cancelled(process: AnalysisProcess, tmp_path: Path) -> None:
    started = threading.Event()
    job = Job(lambda fraction, stage: started.set() if stage == "listening" else None)
    thread, faults = _analyse_in_thread(process, _request(tmp_path, "slow"), job)
    assert started.wait(20)
    number = process.process_id
    assert number is not None
    os.kill(number, signal.SIGSTOP)
    asked_s = time.monotonic()
    job.cancel()
    thread.join(10)
    assert isinstance(faults[0], Cancelled)
    assert time.monotonic() - asked_s < 8.0
