"""The unix socket of the API, on an asyncio loop."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from vectorplane.control import unix_socket
from vectorplane.control.vppapi.api import Api, Cli
from vectorplane.control.vppapi.connection import Connection
from vectorplane.control.vppapi.dispatcher import Dispatcher, Handler
from vectorplane.control.vppapi.handlers import all_handlers
from vectorplane.control.vppapi.schema.registry import load

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

log = logging.getLogger("vectorplane.vppapi")

_ACCEPTS = 64
"""Clients taken in a row."""
_NO_MORE_FILES = 1.0
"""Seconds to wait when the process has no file descriptor left."""
_WAKE = 0.002
"""Seconds until an idle packet thread looks at what handlers have changed."""


class ClientInfo(NamedTuple):
    """A connected client: the name it gave, its process, its index."""

    name: str
    pid: int
    index: int  # type: ignore[assignment]


class ApiServer:
    """VPP's API for one engine, on a unix socket.

    Make it, `start` it on the control thread's loop, `close` it. ``cli`` runs the lines of ``cli_inband``. All
    handlers are called on the loop's thread, within ``engine.paused()``, and ``after`` is, if given, before their
    answers leave.
    """

    def __init__(
        self,
        engine: Engine,
        path: Path,
        cli: Cli | None = None,
        handlers: Mapping[str, Handler] | None = None,
        after: Callable[[], None] | None = None,
    ) -> None:
        self.path = path
        self.api = Api(engine, cli)
        self.dispatcher = Dispatcher(self.api, load(), all_handlers() if handlers is None else handlers, after)
        self.connections: set[Connection] = set()
        self._listener: socket.socket | None = None
        self._wake_due = False

    def clients(self) -> list[ClientInfo]:
        """Who is connected."""
        return [ClientInfo(s.name, s.pid, s.number) for s in self.dispatcher.sessions.values()]

    async def start(self) -> None:
        """Open the socket.

        Raises:
            SocketPathError: there can be no socket at the path.
        """
        loop = asyncio.get_running_loop()
        self.api.use(loop)
        self._listener = unix_socket.listen(self.path)
        self._listener.setblocking(False)
        loop.add_reader(self._listener, self._accept)

    def _accept(self) -> None:
        assert self._listener is not None
        for _ in range(_ACCEPTS):
            try:
                peer, _address = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionError):
                return
            except OSError as e:  # out of file descriptors: the clients that are there go on
                log.error("no more clients for now: %s", e)
                loop = asyncio.get_running_loop()
                loop.remove_reader(self._listener)
                loop.call_later(_NO_MORE_FILES, self._accept_again)
                return
            peer.setblocking(False)
            self.connections.add(Connection(peer, self.dispatcher, self._paused, self.connections.discard))

    @contextmanager
    def _paused(self) -> Iterator[None]:
        """The engine for the handlers. To wake the packet thread after each message would halve the rate of calls."""
        with self.api.engine.paused(wake=False):
            yield
        if not self._wake_due:
            self._wake_due = True
            self.api.loop.call_later(_WAKE, self._wake)

    def _wake(self) -> None:
        self._wake_due = False
        self.api.engine.gate.wake()

    def _accept_again(self) -> None:
        if self._listener is not None:
            asyncio.get_running_loop().add_reader(self._listener, self._accept)

    async def close(self) -> None:
        """Drop the clients and take the socket away."""
        if self._listener is None:
            return
        asyncio.get_running_loop().remove_reader(self._listener)
        self._listener.close()
        self._listener = None
        for connection in list(self.connections):
            connection.close()
        unix_socket.remove(self.path)
