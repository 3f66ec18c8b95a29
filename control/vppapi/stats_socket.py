"""The socket of the statistics segment: whoever connects gets the memory's descriptor, and maps and reads it alone."""

from __future__ import annotations

import array
import asyncio
import logging
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from vectorplane.control import unix_socket
from vectorplane.control.vppapi.stats_directory import StatsDirectory

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

log = logging.getLogger("vectorplane.stats")

INTERVAL = 10.0
"""Seconds between two updates of the gauges (VPP's ``update-interval``)."""


class StatsServer:
    """Hands out the segment of one engine. Make it with the engine paused or not yet running; `start`, `close`."""

    def __init__(self, engine: Engine, path: Path, interval: float = INTERVAL) -> None:
        self.path = path
        self.directory = StatsDirectory(engine)
        self._engine = engine
        self._interval = interval
        self._listener: socket.socket | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._fd = -1

    async def start(self) -> None:
        """Open the socket.

        Raises:
            SocketPathError: there can be no socket at the path.
        """
        self._listener = unix_socket.listen(self.path, socket.SOCK_SEQPACKET)
        self._listener.setblocking(False)
        # a descriptor that can only be read: no reader can spoil the counters
        self._fd = os.open(f"/proc/self/fd/{self._engine.plane.stats.fd}", os.O_RDONLY | os.O_CLOEXEC)
        asyncio.get_running_loop().add_reader(self._listener, self._accept)
        self._update()

    def _accept(self) -> None:
        assert self._listener is not None
        try:
            peer, _ = self._listener.accept()
        except OSError as e:
            log.debug("accept: %s", e)
            return
        with peer:
            try:
                peer.setblocking(False)
                peer.sendmsg([b""], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [self._fd]))])
            except OSError as e:
                log.warning("a reader of statistics got nothing: %s", e)

    def _update(self) -> None:
        with self._engine.paused():
            self.directory.update()
        self._timer = asyncio.get_running_loop().call_later(self._interval, self._update)

    async def close(self) -> None:
        """Take the socket away. Who has mapped the segment keeps it."""
        if self._listener is None or self._timer is None:
            return
        self._timer.cancel()
        asyncio.get_running_loop().remove_reader(self._listener)
        self._listener.close()
        self._listener = None
        os.close(self._fd)
        unix_socket.remove(self.path, socket.SOCK_SEQPACKET)
