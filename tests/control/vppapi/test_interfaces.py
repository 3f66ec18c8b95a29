"""interface.api through the real vpp_papi client: what is made and shown, VPP's return codes, events."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from vpp_papi import VPPApiClient

from tests.control.vppapi.client import Served, serve
from vectorplane.backends.engine.sim_nic import SimNic
from vectorplane.control.vppapi import retval as rv
from vectorplane.dataplane.interface import PROMISCUOUS

NONE = 0xFFFFFFFF
UP, LINK = 1, 2
ONE_TAG, TWO_TAGS, DOT1AD, EXACT, DEFAULT, INNER_ANY = 2, 4, 8, 16, 32, 128


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("api"), packets=False) as it:
        yield it


@pytest.fixture
def api(served: Served) -> Iterator[Any]:
    """The client's calls; afterwards only local0 is there."""
    yield served.client.api
    with served.engine.paused():
        interfaces = served.engine.interfaces
        there = [i.sw_if_index for i in interfaces.by_index.values() if i.sw_if_index and not i.is_sub]
        for index in sorted(there, reverse=True):  # so that numbers begin at 1 again
            interfaces.remove(index)


def pg(api: Any, number: int = 0, mode: int = 0) -> int:
    """A new packet-generator interface."""
    made = api.pg_create_interface_v3(interface_id=number, mode=mode)
    assert made.retval == 0
    return int(made.sw_if_index)


def shown(api: Any, index: int = NONE, name: str | None = None) -> Any:
    """Details of the interfaces asked for."""
    return api.sw_interface_dump(sw_if_index=index, name_filter_valid=name is not None, name_filter=name or "")


def names(api: Any, *args: Any) -> list[str]:
    return [d.interface_name for d in shown(api, *args)]


# --- what is there


def test_dump_filters(api: Any) -> None:
    index = pg(api)
    api.create_vlan_subif(sw_if_index=index, vlan_id=7)
    api.create_loopback()
    everything = ["local0", "pg0", "pg0.7", "loop0"]
    assert names(api) == names(api, 0) == everything, "0 means all, as in VPP; by number"
    assert names(api, index) == ["pg0"] and names(api, 99) == []
    assert names(api, NONE, "G0") == ["pg0", "pg0.7"] and names(api, index, "loop") == ["loop0"]
    assert names(api, NONE, "loopXYZ") == [] and names(api, NONE, "") == everything


def test_details(api: Any, served: Served) -> None:
    index = pg(api)
    with served.engine.paused():
        sim = served.engine.interfaces.add("eth1", device=SimNic(line_rate=10**10)).sw_if_index
    tun, loop = pg(api, 1, mode=1), api.create_loopback().sw_if_index
    api.sw_interface_set_flags(sw_if_index=index, flags=UP)
    api.sw_interface_set_mtu(sw_if_index=index, mtu=[1500, 1400, 1300, 1200])
    api.sw_interface_tag_add_del(is_add=True, sw_if_index=index, tag="uplink")
    sub = api.create_subif(
        sw_if_index=index, sub_id=9, sub_if_flags=TWO_TAGS | DOT1AD | EXACT, outer_vlan_id=10, inner_vlan_id=20
    ).sw_if_index
    by_index = {d.sw_if_index: d for d in shown(api)}
    d = by_index[index]
    assert (str(d.l2_address), int(d.flags)) == (f"02:fe:00:00:00:{index:02x}", UP | LINK)
    assert (d.mtu, d.link_mtu) == ([1500, 1400, 1300, 1200], 9000)
    assert (d.sup_sw_if_index, int(d.type), d.interface_dev_type, d.tag) == (index, 0, "pg", "uplink")
    assert (int(d.link_duplex), d.link_speed, d.sub_id, d.sub_number_of_tags) == (0, 0, 0, 0)
    d = by_index[sub]
    assert (d.interface_name, d.sup_sw_if_index, int(d.type)) == ("pg0.9", index, 1)
    assert str(d.l2_address) == "00:00:00:00:00:00"
    assert (d.sub_id, d.sub_number_of_tags, d.sub_outer_vlan_id, d.sub_inner_vlan_id) == (9, 2, 10, 20)
    assert (int(d.sub_if_flags), d.mtu, int(d.flags), d.tag) == (TWO_TAGS | DOT1AD | EXACT, [0] * 4, LINK, "")
    d = by_index[0]
    assert (d.interface_dev_type, d.mtu, d.link_mtu, int(d.flags)) == ("local", [0] * 4, 0, 0)
    d = by_index[sim]
    assert (d.interface_dev_type, int(d.link_duplex), d.link_speed) == ("sim", 2, 10**7)
    assert by_index[loop].interface_dev_type == "Loopback" and str(by_index[loop].l2_address) == "de:ad:00:00:00:00"
    assert (by_index[tun].mtu, str(by_index[tun].l2_address)) == ([0] * 4, "00:00:00:00:00:00")
    api.sw_interface_tag_add_del(is_add=False, sw_if_index=index)
    assert shown(api, index)[0].tag == ""
    assert api.sw_interface_tag_add_del(is_add=True, sw_if_index=index, tag="").retval == rv.INVALID_VALUE


# --- coming and going


def test_loopbacks(api: Any) -> None:
    made = [api.create_loopback(), api.create_loopback_instance(is_specified=True, user_instance=10)]
    made.append(api.create_loopback_instance(mac_address="02:00:00:00:00:09", is_specified=False, user_instance=10))
    assert [m.retval for m in made] == [0, 0, 0]
    assert [names(api, m.sw_if_index) for m in made] == [["loop0"], ["loop10"], ["loop1"]]
    assert str(shown(api, made[2].sw_if_index)[0].l2_address) == "02:00:00:00:00:09"
    for instance in (10, 16384):
        refused = api.create_loopback_instance(is_specified=True, user_instance=instance)
        assert (refused.retval, refused.sw_if_index) == (rv.INVALID_REGISTRATION, NONE)
    index = pg(api)
    assert [api.delete_loopback(sw_if_index=i).retval for i in (index, 0, 99)] == [rv.INVALID_SW_IF_INDEX] * 3
    assert api.delete_loopback(sw_if_index=made[0].sw_if_index).retval == 0
    assert sorted(names(api)) == ["local0", "loop1", "loop10", "pg0"]
    assert api.create_loopback().sw_if_index == made[0].sw_if_index


def test_vlan_sub_interfaces(api: Any) -> None:
    index = pg(api)
    made = api.create_vlan_subif(sw_if_index=index, vlan_id=100)
    assert made.retval == 0 and int(shown(api, made.sw_if_index)[0].sub_if_flags) == ONE_TAG | EXACT
    codes = {99: rv.INVALID_SW_IF_INDEX, index: rv.VLAN_ALREADY_EXISTS}
    for sup, code in codes.items():
        again = api.create_vlan_subif(sw_if_index=sup, vlan_id=100)
        assert (again.retval, again.sw_if_index) == (code, NONE)
    for vlan in (0, 4096):
        assert api.create_vlan_subif(sw_if_index=index, vlan_id=vlan).retval == rv.INVALID_VLAN
    api.create_subif(sw_if_index=index, sub_id=5, sub_if_flags=ONE_TAG | EXACT, outer_vlan_id=200)
    assert api.create_vlan_subif(sw_if_index=index, vlan_id=200).retval == rv.INVALID_REGISTRATION
    assert api.delete_subif(sw_if_index=made.sw_if_index).retval == 0
    assert api.delete_subif(sw_if_index=made.sw_if_index).retval == rv.INVALID_SW_IF_INDEX
    assert api.delete_subif(sw_if_index=index).retval == rv.INVALID_SUB_SW_IF_INDEX
    assert api.create_vlan_subif(sw_if_index=index, vlan_id=100).sw_if_index == made.sw_if_index


@pytest.mark.parametrize(
    ("sub_id", "flags", "expected"),
    [
        (1, TWO_TAGS | INNER_ANY, 0),
        (1, DEFAULT, 0),
        (7, DEFAULT, rv.VLAN_ALREADY_EXISTS),
        (1, ONE_TAG | EXACT, rv.UNSPECIFIED),
        (1, TWO_TAGS | EXACT | INNER_ANY, rv.UNSPECIFIED),
        (1, 0, rv.UNSPECIFIED),
    ],
)
def test_sub_interfaces(api: Any, sub_id: int, flags: int, expected: int) -> None:
    index = pg(api)
    assert api.create_subif(sw_if_index=index, sub_id=7, sub_if_flags=ONE_TAG | EXACT, outer_vlan_id=10).retval == 0
    made = api.create_subif(sw_if_index=index, sub_id=sub_id, sub_if_flags=flags, outer_vlan_id=10, inner_vlan_id=20)
    assert made.retval == expected and (made.sw_if_index == NONE) == (expected != 0)
    assert api.create_subif(sw_if_index=99, sub_id=1).retval == rv.INVALID_SW_IF_INDEX


# --- state


def test_every_request_for_no_interface(api: Any) -> None:
    """99 is none."""
    calls: dict[str, dict[str, Any]] = {
        "sw_interface_set_flags": {"flags": 1},
        "sw_interface_set_promisc": {"promisc_on": True},
        "hw_interface_set_mtu": {"mtu": 1500},
        "sw_interface_set_mtu": {"mtu": [1500, 0, 0, 0]},
        "sw_interface_set_mac_address": {"mac_address": "02:00:00:00:00:01"},
        "sw_interface_get_mac_address": {},
        "sw_interface_tag_add_del": {"is_add": True, "tag": "x"},
        "sw_interface_set_interface_name": {"name": "x"},
        "sw_interface_clear_stats": {},
        "sw_interface_set_rx_mode": {},
        "sw_interface_set_rx_placement": {},
        "sw_interface_tx_placement_get": {},
        "sw_interface_add_del_address": {"is_add": True, "prefix": "10.0.0.1/24"},
        "sw_interface_set_ip_directed_broadcast": {"enable": True},
        "sw_interface_set_table": {},
        "sw_interface_get_table": {},
        "sw_interface_set_unnumbered": {"unnumbered_sw_if_index": 99, "is_add": True},
        "pg_delete_interface": {},
    }
    for name, fields in calls.items():
        found = getattr(api, name)(sw_if_index=99, **fields)
        found = found[0] if isinstance(found, tuple) and not hasattr(found, "retval") else found
        assert found.retval == rv.INVALID_SW_IF_INDEX, name
    assert api.sw_interface_rx_placement_dump(sw_if_index=99) == []


def test_flags(api: Any) -> None:
    index = pg(api)
    sub = api.create_vlan_subif(sw_if_index=index, vlan_id=7).sw_if_index
    assert api.sw_interface_set_flags(sw_if_index=sub, flags=UP).retval == rv.UNSPECIFIED, "pg0 is down"
    assert [int(d.flags) for d in shown(api, NONE, "pg0")] == [0, 0]
    for each in (index, sub):
        assert api.sw_interface_set_flags(sw_if_index=each, flags=UP).retval == 0
    assert [int(d.flags) for d in shown(api, NONE, "pg0")] == [UP | LINK] * 2
    api.sw_interface_set_flags(sw_if_index=index, flags=0)
    assert [int(d.flags) for d in shown(api, NONE, "pg0")] == [0, UP]


def test_sizes(api: Any, served: Served) -> None:
    index, tun, loop = pg(api), pg(api, 1, mode=1), api.create_loopback().sw_if_index
    sub = api.create_vlan_subif(sw_if_index=index, vlan_id=7).sw_if_index
    with served.engine.paused():
        sim = served.engine.interfaces.add("eth1", device=SimNic()).sw_if_index
    set_mtu = api.hw_interface_set_mtu
    found = [set_mtu(sw_if_index=i, mtu=1500).retval for i in (sim, index, loop, sub, tun, 0)]
    refused = [rv.UNSUPPORTED, rv.UNSUPPORTED, rv.INVALID_VALUE, rv.FEATURE_DISABLED, rv.FEATURE_DISABLED]
    assert found == [0, *refused] and set_mtu(sw_if_index=index, mtu=9000).retval == 0
    assert (shown(api, sim)[0].link_mtu, shown(api, sim)[0].mtu) == (1500, [1500, 0, 0, 0])


def test_mac_addresses(api: Any) -> None:
    index, tun = pg(api), pg(api, 1, mode=1)
    sub = api.create_vlan_subif(sw_if_index=index, vlan_id=7).sw_if_index
    mac = "02:11:22:33:44:55"
    assert api.sw_interface_set_mac_address(sw_if_index=index, mac_address=mac).retval == 0
    assert [str(api.sw_interface_get_mac_address(sw_if_index=i).mac_address) for i in (index, sub)] == [mac] * 2
    for each in (sub, tun, 0):
        assert api.sw_interface_set_mac_address(sw_if_index=each, mac_address=mac).retval == rv.UNIMPLEMENTED


def test_promiscuous(api: Any, served: Served) -> None:
    index, loop, tun = pg(api), api.create_loopback().sw_if_index, pg(api, 1, mode=1)
    found = [api.sw_interface_set_promisc(sw_if_index=i, promisc_on=True).retval for i in (index, loop, tun)]
    assert found == [0, rv.UNSPECIFIED, rv.INVALID_VALUE]
    with served.engine.paused():
        assert all(int(served.engine.interfaces.record(i)["flags"]) & PROMISCUOUS for i in (index, loop))
    api.sw_interface_set_promisc(sw_if_index=index, promisc_on=False)
    with served.engine.paused():
        assert not int(served.engine.interfaces.record(index)["flags"]) & PROMISCUOUS


def test_names_and_queues(api: Any) -> None:
    index = pg(api)
    sub = api.create_vlan_subif(sw_if_index=index, vlan_id=7).sw_if_index
    rename = api.sw_interface_set_interface_name
    tries = ((index, "wan"), (index, ""), (sub, "x"), (index, "local0"))
    found = [rename(sw_if_index=i, name=n).retval for i, n in tries]
    assert found == [0, rv.INVALID_VALUE, rv.INVALID_SW_IF_INDEX, rv.INVALID_SW_IF_INDEX]
    assert names(api)[1:] == ["wan", "wan.7"]
    for call in (api.sw_interface_set_rx_mode, api.sw_interface_set_rx_placement):
        assert [call(sw_if_index=i).retval for i in (index, sub)] == [rv.UNIMPLEMENTED, rv.INVALID_VALUE]
    assert api.sw_interface_rx_placement_dump(sw_if_index=NONE) == []
    assert api.sw_interface_tx_placement_get(sw_if_index=NONE)[0].retval == rv.NO_SUCH_ENTRY


def test_clear_stats(api: Any, served: Served) -> None:
    index, other = pg(api), pg(api, 1)
    rx = served.engine.plane.if_stats["rx"]
    for each in (index, other):
        rx.thread(0)[each] = (5, 300)
    api.sw_interface_clear_stats(sw_if_index=index)
    assert rx.total(index).tolist() == [0, 0] and rx.total(other).tolist() == [5, 300]
    api.sw_interface_clear_stats(sw_if_index=NONE)
    assert rx.total(other).tolist() == [0, 0]


# --- addresses and tables


def address(api: Any, index: int, prefix: str, add: bool = True) -> int:
    return int(api.sw_interface_add_del_address(sw_if_index=index, is_add=add, prefix=prefix).retval)


@pytest.mark.parametrize(
    ("mine", "others", "conflict"),
    [
        ("10.0.0.1/24", "10.0.0.9/16", rv.ADDRESS_IN_USE),
        ("2001:db8::1/64", "2001:db8::9/48", rv.DUPLICATE_IF_ADDRESS),
    ],
)
def test_addresses(api: Any, served: Served, mine: str, others: str, conflict: int) -> None:
    index, other = pg(api), pg(api, 1)
    inexact = api.create_subif(sw_if_index=index, sub_id=1, sub_if_flags=ONE_TAG, outer_vlan_id=5).sw_if_index
    assert address(api, index, mine) == 0
    assert [address(api, index, mine), address(api, other, others), address(api, index, others)] == [conflict] * 3
    assert [address(api, i, mine, add) for i in (0, inexact) for add in (True, False)] == [rv.UNSUPPORTED] * 4
    assert address(api, other, mine, False) == rv.ADDRESS_NOT_FOUND_FOR_INTERFACE
    assert address(api, other, mine.partition("/")[0] + "/0") == rv.ADDRESS_LENGTH_MISMATCH
    assert address(api, index, mine, False) == 0
    assert address(api, index, mine, False) == rv.ADDRESS_NOT_FOUND_FOR_INTERFACE
    address(api, index, mine)
    address(api, index, mine.replace("1/", "2/"))
    assert api.sw_interface_add_del_address(sw_if_index=index, del_all=True, prefix="0.0.0.0/0").retval == 0
    with served.engine.paused():
        assert served.engine.addresses.of(index) == [] and served.engine.addresses6.of(index) == []


def test_link_local_addresses(api: Any) -> None:
    index = pg(api)
    address(api, index, "2001:db8::1/64")
    assert address(api, index, "fe80::1/64") == rv.ADDRESS_LENGTH_MISMATCH
    assert address(api, index, "fe80::1/128") == 0
    assert address(api, index, "fe80::1/128", False) == rv.ADDRESS_NOT_DELETABLE
    assert address(api, index, "fe80::2/128", False) == rv.ADDRESS_NOT_FOUND_FOR_INTERFACE


@pytest.mark.parametrize("prefix", ["10.0.%d.1/24", "2001:db8:%d::1/64"])
def test_replacing_all_addresses(api: Any, served: Served, prefix: str) -> None:
    """What is not added again between begin and end is gone; an address may move."""
    index, other = pg(api), pg(api, 1)
    for k in (1, 2, 3):
        address(api, index, prefix % k)
    assert api.sw_interface_address_replace_begin().retval == 0
    assert [address(api, index, prefix % 1), address(api, other, prefix % 2)] == [0, 0]
    assert api.sw_interface_address_replace_end().retval == 0
    with served.engine.paused():
        addresses = served.engine.addresses6 if ":" in prefix else served.engine.addresses
        assert [[str(a) for a in addresses.of(i)] for i in (index, other)] == [[prefix % 1], [prefix % 2]]


@pytest.mark.parametrize(("ip6", "prefix"), [(False, "10.0.0.1/24"), (True, "2001:db8::1/64")])
def test_tables(api: Any, ip6: bool, prefix: str) -> None:
    index, other = pg(api), pg(api, 1)
    api.ip_table_add_del_v2(is_add=True, table={"table_id": 7, "is_ip6": ip6})

    def bind(table: int) -> int:
        return int(api.sw_interface_set_table(sw_if_index=index, is_ipv6=ip6, vrf_id=table).retval)

    assert [bind(8), bind(7)] == [rv.NO_SUCH_FIB, 0]
    assert [api.sw_interface_get_table(sw_if_index=i, is_ipv6=ip6).vrf_id for i in (index, other)] == [7, 0]
    unnumbered = {"sw_if_index": other, "unnumbered_sw_if_index": index, "is_add": True}
    assert api.sw_interface_set_unnumbered(**unnumbered).retval == rv.UNEXPECTED_INTF_STATE
    address(api, index, prefix)
    assert bind(0) == rv.ADDRESS_FOUND_FOR_INTERFACE
    address(api, index, prefix, False)
    assert bind(0) == 0
    api.ip_table_add_del_v2(is_add=False, table={"table_id": 7, "is_ip6": ip6})


def test_unnumbered(api: Any, served: Served) -> None:
    index, other = pg(api), pg(api, 1)
    call = api.sw_interface_set_unnumbered
    assert call(sw_if_index=99, unnumbered_sw_if_index=other, is_add=True).retval == rv.INVALID_SW_IF_INDEX_2
    assert call(sw_if_index=index, unnumbered_sw_if_index=other, is_add=True).retval == 0
    with served.engine.paused():
        assert served.engine.interfaces[other].unnumbered == index
    assert call(sw_if_index=99, unnumbered_sw_if_index=other, is_add=False).retval == 0
    with served.engine.paused():
        assert served.engine.interfaces[other].unnumbered is None


# --- events


class Events:
    """What a client is told."""

    def __init__(self, client: VPPApiClient) -> None:
        self._found: list[Any] = []
        client.register_event_callback(lambda name, event: self._found.append(event))

    def take(self, n: int) -> list[tuple[int, int, bool, int]]:
        """Interface, flags, whether it went and the pid of the next ``n``."""
        end = time.monotonic() + 5
        while len(self._found) < n and time.monotonic() < end:
            time.sleep(0.005)
        found, self._found = self._found[:n], self._found[n:]
        return [(e.sw_if_index, int(e.flags), bool(e.deleted), e.pid) for e in found]


def test_events(api: Any, served: Served) -> None:
    """What became true, several things together; only to those who want it."""
    client = served.connect()
    events = Events(client)
    want = client.api.want_interface_events
    assert [want(enable_disable=e, pid=42).retval for e in (0, 1, 1)] == [
        rv.INVALID_REGISTRATION,
        0,
        rv.INVALID_REGISTRATION,
    ]
    index = pg(api)
    assert events.take(1) == [(index, 0, False, 42)]
    api.sw_interface_set_flags(sw_if_index=index, flags=UP)
    assert events.take(1) == [(index, UP | LINK, False, 42)]
    with served.engine.paused():
        served.engine.interfaces.set_link(index, False)
    assert events.take(1) == [(index, 0, False, 42)]
    with served.engine.paused():
        served.engine.interfaces.set_link(index, True)
    assert events.take(1) == [(index, LINK, False, 42)], "as VPP: only what happened"
    api.pg_delete_interface(sw_if_index=index)
    assert events.take(1) == [(index, 0, True, 42)]
    assert want(enable_disable=0, pid=42).retval == 0
    pg(api, 5)
    api.control_ping()
    time.sleep(0.05)
    assert events.take(0) == [] and not events._found
    client.disconnect()
