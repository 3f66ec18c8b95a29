"""A tunnel follows the route to its other end, whatever becomes of it; and circles end."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from tests.backends.tunnels.router import (
    ELSEWHERE,
    HERE,
    KINDS,
    THERE,
    WITH_FRAMES,
    Router,
    frame,
    host,
    outer_of,
    packet,
)
from vectorplane.backends.engine.route_paths import DROP, LOCAL, Path

FAR = IPv4Address("50.0.0.1")
TABLE = 12
BLACKHOLE = {"null-node: blackholed packets": 1}


def next_hop(router: Router, kind: str) -> tuple[int, bytes] | None:
    """Where a packet into the tunnel leaves now: interface, MAC; None: it does not."""
    sent = router.into(kind)
    if not sent:
        return None
    ((interface, frames),) = sent.items()
    assert len(frames) == 1 and frames[0][14 + 16 : 14 + 20] == FAR.packed
    return interface, frames[0][:6]


@pytest.mark.parametrize("kind", KINDS)
def test_routes_that_change(router: Router, kind: str) -> None:
    """No route, one, another next hop, another interface, a longer prefix, a drop, none again."""
    router.use(kind, router.tunnel(kind, dst=FAR))
    routes = router.engine.routes
    before = router.drops()
    assert next_hop(router, kind) is None and router.new_drops(before) == BLACKHOLE
    router.route("50.0.0.0/8", THERE, router.outer)
    assert next_hop(router, kind) == (router.outer, host(0, 2))
    router.route("50.0.0.0/8", ELSEWHERE, router.outer)
    assert next_hop(router, kind) == (router.outer, host(0, 3))
    router.route("50.0.0.1/32", THERE, router.outer)
    assert next_hop(router, kind) == (router.outer, host(0, 2))
    routes.remove("50.0.0.1/32")
    assert next_hop(router, kind) == (router.outer, host(0, 3))
    router.route("60.0.0.0/8", THERE, router.outer)
    router.route("50.0.0.0/8", IPv4Address("60.0.0.1"))
    assert next_hop(router, kind) == (router.outer, host(0, 2)), "recursive"
    router.route("60.0.0.0/8", ELSEWHERE, router.outer)
    assert next_hop(router, kind) == (router.outer, host(0, 3))
    routes.update("50.0.0.0/8", Path(kind=DROP))
    before = router.drops()
    assert next_hop(router, kind) is None and router.new_drops(before) == BLACKHOLE
    routes.remove("50.0.0.0/8")
    assert next_hop(router, kind) is None


@pytest.mark.parametrize("kind", KINDS)
def test_this_router_is_no_other_end(router: Router, kind: str) -> None:
    """A tunnel to an address of ours leads nowhere; once it is somebody else's, there."""
    router.use(kind, router.tunnel(kind, dst=FAR))
    router.engine.routes.update("50.0.0.1/32", Path(kind=LOCAL))
    before = router.drops()
    assert next_hop(router, kind) is None and router.new_drops(before) == BLACKHOLE
    router.route("50.0.0.1/32", THERE, router.outer)
    assert next_hop(router, kind) == (router.outer, host(0, 2))


@pytest.mark.parametrize("kind", KINDS)
def test_the_neighbour(router: Router, kind: str) -> None:
    """The next hop gets another MAC; goes (then it is asked for); comes back. The outer interface goes down and up."""
    router.use(kind, router.tunnel(kind, dst=FAR))
    router.route("50.0.0.0/8", THERE, router.outer)
    neighbours = router.engine.neighbours
    assert next_hop(router, kind) == (router.outer, host(0, 2))
    neighbours.add(router.outer, int(THERE), host(0, 99))
    assert next_hop(router, kind) == (router.outer, host(0, 99))
    neighbours.remove(router.outer, int(THERE))
    router.engine.run_until(router.engine.now + 10_000_000_000)
    router.left()
    sent = router.into(kind)
    assert [f[12:14] for f in sent.get(router.outer, [])] == [b"\x08\x06"]
    neighbours.add(router.outer, int(THERE), host(0, 2))
    assert next_hop(router, kind) == (router.outer, host(0, 2))
    router.engine.interfaces.set_up(router.outer, False)
    assert router.into(kind) == {}
    router.engine.interfaces.set_up(router.outer)
    neighbours.add(router.outer, int(THERE), host(0, 2))
    assert next_hop(router, kind) == (router.outer, host(0, 2))


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_of_its_own(router: Router, kind: str) -> None:
    """The outer packet is routed in the tunnel's table, even where the usual one has a route too."""
    routes = router.engine.routes
    routes.add_table(TABLE)
    router.use(kind, router.tunnel(kind, dst=FAR, table=TABLE))
    router.route("50.0.0.0/8", THERE, router.outer)
    assert next_hop(router, kind) is None
    router.route("50.0.0.0/8", ELSEWHERE, router.outer, table=TABLE)
    assert next_hop(router, kind) == (router.outer, host(0, 3))
    with pytest.raises(ValueError, match=str(TABLE)):
        routes.remove_table(TABLE)


@pytest.mark.parametrize("kind", KINDS)
def test_several_paths(router: Router, kind: str) -> None:
    """Flows spread over the next hops of the outer route by what is inside (VXLAN, GENEVE); others keep to one."""
    router.use(kind, router.tunnel(kind, dst=FAR))
    paths = [Path(next_hop=int(h), sw_if_index=router.outer) for h in (THERE, ELSEWHERE)]
    router.engine.routes.update("50.0.0.0/8", paths)
    macs = set()
    for n in range(32):
        inside = packet("30.0.0.9", bytes([0, n, 0, 53, 0, 8, 0, 0]))
        ((_, frames),) = router.into(kind, frame(inside) if kind in WITH_FRAMES else inside).items()
        macs.add(frames[0][:6])
    by_flow = kind in ("vxlan", "vxlan-l3", "geneve")
    assert len(macs) == (2 if by_flow else 1)


@pytest.mark.parametrize("kind", KINDS)
def test_through_itself(router: Router, kind: str) -> None:
    """The way to the other end leads into the tunnel: that ends, with a reason of its own, and the router goes on."""
    tunnel = router.tunnel(kind, dst=FAR)
    router.use(kind, tunnel)
    if kind in WITH_FRAMES:
        router.engine.addresses.add(tunnel.sw_if_index, "50.0.0.2/8")
        router.engine.neighbours.add(tunnel.sw_if_index, int(FAR), host(0, 66))
        router.route("50.0.0.1/32", FAR, tunnel.sw_if_index)
        router.engine.bridges.detach(tunnel.sw_if_index)
        router.engine.bridges.detach(router.inner)
        router.route("30.0.0.0/16", FAR, tunnel.sw_if_index)
        send = "ipip"
    else:
        router.route("50.0.0.1/32", None, tunnel.sw_if_index)
        send = kind
    before = router.drops()
    assert router.into(send) == {}
    dropped = router.new_drops(before)
    assert sum(dropped.values()) == 1
    (reason,) = dropped
    assert reason.endswith(("no room for another header", "packet began anew too often")), reason
    router.route("50.0.0.1/32", THERE, router.outer)
    sent = router.into(send)
    assert outer_of(sent, router.outer)[16:20] == FAR.packed


def test_through_each_other(router: Router) -> None:
    """Two tunnels, each of which leads through the other, of kinds that do not know each other."""
    one = router.tunnel("ipip", dst=FAR)
    other = router.tunnel("vxlan-l3", dst=IPv4Address("51.0.0.1"))
    router.use("ipip", one)
    router.use("vxlan-l3", other, 1)
    router.route("50.0.0.1/32", None, other.sw_if_index)
    router.route("51.0.0.1/32", None, one.sw_if_index)
    for kind, number in (("ipip", 0), ("vxlan-l3", 1)):
        before = router.drops()
        assert router.into(kind, number=number) == {}
        (reason,) = router.new_drops(before)
        assert reason.endswith(("no room for another header", "packet began anew too often")), reason


def test_a_tunnel_in_a_tunnel(router: Router) -> None:
    """Which is no circle: both headers are there, the outer one in front."""
    inner, outer = router.tunnel("gre", dst=FAR), router.tunnel("ipip")
    router.use("gre", inner)
    router.use("ipip", outer, 1)
    router.route("50.0.0.1/32", None, outer.sw_if_index)
    found = outer_of(router.into("gre"), router.outer)
    assert (found[9], found[12:20]) == (4, HERE.packed + THERE.packed)
    assert (found[29], found[32:40]) == (47, HERE.packed + FAR.packed)
    assert router.counted(inner, "tx")[0] == router.counted(outer, "tx")[0] == 1


@pytest.mark.parametrize("kind", KINDS)
def test_tunnels_come_and_go(router: Router, kind: str) -> None:
    """After its last tunnel a route is nobody's concern, and a table can go."""
    router.engine.routes.add_table(TABLE)
    tunnels = [router.tunnel(kind, dst=IPv4Address(int(FAR) + n), table=TABLE) for n in range(20)]
    assert router.engine.underlay.uses(TABLE)
    for tunnel in tunnels:
        router.remove(tunnel)
    assert not router.engine.underlay.uses(TABLE)
    router.engine.routes.remove_table(TABLE)
