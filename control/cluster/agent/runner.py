"""Runs an agent on an event loop, in a process of its own: it sleeps until something happens, or its time comes."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import Any

from vectorplane.control.cluster.agent.agent import Agent


async def run(agent: Agent) -> None:
    """Deal with everything as it comes, until cancelled. Others on the same loop have their turn after each event.

    Pushed from other threads or by others on this loop (`Agent.ask`) events wake it at once.

    Raises:
        AgentError: the agent can't go on; its process should end, and be started again.
    """
    loop, pushed = asyncio.get_running_loop(), asyncio.Event()

    def wake() -> None:
        with suppress(RuntimeError):  # the loop is closed, nobody deals with events any more
            loop.call_soon_threadsafe(pushed.set)

    agent.queue.on_push, agent.attended_by = wake, threading.get_ident()
    try:
        while True:
            pushed.clear()
            while agent.step():
                await asyncio.sleep(0)
            await _something(agent, pushed)
    finally:
        agent.queue.on_push = agent.attended_by = None


async def _something(agent: Agent, pushed: asyncio.Event) -> None:
    """Until an event is pushed, the store has something, or it is time."""
    at = agent.next_time()
    waits: list[asyncio.Task[Any]] = [asyncio.create_task(pushed.wait())]
    if not agent.follower.away:
        waits.append(asyncio.create_task(agent.follower.wait()))
    try:
        timeout = None if at is None else max(at - agent.clock(), 0.0)
        await asyncio.wait(waits, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waits:
            task.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
