"""A whole feedback by a real model in its own process."""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path

import pytest
import stand_ins
from coaching_samples import NOTES, make_scores, make_screening
from real_models import SMOLLM2_SHA256, needs_runtime, smollm2
from tiny_gguf import entry_of, tiny_gguf

from singcoach.coaching.check import ClaimChecker
from singcoach.coaching.facts import gather_facts
from singcoach.coaching.feedback import write_feedback
from singcoach.coaching.phrasing import write_feedback_with_model
from singcoach.core.scores import Sentence
from singcoach.jobs import Job
from singcoach.models.catalogue import Catalogue
from singcoach.models.language import LanguageModel
from singcoach.models.language.choice import open_language_model

TAKE = {
    "scores": make_scores(),
    "screening": make_screening(),
    "duration_s": 120.0,
    "notes": NOTES,
}


def test_without_a_language_model_the_template_speaks() -> None:
    told = write_feedback_with_model(
        **TAKE,  # type: ignore[arg-type]
        open_model=partial(open_language_model, Catalogue(())),
    )
    assert told.feedback == write_feedback(**TAKE)  # type: ignore[arg-type]
    assert "No language model is installed" in told.warnings[0]


def test_damaged_file_leaves_the_template_and_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    path.write_bytes(tiny_gguf())
    entry = entry_of(path)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    told = write_feedback_with_model(
        **TAKE,  # type: ignore[arg-type]
        open_model=lambda job: LanguageModel(entry, job=job),
    )
    assert told.feedback == write_feedback(**TAKE)  # type: ignore[arg-type]
    assert "damaged" in told.warnings[0]


@pytest.mark.parametrize("program", [stand_ins.DIES, stand_ins.BABBLES, stand_ins.DIES_AT_START])
def test_process_with_a_fault_leaves_the_template_and_a_warning(
    tmp_path: Path, program: str
) -> None:
    path = tmp_path / "tiny.gguf"
    path.write_bytes(tiny_gguf())
    told = write_feedback_with_model(
        **TAKE,  # type: ignore[arg-type]
        open_model=lambda job: LanguageModel(
            entry_of(path), command=stand_ins.command(program), job=job
        ),
    )
    assert told.feedback == write_feedback(**TAKE)  # type: ignore[arg-type]
    assert len(told.warnings) == 1


@needs_runtime
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_process_killed_on_the_way_leaves_the_rest_to_the_template(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    path.write_bytes(tiny_gguf())
    models: list[LanguageModel] = []
    told_before: list[Sentence] = []

    def open_model(job: Job) -> LanguageModel:
        models.append(LanguageModel(entry_of(path), job=job))
        return models[0]

    def kill_after_eight(sentence: Sentence) -> None:
        told_before.append(sentence)
        if len(told_before) == 8:
            os.kill(models[0].process_id, signal.SIGKILL)

    told = write_feedback_with_model(
        **TAKE,  # type: ignore[arg-type]
        open_model=open_model,
        on_sentence=kill_after_eight,
        budget_s=60.0,
    )
    template = write_feedback(**TAKE)  # type: ignore[arg-type]
    assert 0 < told.n_by_model <= 8
    assert told.feedback.sentences == tuple(told_before)
    assert told.feedback.sentences[8:] == template.sentences[8:]
    assert len(told.warnings) == 1


@needs_runtime
def test_random_weights_say_nothing_untrue(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    path.write_bytes(tiny_gguf())

    def open_model(job: Job) -> LanguageModel:
        return LanguageModel(entry_of(path), job=job)

    told = write_feedback_with_model(
        **TAKE,  # type: ignore[arg-type]
        open_model=open_model,
        budget_s=60.0,
    )
    checker = ClaimChecker(gather_facts(**TAKE))  # type: ignore[arg-type]
    template = {s.text for s in write_feedback(**TAKE).sentences}  # type: ignore[arg-type]
    assert told.feedback.generator == "llm:tiny-words"
    assert told.n_by_model > 0
    for sentence in told.feedback.sentences:
        assert sentence.text in template or checker.accepts(sentence.text)


@needs_runtime
@pytest.mark.slow
def test_smollm2_speaks_in_the_time_given() -> None:
    path = smollm2()

    def open_model(job: Job) -> LanguageModel:
        return LanguageModel(entry_of(path, sha256=SMOLLM2_SHA256), job=job)

    told = write_feedback_with_model(
        **TAKE,  # type: ignore[arg-type]
        open_model=open_model,
        budget_s=120.0,
    )
    assert not told.warnings
    assert told.n_by_model >= 0.8 * told.n_asked
