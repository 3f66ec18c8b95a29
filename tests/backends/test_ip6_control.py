"""IPv6 from the control side: addresses, routes, tables, neighbours, and what the end of an interface means."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv6Address

import pytest
from scapy.layers.inet6 import ICMPv6ND_NS, IPv6
from scapy.layers.l2 import Ether

from vectorplane.backends.engine.addresses import AddressConflict, DuplicateAddress
from vectorplane.backends.engine.addresses6 import LinkLocalLength, LinkLocalNotDeletable
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.links6 import Ip6NotEnabled, link_local_of
from vectorplane.backends.engine.neighbours6 import solicitation
from vectorplane.backends.engine.pg import PgDevice

SECOND = 1_000_000_000
MAC = bytes.fromhex("02fe00000001")


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = Engine()
    for n in (1, 2):
        made.interfaces.add(f"pg{n}", mac=MAC[:5] + bytes([n]), device=PgDevice())
        made.interfaces.set_up(n)
    yield made
    made.close()


def routes(engine: Engine, table: int = 0) -> dict[str, str]:
    return {str(r): f"{r.source}{'' if r.installed else ', not installed'}" for r in engine.routes6.dump(table)}


ALWAYS = {"::/0": "default-route", "fe80::/10": "special"}


def test_link_local_of_a_mac() -> None:
    """RFC 4291 appendix A's example, with its universal bit."""
    assert IPv6Address(link_local_of(bytes.fromhex("34567899abcd"))) == IPv6Address("fe80::3656:78ff:fe99:abcd")


def test_addresses_bring_routes(engine: Engine) -> None:
    addresses = engine.addresses6
    assert routes(engine) == ALWAYS
    addresses.add(1, "2001:db8::1/64")
    addresses.add(1, "2001:db8::2/64")
    both = {"2001:db8::/64": "interface", "2001:db8::1/128": "interface", "2001:db8::2/128": "interface"}
    assert routes(engine) == ALWAYS | both
    addresses.remove(1, "2001:db8::1/64")
    del both["2001:db8::1/128"]
    assert routes(engine) == ALWAYS | both
    engine.interfaces.set_up(1, False)
    assert routes(engine) == ALWAYS
    engine.interfaces.set_up(1)
    assert routes(engine) == ALWAYS | both
    addresses.remove(1, "2001:db8::2/64")
    assert routes(engine) == ALWAYS and not addresses.is_enabled(1)
    addresses.add(1, "2001:db8::1/128")
    assert routes(engine) == ALWAYS | {"2001:db8::1/128": "interface"}


def test_addresses_are_refused(engine: Engine) -> None:
    addresses = engine.addresses6
    addresses.add(1, "2001:db8::1/64")
    with pytest.raises(DuplicateAddress):
        addresses.add(1, "2001:db8::1/64")
    for n, address in ((1, "2001:db8::2/65"), (2, "2001:db8::2/64"), (2, "2001:db8::1/128"), (2, "2001::1/16")):
        with pytest.raises(AddressConflict):
            addresses.add(n, address)
    for bad in ("10.0.0.1/8", "2001:db8::1/129", "x"):
        with pytest.raises(ValueError):
            addresses.add(1, bad)
    with pytest.raises(KeyError):
        addresses.add(9, "2001:db8:1::1/64")
    with pytest.raises(KeyError):
        addresses.remove(1, "2001:db8::1/65")
    with pytest.raises(LinkLocalLength):
        addresses.add(1, "fe80::1/64")
    with pytest.raises(LinkLocalNotDeletable):
        addresses.remove(1, f"{addresses.link_local(1)}/128")
    with pytest.raises(KeyError):
        addresses.remove(1, "fe80::1/128")
    engine.routes6.add_table(5)
    addresses.set_table(2, 5)
    addresses.add(2, "2001:db8::1/64")
    assert routes(engine, 5) == ALWAYS | {"2001:db8::/64": "interface", "2001:db8::1/128": "interface"}
    with pytest.raises(ValueError):
        addresses.set_table(2, 0)


def test_ip6_is_on_while_anything_wants_it(engine: Engine) -> None:
    addresses, arc = engine.addresses6, engine.plane.arcs["ip6-unicast"]
    assert arc.chain(1) == ["ip6-not-enabled"] and addresses.link_local(1) is None
    with pytest.raises(Ip6NotEnabled):
        addresses.disable(1)
    assert addresses.enable(1) and not addresses.enable(1)
    assert arc.chain(1) == [] and addresses.link_local(1) == IPv6Address(link_local_of(MAC))
    addresses.add(1, "2001:db8::1/64")
    addresses.disable(1)
    addresses.disable(1)
    assert addresses.is_enabled(1)
    addresses.remove(1, "2001:db8::1/64")
    assert not addresses.is_enabled(1) and arc.chain(1) == ["ip6-not-enabled"]
    addresses.add(1, "fe80::77/128")
    assert str(addresses.link_local(1)) == "fe80::77" and addresses.own(1) == []
    addresses.disable(1)
    engine.addresses.set_unnumbered(2, 1)
    assert arc.chain(2) == [] and addresses.link_local(2) is None
    engine.addresses.set_unnumbered(2, None)
    assert arc.chain(2) == ["ip6-not-enabled"]


def test_a_replacement_of_addresses(engine: Engine) -> None:
    addresses = engine.addresses6
    for n in (1, 2, 3):
        addresses.add(1, f"2001:db8:{n}::1/64")
    addresses.mark()
    addresses.add(1, "2001:db8:1::1/64")
    addresses.add(2, "2001:db8:2::1/64")  # moves
    addresses.sweep()
    assert [str(a) for a in addresses.own(1)] == ["2001:db8:1::1/64"]
    assert [str(a) for a in addresses.own(2)] == ["2001:db8:2::1/64"]


def test_routes(engine: Engine) -> None:
    six = engine.routes6
    first = six.update("2001:db8:9::/48", six.path("2001:db8::9", "pg1"))
    assert six.add("2001:db8:9::/48", six.path("2001:db8::8", "pg1", weight=3)) == first
    assert six.add("2001:db8:9::/48", six.path("2001:db8::8", "pg1", weight=5)) == first  # changes nothing
    route = six.get("2001:db8:9::/48")
    assert route is not None and (route.stats_index, route.source) == (first, "API")
    assert [(p.next_hop & 15, p.weight) for p in route.paths] == [(8, 3), (9, 1)]
    assert six.update("2001:db8:8::/48", six.path("2001:db8::9", "pg1")) != first
    six.remove("2001:db8:9::/48", paths=six.path("2001:db8::8", "pg1"))
    assert [p.next_hop & 15 for p in six.get("2001:db8:9::/48").paths] == [9]  # type: ignore[union-attr]
    six.remove("2001:db8:9::/48", paths=six.path("2001:db8::9", "pg1"))
    assert six.get("2001:db8:9::/48") is None and six.count() == 3
    with pytest.raises(KeyError):
        six.remove("2001:db8:9::/48")
    with pytest.raises(KeyError):
        six.update("2001:db8:9::/48", six.path(kind="drop"), table=4)
    for bad in ("10.0.0.0/8", (1 << 128, 1), (0, 129)):
        with pytest.raises(ValueError):
            six.update(bad, six.path(kind="drop"))
    with pytest.raises(ValueError):
        six.update("2001:db8:9::/48", ())
    six.update("::/0", six.path("2001:db8::9", "pg1"))
    assert routes(engine)["::/0"] == "API"
    six.remove("::/0")
    assert routes(engine)["::/0"] == "default-route"
    six.flush(0)
    assert routes(engine) == ALWAYS


def test_a_replacement_of_routes(engine: Engine) -> None:
    six = engine.routes6
    for n in (1, 2, 3):
        six.update(f"2001:db8:{n}::/48", six.path(kind="drop"))
    engine.tables6.mark(0)
    six.update("2001:db8:2::/48", six.path(kind="drop"))
    six.update("2001:db8:4::/48", six.path(kind="drop"))
    engine.tables6.sweep(0)
    assert sorted(routes(engine)) == ["2001:db8:2::/48", "2001:db8:4::/48", "::/0", "fe80::/10"]


def test_tables_stay_while_they_are_used(engine: Engine) -> None:
    tables = engine.tables6
    tables.create(7, "blue")
    assert tables.ids() == [0, 7] and tables.name(7) == "blue" and routes(engine, 7) == ALWAYS
    engine.addresses6.set_table(1, 7)
    tables.delete(7)
    assert 7 in tables
    engine.addresses6.set_table(1, 0)
    assert 7 not in tables
    engine.routes6.add_table(8)
    engine.routes6.update("2001:db8::/48", engine.routes6.path(table=8))
    with pytest.raises(ValueError):
        engine.routes6.remove_table(8)
    engine.routes6.remove("2001:db8::/48")
    engine.routes6.remove_table(8)
    assert tables.ids() == [0]
    with pytest.raises(ValueError):
        engine.routes6.remove_table(0)
    with pytest.raises(KeyError):
        engine.routes6.remove_table(8)


def test_neighbours(engine: Engine) -> None:
    engine.addresses6.add(1, "2001:db8::1/64")
    neighbours = engine.neighbours6
    neighbours.add(1, "2001:db8::9", MAC)
    neighbours.add(1, "2001:db8:1::9", MAC, static=True)
    neighbours.add(1, "fe80::9", MAC)
    host = {"2001:db8::9/128": "adjacency", "2001:db8:1::9/128": "adjacency, not installed"}
    assert {k: v for k, v in routes(engine).items() if k in host} == host and "fe80::9/128" not in routes(engine)
    # a prefix attached to its interface makes its route one that is used; another interface's does not
    engine.routes6.update("2001:db8:1::/64", engine.routes6.path(interface="pg2"))
    assert routes(engine)["2001:db8:1::9/128"] == "adjacency, not installed"
    engine.routes6.update("2001:db8:1::/64", engine.routes6.path(interface="pg1"))
    assert routes(engine)["2001:db8:1::9/128"] == "adjacency"
    engine.addresses6.remove(1, "2001:db8::1/64")
    assert [str(IPv6Address(n.address)) for n in neighbours.dump()] == ["2001:db8:1::9", "fe80::9"]
    engine.interfaces.set_up(1, False)
    assert [n.static for n in neighbours.dump()] == [True]


def test_probes_and_ageing(engine: Engine) -> None:
    """Silent for too long: three solicitations a second apart, then forgotten."""
    engine.addresses6.add(1, "2001:db8::1/64")
    engine.run_until(SECOND)
    engine.neighbours6.configure(max_age=5)
    engine.neighbours6.add(1, "2001:db8::1234:5678", MAC)
    engine.neighbours.configure(max_age=0)
    device = engine.interfaces[1].device
    assert isinstance(device, PgDevice)
    engine.run_until(6 * SECOND)
    assert device.transmitted() == []
    engine.run_until(9 * SECOND + 1)
    sent = device.transmitted()
    assert [t // SECOND for t, _ in sent] == [7, 8, 9]
    asked = Ether(sent[0][1])
    assert (asked.dst, asked.src) == ("33:33:ff:34:56:78", "02:fe:00:00:00:01")
    assert (asked[IPv6].src, asked[IPv6].dst, asked[IPv6].hlim) == ("2001:db8::1", "ff02::1:ff34:5678", 255)
    assert asked[ICMPv6ND_NS].tgt == "2001:db8::1234:5678"
    engine.run_until(11 * SECOND)
    assert engine.neighbours6.dump() == []


def test_the_solicitation_has_its_checksum() -> None:
    made = IPv6(solicitation(int(IPv6Address("2001:db8::1")), int(IPv6Address("2001:db8::9")), MAC))
    right = made[ICMPv6ND_NS].cksum
    del made[ICMPv6ND_NS].cksum
    assert IPv6(bytes(made))[ICMPv6ND_NS].cksum == right


def test_an_interface_goes(engine: Engine) -> None:
    engine.routes6.add_table(3)
    engine.addresses6.set_table(1, 3)
    engine.addresses6.add(1, "2001:db8::1/64")
    engine.addresses6.enable(1)
    engine.neighbours6.add(1, "2001:db8::9", MAC, static=True)
    engine.routes6.update("2001:db8:5::/48", engine.routes6.path("2001:db8::9", "pg1"))
    engine.interfaces.remove(1)
    assert engine.neighbours6.dump() == [] and routes(engine, 3) == ALWAYS
    assert [p.kind for p in engine.routes6.get("2001:db8:5::/48").paths] == ["drop"]  # type: ignore[union-attr]
    again = engine.interfaces.add("pg9", mac=MAC, device=PgDevice()).sw_if_index
    assert again == 1 and engine.addresses6.table_of(1) == 0 and not engine.addresses6.is_enabled(1)
    assert engine.plane.arcs["ip6-unicast"].chain(1) == ["ip6-not-enabled"]
