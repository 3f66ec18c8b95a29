"""Receive interrupts of a DPDK port: what an idle engine sleeps on, where the driver has them (net_tap, most cards)."""

from __future__ import annotations

import os

from vectorplane.backends.engine.dpdk.library import load


class Interrupts:
    """Of all receive queues of a started port, as one epoll descriptor, ``fd``."""

    def __init__(self, port: int, queues: int, fd: int) -> None:
        self.fd = fd
        self._lib, _ = load()
        self._port, self._queues = port, queues
        self._asked = False

    @classmethod
    def of(cls, port: int, queues: int) -> Interrupts | None:
        """The port's; None: its driver, or one of its queues, has none."""
        lib, _ = load()
        fd = int(lib.vp_epoll_open())
        if fd < 0:
            return None
        for queue in range(queues):
            if lib.vp_epoll_watch(fd, port, queue) < 0 or lib.vp_epoll_ask(port, queue, 0) < 0:
                os.close(fd)
                return None
        return cls(port, queues, fd)

    def arm(self) -> bool:
        """Have the driver interrupt; True when it was not to before: what came in the meantime makes no interrupt."""
        if self._asked:
            return False
        self._asked = True
        for queue in range(self._queues):
            self._lib.vp_epoll_ask(self._port, queue, 1)
        return True

    def take(self) -> bool:
        """Deal with those that came, and want no more until `arm`; True when there were any."""
        if not self._asked or self._lib.vp_epoll_take(self.fd) <= 0:
            return False
        self._asked = False
        for queue in range(self._queues):
            self._lib.vp_epoll_ask(self._port, queue, 0)
        return True

    def close(self) -> None:
        """Before the port is stopped."""
        os.close(self.fd)
