"""Our own server in this process, all its sockets, for the VPP backend to drive."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.control.vppapi.client import Served, serve
from vectorplane.backends.engine.engine import Engine
from vectorplane.control.debug_cli.cli import DebugCli
from vectorplane.control.vppapi.stats_socket import StatsServer


@contextmanager
def serving(directory: Path) -> Iterator[Served]:
    """``api.sock`` (with the debug CLI) and ``stats.sock`` in a folder, over an engine of its own."""
    engine = Engine(workers=1, clock="real")
    try:
        with serve(directory, engine=engine, cli=DebugCli(engine)) as served:
            with engine.paused():
                stats = StatsServer(engine, directory / "stats.sock")
            served.on_loop(stats.start())
            try:
                yield served
            finally:
                served.on_loop(stats.close())
    finally:
        engine.close()
