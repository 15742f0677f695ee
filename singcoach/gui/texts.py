"""Every word that the window shows, in the language that the user chose.

One TOML file per screen in ``singcoach/gui/catalogue``; each entry holds the six languages. No Qt
here, so that view models may use it.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from datetime import datetime
from importlib.resources import files
from typing import Any, Final

from singcoach.core.languages import LANGUAGES, Language

LANGUAGE_NAMES: Final[Mapping[Language, str]] = {
    "en": "English",
    "es": "Español",
    "de": "Deutsch",
    "fr": "Français",
    "ja": "日本語",
    "zh": "中文",
}
"""What each language calls itself."""

_COMMA: Final = frozenset({"es", "de", "fr"})
_DAYS: Final[Mapping[str, str]] = {
    "en": "{d} {month} {y}",
    "es": "{d} {month} {y}",
    "de": "{d}. {month} {y}",
    "fr": "{d} {month} {y}",
    "ja": "{y}年{m}月{d}日",
    "zh": "{y}年{m}月{d}日",
}

_language: Language = "en"


def set_language(language: Language) -> None:
    """Use ``language`` for every text from here on."""
    global _language
    if language not in LANGUAGES:
        raise ValueError(f"no language is called {language!r}")
    _language = language


def language() -> Language:
    """Return the language in use."""
    return _language


def text(key: str, **values: object) -> str:
    """Return the text of ``key``, such as ``"sing.start"``: the entry ``start`` of ``sing.toml``.

    ``values`` fill its ``{names}``. Where the entry holds two forms, the first is taken for a
    ``count`` of one (in French also of nought; never in Japanese and Chinese).

    Raises
    ------
    ValueError
        There is no such entry, or a value is missing: a fault of ours.
    """
    screen, _, name = key.partition(".")
    entry: Any = catalogue(screen)
    for part in name.split("."):
        entry = entry.get(part) if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or _language not in entry:
        raise ValueError(f"the catalogue has no text {key!r} in {_language!r}")
    wording = entry[_language]
    if isinstance(wording, list):
        wording = wording[0 if _is_one(values["count"]) else 1]
    try:
        return str(wording).format_map(values)
    except KeyError as error:
        raise ValueError(f"the text {key!r} needs a value for {error}") from None


@functools.cache
def catalogue(screen: str) -> Mapping[str, Any]:
    """Read the texts of one screen, once.

    Raises
    ------
    ValueError
        There is no such file, or it is no TOML.
    """
    file = files("singcoach.gui").joinpath("catalogue", f"{screen}.toml")
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"there are no texts for the screen {screen!r}") from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{screen}.toml: {error}") from error


def number(value: float, decimals: int = 1) -> str:
    """Write a number with the decimal sign of the language."""
    written = f"{value:.{decimals}f}"
    if float(written) == 0.0:
        written = written.lstrip("-")
    return written.replace(".", ",") if _language in _COMMA else written


def points(value: float) -> str:
    """Write a score or a difference of scores in points, without a decimal that says nothing."""
    return number(value, 0 if float(value).is_integer() else 1)


def percent(share: float) -> str:
    """Write a share of 0..1 as a whole percentage."""
    sign = " %" if _language in ("es", "de", "fr") else "%"
    return f"{100.0 * share:.0f}{sign}"


def clock(seconds: float) -> str:
    """Write seconds as ``3:05`` or, from an hour on, ``1:02:05``."""
    whole = max(0, round(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def time_left(seconds: float) -> str:
    """Write a duration that is only an estimate, such as ``about 3 min``."""
    if seconds < 60:
        rounded = max(5, 5 * round(seconds / 5))
        if rounded < 60:
            return text("common.left_seconds", seconds=rounded)
    if seconds < 3600:
        return text("common.left_minutes", minutes=max(1, round(seconds / 60)))
    return text("common.left_hours", hours=number(seconds / 3600))


def day(when: datetime) -> str:
    """Write a date as people of the language do."""
    month = text("common.months").split()[when.month - 1]
    return _DAYS[_language].format(d=when.day, m=when.month, month=month, y=when.year)


def day_and_time(when: datetime) -> str:
    """Write a date with the time of day."""
    return f"{day(when)}, {when.hour:02d}:{when.minute:02d}"


def file_size(n_bytes: int) -> str:
    """Write a size in kB, MB or GB."""
    if n_bytes < 100_000:
        return f"{number(n_bytes / 1e3, 0)} kB"
    if n_bytes >= 1_000_000_000:
        return f"{number(n_bytes / 1e9)} GB"
    return f"{number(n_bytes / 1e6)} MB"


def _is_one(count: object) -> bool:
    ones: tuple[int, ...] = {"ja": (), "zh": (), "fr": (0, 1)}.get(_language, (1,))
    return count in ones
