"""One client's socket: bytes in, a turn of the dispatcher, bytes out.

asyncio's transports allocate 256 KB for each read and need a turn of the loop for each half of a message (vpp_papi
sends header and body apart); here the socket is read until a message is whole, which makes synchronous calls a third
faster.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Callable
from contextlib import AbstractContextManager

from vectorplane.control.vppapi.dispatcher import Dispatcher
from vectorplane.control.vppapi.framing import FramingError

log = logging.getLogger("vectorplane.vppapi")

READ = 64 << 10
"""Bytes read at once."""
HIGH_WATER = 256 << 10
"""Bytes waiting for a client beyond which it has to read before it gets more answers."""
_CREDENTIALS = struct.Struct("iII")
_GONE = (ConnectionError, OSError)


class Connection:
    """A client's socket on the loop. ``paused()`` gives the engine to its caller, ``on_close`` is told of the end."""

    def __init__(
        self,
        peer: socket.socket,
        dispatcher: Dispatcher,
        paused: Callable[[], AbstractContextManager[None]],
        on_close: Callable[[Connection], None],
    ) -> None:
        self._socket, self._dispatcher, self._paused, self._on_close = peer, dispatcher, paused, on_close
        self._loop = asyncio.get_running_loop()
        self._fd = peer.fileno()
        self._out = bytearray()
        self._reading = self._writing = self._due = False
        self._open = True
        self.session = dispatcher.open(self._want_flush)
        credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        self.session.pid = _CREDENTIALS.unpack(credentials)[0]
        self._read(True)

    def _read(self, wanted: bool) -> None:
        if wanted != self._reading:
            self._reading = wanted
            if wanted:
                self._loop.add_reader(self._fd, self._readable)
            else:
                self._loop.remove_reader(self._fd)

    def _readable(self) -> None:
        reader = self.session.reader
        while True:
            try:
                data = self._socket.recv(READ)
            except (BlockingIOError, InterruptedError):
                break
            except _GONE as e:
                self.close(f"reading: {e}")
                return
            if not data:
                self.close()
                return
            reader.feed(data)
            if reader.whole():
                break
        if not self._due:
            self._turn()

    def _next_turn(self) -> None:
        self._due = False
        if self._open:
            self._turn()

    def _turn(self) -> None:
        """A piece of the client's work; then others have theirs. Nothing more is read while there is work left."""
        try:
            with self._paused():
                more = self._dispatcher.work(self.session)
                self._flush()  # before the engine goes on: the client reads while we put things in order
        except FramingError as e:
            self.close(f"dropped: {e}")
            return
        except Exception:
            log.exception("%r is dropped", self.session)
            self.close()
            return
        if not self._open:
            return
        more = more and not self.session.blocked
        self._read(not more and not self.session.blocked and not self.session.leaving)
        if more:
            self._continue()

    def _continue(self) -> None:
        if not self._due:
            self._due = True
            self._loop.call_soon(self._next_turn)

    def _want_flush(self) -> None:
        if not self.session.flush_due:
            self.session.flush_due = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        """Send what is queued; what the client does not take yet waits, and beyond `HIGH_WATER` its work waits too."""
        if not self._open:
            return
        session = self.session
        session.flush_due = False
        data = session.take_output()
        try:
            if data and not self._out:
                sent = self._socket.send(data)
                if sent < len(data):
                    self._out += memoryview(data)[sent:]
            else:
                self._out += data
                if self._out:
                    del self._out[: self._socket.send(self._out)]
        except (BlockingIOError, InterruptedError):
            if not self._out:
                self._out += data
        except _GONE as e:
            self.close(f"writing: {e}")
            return
        session.waiting = len(self._out)
        session.blocked = session.waiting > HIGH_WATER
        if session.leaving and not self._out:
            self.close()
        elif bool(self._out) != self._writing:
            self._writing = bool(self._out)
            if self._writing:
                self._loop.add_writer(self._fd, self._writable)
            else:
                self._loop.remove_writer(self._fd)

    def _writable(self) -> None:
        was_blocked = self.session.blocked
        self._flush()
        if self._open and was_blocked and not self.session.blocked:
            self._continue()

    def close(self, why: str = "") -> None:
        """Close at once, whatever is waiting; ``why`` is logged when the end is not what the client asked for."""
        if not self._open:
            return
        self._open = False
        if why:
            log.warning("%r: %s", self.session, why)
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        self._socket.close()
        with self._paused():  # a dump that is cut off may have something to put in order
            self._dispatcher.close(self.session)
        self._on_close(self)
