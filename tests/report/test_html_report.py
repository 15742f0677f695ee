"""The page: self-contained, safe with hostile names, well-formed, small enough."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from report_samples import make_assessment, make_take

from singcoach.audio.writing import Clip
from singcoach.core.arrays import FloatArray
from singcoach.core.scores import DIMENSIONS
from singcoach.errors import Cancelled, OutputError
from singcoach.jobs import Job
from singcoach.report.html import render_html, write_html

HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(2)>'&${title}$style.wav"
VOID = {"meta", "br", "img", "hr", "input", "link"}


def encode(audio: FloatArray, sample_rate: int) -> Clip:
    return Clip(content=audio[:100].tobytes(), mime="audio/mpeg")


class Page(HTMLParser):
    """Collects tags, attributes and text; fails on tags that do not nest."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in {"style", "script"}:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def render(assessment=None, take=None, **options: str) -> str:  # type: ignore[no-untyped-def]
    return render_html(
        assessment or make_assessment(), take or make_take(), encode=encode, **options
    )


CASES = {
    "whole": lambda: render(),
    "song": lambda: render(take=make_take(song=True)),
    "no coach": lambda: render(make_assessment(feedback=False)),
    "one unscored": lambda: render(make_assessment(without=("timbre",))),
    "two unscored": lambda: render(make_assessment(without=("timbre", "emotion"))),
    "weak": lambda: render(make_assessment(verdict="weak", reasons=("only 11 s of singing",))),
    "insufficient": lambda: render(
        make_assessment(without=DIMENSIONS, verdict="insufficient", reasons=("No voice.",))
    ),
    "unvoiced": lambda: render(take=make_take(voiced=False)),
    "hostile": lambda: render(make_assessment(file=HOSTILE, text=HOSTILE), title=HOSTILE),
    "one second": lambda: render(take=make_take(duration_s=1.0)),
}


@pytest.fixture(params=CASES, scope="module")
def page(request: pytest.FixtureRequest) -> str:
    return CASES[request.param]()


def test_is_well_formed(page: str) -> None:
    parsed = Page(page)
    ids = [attributes["id"] for _, attributes in parsed.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for drawing in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        ElementTree.fromstring(drawing)
    targets = {str(attributes["href"])[1:] for tag, attributes in parsed.tags if tag == "a"}
    assert targets <= set(ids)
    headings = [int(tag[1]) for tag, _ in parsed.tags if re.fullmatch("h[1-6]", tag)]
    assert headings[0] == 1
    assert headings.count(1) == 1


def test_loads_nothing_and_runs_nothing_foreign(page: str) -> None:
    parsed = Page(page)
    for tag, attributes in parsed.tags:
        assert tag not in {"link", "iframe", "object", "embed", "base", "form", "img"}
        for name, value in attributes.items():
            assert not name.startswith("on")
            assert name != "style"
            if name in {"src", "href", "xlink:href", "action", "data", "poster"}:
                assert str(value).startswith(("#", "data:audio/"))
    assert "http:" not in page
    assert "https:" not in page
    assert "url(" not in page
    assert "@import" not in page
    assert sum(tag == "script" for tag, _ in parsed.tags) == 1


def test_policy_names_the_hashes_of_style_and_script(page: str) -> None:
    policy = next(
        str(attributes["content"])
        for tag, attributes in Page(page).tags
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        content = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert content
        digest = base64.b64encode(hashlib.sha256(content[1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_says_the_scores_and_their_ranges() -> None:
    text = Page(render()).text
    assert "3.5 of 5" in text
    assert "probably 2 to 4.5" in text
    assert "Breath control" in text
    assert "F# minor" in text
    assert "swift-f0" in text
    assert "Glide (4 minutes)" in text


def test_times_in_the_text_lead_to_their_moments() -> None:
    page = render()
    assert re.search(r'at <a href="#moment-\d+">0:02</a> it was off', page)
    assert "Listen at 9:59." in Page(page).text


def test_hostile_names_stay_text() -> None:
    page = CASES["hostile"]()
    assert "<script>alert" not in page
    assert "onerror=alert" not in re.sub(r"&lt;.*?&gt;", "", page)
    assert HOSTILE in Page(page).text


def test_control_characters_and_broken_names_are_shown_as_replacements() -> None:
    page = render(make_assessment(file="a\x00b\x1b[31m\udcff.wav"))
    assert "\x00" not in page
    assert "\x1b" not in page
    page.encode("utf-8")


def test_insufficient_shows_why_and_no_radar() -> None:
    page = CASES["insufficient"]()
    text = Page(page).text
    assert "Not enough to judge" in text
    assert "Less than 10 s of singing." in text
    assert "For the next take" in text
    silent = make_assessment(
        without=DIMENSIONS, verdict="insufficient", reasons=("No voice.",), feedback=False
    )
    assert "No voice." in Page(render(silent)).text
    assert "headphones" in Page(render(silent)).text
    assert 'class="radar"' not in page
    assert "None" not in text
    assert "nan" not in text.lower().split()


def test_unscored_dimension_is_named_as_such() -> None:
    page = CASES["one unscored"]()
    text = Page(page).text
    assert "Not scored" in text
    assert "Less than 10 s of singing." in text
    assert "Timbre quality was not scored" in text


def test_clips_hold_the_voice_of_their_moment() -> None:
    heard: list[FloatArray] = []

    def listen(audio: FloatArray, sample_rate: int) -> Clip:
        heard.append(audio)
        return Clip(content=b"x", mime="audio/mpeg")

    page = render_html(make_assessment(), make_take(), encode=listen)
    assert page.count("<audio") == len(heard) == 8
    for audio in heard:
        assert 1.0 * 16_000 <= audio.shape[0] <= 6.0 * 16_000
        assert np.max(np.abs(audio)) <= 0.9
        assert abs(audio[0]) < 1e-3


def test_real_clips_are_mp3_and_the_page_stays_small(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_html(path, make_assessment(duration_s=240.0), make_take(duration_s=240.0))
    page = path.read_text(encoding="utf-8")
    assert len(page.encode()) < 2_000_000
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    first = re.search(r"data:(audio/\w+);base64,([A-Za-z0-9+/=]+)", page)
    assert first
    content = base64.b64decode(first[2])
    assert content[:3] == b"ID3" or content[0] == 0xFF or content[:4] == b"RIFF"


def test_an_hour_stays_within_the_size_limit() -> None:
    page = render(make_assessment(duration_s=3600.0), make_take(duration_s=3600.0))
    assert len(page.encode()) < 3_000_000


def test_is_repeatable() -> None:
    assert render() == render()


def test_cannot_write_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(OutputError) as caught:
        write_html(tmp_path / "missing" / "r.html", make_assessment(), make_take())
    assert caught.value.hint
    with pytest.raises(OutputError):
        write_html(tmp_path, make_assessment(), make_take())


def test_a_stop_leaves_nothing(tmp_path: Path) -> None:
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        write_html(tmp_path / "r.html", make_assessment(), make_take(), job=job)
    assert list(tmp_path.iterdir()) == []
