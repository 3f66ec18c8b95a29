"""Events that wait for the agent: first in, first out, those that follow from others ahead."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple

from vectorplane.control.cluster.agent.errors import QueueFull
from vectorplane.control.cluster.agent.event import Event

MOST = 1000
"""Events that may wait (Contiv-VPP's controller has as many places)."""


class Waiting(NamedTuple):
    """An event that waits. ``follows``: the history's number of the one it came of; ``future``: its pusher's."""

    event: Event
    future: Future[Any]
    follows: int | None = None


class EventQueue:
    """Any thread may push. ``on_push`` is called after each push, in the thread that pushes."""

    def __init__(self, most: int = MOST) -> None:
        self.on_push: Callable[[], None] | None = None
        self._most = most
        self._lock = threading.Lock()
        self._events: deque[Waiting] = deque()
        self._follow_ups: deque[Waiting] = deque()

    def __len__(self) -> int:
        return len(self._events) + len(self._follow_ups)

    def push(self, event: Event, follows: int | None = None) -> Future[Any]:
        """Wait in line; ``follows``: ahead of all that do not follow from another. Gives what becomes of it.

        A future that is cancelled before its turn has come takes the event out of the queue.

        Raises:
            QueueFull: as many wait as may.
        """
        future: Future[Any] = Future()
        with self._lock:
            if len(self) >= self._most:
                self._withdraw()
            if len(self) >= self._most:
                raise QueueFull(f"{self._most} events wait already, {event.name} ({event}) is refused")
            (self._events if follows is None else self._follow_ups).append(Waiting(event, future, follows))
        if self.on_push is not None:
            self.on_push()
        return future

    def pop_follow_up(self) -> Waiting | None:
        """The next of those that follow from others, None: there is none."""
        return self._pop(self._follow_ups)

    def pop(self) -> Waiting | None:
        """The next of the others, None: there is none."""
        return self._pop(self._events)

    def fail(self, error: Exception) -> None:
        """Nobody will deal with these any more: tell whoever waits for them."""
        while (waiting := self.pop_follow_up() or self.pop()) is not None:
            waiting.future.set_exception(error)

    def _withdraw(self) -> None:
        """Forget those that nobody wants any more."""
        for line in (self._events, self._follow_ups):
            left = [waiting for waiting in line if not waiting.future.cancelled()]
            line.clear()
            line.extend(left)

    def _pop(self, line: deque[Waiting]) -> Waiting | None:
        with self._lock:
            while line:
                waiting = line.popleft()
                if waiting.future.set_running_or_notify_cancel():
                    return waiting
        return None
