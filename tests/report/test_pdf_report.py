"""The PDF: opens, has its words, is repeatable, shows every script, is safe with odd names."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import pytest
from report_samples import make_assessment, make_take

from singcoach.core.scores import DIMENSIONS
from singcoach.errors import Cancelled, OutputError
from singcoach.jobs import Job
from singcoach.report.pdf import render_pdf, write_pdf
from singcoach.report.pdf_fonts import BOLD, REGULAR, markup, runs


def page_count(content: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", content))


def operators(content: bytes) -> bytes:
    """Decoded streams of the document (ASCII85 + deflate, as reportlab writes them)."""
    import base64

    found = b""
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", content, re.DOTALL):
        try:
            packed = (
                base64.a85decode(stream.strip(), adobe=False)
                if b"~>" not in stream
                else (base64.a85decode(b"<~" + stream.strip(), adobe=True))
            )
            found += zlib.decompress(packed)
        except (ValueError, zlib.error):
            continue
    return found


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"feedback": False},
        {"without": ("timbre",), "verdict": "weak", "reasons": ("Short.",)},
        {"without": DIMENSIONS, "verdict": "insufficient", "reasons": ("No voice.",)},
        {"text": "<b>&amp;</i> ]]> <para> <font name='x'> & < > \" '"},
    ],
    ids=["whole", "no coach", "weak", "insufficient", "hostile"],
)
def test_is_a_pdf_with_text_and_figures(options) -> None:  # type: ignore[no-untyped-def]
    content = render_pdf(make_assessment(**options), make_take())
    assert content.startswith(b"%PDF-")
    assert content.rstrip().endswith(b"%%EOF")
    assert 2 <= page_count(content) <= 6
    drawn = operators(content)
    assert drawn.count(b" Tj") > 40
    assert drawn.count(b" l ") + drawn.count(b" l\n") > 100


def test_same_assessment_same_bytes() -> None:
    assert render_pdf(make_assessment(), make_take()) == render_pdf(make_assessment(), make_take())


@pytest.mark.parametrize(
    "name",
    ["été – Größe.wav", "песня.mp3", "歌ってみた.wav", "노래.m4a", "我的歌.flac", "τραγούδι.ogg"],
)
def test_names_in_other_scripts_have_glyphs(name: str) -> None:
    shown = "".join(stretch for _, stretch in runs(name))
    assert "?" not in shown or not _is_asian(name)
    content = render_pdf(make_assessment(file=name), make_take())
    assert content.startswith(b"%PDF-")


def _is_asian(name: str) -> bool:
    return any(ord(character) >= 0x1100 for character in name)


def test_own_face_is_used_where_it_can_be() -> None:
    assert runs("Take 1") == [(REGULAR, "Take 1")]
    assert runs("Take 1", bold=True) == [(BOLD, "Take 1")]


def test_markup_is_escaped_and_odd_characters_become_question_marks() -> None:
    assert markup("<b>&") == "&lt;b&gt;&amp;"
    assert markup("a\x00\udcff\u202eb") == "a???b"


def test_long_song_fits(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    write_pdf(path, make_assessment(duration_s=240.0), make_take(duration_s=240.0, song=True))
    content = path.read_bytes()
    assert len(content) < 1_500_000
    assert page_count(content) <= 12
    assert [p.name for p in tmp_path.iterdir()] == ["report.pdf"]


def test_cannot_write_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        write_pdf(tmp_path / "missing" / "r.pdf", make_assessment(), make_take())


def test_a_stop_leaves_nothing(tmp_path: Path) -> None:
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        write_pdf(tmp_path / "r.pdf", make_assessment(), make_take(), job=job)
    assert list(tmp_path.iterdir()) == []
