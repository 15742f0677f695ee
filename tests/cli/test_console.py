"""What a person sees while and after a command runs."""

from __future__ import annotations

import io

import pytest

from singcoach.cli.console import say, show
from singcoach.cli.progress import ConsoleProgress, format_progress
from singcoach.errors import Cancelled, InputError


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_time_left_is_what_remains_at_the_speed_so_far() -> None:
    assert format_progress("a.mp3", "reading", 0.25, 10.0) == "a.mp3: reading  25 %, 30 s left"
    assert "2 min 30 s left" in format_progress("a", "b", 0.5, 150.0)
    assert "left" not in format_progress("a", "b", 0.01, 10.0)


def test_the_line_is_drawn_and_taken_away_on_a_terminal() -> None:
    stream = Terminal()
    progress = ConsoleProgress("take.wav", stream=stream)
    progress.job().report(0.5, "separating")
    assert "take.wav: separating  50 %" in stream.getvalue()
    progress.clear()
    assert stream.getvalue().endswith("\r")


def test_nothing_is_drawn_into_a_file() -> None:
    stream = io.StringIO()
    progress = ConsoleProgress("take.wav", stream=stream)
    progress.job().report(0.5, "separating")
    progress.clear()
    assert stream.getvalue() == ""


def test_a_cancelled_job_stops_at_its_next_report() -> None:
    job = ConsoleProgress("x", stream=io.StringIO()).job()
    part = job.part(0.0, 0.5)
    part.cancel()
    assert job.cancelled
    with pytest.raises(Cancelled):
        job.report(0.1, "reading")


def test_parts_map_into_their_share() -> None:
    seen: list[float] = []
    from singcoach.jobs import Job

    job = Job(lambda fraction, _stage: seen.append(fraction))
    job.part(0.2, 0.6).part(0.5, 1.0).report(0.5, "x")
    assert seen == [pytest.approx(0.5)]


def test_a_problem_is_one_line_with_its_hint(capsys: pytest.CaptureFixture[str]) -> None:
    say(InputError("a.mp3 is empty", hint="Record it again"))
    say("odd\x1b[31m name\r", "Look")
    error = capsys.readouterr().err.splitlines()
    assert error == [
        "singcoach: a.mp3 is empty. Record it again.",
        "singcoach: odd?[31m name?. Look.",
    ]
    show("fine")
    assert capsys.readouterr().out == "fine\n"
