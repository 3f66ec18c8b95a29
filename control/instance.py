"""A running engine: packets on a thread of their own, everything else on the control thread's loop.

`vectorplane vpp` and `vectorplane run` are an `Instance` with the services that they want (API socket, CLI, statistics,
management). Services are started in order once the packet thread runs, and stopped in reverse.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

log = logging.getLogger(__name__)


class Service(Protocol):
    """Something that listens on the control thread's loop."""

    async def start(self) -> None:
        """Begin; raises OSError (with the path) when the socket cannot be had."""

    async def close(self) -> None:
        """End, and take the socket away."""


class PacketThread:
    """The thread that runs the engine. ``on_end(error)`` is called in it when it is over: None when it was stopped."""

    def __init__(self, engine: Engine, on_end: Callable[[BaseException | None], None]) -> None:
        self._engine, self._on_end = engine, on_end
        self._thread = threading.Thread(target=self._run, name="packets", daemon=True)

    def start(self) -> None:
        """Let packets flow."""
        self._thread.start()

    def stop(self) -> None:
        """Wait until it has ended."""
        self._engine.stop()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._engine.serve()
        except BaseException as error:
            log.exception("the packet thread failed")
            self._on_end(error)
        else:
            self._on_end(None)


class Instance:
    """An engine that serves until `stop` or a signal; without an engine only services (the packets are a VPP's)."""

    def __init__(self, engine: Engine | None, services: Sequence[Service]) -> None:
        self.engine = engine
        self._services = services
        self._stopped = asyncio.Event()
        self._error: BaseException | None = None

    def stop(self) -> None:
        """Make `run` return soon; control thread only."""
        self._stopped.set()

    async def run(self, ready: Callable[[], None] | None = None) -> None:
        """Serve. SIGTERM and SIGINT end it. ``ready`` is called when all services listen.

        Raises:
            OSError: a service could not begin.
            BaseException: whatever ended the packet thread.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)

        def ended(error: BaseException | None) -> None:
            self._error = error
            loop.call_soon_threadsafe(self._stopped.set)

        packets = PacketThread(self.engine, ended) if self.engine is not None else None
        if packets is not None:
            packets.start()
        started: list[Service] = []
        try:
            for service in self._services:
                await service.start()
                started.append(service)
            if ready is not None:
                ready()
            await self._stopped.wait()
        finally:
            for service in reversed(started):
                await service.close()
            if packets is not None:
                packets.stop()
        if self._error is not None:
            raise self._error
