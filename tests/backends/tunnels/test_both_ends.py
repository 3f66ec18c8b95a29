"""Two routers with a tunnel between them: what goes in at one end comes out at the other, and is counted."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.backends.tunnels.router import HERE, KINDS, THERE, WITH_FRAMES, Router, frame, host, outer_of, packet
from tests.budget import examples
from tests.graph_nodes.l2.frames import frames
from tests.naive.ip4_fast import checksum
from vectorplane.backends.engine.tunnels.tunnel import TunnelDevice

GROUP = IPv4Address("239.1.1.1")
GROUP_MAC = bytes.fromhex("01005e010101")


class Pair:
    """Two routers: 10.0.0.1 and, with its ends the other way round, 10.0.0.2."""

    def __init__(self, kind: str, here: dict[str, Any] | None = None, **options: Any) -> None:
        self.kind = kind
        self.near, self.far = Router(), Router()
        self.far.engine.addresses.remove(self.far.outer, "10.0.0.1/24")
        self.far.engine.addresses.add(self.far.outer, "10.0.0.2/24")
        self.far.engine.neighbours.add(self.far.outer, int(HERE), host(0, 1))
        self.near_tunnel = self.near.tunnel(kind, **options, **(here or {}))
        self.far_tunnel = self.far.tunnel(kind, THERE, HERE, **options)
        self.near.use(kind, self.near_tunnel)
        self.far.use(kind, self.far_tunnel)
        self.far.route("30.0.0.0/16", IPv4Address("10.0.1.3"), self.far.inner)

    def carry(self, outer: bytes) -> dict[int, list[bytes]]:
        """An outer packet arrives at the far router."""
        return self.far.send(self.far.outer, self.far.head(self.far.outer) + b"\x08\0" + outer)

    def close(self) -> None:
        """All packets and buffers are accounted for."""
        self.near.close()
        self.far.close()


@pytest.fixture(scope="module", params=KINDS)
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    made = Pair(request.param)
    yield made
    made.close()


def across(pair: Pair, inside: bytes) -> None:
    """It comes out as it went in (a packet: routed twice); both ends count it."""
    before = pair.near.counted(pair.near_tunnel, "tx"), pair.far.counted(pair.far_tunnel, "rx")
    outer = outer_of(pair.near.into(pair.kind, inside), pair.near.outer)
    sent = pair.carry(outer)
    assert list(sent) == [pair.far.inner] and len(sent[pair.far.inner]) == 1
    found = sent[pair.far.inner][0]
    if pair.kind in WITH_FRAMES:
        assert found == inside
        size = len(inside)
    else:
        assert found[:6] == host(1, 3)
        assert (found[14:22], found[22], found[26:]) == (inside[:8], inside[8] - 2, inside[12:])
        size = len(inside)
    (sent_n, sent_size), (got_n, got_size) = before
    assert pair.near.counted(pair.near_tunnel, "tx") == (sent_n + 1, sent_size + len(outer))
    assert pair.far.counted(pair.far_tunnel, "rx") == (got_n + 1, got_size + size)


@examples(30)
@given(data=st.data())
def test_anything(pair: Pair, data: st.DataObject) -> None:
    """Any frame that a bridge takes (not to addresses of its own use), any payload of a packet."""
    if pair.kind in WITH_FRAMES:
        inside = data.draw(frames().filter(lambda f: f[12:14] not in (b"\x81\0", b"\x88\xa8")))
        across(pair, b"\x02\xaa" + inside[2:6] + b"\x02\xbb" + inside[8:])
    else:
        across(pair, packet(payload=data.draw(st.binary(max_size=80)), ttl=data.draw(st.integers(3, 255))))


@pytest.mark.parametrize("size", [1990, 2048, 4000, 8900])
def test_chained_buffers(pair: Pair, size: int) -> None:
    inside = packet(payload=bytes(k & 0xFF for k in range(size - 34)))
    across(pair, frame(inside) if pair.kind in WITH_FRAMES else inside)


def test_others_are_dropped(pair: Pair) -> None:
    """From another address, to another address, with another VNI or key: nobody's; each drop has a reason."""
    outer = outer_of(pair.near.into(pair.kind), pair.near.outer)
    for at, value in ((15, 77), (19, 1)):
        wrong = bytearray(outer)
        wrong[at] = value
        wrong[10:12] = b"\0\0"
        wrong[10:12] = checksum(bytes(wrong[:20])).to_bytes(2, "big")
        before = pair.far.drops()
        assert pair.far.inner not in pair.carry(bytes(wrong))
        assert sum(pair.far.new_drops(before).values()) <= 1
    before = pair.far.counted(pair.far_tunnel, "rx")
    if outer[9] == 17:
        wrong = bytearray(outer)
        wrong[34] ^= 1
        assert pair.carry(bytes(wrong)) == {}
    assert pair.far.counted(pair.far_tunnel, "rx") == before


@examples(60)
@given(data=st.data())
def test_damage(pair: Pair, data: st.DataObject) -> None:
    """Outer packets with any bytes wrong, or cut: every packet is counted out, or in a drop (see `Router.close`)."""
    outer = bytearray(outer_of(pair.near.into(pair.kind), pair.near.outer))
    for _ in range(data.draw(st.integers(1, 3))):
        outer[data.draw(st.integers(20, len(outer) - 1))] = data.draw(st.integers(0, 255))
    size = data.draw(st.one_of(st.just(len(outer)), st.integers(20, len(outer))))
    outer[2:4], outer[10:12] = size.to_bytes(2, "big"), b"\0\0"
    outer[10:12] = checksum(bytes(outer[:20])).to_bytes(2, "big")
    pair.carry(bytes(outer[:size]))


@pytest.mark.parametrize("kind", ["vxlan", "geneve"])
def test_the_short_way(kind: str) -> None:
    """With and without it the same comes out; with it neither ip4-lookup nor ip4-udp-lookup see the packet."""
    pair = Pair(kind)
    tunnels = pair.far.engine.vxlan if kind == "vxlan" else pair.far.engine.geneve
    across(pair, frame())
    tunnels.set_bypass(pair.far.outer, True)
    graph = pair.far.engine.plane.graph
    local = graph["ip4-udp-lookup"].index
    before = pair.far.engine.plane.node_stats["vectors"].total()[local]
    across(pair, frame())
    assert pair.far.engine.plane.node_stats["vectors"].total()[local] == before
    tunnels.set_bypass(pair.far.outer, False)
    across(pair, frame())
    assert pair.far.engine.plane.node_stats["vectors"].total()[local] == before + 1
    pair.close()


def test_ports() -> None:
    """VXLAN: packets go to the other end's port and are taken at one's own; at others nobody listens."""
    pair = Pair("vxlan", {"dst_port": 7000}, src_port=6000)
    outer = outer_of(pair.near.into("vxlan"), pair.near.outer)
    assert outer[22:24] == (7000).to_bytes(2, "big")
    sent = pair.carry(outer)
    assert pair.far.inner not in sent, "port 7000"
    sent = pair.carry(outer[:22] + (6000).to_bytes(2, "big") + outer[24:])
    assert sent[pair.far.inner] == [frame()]
    pair.near.close()
    pair.far.close()


@pytest.mark.parametrize("kind", KINDS)
def test_tables_of_both_ends(kind: str) -> None:
    """A tunnel in a table of its own takes only what comes in by an interface of that table."""
    near, far = Router(), Router()
    for router in (near, far):
        e = router.engine
        e.addresses.remove(router.outer, "10.0.0.1/24")
        e.routes.add_table(3)
        e.addresses.set_table(router.outer, 3)
    near.engine.addresses.add(near.outer, "10.0.0.1/24")
    near.engine.neighbours.add(near.outer, int(THERE), host(0, 2))
    far.engine.addresses.add(far.outer, "10.0.0.2/24")
    for router, ends in ((near, (HERE, THERE)), (far, (THERE, HERE))):
        tunnel = router.tunnel(kind, *ends, table=3)
        router.use(kind, tunnel)
    far.route("30.0.0.0/16", IPv4Address("10.0.1.3"), far.inner)
    outer = outer_of(near.into(kind), near.outer)
    sent = far.send(far.outer, far.head(far.outer) + b"\x08\0" + outer)
    assert list(sent) == [far.inner]
    near.close()
    far.close()


@pytest.mark.parametrize("kind", ["vxlan", "geneve"])
def test_a_group(kind: str) -> None:
    """To a group by the interface that was named, with the group's MAC address; received where one belongs to it."""
    near, far = Router(), Router()
    far.engine.addresses.remove(far.outer, "10.0.0.1/24")
    far.engine.addresses.add(far.outer, "10.0.0.9/24")
    group = near.tunnel(kind, dst=GROUP, mcast_sw_if_index=near.outer)
    near.use(kind, group)
    sent = near.into(kind)
    assert sent[near.outer][0][:12] == GROUP_MAC + bytes([2, 254, 0, 0, 0, 0])
    outer = outer_of(sent, near.outer)
    assert outer[16:20] == GROUP.packed
    arrives = GROUP_MAC + host(0, 2) + b"\x08\0" + outer
    assert far.send(far.outer, arrives) == {}, "not a member"
    member = far.tunnel(kind, IPv4Address("10.0.0.9"), GROUP, mcast_sw_if_index=far.outer)
    sender = far.tunnel(kind, IPv4Address("10.0.0.9"), HERE)
    far.use(kind, sender)
    assert far.send(far.outer, arrives)[far.inner] == [frame()]
    assert far.counted(member, "rx")[0] == 1 and far.counted(sender, "rx") == (0, 0)
    far.remove(member)
    assert far.send(far.outer, arrives) == {}, "no longer a member"
    for router in (near, far):
        router.close()


@pytest.mark.parametrize("kind", ["vxlan", "geneve"])
def test_a_group_of_several_tunnels(kind: str) -> None:
    """Tunnels share a group; the last one that goes leaves it."""
    router = Router()
    made: list[TunnelDevice] = [
        router.tunnel(kind, dst=GROUP, vni=n, mcast_sw_if_index=router.outer) for n in (1, 2, 3)
    ]
    for tunnel in made[:2]:
        router.remove(tunnel)
    router.use(kind, made[2])
    assert router.into(kind)[router.outer][0][:6] == GROUP_MAC
    router.remove(made[2])
    again = router.tunnel(kind, dst=GROUP, vni=1, mcast_sw_if_index=router.outer)
    router.use(kind, again)
    assert router.into(kind)[router.outer][0][:6] == GROUP_MAC
    router.close()


def test_erspan_numbers() -> None:
    """All tunnels between the same ends count together, as VPP's; they begin anew when the last is gone."""
    router = Router()
    numbers = []
    tunnels = [router.tunnel("gre-erspan", session=n) for n in (1, 2)]
    for tunnel in (tunnels[0], tunnels[1], tunnels[0]):
        router.use("gre-erspan", tunnel)
        outer = outer_of(router.into("gre-erspan"), router.outer)
        numbers.append((int.from_bytes(outer[24:28], "big"), outer[31] & 3))
        router.engine.bridges.detach(tunnel.sw_if_index)
    assert numbers == [(0, 1), (1, 2), (2, 1)]
    for tunnel in tunnels:
        router.remove(tunnel)
    again = router.tunnel("gre-erspan", session=1)
    router.use("gre-erspan", again)
    assert outer_of(router.into("gre-erspan"), router.outer)[24:28] == bytes(4)
    router.close()
