"""How many API messages a second: routes through the binary API, against a server that answers and does nothing else.

Each server is a process of its own; the client is this one. Synchronous: vpp_papi, which waits for each reply.
Pipelined: all requests are written while the replies are read. Rounds alternate between the two servers.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vectorplane.control.vppapi import api_json
from vectorplane.control.vppapi.dispatcher import Dispatcher
from vectorplane.control.vppapi.framing import FrameReader, frame
from vectorplane.control.vppapi.handlers import all_handlers
from vectorplane.control.vppapi.schema.registry import load
from vectorplane.control.vppapi.server import ApiServer
from vectorplane.control.vppapi.session import Session

MESSAGE = "ip_route_add_del"
_CONTEXT = struct.Struct(">4s")
_WAIT = 60.0


class Answers(Dispatcher):
    """Says yes to every route at once, without looking at it."""

    def _handle(self, session: Session, message: bytes) -> None:
        if message[:2] == struct.pack(">H", self.ids.by_name[MESSAGE]):
            reply = struct.pack(">H", self.ids.by_name[f"{MESSAGE}_reply"]) + message[6:10] + bytes(8)
            session.put(reply)
        else:
            super()._handle(session, message)


def answer(path: str) -> None:
    """Serve `Answers` for ever: what the child process does."""
    from vectorplane.backends.engine.engine import Engine

    async def serve() -> None:
        server = ApiServer(Engine(), Path(path))
        server.dispatcher = Answers(server.api, server.dispatcher.registry, all_handlers())
        await server.start()
        await asyncio.Event().wait()

    asyncio.run(serve())


@dataclass
class ApiRates:
    """Messages a second, a figure a round."""

    routes: int
    sync: list[float] = field(default_factory=list)
    sync_answering: list[float] = field(default_factory=list)
    pipelined: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """Median over the rounds: our synchronous rate to that of the server that only answers."""
        ratios = sorted(a / b for a, b in zip(self.sync, self.sync_answering, strict=True))
        return ratios[len(ratios) // 2]

    def json(self) -> dict[str, Any]:
        """As an object."""
        figures = {n: [round(x) for x in getattr(self, n)] for n in ("sync", "sync_answering", "pipelined")}
        return {"routes": self.routes, **figures, "ratio": round(self.ratio, 3)}


def _arguments(n: int) -> dict[str, Any]:
    path = {
        "sw_if_index": 0xFFFFFFFF,
        "table_id": 0,
        "rpf_id": 0xFFFFFFFF,
        "weight": 1,
        "preference": 0,
        "type": 0,
        "flags": 0,
        "proto": 0,
        "nh": {"address": {"ip4": "10.0.0.2"}},
        "n_labels": 0,
        "label_stack": [{}] * 16,
    }
    prefix = f"{20 + (n >> 16)}.{n >> 8 & 255}.{n & 255}.0/24"
    return {"is_add": True, "route": {"table_id": 0, "prefix": prefix, "n_paths": 1, "paths": [path]}}


def _connect(api_dir: Path, path: Path) -> Any:
    import vpp_papi

    make: Any = vpp_papi.VPPApiClient  # type: ignore[attr-defined]

    files = [str(f) for f in api_dir.glob("*.api.json")]
    client = make(apifiles=files, server_address=str(path), read_timeout=_WAIT)
    client.connect("vectorplane-bench")
    return client


def _sync(client: Any, routes: int) -> float:
    requests = [_arguments(n) for n in range(routes)]
    began = time.perf_counter()
    for request in requests:
        if client.api.ip_route_add_del(**request).retval:
            raise RuntimeError(f"{request} was refused")
    return routes / (time.perf_counter() - began)


def _messages(client: Any, routes: int) -> bytes:
    """The requests as bytes; context: their number."""
    definition = client.messages[MESSAGE]
    number = client.transport.get_msg_index(f"{MESSAGE}_{definition.crc[2:]}")
    parts = []
    for n in range(routes):
        packed = definition.pack({"_vl_msg_id": number, "client_index": 0, "context": n, **_arguments(n)})
        parts.append(frame(bytes(packed)))
    return b"".join(parts)


def _pipelined(client: Any, path: Path, routes: int) -> float:
    """A plain socket after a handshake of its own: everything out, everything back."""
    requests = _messages(client, routes)
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(_WAIT)
        s.connect(str(path))
        s.sendall(frame(struct.pack(">HI64s", 15, 0, b"bench")))
        reader, got = FrameReader(), 0
        while reader.take() is None:
            reader.feed(s.recv(1 << 16))
        began = time.perf_counter()
        writer = threading.Thread(target=s.sendall, args=(requests,))
        writer.start()
        while got < routes:
            reader.feed(s.recv(1 << 18))
            while (reply := reader.take()) is not None:
                if struct.unpack_from(">i", reply, 6)[0]:
                    raise RuntimeError(f"route {got} was refused")
                got += 1
        took = time.perf_counter() - began
        writer.join()
    return routes / took


class _Server:
    def __init__(self, command: list[str], path: Path) -> None:
        self.path = path
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + _WAIT
        while not path.exists():
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{' '.join(command)} did not open {path}")
            time.sleep(0.02)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


def api(routes: int = 10_000, rounds: int = 3) -> ApiRates:
    """Measure ``rounds`` times with ``routes`` routes each.

    Raises:
        RuntimeError: a server did not start, or refused a route.
    """
    rates = ApiRates(routes)
    with tempfile.TemporaryDirectory(prefix="vectorplane-bench-") as name:
        folder = Path(name)
        api_json.write(folder / "api", load(), all_handlers())
        for _ in range(rounds):
            for ours in (False, True):
                path = folder / ("api.sock" if ours else "answer.sock")
                words = ["unix", "{", "runtime-dir", name, "}", "socksvr", "{", "socket-name", str(path), "}"]
                child = ["-c", f"from vectorplane.bench.api import answer; answer({str(path)!r})"]
                server = _Server([sys.executable, *(["-m", "vectorplane", "vpp", *words] if ours else child)], path)
                try:
                    client = _connect(folder / "api", path)
                    (rates.sync if ours else rates.sync_answering).append(_sync(client, routes))
                    if ours:
                        rates.pipelined.append(_pipelined(client, path, routes))
                    client.disconnect()
                finally:
                    server.close()
                    path.unlink(missing_ok=True)
    return rates
