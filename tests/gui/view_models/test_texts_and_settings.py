"""The catalogue is whole in six languages; settings survive whatever happened to their file."""

from __future__ import annotations

import re
import string
import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import singcoach.gui
from singcoach.core.languages import LANGUAGES
from singcoach.errors import OutputError
from singcoach.gui import texts
from singcoach.gui.settings import (
    AppSettings,
    SettingsStore,
    StoredLatency,
    from_json,
    to_json,
)

GUI = Path(singcoach.gui.__file__).parent
CATALOGUE = sorted((GUI / "catalogue").glob("*.toml"))


def _entries(table: dict[str, Any], name: str = "") -> list[tuple[str, dict[str, Any]]]:
    if set(table) & set(LANGUAGES):
        return [(name, table)]
    found: list[tuple[str, dict[str, Any]]] = []
    for key, value in table.items():
        found += _entries(value, f"{name}.{key}" if name else key)
    return found


def _fields(wording: Any) -> set[str]:
    forms = wording if isinstance(wording, list) else [wording]
    return {field for form in forms for _, field, _, _ in string.Formatter().parse(form) if field}


@pytest.mark.parametrize("path", CATALOGUE, ids=lambda path: path.stem)
def test_every_text_is_there_in_all_six_languages(path: Path) -> None:
    entries = _entries(tomllib.loads(path.read_text(encoding="utf-8")))
    assert entries
    for name, entry in entries:
        assert set(entry) == set(LANGUAGES), name
        shapes = {isinstance(wording, list) for wording in entry.values()}
        assert len(shapes) == 1, name
        fields = _fields(entry["en"])
        for language, wording in entry.items():
            assert _fields(wording) == fields, (name, language)
            for form in wording if isinstance(wording, list) else [wording]:
                assert form == form.strip(), (name, language)
                assert form, (name, language)
            if isinstance(wording, list):
                assert len(wording) == 2, (name, language)
                assert "count" in fields, name


def test_every_text_that_is_asked_for_exists() -> None:
    known = {
        f"{path.stem}.{name}"
        for path in CATALOGUE
        for name, _ in _entries(tomllib.loads(path.read_text(encoding="utf-8")))
    }
    asked: set[str] = set()
    for module in GUI.rglob("*.py"):
        asked |= set(re.findall(r'\btext\(\s*"([^"{]+)"', module.read_text(encoding="utf-8")))
    assert len(asked) > 10
    assert asked <= known, asked - known


def test_counts_take_the_right_form(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = {name: ["{count} one", "{count} many"] for name in LANGUAGES}
    monkeypatch.setattr(texts, "catalogue", lambda screen: {"files": entry})
    found = {}
    for language in LANGUAGES:
        texts.set_language(language)
        found[language] = [texts.text("x.files", count=n).split()[1] for n in (0, 1, 2)]
    assert found["en"] == ["many", "one", "many"]
    assert found["fr"] == ["one", "one", "many"]
    assert found["ja"] == ["many", "many", "many"]


def test_a_text_that_is_missing_is_a_fault_of_ours() -> None:
    for key in ("common.nothing_like_it", "no_such_screen.title", "common"):
        with pytest.raises(ValueError, match="text"):
            texts.text(key)
    with pytest.raises(ValueError, match="seconds"):
        texts.text("common.left_seconds")


def test_numbers_and_times_are_written_as_people_do() -> None:
    assert texts.number(-0.04) == "0.0"
    assert texts.clock(3725.4) == "1:02:05"
    assert texts.clock(59.6) == "1:00"
    sizes = [texts.file_size(n) for n in (0, 11_419, 19_679_236, 2_340_000_000)]
    assert sizes == ["0 kB", "11 kB", "19.7 MB", "2.3 GB"]
    assert texts.day(datetime(2026, 11, 4)) == "4 Nov 2026"
    texts.set_language("de")
    assert texts.number(3.25) == "3,2"
    assert texts.percent(0.875) == "88 %"
    assert texts.day(datetime(2026, 11, 4)) == "4. Nov. 2026"
    texts.set_language("ja")
    assert texts.day(datetime(2026, 11, 4)) == "2026年11月4日"
    assert texts.time_left(58) == "残り約1分"


def test_months_are_twelve_everywhere() -> None:
    for language in LANGUAGES:
        texts.set_language(language)
        assert len(texts.text("common.months").split()) == 12


class TestSettings:
    def test_they_come_back(self, tmp_path: Path) -> None:
        path = tmp_path / "deep" / "settings.json"
        store = SettingsStore(path)
        store.update(language="ja", theme="dark", input_device="ALSA|USB é", monitor=True)
        store.keep_latency("a + b", StoredLatency(latency_ms=31.5, quality=0.9))
        again = SettingsStore(path).current
        assert again == store.current
        assert again.input_device == "ALSA|USB é"
        assert dict(again.latencies) == {"a + b": StoredLatency(latency_ms=31.5, quality=0.9)}

    @pytest.mark.parametrize(
        "damage", [b"", b"{", b"\xff\xfe\x00", b"[" * 100_000, b'"x"', b"x" * (2 << 20)]
    )
    def test_a_damaged_file_is_set_aside(self, tmp_path: Path, damage: bytes) -> None:
        path = tmp_path / "settings.json"
        path.write_bytes(damage)
        assert SettingsStore(path).current == AppSettings()
        assert path.with_suffix(".damaged.json").read_bytes() == damage

    def test_foreign_values_take_their_default(self) -> None:
        found = from_json(
            '{"language": "xx", "theme": 5, "monitor": "yes", "input_device": {"name": 1},'
            ' "latencies": {"a": 3, "b": {"latency_ms": 1, "quality": 0.5}}, "profile": "best"}'
        )
        assert found.language == AppSettings().language
        assert (found.theme, found.monitor, found.input_device) == ("system", False, None)
        assert (found.profile, list(found.latencies)) == ("best", ["b"])
        assert from_json(to_json(found)) == found

    def test_a_value_that_is_no_choice_is_a_fault_of_ours(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="profile"):
            SettingsStore(tmp_path / "s.json").update(profile="fastest")

    def test_a_disk_that_refuses_is_told_and_the_change_holds(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way")
        store = SettingsStore(tmp_path / "file" / "settings.json")
        with pytest.raises(OutputError):
            store.update(theme="dark")
        assert store.current.theme == "dark"

    def test_watchers_hear_of_changes(self, tmp_path: Path) -> None:
        store = SettingsStore(tmp_path / "s.json")
        heard: list[str] = []
        store.watch(lambda settings: heard.append(settings.theme))
        store.update(theme="dark")
        assert heard == ["dark"]
