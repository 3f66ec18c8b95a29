"""Who may touch the engine: the packet thread or the control thread, never both.

The packet thread holds the gate while workers dispatch and while it does their Python work. Who wants to change or
read the engine from another thread enters the gate: the workers are asked to leave at the end of the vectors at hand,
and stay out until the gate is free again. Whoever asks comes before the packet thread's next turn, so neither starves:
control work is short (a batch of API messages, a chunk of a dump), and formatting is done outside.
"""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable, Sequence

from vectorplane.backends.engine.device import NAP


class Gate:
    """A lock with a side door: control threads come first, and the packet thread is asked to make room."""

    def __init__(self, ask: Callable[[bool], None]) -> None:
        self._ask = ask
        self._condition = threading.Condition(threading.RLock())  # `wake` may come from a signal handler of this thread
        self._owner: int | None = None
        self._depth = 0
        self._waiting = 0
        self._news = False
        self._asleep = False
        self._bell: int | None = None  # an eventfd, once somebody sleeps on file descriptors
        self._rung = False

    @property
    def mine(self) -> bool:
        """Does the calling thread hold the gate?"""
        return self._owner == threading.get_ident()

    def enter(self) -> None:
        """Wait until the workers stand still; may be entered again by the same thread."""
        me = threading.get_ident()
        if self._owner == me:
            self._depth += 1
            return
        with self._condition:
            if self._owner is not None:
                self._waiting += 1
                self._ask(True)
                while self._owner is not None:
                    self._condition.wait()
                self._waiting -= 1
                if not self._waiting:
                    self._ask(False)
            self._owner, self._depth = me, 1

    def leave(self, wake: bool = True) -> None:
        """Let the packets go on; wakes the packet thread, since there may be something new for it.

        With ``wake`` False an idle packet thread sleeps on, and the caller calls `wake` soon: many small changes in a
        row then cost one turn of it, not one each.
        """
        self._depth -= 1
        if self._depth == 0:
            with self._condition:
                self._owner = None
                self._news = True
                if wake or self._waiting or not self._asleep:
                    self._notify()

    def _notify(self) -> None:
        self._condition.notify_all()
        if self._asleep and self._bell is not None and not self._rung:
            self._rung = True
            os.eventfd_write(self._bell, 1)

    def take_turn(self) -> None:
        """The packet thread: wait until nobody else is in or wants in."""
        me = threading.get_ident()
        with self._condition:
            while self._owner is not None or self._waiting:
                self._condition.wait()
            self._owner, self._depth = me, 1
            self._news = False

    def end_turn(self) -> None:
        """The packet thread: let others in."""
        with self._condition:
            self._owner = None
            self._condition.notify_all()

    def sleep(self, seconds: float | None, fds: Sequence[int] = ()) -> bool:
        """The packet thread, outside its turn: wait for news, at most ``seconds`` (None: for ever).

        Also until one of ``fds`` is readable (or broken); True when that was the reason.
        """
        if fds:
            return self._sleep_on(seconds, fds)
        with self._condition:
            if not self._news:
                self._asleep = True
                self._condition.wait(seconds)
                self._asleep = False
        return False

    def _sleep_on(self, seconds: float | None, fds: Sequence[int]) -> bool:
        with self._condition:
            if self._news:
                return False
            if self._bell is None:
                try:
                    self._bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
                except OSError:  # no descriptors are left: go on without for the moment
                    self._condition.wait(NAP)
                    return True
            bell = self._bell
            self._asleep, self._rung = True, False
        poll = select.poll()
        for fd in (bell, *fds):
            poll.register(fd, select.POLLIN)
        # rounded up: a wait that ends just before its time would spin until then
        ready = poll.poll(None if seconds is None else int(seconds * 1000) + 1)
        with self._condition:
            self._asleep = False
            if self._rung:
                os.eventfd_read(bell)
        return any(fd != bell for fd, _ in ready)

    def wake(self) -> None:
        """There is something new for the packet thread (a device has packets, the engine is to stop)."""
        with self._condition:
            self._news = True
            self._notify()

    def close(self) -> None:
        """Give the file descriptor back."""
        with self._condition:
            if self._bell is not None:
                os.close(self._bell)
                self._bell = None
