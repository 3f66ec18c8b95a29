"""One client's connection as the dispatcher sees it; no sockets here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from typing import Any

from vectorplane.control.vppapi.framing import FrameReader, frame

log = logging.getLogger("vectorplane.vppapi")

MOST_EVENTS = 1 << 20
"""Bytes that may wait for a client that does not read before events to it are dropped."""
MOST_COMPLAINTS = 10


class Dump:
    """A dump under way: where its details come from and how they are encoded."""

    __slots__ = ("context", "details", "encode", "name", "reply")

    def __init__(
        self,
        name: str,
        context: int,
        details: Generator[Any, None, Any],
        encode: Callable[[Any], bytes],
        reply: Callable[[Any], bytes] | None,
    ) -> None:
        self.name, self.context, self.details, self.encode, self.reply = name, context, details, encode, reply


class Session:
    """A client. ``blocked`` is set by the shell while the client does not read what it was sent."""

    def __init__(self, number: int, on_output: Callable[[], None] | None = None) -> None:
        self.number = number
        self.client_index = number | 1 << 31
        self.name = ""
        self.pid = 0
        self.reader = FrameReader()
        self.dump: Dump | None = None
        self.blocked = False
        self.leaving = False
        """The client said good-bye: close when all is sent."""
        self.waiting = 0
        """Bytes that the shell has not got rid of yet."""
        self.flush_due = False
        self._out: list[bytes] = []
        self._on_output = on_output
        self._complaints = 0
        self._lost_events = 0

    def __repr__(self) -> str:
        return f"client {self.number} ({self.name or 'no name yet'})"

    def put(self, message: bytes) -> None:
        """Queue a message to the client."""
        self._out.append(frame(message))

    def put_event(self, message: bytes) -> None:
        """Queue an event, unless the client has stopped reading."""
        if self.waiting + sum(map(len, self._out)) > MOST_EVENTS:
            self._lost_events += 1
            if self._lost_events == 1:
                log.warning("%r does not read: events to it are dropped", self)
            return
        self._out.append(frame(message))
        if self._on_output is not None:
            self._on_output()

    def take_output(self) -> bytes:
        """All that is queued, in one piece."""
        out, self._out = self._out, []
        return out[0] if len(out) == 1 else b"".join(out)

    def complain(self, text: str) -> None:
        """Log a line about what the client sent; only the first few, so that garbage can't fill a disk."""
        self._complaints += 1
        if self._complaints <= MOST_COMPLAINTS:
            last = " (no more of this client's are logged)" if self._complaints == MOST_COMPLAINTS else ""
            log.warning("%r: %s%s", self, text, last)
