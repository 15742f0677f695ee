"""The real process with a real file: texts within a grammar, the same for the same seed."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
from real_models import SMOLLM2_SHA256, needs_runtime, smollm2
from tiny_gguf import entry_of, tiny_gguf

from singcoach.errors import Cancelled, ModelError
from singcoach.jobs import Job
from singcoach.models.language import LanguageModel, Request

pytestmark = needs_runtime

ASKED = Request(
    system="You are a coach.",
    user="Say how it was.",
    grammar='root ::= ("At" | "Near") " 0:12 " ("the tone" | "your voice") " is " [a-z]{3,9} "."',
    seed=7,
    most_tokens=120,
)
ENDLESS = replace(ASKED, grammar='root ::= "la " root', most_tokens=100_000)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tiny") / "tiny.gguf"
    path.write_bytes(tiny_gguf())
    return path


def test_text_follows_the_grammar_and_the_seed(file: Path) -> None:
    seen = []
    for _ in range(2):
        with LanguageModel(entry_of(file)) as model:
            seen.append([model.write(replace(ASKED, seed=s), timeout_s=20.0) for s in range(4)])
            # Earlier texts leave no trace.
            assert model.write(replace(ASKED, seed=2), timeout_s=20.0) == seen[-1][2]
    assert seen[0] == seen[1]
    pattern = re.compile(r"(At|Near) 0:12 (the tone|your voice) is [a-z]{3,9}\.")
    assert all(w.whole and pattern.fullmatch(w.text) for w in seen[0])
    assert len({w.text for w in seen[0]}) > 1


def test_text_that_is_too_long_is_not_whole(file: Path) -> None:
    with LanguageModel(entry_of(file)) as model:
        written = model.write(replace(ASKED, most_tokens=4), timeout_s=20.0)
    assert not written.whole
    assert written.n_tokens <= 4


def test_grammar_with_a_fault_is_an_error(file: Path) -> None:
    with LanguageModel(entry_of(file)) as model, pytest.raises(ModelError):
        model.write(replace(ASKED, grammar="root ::= nothing"), timeout_s=20.0)


def test_prompt_that_is_too_long_is_an_error(file: Path) -> None:
    with LanguageModel(entry_of(file)) as model, pytest.raises(ModelError):
        model.write(replace(ASKED, user="la " * 5000), timeout_s=20.0)


def test_cancelling_a_computation_takes_less_than_a_second(file: Path) -> None:
    job = Job()
    asked_s: list[float] = []

    def cancel(_: str) -> None:
        if not asked_s:
            asked_s.append(time.monotonic())
            job.cancel()

    with LanguageModel(entry_of(file)) as model:
        with pytest.raises(Cancelled):
            model.write(ENDLESS, timeout_s=60.0, on_piece=cancel, job=job)
        assert time.monotonic() - asked_s[0] < 1.0
        assert not model.usable


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_killed_amid_a_text_is_an_error(file: Path) -> None:
    with LanguageModel(entry_of(file)) as model, pytest.raises(ModelError):
        model.write(
            ENDLESS,
            timeout_s=60.0,
            on_piece=lambda _: os.kill(model.process_id, signal.SIGKILL),
        )


@pytest.mark.parametrize("place", [4, 40, 300, 6000, -1])
def test_damaged_file_with_a_right_digest_is_an_error_at_most(file: Path, place: int) -> None:
    content = bytearray(file.read_bytes())
    content = content[:-2000] if place < 0 else content
    if place >= 0:
        content[place : place + 8] = b"\xff" * 8
    damaged = file.with_name(f"damaged{place}.gguf")
    damaged.write_bytes(content)
    # Weights that are merely wrong still write; the program lives on either way.
    with contextlib.suppress(ModelError), LanguageModel(entry_of(damaged)) as model:
        assert model.write(ASKED, timeout_s=20.0).n_tokens > 0
    with LanguageModel(entry_of(file)) as model:
        assert model.write(ASKED, timeout_s=20.0).whole


def test_text_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "words.gguf"
    path.write_text("GGUF it is not")
    with pytest.raises(ModelError, match="cannot be run"):
        LanguageModel(entry_of(path))


@pytest.mark.skipif(os.name == "nt", reason="no limits of memory on this system")
def test_too_little_memory_is_an_error(file: Path) -> None:
    with pytest.raises(ModelError):
        LanguageModel(entry_of(file), most_bytes=150_000_000)


def test_real_model_writes_the_same_whatever_it_wrote_before() -> None:
    path = smollm2()
    other = replace(ASKED, user="Something else was asked here, and at length.", seed=1)
    written = []
    for requests in ((ASKED,), (other, ASKED, replace(ASKED, system="Another."), ASKED)):
        with LanguageModel(entry_of(path, sha256=SMOLLM2_SHA256)) as model:
            texts = [(r, model.write(r, timeout_s=60.0)) for r in requests]
        written += [text for request, text in texts if request == ASKED]
    assert len(written) == 3
    assert written[0] == written[1] == written[2]
    assert written[0].whole
    assert written[0].text.startswith(("At 0:12 ", "Near 0:12 "))
