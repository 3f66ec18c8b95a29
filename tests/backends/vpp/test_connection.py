"""Connecting: to what is not there, to what is no VPP, and to a VPP whose messages are other ones."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.control.vppapi.client import serve
from vectorplane.backends.base import BackendError, Disconnected, Operation
from vectorplane.backends.items import Interface, InterfaceUp, Ip4Enabled, Table
from vectorplane.backends.vpp.backend import VppBackend
from vectorplane.backends.vpp.definitions import load
from vectorplane.backends.vpp.layout import offset
from vectorplane.backends.vpp.retvals import text
from vectorplane.backends.vpp.wire import HEADER, MAX_MESSAGE, Deframer, WireError, frame
from vectorplane.control.vppapi import api_json
from vectorplane.control.vppapi.handlers import all_handlers
from vectorplane.control.vppapi.schema.registry import load as load_schema


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("api")
    api_json.write(folder, load_schema(), all_handlers())
    return folder


@settings(derandomize=True, deadline=None, max_examples=40)
@given(
    messages=st.lists(st.binary(min_size=2, max_size=40), max_size=6), cuts=st.lists(st.integers(1, 30), max_size=40)
)
def test_messages_are_put_together_however_they_come(messages: list[bytes], cuts: list[int]) -> None:
    stream, got, deframer = b"".join(map(frame, messages)), [], Deframer()
    for cut in [*cuts, len(stream)]:
        got += deframer.feed(stream[:cut])
        stream = stream[cut:]
    assert got == messages


@pytest.mark.parametrize("length", [0, 1, MAX_MESSAGE + 1, 0xFFFFFFFF])
def test_lengths_that_cannot_be(length: int) -> None:
    with pytest.raises(WireError, match=f"a message of {length} bytes"):
        Deframer().feed(HEADER.pack(0, length, 0))


def test_offsets_are_those_of_the_packed_bytes(definitions: Path) -> None:
    message = load(str(definitions)).messages["ip_route_add_del"]
    empty = {"table_id": 0, "prefix": {}, "n_paths": 0, "paths": []}
    one = {"table_id": 0x01020304, "prefix": {"address": {"af": 1}, "len": 7}, "n_paths": 0, "paths": []}
    packed = message.pack({"route": one, "is_add": False})
    plain = message.pack({"route": empty, "is_add": False})
    table, prefix = offset(message, "route", "table_id"), offset(message, "route", "prefix")
    assert packed[table : table + 4] == bytes((1, 2, 3, 4)) and packed[prefix] == 1 and packed[prefix + 17] == 7
    changed = [i for i, (a, b) in enumerate(zip(packed, plain, strict=True)) if a != b]
    assert changed == [*range(table, table + 4), prefix, prefix + 17]
    with pytest.raises(BackendError, match=r"ip_route_add_del has no field route\.nothing"):
        offset(message, "route", "nothing")


def test_no_socket_and_no_definitions(tmp_path: Path, definitions: Path) -> None:
    with pytest.raises(Disconnected, match=r"no VPP at .*/api\.sock: No such file"):
        VppBackend(str(tmp_path / "api.sock"), str(definitions))
    with pytest.raises(BackendError, match=r"no definitions of VPP's messages: there is no folder .*/nothing"):
        VppBackend(str(tmp_path / "api.sock"), str(tmp_path / "nothing"))
    with pytest.raises(BackendError, match=r"has no memclnt\.api\.json"):
        VppBackend(str(tmp_path / "api.sock"), str(tmp_path))
    for name in ("memclnt", "vlib", "interface", "ip"):
        (tmp_path / f"{name}.api.json").write_text("{ not json")
    with pytest.raises(BackendError, match="can't be read"):
        VppBackend(str(tmp_path / "api.sock"), str(tmp_path))


@contextmanager
def _listener(path: Path, talk: Callable[[socket.socket], object]) -> Iterator[str]:
    """Somebody at a socket who does with the first client as ``talk`` says."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def work() -> None:
        peer, _ = listener.accept()
        with peer:
            peer.recv(1 << 16)
            talk(peer)

    thread = threading.Thread(target=work)
    thread.start()
    yield str(path)
    thread.join(10)
    listener.close()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (frame(b"\x00\x07" + bytes(30)), "is not a VPP"),
        (b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", "that is not VPP's API"),
        (HEADER.pack(0, 0xFFFFFFFF, 0), "a message of 4294967295 bytes"),
        (b"", "is gone: the connection was closed"),
        (frame(b"\x00\x10")[:10], "is gone: the connection was closed"),
        (frame(b"\x00\x10" + bytes(3)), "a sockclnt_create_reply that can't be read"),
    ],
)
def test_who_answers_is_no_vpp(tmp_path: Path, definitions: Path, answer: bytes, says: str) -> None:
    with (
        _listener(tmp_path / "s", lambda peer: peer.sendall(answer)) as path,
        pytest.raises(BackendError, match=says),
    ):
        VppBackend(path, str(definitions))


def test_who_never_answers(tmp_path: Path, definitions: Path) -> None:
    with (
        _listener(tmp_path / "s", lambda peer: peer.recv(1)) as path,
        pytest.raises(Disconnected, match="does not answer"),
    ):
        VppBackend(path, str(definitions), timeout=0.05)


def _other_crc(source: Path, folder: Path, *messages: str) -> None:
    """Definitions in which some messages have another CRC."""
    for file in source.glob("*.api.json"):
        content = json.loads(file.read_text())
        for message in content["messages"]:
            if message[0] in messages:
                message[-1]["crc"] = "0x12345678"
        (folder / file.name).write_text(json.dumps(content))


def test_other_messages_are_told_at_once(tmp_path: Path) -> None:
    handlers = all_handlers()
    del handlers["proxy_arp_dump"], handlers["ip_table_add_del"], handlers["want_interface_events"]
    other = tmp_path / "other"
    other.mkdir()
    with serve(tmp_path, handlers=handlers) as served:
        api_json.write(tmp_path / "all", load_schema(), all_handlers())
        _other_crc(tmp_path / "all", other, "sw_interface_set_flags", "ip_neighbor_dump")
        backend = VppBackend(str(served.server.path), str(other))
        notes = sorted(backend.compatibility.notes)
        assert notes[0].startswith("no neighbours: ip_neighbor_dump differs: VPP has CRC d817a484, ")
        assert notes[0].endswith("has 12345678")
        assert notes[1:] == [
            "no proxy ARP ranges: this VPP has no proxy_arp_dump",
            f"no states of interfaces: sw_interface_set_flags differs: VPP has CRC f5aec1b8, {other} has 12345678",
        ]
        assert InterfaceUp not in backend.kinds() and Table in backend.kinds()
        backend.create(Table(5))  # by ip_table_add_del_v2
        backend.create(Interface("a", "pg"))
        with pytest.raises(
            BackendError, match="this VPP can't do states of interfaces: sw_interface_set_flags differs"
        ):
            backend.create(InterfaceUp("a"))
        with pytest.raises(BackendError, match="can't do states of interfaces"):
            backend.dump(InterfaceUp)
        (result,) = backend.apply([Operation("create", Ip4Enabled("a"))])
        assert result is None  # no debug CLI there: by its message
        backend.close()
        _other_crc(tmp_path / "all", other, "sw_interface_dump", "cli_inband")
        with pytest.raises(
            BackendError, match=r"can't be driven: cli_inband differs.*; sw_interface_dump differs.*23\.10"
        ):
            VppBackend(str(served.server.path), str(other))


def test_return_codes_have_names() -> None:
    assert text(-3) == "NO_SUCH_FIB (-3)" and text(-9999) == "return code -9999"
    from vectorplane.backends.vpp.retvals import NAMES
    from vectorplane.control.vppapi import retval

    for code, name in NAMES.items():
        assert getattr(retval, name, code) == code
