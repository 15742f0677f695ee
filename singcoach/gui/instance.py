"""One window for each user and home: a second start brings the first window to the front.

Two windows would not harm each other, for the library allows for it; but nobody wants two.
"""

from __future__ import annotations

import contextlib
import getpass
import hashlib
from typing import Final

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from singcoach import resources

_WAIT_MS: Final = 800
_GREETING: Final = b"singcoach: show yourself\n"
_ANSWER: Final = b"here\n"


def instance_name() -> str:
    """Return the name of this user's window over this home, which no other shares."""
    user = ""
    with contextlib.suppress(OSError, KeyError, ImportError):  # a system without names of users
        user = getpass.getuser()
    who = f"{user}|{resources.user_data_dir().absolute()}"
    return f"singcoach-{hashlib.sha256(who.encode()).hexdigest()[:16]}"


def wake_other(name: str) -> bool:
    """Ask a running window to come to the front; returns whether one answered."""
    socket = QLocalSocket()
    socket.connectToServer(name)
    if not socket.waitForConnected(_WAIT_MS):
        return False
    socket.write(_GREETING)
    socket.waitForBytesWritten(_WAIT_MS)
    # A window that hangs does not answer; then this start goes on by itself.
    answered = socket.waitForReadyRead(_WAIT_MS) and bytes(socket.readAll().data()) == _ANSWER
    socket.disconnectFromServer()
    return answered


class InstanceServer(QObject):
    """Answers later starts for as long as this window lives."""

    woken = Signal()
    """Somebody started SingCoach again."""

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._on_server_connected)
        if not self._server.listen(name):
            QLocalServer.removeServer(name)  # what a killed window left; nobody answered there
            self._server.listen(name)

    @property
    def listening(self) -> bool:
        """Whether later starts will find this window; without it they open their own."""
        return self._server.isListening()

    def close(self) -> None:
        """Answer nobody any more."""
        self._server.close()

    def _on_server_connected(self) -> None:
        while (socket := self._server.nextPendingConnection()) is not None:
            socket.readyRead.connect(lambda socket=socket: self._answer(socket))
            socket.disconnected.connect(socket.deleteLater)
            if socket.bytesAvailable():
                self._answer(socket)

    def _answer(self, socket: QLocalSocket) -> None:
        if bytes(socket.readAll().data()) == _GREETING:
            socket.write(_ANSWER)
            socket.flush()
            self.woken.emit()
