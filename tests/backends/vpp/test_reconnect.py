"""A VPP that goes and comes back: noticed at once, found again, and brought back to where it was."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path as File
from typing import Any

import pytest

from tests.backends.items import ITEMS, address, dump, route
from tests.backends.vpp.served import serving
from vectorplane.backends.base import Disconnected
from vectorplane.backends.items import Interface, InterfaceUp, Item, Path
from vectorplane.backends.vpp.backend import VppBackend
from vectorplane.control.scheduler import Change, Scheduler
from vectorplane.control.vppapi import api_json
from vectorplane.control.vppapi.handlers import all_handlers
from vectorplane.control.vppapi.schema.registry import load

FEW: tuple[Item, ...] = (Interface("a", "pg"), address("a", "10.0.0.1/24"), InterfaceUp("a"))
PATIENCE = 120.0


@pytest.fixture
def definitions(tmp_path: File) -> str:
    api_json.write(tmp_path / "definitions", load(), all_handlers())
    return str(tmp_path / "definitions")


def _wait(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def _commit(scheduler: Scheduler, items: tuple[Item, ...]) -> None:
    scheduler.resync("start")
    change = Change("test", whole=True)
    change.put_all(items)
    assert scheduler.commit(change).outcome == "applied"


def test_without_a_loop(tmp_path: File, definitions: str) -> None:
    with serving(tmp_path):
        backend = VppBackend(str(tmp_path / "api.sock"), definitions, timeout=PATIENCE)
        scheduler = Scheduler(backend)
        _commit(scheduler, FEW)
        assert backend.poll()
    assert not backend.poll()
    for attempt in (
        lambda: backend.create(FEW[0]),
        lambda: backend.dump(Interface),
        lambda: backend.cli("show version"),
    ):
        with pytest.raises(Disconnected, match=r"VPP at .* is gone: the connection was closed"):
            attempt()
    with serving(tmp_path):  # another one, empty
        assert backend.poll()
        assert set(dump(backend).values()) == set(FEW)
        last = list(scheduler.history)[-1]
        assert (last.source, last.outcome, sum(last.done.values())) == ("resync", "applied", len(FEW))
        backend.close()


def test_the_connection_breaks_under_an_operation(tmp_path: File, definitions: str) -> None:
    with serving(tmp_path) as served:
        backend = VppBackend(str(tmp_path / "api.sock"), definitions, timeout=PATIENCE)
        scheduler = Scheduler(backend)
        _commit(scheduler, FEW)

        async def drop() -> None:
            await served.server.close()
            await served.server.start()

        served.on_loop(drop())
        change = Change("more")
        change.put(route("20.0.0.0/8", Path("10.0.0.2", "a")))
        assert scheduler.commit(change).outcome == "away"
        assert backend.poll()  # its state is still there: only what is missing is brought
        assert dict(list(scheduler.history)[-1].done) == {"create route": 1}
        assert scheduler.diff() == []
        backend.close()


@contextmanager
def _program(folder: File) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts ``vectorplane vpp`` (again and again); the last one is ended."""
    words = f"unix {{ runtime-dir {folder} }} socksvr {{ socket-name api.sock }} statseg {{ socket-name stats.sock }}"
    running: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "vectorplane", "vpp", *words.split()]
        with open(folder / "log", "ab") as log:
            running.append(subprocess.Popen(command, stderr=log))
        return running[-1]

    try:
        yield start
    finally:
        running[-1].terminate()
        assert running[-1].wait(30) == 0


def test_kill_9(tmp_path: File, definitions: str) -> None:
    """The whole state, 1,000 routes included, is back, each item brought once; the history shows it."""
    socket = tmp_path / "api.sock"
    items = (*ITEMS, *(route(f"100.{i >> 8}.{i & 255}.0/24", Path("10.0.0.2", "out")) for i in range(1000)))
    with _program(tmp_path) as start:
        program = start()
        _wait(socket.exists)
        backend = VppBackend(str(socket), definitions, timeout=PATIENCE)
        scheduler = Scheduler(backend)
        _commit(scheduler, items)

        async def scenario() -> None:
            backend.attach(asyncio.get_running_loop())
            back = asyncio.Event()
            scheduler.on_record = lambda record: back.set()
            program.send_signal(signal.SIGKILL)
            program.wait()
            os.unlink(socket)
            start()
            await asyncio.wait_for(back.wait(), PATIENCE)
            backend.attach(None)

        asyncio.run(scenario())
        assert dump(backend) == {item.key: backend.canonical(item) for item in items}
        first, _, again = scheduler.history
        assert (first.text, again.outcome, again.failures) == ("start", "applied", [])
        assert sum(again.done.values()) == len(items) == sum(again.planned.values())
        assert sum(scheduler.resync("once more").done.values()) == 0
        backend.close()
