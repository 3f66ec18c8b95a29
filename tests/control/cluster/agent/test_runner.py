"""An agent on an event loop."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.control.cluster.agent.fakes import Site, put
from vectorplane.control.cluster.agent.agent import Agent
from vectorplane.control.cluster.agent.errors import AgentError, EventFailed, WouldBlock
from vectorplane.control.cluster.agent.event import AddPod, Resync
from vectorplane.control.cluster.agent.runner import run
from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.model.service import Service
from vectorplane.control.scheduler import Scheduler


def real_time(site: Site) -> Agent:
    return site.agent(scheduler=Scheduler(site.backend), wall=time.time)


async def until(true: object, seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end
        await asyncio.sleep(0.002)


def test_it_wakes_for_the_store_for_events_and_in_time() -> None:
    site = Site()

    async def main() -> None:
        agent = real_time(site)
        runner = asyncio.create_task(run(agent))
        await until(lambda: agent.node is not None)
        await asyncio.sleep(0.01)
        put(site.store, Service(name="s", namespace="default", cluster_ip="10.96.0.1"))
        await until(lambda: "route/1/10.96.0.1/32" in site.backend.items)
        answer = await agent.ask(AddPod(PodId("default", "a"), "c"))
        assert str(answer.address) == "10.1.1.2"
        other = await asyncio.to_thread(agent.push_and_wait, AddPod(PodId("default", "b"), "d"), 5.0)
        assert str(other.address) == "10.1.1.3"
        with pytest.raises(WouldBlock):
            agent.push_and_wait(Resync("on the loop's own thread"))
        with pytest.raises(EventFailed):
            await agent.ask(AddPod(PodId("default", "b"), ""))
        site.backend.arm({0: True})
        put(site.store, Service(name="t", namespace="default", cluster_ip="10.96.0.2"))
        await until(lambda: "route/1/10.96.0.2/32" in site.backend.items)  # a retry, a second later
        runner.cancel()
        with pytest.raises(asyncio.CancelledError):
            await runner
        assert agent.attended_by is None
        agent.close()

    asyncio.run(main())


def test_nothing_is_lost_when_it_is_stopped_and_run_again() -> None:
    site = Site()

    async def main() -> None:
        agent = real_time(site)
        for i in range(1, 30):
            runner = asyncio.create_task(run(agent))
            await asyncio.sleep(0.003 if i % 2 else 0)
            put(site.store, Service(name=f"s{i}", namespace="default", cluster_ip=f"10.96.0.{i}"))
            await asyncio.sleep(0)
            runner.cancel()
            await asyncio.gather(runner, return_exceptions=True)
        agent.run_pending()

    asyncio.run(main())
    assert all(f"route/1/10.96.0.{i}/32" in site.backend.items for i in range(1, 30))


def test_an_idle_agent_sleeps() -> None:
    site = Site()

    async def main() -> None:
        agent = real_time(site)
        runner = asyncio.create_task(run(agent))
        await until(lambda: agent.node is not None)
        await asyncio.sleep(0.05)
        steps = 0
        original = agent.step

        def step() -> bool:
            nonlocal steps
            steps += 1
            return original()

        agent.step = step  # type: ignore[method-assign]
        await asyncio.sleep(0.2)
        assert steps <= 1
        runner.cancel()

    asyncio.run(main())


def test_what_ends_the_agent_ends_the_runner() -> None:
    site = Site()

    async def main() -> None:
        agent = real_time(site)
        runner = asyncio.create_task(run(agent))
        await until(lambda: agent.node is not None)
        site.made[1].fail = AgentError("no way")
        put(site.store, Service(name="s", namespace="default", cluster_ip="10.96.0.1"))
        with pytest.raises(AgentError, match="no way"):
            await asyncio.wait_for(runner, 5)
        with pytest.raises(AgentError):
            agent.push(Resync("too late"))

    asyncio.run(main())
