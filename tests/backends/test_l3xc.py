"""L3 cross-connects: all that an interface receives follows the paths, as they are at the time."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.backends.tunnels.router import Router, host, packet
from vectorplane.backends.engine.pg import PgDevice
from vectorplane.backends.engine.report import report
from vectorplane.backends.engine.route_paths import Path


def path(interface: int, number: int, **fields: int) -> Path:
    """By host ``number`` of pg(interface - 1)."""
    return Path(next_hop=int(IPv4Address(f"10.0.{interface - 1}.{number}")), sw_if_index=interface, **fields)


@pytest.fixture
def router() -> Iterator[Router]:
    made = Router()
    yield made
    made.engine.close()


def send(router: Router, *inside: bytes) -> list[tuple[str, bytes]]:
    """Packets arrive at pg1; interface and Ethernet destination of what leaves."""
    engine = router.engine
    mac = engine.interfaces[router.inner].mac
    engine.pg.add("in", router.inner, [mac + bytes(6) + b"\x08\0" + p for p in inside])
    engine.pg.enable("in")
    engine.run_until(engine.now + 1000)
    engine.pg.delete("in")
    assert report(engine.plane).missing == 0
    left = []
    for interface in engine.interfaces.by_index.values():
        if isinstance(interface.device, PgDevice):
            left += [(interface.name, data[:6]) for _, data in interface.device.transmitted()]
    return left


def test_no_lookup(router: Router) -> None:
    """No route leads to 30.0.0.9, and the router's own addresses are passed on too."""
    assert send(router, packet()) == []
    router.engine.l3xc.update(router.inner, [path(router.outer, 2)])
    assert send(router, packet(), packet("10.0.0.1"), packet("10.0.1.1")) == [("pg0", host(0, 2))] * 3
    router.engine.l3xc.update(router.inner, [path(router.outer, 3)])
    assert send(router, packet()) == [("pg0", host(0, 3))]
    router.engine.l3xc.remove(router.inner)
    assert send(router, packet()) == []
    with pytest.raises(KeyError):
        router.engine.l3xc.remove(router.inner)


@settings(max_examples=25, deadline=None)
@given(ports=st.lists(st.integers(1, 65535), min_size=1, max_size=60), weights=st.tuples(*[st.integers(1, 4)] * 2))
def test_several_paths(ports: list[int], weights: tuple[int, int]) -> None:
    """Each packet takes the path that a route with these paths would send it by."""
    router = Router()
    paths = [path(router.outer, 2 + k, weight=w) for k, w in enumerate(weights)]
    udp = [packet(payload=p.to_bytes(2, "big") + b"\0\x35\0\x08\0\0", protocol=17) for p in ports]
    router.engine.routes.add("30.0.0.0/16", paths)
    routed = send(router, *udp)
    router.engine.routes.remove("30.0.0.0/16")
    router.engine.l3xc.update(router.inner, paths)
    assert send(router, *udp) == routed and len(routed) == len(udp)
    router.engine.close()


def test_it_follows_its_paths(router: Router) -> None:
    engine = router.engine
    engine.l3xc.update(router.inner, [Path(next_hop=int(IPv4Address("50.0.0.1")), table=0)])
    assert send(router, packet()) == []
    router.route("50.0.0.0/8", IPv4Address("10.0.0.2"), router.outer)
    assert send(router, packet()) == [("pg0", host(0, 2))]
    router.route("50.0.0.0/8", IPv4Address("10.0.0.3"), router.outer)
    assert send(router, packet()) == [("pg0", host(0, 3))]
    engine.interfaces.set_up(router.outer, False)
    assert send(router, packet()) == []
    engine.interfaces.set_up(router.outer)  # the neighbour was forgotten: it is asked for
    assert send(router, packet()) == [("pg0", b"\xff" * 6)]


def test_interfaces_go(router: Router) -> None:
    engine = router.engine
    engine.l3xc.update(router.inner, [path(router.outer, 2)])
    engine.interfaces.remove(router.outer)
    assert send(router, packet()) == []
    engine.interfaces.remove(router.inner)
    assert engine.l3xc.dump() == []


def test_cross_connects_that_cannot_be(router: Router) -> None:
    with pytest.raises(ValueError, match="needs a path"):
        router.engine.l3xc.update(router.inner, [])
    with pytest.raises(KeyError):
        router.engine.l3xc.update(99, [path(router.outer, 2)])
    assert router.engine.l3xc.dump() == []
