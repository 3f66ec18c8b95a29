"""Multicast routes, path MTUs, punt redirects, reassembly, flow hash and addresses: through the vpp_papi client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.control.vppapi.client import Served, serve
from tests.control.vppapi.test_ip_routes import NONE, path
from vectorplane.graph_nodes.forwarding import HASH_DST, HASH_GTPV1_TEID, HASH_SRC, HASH_SYMMETRIC, Forwarding

ACCEPT, FORWARD = 2, 4


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("api"), packets=False) as it:
        for n in (1, 2):
            it.engine.interfaces.add(f"eth{n}")
            it.engine.interfaces.set_up(n)
            it.engine.addresses.add(n, f"10.{n}.0.1/24")
        it.engine.interfaces.add("eth3")
        it.engine.addresses.set_unnumbered(3, 1)
        yield it


def mroute(group: str, *paths: tuple[int, int], source: str = "0.0.0.0", length: int = 32, **of: Any) -> dict[str, Any]:
    prefix = {
        "af": 0,
        "grp_address_length": length,
        "grp_address": {"ip4": group},
        "src_address": {"ip4": source},
    }
    encoded = [{"itf_flags": flags, "path": path(interface=i)} for i, flags in paths]
    return {"table_id": 0, "prefix": prefix, "n_paths": len(encoded), "paths": encoded, **of}


def test_multicast_routes(served: Served) -> None:
    api = served.client.api

    def listed() -> dict[tuple[str, str, int], dict[int, int]]:
        found = {}
        for d in api.ip_mroute_dump(table={"table_id": 0}):
            p = d.route.prefix
            key = str(p.grp_address.ip4), str(p.src_address.ip4), p.grp_address_length
            found[key] = {q.path.sw_if_index: q.itf_flags for q in d.route.paths[: d.route.n_paths]}
        return found

    specials = {
        ("0.0.0.0", "0.0.0.0", 0): {},
        ("224.0.0.1", "0.0.0.0", 32): {NONE: FORWARD},
        ("224.0.0.2", "0.0.0.0", 32): {NONE: FORWARD},
    }
    assert listed() == specials
    route = mroute("232.1.1.1", (1, ACCEPT), (2, FORWARD))
    reply = api.ip_mroute_add_del(is_add=True, is_multipath=True, route=route)
    assert reply.retval == 0 and reply.stats_index != NONE
    sg = mroute("232.1.1.1", (2, ACCEPT), source="9.9.9.9")
    assert api.ip_mroute_add_del(is_add=True, route=sg).retval == 0
    assert listed() == {
        **specials,
        ("232.1.1.1", "0.0.0.0", 32): {1: ACCEPT, 2: FORWARD},
        ("232.1.1.1", "9.9.9.9", 64): {2: ACCEPT},
    }
    assert api.ip_mroute_add_del(is_add=True, route=mroute("232.1.1.1", (1, FORWARD))).stats_index == reply.stats_index
    assert listed()["232.1.1.1", "0.0.0.0", 32] == {1: FORWARD, 2: FORWARD}
    for gone in (route, sg):
        assert api.ip_mroute_add_del(is_add=False, route=gone).retval == 0
    assert listed() == specials
    # an entry of flags alone
    assert api.ip_mroute_add_del(is_add=True, route=mroute("232.2.0.0", length=16, entry_flags=8)).retval == 0
    assert ("232.2.0.0", "0.0.0.0", 16) in listed()
    assert api.ip_mroute_add_del(is_add=True, route=mroute("232.2.0.0", length=16)).retval == 0
    assert listed() == specials
    refused = {-3: {"table_id": 44}, -54: {"n_paths": 1, "paths": [{"itf_flags": 2, "path": path(interface=77)}]}}
    for retval, change in refused.items():
        assert api.ip_mroute_add_del(is_add=True, route=mroute("232.1.1.1", **change)).retval == retval
    bad = mroute("232.1.1.1", (1, ACCEPT), length=40)
    assert api.ip_mroute_add_del(is_add=True, route=bad).retval == -7


def test_path_mtus(served: Served) -> None:
    api = served.client.api

    def update(mtu: int, nh: str = "10.1.0.9", **of: Any) -> int:
        return int(api.ip_path_mtu_update(pmtu={"nh": nh, "path_mtu": mtu, **of}).retval)

    def listed() -> dict[str, int]:
        details = served.client.details_iter(api.ip_path_mtu_get)
        return {str(d.pmtu.nh): d.pmtu.path_mtu for d in details}

    assert update(900) == update(800) == update(1200, "99.0.0.1") == 0
    assert listed() == {"10.1.0.9": 800, "99.0.0.1": 1200}
    assert update(800, table_id=55) == -65
    assert update(0, "1.2.3.4") == 0
    assert api.ip_path_mtu_replace_begin().retval == 0
    assert update(700) == 0
    assert api.ip_path_mtu_replace_end().retval == 0
    assert listed() == {"10.1.0.9": 700}
    assert update(0) == 0 and listed() == {}


def test_punt_redirects(served: Served) -> None:
    api = served.client.api

    def change(rx: int, tx: int, nh: str = "10.2.0.9", add: bool = True) -> int:
        punt = {"rx_sw_if_index": rx, "tx_sw_if_index": tx, "nh": nh}
        return int(api.ip_punt_redirect(punt=punt, is_add=add).retval)

    def listed(rx: int = NONE) -> list[tuple[int, int, str]]:
        dump = api.ip_punt_redirect_dump(sw_if_index=rx, is_ipv6=False)
        return [(d.punt.rx_sw_if_index, d.punt.tx_sw_if_index, str(d.punt.nh)) for d in dump]

    assert change(1, 2) == change(2, 2, "0.0.0.0") == change(NONE, 2) == 0
    assert listed() == [(NONE, 2, "10.2.0.9"), (1, 2, "10.2.0.9"), (2, 2, "0.0.0.0")]
    assert listed(2) == [(2, 2, "0.0.0.0")] and listed(3) == []
    assert change(1, 77) == change(77, 1) == -2
    for rx in (1, 2, NONE, NONE):
        assert change(rx, 2, add=False) == 0
    assert listed() == []
    punt = {"rx_sw_if_index": 1, "af": 0, "n_paths": 2, "paths": [path("10.2.0.9", 2), path("10.1.0.9", 1)]}
    assert api.add_del_ip_punt_redirect_v2(punt=punt, is_add=True).retval == 0
    (details,) = api.ip_punt_redirect_v2_dump(sw_if_index=NONE, af=0)
    assert [str(p.nh.address.ip4) for p in details.punt.paths] == ["10.1.0.9", "10.2.0.9"]
    none = {"rx_sw_if_index": 1, "af": 0, "n_paths": 0, "paths": []}
    assert api.add_del_ip_punt_redirect_v2(punt=none, is_add=True).retval == 0
    assert api.add_del_ip_punt_redirect_v2(punt=none, is_add=False).retval == 0
    assert list(api.ip_punt_redirect_v2_dump(sw_if_index=NONE, af=0)) == []


def test_reassembly(served: Served) -> None:
    api = served.client.api
    wanted = {"timeout_ms": 1000, "max_reassemblies": 7, "max_reassembly_length": 9, "expire_walk_interval_ms": 20}
    assert api.ip_reassembly_set(**wanted, is_ip6=False, type=0).retval == 0
    got = api.ip_reassembly_get(is_ip6=False, type=0)
    assert {k: getattr(got, k) for k in wanted} == wanted
    assert api.ip_reassembly_set(**{**wanted, "max_reassemblies": NONE}, is_ip6=False, type=0).retval == -7
    for ip6, kind in ((False, 1), (True, 0), (True, 1)):
        mine = wanted | {"timeout_ms": 77 + kind + 2 * ip6}
        assert api.ip_reassembly_set(**mine, is_ip6=ip6, type=kind).retval == 0
        got = api.ip_reassembly_get(is_ip6=ip6, type=kind)
        assert {name: getattr(got, name) for name in mine} == mine and got.is_ip6 == ip6
        for on in (True, False):
            done = api.ip_reassembly_enable_disable(sw_if_index=1, enable_ip4=on, enable_ip6=on, type=kind)
            assert done.retval == 0
    for on in (True, True, False):
        assert api.ip_reassembly_enable_disable(sw_if_index=1, enable_ip4=on, enable_ip6=False, type=0).retval == 0
        chain = served.engine.plane.arcs["ip4-unicast"].chain(1)
        assert ("ip4-full-reassembly-feature" in chain) == on
        asked = {"arc_name": "ip4-unicast", "feature_name": "ip4-full-reassembly-feature"}
        assert api.feature_is_enabled(**asked, sw_if_index=1).is_enabled == on
        assert not api.feature_is_enabled(**asked, sw_if_index=2).is_enabled
        assert api.feature_is_enabled(**asked, sw_if_index=99).retval == -2
    assert not api.feature_is_enabled(arc_name="ip4-unicast", feature_name="nothing", sw_if_index=1).is_enabled
    assert not api.feature_is_enabled(arc_name="nowhere", feature_name="nothing", sw_if_index=1).is_enabled
    assert api.ip_reassembly_enable_disable(sw_if_index=99, enable_ip4=True, enable_ip6=False, type=0).retval == -2
    assert api.ip_local_reass_get().ip4_is_enabled
    assert api.ip_local_reass_enable_disable(enable_ip4=False, enable_ip6=False).retval == 0
    assert not api.ip_local_reass_get().ip4_is_enabled


def test_flow_hash(served: Served) -> None:
    api, control = served.client.api, served.engine.routes.control
    assert api.set_ip_flow_hash(vrf_id=0, src=True, symmetric=True).retval == 0
    assert control.hash_config[0] == HASH_SRC | HASH_SYMMETRIC
    assert api.set_ip_flow_hash_v2(table_id=0, af=0, flow_hash_config=2).retval == 0
    assert control.hash_config[0] == HASH_DST
    assert api.set_ip_flow_hash_v3(table_id=0, af=0, flow_hash_config=1 | 256).retval == 0
    assert control.hash_config[0] == HASH_SRC | HASH_GTPV1_TEID
    assert api.set_ip_flow_hash_v3(table_id=8, af=0, flow_hash_config=1).retval == -3
    assert api.set_ip_flow_hash_router_id(router_id=0xFFFFFFFE).retval == 0
    assert int(served.engine.plane.shared(Forwarding).router_id[0]) == 0xFFFFFFFE


def test_dumps_of_addresses(served: Served) -> None:
    api = served.client.api
    assert [str(d.prefix) for d in api.ip_address_dump(sw_if_index=2, is_ipv6=False)] == ["10.2.0.1/24"]
    assert not [*api.ip_address_dump(sw_if_index=3, is_ipv6=False), *api.ip_address_dump(sw_if_index=99)]
    for asked in (NONE, 3):
        dump = api.ip_unnumbered_dump(sw_if_index=asked)
        assert [(d.sw_if_index, d.ip_sw_if_index) for d in dump] == [(3, 1)]
    assert not api.ip_unnumbered_dump(sw_if_index=2)
    assert [d.sw_if_index for d in api.ip_dump(is_ipv6=False)] == [0, 1, 2]
