"""Ports of l2.api through the real vpp_papi client: bridged and cross-connected interfaces, features, tags, BVIs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.control.vppapi.client import Served, serve
from vectorplane.control.vppapi import retval as rv
from vectorplane.graph_nodes.l2.features import ARP_TERM, FLOOD, FWD, LEARN, OUT_EFP_FILTER, OUT_OUTPUT, UU_FLOOD

NONE = 0xFFFFFFFF
NORMAL, BVI, UU_FWD = range(3)
ONE_TAG, TWO_TAGS, EXACT = 2, 4, 16
DISABLED, PUSH_1, PUSH_2, POP_1, POP_2, TRANSLATE_1_1, TRANSLATE_1_2, TRANSLATE_2_1, TRANSLATE_2_2 = range(9)
STP_BLOCKED = 1 << 8


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
        there = [i.sw_if_index for i in interfaces.by_index.values() if i.sw_if_index and not i.is_sub]
        for index in sorted(there, reverse=True):
            interfaces.remove(index)
        for bd_id in list(bridges.domains):
            bridges.delete(bd_id)


def pg(api: Any, number: int = 0, mode: int = 0) -> int:
    return int(api.pg_create_interface_v3(interface_id=number, mode=mode).sw_if_index)


def bridge(api: Any, index: int, bd_id: int = 7, port_type: int = NORMAL, shg: int = 0, enable: bool = True) -> int:
    return int(
        api.sw_interface_set_l2_bridge(
            rx_sw_if_index=index, bd_id=bd_id, port_type=port_type, shg=shg, enable=enable
        ).retval
    )


def members(api: Any) -> dict[int, list[int]]:
    found = api.bridge_domain_dump(bd_id=NONE, sw_if_index=NONE)
    return {d.bd_id: sorted(e.sw_if_index for e in d.sw_if_details) for d in found}


def test_bridge(api: Any) -> None:
    """A domain is made when it is missing, a port moves, and is an L3 interface again."""
    one, two = pg(api), pg(api, 1)
    assert [bridge(api, one), bridge(api, two)] == [0, 0] and members(api) == {7: [one, two]}
    assert bridge(api, two, 8) == 0 and members(api) == {7: [one], 8: [two]}
    assert bridge(api, one, enable=False) == 0 and members(api) == {7: [], 8: [two]}
    assert bridge(api, one, enable=False) == 0, "it is already"


def test_what_cannot_be_bridged(api: Any) -> None:
    one, two = pg(api), pg(api, 1)
    assert bridge(api, 99) == rv.INVALID_SW_IF_INDEX
    assert bridge(api, one, port_type=3) == rv.INVALID_VALUE
    assert bridge(api, one, 1 << 24) == rv.BD_ID_EXCEED_MAX
    assert bridge(api, one, port_type=BVI) == 0
    assert bridge(api, two, port_type=BVI) == rv.BD_ALREADY_HAS_BVI


def xconnect(api: Any, rx: int, tx: int, enable: bool = True) -> int:
    return int(api.sw_interface_set_l2_xconnect(rx_sw_if_index=rx, tx_sw_if_index=tx, enable=enable).retval)


def test_cross_connects(api: Any) -> None:
    one, two, three = pg(api), pg(api, 1), pg(api, 2)
    assert [xconnect(api, one, two), xconnect(api, two, one)] == [0, 0]
    bridge(api, three)
    found = [(d.rx_sw_if_index, d.tx_sw_if_index) for d in api.l2_xconnect_dump()]
    assert found == [(one, two), (two, one)]
    assert xconnect(api, one, 0, enable=False) == 0
    assert [(d.rx_sw_if_index, d.tx_sw_if_index) for d in api.l2_xconnect_dump()] == [(two, one)]
    assert [xconnect(api, 99, one), xconnect(api, one, 99)] == [rv.INVALID_SW_IF_INDEX] * 2
    assert xconnect(api, 99, one, enable=False) == rv.INVALID_SW_IF_INDEX


def test_features_as_flags(api: Any) -> None:
    one, two, bare = pg(api), pg(api, 1), pg(api, 2)
    bridge(api, one)
    xconnect(api, two, one)
    get, change = api.l2_interface_feat_flags_get, api.l2_interface_feat_flags_set
    assert int(get(sw_if_index=one).flags) == 0x3F, "all, as in VPP"
    assert change(sw_if_index=one, is_set=False, flags=1 | 4).retval == 0
    assert int(get(sw_if_index=one).flags) == 0x3F - 5
    assert change(sw_if_index=one, is_set=True, flags=4).retval == 0 and int(get(sw_if_index=one).flags) == 0x3E
    for index in (two, bare, 99):
        assert get(sw_if_index=index).retval == rv.INVALID_SW_IF_INDEX
        assert change(sw_if_index=index, is_set=True, flags=1).retval == rv.INVALID_SW_IF_INDEX
    old = api.l2_flags(sw_if_index=one, is_set=True, feature_bitmap=1)
    all_old = LEARN | FWD | FLOOD | UU_FLOOD | ARP_TERM
    assert old.retval == 0 and old.resulting_feature_bitmap & all_old == all_old
    assert not api.l2_flags(sw_if_index=one, is_set=False, feature_bitmap=0x1F).resulting_feature_bitmap & all_old
    assert api.l2_flags(sw_if_index=99, is_set=True, feature_bitmap=1).retval == rv.INVALID_SW_IF_INDEX


def test_features_as_bitmaps(api: Any) -> None:
    one, two, bare = pg(api), pg(api, 1), pg(api, 2)
    bridge(api, one)
    xconnect(api, two, one)

    def bitmaps(index: int) -> tuple[int, int]:
        found = api.l2_flags_get(sw_if_index=index)
        assert found.retval == 0
        return found.input_feature_bitmap, found.output_feature_bitmap

    def change(index: int, inward: int, outward: int, is_set: bool) -> int:
        fields = {"input_feature_bitmap": inward, "output_feature_bitmap": outward, "is_set": is_set}
        return int(api.l2_flags_set(sw_if_index=index, **fields).retval)

    before, out_before = bitmaps(one)
    assert before & (LEARN | FWD) == LEARN | FWD and out_before == OUT_OUTPUT
    assert change(one, LEARN | FWD, 0, False) == 0 and bitmaps(one) == (before & ~(LEARN | FWD), out_before)
    assert change(one, FWD, STP_BLOCKED, True) == 0
    assert bitmaps(one) == (before & ~LEARN, OUT_OUTPUT | STP_BLOCKED)
    assert change(one, 0, STP_BLOCKED, False) == 0 and bitmaps(one)[1] == OUT_OUTPUT
    assert bitmaps(two)[1] == OUT_OUTPUT
    for index in (bare, 99):
        assert change(index, 1, 0, True) == rv.INVALID_SW_IF_INDEX
        assert api.l2_flags_get(sw_if_index=index).retval == rv.INVALID_SW_IF_INDEX


def rewrite(api: Any, index: int, op: int, dot1q: int = 0, tag1: int = 0, tag2: int = 0) -> int:
    fields = {"vtr_op": op, "push_dot1q": dot1q, "tag1": tag1, "tag2": tag2}
    return int(api.l2_interface_vlan_tag_rewrite(sw_if_index=index, **fields).retval)


def shown(api: Any, index: int) -> tuple[int, int, int, int]:
    (d,) = api.sw_interface_dump(sw_if_index=index)
    return d.vtr_op, d.vtr_push_dot1q, d.vtr_tag1, d.vtr_tag2


def test_tag_rewriting(api: Any) -> None:
    port = pg(api)
    single = api.create_vlan_subif(sw_if_index=port, vlan_id=10).sw_if_index
    double = api.create_subif(
        sw_if_index=port, sub_id=20, sub_if_flags=TWO_TAGS | EXACT, outer_vlan_id=20, inner_vlan_id=21
    ).sw_if_index
    assert shown(api, single) == (DISABLED, 0, 0, 0)
    assert rewrite(api, single, POP_1) == 0 and shown(api, single) == (POP_1, 0, 0, 0)
    assert rewrite(api, single, TRANSLATE_1_1, 1, 100) == 0 and shown(api, single) == (TRANSLATE_1_1, 1, 100, 0)
    assert rewrite(api, single, PUSH_2, 0, 100, 200) == 0 and shown(api, single) == (PUSH_2, 0, 100, 200)
    assert rewrite(api, double, TRANSLATE_2_2, 1, 100, 200) == 0
    assert shown(api, double) == (TRANSLATE_2_2, 1, 100, 200)
    assert rewrite(api, port, PUSH_1, 1, 5) == 0 and shown(api, port) == (PUSH_1, 1, 5, 0)
    assert rewrite(api, single, DISABLED) == 0 and shown(api, single) == (DISABLED, 0, 0, 0)


def test_tags_that_cannot_be_rewritten(api: Any) -> None:
    port, tun = pg(api), pg(api, 1, mode=1)
    single = api.create_vlan_subif(sw_if_index=port, vlan_id=10).sw_if_index
    for op in (POP_1, TRANSLATE_1_1, TRANSLATE_1_2):
        assert rewrite(api, port, op) == rv.INVALID_VLAN_TAG_COUNT
    for op in (POP_2, TRANSLATE_2_1, TRANSLATE_2_2):
        assert rewrite(api, single, op) == rv.INVALID_VLAN_TAG_COUNT
    assert rewrite(api, port, 9) == rv.INVALID_VALUE
    assert rewrite(api, tun, PUSH_1) == rv.INVALID_INTERFACE
    assert rewrite(api, 99, DISABLED) == rv.INVALID_SW_IF_INDEX


def test_efp_filter(api: Any) -> None:
    port = pg(api)
    sub = api.create_vlan_subif(sw_if_index=port, vlan_id=10).sw_if_index
    bridge(api, sub)

    def filters() -> bool:
        return bool(api.l2_flags_get(sw_if_index=sub).output_feature_bitmap & OUT_EFP_FILTER)

    assert api.l2_interface_efp_filter(sw_if_index=sub, enable_disable=True).retval == 0 and filters()
    assert api.l2_interface_efp_filter(sw_if_index=sub, enable_disable=False).retval == 0 and not filters()
    assert api.l2_interface_efp_filter(sw_if_index=99, enable_disable=True).retval == rv.INVALID_SW_IF_INDEX


def test_bvi_interfaces(api: Any) -> None:
    first = api.bvi_create(user_instance=NONE)
    named = api.bvi_create(user_instance=7, mac="02:00:00:00:00:07")
    assert (first.retval, named.retval) == (0, 0)
    shown = {d.interface_name: (str(d.l2_address), d.interface_dev_type) for d in api.sw_interface_dump()}
    assert shown["bvi0"] == ("b0:b0:00:00:00:00", "BVI") and shown["bvi7"] == ("02:00:00:00:00:07", "BVI")
    again = api.bvi_create(user_instance=7)
    assert (again.retval, again.sw_if_index) == (rv.INVALID_REGISTRATION, NONE)
    assert bridge(api, named.sw_if_index, port_type=BVI) == 0
    port = pg(api)
    deleted = [api.bvi_delete(sw_if_index=i).retval for i in (named.sw_if_index, first.sw_if_index, port, 99)]
    assert deleted == [0, 0, rv.INVALID_SW_IF_INDEX, rv.INVALID_SW_IF_INDEX] and members(api) == {7: []}
