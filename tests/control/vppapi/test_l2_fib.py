"""MAC tables of l2.api through the real vpp_papi client, with real frames: entries, flushes, who is told of what."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address
from typing import Any

import pytest
from vpp_papi import VPPApiClient

from tests.control.vppapi.client import Served, serve
from vectorplane.control.vppapi import retval as rv
from vectorplane.control.vppapi.handlers.l2_arp_term_events import DAMPENED
from vectorplane.graph_nodes.l2.fib import LEARN_LIMIT

NONE = 0xFFFFFFFF
MAC = "02:00:00:00:00:%02x"
ADDED, GONE, MOVED = 0, 1, 2
BROADCAST = b"\xff" * 6


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("api")) as it:
        api = it.client.api
        for n in range(3):
            index = api.pg_create_interface(interface_id=n).sw_if_index
            assert index == n + 1
            api.sw_interface_set_flags(sw_if_index=index, flags=1)
        yield it


@pytest.fixture
def api(served: Served) -> Iterator[Any]:
    """The client's calls; interfaces 1 and 2 are ports of domain 7, 3 is none; afterwards nothing is known."""
    api = served.client.api
    api.bridge_domain_add_del(bd_id=7, flood=True, uu_flood=True, forward=True, learn=True)
    for index in (1, 2):
        api.sw_interface_set_l2_bridge(rx_sw_if_index=index, bd_id=7, enable=True)
    yield api
    for index in (1, 2, 3):
        api.sw_interface_set_l2_bridge(rx_sw_if_index=index, enable=False)
    api.l2_fib_clear_table()
    api.bridge_domain_add_del(bd_id=7, is_add=False)


def table(api: Any, bd_id: int = NONE) -> dict[str, Any]:
    return {str(d.mac): d for d in api.l2_fib_table_dump(bd_id=bd_id)}


def add(api: Any, last: int, index: int, bd_id: int = 7, **fields: Any) -> int:
    return int(api.l2fib_add_del(mac=MAC % last, bd_id=bd_id, sw_if_index=index, is_add=True, **fields).retval)


def remove(api: Any, last: int, index: int = 0, bd_id: int = 7) -> int:
    return int(api.l2fib_add_del(mac=MAC % last, bd_id=bd_id, sw_if_index=index, is_add=False).retval)


def send(served: Served, index: int, *frames: bytes) -> None:
    """Frames that the interface receives."""
    with served.engine.paused():
        served.engine.pg.add("frames", index, list(frames))
        served.engine.pg.enable("frames")
    until(served, lambda: not served.engine.pg.active())
    with served.engine.paused():
        served.engine.pg.delete("frames")


def until(served: Served, condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with served.engine.paused():
            if condition():
                return
        time.sleep(0.005)
    raise AssertionError("it does not come true")


def frame(source: int) -> bytes:
    """A broadcast of the host whose MAC address ends so."""
    return BROADCAST + bytes.fromhex((MAC % source).replace(":", "")) + b"\x88\xb5" + bytes(46)


def arp(source: int, address: str) -> bytes:
    """An ARP request by this host."""
    mac = bytes.fromhex((MAC % source).replace(":", ""))
    body = bytes.fromhex("0001080006040001") + mac + IPv4Address(address).packed + bytes(6) + bytes([10, 0, 0, 99])
    return BROADCAST + mac + b"\x08\x06" + body


class Events:
    """What a client is told."""

    def __init__(self, client: VPPApiClient) -> None:
        self._found: list[Any] = []
        client.register_event_callback(lambda name, event: self._found.append(event))

    def take(self, n: int) -> list[Any]:
        """All so far, at least ``n`` if they come in time."""
        end = time.monotonic() + 5
        while len(self._found) < n and time.monotonic() < end:
            time.sleep(0.005)
        found, self._found = self._found, []
        return found


# --- entries


def test_entries(api: Any) -> None:
    assert add(api, 1, 1) == 0 and add(api, 2, 2, static_mac=True) == 0 and add(api, 3, 0, filter_mac=True) == 0
    assert add(api, 4, 1, bvi_mac=True) == 0
    found = table(api, 7)
    assert table(api).keys() == found.keys()
    flags = {m[-1]: (d.sw_if_index, d.static_mac, d.filter_mac, d.bvi_mac, d.bd_id) for m, d in found.items()}
    assert flags == {
        "1": (1, False, False, False, 7),
        "2": (2, True, False, False, 7),
        "3": (NONE, True, True, False, 7),
        "4": (1, False, False, True, 7),
    }
    assert table(api, 8) == {}
    assert add(api, 1, 2) == 0 and table(api)[MAC % 1].sw_if_index == 2, "it moves"
    assert remove(api, 1, 1) == rv.NO_SUCH_ENTRY, "it is on another interface"
    assert [remove(api, 1, 2), remove(api, 2), remove(api, 3, NONE), remove(api, 4, 1)] == [0] * 4
    assert table(api) == {}


def test_entries_that_cannot_be(api: Any) -> None:
    assert add(api, 1, 1, bd_id=8) == rv.NO_SUCH_ENTRY == remove(api, 1, bd_id=8)
    assert [add(api, 1, 99), add(api, 1, 3)] == [rv.INVALID_SW_IF_INDEX] * 2
    api.sw_interface_set_l2_xconnect(rx_sw_if_index=3, tx_sw_if_index=1, enable=True)
    assert add(api, 1, 3) == rv.INVALID_SW_IF_INDEX, "it is cross-connected"
    assert remove(api, 9) == rv.NO_SUCH_ENTRY


def test_learning_and_flushes(api: Any, served: Served) -> None:
    """What was learnt goes, on an interface, in a domain, everywhere; what was entered stays."""
    add(api, 9, 1)

    def learnt() -> set[int]:
        """Interfaces that something was learnt on."""
        return {d.sw_if_index for m, d in table(api).items() if m != MAC % 9}

    for flush, left in (
        (lambda: api.l2fib_flush_int(sw_if_index=1), {2}),
        (lambda: api.l2fib_flush_bd(bd_id=7), set()),
        (lambda: api.l2fib_flush_all(), set()),
    ):
        send(served, 1, frame(1))
        send(served, 2, frame(2))
        assert learnt() == {1, 2}
        assert flush().retval == 0
        end = time.monotonic() + 5
        while learnt() != left and time.monotonic() < end:
            time.sleep(0.01)
        assert learnt() == left and MAC % 9 in table(api)
    assert api.l2fib_flush_int(sw_if_index=99).retval == rv.INVALID_SW_IF_INDEX
    assert [api.l2fib_flush_bd(bd_id=b).retval for b in (8, 0)] == [rv.NO_SUCH_ENTRY, 0]
    assert api.l2_fib_clear_table().retval == 0 and table(api) == {}


# --- who is told


def test_scan_delay(api: Any, served: Served) -> None:
    assert api.l2fib_set_scan_delay(scan_delay=3).retval == 0
    assert served.engine.l2fib.scan_delay == 0.03
    assert api.l2fib_set_scan_delay(scan_delay=0).retval == rv.INVALID_VALUE
    assert served.engine.l2fib.scan_delay == 0.03


def told(events: Events, n: int) -> set[tuple[int, str, int, int]]:
    """Pid, MAC address, interface and action of at least ``n`` changes."""
    found: set[tuple[int, str, int, int]] = set()
    while len(found) < n and (batch := events.take(1)):
        for event in batch:
            assert type(event).__name__ == "l2_macs_event" and event.n_macs == len(event.mac)
            found |= {(event.pid, str(e.mac_addr), e.sw_if_index, int(e.action)) for e in event.mac}
    return found


def test_events_of_learning(api: Any, served: Served) -> None:
    client = served.connect("watcher")
    events, want = Events(client), client.api.want_l2_macs_events2
    assert want(enable_disable=True, pid=42, max_macs_in_event=2).retval == 0
    assert served.engine.l2fib.max_macs == 20
    send(served, 1, frame(1), frame(2))
    assert told(events, 2) == {(42, MAC % 1, 1, ADDED), (42, MAC % 2, 1, ADDED)}
    send(served, 2, frame(1))
    assert told(events, 1) == {(42, MAC % 1, 2, MOVED)}
    api.l2fib_flush_int(sw_if_index=2)
    assert told(events, 1) == {(42, MAC % 1, 2, GONE)}
    assert want(enable_disable=False, pid=42).retval == 0
    assert want(enable_disable=False, pid=42).retval == 0, "it is over already"
    send(served, 1, frame(3))
    time.sleep(0.3)
    assert events.take(0) == []
    client.disconnect()


def test_one_watcher_at_a_time(api: Any, served: Served) -> None:
    """Who comes with another pid is refused; with the same it takes over; anyone may end it; who has gone, has gone."""
    first, second = served.connect("first"), served.connect("second")
    assert first.api.want_l2_macs_events2(enable_disable=True, pid=42).retval == 0
    for want in (second.api.want_l2_macs_events2, second.api.want_l2_macs_events):
        assert want(enable_disable=True, pid=43).retval == rv.L2_MACS_EVENT_CLINET_PRESENT
        assert want(enable_disable=True, pid=42).retval == 0
    events = Events(second)
    send(served, 1, frame(1))
    assert told(events, 1) == {(42, MAC % 1, 1, ADDED)}
    assert first.api.want_l2_macs_events2(enable_disable=False, pid=1).retval == 0
    assert first.api.want_l2_macs_events2(enable_disable=True, pid=44).retval == 0
    first.disconnect()
    assert second.api.want_l2_macs_events2(enable_disable=True, pid=43).retval == 0
    second.disconnect()
    send(served, 1, frame(2))
    until(served, lambda: not served.engine.l2fib.watcher_pid)


def test_limits_of_the_first_version(api: Any, served: Served) -> None:
    fib, want = served.engine.l2fib, api.want_l2_macs_events
    before = fib.learn_limit
    good = {"learn_limit": 500, "scan_delay": 2, "max_macs_in_event": 3, "pid": 42}
    for wrong in ({"learn_limit": 0}, {"learn_limit": (1 << 24) + 1}, {"scan_delay": 0}, {"max_macs_in_event": 0}):
        assert want(enable_disable=True, **(good | wrong)).retval == rv.INVALID_VALUE
    assert api.want_l2_macs_events2(enable_disable=True, pid=42, max_macs_in_event=0).retval == rv.INVALID_VALUE
    assert want(enable_disable=False, **good).retval == 0 and fib.learn_limit == before, "there was no watcher"
    assert want(enable_disable=True, **good).retval == 0
    assert (fib.learn_limit, fib.scan_delay, fib.max_macs, fib.watcher_pid) == (500, 0.02, 30, 42)
    assert want(enable_disable=False, **(good | {"learn_limit": 400})).retval == 0
    assert (fib.learn_limit, fib.watcher_pid) == (400, 0)
    want(enable_disable=True, **good)
    assert want(enable_disable=False, **(good | {"learn_limit": 0})).retval == 0 and fib.learn_limit == LEARN_LIMIT


def test_events_of_arp(api: Any, served: Served) -> None:
    client = served.connect("watcher")
    events, want = Events(client), client.api.want_l2_arp_term_events
    assert [want(enable=e, pid=42).retval for e in (False, True, True)] == [
        rv.INVALID_REGISTRATION,
        0,
        rv.INVALID_REGISTRATION,
    ]
    api.bridge_flags(bd_id=7, is_set=True, flags=16)

    def heard(n: int) -> list[tuple[int, str, int, str]]:
        return [(e.pid, str(e.ip), e.sw_if_index, str(e.mac)) for e in events.take(n)]

    send(served, 1, arp(1, "10.0.0.1"))
    assert heard(1) == [(42, "10.0.0.1", 1, MAC % 1)]
    send(served, 1, arp(1, "10.0.0.1"), arp(1, "10.0.0.1"))
    send(served, 2, arp(2, "10.0.0.2"))
    assert heard(1) == [(42, "10.0.0.2", 2, MAC % 2)], "the same again is no news"
    send(served, 1, arp(1, "10.0.0.1"))
    assert heard(1) == [(42, "10.0.0.1", 1, MAC % 1)], "but now it is"
    with served.engine.paused():
        served.engine.adjust_clock(DAMPENED / 1e9)
    send(served, 1, arp(1, "10.0.0.1"))
    assert heard(1) == [(42, "10.0.0.1", 1, MAC % 1)], "and after a while"
    assert want(enable=False, pid=42).retval == 0 and not served.engine.bridges.on_arp
    want(enable=True, pid=42)
    client.disconnect()
    send(served, 1, arp(3, "10.0.0.3"))
    until(served, lambda: not served.engine.bridges.on_arp)
