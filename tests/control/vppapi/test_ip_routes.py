"""Routes and tables through the real vpp_papi client: what was added is dumped, and VPP's return codes."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Any

import pytest

from tests.control.vppapi.client import Served, serve

NONE = 0xFFFFFFFF
NORMAL, LOCAL, DROP, UNREACHABLE, PROHIBIT, SOURCE_LOOKUP, INTERFACE_RX = 0, 1, 2, 5, 6, 7, 9


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("api"), packets=False) as it:
        for n in (1, 2):
            index = it.engine.interfaces.add(f"eth{n}").sw_if_index
            assert index == n
            it.engine.interfaces.set_up(n)
            it.engine.addresses.add(n, f"10.{n}.0.1/24")
        yield it


def path(hop: str = "0.0.0.0", interface: int = NONE, **fields: Any) -> dict[str, Any]:
    return {
        "weight": 1,
        "sw_if_index": interface,
        "rpf_id": 0,
        "proto": 0,
        "nh": {"address": {"ip4": hop}},
        "n_labels": 0,
        "label_stack": [{}] * 16,
        **fields,
    }


def change(
    served: Served, prefix: str, *paths: dict[str, Any], add: bool = True, multi: bool = False, **of: Any
) -> Any:
    route = {"table_id": 0, "prefix": prefix, "n_paths": len(paths), "paths": list(paths), **of}
    return served.client.api.ip_route_add_del(is_add=add, is_multipath=multi, route=route)


def dump(served: Served, table: int = 0) -> dict[str, Any]:
    details = served.client.api.ip_route_dump(table={"table_id": table})
    return {str(d.route.prefix): d.route for d in details}


def told(route: Any) -> list[tuple[Any, ...]]:
    return [
        (str(p.nh.address.ip4), p.sw_if_index, p.type, p.weight, p.preference, p.table_id)
        for p in route.paths[: route.n_paths]
    ]


def test_what_is_added_is_dumped(served: Served) -> None:
    via = path("10.1.0.2", 1, weight=3)
    reply = change(served, "20.0.0.0/8", via, path("10.2.0.2", 2, preference=1))
    assert reply.retval == 0
    route = dump(served)["20.0.0.0/8"]
    assert route.stats_index == reply.stats_index != NONE
    assert told(route) == [("10.1.0.2", 1, NORMAL, 3, 0, 0), ("10.2.0.2", 2, NORMAL, 1, 1, 0)]
    # again: the same index, one path; then one added, and one taken away
    assert change(served, "20.0.0.0/8", via).stats_index == reply.stats_index
    assert change(served, "20.0.0.0/8", path("10.2.0.3", 2), multi=True).retval == 0
    assert change(served, "20.0.0.0/8", path("10.2.0.3", 2, weight=9), multi=True).retval == 0, "changes nothing"
    assert told(dump(served)["20.0.0.0/8"]) == [
        ("10.1.0.2", 1, NORMAL, 3, 0, 0),
        ("10.2.0.3", 2, NORMAL, 1, 0, 0),
    ]
    assert change(served, "20.0.0.0/8", via, add=False, multi=True).retval == 0
    assert told(dump(served)["20.0.0.0/8"]) == [("10.2.0.3", 2, NORMAL, 1, 0, 0)]
    assert change(served, "20.0.0.0/8", add=False).retval == 0
    assert change(served, "20.0.0.0/8", add=False).retval == 0, "VPP does not mind"
    assert "20.0.0.0/8" not in dump(served)


@pytest.mark.parametrize(
    ("given", "listed"),
    [
        (path("10.1.0.7"), ("10.1.0.7", NONE, NORMAL, 1, 0, 0)),
        (path("10.1.0.7", flags=3), ("10.1.0.7", NONE, NORMAL, 1, 0, 0)),
        (path(interface=2), ("0.0.0.0", 2, NORMAL, 1, 0, 0)),
        (path(type=DROP), ("0.0.0.0", NONE, DROP, 1, 0, 0)),
        (path(type=UNREACHABLE), ("0.0.0.0", NONE, UNREACHABLE, 1, 0, 0)),
        (path(type=PROHIBIT), ("0.0.0.0", NONE, PROHIBIT, 1, 0, 0)),
        (path(type=LOCAL), ("0.0.0.0", NONE, LOCAL, 1, 0, 0)),
        (path(table_id=77), ("0.0.0.0", NONE, NORMAL, 1, 0, 77)),
        (path(table_id=77, type=SOURCE_LOOKUP), ("0.0.0.0", NONE, NORMAL, 1, 0, 77)),
        (path("30.0.0.1", table_id=77), ("30.0.0.1", NONE, NORMAL, 1, 0, 77)),
        (path(interface=1, type=INTERFACE_RX), ("0.0.0.0", 1, INTERFACE_RX, 1, 0, 0)),
        (path("60.0.0.0"), ("0.0.0.0", NONE, DROP, 1, 0, 0)),
    ],
)
def test_kinds_of_paths(served: Served, given: dict[str, Any], listed: tuple[Any, ...]) -> None:
    served.client.api.ip_table_add_del(is_add=True, table={"table_id": 77})
    assert change(served, "60.0.0.0/16", given).retval == 0
    assert told(dump(served)["60.0.0.0/16"]) == [listed]
    assert change(served, "60.0.0.0/16", add=False).retval == 0
    served.client.api.ip_table_add_del(is_add=False, table={"table_id": 77})
    assert not dump(served, 77)


def test_refusals(served: Served) -> None:
    via = path("10.1.0.2", 1)
    assert change(served, "20.0.0.0/8", via, table_id=99).retval == -3  # NO_SUCH_FIB
    assert change(served, "20.0.0.0/8", via, table_id=99).stats_index == NONE
    assert change(served, "20.0.0.0/8", path("1.2.3.4", table_id=99)).retval == -3
    assert change(served, "20.0.0.0/8", path("1.2.3.4", 99)).retval == -54  # NO_MATCHING_INTERFACE
    assert change(served, "20.0.0.0/8").retval == -52  # NO_PATHS_IN_ROUTE
    assert change(served, "20.0.0.0/8", add=False, multi=True).retval == -52
    prefix = {"address": {"af": 0, "un": {"ip4": "20.0.0.0"}}, "len": 33}
    assert change(served, prefix, via).retval == -171  # type: ignore[arg-type] # INVALID_PREFIX_LENGTH
    assert change(served, "20.0.0.0/8", path(type=10)).retval == -65  # NO_SUCH_TABLE
    labels = path("10.1.0.2", 1, n_labels=1, label_stack=[{"label": 33, "ttl": 255}] + [{}] * 15)
    assert change(served, "20.0.0.0/8", labels).retval == -9  # UNIMPLEMENTED
    assert change(served, "20.0.0.0/8", path(proto=2)).retval == -9
    assert "20.0.0.0/8" not in dump(served)


def test_second_version(served: Served) -> None:
    api = served.client.api
    route = {"prefix": "21.0.0.0/8", "n_paths": 1, "paths": [path("10.1.0.2", 1)]}
    for source in (9, 0):
        assert api.ip_route_add_del_v2(is_add=True, route={**route, "src": source}).retval == 0
    assert api.ip_route_add_del_v2(is_add=True, route={**route, "src": 200}).retval == -7
    listed = {str(d.route.prefix): d.route.src for d in api.ip_route_v2_dump(src=0, table={"table_id": 0})}
    assert listed["21.0.0.0/8"] == 8 and listed["10.1.0.0/24"] == 4 and listed["0.0.0.0/0"] == 20
    assert api.ip_route_add_del_v2(is_add=False, route={"prefix": "21.0.0.0/8", "n_paths": 0, "src": 8}).retval == 0
    listed = {str(d.route.prefix): d.route.src for d in api.ip_route_v2_dump(src=9, table={"table_id": 0})}
    assert listed == {"21.0.0.0/8": 9}
    assert api.ip_route_lookup_v2(table_id=0, exact=1, prefix="21.0.0.0/8").route.src == 9
    assert api.ip_route_add_del_v2(is_add=False, route={"prefix": "21.0.0.0/8", "n_paths": 0, "src": 9}).retval == 0


def test_lookup(served: Served) -> None:
    api = served.client.api
    change(served, "1.1.0.0/16", path(type=DROP))
    change(served, "1.1.1.0/24", path(type=DROP))

    def found(prefix: str, exact: bool, table: int = 0) -> Any:
        reply = api.ip_route_lookup(table_id=table, exact=exact, prefix=prefix)
        return reply.retval or str(reply.route.prefix)

    assert found("1.1.1.2/32", False) == found("1.1.1.0/24", True) == found("1.1.1.0/24", False) == "1.1.1.0/24"
    assert found("1.1.2.0/24", False) == "1.1.0.0/16"
    assert found("1.1.1.2/32", True) == -6  # NO_SUCH_ENTRY
    assert found("1.1.1.2/32", True, 98) == -3
    assert found("9.9.9.9/32", False) == "0.0.0.0/0"
    for prefix in ("1.1.0.0/16", "1.1.1.0/24"):
        change(served, prefix, add=False)


def test_tables(served: Served) -> None:
    api = served.client.api
    assert api.ip_table_add_del_v2(is_add=True, create_mfib=True, table={"table_id": 5, "name": "five"}).retval == 0
    assert api.ip_table_add_del_v2(is_add=True, create_mfib=True, table={"table_id": 5}).retval == 0
    made = api.ip_table_allocate(table={"table_id": NONE, "name": "any"}).table
    tables = {t.table.table_id: t.table.name for t in api.ip_table_dump() if not t.table.is_ip6}
    assert tables == {0: "ipv4-VRF:0", 5: "five", made.table_id: "any"}
    assert {t.table.table_id for t in api.ip_mtable_dump()} == {0, 5, made.table_id}
    assert len(dump(served, 5)) == 5
    # a table stays while an interface is in it
    with served.engine.paused():
        index = served.engine.interfaces.add("loop9").sw_if_index
        served.engine.addresses.set_table(index, 5)
    assert api.ip_table_add_del(is_add=False, table={"table_id": 5}).retval == 0
    assert len(dump(served, 5)) == 5
    with served.engine.paused():
        served.engine.addresses.set_table(index, 0)
    assert not dump(served, 5)
    assert api.ip_table_add_del(is_add=False, table={"table_id": made.table_id}).retval == 0
    assert api.ip_table_add_del(is_add=False, table={"table_id": 1234}).retval == 0, "VPP does not mind"
    assert api.ip_table_add_del(is_add=False, table={"table_id": 0}).retval == 0
    assert [t.table.table_id for t in api.ip_table_dump() if not t.table.is_ip6] == [0]
    for message in (api.ip_table_flush, api.ip_table_replace_begin, api.ip_table_replace_end):
        assert message(table={"table_id": 5}).retval == -3


def test_replace_and_flush(served: Served) -> None:
    api = served.client.api
    table = {"table_id": 6}
    api.ip_table_add_del(is_add=True, table=table)
    prefixes = [f"30.0.{i}.0/24" for i in range(8)]
    for prefix in prefixes:
        assert change(served, prefix, path("10.1.0.2", 1), table_id=6).retval == 0
    with served.engine.paused():
        hop = served.engine.routes.path("10.1.0.3", "eth1")
        bulk = [int(IPv4Network(f"31.0.{i}.0/24").network_address) for i in range(8)]
        served.engine.routes.load(bulk, [24] * 8, [hop], table=6)
    assert api.ip_table_replace_begin(table=table).retval == 0
    for prefix in prefixes[::2]:
        change(served, prefix, path("10.1.0.2", 1), table_id=6)
    change(served, "31.0.1.0/24", path("10.1.0.2", 1), table_id=6)
    with served.engine.paused():
        served.engine.routes.load(bulk[2:4], [24] * 2, [hop], table=6)
    assert {*prefixes} < dump(served, 6).keys()
    assert api.ip_table_replace_end(table=table).retval == 0
    left = {p for p in dump(served, 6) if p.startswith("3")}
    assert left == {*prefixes[::2], "31.0.1.0/24", "31.0.2.0/24", "31.0.3.0/24"}
    assert api.ip_table_flush(table=table).retval == 0
    assert len(dump(served, 6)) == 5
    api.ip_table_add_del(is_add=False, table=table)


def test_changes_during_a_dump(served: Served) -> None:
    routes = served.engine.routes
    with served.engine.paused():
        bulk = [(40 << 24) + (i << 8) for i in range(300)]
        routes.load(bulk, [24] * 300, [routes.path("10.1.0.3", "eth1")])
        for i in range(300):
            routes.update(((41 << 24) + (i << 8), 24), routes.path("10.1.0.4", "eth1"))
    walk = routes.dump()
    seen = [str(next(walk)) for _ in range(20)]
    for i in range(300):
        routes.remove(((40 << 24) + (i << 8), 24))
        routes.remove(((41 << 24) + (i << 8), 24))
    rest = [str(r) for r in walk]
    assert not [p for p in rest if p.startswith("4")], "what vanished is passed over"
    assert "224.0.0.0/4" in rest and "10.1.0.0/24" in seen
