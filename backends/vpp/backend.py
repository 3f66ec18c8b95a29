"""A VPP as a backend: items become messages of its binary API, many under way at once; it may go and come back."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from vectorplane.backends.base import BackendError, Disconnected, Operation
from vectorplane.backends.items import Item
from vectorplane.backends.vpp import retvals
from vectorplane.backends.vpp.compatibility import Compatibility, compare
from vectorplane.backends.vpp.connection import Connection
from vectorplane.backends.vpp.counters import interface_counters
from vectorplane.backends.vpp.definitions import Definitions, load
from vectorplane.backends.vpp.events import Events
from vectorplane.backends.vpp.interfaces import Interfaces
from vectorplane.backends.vpp.kinds import KINDS
from vectorplane.backends.vpp.kinds.kind import Kind
from vectorplane.backends.vpp.link import Link
from vectorplane.backends.vpp.pipeline import carry_out
from vectorplane.backends.vpp.runtime import node_rows, read_errors

log = logging.getLogger(__name__)

DEFAULT_SOCKET = "/run/vpp/api.sock"
RETRY_EVERY = 0.05
"""Seconds between two looks whether VPP is back."""


class VppBackend:
    """``socket``: VPP's API socket; ``api_dir``: folder with its ``*.api.json`` (default: where its packages put them).

    ``stats_socket``: that of the statistics segment (default: ``stats.sock`` beside the API's). After `attach` the
    asyncio loop notices by itself when VPP goes and when it is back; without a loop call `poll` now and then.

    Raises:
        Disconnected: there is no VPP at the socket.
        BackendError: it can't be driven, with the reasons; no definitions.
    """

    def __init__(
        self,
        socket: str = DEFAULT_SOCKET,
        api_dir: str | None = None,
        *,
        stats_socket: str | None = None,
        timeout: float = 10.0,
    ) -> None:
        self.socket = socket
        self.name = f"vpp:{socket}"
        self.stats_socket = stats_socket or os.path.join(os.path.dirname(socket) or ".", "stats.sock")
        self.on_reconnect: Callable[[], None] | None = None
        self.on_event: Callable[[str, dict[str, Any]], None] | None = None
        self._definitions: Definitions = load(api_dir)
        self._timeout = timeout
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watched = -1
        self._retry: asyncio.TimerHandle | None = None
        self._away = ""
        self._link: Link | None = None
        self._kinds: dict[type[Item], Kind[Any]] = {}
        self._events = Events()
        self._connect()

    # --- the connection

    @property
    def compatibility(self) -> Compatibility:
        """What this VPP can do and what it can't. Raises `Disconnected`."""
        return self.link.compatibility

    @property
    def link(self) -> Link:
        """The live connection. Raises `Disconnected`."""
        if self._link is None:
            raise Disconnected(self._away)
        return self._link

    def attach(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Let a loop (of the thread that makes all calls) watch the connection; None: stop."""
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        self._unwatch()
        self._loop = loop
        self._watch()

    def poll(self) -> bool:
        """Take in what came; when VPP was away, see whether it is back. Is it there now?"""
        if self._link is None:
            return self._reconnect()
        try:
            self._link.connection.poll()
        except BackendError as error:
            self._lost(error)
            return False
        self._deliver()
        return True

    def _connect(self) -> None:
        connection = Connection(self.socket, self._definitions, timeout=self._timeout)
        try:
            wanted = [w for kind in KINDS for w in ((kind.title, kind.messages), *kind.optional)]
            found = compare(self._definitions, connection.table, wanted)
            version = connection.call("show_version")
            found.version = f"{version.program} {version.version}".strip()
            self._link = Link(connection, found, Interfaces(connection))
            self._kinds = {kind.item: kind(self._link) for kind in KINDS}
            self._events.subscribe(connection)
        except BaseException:
            self._link = None
            connection.close()
            raise
        log.info("connected to %s at %s", found.version, self.socket)
        for note in found.notes:
            log.warning("%s: %s", found.version, note)
        self._watch()

    def _reconnect(self) -> bool:
        try:
            self._connect()
        except Disconnected:
            return False
        except BackendError as error:
            if str(error) != self._away:
                self._away = str(error)
                log.error("%s", error)
            return False
        if self.on_reconnect is not None:
            self.on_reconnect()
        return True

    def _lost(self, error: BackendError) -> None:
        """VPP is gone: forget the connection and look for it again and again."""
        if self._link is None:
            return
        self._unwatch()
        self._link.connection.close()
        self._link = None
        self._away = str(error)
        log.warning("%s", error)
        self._watch()

    def _watch(self) -> None:
        if self._loop is None:
            return
        if self._link is None:
            self._retry = self._loop.call_later(RETRY_EVERY, self._try_again)
            return
        self._watched = self._link.connection.fileno()
        self._loop.add_reader(self._watched, self.poll)

    def _unwatch(self) -> None:
        if self._loop is not None and self._watched >= 0:
            self._loop.remove_reader(self._watched)
        self._watched = -1

    def _try_again(self) -> None:
        self._retry = None
        if self._link is None and not self._reconnect():
            self._watch()

    def _deliver(self) -> None:
        if self._link is None:
            return
        for kind, fields in self._events.take(self._link):
            if self.on_event is not None:
                self.on_event(kind, fields)

    @contextmanager
    def _guard(self) -> Iterator[Link]:
        """Notice it when the connection breaks under what is done within."""
        link = self.link
        try:
            yield link
        except Disconnected as error:
            self._lost(error)
            raise
        if self._loop is not None and link.connection.events:
            self._loop.call_soon(self._deliver)

    # --- the protocol

    def kinds(self) -> tuple[type[Item], ...]:
        """The kinds of items that this VPP can hold."""
        usable = []
        for item, kind in self._kinds.items():
            try:
                kind.usable()
            except BackendError:
                continue
            usable.append(item)
        return tuple(usable)

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Nothing to do here: it is `apply` that has many operations under way at once."""
        yield

    def create(self, item: Item) -> None:
        """Bring an item."""
        self._one(Operation("create", item))

    def update(self, old: Item, new: Item) -> None:
        """Change an item in place."""
        self._one(Operation("update", new, old))

    def delete(self, item: Item) -> None:
        """Remove an item."""
        self._one(Operation("delete", item))

    def _one(self, operation: Operation) -> None:
        (error,) = self.apply([operation])
        if error is not None:
            raise error

    def apply(self, operations: Sequence[Operation]) -> list[BackendError | None]:
        """Many operations, in order, without waiting for each answer; what became of each."""
        with self._guard() as link:
            return carry_out(link, self._kinds, operations)

    def canonical(self, item: Item) -> Item:
        """The item as `dump` gives it."""
        kind = next((k for k in KINDS if k.item is type(item)), None)
        if kind is None:
            raise BackendError(f"a VPP can't hold a {item.kind}")
        made: Item = kind.canonical(kind.__new__(kind), item)
        return made

    def fault(self, item: Item) -> str:
        """Nothing: a VPP does not tell; of what it deletes it does."""
        return ""

    def dump(self, kind: type[Item]) -> Iterable[Item]:
        """What VPP holds of a kind."""
        with self._guard():
            worker = self._kinds.get(kind)
            if worker is None:
                return []
            worker.usable()
            return list(worker.dump())

    def counters(self) -> dict[str, Any]:
        """Of interfaces (from the statistics segment), errors and nodes (from the CLI). Raises `BackendError`."""
        with self._guard() as link:
            link.interfaces.refresh()
            names = {known.index: known.name for known in link.interfaces}
        errors = {error.name: error.count for error in read_errors(self.cli("show errors"))}
        nodes = node_rows(self.cli("show runtime"))
        return {"interfaces": interface_counters(self.stats_socket, names), "errors": errors, "nodes": nodes}

    def cli(self, line: str) -> str:
        """One line of VPP's debug CLI."""
        with self._guard() as link:
            reply = link.connection.call("cli_inband", cmd=line)
        if reply.retval:
            raise BackendError(reply.reply.strip() or retvals.text(reply.retval), code=reply.retval)
        return str(reply.reply)

    def close(self) -> None:
        """Leave VPP as it is."""
        self.attach(None)
        if self._link is not None:
            self._link.connection.close()
            self._link, self._away = None, "this backend was closed"
