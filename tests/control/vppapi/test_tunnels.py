"""vxlan.api, geneve.api, gre.api and ipip.api through the real vpp_papi client: what is made, shown and refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.control.vppapi.client import Served, serve
from vectorplane.control.vppapi import retval as rv

NONE = 0xFFFFFFFF
HERE, THERE, THERE_TOO, GROUP = "10.0.0.1", "10.0.0.2", "10.0.0.3", "239.1.1.1"
SIX, SIX_TOO = "2001:db8::1", "2001:db8::2"
TABLE, TABLE6, NO_TABLE = 5, 6, 9
L3, TEB, ERSPAN = range(3)
INNER_HASH = 32
L2_INPUT = 1
"""The slot that frames take when nothing else is asked for, as in VPP."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("api"), packets=False) as it:
        api = it.client.api
        index = api.pg_create_interface(interface_id=0).sw_if_index
        assert index == 1
        api.sw_interface_set_flags(sw_if_index=index, flags=1)
        api.sw_interface_add_del_address(sw_if_index=index, is_add=True, prefix=f"{HERE}/24")
        api.ip_table_add_del_v2(is_add=True, table={"table_id": TABLE})
        api.ip_table_add_del_v2(is_add=True, table={"table_id": TABLE6, "is_ip6": True})
        yield it


@pytest.fixture
def api(served: Served) -> Iterator[Any]:
    """The client's calls; afterwards no tunnel is left."""
    api = served.client.api
    yield api
    for t in api.vxlan_tunnel_v2_dump(sw_if_index=NONE):
        where = {"src": str(t.src_address), "dst": str(t.dst_address), "encap_vrf_id": t.encap_vrf_id}
        vxlan(api, t.vni, is_add=False, src_port=t.src_port, mcast_sw_if_index=t.mcast_sw_if_index, **where)
    for t in api.geneve_tunnel_dump(sw_if_index=NONE):
        where = {"src": str(t.src_address), "dst": str(t.dst_address), "encap_vrf_id": t.encap_vrf_id}
        geneve(api, t.vni, is_add=False, mcast_sw_if_index=t.mcast_sw_if_index, **where)
    for t in api.ipip_tunnel_dump(sw_if_index=NONE):
        api.ipip_del_tunnel(sw_if_index=t.tunnel.sw_if_index)
    for d in api.gre_tunnel_v2_dump(sw_if_index=NONE):
        t = d.tunnel
        gre(
            api,
            False,
            src=str(t.src),
            dst=str(t.dst),
            type=int(t.type),
            session_id=t.session_id,
            key=t.key,
            outer_table_id=t.outer_table_id,
        )
    assert len(api.sw_interface_dump()) == 2, "local0 and pg0"


def names(api: Any) -> dict[int, tuple[str, str]]:
    return {d.sw_if_index: (d.interface_name, d.interface_dev_type) for d in api.sw_interface_dump()}


def result(reply: Any) -> tuple[int, int]:
    return reply.retval, reply.sw_if_index


# --- VXLAN


def vxlan(
    api: Any, vni: int, version: str = "_v3", src: str = HERE, dst: str = THERE, **fields: Any
) -> tuple[int, int]:
    usual = {
        "is_add": True,
        "instance": NONE,
        "mcast_sw_if_index": NONE,
        "decap_next_index": NONE,
        "encap_vrf_id": 0,
    }
    call = getattr(api, f"vxlan_add_del_tunnel{version}")
    return result(call(src_address=src, dst_address=dst, vni=vni, **(usual | fields)))


def test_vxlan(api: Any) -> None:
    code, first = vxlan(api, 7)
    code2, second = vxlan(api, 8, instance=9, src_port=5000, dst_port=6000, encap_vrf_id=TABLE)
    code3, third = vxlan(api, 7, dst=GROUP, mcast_sw_if_index=1)
    assert (code, code2, code3) == (0, 0, 0)
    found = names(api)
    assert found[first] == ("vxlan_tunnel0", "VXLAN") and found[second] == ("vxlan_tunnel9", "VXLAN")
    shown = {t.sw_if_index: t for t in api.vxlan_tunnel_v2_dump(sw_if_index=NONE)}
    assert list(shown) == [first, second, third], "the oldest first"
    one, two, three = shown[first], shown[second], shown[third]
    assert (str(one.src_address), str(one.dst_address), one.vni, one.instance) == (HERE, THERE, 7, 0)
    assert (one.src_port, one.dst_port, one.encap_vrf_id) == (4789, 4789, 0)
    assert (one.mcast_sw_if_index, one.decap_next_index) == (NONE, L2_INPUT)
    assert (two.src_port, two.dst_port, two.encap_vrf_id, two.instance) == (5000, 6000, TABLE, 9)
    assert (str(three.dst_address), three.mcast_sw_if_index) == (GROUP, 1)
    (old,) = api.vxlan_tunnel_dump(sw_if_index=second)
    assert (old.sw_if_index, old.vni, old.encap_vrf_id, old.instance) == (second, 8, TABLE, 9)
    assert len(api.vxlan_tunnel_dump(sw_if_index=NONE)) == 3
    for index in (1, 99):
        assert api.vxlan_tunnel_dump(sw_if_index=index) == [] == api.vxlan_tunnel_v2_dump(sw_if_index=index)
    assert vxlan(api, 7, is_add=False) == (0, first) and vxlan(api, 7, is_add=False) == (rv.NO_SUCH_ENTRY, NONE)


def test_versions_of_vxlan(api: Any) -> None:
    """The first knows no ports, the second no L3; a tunnel of another port is another tunnel."""
    code, first = vxlan(api, 1, "", instance=40)
    assert code == 0 and names(api)[first][0] == "vxlan_tunnel40"
    assert vxlan(api, 1, "_v2") == (rv.TUNNEL_EXIST, NONE)
    assert vxlan(api, 1, "_v2", src_port=5000)[0] == 0
    assert vxlan(api, 1, "", is_add=False) == (0, first)
    assert vxlan(api, 1, "", is_add=False) == (rv.NO_SUCH_ENTRY, NONE)
    code, third = vxlan(api, 2, is_l3=True)
    assert code == 0
    (plain,) = api.sw_interface_dump(sw_if_index=third)
    assert str(plain.l2_address) == "00:00:00:00:00:00"


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({}, rv.TUNNEL_EXIST),
        ({"vni": 8, "instance": 0}, rv.INSTANCE_IN_USE),
        ({"vni": 8, "decap_next_index": 4000}, rv.INVALID_DECAP_NEXT),
        ({"encap_vrf_id": NO_TABLE}, rv.NO_SUCH_FIB),
        ({"encap_vrf_id": TABLE6}, rv.NO_SUCH_FIB),
        ({"src": SIX, "dst": SIX_TOO, "encap_vrf_id": TABLE}, rv.NO_SUCH_FIB),
        ({"dst": SIX}, rv.INVALID_VALUE),
        ({"dst": HERE}, rv.SAME_SRC_DST),
        ({"dst": HERE, "is_add": False}, rv.SAME_SRC_DST),
        ({"dst": GROUP}, rv.INVALID_SW_IF_INDEX),
        ({"dst": GROUP, "mcast_sw_if_index": 99, "is_add": False}, rv.INVALID_SW_IF_INDEX),
        ({"src": SIX, "dst": SIX_TOO, "encap_vrf_id": TABLE6}, rv.UNIMPLEMENTED),
        ({"vni": 8, "is_add": False}, rv.NO_SUCH_ENTRY),
        ({"vni": 1 << 24}, rv.INVALID_VALUE),
    ],
)
def test_vxlan_refusals(api: Any, fields: dict[str, Any], refused: int) -> None:
    assert vxlan(api, 7, instance=0)[0] == 0
    assert vxlan(api, **({"vni": 7} | fields)) == (refused, NONE)


def test_vxlan_to_another_node(api: Any) -> None:
    slot = api.add_node_next(node_name="vxlan4-input", next_name="ethernet-input").next_index
    code, index = vxlan(api, 7, decap_next_index=slot)
    assert code == 0 and api.vxlan_tunnel_dump(sw_if_index=index)[0].decap_next_index == slot


@pytest.mark.parametrize("kind", ["vxlan", "geneve"])
def test_bypass(api: Any, served: Served, kind: str) -> None:
    call = getattr(api, f"sw_interface_set_{kind}_bypass")
    for enable in (True, True, False):
        assert call(sw_if_index=1, enable=enable).retval == 0
        assert getattr(served.engine, kind).bypass == ({1} if enable else set())
    assert call(sw_if_index=99, enable=True).retval == rv.INVALID_SW_IF_INDEX
    assert call(sw_if_index=1, is_ipv6=True, enable=True).retval == rv.UNIMPLEMENTED
    assert call(sw_if_index=1, is_ipv6=True, enable=False).retval == 0, "it is off"


# --- Geneve


def geneve(api: Any, vni: int, version: str = "2", src: str = HERE, dst: str = THERE, **fields: Any) -> tuple[int, int]:
    usual = {"is_add": True, "mcast_sw_if_index": NONE, "decap_next_index": NONE, "encap_vrf_id": 0}
    call = getattr(api, f"geneve_add_del_tunnel{version}")
    return result(call(local_address=src, remote_address=dst, vni=vni, **(usual | fields)))


def test_geneve(api: Any) -> None:
    code, first = geneve(api, 7, "")
    code2, second = geneve(api, 8, l3_mode=True, encap_vrf_id=TABLE)
    code3, third = geneve(api, 7, dst=GROUP, mcast_sw_if_index=1)
    assert (code, code2, code3) == (0, 0, 0)
    assert names(api)[first] == ("geneve_tunnel0", "GENEVE")
    (l3,) = api.sw_interface_dump(sw_if_index=second)
    assert str(l3.l2_address) == "d0:0b:ee:d0:00:01"
    shown = {t.sw_if_index: t for t in api.geneve_tunnel_dump(sw_if_index=NONE)}
    assert list(shown) == [first, second, third], "the oldest first"
    one, two, three = shown[first], shown[second], shown[third]
    assert (str(one.src_address), str(one.dst_address), one.vni) == (HERE, THERE, 7)
    assert (one.mcast_sw_if_index, one.decap_next_index, one.encap_vrf_id) == (NONE, L2_INPUT, 0)
    assert (two.vni, two.encap_vrf_id) == (8, TABLE)
    assert (str(three.dst_address), three.mcast_sw_if_index) == (GROUP, 1)
    assert [t.vni for t in api.geneve_tunnel_dump(sw_if_index=second)] == [8]
    assert api.geneve_tunnel_dump(sw_if_index=1) == [] == api.geneve_tunnel_dump(sw_if_index=99)
    assert geneve(api, 7, is_add=False) == (0, first)
    assert geneve(api, 8, src=THERE_TOO, is_add=False) == (0, second), "as in VPP: by remote end and VNI"


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({}, rv.TUNNEL_EXIST),
        ({"src": THERE_TOO, "encap_vrf_id": TABLE}, rv.TUNNEL_EXIST),
        ({"vni": 8, "decap_next_index": 4000}, rv.INVALID_DECAP_NEXT),
        ({"encap_vrf_id": NO_TABLE}, rv.NO_SUCH_FIB),
        ({"encap_vrf_id": TABLE6}, rv.NO_SUCH_FIB),
        ({"dst": HERE}, rv.SAME_SRC_DST),
        ({"dst": GROUP}, rv.INVALID_SW_IF_INDEX),
        ({"dst": SIX}, rv.UNIMPLEMENTED),
        ({"src": SIX, "dst": SIX_TOO}, rv.UNIMPLEMENTED),
        ({"vni": 8, "is_add": False}, rv.NO_SUCH_ENTRY),
        ({"vni": 1 << 24}, rv.INVALID_VALUE),
    ],
)
def test_geneve_refusals(api: Any, fields: dict[str, Any], refused: int) -> None:
    assert geneve(api, 7)[0] == 0
    for version in ("", "2"):
        assert geneve(api, **({"vni": 7, "version": version} | fields)) == (refused, NONE)


# --- GRE


def gre(api: Any, is_add: bool = True, version: str = "_v2", **fields: Any) -> tuple[int, int]:
    usual = {"src": HERE, "dst": THERE, "instance": NONE}
    return result(getattr(api, f"gre_tunnel_add_del{version}")(is_add=is_add, tunnel=usual | fields))


def test_gre(api: Any) -> None:
    code, first = gre(api, version="")
    code2, second = gre(api, type=TEB, instance=70, key=9, flags=5, outer_table_id=TABLE)
    code3, third = gre(api, type=ERSPAN, session_id=1023)
    assert (code, code2, code3) == (0, 0, 0)
    found = names(api)
    assert found[first] == ("gre0", "GRE tunnel device") and found[second][0] == "gre70"
    shown = {d.tunnel.sw_if_index: d.tunnel for d in api.gre_tunnel_v2_dump(sw_if_index=NONE)}
    assert list(shown) == [first, second, third], "the oldest first"
    one, two, three = shown[first], shown[second], shown[third]
    assert (str(one.src), str(one.dst), int(one.type), int(one.mode), one.instance) == (HERE, THERE, L3, 0, 0)
    assert (one.key, int(one.flags), one.session_id, one.outer_table_id) == (0, 0, 0, 0)
    assert (int(two.type), two.key, int(two.flags), two.outer_table_id, two.instance) == (TEB, 9, 5, TABLE, 70)
    assert (int(three.type), three.session_id) == (ERSPAN, 1023)
    (old,) = api.gre_tunnel_dump(sw_if_index=second)
    assert (int(old.tunnel.type), old.tunnel.instance, old.tunnel.sw_if_index) == (TEB, 70, second)
    assert len(api.gre_tunnel_dump(sw_if_index=NONE)) == 3
    assert api.gre_tunnel_dump(sw_if_index=1) == [] == api.gre_tunnel_v2_dump(sw_if_index=99)
    assert gre(api, False) == (0, first) and gre(api, False) == (rv.NO_SUCH_ENTRY, NONE)


def test_what_tells_gre_tunnels_apart(api: Any) -> None:
    made = [
        gre(api),
        gre(api, type=TEB),
        gre(api, key=9),
        gre(api, outer_table_id=TABLE),
        gre(api, type=ERSPAN, session_id=5),
        gre(api, type=ERSPAN, session_id=6),
        gre(api, dst=THERE_TOO),
    ]
    assert [code for code, _ in made] == [0] * 7 and len({index for _, index in made}) == 7
    assert gre(api, False, type=ERSPAN, session_id=7) == (rv.NO_SUCH_ENTRY, NONE)
    assert gre(api, False, key=9) == (0, made[2][1])


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({}, rv.IF_ALREADY_EXISTS),
        ({"type": TEB, "instance": 0}, rv.INSTANCE_IN_USE),
        ({"dst": SIX}, rv.INVALID_PROTOCOL),
        ({"dst": HERE}, rv.SAME_SRC_DST),
        ({"type": 3, "mode": 2}, rv.INVALID_VALUE),
        ({"mode": 2, "outer_table_id": NO_TABLE}, rv.INVALID_VALUE_2),
        ({"outer_table_id": NO_TABLE, "session_id": 1024}, rv.NO_SUCH_FIB),
        ({"outer_table_id": TABLE6}, rv.NO_SUCH_FIB),
        ({"session_id": 1024, "mode": 1}, rv.INVALID_SESSION_ID),
        ({"mode": 1}, rv.INVALID_DST_ADDRESS),
        ({"mode": 1, "dst": "0.0.0.0"}, rv.UNIMPLEMENTED),
        ({"src": SIX, "dst": SIX_TOO}, rv.UNIMPLEMENTED),
        ({"flags": INNER_HASH}, rv.UNIMPLEMENTED),
    ],
)
def test_gre_refusals(api: Any, fields: dict[str, Any], refused: int) -> None:
    assert gre(api, instance=0)[0] == 0
    for version in ("", "_v2"):
        assert gre(api, version=version, **fields) == (refused, NONE)


# --- IP in IP


def ipip(api: Any, **fields: Any) -> tuple[int, int]:
    return result(api.ipip_add_tunnel(tunnel={"src": HERE, "dst": THERE, "instance": NONE, **fields}))


def test_ipip(api: Any) -> None:
    code, first = ipip(api)
    code2, second = ipip(api, instance=8, flags=5, dscp=10, table_id=TABLE)
    assert (code, code2) == (0, 0)
    assert names(api)[first] == ("ipip0", "IPIP tunnel device") and names(api)[second][0] == "ipip8"
    one, two = (d.tunnel for d in api.ipip_tunnel_dump(sw_if_index=NONE))
    assert (one.sw_if_index, str(one.src), str(one.dst), one.instance) == (first, HERE, THERE, 0)
    assert (int(one.flags), int(one.dscp), one.table_id, int(one.mode)) == (0, 0, 0, 0)
    assert (int(two.flags), int(two.dscp), two.table_id, two.instance) == (5, 10, TABLE, 8)
    assert [d.tunnel.sw_if_index for d in api.ipip_tunnel_dump(sw_if_index=second)] == [second]
    assert api.ipip_tunnel_dump(sw_if_index=1) == [] == api.ipip_tunnel_dump(sw_if_index=99)
    removed = [api.ipip_del_tunnel(sw_if_index=i).retval for i in (first, first, 1, 99)]
    assert removed == [0] + [rv.NO_SUCH_ENTRY] * 3


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({"dst": THERE_TOO, "instance": 0}, rv.INSTANCE_IN_USE),
        ({"dst": SIX}, rv.INVALID_PROTOCOL),
        ({"dst": HERE}, rv.SAME_SRC_DST),
        ({"mode": 2, "table_id": NO_TABLE}, rv.INVALID_VALUE_2),
        ({"mode": 1, "table_id": NO_TABLE}, rv.NO_SUCH_FIB),
        ({"table_id": TABLE6}, rv.NO_SUCH_FIB),
        ({"mode": 1}, rv.INVALID_DST_ADDRESS),
        ({"mode": 1, "dst": "0.0.0.0"}, rv.UNIMPLEMENTED),
        ({"src": SIX, "dst": SIX_TOO}, rv.UNIMPLEMENTED),
        ({"flags": INNER_HASH}, rv.UNIMPLEMENTED),
        ({"dscp": 64}, rv.INVALID_VALUE),
    ],
)
def test_ipip_refusals(api: Any, fields: dict[str, Any], refused: int) -> None:
    code, there = ipip(api, instance=0)
    assert code == 0 and ipip(api, **fields) == (refused, NONE)
    assert ipip(api) == (rv.IF_ALREADY_EXISTS, there), "as in VPP the refusal tells which one is there"
