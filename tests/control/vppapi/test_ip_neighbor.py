"""ip_neighbor.api and arp.api through the real vpp_papi client: neighbours, their events, proxy ARP, IPv6 on links."""

from __future__ import annotations

import time
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import pytest
from vpp_papi import VPPApiClient

from tests.control.vppapi.client import Served, serve
from vectorplane.backends.engine.pg import PgDevice

STATIC, NO_FIB = 1, 2
MAC = "02:00:00:00:00:%02x"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("api"), packets=False) as it:
        with it.engine.paused():
            for n in (1, 2):
                it.engine.interfaces.add(f"pg{n}", mac=bytes([2, 0xFE, 0, 0, 0, n]), device=PgDevice())
                it.engine.interfaces.set_up(n)
                it.engine.addresses.add(n, f"10.{n}.0.1/24")
                it.engine.addresses6.add(n, f"2001:db8:{n}::1/64")
        yield it


@pytest.fixture(autouse=True)
def empty(served: Served) -> Iterator[None]:
    yield
    for af in (0, 1):
        served.client.api.ip_neighbor_flush(af=af, sw_if_index=0xFFFFFFFF)
        served.client.api.ip_neighbor_config(af=af, max_number=50000, max_age=0, recycle=False)


def change(client: VPPApiClient, address: str, mac: int = 1, *, flags: int = 0, n: int = 1, add: bool = True) -> Any:
    neighbour = {"sw_if_index": n, "mac_address": MAC % mac, "ip_address": address, "flags": flags}
    return client.api.ip_neighbor_add_del(is_add=add, neighbor=neighbour)


def dump(client: VPPApiClient, af: int, n: int = 0xFFFFFFFF) -> dict[tuple[int, str], tuple[str, int]]:
    found = client.api.ip_neighbor_dump(sw_if_index=n, af=af)
    assert all(0 <= d.age < 60 for d in found)
    each = [d.neighbor for d in found]
    return {(e.sw_if_index, str(e.ip_address)): (str(e.mac_address), int(e.flags)) for e in each}


@pytest.mark.parametrize(("prefix", "af"), [("10.1.0.", 0), ("2001:db8:1::", 1)])
def test_add_change_dump_remove(served: Served, prefix: str, af: int) -> None:
    client, address = served.client, prefix + "7"
    first = change(client, address)
    assert first.retval == 0 and first.stats_index < 1 << 20
    assert dump(client, af) == {(1, address): (MAC % 1, 0)}
    assert dump(client, 1 - af) == {} and dump(client, af, 2) == {}
    assert change(client, address, 2, flags=STATIC).stats_index == first.stats_index
    assert change(client, address, 3).retval == -2
    assert change(client, address, 2).retval == 0
    assert dump(client, af, 1) == {(1, address): (MAC % 2, STATIC)}
    removed = change(client, address, add=False)
    assert (removed.retval, removed.stats_index) == (0, 0xFFFFFFFF) and dump(client, af) == {}
    assert change(client, address, add=False).retval == -6
    assert change(client, address, n=99).retval == -2


def test_two_places_in_the_counters(served: Served) -> None:
    assert change(served.client, "2001:db8:1::7").stats_index != change(served.client, "2001:db8:1::8").stats_index


def test_without_a_route(served: Served) -> None:
    for address, length in (("10.1.0.7", 32), ("2001:db8:1::7", 128)):
        assert change(served.client, address, flags=NO_FIB).stats_index == 0xFFFFFFFF
        routes: Any = served.engine.routes6 if ":" in address else served.engine.routes
        assert routes.get(f"{address}/{length}") is None
        change(served.client, address, add=False)
        change(served.client, address)
        assert routes.get(f"{address}/{length}").source == "adjacency"


@pytest.mark.parametrize(("prefix", "af"), [("10.1.0.", 0), ("2001:db8:1::", 1)])
def test_limit_and_recycling(served: Served, prefix: str, af: int) -> None:
    api = served.client.api
    default = api.ip_neighbor_config_get(af=af)
    assert (default.af, default.max_number, default.max_age, default.recycle) == (af, 50000, 0, False)
    assert api.ip_neighbor_config(af=af, max_number=2, max_age=0, recycle=False).retval == 0
    for k in (2, 3):
        change(served.client, f"{prefix}{k}")
    assert change(served.client, f"{prefix}4").retval == -162
    api.ip_neighbor_config(af=af, max_number=2, max_age=9, recycle=True)
    assert change(served.client, f"{prefix}4").retval == 0
    assert {a for _, a in dump(served.client, af)} == {f"{prefix}3", f"{prefix}4"}
    got = api.ip_neighbor_config_get(af=af)
    assert (got.max_number, got.max_age, got.recycle) == (2, 9, True)
    assert api.ip_neighbor_config_get(af=1 - af).max_number == 50000


def test_flush(served: Served) -> None:
    api = served.client.api
    for n in (1, 2):
        for flags in (0, STATIC):
            change(served.client, f"10.{n}.0.{7 + flags}", n=n, flags=flags)
            change(served.client, f"2001:db8:{n}::{7 + flags}", n=n, flags=flags)
    assert api.ip_neighbor_flush(af=0, sw_if_index=1).retval == 0
    assert {n for n, _ in dump(served.client, 0)} == {2} and len(dump(served.client, 1)) == 4
    assert api.ip_neighbor_flush(af=1, sw_if_index=0xFFFFFFFF).retval == 0
    assert dump(served.client, 1) == {} and len(dump(served.client, 0)) == 2
    assert api.ip_neighbor_flush(af=0, sw_if_index=99).retval == -2


def test_replacement(served: Served) -> None:
    api = served.client.api
    for address in ("10.1.0.2", "10.1.0.3", "2001:db8:1::2", "2001:db8:1::3"):
        change(served.client, address, flags=STATIC)
    api.ip_neighbor_replace_begin()
    for address in ("10.1.0.3", "10.1.0.4", "2001:db8:1::3", "2001:db8:1::4"):
        change(served.client, address, flags=STATIC)
    api.ip_neighbor_replace_end()
    assert {a for _, a in dump(served.client, 0)} == {"10.1.0.3", "10.1.0.4"}
    assert {a for _, a in dump(served.client, 1)} == {"2001:db8:1::3", "2001:db8:1::4"}
    api.ip_neighbor_replace_begin()
    api.ip_neighbor_replace_end()
    assert dump(served.client, 0) == {} == dump(served.client, 1)


class Events:
    """The events that a client gets."""

    def __init__(self, client: VPPApiClient) -> None:
        self._client = client
        self._found: list[Any] = []
        client.register_event_callback(lambda name, event: self._found.append(event))

    def take(self, n: int) -> list[Any]:
        """All events so far, at least ``n``."""
        deadline = time.monotonic() + 5
        while len(self._found) < n and time.monotonic() < deadline:
            self._client.api.control_ping()
            time.sleep(0.01)
        found, self._found[:] = list(self._found), []
        return found


def test_events(served: Served) -> None:
    """Those who named nothing, the interface, the interface and the address; version 2 also tells what went."""
    client = served.connect("watcher")
    api, events = client.api, Events(client)
    assert api.want_ip_neighbor_events(enable=True, pid=1).retval == 0
    api.want_ip_neighbor_events(enable=True, pid=2, sw_if_index=1)
    api.want_ip_neighbor_events(enable=True, pid=3, sw_if_index=1, ip=IPv4Address("10.1.0.7"))
    api.want_ip_neighbor_events(enable=True, pid=3, sw_if_index=1, ip=IPv4Address("10.1.0.7"))
    api.want_ip_neighbor_events_v2(enable=True, pid=4, sw_if_index=2, ip=IPv6Address("2001:db8:2::7"))
    assert api.want_ip_neighbor_events(enable=True, pid=1, sw_if_index=99).retval == -2

    change(served.client, "10.1.0.7")
    assert [(e.pid, str(e.neighbor.ip_address)) for e in events.take(3)] == [(p, "10.1.0.7") for p in (3, 2, 1)]
    change(served.client, "10.2.0.7", n=2)
    assert [e.pid for e in events.take(1)] == [1]
    change(served.client, "2001:db8:2::7", n=2)
    found = events.take(2)
    assert [(type(e).__name__, e.pid) for e in found] == [("ip_neighbor_event_v2", 4), ("ip_neighbor_event", 1)]
    assert found[0].flags == 1 and str(found[0].neighbor.mac_address) == MAC % 1
    change(served.client, "2001:db8:2::7", n=2, add=False)
    assert [(e.pid, getattr(e, "flags", None)) for e in events.take(2)] == [(4, 2), (1, None)]

    api.want_ip_neighbor_events(enable=False, pid=1)
    api.want_ip_neighbor_events(enable=False, pid=2, sw_if_index=1)
    change(served.client, "10.1.0.7", 2)
    assert [e.pid for e in events.take(1)] == [3]
    client.disconnect()
    change(served.client, "10.1.0.7", 3)  # nobody is there any more: nothing happens, and the server goes on
    assert dump(served.client, 0)[1, "10.1.0.7"] == (MAC % 3, 0)


def test_proxy_arp(served: Served) -> None:
    api = served.client.api
    one = {"table_id": 0, "low": "10.9.0.2", "hi": "10.9.0.124"}
    assert api.proxy_arp_add_del(is_add=True, proxy=one).retval == 0
    assert api.proxy_arp_add_del(is_add=True, proxy=one).retval == 0
    assert [(d.proxy.table_id, str(d.proxy.low), str(d.proxy.hi)) for d in api.proxy_arp_dump()] == [
        (0, "10.9.0.2", "10.9.0.124")
    ]
    assert api.proxy_arp_add_del(is_add=True, proxy=one | {"table_id": 7}).retval == -3
    assert api.proxy_arp_add_del(is_add=False, proxy=one | {"low": "10.9.0.3"}).retval == -6
    assert api.proxy_arp_add_del(is_add=False, proxy=one).retval == 0 and api.proxy_arp_dump() == []
    assert api.proxy_arp_intfc_enable_disable(sw_if_index=2, enable=True).retval == 0
    assert [d.sw_if_index for d in api.proxy_arp_intfc_dump()] == [2]
    assert api.proxy_arp_intfc_enable_disable(sw_if_index=2, enable=False).retval == 0
    assert api.proxy_arp_intfc_dump() == []
    assert api.proxy_arp_intfc_enable_disable(sw_if_index=99, enable=True).retval == -2


def test_ip6_on_a_link(served: Served) -> None:
    api = served.client.api
    with served.engine.paused():
        served.engine.interfaces.add("bare", mac=bytes.fromhex("02fe000000aa"))
        n = served.engine.interfaces["bare"].sw_if_index
    assert api.sw_interface_ip6_get_link_local_address(sw_if_index=n).retval == -62
    assert api.sw_interface_ip6_enable_disable(sw_if_index=n, enable=False).retval == -62
    assert api.sw_interface_ip6_enable_disable(sw_if_index=n, enable=True).retval == 0
    assert api.sw_interface_ip6_enable_disable(sw_if_index=n, enable=True).retval == -81  # and yet it counts
    assert ip_address(str(api.sw_interface_ip6_get_link_local_address(sw_if_index=n).ip)) == ip_address(
        "fe80::fe:ff:fe00:aa"
    )
    assert api.sw_interface_ip6_set_link_local_address(sw_if_index=n, ip="fe80::77").retval == 0
    assert str(api.sw_interface_ip6_get_link_local_address(sw_if_index=n).ip) == "fe80::77"
    for retval in (0, 0, -62):
        assert api.sw_interface_ip6_enable_disable(sw_if_index=n, enable=False).retval == retval
    assert api.sw_interface_ip6_get_link_local_address(sw_if_index=99).retval == -2
