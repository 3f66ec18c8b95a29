"""nat44_ed.api through the real vpp_papi client: return codes, what dumps tell and in which order, as in VPP 26.10."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

from tests.backends.nat44.router import HOST_MAC, udp
from tests.control.vppapi.client import Served, serve
from vectorplane.backends.engine.engine import Engine
from vectorplane.control.vppapi import retval as rv

NONE = 0xFFFFFFFF
TWICE_NAT, SELF_TWICE_NAT, OUT2IN_ONLY, ADDR_ONLY, OUTSIDE, INSIDE, STATIC, EXT_HOST_VALID = (1 << k for k in range(8))
TCP, UDP = 6, 17
A, B, C = (f"192.0.2.{k}" for k in (1, 2, 3))


@contextmanager
def serving(directory: Path, packets: bool = False) -> Iterator[Served]:
    """Three interfaces, 10.0.<number>.254/24, and NAT44 switched on."""
    with serve(directory, packets=packets) as it:
        api = it.client.api
        for n in (1, 2, 3):
            assert api.pg_create_interface(interface_id=n).sw_if_index == n
            api.sw_interface_set_flags(sw_if_index=n, flags=3)
            api.sw_interface_add_del_address(sw_if_index=n, is_add=True, prefix=f"10.0.{n}.254/24")
        assert plugin(api) == 0
        yield it


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path) as it:
        yield it


@pytest.fixture
def two_workers(tmp_path: Path) -> Iterator[Served]:
    engine = Engine(workers=2)
    with serve(tmp_path, engine=engine, packets=False) as it:
        yield it
    engine.close()


def plugin(api: Any, enable: bool = True, **more: Any) -> int:
    return int(api.nat44_ed_plugin_enable_disable(enable=enable, **more).retval)


def addresses(api: Any, first: str, last: str, is_add: bool = True, vrf: int = NONE, flags: int = 0) -> int:
    fields = {"first_ip_address": first, "last_ip_address": last, "is_add": is_add, "vrf_id": vrf, "flags": flags}
    return int(api.nat44_add_del_address_range(**fields).retval)


def pool(api: Any) -> list[tuple[str, int, int]]:
    return [(str(d.ip_address), int(d.flags), d.vrf_id) for d in api.nat44_address_dump()]


def role(api: Any, interface: int, flags: int, is_add: bool = True) -> int:
    return int(api.nat44_interface_add_del_feature(sw_if_index=interface, flags=flags, is_add=is_add).retval)


def static(api: Any, is_add: bool = True, v2: bool = False, **more: Any) -> int:
    fields = {
        "is_add": is_add,
        "local_ip_address": "10.0.1.1",
        "external_ip_address": A,
        "external_sw_if_index": NONE,
        "vrf_id": NONE,
    } | more
    change = api.nat44_add_del_static_mapping_v2 if v2 else api.nat44_add_del_static_mapping
    return int(change(**fields).retval)


def port(local: int, external: int, proto: int = TCP, **more: Any) -> dict[str, Any]:
    return {"local_port": local, "external_port": external, "protocol": proto, **more}


def identity(api: Any, is_add: bool = True, **more: Any) -> int:
    fields = {"is_add": is_add, "ip_address": A, "sw_if_index": NONE, "vrf_id": NONE} | more
    return int(api.nat44_add_del_identity_mapping(**fields).retval)


def backend(last: int, share: int = 1, vrf: int = 0) -> dict[str, Any]:
    return {"addr": f"10.0.1.{last}", "port": 80, "probability": share, "vrf_id": vrf}


def service(api: Any, *backends: dict[str, Any], is_add: bool = True, **more: Any) -> int:
    fields = {"external_addr": A, "external_port": 80, "protocol": TCP, "flags": OUT2IN_ONLY} | more
    reply = api.nat44_add_del_lb_static_mapping(is_add=is_add, local_num=len(backends), locals=list(backends), **fields)
    return int(reply.retval)


def change_backend(api: Any, one: dict[str, Any], is_add: bool = True, external_port: int = 80) -> int:
    fields = {"external_addr": A, "external_port": external_port, "protocol": TCP, "local": one}
    return int(api.nat44_lb_static_mapping_add_del_local(is_add=is_add, **fields).retval)


# --- the plugin


def test_on_and_off(served: Served) -> None:
    api = served.client.api
    assert plugin(api) == rv.FEATURE_ALREADY_ENABLED
    config = api.nat44_show_running_config()
    assert (config.retval, config.inside_vrf, config.outside_vrf, config.sessions) == (0, 0, 0, 64512)
    assert (config.translation_buckets, config.forwarding_enabled, int(config.flags)) == (32768, False, 1)
    assert (config.users, config.user_sessions, config.user_buckets, config.ipfix_logging_enabled) == (0, 0, 0, False)
    assert tuple(config.timeouts) == (300, 7440, 240, 60)
    assert plugin(api, False) == 0 and plugin(api, False) == rv.FEATURE_ALREADY_DISABLED
    assert api.nat44_show_running_config().sessions == 0
    for flags in (2, 4):
        assert plugin(api, flags=flags) == rv.UNSUPPORTED
    assert plugin(api, inside_vrf=7, outside_vrf=8, sessions=100, flags=1) == 0
    config = api.nat44_show_running_config()
    assert (config.inside_vrf, config.outside_vrf, config.sessions, config.translation_buckets) == (7, 8, 100, 32)
    assert {t.table.table_id for t in api.ip_table_dump()} >= {0, 7, 8}


def test_while_it_is_off(served: Served) -> None:
    api = served.client.api
    plugin(api, False)
    off = rv.UNSUPPORTED
    assert (addresses(api, A, A), addresses(api, A, A, False)) == (off, rv.NO_SUCH_ENTRY)
    for is_add in (True, False):
        assert api.nat44_add_del_interface_addr(sw_if_index=1, is_add=is_add).retval == off
        assert role(api, 1, INSIDE, is_add) == off
        assert api.nat44_ed_add_del_output_interface(sw_if_index=1, is_add=is_add).retval == off
        assert static(api, is_add, **port(1, 2)) == static(api, is_add, v2=True, **port(1, 2)) == off
        assert identity(api, is_add, flags=ADDR_ONLY) == service(api, backend(1), backend(2), is_add=is_add) == off
        assert change_backend(api, backend(1), is_add) == off
    assert api.nat44_del_session(address="10.0.1.1", port=1, protocol=UDP).retval == off
    assert api.nat44_forwarding_enable_disable(enable=True).retval == 0
    assert api.nat44_show_running_config().forwarding_enabled
    for dump in ("address", "interface", "interface_addr", "static_mapping", "identity_mapping", "lb_static_mapping"):
        assert getattr(api, f"nat44_{dump}_dump")() == []
    assert api.nat44_user_dump() == [] and api.nat44_user_session_v3_dump(ip_address="10.0.1.1") == []


def test_settings(served: Served) -> None:
    api = served.client.api
    assert api.nat_set_timeouts(udp=1, tcp_established=2, tcp_transitory=3, icmp=4).retval == 0
    assert tuple(api.nat44_show_running_config().timeouts) == (1, 2, 3, 4)
    assert (api.nat_get_mss_clamping().mss_value, api.nat_get_mss_clamping().enable) == (0, False)
    assert api.nat_set_mss_clamping(mss_value=1400, enable=True).retval == 0
    assert (api.nat_get_mss_clamping().mss_value, api.nat_get_mss_clamping().enable) == (1400, True)
    assert api.nat_set_mss_clamping(mss_value=1400, enable=False).retval == 0
    assert not api.nat_get_mss_clamping().enable
    assert api.nat44_set_session_limit(session_limit=5, vrf_id=0).retval == 0
    assert api.nat44_set_session_limit(session_limit=5, vrf_id=7).retval == -1
    assert served.engine.nat44.limits == [5]
    assert api.nat44_forwarding_enable_disable(enable=True).retval == 0
    assert api.nat44_show_running_config().forwarding_enabled


def test_workers_of_one(served: Served) -> None:
    api = served.client.api
    assert api.nat_worker_dump() == []
    assert api.nat_set_workers(worker_mask=1).retval == rv.FEATURE_DISABLED


def test_workers(two_workers: Served) -> None:
    api = two_workers.client.api
    assert [(w.worker_index, w.name) for w in api.nat_worker_dump()] == [(0, "vpp_wk_0"), (1, "vpp_wk_1")]
    codes = [api.nat_set_workers(worker_mask=mask).retval for mask in (3, 4, 7, 1)]
    assert codes == [0, rv.INVALID_WORKER, rv.INVALID_WORKER, rv.FEATURE_DISABLED]


def queue_size(api: Any, *sizes: int) -> tuple[list[int], int]:
    """The answers to each, and what is told then."""
    codes = [api.nat44_ed_set_fq_options(frame_queue_nelts=size).retval for size in sizes]
    return codes, api.nat44_ed_show_fq_options().frame_queue_nelts


def test_rings(served: Served) -> None:
    api = served.client.api
    assert queue_size(api, 64) == ([rv.FEATURE_ALREADY_ENABLED], 8192)
    plugin(api, False)
    assert queue_size(api, 0, 3, 64) == ([rv.INVALID_VALUE, rv.INVALID_VALUE, 0], 64)
    plugin(api)
    assert queue_size(api) == ([], 64)


def test_rings_of_several_workers(two_workers: Served) -> None:
    api = two_workers.client.api
    assert queue_size(api) == ([], 0) and queue_size(api, 256) == ([0], 256)
    plugin(api)
    plugin(api, False)
    assert queue_size(api, 3, 64) == ([rv.INVALID_VALUE, 1], 256)  # VPP's answer is a 1


def vrf_table(api: Any, table: int, is_add: bool = True) -> int:
    return int(api.nat44_ed_add_del_vrf_table(table_vrf_id=table, is_add=is_add).retval)


def vrf_route(api: Any, table: int, to: int, is_add: bool = True) -> int:
    return int(api.nat44_ed_add_del_vrf_route(table_vrf_id=table, vrf_id=to, is_add=is_add).retval)


def test_vrf_tables(served: Served) -> None:
    api = served.client.api
    assert [vrf_table(api, 1), vrf_table(api, 2), vrf_table(api, 1)] == [0, 0, rv.VALUE_EXIST]
    assert [vrf_route(api, 1, 258), vrf_route(api, 1, 2), vrf_route(api, 1, 2)] == [0, 0, rv.VALUE_EXIST]
    assert [vrf_route(api, 9, 1), vrf_route(api, 2, 1, False), vrf_table(api, 9, False)] == [rv.NO_SUCH_ENTRY] * 3
    told = [(d.table_vrf_id, d.n_vrf_ids, list(d.vrf_ids)) for d in api.nat44_ed_vrf_tables_v2_dump()]
    assert told == [(1, 2, [258, 2]), (2, 0, [])]
    # the first version of the dump is wrong in VPP: that is why there is a second one
    told = [(d.table_vrf_id, d.n_vrf_ids, list(d.vrf_ids)) for d in api.nat44_ed_vrf_tables_dump()]
    assert told == [(0, 2, [0x02010000, 0x02000000]), (0, 0, [])]
    assert [vrf_route(api, 1, 258, False), vrf_table(api, 1, False), vrf_table(api, 2, False)] == [0, 0, 0]
    assert api.nat44_ed_vrf_tables_v2_dump() == []


# --- addresses


def test_addresses(served: Served) -> None:
    api = served.client.api
    assert addresses(api, A, C) == 0 and addresses(api, B, B) == rv.VALUE_EXIST
    assert addresses(api, "192.0.2.9", "192.0.2.9", vrf=7, flags=TWICE_NAT) == 0
    assert addresses(api, A, A, vrf=0, flags=TWICE_NAT) == 0
    twice = [("192.0.2.9", TWICE_NAT, 7), (A, TWICE_NAT, 0)]
    assert pool(api) == [(A, 0, NONE), (B, 0, NONE), (C, 0, NONE), *twice]
    assert addresses(api, A, A, False) == 0 and addresses(api, A, A, False) == rv.NO_SUCH_ENTRY
    assert pool(api) == [(C, 0, NONE), (B, 0, NONE), *twice]
    assert addresses(api, B, "192.0.2.5", False) == rv.NO_SUCH_ENTRY
    assert pool(api) == twice
    assert addresses(api, A, "192.0.2.9", False, flags=TWICE_NAT) == rv.NO_SUCH_ENTRY
    assert pool(api) == twice[:1]


@pytest.mark.parametrize("is_add", [True, False])
def test_ranges_without_addresses(served: Served, is_add: bool) -> None:
    """VPP's count is a signed 32-bit number."""
    api = served.client.api
    assert addresses(api, B, A, is_add) == 0
    assert addresses(api, "0.0.0.0", "127.255.255.255", is_add) == 0
    assert addresses(api, "0.0.0.0", "255.255.255.255", is_add) == 0
    assert pool(api) == []


def test_ranges_with_too_many_addresses(served: Served) -> None:
    api = served.client.api
    assert addresses(api, "10.0.0.0", "10.1.0.0") == rv.INVALID_VALUE and pool(api) == []
    assert addresses(api, "10.0.0.0", "11.0.0.0", False) == rv.NO_SUCH_ENTRY


def test_addresses_of_interfaces(served: Served) -> None:
    api = served.client.api

    def change(interface: int, flags: int = 0, is_add: bool = True) -> int:
        return int(api.nat44_add_del_interface_addr(sw_if_index=interface, flags=flags, is_add=is_add).retval)

    def told() -> list[tuple[int, int]]:
        return [(d.sw_if_index, int(d.flags)) for d in api.nat44_interface_addr_dump()]

    assert [change(1), change(2, TWICE_NAT), change(3), change(1)] == [0, 0, 0, rv.VALUE_EXIST]
    assert told() == [(1, 0), (2, TWICE_NAT), (3, 0)]
    assert [a for a, _, _ in pool(api)] == ["10.0.1.254", "10.0.3.254", "10.0.2.254"]
    api.sw_interface_add_del_address(sw_if_index=1, is_add=False, prefix="10.0.1.254/24")
    assert [a for a, _, _ in pool(api)] == ["10.0.3.254", "10.0.2.254"]
    assert [change(1, 0, False), change(1, 0, False), change(9)] == [0, rv.NO_SUCH_ENTRY, rv.INVALID_SW_IF_INDEX]
    assert told() == [(3, 0), (2, TWICE_NAT)]


# --- interfaces


def test_interfaces(served: Served) -> None:
    api = served.client.api

    def told() -> list[tuple[int, int]]:
        return [(d.sw_if_index, int(d.flags)) for d in api.nat44_interface_dump()]

    assert [role(api, 1, INSIDE), role(api, 2, OUTSIDE), role(api, 3, 0), role(api, 1, INSIDE)] == [0, 0, 0, 0]
    assert told() == [(1, INSIDE), (2, OUTSIDE), (3, OUTSIDE)]
    assert role(api, 1, OUTSIDE) == 0 and told()[0] == (1, INSIDE | OUTSIDE)
    assert api.feature_is_enabled(arc_name="ip4-unicast", feature_name="nat44-ed-classify", sw_if_index=1).is_enabled
    assert role(api, 1, INSIDE, False) == 0 and told()[0] == (1, OUTSIDE)
    assert [role(api, 1, OUTSIDE, False), role(api, 1, OUTSIDE, False)] == [0, rv.NO_SUCH_ENTRY]
    assert role(api, 9, INSIDE) == role(api, 9, INSIDE, False) == rv.INVALID_SW_IF_INDEX


def test_output_interfaces(served: Served) -> None:
    api = served.client.api

    def change(interface: int, is_add: bool = True) -> int:
        return int(api.nat44_ed_add_del_output_interface(sw_if_index=interface, is_add=is_add).retval)

    def told(cursor: int = 0) -> tuple[int, list[int]]:
        reply, details = api.nat44_ed_output_interface_get(cursor=cursor)
        return reply.retval, [d.sw_if_index for d in details]

    assert told() == (0, [])
    assert [change(1), change(2), change(3), change(1)] == [0, 0, 0, rv.VALUE_EXIST]
    assert role(api, 1, INSIDE) == rv.VALUE_EXIST and change(9) == rv.INVALID_SW_IF_INDEX
    assert told() == (0, [1, 2, 3]) and told(1) == (0, [2, 3])
    assert told(3) == (rv.INVALID_VALUE, []) and told(NONE) == (0, [1, 2, 3])
    assert [change(1, False), change(1, False)] == [0, rv.NO_SUCH_ENTRY]
    assert role(api, 1, INSIDE) == 0 and change(1) == rv.VALUE_EXIST
    assert told() == (0, [2, 3]) and api.nat44_interface_dump()[0].sw_if_index == 1


# --- mappings


def told_static(api: Any) -> list[tuple[Any, ...]]:
    return [
        (
            int(d.flags),
            str(d.local_ip_address),
            d.local_port,
            str(d.external_ip_address),
            d.external_port,
            d.protocol,
            d.external_sw_if_index,
            d.vrf_id,
            d.tag,
        )
        for d in api.nat44_static_mapping_dump()
    ]


def test_static_mappings(served: Served) -> None:
    api = served.client.api
    assert static(api, **port(8080, 80), tag="web", vrf_id=7) == 0
    assert static(api, flags=ADDR_ONLY, external_ip_address=B, **port(1, 2)) == 0
    assert static(api, **port(9, 9, UDP), external_sw_if_index=2, tag="x" * 63, flags=TWICE_NAT) == 0
    pooled = {"v2": True, "pool_ip_address": C, "match_pool": True}
    assert static(api, **pooled, **port(5, 6), flags=TWICE_NAT | OUT2IN_ONLY) == 0
    assert static(api, **port(7, 7), external_sw_if_index=99) == 0  # VPP does not look whether there is one
    assert told_static(api) == [
        (0, "10.0.1.1", 8080, A, 80, TCP, NONE, 7, "web"),
        (ADDR_ONLY, "10.0.1.1", 0, B, 0, 0, NONE, 0, ""),
        (TWICE_NAT, "10.0.1.1", 9, "10.0.2.254", 9, UDP, NONE, 0, "x" * 63),
        (TWICE_NAT | OUT2IN_ONLY, "10.0.1.1", 5, A, 6, TCP, NONE, 0, ""),
        (TWICE_NAT, "10.0.1.1", 9, "0.0.0.0", 9, UDP, 2, NONE, "x" * 63),
        (0, "10.0.1.1", 7, "0.0.0.0", 7, TCP, 99, NONE, ""),
    ]
    exact = [m for m in served.engine.nat44.mappings if m.pool_address]
    assert [IPv4Address(m.pool_address) for m in exact] == [IPv4Address(C)]
    assert static(api, **port(8080, 80), vrf_id=7) == rv.VALUE_EXIST
    assert static(api, **port(8080, 81), vrf_id=7) == rv.VALUE_EXIST  # by the local side
    assert static(api, **port(9, 9, UDP), external_sw_if_index=2) == rv.VALUE_EXIST
    assert static(api, flags=ADDR_ONLY | TWICE_NAT) == static(api, flags=ADDR_ONLY | SELF_TWICE_NAT) == rv.UNSUPPORTED
    gone = [
        static(api, False, **port(8080, 80), vrf_id=7),
        static(api, False, flags=ADDR_ONLY, external_ip_address=B),
        static(api, False, **port(9, 9, UDP), external_sw_if_index=2, flags=TWICE_NAT),
        static(api, False, **pooled, **port(5, 6), flags=TWICE_NAT | OUT2IN_ONLY),
        static(api, False, **port(7, 7), external_sw_if_index=99),
    ]
    assert gone == [0] * 5 and told_static(api) == []
    assert static(api, False, **port(8080, 80)) == rv.NO_SUCH_ENTRY
    assert static(api, False, **port(7, 7), external_sw_if_index=99) == rv.NO_SUCH_ENTRY


def test_identity_mappings(served: Served) -> None:
    api = served.client.api

    def told() -> list[tuple[Any, ...]]:
        dump = api.nat44_identity_mapping_dump()
        return [(int(d.flags), str(d.ip_address), d.port, d.protocol, d.sw_if_index, d.vrf_id, d.tag) for d in dump]

    both = {"port": 80, "protocol": TCP}
    assert [identity(api, flags=ADDR_ONLY, tag="a"), identity(api, **both, vrf_id=7), identity(api, **both)] == [0] * 3
    assert identity(api, **both, sw_if_index=2, tag="i") == 0
    assert told() == [
        (ADDR_ONLY, A, 0, 0, NONE, 0, "a"),
        (0, A, 80, TCP, NONE, 7, ""),
        (0, A, 80, TCP, NONE, 0, ""),
        (0, "10.0.2.254", 80, TCP, NONE, 0, "i"),
        (0, "0.0.0.0", 80, TCP, 2, NONE, "i"),
    ]
    assert told_static(api) == []
    assert [identity(api, **both, vrf_id=7), identity(api, **both, sw_if_index=2)] == [rv.VALUE_EXIST] * 2
    assert [identity(api, False, **both, vrf_id=7), identity(api, False, **both, sw_if_index=2)] == [0, 0]
    assert identity(api, False, **both, vrf_id=7) == rv.NO_SUCH_ENTRY
    assert [t[:3] for t in told()] == [(ADDR_ONLY, A, 0), (0, A, 80)]


def test_services(served: Served) -> None:
    api = served.client.api

    def told() -> list[tuple[Any, ...]]:
        return [
            (
                str(d.external_addr),
                d.external_port,
                d.protocol,
                int(d.flags),
                d.affinity,
                d.tag,
                d.local_num,
                [(str(o.addr), o.port, o.probability, o.vrf_id) for o in d.locals],
            )
            for d in api.nat44_lb_static_mapping_dump()
        ]

    assert service(api, backend(1), backend(2), flags=0) == rv.NO_SUCH_ENTRY  # the address is not in the pool
    assert service(api, backend(1)) == rv.INVALID_VALUE
    assert service(api, backend(1, 10), backend(2, 20, 7), affinity=30, tag="lb") == 0
    assert service(api, backend(1), backend(2)) == rv.VALUE_EXIST
    both = TWICE_NAT | SELF_TWICE_NAT
    assert service(api, backend(1), backend(2), external_port=81, flags=OUT2IN_ONLY | both) == 0
    first = (A, 80, TCP, OUT2IN_ONLY, 0, "lb")  # VPP does not tell the affinity
    one, two, three = (("10.0.1.1", 80, 10, 0), ("10.0.1.2", 80, 20, 7), ("10.0.1.3", 80, 30, 0))
    assert [t[:7] for t in told()] == [(*first, 2), (A, 81, TCP, OUT2IN_ONLY | TWICE_NAT, 0, "", 2)]
    assert told()[0][7] == [one, two]
    assert change_backend(api, backend(3, 30)) == 0 and change_backend(api, backend(3)) == rv.VALUE_EXIST
    assert told()[0][6:] == (3, [one, two, three])
    assert change_backend(api, backend(1), False) == 0 and told()[0][6:] == (2, [two, three])
    assert change_backend(api, backend(1), False) == rv.NO_SUCH_ENTRY
    assert change_backend(api, backend(3), False) == rv.UNSPECIFIED
    assert change_backend(api, backend(1), external_port=9) == rv.NO_SUCH_ENTRY
    assert static(api, **port(5, 5)) == 0 and change_backend(api, backend(1), external_port=5) == rv.INVALID_VALUE
    assert service(api, is_add=False, external_port=5) == rv.INVALID_VALUE
    assert service(api, is_add=False) == 0 and service(api, is_add=False) == rv.NO_SUCH_ENTRY
    assert [t[1] for t in told()] == [81] and [t[4] for t in told_static(api)] == [5]


# --- sessions


FLOWS = (("10.0.1.1", 2000), ("10.0.1.1", 2001), ("10.0.1.2", 2000))


@pytest.fixture
def talking(tmp_path: Path) -> Iterator[Served]:
    """Sessions of `FLOWS` with port 53 of 10.0.2.1; the first one is a mapping's."""
    with serving(tmp_path, packets=True) as it:
        api, engine = it.client.api, it.engine
        assert role(api, 1, INSIDE) == role(api, 2, OUTSIDE) == addresses(api, "10.0.2.77", "10.0.2.77") == 0
        assert static(api, **port(2000, 80, UDP), external_ip_address="10.0.2.80") == 0
        with engine.paused():
            head = engine.interfaces[1].mac + HOST_MAC + b"\x08\x00"
            engine.pg.add("flows", 1, [head + udp(source, "10.0.2.1", sport, 53) for source, sport in FLOWS])
        assert api.pg_enable_disable(is_enabled=True, stream_name="flows").retval == 0
        end = time.monotonic() + 20
        while sum(u.nsessions + u.nstaticsessions for u in api.nat44_user_dump()) < len(FLOWS):
            assert time.monotonic() < end
        yield it


def sessions(api: Any, dump: str, host: str) -> list[tuple[Any, ...]]:
    return list(getattr(api, f"nat44_user_session{dump}_dump")(ip_address=host, vrf_id=0))


def users(api: Any) -> list[tuple[str, int, int, int]]:
    return [(str(u.ip_address), u.vrf_id, u.nsessions, u.nstaticsessions) for u in api.nat44_user_dump()]


def test_users_and_sessions(talking: Served) -> None:
    api = talking.client.api
    assert users(api) == [("10.0.1.1", 0, 1, 1), ("10.0.1.2", 0, 1, 0)]
    by_dump = [sessions(api, dump, "10.0.1.1") for dump in ("", "_v2", "_v3")]
    for found in by_dump:
        assert [s.inside_port for s in found] == [2000, 2001]
        assert [int(s.flags) for s in found] == [EXT_HOST_VALID | STATIC, EXT_HOST_VALID]
        assert [str(s.outside_ip_address) for s in found] == ["10.0.2.80", "10.0.2.77"]
        first = found[0]
        assert (str(first.inside_ip_address), first.outside_port, first.protocol) == ("10.0.1.1", 80, UDP)
        assert (str(first.ext_host_address), first.ext_host_port) == ("10.0.2.1", 53)
        assert (str(first.ext_host_nat_address), first.ext_host_nat_port) == ("0.0.0.0", 0)
        assert (first.total_pkts, first.total_bytes) == (1, 28)
    for newer in by_dump[1:]:
        assert [s.is_timed_out for s in newer] == [False, False]
    assert all(s.time_since_last_heard < 20 for s in by_dump[2])
    assert sessions(api, "", "10.0.1.9") == []


def test_a_session_is_deleted(talking: Served) -> None:
    api = talking.client.api

    def delete(address: str, sport: int, other: str, dport: int, flags: int = 0, vrf: int = 0) -> int:
        fields = {"address": address, "port": sport, "ext_host_address": other, "ext_host_port": dport}
        return int(api.nat44_del_session(protocol=UDP, flags=flags, vrf_id=vrf, **fields).retval)

    gone = rv.NO_SUCH_ENTRY
    assert [delete("10.0.1.1", 9, "10.0.2.1", 53), delete("10.0.1.1", 2000, "10.0.2.1", 53, vrf=7)] == [gone, gone]
    assert delete("10.0.1.1", 2000, "10.0.2.1", 53, INSIDE) == 0
    assert delete("10.0.1.1", 2000, "10.0.2.1", 53, INSIDE) == gone
    assert delete("10.0.2.1", 53, "10.0.2.77", 2001) == 0  # by what comes back
    assert users(api) == [("10.0.1.2", 0, 1, 0)]


def test_sessions_end_with_what_they_stand_on(talking: Served) -> None:
    api = talking.client.api
    assert addresses(api, "10.0.2.77", "10.0.2.77", False) == 0
    assert users(api) == [("10.0.1.1", 0, 0, 1)]
    assert static(api, False, **port(2000, 80, UDP), external_ip_address="10.0.2.80") == 0
    assert users(api) == []


def test_switched_off_with_sessions(talking: Served) -> None:
    api = talking.client.api
    assert plugin(api, False) == 0 and users(api) == []
    assert plugin(api) == 0 and users(api) == [] and api.nat44_interface_dump() == []
