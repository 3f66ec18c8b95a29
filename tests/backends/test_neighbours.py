"""Neighbours: static and learnt, host routes, limits, ageing with probes; addresses of interfaces."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from scapy.layers.inet import IP
from scapy.layers.l2 import ARP, Ether

from vectorplane.backends.engine.addresses import AddressConflict, DuplicateAddress
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.neighbours import Neighbour, NeighbourLimit, StaticNeighbour
from vectorplane.backends.engine.pg import PgDevice

SECOND = 1_000_000_000


def mac(n: int) -> bytes:
    return bytes([2, 0, 0, 0, n >> 8, n & 255])


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = Engine()
    for n in (1, 2):
        made.interfaces.add(f"pg{n}", mac=mac(0xFE00 + n), device=PgDevice())
        made.interfaces.set_up(n)
        made.addresses.add(n, f"10.{n}.0.1/24")
    yield made
    made.close()


def hear(engine: Engine, n: int, address: str, source: int) -> None:
    """Let an ARP request from a neighbour arrive."""
    hw = mac(source).hex(":")
    frame = Ether(src=hw, dst="ff:ff:ff:ff:ff:ff") / ARP(op=1, hwsrc=hw, psrc=address, pdst=f"10.{n}.0.1")
    engine.pg.add("arp", n, [bytes(frame)])
    engine.pg.enable()
    engine.run_until(engine.now + 1_000_000)
    engine.pg.delete("arp")


def sent(engine: Engine, n: int) -> list[bytes]:
    device = engine.interfaces[n].device
    assert isinstance(device, PgDevice)
    return [f for _, f in device.transmitted()]


def source_of(engine: Engine, prefix: str) -> str | None:
    info = engine.routes.get(prefix)
    return None if info is None else f"{info.source}{'' if info.installed else ', not installed'}"


def test_add_change_remove(engine: Engine) -> None:
    neighbours = engine.neighbours
    news: list[tuple[int, bool]] = []
    neighbours.on_change.append(lambda n, added: news.append((n.address & 255, added)))
    neighbours.add(1, "10.1.0.2", mac(2))
    assert source_of(engine, "10.1.0.2/32") == "adjacency"
    neighbours.add(1, "10.1.0.2", mac(3), static=True)
    with pytest.raises(StaticNeighbour):
        neighbours.add(1, "10.1.0.2", mac(4))
    assert [n.mac for n in neighbours.dump(1)] == [mac(3)]
    neighbours.add(1, "10.1.0.3", mac(5), no_fib_entry=True)
    assert source_of(engine, "10.1.0.3/32") is None
    # not on a prefix of its interface: no host route that is used
    neighbours.add(2, "10.1.0.4", mac(6))
    assert source_of(engine, "10.1.0.4/32") == "adjacency, not installed"
    engine.routes.update("10.1.0.2/32", engine.routes.path("10.2.0.9", "pg2"))
    assert source_of(engine, "10.1.0.2/32") == "API"
    engine.routes.remove("10.1.0.2/32")
    assert source_of(engine, "10.1.0.2/32") == "adjacency"
    neighbours.remove(1, "10.1.0.2")
    assert source_of(engine, "10.1.0.2/32") is None
    with pytest.raises(KeyError):
        neighbours.remove(1, "10.1.0.2")
    with pytest.raises(KeyError):
        neighbours.add(9, "10.1.0.2", mac(1))
    with pytest.raises(ValueError):
        neighbours.add(1, "10.1.0.2", b"")
    assert news == [(2, True), (2, True), (3, True), (4, True), (2, False)]


def test_limit_and_recycling(engine: Engine) -> None:
    neighbours = engine.neighbours
    neighbours.configure(limit=2)
    neighbours.add(1, "10.1.0.9", mac(9), static=True)
    hear(engine, 1, "10.1.0.2", 2)
    hear(engine, 1, "10.1.0.3", 3)
    assert [n.address & 255 for n in neighbours.dump()] == [2, 9]
    with pytest.raises(NeighbourLimit):
        neighbours.add(1, "10.1.0.4", mac(4))
    neighbours.configure(limit=2, recycle=True)
    hear(engine, 1, "10.1.0.4", 4)
    assert [n.address & 255 for n in neighbours.dump()] == [4, 9]


def test_replacement(engine: Engine) -> None:
    neighbours = engine.neighbours
    for n in (2, 3, 4):
        neighbours.add(1, f"10.1.0.{n}", mac(n), static=True)
    neighbours.mark()
    neighbours.add(1, "10.1.0.3", mac(3), static=True)
    neighbours.sweep()
    assert [n.address & 255 for n in neighbours.dump()] == [3]


def test_what_is_known_costs_no_event(engine: Engine) -> None:
    hear(engine, 1, "10.1.0.2", 2)
    (known,) = engine.neighbours.dump()
    first = engine.neighbours.heard(known)
    events: list[Neighbour] = []
    engine.neighbours.on_change.append(lambda n, added: events.append(n))
    engine.run_until(engine.now + SECOND)
    hear(engine, 1, "10.1.0.2", 2)
    assert events == [] and engine.neighbours.heard(known) >= first + SECOND
    hear(engine, 1, "10.1.0.2", 7)
    assert events == [known] and known.mac == mac(7)


def test_ageing(engine: Engine) -> None:
    engine.neighbours.configure(max_age=10)
    hear(engine, 1, "10.1.0.2", 2)
    engine.neighbours.add(1, "10.1.0.9", mac(9), static=True)
    sent(engine, 1)
    start = engine.neighbours.heard(engine.neighbours.dump()[0])
    engine.run_until(start + 10 * SECOND)
    assert sent(engine, 1) == []
    engine.run_until(start + 11 * SECOND + 1)
    (probe,) = sent(engine, 1)
    ask = Ether(probe)
    assert (ask.dst, ask.src, ask[ARP].op) == ("ff:ff:ff:ff:ff:ff", mac(0xFE01).hex(":"), 1)
    assert (ask.psrc, ask.pdst, len(ask)) == ("10.1.0.1", "10.1.0.2", 42)
    # it answers: young again
    hear(engine, 1, "10.1.0.2", 2)
    sent(engine, 1)
    start = engine.neighbours.heard(engine.neighbours.dump()[0])
    engine.run_until(start + 13 * SECOND + SECOND // 2)
    assert len(sent(engine, 1)) == 3 and len(engine.neighbours.dump()) == 2
    engine.run_until(start + 15 * SECOND)
    assert [n.address & 255 for n in engine.neighbours.dump()] == [9] and sent(engine, 1) == []


def test_interface_down_and_up(engine: Engine) -> None:
    engine.neighbours.add(1, "10.1.0.2", mac(2), static=True)
    hear(engine, 1, "10.1.0.3", 3)
    index = engine.routes.update("20.0.0.0/8", engine.routes.path("10.1.0.2", "pg1"))
    hops = engine.routes.control.load_balances.hops
    up = hops(index)
    engine.interfaces.set_up(1, False)
    assert [n.address & 255 for n in engine.neighbours.dump()] == [2]
    assert hops(index) == [0] and source_of(engine, "10.1.0.0/24") is None
    assert source_of(engine, "10.1.0.2/32") == "adjacency, not installed"
    engine.interfaces.set_up(1)
    assert hops(index) == up and source_of(engine, "10.1.0.0/24") == "interface"
    assert source_of(engine, "10.1.0.2/32") == "adjacency"


def test_addresses(engine: Engine) -> None:
    addresses = engine.addresses
    addresses.add(1, "10.1.0.7/24")
    for bad in ("10.2.0.5/24", "10.2.0.5/25", "10.0.0.1/8", "10.1.0.9/25"):
        with pytest.raises(AddressConflict):
            addresses.add(1, bad)
    with pytest.raises(DuplicateAddress):
        addresses.add(1, "10.1.0.1/24")
    addresses.add(2, "11.0.0.0/31")
    assert source_of(engine, "11.0.0.0/32") == source_of(engine, "11.0.0.1/32") == "interface"
    addresses.add(2, "12.0.0.1/32")
    hear(engine, 1, "10.1.0.2", 2)
    addresses.remove(1, "10.1.0.1/24")
    assert source_of(engine, "10.1.0.1/32") is None and source_of(engine, "10.1.0.0/24") == "interface"
    assert engine.neighbours.dump() == []
    assert addresses.source_for(1, 0x0A010005) == 0x0A010007
    addresses.remove(1, "10.1.0.7/24")
    assert [source_of(engine, p) for p in ("10.1.0.0/24", "10.1.0.0/32", "10.1.0.255/32")] == [None] * 3
    with pytest.raises(KeyError):
        addresses.remove(1, "10.1.0.7/24")
    addresses.remove_all(2)
    assert len(list(engine.routes.dump())) == 5
    assert engine.plane.arcs["ip4-unicast"].chain(1) == ["ip4-not-enabled"]


def test_source_address(engine: Engine) -> None:
    addresses = engine.addresses
    addresses.add(1, "10.5.0.1/16")
    assert addresses.source_for(1, 0x0A010009) == 0x0A010001
    assert addresses.source_for(1, 0x0A050909) == 0x0A050001
    assert addresses.source_for(1, 0x63000001) == 0x0A010001
    engine.interfaces.set_up(1, False)
    assert addresses.source_for(1, 0x0A010509) == 0x0A010001  # no connected prefix now: most bits in common
    third = engine.interfaces.add("pg3").sw_if_index
    assert addresses.source_for(third, 0x0A010009) == 0
    addresses.set_unnumbered(third, 2)
    assert addresses.source_for(third, 0x0A010009) == 0x0A020001
    assert engine.plane.arcs["arp"].chain(third) == ["arp-reply"]
    addresses.set_unnumbered(third, None)
    assert addresses.source_for(third, 0x0A010009) == 0
    assert engine.plane.arcs["arp"].chain(third) == ["arp-disabled"]


def test_neighbours_of_an_interface_that_borrows(engine: Engine) -> None:
    """A neighbour has a route of its own beyond an interface as long as that borrows the addresses of its prefix."""
    third = engine.interfaces.add("pg3", device=PgDevice()).sw_if_index
    engine.interfaces.set_up(third)
    engine.neighbours.add(third, "10.2.0.9", mac(9), static=True)
    assert source_of(engine, "10.2.0.9/32") == "adjacency, not installed"
    for lender, told in ((2, ""), (1, ", not installed"), (2, ""), (None, ", not installed")):
        engine.addresses.set_unnumbered(third, lender)
        assert source_of(engine, "10.2.0.9/32") == f"adjacency{told}", lender


def test_who_asks_for_neighbours_of_an_attached_prefix(engine: Engine) -> None:
    """The prefix is no interface's own: the address that suits the destination asks (VPP's test_glean_src_select)."""
    addresses, routes = engine.addresses, engine.routes
    for address in ("10.5.0.2/24", "10.5.0.1/24", "10.6.0.1/24"):
        addresses.add(2, address)
    addresses.remove(2, "10.5.0.2/24")
    addresses.add(2, "10.5.0.2/24")
    routes.add_table(1)
    engine.interfaces.add("pg3", mac=mac(0xFE03), device=PgDevice())
    engine.interfaces.set_up(3)
    addresses.set_table(3, 1)
    addresses.add(3, "10.3.0.1/24")
    routes.update("10.5.0.0/24", routes.path(interface="pg2"), 1)
    routes.update("10.7.0.0/24", routes.path(interface="pg2"), 1)
    sent(engine, 2)
    for destination, source in (("10.5.0.128", "10.5.0.1"), ("10.7.0.128", "10.2.0.1")):
        packet = Ether(src=mac(9).hex(":"), dst=mac(0xFE03).hex(":")) / IP(src="10.3.0.9", dst=destination)
        engine.pg.add("one", 3, [bytes(packet)])
        engine.pg.enable()
        engine.run_until(engine.now + 10_000_000)
        engine.pg.delete("one")
        (request,) = (Ether(f)[ARP] for f in sent(engine, 2))
        assert (request.psrc, request.pdst) == (source, destination)
    addresses.remove_all(2)
    assert engine.addresses.source_for(2, 0x0A050080) == 0


def test_tables(engine: Engine) -> None:
    fib = engine.routes.add_table(3)
    third = engine.interfaces.add("pg3").sw_if_index
    engine.interfaces.set_up(third)
    engine.neighbours.add(third, "10.1.0.2", mac(2), static=True)
    engine.addresses.set_table(third, 3)
    engine.addresses.add(third, "10.1.0.1/24")  # the same as pg1's, in another table
    assert engine.routes.control.find(fib, 0x0A010002, 32) is not None
    assert source_of(engine, "10.1.0.2/32") is None
    with pytest.raises(ValueError):
        engine.addresses.set_table(third, 0)
    with pytest.raises(KeyError):
        engine.addresses.set_table(1, 99)
    with pytest.raises(ValueError):
        engine.addresses.set_unnumbered(1, third)


def test_advertise_and_wanted(engine: Engine) -> None:
    assert engine.neighbours.advertise(1)
    engine.run_until(SECOND)
    (frame,) = sent(engine, 1)
    assert (Ether(frame).psrc, Ether(frame).pdst, Ether(frame).dst) == ("10.1.0.1", "10.1.0.1", "ff:ff:ff:ff:ff:ff")
    # as VPP, a route to a neighbour that is not known asks for it
    engine.routes.update("20.0.0.0/8", engine.routes.path("10.1.0.8", "pg1"))
    engine.run_until(2 * SECOND)
    assert [Ether(f).pdst for f in sent(engine, 1)] == ["10.1.0.8"]
