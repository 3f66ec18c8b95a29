"""The server on its socket under everything that a client may do to it."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.control.vppapi.client import Served, serve
from tests.control.vppapi.wire import Client
from vectorplane.control import unix_socket
from vectorplane.control.unix_socket import SocketPathError
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.connection import HIGH_WATER
from vectorplane.control.vppapi.framing import frame
from vectorplane.control.vppapi.handlers import all_handlers
from vectorplane.control.vppapi.schema.registry import load

REGISTRY = load()


class Huge:
    """A dump that never ends by itself, and how far each was pulled."""

    def __init__(self) -> None:
        self.pulled = 0
        self.open = 0

    def dump(self, api: Api, m: Any) -> Iterator[dict[str, Any]]:
        self.open += 1
        try:
            for n in range(1 << 40):
                self.pulled += 1
                yield {"interface_name": f"made-up-{n}"}
        finally:
            self.open -= 1


@pytest.fixture(scope="module")
def huge() -> Huge:
    return Huge()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, huge: Huge) -> Iterator[Served]:
    handlers = {**all_handlers(), "sw_interface_dump": huge.dump}
    with serve(tmp_path_factory.mktemp("api"), handlers=handlers) as it:
        yield it


@pytest.fixture(autouse=True)
def all_well(served: Served, huge: Huge) -> Iterator[None]:
    """After each test only the fixture's client is there, and it is served."""
    yield
    until = time.monotonic() + 10
    while (len(served.server.clients()) > 1 or huge.open) and time.monotonic() < until:
        time.sleep(0.01)
    assert [c.name for c in served.server.clients()] == ["test"] and huge.open == 0
    assert served.client.api.control_ping().retval == 0


@pytest.fixture
def client(served: Served) -> Iterator[Client]:
    it = Client(REGISTRY, served.server.path)
    yield it
    it.close()


def test_who_is_there(served: Served, client: Client) -> None:
    assert {(c.name, c.pid) for c in served.server.clients()} == {("test", os.getpid()), ("wire", os.getpid())}
    assert oct(served.server.path.stat().st_mode & 0o777) == "0o660"


def test_one_byte_at_a_time(client: Client) -> None:
    for byte in client.request("control_ping", context=9):
        client.socket.sendall(bytes([byte]))
    assert client.receive()[1].context == 9


@pytest.mark.parametrize("length", [0xFFFFFFFF, 1 << 31, (16 << 20) + 1])
def test_lengths_beyond_all_sense(client: Client, length: int) -> None:
    client.socket.sendall(struct.pack(">QII", 0, length, 0))
    assert client.ends()


@pytest.mark.parametrize("cut", [1, 15, 16, 17, 25])
def test_a_client_that_goes_within_a_message(client: Client, cut: int) -> None:
    client.socket.sendall(client.request("control_ping")[:cut])


def test_a_client_that_says_nothing(served: Served) -> None:
    Client(REGISTRY, served.server.path, name="").close()


def test_truncated_messages_in_whole_frames(client: Client) -> None:
    route = client.request("ip_route_add_del", is_add=True, route={"paths": [{}]})[16:]
    for end in range(0, len(route), 7):
        client.socket.sendall(frame(route[:end]))
    assert client.call("control_ping", context=4)[1].context == 4


def test_requests_sent_without_waiting(client: Client) -> None:
    n = 3000
    writer = threading.Thread(
        target=lambda: client.socket.sendall(b"".join(client.request("control_ping", context=i) for i in range(n)))
    )
    writer.start()
    assert [client.receive()[1].context for _ in range(n)] == list(range(n))
    writer.join()


def test_others_are_served_while_one_dumps(served: Served, client: Client, huge: Huge) -> None:
    client.socket.sendall(client.request("sw_interface_dump"))
    for _ in range(20):
        name, m = client.receive()
        assert name == "sw_interface_details" and m.interface_name.startswith("made-up-")
        assert served.client.api.control_ping().retval == 0


def test_a_client_that_does_not_read(served: Served, client: Client, huge: Huge) -> None:
    """Neither answers nor requests pile up in the server; when it reads again it gets everything."""
    before = huge.pulled
    client.socket.sendall(client.request("sw_interface_dump"))
    client.socket.setblocking(False)
    junk, sent = client.request("control_ping") * 1000, 0
    still = 0
    while still < 20:
        seen = huge.pulled
        with suppress(BlockingIOError):
            sent += client.socket.send(junk)
        time.sleep(0.02)
        still = still + 1 if huge.pulled == seen else 0
    size = 16 + len(client.codec.encoder("sw_interface_details", 1)({}))
    assert (huge.pulled - before) * size < 4 * HIGH_WATER
    assert sent < 1 << 20
    assert served.client.api.control_ping().retval == 0
    client.socket.settimeout(10)
    for n in range(huge.pulled - before + 500):
        assert client.receive()[1].interface_name == f"made-up-{n}"


def test_a_client_that_dies_in_the_middle_of_a_dump(served: Served, client: Client, huge: Huge) -> None:
    client.socket.sendall(client.request("sw_interface_dump"))
    client.receive()
    assert huge.open == 1
    client.close()


def test_many_clients(served: Served) -> None:
    clients = [Client(REGISTRY, served.server.path, f"client-{n}") for n in range(200)]
    assert len({c.index for c in served.server.clients()}) == 201
    for n, c in enumerate(clients):
        c.socket.sendall(c.request("control_ping", context=n))
    assert [c.receive()[1].context for c in clients] == list(range(200))
    for n, c in enumerate(clients):
        if n % 2:
            c.socket.sendall(c.request("sw_interface_dump"))
        c.close()


def test_no_file_descriptor_is_left_behind(served: Served) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        Client(REGISTRY, served.server.path).close()
    until = time.monotonic() + 10
    while len(os.listdir("/proc/self/fd")) > before and time.monotonic() < until:
        time.sleep(0.01)
    assert len(os.listdir("/proc/self/fd")) <= before


def test_vpp_papi_comes_and_goes(served: Served) -> None:
    for _ in range(3):
        other = served.connect()
        assert other.api.control_ping().client_index == other.transport.socket_index
        other.disconnect()


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.lists(st.one_of(st.binary(max_size=200), st.binary(min_size=2, max_size=80).map(frame)), max_size=6))
def test_garbage_after_the_handshake(served: Served, pieces: list[bytes]) -> None:
    client = Client(REGISTRY, served.server.path)
    try:
        for piece in pieces:
            client.socket.sendall(piece)
    except ConnectionError:
        pass  # it was dropped on the way
    finally:
        client.close()


# --- where the socket is


def test_a_stale_socket_is_replaced_and_a_living_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "s"
    first = unix_socket.listen(path)
    with pytest.raises(SocketPathError, match=f"{path}: another program is listening there"):
        unix_socket.listen(path)
    first.close()
    second = unix_socket.listen(str(path))
    unix_socket.remove(path)
    assert path.exists()  # somebody listens there
    second.close()
    unix_socket.remove(path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "complaint"),
    [("none/s", "there is no directory"), ("file", "a file that is not a socket"), ("x" * 120, "at most 106 bytes")],
)
def test_paths_where_there_can_be_no_socket(tmp_path: Path, name: str, complaint: str) -> None:
    (tmp_path / "file").write_text("precious")
    with pytest.raises(OSError, match=complaint) as e:
        unix_socket.listen(tmp_path / name)
    assert name in str(e.value)
    assert (tmp_path / "file").read_text() == "precious"


def test_the_wrong_kind_of_socket_answers(tmp_path: Path) -> None:
    with unix_socket.listen(tmp_path / "s", socket.SOCK_SEQPACKET), pytest.raises(SocketPathError, match="using it"):
        unix_socket.listen(tmp_path / "s")
