"""Tunnels as they are made, told apart, shown and removed: numbers, addresses, sizes as VPP's."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from tests.backends.tunnels.router import HERE, KINDS, THERE, Router
from vectorplane.backends.engine.tunnels.ip_tunnels import INNER_HASH
from vectorplane.backends.engine.tunnels.tunnel import InstanceInUse, InvalidDecapNext, TunnelExists

NAMES = {
    "vxlan": "vxlan_tunnel",
    "vxlan-l3": "vxlan_tunnel",
    "geneve": "geneve_tunnel",
    "gre": "gre",
    "gre-teb": "gre",
    "gre-erspan": "gre",
    "ipip": "ipip",
}
SIZES = {
    "vxlan": (9000, 9000),
    "vxlan-l3": (0, 0),
    "geneve": (0, 0),
    "gre": (9000, 65512),
    "gre-teb": (9000, 8998),
    "gre-erspan": (9000, 8998),
    "ipip": (9000, 65516),
}
"""L3 MTU and link MTU of new ones; a real VPP's dump says so."""


def other(n: int) -> IPv4Address:
    """Another end."""
    return IPv4Address(int(THERE) + n)


@pytest.mark.parametrize("kind", KINDS)
def test_sizes_and_addresses(router: Router, kind: str) -> None:
    router.tunnel(kind)
    made = router.tunnel(kind, dst=other(1))
    interface = router.engine.interfaces[made.sw_if_index]
    assert interface.name == f"{NAMES[kind]}1"
    assert (router.engine.interfaces.mtus(made.sw_if_index)[0], interface.link_mtu) == SIZES[kind]
    if kind == "vxlan":
        assert interface.mac == bytes.fromhex("02fe") + made.sw_if_index.to_bytes(4, "big")
    elif kind in ("gre-teb", "gre-erspan"):
        assert interface.mac == bytes.fromhex("d00beed00001")
    else:
        assert interface.mac == bytes(6)


def test_geneve_for_routing(router: Router) -> None:
    """It has a MAC address, and frames go in and come out all the same."""
    router.tunnel("geneve", vni=8)
    made = router.tunnel("geneve", is_l3=True)
    interface = router.engine.interfaces[made.sw_if_index]
    assert interface.mac == bytes.fromhex("d00beed00001") and interface.device.ethernet
    assert router.engine.interfaces.mtus(made.sw_if_index)[0] == 9000


@pytest.mark.parametrize("kind", ["vxlan", "gre", "ipip"])
def test_instances(router: Router, kind: str) -> None:
    """The number of the pool's slot, whatever users chose; a slot whose number is taken is no choice."""
    zero = router.tunnel(kind)
    nine = router.tunnel(kind, dst=other(1), instance=9)
    two = router.tunnel(kind, dst=other(2))
    assert [t.instance for t in (zero, nine, two)] == [0, 9, 2]
    with pytest.raises(InstanceInUse):
        router.tunnel(kind, dst=other(3), instance=9)
    router.tunnel(kind, dst=other(4), instance=4)
    with pytest.raises(InstanceInUse):
        router.tunnel(kind, dst=other(5))
    router.remove(nine)
    assert router.tunnel(kind, dst=other(6)).instance == 1, "the slot that became free last"
    router.remove(zero)
    router.remove(two)
    assert [router.tunnel(kind, dst=other(n)).instance for n in (7, 8)] == [2, 0]
    assert {i.name for i in router.engine.interfaces.by_index.values()} >= {f"{NAMES[kind]}{n}" for n in (0, 1, 2, 4)}


@pytest.mark.parametrize("kind", KINDS)
def test_refusals(router: Router, kind: str) -> None:
    """What is refused changes nothing."""
    router.tunnel(kind)
    before = list(router.engine.interfaces.by_index)
    with pytest.raises(TunnelExists):
        router.tunnel(kind)
    with pytest.raises(ValueError, match="itself"):
        router.tunnel(kind, dst=HERE)
    with pytest.raises(KeyError):
        router.tunnel(kind, dst=other(1), table=77)
    assert list(router.engine.interfaces.by_index) == before
    assert router.tunnel(kind, dst=other(1)).instance == 1


def test_refusals_of_one_kind(router: Router) -> None:
    for kind in ("vxlan", "geneve"):
        with pytest.raises(ValueError, match="VNI"):
            router.tunnel(kind, vni=1 << 24)
        with pytest.raises(InvalidDecapNext):
            router.tunnel(kind, decap_next=4000)
        with pytest.raises(KeyError):
            router.tunnel(kind, dst=IPv4Address("239.1.1.1"), mcast_sw_if_index=99)
    for wrong in ({"session": 1024}, {"key": 1 << 32}, {"flags": INNER_HASH}, {"dscp": 64}):
        with pytest.raises(ValueError):
            router.tunnel("gre", **wrong)
    with pytest.raises(ValueError, match="carries"):
        router.engine.gre.add(HERE, THERE, kind="mpls")
    for tunnels in (router.engine.vxlan, router.engine.geneve):
        with pytest.raises(KeyError):
            tunnels.remove(HERE, THERE, 7)
    with pytest.raises(KeyError):
        router.engine.gre.remove(HERE, THERE)
    for index in (0, 1, 99):
        with pytest.raises(KeyError):
            router.engine.ipip.remove(index)


def test_what_tells_them_apart(router: Router) -> None:
    """VXLAN: both ends, VNI, table, own port. GENEVE: other end and VNI. GRE: also kind, key, session."""
    routes = router.engine.routes
    routes.add_table(5)
    e = router.engine
    e.vxlan.add(HERE, THERE, 7)
    for options in ({"src_port": 5000}, {"table": 5}, {"src_port": 5000, "table": 5}):
        e.vxlan.add(HERE, THERE, 7, **options)
    with pytest.raises(TunnelExists):
        e.vxlan.add(HERE, THERE, 7, dst_port=5000)
    e.vxlan.add(other(5), THERE, 7)
    e.geneve.add(HERE, THERE, 7)
    for options in ({"table": 5}, {"is_l3": True}):
        with pytest.raises(TunnelExists):
            e.geneve.add(other(5), THERE, 7, **options)
    sets = [{}, {"kind": "teb"}, {"key": 1}, {"table": 5}]
    sets += [{"kind": "erspan", "session": n} for n in (0, 1)]
    made = [e.gre.add(HERE, THERE, **options).sw_if_index for options in sets]
    with pytest.raises(TunnelExists):
        e.gre.add(HERE, THERE, kind="erspan", session=1, key=9)
    assert [e.gre.remove(HERE, THERE, **options) for options in sets] == made and not e.gre.by_index
    e.ipip.add(HERE, THERE)
    e.ipip.add(HERE, THERE, table=5)
    assert e.vxlan.remove(HERE, THERE, 7, table=5, src_port=5000) in (index for index in range(20))
    assert len(e.vxlan.by_index) == 4


def test_bypass(router: Router) -> None:
    """Twice on is on, and off is off."""
    arc = router.engine.plane.arcs["ip4-unicast"]
    for tunnels, node in ((router.engine.vxlan, "ip4-vxlan-bypass"), (router.engine.geneve, "ip4-geneve-bypass")):
        for on in (True, True, False, False, True):
            tunnels.set_bypass(router.outer, on)
            assert (node in arc.chain(router.outer)) == on == (router.outer in tunnels.bypass)
        with pytest.raises(KeyError):
            tunnels.set_bypass(99, True)
