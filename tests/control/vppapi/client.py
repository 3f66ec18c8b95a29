"""A running API server over an engine, and the real vpp_papi client on its socket.

@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("api")) as served:
        yield served

def test_ping(served):
    assert served.client.api.control_ping().retval == 0
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from vpp_papi import VPPApiClient

from vectorplane.backends.engine.engine import Engine
from vectorplane.control.vppapi import api_json
from vectorplane.control.vppapi.api import Cli
from vectorplane.control.vppapi.dispatcher import Handler
from vectorplane.control.vppapi.handlers import all_handlers
from vectorplane.control.vppapi.schema.registry import load
from vectorplane.control.vppapi.server import ApiServer

T = TypeVar("T")


@dataclass
class Served:
    """What a test works with. Touch ``engine`` only within ``engine.paused()``."""

    engine: Engine
    server: ApiServer
    client: VPPApiClient
    api_dir: Path
    loop: asyncio.AbstractEventLoop

    def on_loop(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the server's loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(20)

    def connect(self, name: str = "another") -> VPPApiClient:
        """One more client."""
        return connect(self.server.path, self.api_dir, name)


def connect(path: Path, api_dir: Path, name: str = "test") -> VPPApiClient:
    """A vpp_papi client with definitions of its own."""
    client = VPPApiClient(apidir=str(api_dir), server_address=str(path), read_timeout=10)
    client.connect(name)
    return client


@contextmanager
def serve(
    directory: Path,
    *,
    engine: Engine | None = None,
    cli: Cli | None = None,
    handlers: Mapping[str, Handler] | None = None,
    packets: bool = True,
) -> Iterator[Served]:
    """Serve an engine (by default one of its own, in real time, with its packet thread running) until left."""
    made = engine is None
    engine = Engine(workers=1, clock="real") if engine is None else engine
    handlers = all_handlers() if handlers is None else handlers
    api_json.write(directory / "api", load(), handlers)
    loop = asyncio.new_event_loop()
    server = ApiServer(engine, directory / "api.sock", cli, handlers)
    threads = [threading.Thread(target=loop.run_forever, name="control")]
    if packets:
        threads.append(threading.Thread(target=engine.serve, name="packets"))
    for t in threads:
        t.start()
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(20)
        client = connect(server.path, directory / "api")
        try:
            yield Served(engine, server, client, directory / "api", loop)
        finally:
            client.disconnect()
    finally:
        asyncio.run_coroutine_threadsafe(server.close(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        engine.stop()
        for t in threads:
            t.join(20)
        loop.close()
        if made:
            engine.close()
