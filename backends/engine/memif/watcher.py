"""File descriptors and what is to be done when one of them becomes readable, behind one file descriptor (epoll)."""

from __future__ import annotations

import select
from collections.abc import Callable
from contextlib import suppress


class Watcher:
    """Never waits. `fd` is readable while there is something to be done."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self.fd = self._epoll.fileno()
        self._calls: dict[int, Callable[[], None]] = {}

    def add(self, fd: int, call: Callable[[], None], *, edge: bool = False) -> None:
        """Call ``call`` when ``fd`` is readable, or broken; ``edge``: once each time that something comes.

        With ``edge`` the file descriptor need not be read: one that a peer shares could make the reader wait.
        """
        self._calls[fd] = call
        self._epoll.register(fd, select.EPOLLIN | (select.EPOLLET if edge else 0))

    def remove(self, fd: int) -> None:
        """Forget a file descriptor, before it is closed."""
        if self._calls.pop(fd, None) is not None:
            with suppress(OSError):
                self._epoll.unregister(fd)

    def poll(self) -> None:
        """Do what is to be done now."""
        if self._epoll.closed:
            return
        for fd, _ in self._epoll.poll(0):
            call = self._calls.get(fd)  # an earlier call may have removed it
            if call is not None:
                call()

    def close(self) -> None:
        """Give the file descriptor back."""
        self._calls.clear()
        self._epoll.close()
