"""One take for the window: scores, moments and sentences in its language, without Qt."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from singcoach.core.languages import LANGUAGES
from singcoach.core.scores import DIMENSIONS
from singcoach.errors import InputError
from singcoach.gui.texts import set_language
from singcoach.gui.view_models.compare import (
    alignment_words,
    beside_sections,
    difference_lines,
    load_compare,
    overlay_of,
    partner_for,
    summary_words,
)
from singcoach.gui.view_models.exports import (
    EXPORTS,
    SUFFIXES,
    export_name,
    with_suffix,
    write_export,
)
from singcoach.gui.view_models.radar import (
    INNER,
    axis_at,
    direction,
    earlier_mean,
    radar_shape,
    ring,
)
from singcoach.gui.view_models.review import review_of
from singcoach.gui.view_models.review_data import (
    ReviewData,
    load_review,
    row_words,
    sections_of,
    take_words,
)
from singcoach.library.store import Library


def _samples() -> Any:
    name = "review_samples_of_gui"
    if name not in sys.modules:
        path = Path(__file__).resolve().parents[1] / "review_samples.py"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


samples = _samples()


# --- scores ---------------------------------------------------------------------------------------


def test_scores_are_told_in_half_points_with_their_range() -> None:
    review = review_of(samples.document({"breath": 3.6}))
    line = review.line("breath")
    assert (line.value, line.span) == ("3.5", "between 3 and 4")
    assert "3.5 out of 5" in line.spoken
    assert line.reason == ""


def test_a_missing_score_is_not_enough_evidence_and_never_zero() -> None:
    review = review_of(samples.document({"timbre": None}))
    line = review.line("timbre")
    assert (line.score, line.low, line.high, line.value, line.short) == (None, None, None, "", "")
    assert line.reason == "Less than 10 s of singing."
    assert "not enough evidence" in line.spoken
    assert "0" not in line.spoken.replace("10 s", "")


def test_a_range_over_nearly_the_whole_scale_tells_no_value() -> None:
    line = review_of(samples.document({"emotion": 3.0}, half=1.9)).line("emotion")
    assert line.value == ""
    assert line.short == "1–5"
    assert line.score == 3.0


def test_what_was_not_validated_says_so_beside_its_score() -> None:
    review = review_of(samples.document())
    assert "controlled recordings" in review.line("breath").caution
    assert review.line("technique").caution == ""
    assert review.cautions == ("The networks ran on the processor.",)


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_is_in_the_windows_language(language: Any) -> None:
    english = review_of(samples.document())
    set_language(language)
    review = review_of(samples.document())  # judged in English
    assert review.words is not None
    assert english.words is not None
    same = review.words.summary[0].text == english.words.summary[0].text
    assert same == (language == "en")
    assert (review.moments[0].text == english.moments[0].text) == (language == "en")
    assert (review.line("breath").caution == english.line("breath").caution) == (language == "en")
    assert all(line.spoken for line in review.lines)


def test_a_language_models_words_stay_in_its_language() -> None:
    document = samples.document()
    document["feedback"]["generator"] = "llm:smol"
    set_language("de")
    review = review_of(document)
    assert review.words is not None
    assert review.words.by_model == "smol"
    assert review.words.summary[0].text in document["feedback"]["summary"]


# --- moments and sentences ------------------------------------------------------------------------


def test_moments_are_numbered_in_time_and_ranked_by_effect() -> None:
    review = review_of(samples.document())
    assert [m.number for m in review.moments] == list(range(1, 9))
    assert [m.start_s for m in review.moments] == sorted(m.start_s for m in review.moments)
    ranked = review.moments_of("breath")
    assert [m.id for m in ranked] == ["breath-2", "breath-1"]
    assert not ranked[0].helped
    assert ranked[1].helped
    assert len(review.moments_of("overall")) == 8
    assert "42" in ranked[0].detail


def test_sentences_lead_to_the_moments_they_speak_of() -> None:
    review = review_of(samples.document())
    assert review.words is not None
    linked = [line for line in review.words.critique if line.moments]
    assert linked
    for line in linked:
        moment = review.moment(line.moments[0])
        assert moment is not None
        assert moment.dimension == line.subject
        assert f"0:0{int(moment.start_s)}" in line.text
    about = {line.subject for line in review.words.critique if not line.moments}
    assert set(DIMENSIONS) <= about


def test_practices_hold_their_sentences_and_the_exercise() -> None:
    words = review_of(samples.document()).words
    assert words is not None
    assert 1 <= len(words.practices) <= 3
    for practice in words.practices:
        assert practice.lines
        assert practice.exercise.title
        assert practice.exercise.steps


def test_a_take_without_words_has_none() -> None:
    assert review_of(samples.document(words=False)).words is None


def test_a_damaged_document_is_refused() -> None:
    document = samples.document()
    del document["overall"]
    with pytest.raises(InputError):
        review_of(document)


# --- radar ----------------------------------------------------------------------------------------


def test_radar_places_scores_between_middle_and_rim() -> None:
    review = review_of(samples.document({"breath": 5.0, "technique": 1.0, "timbre": None}))
    shape = radar_shape(review.assessment.scores.dimensions)
    assert shape.values[0] == pytest.approx((0.0, -1.0), abs=1e-9)
    assert shape.values[1] is None
    assert shape.lows[1] is None
    assert shape.values[3] == pytest.approx((-INNER, 0.0), abs=1e-9)
    assert not shape.complete
    assert ring(3.0) == pytest.approx((INNER + 1.0) / 2.0)


def test_pointing_finds_the_nearest_axis() -> None:
    for index, name in enumerate(DIMENSIONS):
        x, y = direction(index)
        assert axis_at(0.8 * x, 0.8 * y) == name
    assert axis_at(0.0, 0.0) is None
    assert axis_at(3.0, 0.0) is None


def test_mean_of_earlier_takes_leaves_unknown_out() -> None:
    mean = earlier_mean([{"breath": 2.0, "timbre": 3.0}, {"breath": 4.0}])
    assert mean == {"breath": 3.0, "timbre": 3.0}
    assert earlier_mean([]) == {}


# --- from the library -----------------------------------------------------------------------------


@pytest.fixture
def library(tmp_path: Path) -> Any:
    with Library.open(tmp_path / "library") as opened:
        yield opened


def test_a_take_is_read_with_history_sections_and_notes(library: Library, tmp_path: Path) -> None:
    for day, score in enumerate((2.0, 3.0), start=1):
        samples.add_take(library, tmp_path, day=day, judged=samples.document({"breath": score}))
    take_id = samples.add_take(library, tmp_path, day=5, judged=samples.document())
    later = samples.add_take(library, tmp_path, day=9, judged=samples.document({"breath": 5.0}))
    library.add_note(take_id, 3.0, 5.0, "Good!")
    data = load_review(library, take_id)
    assert data.n_earlier == 2
    assert data.earlier["breath"] == pytest.approx(2.5)
    assert later in {row.id for row in data.beside}
    assert data.curves is not None
    assert sections_of(data.curves).accuracy == pytest.approx(1.0, abs=0.05)
    assert data.content is not None
    assert [n.text for n in data.content.notes] == ["Good!"]
    assert len(data.content.moments) == 8
    assert data.voice is None
    assert "Ana" in take_words(data.take, data.curves)
    assert "C major" in take_words(data.take, data.curves)
    assert row_words(data.take).startswith("Song · Ana")
    assert data.with_notes(()).content is not None


def test_a_take_that_was_not_judged_or_is_damaged_can_be_judged(
    library: Library, tmp_path: Path
) -> None:
    take_id = samples.add_take(library, tmp_path)
    assert load_review(library, take_id).review is None
    judged = samples.add_take(library, tmp_path, day=2, judged=samples.document())
    (library.folder_of(judged) / "assessment.json").write_text("{}", encoding="utf-8")
    data: ReviewData = load_review(library, judged)
    assert data.review is None
    assert data.content is not None


@pytest.mark.parametrize("kind", EXPORTS)
def test_every_form_can_be_written(kind: Any, library: Library, tmp_path: Path) -> None:
    take_id = samples.add_take(library, tmp_path, title='A/B: "x"', judged=samples.document())
    name = export_name(library.take(take_id), kind)
    assert name.endswith(SUFFIXES[kind])
    assert not set('/\\:"') & set(name)
    target = with_suffix(tmp_path / "out", kind)
    write_export(library, take_id, kind, target, language="en")
    assert target.stat().st_size > 20


# --- two takes ------------------------------------------------------------------------------------


def test_differences_are_told_only_beyond_the_ranges() -> None:
    first = review_of(samples.document({"breath": 2.0, "timbre": 3.0, "emotion": None}))
    second = review_of(samples.document({"breath": 4.0, "timbre": 3.3, "emotion": 4.0}))
    lines = {line.subject: line for line in difference_lines(first, second)}
    assert lines["breath"].verdict == "higher"
    assert lines["breath"].words == "higher by about 2"
    assert lines["timbre"].words == "no sure difference"
    assert lines["emotion"].words == "not enough evidence"
    assert summary_words(tuple(lines.values())).startswith("The second take is higher in: Breath")
    same = difference_lines(first, first)
    assert "no score shows a difference" in summary_words(same)


def test_two_takes_are_read_and_laid_over_each_other(library: Library, tmp_path: Path) -> None:
    first = samples.add_take(library, tmp_path, day=1, judged=samples.document())
    second = samples.add_take(
        library,
        tmp_path,
        day=2,
        judged=samples.document(),
        drawn=samples.curves(start_s=2.5, shift=-2.0),
    )
    data = load_compare(library, first, second)
    assert data.alignment.offset_s == pytest.approx(1.5, abs=0.03)
    assert data.alignment.transposition_semitones == -2
    assert "1.5 s later" in data.aligned
    assert "2 semitones lower" in data.aligned
    overlay = data.content.overlay
    assert overlay is not None
    own = data.content.semitones[(data.content.times_s > 1.1) & (data.content.times_s < 1.3)]
    other = overlay.semitones[(overlay.times_s > 1.1) & (overlay.times_s < 1.3)]
    assert own.mean() == pytest.approx(other.mean(), abs=0.1)
    assert len(data.beside) == len(data.sections.sections)
    assert all(value is None or value > 0.9 for value in data.beside)
    back = load_compare(library, second, first)
    assert overlay_of(back.first.curves, back.second, back.alignment).name == "Song"
    assert alignment_words(back.alignment).startswith("The second take begins 1.5 s earlier")
    assert beside_sections(back.sections, back.sections, back.alignment)


def test_takes_that_were_not_judged_cannot_be_compared(library: Library, tmp_path: Path) -> None:
    first = samples.add_take(library, tmp_path, day=1, judged=samples.document())
    second = samples.add_take(library, tmp_path, day=2)
    with pytest.raises(InputError, match="not been analysed"):
        load_compare(library, first, second)


def test_the_partner_of_a_take_is_of_its_song(library: Library, tmp_path: Path) -> None:
    song = library.add_song("Tune", "Band")
    plain = samples.document()
    ids = [
        samples.add_take(library, tmp_path, day=day, title=title, judged=plain, song_id=song_id)
        for day, title, song_id in ((1, "Tune", song.id), (5, "Other", None), (6, "Tune", song.id))
    ]
    rows = library.takes()
    assert partner_for(rows, ids[2]) == ids[0]
    assert partner_for(rows, ids[1]) == ids[2]
    assert partner_for(rows[:1], rows[0].id) is None
