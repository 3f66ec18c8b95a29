"""An agent's event loop: who may push, who waits for what, and what is left when it ends."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from concurrent.futures import Future
from typing import Any

from vectorplane.control.cluster.agent.errors import AgentError, EventFailed, WouldBlock
from vectorplane.control.cluster.agent.event import Event
from vectorplane.control.cluster.agent.event_queue import EventQueue


class EventLoop(ABC):
    """One thread calls `step`. Any thread may `push`, `push_and_wait` and `ask`."""

    def __init__(self) -> None:
        self.queue = EventQueue()
        self.attended_by: int | None = None
        """The thread in which a runner deals with the events; None: whoever pushes one has to."""
        self._thread: int | None = None
        self._dead: AgentError | None = None

    # --- for those who have something to do

    def push(self, event: Event) -> Future[Any]:
        """Have an event dealt with; one that is pushed while another is dealt with goes ahead of all that wait.

        The future has an AddPod's `AddResult`, None for other events, or EventFailed, or the AgentError that ended
        the agent. Until the node's id is known and the store was read, events wait.

        Raises:
            QueueFull: too many wait.
            AgentError: the agent has ended.
        """
        if self._dead is not None:
            raise self._dead.with_traceback(None)
        return self.queue.push(event, self._within() if self._thread == threading.get_ident() else None)

    def push_and_wait(self, event: Event, timeout: float | None = None) -> Any:
        """The same, and wait for it; without a runner the caller's thread deals with all that waits.

        Raises:
            EventFailed: nothing came of it, or it can't be dealt with before the store is there.
            TimeoutError: it was not dealt with in time, and will not be.
            WouldBlock: the caller is the thread that deals with events.
            QueueFull, AgentError: as `push`.
        """
        if threading.get_ident() in (self._thread, self.attended_by):
            raise WouldBlock(f"{event.name} was to be waited for by the thread that has to deal with it")
        future = self.push(event)
        attended = self.attended_by is not None
        if not attended:
            self.run_pending()
        try:
            return future.result(timeout if attended else 0.0)
        except TimeoutError:
            if not future.cancel():
                return future.result()  # it is being dealt with, or was just now
            if not attended:
                raise EventFailed(f"{event}: {self._why_not()}") from None
            raise

    async def ask(self, event: Event) -> Any:
        """The same on an event loop, for an agent with a runner. Cancelled before its turn it is never dealt with."""
        return await asyncio.wrap_future(self.push(event))

    # --- for whoever runs it

    def run_pending(self) -> bool:
        """Deal with all that waits now. False: there was nothing. Raises as `step`."""
        done = False
        while self.step():
            done = True
        return done

    def step(self) -> bool:
        """Deal with one thing that waits. False: there was nothing to do.

        Raises:
            AgentError: the agent can't go on; another one has to be made.
            WouldBlock: it was called while another step is under way.
        """
        if self._dead is not None:
            raise self._dead.with_traceback(None)
        if self._thread is not None:
            raise WouldBlock("the agent is in the middle of an event")
        self._thread = threading.get_ident()
        try:
            return self._one()
        except AgentError as error:
            self._over(error)
            raise
        except Exception as error:  # a mistake of ours: what it left half done nobody knows
            over = AgentError(f"unexpected: {type(error).__name__}: {error}")
            self._over(over)
            raise over from error
        finally:
            self._thread = None

    def close(self) -> None:
        """No more of it: who waits for an event is told, nothing else happens."""
        if self._dead is None:
            self._over(AgentError("the agent was closed"))

    def _over(self, error: AgentError) -> None:
        self._dead = error
        self.queue.fail(error)
        self._end()

    # --- what the loop is about

    @abstractmethod
    def _one(self) -> bool:
        """Deal with one thing, if there is one."""

    @abstractmethod
    def _within(self) -> int | None:
        """The number of the event that is being dealt with."""

    @abstractmethod
    def _why_not(self) -> str:
        """Why an event waits though nothing is done."""

    @abstractmethod
    def _end(self) -> None:
        """Let go of everything."""
