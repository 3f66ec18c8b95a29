"""What handlers see of the server: the engine, who asks, and a way to send events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.control.log import Log
    from vectorplane.control.vppapi.dispatcher import Dispatcher
    from vectorplane.control.vppapi.session import Session


class Cli(Protocol):
    """The debug CLI, and the log that it shows."""

    @property
    def log(self) -> Log:
        """What the program has logged."""

    def run(self, line: str) -> str:
        """Run one line and give its output.

        Raises:
            Exception: with an attribute ``retval`` (a negative return code) when the command failed.
        """


class Api:
    """One server's context, handed to every handler as its first argument.

    ``session`` is the client that asks, valid while its handler runs. Handlers run on the control thread with the
    engine paused.
    """

    def __init__(self, engine: Engine, cli: Cli | None = None) -> None:
        self.engine = engine
        self.cli = cli
        self.session: Session | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._subscriptions: dict[str, dict[Session, int]] = {}
        self._shared: dict[Any, Any] = {}
        self._dispatcher: Dispatcher | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The control thread's loop: callbacks of the engine hand over to it with ``call_soon_threadsafe``."""
        assert self._loop is not None
        return self._loop

    def use(self, loop: asyncio.AbstractEventLoop) -> None:
        """The server runs on this loop."""
        self._loop = loop

    @property
    def dispatcher(self) -> Dispatcher:
        """The protocol's logic: clients, message ids, the schema."""
        assert self._dispatcher is not None
        return self._dispatcher

    def attach(self, dispatcher: Dispatcher) -> None:
        """The dispatcher makes itself known."""
        self._dispatcher = dispatcher

    def send(self, session: Session, name: str, fields: Mapping[str, Any]) -> None:
        """Send an event (any message without a request) to a client; control thread only.

        A client that is gone gets nothing; one that does not read loses events rather than growing our memory.
        """
        self.dispatcher.send_event(session, name, fields)

    def subscriptions(self, kind: str) -> dict[Session, int]:
        """Who wants events of this kind: session to the pid it gave. A client that goes is taken out."""
        return self._subscriptions.setdefault(kind, {})

    def shared(self, factory: Callable[[Api], Any]) -> Any:
        """The one instance of ``factory`` of this server, made on first use: state that a group of handlers keeps."""
        if factory not in self._shared:
            self._shared[factory] = factory(self)
        return self._shared[factory]

    def forget(self, session: Session) -> None:
        """A client has gone."""
        for subscribers in self._subscriptions.values():
            subscribers.pop(session, None)
