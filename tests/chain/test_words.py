"""The coach's words in the whole chain, with the real process of a language model."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "models" / "language"))
from real_models import needs_runtime, smollm2
from tiny_gguf import tiny_gguf

from singcoach import resources
from singcoach.chain.assess import AssessedTake, assess
from singcoach.chain.cache import Cache
from singcoach.chain.engine import Engine
from singcoach.chain.settings import Settings
from singcoach.chain.words import CoachWords, write_words
from singcoach.cli.main import main
from singcoach.coaching.check import ClaimChecker
from singcoach.coaching.facts import gather_facts
from singcoach.core.scores import Sentence
from singcoach.errors import Cancelled
from singcoach.jobs import Job
from singcoach.models.packs.adding import add
from singcoach.report.document import to_document

TAKE = resources.assets_dir() / "vocadito_14.flac"
FAST = Settings(kind="solo", profile="fast")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    return Cache(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def plain(cache: Cache) -> AssessedTake:
    """The take as templates say it."""
    settings = replace(FAST, words="template")
    return assess(TAKE, settings=settings, engine=Engine(cache=cache))


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """An installed language model of random weights; the file in its pack."""
    path = tmp_path / "tiny.gguf"
    path.write_bytes(tiny_gguf())
    return add([path], trust=True, name="tiny-words").entries[0].path


def words(plain: AssessedTake, **options: object) -> CoachWords:
    own = {
        name: options.pop(name) for name in ("on_sentence", "budget_s", "job") if name in options
    }
    settings = replace(FAST, **options)  # type: ignore[arg-type]
    return write_words(
        plain.assessment.scores,
        plain.take,
        settings=settings,
        engine=Engine(),
        **own,  # type: ignore[arg-type]
    )


def children() -> list[psutil.Process]:
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):  # it may end while it is looked at
            if "singcoach.models.language.child" in " ".join(child.cmdline()):
                found.append(child)
    return found


@needs_runtime
def test_an_installed_model_writes_and_every_sentence_is_true(
    plain: AssessedTake, tiny: Path, cache: Cache
) -> None:
    told: list[Sentence] = []
    engine = Engine(cache=cache)
    assessed = assess(TAKE, settings=FAST, engine=engine, on_sentence=told.append)
    result = assessed.assessment
    feedback = result.feedback
    assert feedback is not None
    assert feedback.generator == "llm:tiny-words"
    assert feedback.sentences == tuple(told)
    assert feedback.claims_checked > len(told)
    assert 0 <= feedback.claims_rejected < feedback.claims_checked
    assert result.warnings == plain.assessment.warnings
    assert result.scores == plain.assessment.scores
    use = next(model for model in result.models if model.role == "language_model")
    assert (use.id, use.provider) == ("tiny-words", "llama.cpp")
    timings = result.timings
    own_s = timings["language_model_load_s"] + timings["language_model_write_s"]
    assert 0.0 < own_s <= timings["feedback_s"] + 0.01
    assert result.peak_memory_mb > 50.0
    to_document(result)
    facts = gather_facts(
        scores=result.scores,
        screening=result.screening,
        duration_s=assessed.take.duration_s,
        notes=assessed.take.notes,
    )
    checker = ClaimChecker(facts)
    template = plain.assessment.feedback
    assert template is not None
    planned = {sentence.text for sentence in template.sentences}
    own = [s.text for s in feedback.sentences if s.text not in planned]
    assert own
    assert all(checker.accepts(text) for text in own)
    assert not children()


@needs_runtime
def test_the_seed_decides_the_words(plain: AssessedTake, tiny: Path) -> None:
    first, again, other = (words(plain, seed=seed, budget_s=60.0).feedback for seed in (1, 1, 2))
    assert first == again
    assert first.sentences != other.sentences


def test_templates_start_no_process(plain: AssessedTake, tiny: Path) -> None:
    seen: list[int] = []
    for options in ({"words": "template"}, {"language": "de"}):
        told = words(plain, on_sentence=lambda _: seen.append(len(children())), **options)
        assert told.feedback.generator == "template"
        assert told.warnings == ()
        assert told.seconds == {}
    assert seen
    assert set(seen) == {0}


def test_a_model_that_was_asked_for_and_cannot_speak_is_told(plain: AssessedTake) -> None:
    told = words(plain, words="model", language="fr")
    assert told.feedback.language == "fr"
    assert "English" in told.warnings[0]
    told = words(plain, words="model")
    assert told.feedback == plain.assessment.feedback
    assert "No language model is installed" in told.warnings[0]
    assert words(plain).warnings == ()


def test_a_take_without_scores_needs_no_model(plain: AssessedTake, tiny: Path) -> None:
    scores = plain.assessment.scores
    none = replace(scores.overall, score=None, low=None, high=None, reason="nothing was measured")
    told = write_words(replace(scores, overall=none), plain.take, settings=FAST, engine=Engine())
    assert told.feedback.generator == "template"
    assert told.seconds == {}


def test_a_damaged_file_leaves_a_whole_assessment(
    plain: AssessedTake, tiny: Path, cache: Cache
) -> None:
    content = tiny.read_bytes()
    tiny.chmod(0o600)
    for damaged in (content[:-4] + b"\x00\x00\x80\x3f", content[:-64], b"nonsense", b""):
        tiny.write_bytes(damaged)
        result = assess(TAKE, settings=FAST, engine=Engine(cache=cache)).assessment
        assert result.feedback == plain.assessment.feedback
        assert "damaged" in result.warnings[-1]
        assert "language_model" not in {model.role for model in result.models}
        to_document(result)


def test_a_file_that_was_taken_away_leaves_a_whole_assessment(
    plain: AssessedTake, tiny: Path, cache: Cache
) -> None:
    tiny.unlink()
    result = assess(TAKE, settings=FAST, engine=Engine(cache=cache)).assessment
    assert result.feedback == plain.assessment.feedback
    assert "cannot be read" in result.warnings[-1]


@needs_runtime
def test_what_is_no_language_model_leaves_the_templates(
    plain: AssessedTake, tmp_path: Path
) -> None:
    """A file that is whole by its digest but that no library can run."""
    path = tmp_path / "odd.gguf"
    path.write_bytes(tiny_gguf().replace(b"llama.block_count", b"llama.block_cuont"))
    add([path], trust=True, name="odd")
    told = words(plain)
    assert told.feedback == plain.assessment.feedback
    assert "cannot be run" in told.warnings[0]


def test_without_the_runtime_the_templates_speak(
    plain: AssessedTake, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "llama_cpp.py").write_text("raise ImportError('not here')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    told = words(plain)
    assert told.feedback == plain.assessment.feedback
    assert "not installed" in told.warnings[0]


@needs_runtime
def test_a_killed_process_leaves_a_whole_assessment(
    plain: AssessedTake, tiny: Path, cache: Cache
) -> None:
    told: list[Sentence] = []

    def kill_after_four(sentence: Sentence) -> None:
        told.append(sentence)
        if len(told) == 4:
            for child in children():
                child.kill()

    engine = Engine(cache=cache)
    result = assess(TAKE, settings=FAST, engine=engine, on_sentence=kill_after_four).assessment
    template = plain.assessment.feedback
    assert template is not None
    assert result.feedback is not None
    assert result.feedback.sentences[4:] == template.sentences[4:]
    assert result.feedback.sentences == tuple(told)
    assert "could not write" in result.warnings[-1]
    assert len(result.warnings) == len(plain.assessment.warnings) + 1
    to_document(result)


@needs_runtime
def test_a_model_that_is_too_slow_to_start_leaves_the_templates(
    plain: AssessedTake, tiny: Path
) -> None:
    began_s = time.monotonic()
    told = words(plain, budget_s=0.05)
    assert time.monotonic() - began_s < 4.0
    assert told.feedback == plain.assessment.feedback
    assert "too slow" in told.warnings[0]
    assert not children()


@needs_runtime
def test_when_the_time_is_over_the_rest_is_the_template(plain: AssessedTake, tiny: Path) -> None:
    told_before: list[Sentence] = []

    def dawdle(sentence: Sentence) -> None:
        told_before.append(sentence)
        if len(told_before) <= 8:
            time.sleep(1.0)

    told = words(plain, budget_s=6.0, on_sentence=dawdle)
    template = plain.assessment.feedback
    assert template is not None
    assert "too slow" in told.warnings[0]
    assert len(told.feedback.sentences) == len(template.sentences)
    assert told.feedback.sentences[-3:] == template.sentences[-3:]


@needs_runtime
@pytest.mark.parametrize("when", ["at the start", "while it writes"])
def test_cancelling_acts_within_a_second(plain: AssessedTake, tiny: Path, when: str) -> None:
    n_threads = threading.active_count()
    asked_s: list[float] = []

    def stop(*_: object) -> None:
        if not asked_s:
            asked_s.append(time.monotonic())
            job.cancel()

    def watch(fraction: float, stage: str) -> None:
        if when == "at the start" and stage == "feedback":
            stop()

    job = Job(watch)
    with pytest.raises(Cancelled):
        words(plain, job=job, on_sentence=stop if when == "while it writes" else None)
    assert time.monotonic() - asked_s[0] < 1.0
    assert not children()
    assert threading.active_count() == n_threads


@needs_runtime
def test_cancelling_from_another_thread_acts_within_a_second(
    plain: AssessedTake, tiny: Path
) -> None:
    """While the process loads its library, which nobody can interrupt but by ending it."""
    job = Job()
    asked_s: list[float] = []

    def stop() -> None:
        while not children():
            time.sleep(0.01)
        asked_s.append(time.monotonic())
        job.cancel()

    thread = threading.Thread(target=stop)
    thread.start()
    with pytest.raises(Cancelled):
        words(plain, job=job)
    assert time.monotonic() - asked_s[0] < 1.0
    thread.join()
    assert not children()


@needs_runtime
def test_the_command_line_chooses_who_writes(
    tiny: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    command = ["assess", str(TAKE), "--vocals-only", "--profile", "fast", "--json", "-"]
    generators = []
    for words_option in ("auto", "template", "model"):
        assert main([*command, "--words", words_option]) == 0
        generators.append(json.loads(capsys.readouterr().out)["feedback"]["generator"])
    assert generators == ["llm:tiny-words", "template", "llm:tiny-words"]
    assert main([*command, "--words", "loud"]) == 2


@needs_runtime
@pytest.mark.slow
def test_the_model_of_the_package_speaks_within_the_budget(plain: AssessedTake) -> None:
    path = smollm2()
    add([path], trust=True, name="smollm2")
    began_s = time.monotonic()
    told = words(plain, budget_s=60.0)
    assert time.monotonic() - began_s < 65.0
    assert told.feedback.generator == "llm:smollm2"
    assert told.memory_mb > 150.0
    assert not told.warnings
