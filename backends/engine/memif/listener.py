"""The listening sockets of an engine's memif servers: several interfaces, told apart by their ids, share one."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Protocol

from vectorplane.backends.base import BackendError
from vectorplane.backends.engine.memif.messages import Init, ProtocolError
from vectorplane.backends.engine.memif.session import PeerLeft, ServerSession, State
from vectorplane.backends.engine.memif.socket import ABSTRACT, ControlSocket, listen
from vectorplane.backends.engine.memif.watcher import Watcher

if TYPE_CHECKING:
    from vectorplane.backends.engine.timers import Timers
    from vectorplane.dataplane.plane import Dataplane

log = logging.getLogger(__name__)
MAX_PENDING = 64
"""Connections that have not said yet which interface they want."""
HANDSHAKE = 5_000_000_000
"""Longest time until a connection is up, ns."""
_PAUSE = 1_000_000_000


class Server(Protocol):
    """An interface that waits for its client."""

    id: int

    def choose(self, init: Init, control: ControlSocket) -> None:
        """A client wants it. Raises `ProtocolError`: it may not have it."""

    def connect(self, session: ServerSession) -> str:
        """All was said. Gives the interface's name. Raises `ProtocolError`."""

    def lost(self, reason: str, *, tell: bool) -> None:
        """The connection is to be ended; ``tell``: the peer is told why."""


class Listener:
    """One listening socket. Raises `OSError`, `ValueError`: there can't be one."""

    def __init__(self, name: str, clock: Callable[[], int], timers: Timers) -> None:
        self.name, self._clock, self._timers = name, clock, timers
        self._socket = listen(name)
        self._inode = None if name.startswith(ABSTRACT) else os.lstat(name).st_ino
        self.watcher = Watcher()
        self.watcher.add(self._socket.fileno(), self._accept)
        self.servers: dict[int, Server] = {}
        self._controls: dict[ControlSocket, Server | None] = {}

    def _accept(self) -> None:
        try:
            connection, _ = self._socket.accept()
        except BlockingIOError:
            return
        except OSError as error:
            # no file descriptors left, say: look again later, not at once and for ever
            log.warning("memif socket %s: %s", self.name, error.strerror)
            self.watcher.remove(self._socket.fileno())
            self._timers.at(self._clock() + _PAUSE, self._listen_again)
            return
        box: list[ControlSocket] = []
        session = ServerSession(lambda init: self._choose(box[0], init), lambda s: self._connect(box[0], s))
        control = ControlSocket(connection, session)
        box.append(control)
        if sum(1 for s in self._controls.values() if s is None) >= MAX_PENDING:
            control.end("too many connections")
            return
        self._controls[control] = None
        self.watcher.add(control.fd, partial(self._service, control))
        self._timers.at(self._clock() + HANDSHAKE, partial(self._too_late, control))
        self._service(control)

    def _listen_again(self, _: int) -> None:
        if self._socket.fileno() >= 0:
            self.watcher.add(self._socket.fileno(), self._accept)

    def _choose(self, control: ControlSocket, init: Init) -> None:
        server = self.servers.get(init.id)
        if server is None:
            raise ProtocolError("unmatched interface id")
        server.choose(init, control)
        self._controls[control] = server

    def _connect(self, control: ControlSocket, session: ServerSession) -> str:
        server = self._controls[control]
        if server is None:
            raise ProtocolError("no interface")
        return server.connect(session)

    def _service(self, control: ControlSocket) -> None:
        try:
            control.service()
        except ProtocolError as error:
            self._fail(control, str(error), tell=not isinstance(error, PeerLeft))

    def _fail(self, control: ControlSocket, reason: str, *, tell: bool) -> None:
        server = self._controls.get(control)
        if server is not None:
            server.lost(reason, tell=tell)
        else:
            log.info("memif socket %s: connection refused: %s", self.name, reason)
        self.drop(control, reason if tell else None)

    def _too_late(self, control: ControlSocket, _: int) -> None:
        if control in self._controls and control.session.state is not State.CONNECTED:
            self._fail(control, "timeout", tell=True)

    def drop(self, control: ControlSocket, reason: str | None) -> None:
        """End a connection, if it is one of these; the peer is told why unless ``reason`` is None."""
        if control in self._controls:
            del self._controls[control]
            self.watcher.remove(control.fd)
            control.end(reason)

    def close(self) -> None:
        """Nobody listens any more; the socket's file goes, unless somebody else has put another one there."""
        for control in list(self._controls):
            self.drop(control, None)
        self.watcher.close()
        self._socket.close()
        with suppress(OSError):
            if self._inode is not None and os.lstat(self.name).st_ino == self._inode:
                os.unlink(self.name)


class Listeners:
    """All of an engine, by the names of their sockets."""

    def __init__(self, plane: Dataplane) -> None:
        self.by_name: dict[str, Listener] = {}

    def join(self, name: str, server: Server, clock: Callable[[], int], timers: Timers) -> Listener:
        """Wait for a client at a socket, which is made when this is the first to do so.

        Raises:
            OSError: the socket can't be had.
            BackendError: another interface has that id there.
            ValueError: the socket's name is none.
        """
        listener = self.by_name.get(name)
        if listener is None:
            listener = self.by_name[name] = Listener(name, clock, timers)
        if server.id in listener.servers:
            raise BackendError(f"memif: there is an interface of id {server.id} at {name} already")
        listener.servers[server.id] = server
        return listener

    def leave(self, listener: Listener, server: Server) -> None:
        """An interface goes; the last one closes the socket."""
        if listener.servers.get(server.id) is server:
            del listener.servers[server.id]
        if not listener.servers and self.by_name.get(listener.name) is listener:
            del self.by_name[listener.name]
            listener.close()

    def close(self) -> None:
        """Close all."""
        for listener in self.by_name.values():
            listener.close()
        self.by_name.clear()
