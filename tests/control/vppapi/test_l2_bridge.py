"""Bridge domains of l2.api through the real vpp_papi client: what they are, do and answer for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.control.vppapi.client import Served, serve
from vectorplane.control.vppapi import retval as rv
from vectorplane.graph_nodes.l2.features import ARP_TERM, FLOOD, FWD, LEARN, UU_FLOOD

NONE = 0xFFFFFFFF
MAX_ID = (1 << 24) - 1
BVI, UU_FWD = 1, 2
API_LEARN, API_FWD, API_FLOOD, API_ARP_TERM, API_ARP_UFWD = 1, 2, 4, 16, 32


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("api"), packets=False) as it:
        yield it


@pytest.fixture
def api(served: Served) -> Iterator[Any]:
    """The client's calls; afterwards there are neither interfaces (but local0) nor domains."""
    yield served.client.api
    with served.engine.paused():
        interfaces, bridges = served.engine.interfaces, served.engine.bridges
        for index in sorted(interfaces.by_index, reverse=True)[:-1]:
            interfaces.remove(index)
        for bd_id in list(bridges.domains):
            bridges.delete(bd_id)


def add(api: Any, bd_id: int, **fields: Any) -> int:
    """Make a domain as VPP's command does by default."""
    usual = {"flood": True, "uu_flood": True, "forward": True, "learn": True}
    return int(api.bridge_domain_add_del(bd_id=bd_id, is_add=True, **(usual | fields)).retval)


def loopbacks(api: Any, n: int) -> list[int]:
    return [api.create_loopback().sw_if_index for _ in range(n)]


def shown(api: Any, bd_id: int = NONE) -> dict[int, Any]:
    return {d.bd_id: d for d in api.bridge_domain_dump(bd_id=bd_id, sw_if_index=NONE)}


def test_what_is_made_is_shown(api: Any) -> None:
    assert add(api, 7, mac_age=5, bd_tag="office", arp_term=True) == 0
    assert add(api, 3, flood=False, uu_flood=False, forward=False, learn=False, arp_ufwd=True) == 0
    found = shown(api)
    assert list(found) == [7, 3], "in the order of their indices"
    seven, three = found[7], found[3]
    assert (seven.flood, seven.uu_flood, seven.forward, seven.learn) == (True,) * 4
    assert (seven.arp_term, seven.arp_ufwd, seven.mac_age, seven.bd_tag) == (True, False, 5, "office")
    assert (three.flood, three.uu_flood, three.forward, three.learn) == (False,) * 4
    assert (three.arp_term, three.arp_ufwd, three.mac_age, three.bd_tag) == (False, True, 0, "")
    for domain in (seven, three):
        assert (domain.bvi_sw_if_index, domain.uu_fwd_sw_if_index) == (NONE, NONE)
        assert (domain.n_sw_ifs, domain.sw_if_details) == (0, [])
    assert list(shown(api, 3)) == [3] and not shown(api, 4) and not shown(api, 0)
    assert api.bridge_domain_dump(bd_id=NONE, sw_if_index=1) == [], "as in VPP"


def test_members_are_shown(api: Any) -> None:
    one, two, bvi, uu = loopbacks(api, 4)
    add(api, 7)
    for index, port_type, group in ((one, 0, 0), (two, 0, 3), (bvi, BVI, 0), (uu, UU_FWD, 0)):
        assert (
            api.sw_interface_set_l2_bridge(
                rx_sw_if_index=index, bd_id=7, port_type=port_type, shg=group, enable=True
            ).retval
            == 0
        )
    found = shown(api)[7]
    assert (found.bvi_sw_if_index, found.uu_fwd_sw_if_index, found.n_sw_ifs) == (bvi, uu, 3)
    members = [(e.sw_if_index, e.shg) for e in found.sw_if_details]
    assert members[0] == (bvi, 0) and sorted(members[1:]) == [(one, 0), (two, 3)]


def test_what_cannot_be_made_or_removed(api: Any) -> None:
    assert [add(api, bd_id) for bd_id in (7, 7, 0, MAX_ID, MAX_ID + 1, NONE)] == [
        0,
        rv.BD_ALREADY_EXISTS,
        rv.BD_ALREADY_EXISTS,
        0,
        rv.BD_ID_EXCEED_MAX,
        rv.BD_ID_EXCEED_MAX,
    ]
    (index,) = loopbacks(api, 1)
    api.sw_interface_set_l2_bridge(rx_sw_if_index=index, bd_id=7, enable=True)
    removed = [api.bridge_domain_add_del(bd_id=b, is_add=False).retval for b in (7, 0, 8, MAX_ID)]
    assert removed == [rv.BD_IN_USE, rv.BD_NOT_MODIFIABLE, rv.NO_SUCH_ENTRY, 0]
    api.sw_interface_set_l2_bridge(rx_sw_if_index=index, bd_id=7, enable=False)
    assert api.bridge_domain_add_del(bd_id=7, is_add=False).retval == 0 and not shown(api)


def test_second_version_chooses_an_id(api: Any) -> None:
    made = api.bridge_domain_add_del_v2(bd_id=NONE, is_add=True, flood=True)
    assert made.retval == 0 and 0 < made.bd_id <= MAX_ID and list(shown(api)) == [made.bd_id]
    same = api.bridge_domain_add_del_v2(bd_id=made.bd_id, is_add=True)
    assert (same.retval, same.bd_id) == (rv.BD_ALREADY_EXISTS, made.bd_id)
    none = api.bridge_domain_add_del_v2(bd_id=NONE, is_add=False)
    assert (none.retval, none.bd_id) == (rv.NO_SUCH_ENTRY, NONE)
    gone = api.bridge_domain_add_del_v2(bd_id=made.bd_id, is_add=False)
    assert (gone.retval, gone.bd_id) == (0, made.bd_id) and not shown(api)


def test_flags(api: Any) -> None:
    add(api, 7)
    on = api.bridge_flags(bd_id=7, is_set=True, flags=API_ARP_TERM | API_ARP_UFWD)
    assert on.retval == 0 and on.resulting_feature_bitmap & (LEARN | FWD | FLOOD | UU_FLOOD | ARP_TERM)
    off = api.bridge_flags(bd_id=7, is_set=False, flags=API_LEARN | API_FWD | API_FLOOD)
    assert off.resulting_feature_bitmap & (LEARN | FWD | FLOOD | UU_FLOOD | ARP_TERM) == UU_FLOOD | ARP_TERM
    found = shown(api)[7]
    assert (found.learn, found.forward, found.flood, found.uu_flood) == (False, False, False, True)
    assert (found.arp_term, found.arp_ufwd) == (True, True)
    refused = [api.bridge_flags(bd_id=b, is_set=True, flags=1) for b in (0, 8)]
    assert [r.retval for r in refused] == [rv.BD_NOT_MODIFIABLE, rv.NO_SUCH_ENTRY]
    assert [r.resulting_feature_bitmap for r in refused] == [0, 0]


def test_age_and_learn_limits(api: Any, served: Served) -> None:
    add(api, 7)
    with served.engine.paused():
        usual = served.engine.bridges.default_learn_limit
    assert api.bridge_domain_set_mac_age(bd_id=7, mac_age=10).retval == 0 and shown(api)[7].mac_age == 10
    assert api.bridge_domain_set_learn_limit(bd_id=7, learn_limit=50).retval == 0
    assert api.bridge_domain_set_default_learn_limit(learn_limit=60).retval == 0
    add(api, 8)
    with served.engine.paused():
        domains = served.engine.bridges.domains
        assert [domains[b].learn_limit for b in (7, 8)] == [50, 60]
    api.bridge_domain_set_default_learn_limit(learn_limit=usual)
    for bd_id, refused in ((0, rv.BD_NOT_MODIFIABLE), (9, rv.NO_SUCH_ENTRY)):
        assert api.bridge_domain_set_mac_age(bd_id=bd_id, mac_age=1).retval == refused
        assert api.bridge_domain_set_learn_limit(bd_id=bd_id, learn_limit=1).retval == refused


def entry(bd_id: int, ip: str, mac: str = "02:00:00:00:00:01") -> dict[str, Any]:
    return {"bd_id": bd_id, "ip": ip, "mac": mac}


def answered(api: Any, bd_id: int = NONE) -> list[tuple[int, str, str]]:
    return [(d.entry.bd_id, str(d.entry.ip), str(d.entry.mac)) for d in api.bd_ip_mac_dump(bd_id=bd_id)]


def test_addresses_that_are_answered_for(api: Any) -> None:
    add(api, 7)
    add(api, 8)
    for bd_id, ip in ((7, "2001:db8::1"), (7, "10.0.0.1"), (8, "10.0.0.2")):
        assert api.bd_ip_mac_add_del(is_add=True, entry=entry(bd_id, ip)).retval == 0
    assert api.bd_ip_mac_add_del(is_add=True, entry=entry(7, "10.0.0.1", "02:00:00:00:00:02")).retval == 0
    seven = [(7, "10.0.0.1", "02:00:00:00:00:02"), (7, "2001:db8::1", "02:00:00:00:00:01")]
    assert answered(api, 7) == seven, "IPv4's first; the last MAC address counts"
    assert answered(api) == [*seven, (8, "10.0.0.2", "02:00:00:00:00:01")]
    assert answered(api, 9) == [] == answered(api, 0)
    remove = api.bd_ip_mac_add_del
    assert remove(is_add=False, entry=entry(7, "10.0.0.1")).retval == rv.UNSPECIFIED, "another MAC address"
    assert remove(is_add=False, entry=entry(7, "10.0.0.9")).retval == rv.UNSPECIFIED
    assert remove(is_add=False, entry=entry(7, "10.0.0.1", "02:00:00:00:00:02")).retval == 0
    assert api.bd_ip_mac_flush(bd_id=7).retval == 0 and [e[0] for e in answered(api)] == [8]
    for bd_id, refused in ((0, rv.BD_NOT_MODIFIABLE), (9, rv.NO_SUCH_ENTRY)):
        assert api.bd_ip_mac_add_del(is_add=True, entry=entry(bd_id, "10.0.0.1")).retval == refused
        assert api.bd_ip_mac_flush(bd_id=bd_id).retval == refused
