"""The report speaks each language wholly: every word, every number, every warning."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from report_samples import make_assessment, make_take

import singcoach
from singcoach.audio.writing import Clip
from singcoach.chain.engine import Engine
from singcoach.coaching.languages.reasons import recognise
from singcoach.coaching.toml_tables import Table, read_toml
from singcoach.core.arrays import FloatArray
from singcoach.core.languages import LANGUAGES
from singcoach.core.music import Key
from singcoach.core.scores import DIMENSIONS
from singcoach.errors import ModelError
from singcoach.models.devices import DeviceInfo
from singcoach.models.manifest import ROLES
from singcoach.models.trial import broken_warning
from singcoach.report import wording
from singcoach.report.html import render_html
from singcoach.report.pdf import render_pdf
from singcoach.report.pdf_fonts import runs
from singcoach.report.wording import read_words, words_of
from singcoach.scoring.measures import UNITS

OTHERS = [language for language in LANGUAGES if language != "en"]
SCRIPTS = {"ja": r"[\u3040-\u30ff\u4e00-\u9fff]", "zh": r"[\u4e00-\u9fff]"}
ALIKE = {
    "format.range", "format.seconds", "format.minutes", "moment", "moment_span", "col_percentile",
    "evidence", "fact_verdict", "verdict", "notes",
}  # fmt: skip
"""Texts that two languages may well share."""

REPORT = Path(singcoach.__file__).parent / "report"


class Words(HTMLParser):
    """Everything that a person reads or hears of a page."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._inside = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        self.found += [value or "" for name, value in attrs if name in ("aria-label", "title")]

    def handle_data(self, data: str) -> None:
        if self._inside not in ("style", "script") and data.strip():
            self.found.append(" ".join(data.split()))


def encode(audio: FloatArray, sample_rate: int) -> Clip:
    return Clip(content=b"x", mime="audio/mpeg")


def page_of(language: str, assessment: Any = None, **options: Any) -> str:
    found = make_assessment(**{"feedback": False, "text": "34", **options})
    take = make_take(song=True)
    return render_html(assessment or found, take, encode=encode, language=language)


def test_every_language_has_the_same_keys() -> None:
    english = read_words("en")
    for language in LANGUAGES:
        words = read_words(language)
        assert words.language == language
        for part in ("texts", "units", "stages", "roles", "explanations", "glosses", "axes"):
            assert getattr(words, part).keys() == getattr(english, part).keys(), part
        assert len(words.honesty) == len(english.honesty)
    assert words_of("xx") == words_of("en")


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_was_left_in_english(language: str) -> None:
    english, words = words_of("en"), words_of(language)
    for part in ("texts", "explanations", "glosses", "stages"):
        for key, said in getattr(words, part).items():
            other = getattr(english, part)[key]
            assert said != other or key in ALIKE or re.fullmatch(r"\W*\w{4,8}\W*", said), key
    assert not set(words.honesty) & set(english.honesty)
    assert not set(words.take_again) & set(english.take_again)
    if language in SCRIPTS:
        said = [*words.texts.values(), *words.explanations.values(), *words.honesty]
        said += [*words.stages.values(), *words.roles.values(), *words.glosses.values()]
        for text in said:
            bare = re.sub(r"\{\w+\}|SingCoach|SHA-256|kHz|Hz|MB", "", text)
            assert not re.search(r"[A-Za-z]{2,}", bare), text
            assert re.search(SCRIPTS[language], bare) or not re.search(r"[^\W\d]", bare), text


def test_every_text_is_used_and_every_used_text_exists() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in sorted(REPORT.glob("*.py")))
    known = {key for key in words_of("en").texts if not key.startswith("format.")}
    said = set(re.findall(r"""\bsay\(\s*["'](\w+)["']""", source))
    assert said <= known
    quoted = set(re.findall(r"""["'](\w+)["']""", source))
    built = {"verdict_": 3, "kind_": 2, "quality_": 6, "share_": 4}
    for key in known:
        start = next((s for s in built if key.startswith(s)), None)
        assert key in quoted or start is not None, key
    for start, n in built.items():
        assert sum(key.startswith(start) for key in known) == n


def spoilt(monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    """Let the German file be read as ``change`` leaves it."""

    def read(path: str, *, package: str) -> Table:
        table = read_toml(path, package=package)
        if path.endswith("de.toml"):
            change(table._values)
        return table

    monkeypatch.setattr(wording, "read_toml", read)


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t["texts"].pop("overall"),
        lambda t: t["texts"].update(more="Mehr"),
        lambda t: t["texts"].update(probably="wahrscheinlich"),
        lambda t: t["texts"].update(probably="{range} {range}"),
        lambda t: t["texts"].update(probably="{range:>9}"),
        lambda t: t["texts"].update(overall=""),
        lambda t: t["explanations"].pop("roughness"),
        lambda t: t["lists"].update(honesty=["Eins."]),
        lambda t: t["keys"].update(major_tonics=["C"]),
        lambda t: t["dimensions"]["breath"].update(axis=["a", "b", "c"]),
        lambda t: t.update(language="fr"),
        lambda t: t.pop("units"),
    ],
)
def test_a_file_with_a_fault_is_refused(monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    spoilt(monkeypatch, change)
    with pytest.raises(ValueError, match=r"de\.toml|language"):
        read_words("de")


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("verdict", ["pass", "weak", "insufficient"])
def test_no_english_word_of_ours_is_on_the_page(language: str, verdict: str) -> None:
    english, words = words_of("en"), words_of(language)
    without = DIMENSIONS if verdict == "insufficient" else ("timbre",)
    reasons = () if verdict == "pass" else ("the recording is noisy", "only one note was sung")
    page = page_of(language, verdict=verdict, reasons=reasons, without=without)
    assert f'<html lang="{language}">' in page
    found = Words(page).found
    own = {*words.texts.values(), *words.explanations.values(), *words.glosses.values()}
    foreign = [*english.texts.values(), *english.explanations.values(), *english.honesty]
    foreign += [
        *english.glosses.values(),
        *english.take_again,
        *english.coach.dimension_names.values(),
    ]
    for text in foreign:
        if "{" not in text and text not in own and len(text) > 4:
            assert text not in found, text
    if verdict != "pass":
        assert not any("noisy" in text or "one note" in text for text in found)
    assert "34 cents" not in " ".join(found) or words.units["cents"] == "cents"


@pytest.mark.parametrize("language", LANGUAGES)
def test_numbers_are_written_as_the_language_does(language: str) -> None:
    words = words_of(language)
    comma = language in ("de", "es", "fr")
    assert words.score(3.6) == ("3,5" if comma else "3.5")
    assert words.exact(3.456) == ("3,46" if comma else "3.46")
    assert words.quantity(-12.34, "dB") == ("−12,3 dB" if comma else "−12.3 dB")
    assert words.quantity(None, "cents") == "–"
    assert ("2,5" if comma else "2.5") in words.range(2.6, 4.2)
    assert "4.5" in words.range(2.6, 4.2).replace(",", ".")
    assert re.search(r"4\D+08", words.duration(248.0))
    assert re.search(r"(?<!\d)12(?!\d)", words.duration(12.0))
    assert "85" in words.share(0.86, "song")
    assert words.share(None, None) == words.say("share_none")
    assert len({words.quality(q) for q in (None, 1.0, 2.0, 2.5, 3.2, 4.0)}) == 6


def test_keys_are_named_as_musicians_do() -> None:
    f_sharp_minor = Key(tonic=6, mode="minor", tuning_cents=0.0, strength=0.9)
    b_major = Key(tonic=11, mode="major", tuning_cents=0.0, strength=0.9)
    named = {language: words_of(language).key(f_sharp_minor) for language in LANGUAGES}
    assert named == {
        "en": f_sharp_minor.name,
        "es": "fa sostenido menor",
        "de": "fis-Moll",
        "fr": "fa dièse mineur",
        "ja": "嬰ヘ短調",
        "zh": "升F小调",
    }
    assert words_of("de").key(b_major) == "H-Dur"
    assert all(words_of(language).key(None) for language in LANGUAGES)


def test_every_unit_and_role_has_a_word() -> None:
    for language in LANGUAGES:
        words = words_of(language)
        assert set(ROLES) <= set(words.roles)
        for unit in set(UNITS.values()):
            assert unit in wording._SYMBOLS or wording._NAMED_UNITS[unit] in words.units
        assert set(words.explanations) >= set(UNITS)


@pytest.mark.parametrize("language", OTHERS)
def test_evidence_names_the_measure_and_its_value(language: str) -> None:
    words = words_of(language)
    item = make_assessment().scores.dimensions["breath"].evidence[0]
    said = words.evidence(item)
    assert words.label("scale_deviation") in said
    assert "34" in said
    assert words_of("en").evidence(item) == item.text


WARNINGS = (
    "The file holds samples that are not numbers or are absurdly large; they were replaced by "
    "silence.",
    "The file ends after 0:31 although it promises 3:20; what is there was read.",
    "The file is damaged; it was read up to the damage.",
    "The file has no proper end; it may have been cut off. What is there was read.",
    "The file is damaged in 1 place; silence stands there.",
    "The file is damaged in 12 places; silence stands there.",
    "NVIDIA H200 ran out of memory, so kim went on with smaller batches, which is slower",
    "The head voice gave no number, so the rules judged breath",
    "Language models write English alone, so the built-in words were used",
    *Engine(device="cuda", profile="best").warnings(),
)


@pytest.mark.parametrize("language", OTHERS)
def test_warnings_are_said_in_the_language(language: str) -> None:
    words = words_of(language)
    unknown = words.coach.messages["reason.unknown"][0].partition("{")[0]
    for warning in WARNINGS:
        said = words.told(warning)
        assert recognise(warning)[0] != "unknown", warning
        assert not said.startswith(unknown), warning
        assert "slower" not in said
        assert "file" not in said.split()
    assert "0:31" in words.told(WARNINGS[1])
    assert "3:20" in words.told(WARNINGS[1])
    assert "12" in words.told(WARNINGS[5])
    assert words.told(WARNINGS[6]).startswith("NVIDIA H200")
    assert words.dimension("breath") in words.told(WARNINGS[7])


def test_what_devices_say_is_known() -> None:
    card = DeviceInfo(
        kind="cuda",
        engine="onnxruntime",
        name="Card",
        provider="CUDAExecutionProvider",
        free_bytes=1,
        total_bytes=1,
    )
    told = broken_warning(card, ModelError("No driver was found"))
    key, fields = recognise(told)
    assert key == "device_broken"
    assert fields["why"] == "no driver was found"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_character_of_a_pdf_has_a_font(language: str) -> None:
    words = words_of(language)
    texts = [*words.texts.values(), *words.explanations.values(), *words.honesty]
    texts += [said for wordings in words.coach.messages.values() for said in wordings]
    texts += [e.purpose for e in words.coach.exercises.values()]
    for text in texts:
        shown = "".join(stretch for _, stretch in runs(text, language=language))
        assert shown.count("?") == text.count("?"), text


@pytest.mark.parametrize(("language", "faces"), [("ja", "Heisei"), ("zh", "STSong")])
def test_shared_characters_take_the_form_of_the_language(language: str, faces: str) -> None:
    ((name, shown),) = runs("直音", language=language)
    assert shown == "直音"
    assert name.startswith((faces, "System-"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_pdf_in_every_language(language: str) -> None:
    assessment = make_assessment(
        feedback=False, verdict="weak", reasons=("the pitch is often off",)
    )
    content = render_pdf(assessment, make_take(song=True), language=language)
    assert content.startswith(b"%PDF-")
    assert f"/Lang ({language})".encode() in content
    assert content == render_pdf(assessment, make_take(song=True), language=language)


def test_the_feedback_decides_the_language_unless_told() -> None:
    assessment = make_assessment()
    assert '<html lang="en">' in render_html(assessment, make_take(), encode=encode)
    assert '<html lang="fr">' in page_of("fr", assessment)


def test_a_measure_without_a_name_is_shown_as_it_is() -> None:
    for language in LANGUAGES:
        words = words_of(language)
        assert words.label("new_thing") == "New thing"
        assert words.explanation("new_thing") == ""
        assert words.stage("new_stage") == "new stage"
        assert words.role("new_role") == "new role"
    assert words_of("en").quantity(1.0, "x") == "1 x"
