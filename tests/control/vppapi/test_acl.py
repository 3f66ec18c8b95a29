"""acl.api through the real vpp_papi client; what is expected was answered by a real VPP (26.10)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tests.control.vppapi.client import Served, serve
from tests.control.vppapi.wire import Client
from vectorplane.control.vppapi import retval as rv
from vectorplane.control.vppapi.handlers.acl import check_tag
from vectorplane.control.vppapi.retval import ApiError
from vectorplane.control.vppapi.schema.registry import load

NONE = 0xFFFFFFFF
ALL_PORTS = (0, 65535)


@pytest.fixture
def served(tmp_path: Any) -> Iterator[Served]:
    with serve(tmp_path, packets=False) as it:
        for n in (1, 2):
            assert it.client.api.pg_create_interface(interface_id=n).sw_if_index == n
        yield it


def rule(
    action: int = 1,
    src: Any = "0.0.0.0/0",
    dst: Any = "0.0.0.0/0",
    proto: int = 0,
    sport: tuple[int, int] = ALL_PORTS,
    dport: tuple[int, int] = ALL_PORTS,
    flags: tuple[int, int] = (0, 0),
) -> dict[str, Any]:
    return {
        "is_permit": action,
        "src_prefix": src,
        "dst_prefix": dst,
        "proto": proto,
        "srcport_or_icmptype_first": sport[0],
        "srcport_or_icmptype_last": sport[1],
        "dstport_or_icmpcode_first": dport[0],
        "dstport_or_icmpcode_last": dport[1],
        "tcp_flags_mask": flags[0],
        "tcp_flags_value": flags[1],
    }


def ip4(last: int, length: int) -> dict[str, Any]:
    return {"address": {"af": 0, "un": {"ip4": bytes([10, 0, 0, last])}}, "len": length}


def add(api: Any, rules: Sequence[dict[str, Any]], index: int = NONE, tag: str = "t") -> tuple[int, int]:
    reply = api.acl_add_replace(acl_index=index, tag=tag, count=len(rules), r=list(rules))
    return reply.retval, reply.acl_index


def shown(acl: Any) -> tuple[int, str, list[dict[str, Any]]]:
    assert acl.count == len(acl.r)
    fields = [dict(r._asdict()) for r in acl.r]
    prefixes = ("src_prefix", "dst_prefix")
    return acl.acl_index, acl.tag, [f | {name: str(f[name]) for name in prefixes} for f in fields]


def set_lists(api: Any, interface: int, inputs: Sequence[int], outputs: Sequence[int]) -> int:
    acls = [*inputs, *outputs]
    fields = {"sw_if_index": interface, "count": len(acls), "n_input": len(inputs), "acls": acls}
    return int(api.acl_interface_set_acl_list(**fields).retval)


def change(api: Any, interface: int, acl: int, is_add: bool, is_input: bool) -> int:
    fields = {"sw_if_index": interface, "acl_index": acl, "is_add": is_add, "is_input": is_input}
    return int(api.acl_interface_add_del(**fields).retval)


def lists(api: Any, interface: int = NONE) -> list[tuple[int, list[int], list[int]]]:
    found = api.acl_interface_list_dump(sw_if_index=interface)
    assert all(d.count == len(d.acls) for d in found)
    return [(d.sw_if_index, d.acls[: d.n_input], d.acls[d.n_input :]) for d in found]


def test_the_plugin(served: Served) -> None:
    api = served.client.api
    version = api.acl_plugin_get_version()
    assert (version.major, version.minor) == (1, 4)
    ping = api.acl_plugin_control_ping()
    assert (ping.retval, ping.client_index, ping.vpe_pid) == (0, 0, api.control_ping().vpe_pid)
    assert api.acl_plugin_get_conn_table_max_entries().conn_table_max_entries == 500_000
    acls = served.engine.acls
    for on in (False, True):
        assert api.acl_plugin_use_hash_lookup_set(enable=on).retval == 0
        assert acls.use_hash_matching == on
        assert api.acl_stats_intf_counters_enable(enable=on).retval == 0 and acls.counters_enabled == on


def test_is_the_hash_lookup_on(served: Served) -> None:
    """vpp_papi takes so short a reply (7 bytes) for none, from a real VPP too."""
    client = Client(load(), served.server.path)
    for on in (True, False):
        served.client.api.acl_plugin_use_hash_lookup_set(enable=on)
        name, reply = client.call("acl_plugin_use_hash_lookup_get")
        assert (name, bool(reply.enable)) == ("acl_plugin_use_hash_lookup_get_reply", on)
    client.close()


def test_rules_come_back(served: Served) -> None:
    api = served.client.api
    first = [rule(7)]
    second = [
        rule(1, "10.0.0.0/24", "10.1.0.0/16", 6, (1, 2), (3, 4), (5, 6)),
        rule(2, "2001:db8::/32", "::/0", 58, (128, 129)),
        rule(0, "10.0.0.1/32"),
    ]
    assert [add(api, first, tag=""), add(api, second, tag="x" * 63), add(api, [])] == [(0, 0), (0, 1), (0, 2)]
    assert [shown(a) for a in api.acl_dump(acl_index=NONE)] == [(0, "", first), (1, "x" * 63, second), (2, "t", [])]
    assert [shown(a) for a in api.acl_dump(acl_index=1)] == [(1, "x" * 63, second)]
    assert api.acl_dump(acl_index=3) == []
    assert add(api, second, 0, "new") == (0, 0)
    assert [shown(a) for a in api.acl_dump(acl_index=0)] == [(0, "new", second)]
    assert [api.acl_del(acl_index=i).retval for i in (1, 1, 7)] == [0, rv.NO_SUCH_ENTRY, rv.NO_SUCH_ENTRY]
    assert [add(api, first), add(api, first)] == [(0, 1), (0, 3)], "the number that is free comes first"


@pytest.mark.parametrize(
    ("index", "rules", "retval"),
    [
        (77, [rule()], rv.NO_SUCH_ENTRY),
        (77, [rule(sport=(5, 3))], rv.INVALID_VALUE_2),
        (NONE, [rule(dport=(5, 3))], rv.INVALID_VALUE_2),
        (NONE, [rule(1, "10.0.0.0/24", "::/0")], rv.INVALID_SRC_ADDRESS),
        (NONE, [rule(1, ip4(1, 24))], rv.INVALID_SRC_ADDRESS),
        (NONE, [rule(1, ip4(0, 33))], rv.INVALID_SRC_ADDRESS),
        (NONE, [rule(1, ip4(0, 33), ip4(0, 33), sport=(5, 3))], rv.INVALID_SRC_ADDRESS),
        (NONE, [rule(1, dst=ip4(1, 24))], rv.INVALID_DST_ADDRESS),
        (NONE, [rule(1, dst=ip4(0, 33))], rv.INVALID_DST_ADDRESS),
        (NONE, [rule(sport=(5, 3)), rule(1, ip4(0, 33))], rv.INVALID_VALUE_2),
    ],
)
def test_refused(served: Served, index: int, rules: list[dict[str, Any]], retval: int) -> None:
    api = served.client.api
    assert add(api, rules, index) == (retval, index)
    assert api.acl_dump(acl_index=NONE) == []


@pytest.mark.parametrize("tag", ["x" * 64, "\u00fc" * 32])
def test_tags_of_64_bytes(tag: str) -> None:
    with pytest.raises(ApiError) as caught:
        check_tag(tag)
    assert caught.value.retval == rv.INVALID_VALUE


@pytest.mark.parametrize("tag", ["x" * 63, "\u00fc" * 31 + "x", "\ufffd" * 63])
def test_tags_that_fit(tag: str) -> None:
    check_tag(tag)  # U+FFFD: a byte that was no UTF-8


def test_longer_lists_than_a_message_holds(served: Served) -> None:
    """VPP's count wraps there (300 are told as 44, 256 as none); here the first 255 are told."""
    api = served.client.api
    numbers = list(range(300))
    assert [add(api, [rule(0)])[1] for _ in numbers] == numbers
    with served.engine.paused():
        served.engine.acls.set_lists(1, numbers[:200], numbers)
        served.engine.acls.set_lists(2, numbers, [])
    assert lists(api) == [(0, [], []), (1, numbers[:200], numbers[:55]), (2, numbers[:255], [])]


def test_lists_of_interfaces(served: Served) -> None:
    api = served.client.api
    assert [add(api, [rule()])[1] for _ in range(4)] == [0, 1, 2, 3]
    assert set_lists(api, 1, [0, 1], [2]) == 0
    both = [(0, [], []), (1, [0, 1], [2]), (2, [], [])]
    assert lists(api) == both and lists(api, 1) == both[1:2] and lists(api, 99) == []
    assert [set_lists(api, 99, [], []), set_lists(api, 1, [0, 77], [])] == [rv.INVALID_SW_IF_INDEX, rv.NO_SUCH_ENTRY]
    assert lists(api) == both
    assert set_lists(api, 1, [0, 0], [3]) == 1, "VPP's answer"
    assert lists(api, 1) == [(1, [0, 1], [3])], "the output list came first"
    assert set_lists(api, 1, [0], [2, 2]) == 1 and lists(api, 1) == [(1, [0, 1], [3])]
    used = [api.acl_del(acl_index=i).retval for i in (0, 3, 2)]
    assert used == [rv.ACL_IN_USE_INBOUND, rv.ACL_IN_USE_OUTBOUND, 0]
    assert set_lists(api, 1, [], []) == 0 and [api.acl_del(acl_index=i).retval for i in (0, 3)] == [0, 0]


def test_one_by_one(served: Served) -> None:
    api = served.client.api
    for _ in range(4):
        add(api, [rule()])
    assert [change(api, 2, i, True, True) for i in range(4)] == [0] * 4
    assert [change(api, 2, 1, True, False), change(api, 2, 1, True, False)] == [0, rv.ACL_IN_USE_OUTBOUND]
    assert change(api, 2, 1, True, True) == rv.ACL_IN_USE_INBOUND
    assert [change(api, 2, 77, on, True) for on in (True, False)] == [rv.NO_SUCH_ENTRY] * 2
    assert change(api, 99, 0, True, True) == rv.INVALID_SW_IF_INDEX
    assert lists(api, 2) == [(2, [0, 1, 2, 3], [1])]
    assert change(api, 2, 0, False, True) == 0
    assert lists(api, 2) == [(2, [3, 1, 2], [1])], "the last one takes its place, as in VPP"
    assert [change(api, 2, i, False, True) for i in (0, 2)] == [rv.NO_SUCH_ENTRY, 0]
    assert lists(api, 2) == [(2, [3, 1], [1])]


def set_types(api: Any, interface: int, inputs: list[int], outputs: list[int]) -> int:
    types = inputs + outputs
    fields = {"sw_if_index": interface, "count": len(types), "n_input": len(inputs), "whitelist": types}
    return int(api.acl_interface_set_etype_whitelist(**fields).retval)


def test_ethernet_types(served: Served) -> None:
    api = served.client.api
    assert [set_types(api, 1, [1, 2], [3]), set_types(api, 99, [1], [])] == [0, rv.INVALID_SW_IF_INDEX]
    for asked, wanted in ((NONE, 1), (1, 1), (2, 0), (99, 0)):
        found = api.acl_interface_etype_whitelist_dump(sw_if_index=asked)
        rows = [(d.sw_if_index, d.count, d.n_input, d.whitelist) for d in found]
        assert rows == [(1, 3, 2, [1, 2, 3])][:wanted]
    assert set_types(api, 1, [], []) == 0 and api.acl_interface_etype_whitelist_dump(sw_if_index=NONE) == []


def macip_rule(action: int = 1, mac: int = 0, mask: int = 0, src: Any = "0.0.0.0/0") -> dict[str, Any]:
    bits = [f"{m:012x}" for m in (mac, mask)]
    macs = [":".join(b[i : i + 2] for i in range(0, 12, 2)) for b in bits]
    return {"is_permit": action, "src_mac": macs[0], "src_mac_mask": macs[1], "src_prefix": src}


def add_macip(api: Any, rules: Sequence[dict[str, Any]], index: int = NONE, tag: str = "t") -> tuple[int, int]:
    reply = api.macip_acl_add_replace(acl_index=index, tag=tag, count=len(rules), r=list(rules))
    return reply.retval, reply.acl_index


def apply_macip(api: Any, interface: int, acl: int, is_add: bool = True) -> int:
    return int(api.macip_acl_interface_add_del(sw_if_index=interface, acl_index=acl, is_add=is_add).retval)


def test_macip_lists(served: Served) -> None:
    api = served.client.api
    rules = [macip_rule(3, 0x020000000001, 0xFFFFFFFFFFFF, "10.0.0.0/24"), macip_rule(0, src="2001:db8::/32")]
    made = api.macip_acl_add(tag="m", count=2, r=rules)
    assert (made.retval, made.acl_index) == (0, 0)
    assert [add_macip(api, []), add_macip(api, rules, 77), add_macip(api, [], 0, "z")] == [(0, 1), (-6, 77), (0, 0)]
    assert add_macip(api, [macip_rule(1, src=ip4(1, 24)), *rules]) == (0, 2), "VPP does not look at the prefix"
    found = api.macip_acl_dump(acl_index=NONE)
    assert [(d.acl_index, d.tag, d.count) for d in found] == [(0, "z", 0), (1, "t", 0), (2, "t", 3)]
    (third,) = api.macip_acl_dump(acl_index=2)
    shown = [(int(r.is_permit), str(r.src_mac), str(r.src_mac_mask), str(r.src_prefix)) for r in third.r]
    assert shown[1:] == [tuple(r.values()) for r in rules] and api.macip_acl_dump(acl_index=77) == []
    assert [api.macip_acl_del(acl_index=2).retval for _ in range(2)] == [0, rv.NO_SUCH_ENTRY]


def test_macip_lists_of_interfaces(served: Served) -> None:
    api = served.client.api

    def applied(interface: int = NONE) -> list[tuple[int, int, list[int]]]:
        found = api.macip_acl_interface_list_dump(sw_if_index=interface)
        return [(d.sw_if_index, d.count, d.acls) for d in found]

    add_macip(api, [macip_rule()])
    add_macip(api, [macip_rule(0)])
    assert api.macip_acl_interface_get().acls == [] and applied() == [] == applied(1)
    assert [apply_macip(api, i, a) for i, a in ((1, 0), (1, 77), (99, 0))] == [0, rv.NO_SUCH_ENTRY, -2]
    assert [apply_macip(api, 1, 1), apply_macip(api, 2, 0)] == [0, 0]
    assert api.macip_acl_interface_get().acls == [NONE, 1, 0]
    assert applied() == [(1, 1, [1]), (2, 1, [0])] and applied(0) == [(0, 1, [NONE])] and applied(99) == []
    assert [apply_macip(api, 2, 77, False) for _ in range(2)] == [0, rv.NO_SUCH_ENTRY]
    assert api.macip_acl_interface_get().acls == [NONE, 1, NONE] and applied() == [(1, 1, [1])]
    assert api.macip_acl_del(acl_index=1).retval == 0
    assert api.macip_acl_interface_get().acls == [NONE] * 3 and applied() == []
