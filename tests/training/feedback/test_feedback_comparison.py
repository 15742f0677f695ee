from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from small_llamas import write_llama

from singcoach.benchmark import words
from singcoach.benchmark.words import OutOfTimeError, plan_of, told_by, told_by_templates
from singcoach.benchmark.words_figures import figures_of, reading_grade
from singcoach.benchmark.words_report import BEGIN, END, with_section
from singcoach.coaching.check import ClaimChecker
from singcoach.models.gguf.merging import PROMPT_KEY
from singcoach.models.gguf.writing import text_setting
from singcoach.models.language.protocol import Request, Written
from singcoach.training.feedback.wordings import draw_wording

NONSENSE = "At 9:59 your vibrato is the best of 17 singers."


class FakeModel:
    """Throws dice within a grammar; where words are free it talks nonsense."""

    id, prompt, usable = "fake", "facts", True
    n_written = 0

    def __init__(self, *_: Any, **__: Any) -> None:
        self.closed = False

    def write(self, request: Request, **_: Any) -> Written:
        FakeModel.n_written += 1
        free = "[a-z]" in request.grammar
        text = NONSENSE if free else draw_wording(request.grammar, random.Random(request.seed))
        return Written(text=text, n_tokens=9, whole=True)

    def close(self) -> None:
        self.closed = True


def test_nonsense_is_counted_before_the_check_and_never_after() -> None:
    plans = [plan_of(number) for number in range(3)]
    free = words.Way(title="free", model=FakeModel(), freedom="free")
    figures = figures_of([told_by(free, plan) for plan in plans])
    assert figures.n_texts == 2 * figures.n_asked > 20
    assert (figures.unsupported_before, figures.wrong_numbers_before) == (1.0, 1.0)
    assert (figures.unsupported_after, figures.wrong_numbers_after) == (0, 0)
    assert (figures.kept, figures.covered, figures.covered_own) == (0.0, 1.0, 0.0)


def test_words_within_the_grammar_are_kept_and_cover_the_plan() -> None:
    plans = [plan_of(number) for number in range(4)]
    way = words.Way(title="phrases", model=FakeModel(), freedom="phrases")
    told = [told_by(way, plan) for plan in plans]
    figures = figures_of(told)
    assert figures.unsupported_before < 0.2
    assert figures.unsupported_after == figures.wrong_numbers_after == 0
    assert figures.kept > 0.5
    assert figures.covered == 1.0
    assert 0.2 < figures.covered_own < 1.0
    for one in told:
        assert all(ClaimChecker(one.facts).accepts(text) for text in one.own)
    plain = figures_of([told_by_templates(plan) for plan in plans])
    assert (plain.n_texts, plain.kept, plain.covered) == (0, 0.0, 1.0)


def test_a_run_that_was_stopped_goes_on_from_its_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(words, "LanguageModel", FakeModel)
    base = write_llama(tmp_path / "base.gguf")
    tuned = write_llama(tmp_path / "tuned.gguf", changes={PROMPT_KEY: text_setting("facts")})
    out = tmp_path / "words.md"
    out.write_text(f"# Words\n{BEGIN}old\n{END}The end.\n", encoding="utf-8")
    arguments = ["--base", str(base), "--tuned", str(tuned), "--cache", str(tmp_path / "cache")]
    assert words.main([*arguments, "--plans", "3", "--out", str(out)]) == 0
    first, n_first = out.read_text(encoding="utf-8"), FakeModel.n_written
    assert first.startswith(f"# Words\n{BEGIN}|")
    assert first.endswith(f"{END}The end.\n")
    assert "| plans | 3 | 3 | 3 | 3 | 3 | 3 |" in first
    assert n_first > 20
    assert words.main([*arguments, "--plans", "3", "--out", str(out), "--minutes", "0"]) == 0
    assert out.read_text(encoding="utf-8") == first
    assert FakeModel.n_written == n_first
    assert words.main([*arguments, "--plans", "40", "--minutes", "0"]) == 0
    shown = capsys.readouterr().out
    assert "| plans | 40 | 40 |" in shown
    assert "taught" not in shown
    assert FakeModel.n_written == n_first


def test_what_is_not_kept_is_not_written_when_the_time_is_over(tmp_path: Path) -> None:
    model = words.CachedModel(
        write_llama(tmp_path / "base.gguf"), tmp_path / "cache.jsonl", until_s=0.0
    )
    with pytest.raises(OutOfTimeError):
        told_by(words.Way(title="late", model=model, freedom="phrases"), plan_of(0))


def test_the_section_is_added_where_there_is_none() -> None:
    assert with_section("", "x\n") == f"{BEGIN}x\n{END}"
    assert with_section(f"a\n{BEGIN}old{END}b", "new\n") == f"a\n{BEGIN}new\n{END}b"


def test_the_reading_grade_rises_with_the_length_of_words_and_sentences() -> None:
    assert reading_grade([]) == 0.0
    assert reading_grade(["The cat sat on the mat."]) == pytest.approx(-1.45, abs=0.02)
    easy = reading_grade(["Sing it soft and low."])
    assert easy < reading_grade(["Demonstrate considerable emotional expressivity immediately."])
