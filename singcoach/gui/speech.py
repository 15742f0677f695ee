"""Reading the coach's summary aloud, where the system has a voice for the language."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QLocale, QObject, Signal, qInstallMessageHandler

if TYPE_CHECKING:
    from PySide6.QtTextToSpeech import QTextToSpeech, QVoice

_SILENT_ENGINES: Final = frozenset({"mock"})
_LOCALES: Final = {
    "en": QLocale.Language.English,
    "es": QLocale.Language.Spanish,
    "de": QLocale.Language.German,
    "fr": QLocale.Language.French,
    "ja": QLocale.Language.Japanese,
    "zh": QLocale.Language.Chinese,
}


class Speaker(QObject):
    """Speaks with the system's own voices; nothing leaves the machine.

    The engine is opened when it is first asked for, and a system without one is no fault: then
    :meth:`can_speak` is False.
    """

    changed = Signal()
    """It began or ended speaking."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine: QTextToSpeech | None = None
        self._tried = False
        self._language = ""

    def can_speak(self, language: str) -> bool:
        """Whether there is a voice for a language."""
        engine = self._opened()
        if engine is None or language not in _LOCALES:
            return False
        return any(locale.language() == _LOCALES[language] for locale in engine.availableLocales())

    @property
    def speaking(self) -> bool:
        """Whether it speaks now."""
        engine = self._engine
        if engine is None:
            return False
        from PySide6.QtTextToSpeech import QTextToSpeech

        return engine.state() == QTextToSpeech.State.Speaking

    def speak(self, words: str, language: str) -> None:
        """Say something, after stopping what is being said."""
        engine = self._opened()
        if engine is None or not self.can_speak(language):
            return
        engine.stop()
        voice = self._voice(engine, language)
        if voice is not None:
            engine.setVoice(voice)
        engine.say(words)

    def stop(self) -> None:
        """Be silent."""
        if self._engine is not None:
            self._engine.stop()

    def _voice(self, engine: QTextToSpeech, language: str) -> QVoice | None:
        if language == self._language:
            return None
        self._language = language
        locales = [
            known for known in engine.availableLocales() if known.language() == _LOCALES[language]
        ]
        own = QLocale.system()
        chosen = next((known for known in locales if known == own), locales[0])
        engine.setLocale(chosen)
        return next(iter(engine.availableVoices()), None)

    def _opened(self) -> QTextToSpeech | None:
        if not self._tried:
            self._tried = True
            with contextlib.suppress(ImportError, RuntimeError):
                self._engine = self._made()
        return self._engine

    def _made(self) -> QTextToSpeech | None:
        """Open the system's engine; None where it is missing or only pretends."""
        before = qInstallMessageHandler(lambda *_: None)  # a missing voice is nothing to log
        try:
            return self._first_engine()
        finally:
            qInstallMessageHandler(before)

    def _first_engine(self) -> QTextToSpeech | None:
        from PySide6.QtTextToSpeech import QTextToSpeech

        names = [n for n in QTextToSpeech.availableEngines() if n not in _SILENT_ENGINES]
        if not names:
            return None
        engine = QTextToSpeech(names[0], self)
        if engine.state() == QTextToSpeech.State.Error:
            engine.deleteLater()
            return None
        engine.stateChanged.connect(lambda _state: self.changed.emit())
        return engine
