"""What every screen is given: the library, the settings, the runner, the player, the queue."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from singcoach.errors import SingCoachError
from singcoach.gui.settings import AppSettings, SettingsStore
from singcoach.gui.tasks import TaskRunner, as_fault
from singcoach.gui.texts import set_language, text

if TYPE_CHECKING:
    from singcoach.audio.player import Player
    from singcoach.gui.analysis_queue import AnalysisQueue
    from singcoach.library.store import Library


class AppContext(QObject):
    """The services of the program. Each is made when it is first asked for.

    Parameters
    ----------
    settings
        Where the user's choices are kept.
    library, player
        For tests; the usual ones by default.

    Attributes
    ----------
    tasks
        Runs work beside the window.
    """

    take_changed = Signal(str)
    """A take was analysed, renamed or noted upon: its id."""
    library_changed = Signal()
    """Takes, songs or singers were added or removed."""
    settings_changed = Signal()
    """The user chose something else."""
    navigated = Signal(str, object)
    """Somebody asked for a screen: its name and a table of arguments."""
    told = Signal(str, str, str)
    """Something to say: kind of banner, one sentence, hint."""

    def __init__(
        self,
        settings: SettingsStore | None = None,
        *,
        library: Library | None = None,
        player: Player | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._settings = settings if settings is not None else SettingsStore()
        self._library = library
        self._player = player
        self._analysis: AnalysisQueue | None = None
        self._closing: list[Callable[[], object]] = []
        set_language(self._settings.current.language)
        self.tasks = TaskRunner(self)
        self.tasks.failed.connect(self.tell_fault)

    @property
    def settings(self) -> AppSettings:
        """The settings in force."""
        return self._settings.current

    @property
    def settings_store(self) -> SettingsStore:
        """Where the settings are kept; change them by :meth:`change_settings`."""
        return self._settings

    def change_settings(self, **changes: Any) -> None:
        """Change settings and tell everybody; a disk that refuses is told as a banner."""
        try:
            self._settings.update(**changes)
        except SingCoachError as error:
            self.tell_fault(error)
        if "language" in changes:
            set_language(self._settings.current.language)
        self.settings_changed.emit()

    @property
    def library(self) -> Library:
        """The takes, songs and singers.

        Raises
        ------
        SingCoachError
            The library cannot be opened.
        """
        if self._library is None:
            from singcoach.library.store import Library

            self._library = Library.open()
            self._closing.append(self._library.close)
        return self._library

    def singer_id(self) -> str:
        """Return who sings: the chosen singer, else the first, else a new one called "Me"."""
        singers = self.library.singers()
        chosen = self.settings.singer_id
        if any(singer.id == chosen for singer in singers):
            return str(chosen)
        if not singers:
            singers = [self.library.add_singer(text("common.me"))]
        return singers[0].id

    @property
    def player(self) -> Player:
        """What plays recordings; works without any sound device."""
        if self._player is None:
            from singcoach.audio.player import Player

            self._player = Player()
            self._closing.append(self._player.close)
        return self._player

    @property
    def analysis(self) -> AnalysisQueue:
        """The queue of recordings that wait for their analysis."""
        if self._analysis is None:
            from singcoach.gui.analysis_queue import AnalysisQueue

            self._analysis = AnalysisQueue(self)
        return self._analysis

    def navigate(self, screen: str, **arguments: Any) -> None:
        """Go to a screen, which is handed ``arguments`` in its ``enter``."""
        self.navigated.emit(screen, arguments)

    def tell(self, words: str, *, kind: str = "info", hint: str = "") -> None:
        """Show a banner above the screen."""
        self.told.emit(kind, words, hint)

    def tell_fault(self, error: BaseException) -> None:
        """Show one sentence and a hint for any exception."""
        fault = as_fault(error)
        self.told.emit("error", fault.message, fault.hint)

    def close(self) -> None:
        """Stop all work and let go of files and devices."""
        if self._analysis is not None:  # first, so that what it works on waits for the next start
            self._analysis.close()
        self.tasks.close()
        while self._closing:
            self._closing.pop()()
