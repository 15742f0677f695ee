"""Fonts for the PDF: every character is set in a font that has it, so that none becomes a box.

The page's own face (Vera, which reportlab ships) covers Western Europe. Other characters are
looked for in the TrueType fonts that systems usually have (only those are embedded whose maker
allows it), then in Adobe's standard Asian faces, which PDF viewers supply; what no font has becomes
a question mark. Japanese and Chinese share characters that they write differently: on a page in one
of them its own TrueType fonts come first, and its own standard face second.
"""

from __future__ import annotations

import contextlib
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

REGULAR = "SingCoach"
BOLD = "SingCoach-Bold"

_SYSTEM_FONTS = (
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/TTF/DejaVuSans.ttf",
    "/usr/share/fonts/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf",
    "/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf",
    "/usr/share/fonts/truetype/freefont/FreeSans.ttf",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/System/Library/Fonts/Supplemental/Arial Unicode.ttf",
    "/Library/Fonts/Arial Unicode.ttf",
    "C:/Windows/Fonts/segoeui.ttf",
    "C:/Windows/Fonts/arial.ttf",
    "C:/Windows/Fonts/msgothic.ttc",
    "C:/Windows/Fonts/msyh.ttc",
    "C:/Windows/Fonts/malgun.ttf",
)
_JAPANESE, _CHINESE, _KOREAN = "HeiseiKakuGo-W5", "STSong-Light", "HYGothic-Medium"
_ASIAN_FONTS = (
    (("HIRAGANA", "KATAKANA"), _JAPANESE),
    (("HANGUL",), _KOREAN),
)
_SHARED = ("CJK", "IDEOGRAPHIC", "FULLWIDTH")
_FACES: Mapping[str, tuple[str, str]] = {
    "ja": (_JAPANESE, "shift_jisx0213"),
    "zh": (_CHINESE, "gb18030"),
}
"""The face of an Asian language, and a code that holds just the characters that it has."""

_OWN_FONTS: Mapping[str, tuple[str, ...]] = {
    "ja": (
        "C:/Windows/Fonts/meiryo.ttc",
        "C:/Windows/Fonts/msgothic.ttc",
        "/usr/share/fonts/opentype/ipafont-gothic/ipag.ttf",
        "/usr/share/fonts/truetype/fonts-japanese-gothic.ttf",
    ),
    "zh": (
        "C:/Windows/Fonts/msyh.ttc",
        "C:/Windows/Fonts/simsun.ttc",
        "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
        "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    ),
}
"""TrueType fonts that write an Asian language in its own forms."""


def runs(text: str, *, bold: bool = False, language: str = "en") -> list[tuple[str, str]]:
    """Cut ``text`` into pairs of font name and the stretch that this font can show."""
    own = BOLD if bold else REGULAR
    found: list[tuple[str, str]] = []
    for character in unicodedata.normalize("NFC", text):
        name, shown = _font_for(character, own, language)
        if found and found[-1][0] == name:
            found[-1] = (name, found[-1][1] + shown)
        else:
            found.append((name, shown))
    return found


def markup(text: str, *, bold: bool = False, language: str = "en") -> str:
    """Escape ``text`` for a reportlab paragraph, with a font for each stretch."""
    own = BOLD if bold else REGULAR
    return "".join(
        escape(stretch)
        if name == own and not bold
        else f'<font name="{name}">{escape(stretch)}</font>'
        for name, stretch in runs(text, bold=bold, language=language)
    )


@cache
def _font_for(character: str, own: str, language: str) -> tuple[str, str]:
    code = ord(character)
    if character.isspace():
        return own, " "
    if unicodedata.category(character) in {"Cc", "Cs", "Cf", "Co", "Cn"}:
        return own, "?"
    if code in _glyphs(own):
        return own, character
    asian = _asian_face(character, language)
    own_fonts = _OWN_FONTS.get(language, ())
    for path in own_fonts if asian and own_fonts else _SYSTEM_FONTS:
        name = _registered(path)
        if name and code in _glyphs(name):
            return name, character
    if asian:
        _register_asian(asian)
        return asian, character
    return own, "?"


def _asian_face(character: str, language: str) -> str:
    """The Asian face that has a character: that of the language where it can; empty for none."""
    if ord(character) > 0xFFFF:
        return ""
    kind = unicodedata.name(character, "")
    for starts, face in _ASIAN_FONTS:
        if kind.startswith(starts):
            return face
    is_wide = unicodedata.east_asian_width(character) in "WF"
    if not kind.startswith(_SHARED) and not is_wide:
        return ""
    order = [language] if language in _FACES else []
    for name in (*order, *_FACES):
        face, code = _FACES[name]
        with contextlib.suppress(UnicodeEncodeError):
            if len(character.encode(code)) <= 2:
                return face
    return _JAPANESE


@cache
def _glyphs(name: str) -> frozenset[int]:
    from reportlab.pdfbase import pdfmetrics

    if name in {REGULAR, BOLD}:
        register_own_fonts()
    font: Any = pdfmetrics.getFont(name)
    return frozenset(font.face.charToGlyph)


@cache
def register_own_fonts() -> None:
    """Make :data:`REGULAR` and :data:`BOLD` known to reportlab."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    pdfmetrics.registerFont(TTFont(REGULAR, "Vera.ttf"))
    pdfmetrics.registerFont(TTFont(BOLD, "VeraBd.ttf"))
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR)


@cache
def _registered(path: str) -> str:
    """Register a system font; empty when it is absent or not usable."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFError, TTFont

    if not Path(path).is_file():
        return ""
    name = f"System-{Path(path).stem}"
    try:
        pdfmetrics.registerFont(TTFont(name, path))
    except (TTFError, OSError, ValueError):
        return ""
    return name


@cache
def _register_asian(name: str) -> None:
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont

    pdfmetrics.registerFont(UnicodeCIDFont(name))
