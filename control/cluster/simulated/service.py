"""Keeps a cluster up: virtual time goes on with the clock on the wall, and manifests are followed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable

from vectorplane.control.cluster.simulated.cluster import Cluster

log = logging.getLogger(__name__)

_TICK = 0.2
"""Seconds between two looks."""
_MOST = 5.0
"""Seconds of virtual time that go by at once: a computer that slept does not make the cluster catch up for long."""


class ClusterService:
    """A `Service` of an instance. ``look``: is called now and then, for manifests that changed."""

    def __init__(self, cluster: Cluster, look: Callable[[], object] | None) -> None:
        self._cluster, self._look = cluster, look
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin."""
        self._task = asyncio.get_running_loop().create_task(self._live())

    async def close(self) -> None:
        """End; the cluster itself is closed by whoever made it."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _live(self) -> None:
        before = time.monotonic()
        while True:
            await asyncio.sleep(_TICK)
            now = time.monotonic()
            try:
                if self._look is not None:
                    self._look()
                self._cluster.advance(min(now - before, _MOST))
            except Exception:
                log.exception("the cluster stumbled")  # what is asked of it is still answered
            before = now
