"""Who may touch the engine: the packet thread or the control thread, never both.

The packet thread holds the gate while workers dispatch and while it does their Python work. Who wants to change or
read the engine from another thread enters the gate: the workers are asked to leave at the end of the vectors at hand,
and stay out until the gate is free again. Whoever asks comes before the packet thread's next turn, so neither starves:
control work is short (a batch of API messages, a chunk of a dump), and formatting is done outside.
"""

from __future__ import annotations

import threading
from collections.abc import Callable


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
                    self._condition.notify_all()

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

    def sleep(self, seconds: float | None) -> None:
        """The packet thread, outside its turn: wait for news, at most ``seconds`` (None: for ever)."""
        with self._condition:
            if not self._news:
                self._asleep = True
                self._condition.wait(seconds)
                self._asleep = False

    def wake(self) -> None:
        """There is something new for the packet thread (a device has packets, the engine is to stop)."""
        with self._condition:
            self._news = True
            self._condition.notify_all()
