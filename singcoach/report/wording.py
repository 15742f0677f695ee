"""The words of the report in one language, and how it writes numbers.

Scores are shown in half points and their ranges widened to half points: the intervals are wider
than that, and a second digit would promise what nobody measured. The exact numbers stand in the
JSON document and in the report's table.

The words are data (``languages/*.toml``), read strictly: every language has the same keys with the
same fields as English. Names of dimensions and measures and the reasons of earlier stages are
those of the coach.
"""

from __future__ import annotations

import math
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from singcoach.coaching.languages import Catalogue, catalogue_of, localised
from singcoach.coaching.toml_tables import Table, read_toml
from singcoach.core.languages import LANGUAGES, Language
from singcoach.core.music import Key
from singcoach.core.scores import DIMENSIONS, Dimension, Evidence

SOURCE_LANGUAGE: Final[Language] = "en"
"""What the earlier stages write, and what the other languages are translated from."""

NOTE_NAMES: Final = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")
DASH: Final = "–"

_SYMBOLS: Final = {
    "hz": "Hz",
    "Hz": "Hz",
    "db": "dB",
    "dB": "dB",
    "s": "s",
    "ms": "ms",
    "percent": "%",
    "midi": "MIDI",
    "share": "",
    "ratio": "",
    "count": "",
    "1": "",
    "": "",
}
"""Units that every language writes alike."""

_NAMED_UNITS: Final = {
    "cents": "cents",
    "semitones": "semitones",
    "octaves": "octaves",
    "dB/s": "db_per_second",
    "bits": "bits",
    "dB/octave": "db_per_octave",
    "s per 10 s": "seconds_in_ten",
}
_N_TONICS: Final = 12
_MOST_AXIS_LINES: Final = 2
_QUALITIES: Final = ((3.6, "clean"), (3.0, "good"), (2.4, "fair"), (1.8, "poor"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportWords:
    """All words of the report in one language.

    Attributes
    ----------
    coach
        Names and reasons that the report shares with the coach.
    texts
        Every other text by its key.
    honesty, take_again
        Lists of sentences.
    glosses, axes
        By dimension: what it is, and its name in the lines that fit beside the radar chart.
    units, stages, roles, explanations
        Words by unit, by stage of the chain, by role of a model, by measure.
    """

    coach: Catalogue
    texts: Mapping[str, str]
    honesty: tuple[str, ...]
    take_again: tuple[str, ...]
    glosses: Mapping[Dimension, str]
    axes: Mapping[Dimension, tuple[str, ...]]
    units: Mapping[str, str]
    stages: Mapping[str, str]
    roles: Mapping[str, str]
    explanations: Mapping[str, str]
    key_forms: Mapping[str, str]
    tonics: Mapping[str, tuple[str, ...]]

    @property
    def language(self) -> str:
        """Code of the language."""
        return self.coach.language

    def say(self, key: str, **fields: object) -> str:
        """Return a text with its fields filled in."""
        return self.texts[key].format(**fields)

    def dimension(self, name: Dimension) -> str:
        """Name of a dimension."""
        return self.coach.dimension_names[name]

    def score(self, score: float) -> str:
        """Write a score in half points: ``"3.5"``, ``"4"``."""
        return self._decimal(f"{math.floor(score * 2 + 0.5) / 2:g}")

    def range(self, low: float, high: float) -> str:
        """Write an interval widened to half points: ``"2.5 to 4"``."""
        first, last = math.floor(low * 2 + 1e-9) / 2, math.ceil(high * 2 - 1e-9) / 2
        ends = {"low": self._decimal(f"{first:g}"), "high": self._decimal(f"{last:g}")}
        return self.texts["format.range"].format(**ends)

    def exact(self, value: float) -> str:
        """Write a number with two decimals."""
        return self._decimal(f"{value:.2f}")

    def duration(self, duration_s: float) -> str:
        """Write a duration for people: ``"12 s"``, ``"4 min 08 s"``."""
        whole = round(duration_s)
        if whole < 60:
            return self.texts["format.seconds"].format(seconds=whole)
        seconds = f"{whole % 60:02d}"
        return self.texts["format.minutes"].format(minutes=whole // 60, seconds=seconds)

    def quantity(self, value: float | None, unit: str) -> str:
        """Write a measured value with its unit in three significant digits; a dash for none."""
        if value is None:
            return DASH
        magnitude = abs(value)
        digits = 0 if magnitude >= 100 else 1 if magnitude >= 10 else 2
        text = f"{value:.{digits}f}"
        if "." in text:
            text = text.rstrip("0").rstrip(".")
        text = "0" if text == "-0" else self._decimal(text.replace("-", "−"))
        named = _NAMED_UNITS.get(unit)
        word = self.units[named] if named is not None else _SYMBOLS.get(unit, unit)
        return f"{text} {word}".rstrip()

    def label(self, measure: str) -> str:
        """Name of a measure; an unknown one, ``"new_thing"``, becomes "New thing"."""
        return self.coach.measure_name(measure)

    def explanation(self, measure: str) -> str:
        """One plain sentence on what a measure means; empty for an unknown one."""
        return self.explanations.get(measure, "")

    def stage(self, name: str) -> str:
        """Name of a stage of the chain."""
        return self.stages.get(name, name.replace("_", " "))

    def role(self, name: str) -> str:
        """Name of the role of a model."""
        return self.roles.get(name, name.replace("_", " "))

    def share(self, value: float | None, reference: str | None) -> str:
        """Put an accuracy 0..1 into words, in steps of five percent."""
        if value is None:
            return self.say("share_none")
        percent = self.coach.percent_text(round(value * 20) * 5)
        key = f"share_{reference}" if f"share_{reference}" in self.texts else "share"
        return self.say(key, percent=percent)

    def quality(self, quality: float | None) -> str:
        """Put a mean opinion score (1..5) of the recording into words."""
        if quality is None:
            return self.say("quality_none")
        name = next((name for least, name in _QUALITIES if quality >= least), "very_poor")
        return self.say(f"quality_{name}")

    def key(self, key: Key | None) -> str:
        """Name of a key."""
        if key is None:
            return self.say("no_key")
        return self.key_forms[key.mode].format(tonic=self.tonics[key.mode][key.tonic])

    def told(self, reason: str) -> str:
        """Say a reason or warning of an earlier stage, which writes English, as a sentence."""
        reason = reason.strip()
        if not reason:
            return ""
        if self.language != SOURCE_LANGUAGE:
            return localised(reason, self.language)
        return reason[:1].upper() + reason[1:] + ("" if reason[-1] in ".!?" else ".")

    def evidence(self, item: Evidence) -> str:
        """Say what was measured in a moment: in English as the scoring does, else plainly."""
        if self.language == SOURCE_LANGUAGE:
            return item.text
        value = self.quantity(item.value, item.unit)
        return self.say("evidence", measure=self.label(item.measure), value=value)

    def _decimal(self, number: str) -> str:
        return number.replace(".", self.coach.decimal)


@cache
def words_of(language: str) -> ReportWords:
    """Return the words of a language, those of English for one that the report does not speak.

    Raises
    ------
    ValueError
        When a file of the package breaks its own rules.
    """
    return read_words(language if language in LANGUAGES else SOURCE_LANGUAGE)


def read_words(language: str) -> ReportWords:
    """Read the file of a language and compare its keys and fields with those of English."""
    table, english = _file(language), _file(SOURCE_LANGUAGE)
    if table.text("language") != language:
        raise ValueError(f"{table.where}: language has to be {language!r}")
    flat: dict[str, str] = {}
    for part in ("texts", "format"):
        prefix = "" if part == "texts" else f"{part}."
        flat |= {f"{prefix}{k}": v for k, v in _same(table, english, part).items()}
    lists, keys = table.table("lists").only(("honesty", "take_again")), table.table("keys")
    for name in lists.names:
        if len(lists.texts(name)) != len(english.table("lists").texts(name)):
            raise ValueError(f"{lists.where}: {name} has another length than in English")
    keys.only(english.table("keys").names)
    dimensions = table.table("dimensions").only(DIMENSIONS)
    parts = {d: dimensions.table(d).only(("gloss", "axis")) for d in DIMENSIONS}
    axes = {d: _lines(parts[d], "axis") for d in DIMENSIONS}
    modes = ("major", "minor")
    return ReportWords(
        coach=catalogue_of(language),
        texts=flat,
        honesty=lists.texts("honesty"),
        take_again=lists.texts("take_again"),
        glosses={d: parts[d].text("gloss") for d in DIMENSIONS},
        axes=axes,
        units=_same(table, english, "units"),
        stages=_same(table, english, "stages"),
        roles=_same(table, english, "roles"),
        explanations=_same(table, english, "explanations"),
        key_forms={mode: _filled(keys, english.table("keys"), mode) for mode in modes},
        tonics={mode: _tonics(keys, f"{mode}_tonics") for mode in modes},
    )


def note_name(midi: float) -> str:
    """Name of the nearest note, such as ``"F♯4"`` (60 = C4); alike in every language."""
    nearest = round(midi)
    return f"{NOTE_NAMES[nearest % 12]}{nearest // 12 - 1}"


def _file(language: str) -> Table:
    path = f"languages/{language}.toml"
    return read_toml(path, package="singcoach.report").only(
        (
            *("language", "format", "texts", "lists", "dimensions", "units", "keys"),
            *("stages", "roles", "explanations"),
        )
    )


def _same(table: Table, english: Table, part: str) -> dict[str, str]:
    """Texts of a part by key, each with the fields that English has."""
    own, other = table.table(part), english.table(part)
    own.only(other.names)
    return {name: _filled(own, other, name) for name in other.names}


def _filled(own: Table, english: Table, name: str) -> str:
    text = own.text(name)
    if _fields(text) != _fields(english.text(name)):
        raise ValueError(f"{own.where}: {name} has other fields than in English")
    return text


def _fields(text: str) -> list[str]:
    parts = string.Formatter().parse(text)
    return sorted(f"{name}{form}{kind}" for _, name, form, kind in parts if name is not None)


def _lines(table: Table, name: str) -> tuple[str, ...]:
    lines = table.texts(name)
    if not 1 <= len(lines) <= _MOST_AXIS_LINES:
        raise ValueError(f"{table.where}: {name} has to have one or two lines")
    return lines


def _tonics(table: Table, name: str) -> tuple[str, ...]:
    tonics = table.texts(name)
    if len(tonics) != _N_TONICS:
        raise ValueError(f"{table.where}: {name} has to have {_N_TONICS} names")
    return tonics


def joined(lines: Iterable[str], words: ReportWords) -> str:
    """Put sentences one after another as the language does."""
    return words.coach.between_sentences.join(line for line in lines if line)
