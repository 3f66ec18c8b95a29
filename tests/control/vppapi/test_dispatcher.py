"""The protocol's logic without sockets, over handlers made up here."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.control.vppapi.wire import Wire
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.dispatcher import DETAILS, Dispatcher
from vectorplane.control.vppapi.framing import FramingError, frame
from vectorplane.control.vppapi.handlers.infrastructure import control_ping
from vectorplane.control.vppapi.retval import NO_SUCH_FIB, ApiError
from vectorplane.control.vppapi.schema.registry import load
from vectorplane.control.vppapi.session import MOST_EVENTS, Session

REGISTRY = load()


class Served:
    """A dispatcher, and a client of it."""

    def __init__(self) -> None:
        self.closed: list[str] = []
        self.api = Api(SimpleNamespace(settle=lambda: None))  # type: ignore[arg-type]
        handlers = {
            "control_ping": control_ping,
            "sw_interface_set_flags": lambda api, m: m.sw_if_index or None,
            "sw_interface_get_table": lambda api, m: {"vrf_id": m.sw_if_index},
            "ip_table_flush": self.refuse,
            "ip_table_replace_begin": lambda api, m: 1 // 0,
            "sw_interface_get_mac_address": lambda api, m: {"no_such_field": 1},
            "sw_interface_dump": self.dump,
            "ip_path_mtu_get": self.get,
            "want_interface_events": self.want,
            "l3xc_plugin_get_version": lambda api, m: {"major": 1, "minor": 7},
        }
        self.dispatcher = Dispatcher(self.api, REGISTRY, handlers)
        self.session, self.wire = self.connect()

    def connect(self, name: str = "test") -> tuple[Session, Wire]:
        session, wire = self.dispatcher.open(), Wire(REGISTRY)
        session.reader.feed(wire.request("sockclnt_create", name=name, context=7))
        assert not self.dispatcher.work(session)
        ((reply, fields),) = wire.fed(session.take_output())
        assert (reply, fields.context, fields.response) == ("sockclnt_create_reply", 7, 0)
        assert fields.index == session.client_index
        return session, wire

    def refuse(self, api: Api, m: Any) -> None:
        raise ApiError(NO_SUCH_FIB, "none such")

    def dump(self, api: Api, m: Any) -> Iterator[dict[str, Any]]:
        try:
            for n in range(m.sw_if_index):
                assert api.session is not None
                yield {"sw_if_index": n}
        finally:
            self.closed.append("dump")

    def get(self, api: Api, m: Any) -> Iterator[dict[str, Any]]:
        for n in range(3):
            yield {"pmtu": {"path_mtu": n}}
            if m.cursor and n == 1:
                raise ApiError(-165)
        return {"cursor": 0xFFFFFFFF}

    def want(self, api: Api, m: Any) -> None:
        assert api.session is not None
        api.subscriptions("interfaces")[api.session] = m.pid

    def ask(self, *requests: bytes, turns: int = 1000) -> list[tuple[str, Any]]:
        """Send requests; everything that comes back in so many turns."""
        self.session.reader.feed(b"".join(requests))
        got = []
        while turns and self.dispatcher.work(self.session):
            got += self.wire.fed(self.session.take_output())
            turns -= 1
        return got + self.wire.fed(self.session.take_output())


@pytest.fixture
def served() -> Served:
    return Served()


def test_replies(served: Served) -> None:
    request = served.wire.request
    got = served.ask(
        request("sw_interface_set_flags", context=1),
        request("sw_interface_set_flags", context=0xFFFFFFFF, sw_if_index=5),
        request("sw_interface_get_table", context=3, sw_if_index=9),
        request("ip_table_flush", context=4),
        request("control_ping", context=5, client_index=77),
    )
    assert [(name, m.context, m.retval) for name, m in got] == [
        ("sw_interface_set_flags_reply", 1, 0),
        ("sw_interface_set_flags_reply", 0xFFFFFFFF, 5),
        ("sw_interface_get_table_reply", 3, 0),
        ("ip_table_flush_reply", 4, NO_SUCH_FIB),
        ("control_ping_reply", 5, 0),
    ]
    assert got[2][1].vrf_id == 9 and got[4][1].client_index == 77
    assert served.api.session is None


def test_a_reply_without_a_return_code(served: Served) -> None:
    ((name, m),) = served.ask(served.wire.request("l3xc_plugin_get_version", context=4))
    assert (name, m.context, m.major, m.minor) == ("l3xc_plugin_get_version_reply", 4, 1, 7)


@pytest.mark.parametrize("name", ["ip_table_replace_begin", "sw_interface_get_mac_address"])
def test_a_handlers_mistake_is_a_retval_and_a_log_line(
    served: Served, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    ((reply, m),) = served.ask(served.wire.request(name, context=8))
    assert (reply, m.context, m.retval) == (f"{name}_reply", 8, -1)
    assert f"{name} failed" in caplog.text
    assert len(served.ask(served.wire.request("control_ping"))) == 1


def test_a_dump_comes_in_pieces_and_in_order(served: Served) -> None:
    request = served.wire.request
    n = 3 * DETAILS + 5
    served.session.reader.feed(request("sw_interface_dump", context=1, sw_if_index=n) + request("control_ping"))
    turns = []
    while served.dispatcher.work(served.session):
        turns.append(served.wire.fed(served.session.take_output()))
    turns.append(served.wire.fed(served.session.take_output()))
    got = [m for turn in turns for m in turn]
    assert [m.sw_if_index for name, m in got[:-1]] == list(range(n))
    assert got[-1][0] == "control_ping_reply"
    assert len(turns) >= 3 and max(map(len, turns)) <= 2 * DETAILS
    assert served.closed == ["dump"]


def test_a_get_ends_with_its_reply(served: Served) -> None:
    got = served.ask(served.wire.request("ip_path_mtu_get", context=2))
    assert [name for name, _ in got] == ["ip_path_mtu_details"] * 3 + ["ip_path_mtu_get_reply"]
    assert (got[-1][1].retval, got[-1][1].cursor, got[-1][1].context) == (0, 0xFFFFFFFF, 2)
    got = served.ask(served.wire.request("ip_path_mtu_get", context=3, cursor=1))
    assert [name for name, _ in got] == ["ip_path_mtu_details"] * 2 + ["ip_path_mtu_get_reply"]
    assert got[-1][1].retval == -165


def test_who_does_not_read_gets_no_more(served: Served) -> None:
    served.session.reader.feed(served.wire.request("sw_interface_dump", sw_if_index=1000))
    assert served.dispatcher.work(served.session)
    served.session.blocked = True
    before = len(served.session.take_output())
    assert before and not served.dispatcher.work(served.session)
    assert not served.session.take_output()
    served.session.blocked = False
    assert served.dispatcher.work(served.session)


def test_a_client_that_goes_in_the_middle_of_a_dump(served: Served) -> None:
    served.session.reader.feed(served.wire.request("sw_interface_dump", sw_if_index=1000))
    assert served.dispatcher.work(served.session)
    served.dispatcher.close(served.session)
    served.dispatcher.close(served.session)
    assert served.closed == ["dump"]
    assert not served.dispatcher.sessions


def test_events_and_who_wants_them(served: Served) -> None:
    served.ask(served.wire.request("want_interface_events", pid=11))
    served.api.send(served.session, "sw_interface_event", {"pid": 11, "sw_if_index": 3})
    ((name, m),) = served.wire.fed(served.session.take_output())
    assert (name, m.pid, m.sw_if_index, m.client_index) == ("sw_interface_event", 11, 3, served.session.client_index)
    assert served.api.subscriptions("interfaces") == {served.session: 11}
    served.dispatcher.close(served.session)
    assert served.api.subscriptions("interfaces") == {}
    served.api.send(served.session, "sw_interface_event", {})
    assert served.session.take_output() == b""


def test_events_for_who_does_not_read_are_dropped(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    served.session.waiting = MOST_EVENTS + 1
    for _ in range(5):
        served.api.send(served.session, "sw_interface_event", {})
    assert served.session.take_output() == b""
    assert caplog.text.count("events to it are dropped") == 1


def test_good_bye(served: Served) -> None:
    delete = served.wire.request("sockclnt_delete", context=3, index=served.session.client_index)
    ((name, m),) = served.ask(delete, served.wire.request("control_ping"))
    assert (name, m.context, m.response) == ("sockclnt_delete_reply", 3, 1)
    assert served.session.leaving
    other, wire = served.connect()
    other.reader.feed(wire.request("sockclnt_delete", index=12345))
    served.dispatcher.work(other)
    ((_, m),) = wire.fed(other.take_output())
    assert m.response == -1 and not other.leaving


def test_what_is_no_message_is_dropped_and_logged(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    ping = served.wire.request("control_ping")
    got = served.ask(frame(b"\xff\xf0rubbish"), ping, frame(b""), ping, frame(b"\0"), frame(ping[16:20]), ping)
    assert [name for name, _ in got] == ["control_ping_reply"] * 3
    small = ("a message of 0 bytes", "a message of 1 bytes")
    for line in ("no message with id 65520", *small, "control_ping is malformed"):
        assert line in caplog.text


def test_complaints_come_to_an_end(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    served.ask(*[frame(b"\xff\xff")] * 1000)
    assert 5 < len(caplog.records) < 20


def test_nothing_before_the_handshake(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    session = served.dispatcher.open()
    session.reader.feed(served.wire.request("control_ping"))
    assert not served.dispatcher.work(session)
    assert session.take_output() == b"" and "before sockclnt_create" in caplog.text


def test_a_length_beyond_all_sense(served: Served) -> None:
    served.session.reader.feed(b"\0" * 8 + b"\xff" * 8)
    with pytest.raises(FramingError):
        served.dispatcher.work(served.session)


def test_numbers_of_clients_are_used_again(served: Served) -> None:
    sessions = [served.connect()[0] for _ in range(5)]
    served.dispatcher.close(sessions[2])
    assert served.connect()[0].number == sessions[2].number


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.lists(st.one_of(st.binary(max_size=60), st.tuples(st.integers(0, 400), st.binary(max_size=60))), max_size=5))
def test_garbage_after_the_handshake(pieces: list[Any]) -> None:
    logging.getLogger("vectorplane.vppapi").setLevel(logging.CRITICAL)
    served = Served()
    for piece in pieces:
        raw = piece if isinstance(piece, bytes) else frame(piece[0].to_bytes(2, "big") + piece[1])
        served.session.reader.feed(raw)
    try:
        while served.dispatcher.work(served.session):
            served.session.take_output()
    except FramingError:
        pass
    logging.getLogger("vectorplane.vppapi").setLevel(logging.NOTSET)
    served.dispatcher.close(served.session)
    other, wire = served.connect()
    other.reader.feed(wire.request("control_ping", context=1))
    served.dispatcher.work(other)
    assert wire.fed(other.take_output())[0][0] == "control_ping_reply"
