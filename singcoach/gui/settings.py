"""What the user chose once, kept in one small file.

No Qt here. A damaged file is set aside and never stops the start.
"""

from __future__ import annotations

import contextlib
import json
import locale
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal, get_args

import platformdirs

from singcoach.core.languages import LANGUAGES, Language
from singcoach.files import make_folder, write_whole

ThemeName = Literal["light", "dark", "system"]
ProfileName = Literal["fast", "balanced", "best"]
CoachName = Literal["auto", "template", "model"]
ComputeDevice = Literal["auto", "cpu", "cuda", "mps"]

_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "language": LANGUAGES,
    "theme": get_args(ThemeName),
    "profile": get_args(ProfileName),
    "coach": get_args(CoachName),
    "device": get_args(ComputeDevice),
}
_MOST_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLatency:
    """How late a pair of devices hears itself, and how sure the calibration was (0..1)."""

    latency_ms: float
    quality: float


def _no_latencies() -> Mapping[str, StoredLatency]:
    return MappingProxyType({})


def system_language() -> Language:
    """Return the language of the user's system where SingCoach speaks it, else English."""
    with contextlib.suppress(ValueError):
        names = [os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG")]
        for name in (*names, locale.getlocale()[0] or ""):
            code = name[:2].lower()
            if code in LANGUAGES:
                return code
    return "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSettings:
    """Everything that the window remembers between two starts.

    Attributes
    ----------
    input_device, output_device
        :attr:`singcoach.audio.devices.AudioDevice.key`; None: what the system calls its default.
    profile
        How much work an analysis does (:mod:`singcoach.chain.settings`).
    coach
        Who writes the feedback: the built-in sentences or a language model; ``auto`` the model
        where one is installed.
    device
        Where the networks of model packs run.
    monitor
        Whether the microphone is heard while singing; off, because loudspeakers would howl.
    speak
        Whether the coach's summary is read aloud, where the system can.
    singer_id
        Who sings; None until somebody is chosen.
    latencies
        Calibrations by :func:`singcoach.audio.devices.pair_key`.
    queue_paused
        Whether the user paused the analyses.
    welcomed
        Whether the first start is over.
    """

    language: Language = field(default_factory=system_language)
    theme: ThemeName = "system"
    input_device: str | None = None
    output_device: str | None = None
    profile: ProfileName = "balanced"
    coach: CoachName = "auto"
    device: ComputeDevice = "auto"
    monitor: bool = False
    speak: bool = False
    singer_id: str | None = None
    latencies: Mapping[str, StoredLatency] = field(default_factory=_no_latencies)
    queue_paused: bool = False
    welcomed: bool = False


def config_dir() -> Path:
    """Folder of the settings; ``SINGCOACH_HOME`` moves it with everything else."""
    home = os.environ.get("SINGCOACH_HOME")
    if home:
        return Path(home) / "config"
    return Path(platformdirs.user_config_dir("singcoach", appauthor=False))


class SettingsStore:
    """The settings in force and the file behind them.

    Parameters
    ----------
    path
        The file; the usual place by default.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path if path is not None else config_dir() / "settings.json"
        self._lock = threading.Lock()
        self._watchers: list[Callable[[AppSettings], None]] = []
        self._current = self._read()

    @property
    def current(self) -> AppSettings:
        """The settings in force."""
        return self._current

    def update(self, **changes: Any) -> AppSettings:
        """Change some values, keep them, tell those who watch.

        Raises
        ------
        ValueError
            A value is not one of its choices: a fault of ours.
        OutputError
            The file cannot be written; the change holds until the end of the program.
        """
        for name, value in changes.items():
            if name in _CHOICES and value not in _CHOICES[name]:
                raise ValueError(f"{name} cannot be {value!r}")
        with self._lock:
            if "latencies" in changes:
                changes["latencies"] = MappingProxyType(dict(changes["latencies"]))
            self._current = replace(self._current, **changes)
        for watcher in tuple(self._watchers):
            watcher(self._current)
        make_folder(self.path.parent)
        write_whole(self.path, to_json(self._current))
        return self._current

    def keep_latency(self, pair: str, latency: StoredLatency) -> None:
        """Keep the calibration of a pair of devices (:func:`singcoach.audio.devices.pair_key`)."""
        self.update(latencies={**self._current.latencies, pair: latency})

    def watch(self, watcher: Callable[[AppSettings], None]) -> None:
        """Call ``watcher`` with the new settings after every change."""
        self._watchers.append(watcher)

    def _read(self) -> AppSettings:
        try:
            with self.path.open("rb") as file:
                raw = file.read(_MOST_BYTES + 1)
            if len(raw) > _MOST_BYTES:
                raise ValueError("too long for settings")
            return from_json(raw.decode("utf-8"))
        except FileNotFoundError:
            return AppSettings()
        except (OSError, ValueError, RecursionError):
            self._set_aside()
            return AppSettings()

    def _set_aside(self) -> None:
        """Keep what cannot be read under another name, so that nothing is overwritten."""
        with contextlib.suppress(OSError):
            self.path.replace(self.path.with_suffix(".damaged.json"))


def to_json(settings: AppSettings) -> str:
    """Write the settings as JSON text."""
    values: dict[str, Any] = {}
    for item in fields(settings):
        value = getattr(settings, item.name)
        if item.name == "latencies":
            value = {
                pair: {"latency_ms": kept.latency_ms, "quality": kept.quality}
                for pair, kept in value.items()
            }
        values[item.name] = value
    return json.dumps(values, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def from_json(raw: str) -> AppSettings:
    """Read settings; values that are unknown, missing or of the wrong kind take their default.

    Raises
    ------
    ValueError
        The text is no JSON table at all.
    """
    values = json.loads(raw)
    if not isinstance(values, dict):
        raise ValueError("the settings are no table")
    known: dict[str, Any] = {}
    for name, choices in _CHOICES.items():
        if values.get(name) in choices:
            known[name] = values[name]
    for name in ("monitor", "speak", "queue_paused", "welcomed"):
        if isinstance(values.get(name), bool):
            known[name] = values[name]
    for name in ("input_device", "output_device", "singer_id"):
        if isinstance(values.get(name), str):
            known[name] = values[name]
    known["latencies"] = MappingProxyType(_latencies(values.get("latencies")))
    return AppSettings(**known)


def _latencies(values: object) -> dict[str, StoredLatency]:
    result: dict[str, StoredLatency] = {}
    if not isinstance(values, dict):
        return result
    for pair, kept in values.items():
        if isinstance(kept, dict):
            latency_ms, quality = kept.get("latency_ms"), kept.get("quality")
            if isinstance(latency_ms, int | float) and isinstance(quality, int | float):
                result[str(pair)] = StoredLatency(
                    latency_ms=float(latency_ms), quality=float(quality)
                )
    return result
