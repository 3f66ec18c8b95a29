"""The VPPs that a node is tried on: our own server in this process, and (asked for by the environment) another one.

``VECTORPLANE_VPP_SOCKET``: the API socket of a VPP that holds nothing yet and is left so; it must run on this machine,
as it reads and writes captures. ``VECTORPLANE_VPP_API_DIR``: its ``*.api.json`` (default: where its packages put them).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.backends.items import dump
from tests.backends.vpp.served import serving
from tests.control.cluster.vpp.planes import VppPlane
from vectorplane.backends.vpp.backend import VppBackend
from vectorplane.control.scheduler import Change, Scheduler

SOCKET, API_DIR = os.environ.get("VECTORPLANE_VPP_SOCKET", ""), os.environ.get("VECTORPLANE_VPP_API_DIR")
WHY_NOT = "not in CI: VECTORPLANE_VPP_SOCKET names no VPP"


class OurServer:
    """It can be ended and started anew, without any memory."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._running = folder, ExitStack()
        self.start()

    def start(self) -> None:
        """Its engine is empty."""
        served = self._running.enter_context(serving(self._folder))
        self.socket, self.api_dir = str(served.server.path), str(served.api_dir)

    def stop(self) -> None:
        """Engine and server are gone."""
        self._running.close()


@contextmanager
def other_vpp(folder: Path) -> Iterator[VppPlane]:
    """The one that the environment names; nothing is left on it."""
    plane = VppPlane(SOCKET, API_DIR, folder)
    assert dump(plane.backend) == {}, "this VPP holds something: start it anew"
    try:
        yield plane
    finally:
        plane.backend.close()
        backend = VppBackend(SOCKET, API_DIR)
        scheduler = Scheduler(backend)
        scheduler.resync()
        everything = Change("rest")
        everything.put_all(dump(backend).values())
        scheduler.commit(everything)
        assert scheduler.commit(Change("rest", whole=True)).outcome == "applied"
        assert dump(backend) == {}
        backend.close()
