"""Bridge domains, ports and cross-connects: what is refused, who is where, and what becomes of the rest."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.backends.l2.bridged import Bridged, mac_of
from tests.budget import examples
from tests.naive.l2.bridge import FLAGS, NEW_DOMAIN
from tests.naive.l2.features import bits
from tests.naive.l2.flood import Member, Members
from tests.naive.l2.mac_table import Entry
from vectorplane.backends.engine.device import Device
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.l2.bridges import (
    ARP_TERM,
    BVI,
    FLOOD,
    LEARN,
    MAX_ID,
    NORMAL,
    UU_FWD,
    Address,
    DefaultDomain,
    DomainExists,
    DomainInUse,
    HasBvi,
)
from vectorplane.backends.engine.pg import PgDevice
from vectorplane.graph_nodes.l2.config import MAX_DOMAINS
from vectorplane.graph_nodes.l2.fib import LEARN_LIMIT

HOST, OTHER, THIRD = (bytes.fromhex(f"02000000000{n}") for n in (1, 2, 3))
BROADCAST = b"\xff" * 6


@pytest.fixture
def it() -> Iterator[Bridged]:
    """pg0, pg1 and pg2 (1, 2, 3), in L3 mode."""
    made = Bridged(3)
    yield made
    made.check_tables()
    made.close()


def frame(source: bytes = HOST, destination: bytes = BROADCAST) -> bytes:
    return destination + source + b"\x08\0" + bytes(46)


# --- domains


def test_domains_that_are_refused(it: Bridged) -> None:
    bridges = it.engine.bridges
    it.create(7)
    for bd_id, error in ((0, DefaultDomain), (7, DomainExists), (MAX_ID + 1, OverflowError)):
        with pytest.raises(error):
            bridges.create(bd_id)
    with pytest.raises(DefaultDomain):
        bridges.delete(0)
    for call in (
        bridges.delete,
        lambda n: bridges.set_flags(n, LEARN, True),
        lambda n: bridges.set_mac_age(n, 1),
        lambda n: bridges.set_learn_limit(n, 1),
        lambda n: bridges.flush_ip_macs(n),
        lambda n: bridges.set_ip_mac(n, IPv4Address("10.0.0.1"), HOST),
        lambda n: bridges.remove_ip_mac(n, IPv4Address("10.0.0.1"), HOST),
        it.engine.l2fib.flush_domain,
    ):
        with pytest.raises(KeyError, match="no bridge domain 9"):
            call(9)
    for minutes in (-1, 256):
        with pytest.raises(ValueError, match="within 0 to 255"):
            bridges.set_mac_age(7, minutes)
    assert set(bridges.domains) == {7}


def test_numbers_and_indices(it: Bridged) -> None:
    """A new domain has the lowest index that is free, 0 being VPP's own; unused numbers are found likewise."""
    bridges = it.engine.bridges
    for bd_id in (1, 2, 4, MAX_ID):
        it.create(bd_id)
    assert [bridges[n].index for n in (1, 2, 4, MAX_ID)] == [1, 2, 3, 4] and bridges.unused_id() == 3
    it.delete(2)
    assert bridges.unused_id() == 2
    it.create(100)
    assert bridges[100].index == 2 and bridges.by_index[2] is bridges[100]


def test_too_many_domains(it: Bridged) -> None:
    bridges = it.engine.bridges
    it.create(1)
    kept = bridges.by_index
    bridges.by_index = dict.fromkeys(range(MAX_DOMAINS), bridges[1])
    with pytest.raises(OverflowError, match=f"more than {MAX_DOMAINS - 1}"):
        bridges.create(2)
    bridges.by_index = kept


def test_features_of_a_domain() -> None:
    """As VPP makes it from its arguments; all others are on, so that ports' own ones count."""
    engine = Engine(buffers=2048)
    names = ("learn", "forward", "flood", "uu_flood", "arp_term", "arp_ufwd")
    for n, name in enumerate(names):
        for on in (False, True):
            domain = engine.bridges.create(10 + 2 * n + on, **{name: on})
            assert [getattr(domain, other) for other in names] == [
                on if other == name else other not in ("arp_term", "arp_ufwd") for other in names
            ]
    plain = engine.bridges.create(5, tag="blue", mac_age=3)
    assert (plain.feature_bitmap, plain.tag, plain.mac_age) == (NEW_DOMAIN & 0xFFFFFFFF, "blue", 3)
    assert engine.bridges.set_flags(5, FLOOD | LEARN, False) == NEW_DOMAIN & ~bits("FLOOD", "LEARN") & 0xFFFFFFFF
    everything = engine.bridges.set_flags(5, 63, True)
    assert everything & bits(*FLAGS) == bits(*FLAGS) and not everything & bits("UU_FWD")
    engine.close()


def test_a_domain_with_ports_stays(it: Bridged) -> None:
    """Also when its only port is one for unknown unicast, or one that another has replaced as that."""
    it.create(7)
    for ports in ([(1, NORMAL)], [(1, UU_FWD)], [(1, UU_FWD), (2, UU_FWD)]):
        for index, kind in ports:
            it.attach(index, 7, kind)
        for index, _ in reversed(ports):
            with pytest.raises(DomainInUse):
                it.engine.bridges.delete(7)
            it.detach(index)
    it.delete(7)


def test_the_default_limit_is_of_new_domains(it: Bridged) -> None:
    bridges = it.engine.bridges
    assert bridges.create(7).learn_limit == LEARN_LIMIT
    bridges.default_learn_limit = 2
    bridges.attach(1, 8)
    for k in range(4):
        it.send_quietly(1, frame(bytes([2, 0, 0, 0, 1, k])))
    assert it.engine.l2fib.count == bridges.learn_count(bridges[8]) == 2
    bridges.detach(1)
    for bd_id in (7, 8):
        bridges.delete(bd_id)


# --- members


class Flooded(Device):
    """A device with another flood class."""

    def __init__(self, flood_class: str) -> None:
        self.flood_class = flood_class


CLASSES = ("normal", "tunnel", "tunnel-master", "none")
STEPS = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 5)), max_size=30)


@pytest.fixture(scope="module")
def assorted() -> Iterator[tuple[Engine, list[int]]]:
    """Twelve interfaces, three of each class."""
    engine = Engine(buffers=2048)
    made = [engine.interfaces.add(f"t{k}", device=Flooded(CLASSES[k % 4])).sw_if_index for k in range(12)]
    yield engine, made
    engine.close()


@examples(40)
@given(steps=STEPS)
def test_the_order_of_members(assorted: tuple[Engine, list[int]], steps: list[tuple[int, int]]) -> None:
    """VPP's, whatever came and went: BVI, normal ports and masters, other tunnels, those that nothing is flooded to."""
    engine, interfaces = assorted
    members = Members()
    there: set[int] = set()
    bvi = -1
    engine.bridges.create(7)
    for k, what in steps:
        index = interfaces[k]
        if index in there and what < 2:
            engine.bridges.detach(index)
            members.remove(index)
            there.discard(index)
            bvi = -1 if bvi == index else bvi
        elif index not in there:
            as_bvi = what == 5 and bvi < 0
            bvi = index if as_bvi else bvi
            engine.bridges.attach(index, 7, BVI if as_bvi else NORMAL)
            members.add(Member(index, 0, as_bvi, "bvi" if as_bvi else CLASSES[k % 4]))
            there.add(index)
        domain = engine.bridges[7]
        assert [m.sw_if_index for m in domain.members] == [m.interface for m in members.all]
        assert domain.flood_count == len(members.flooded)
        flood = int(engine.bridges._config.domains[domain.index]["flood"])
        words = engine.bridges._config._words[flood >> 16 : (flood >> 16) + (flood & 0xFFFF)]
        assert [int(w) & 0xFFFFFFFF for w in words] == [m.interface for m in reversed(members.flooded)]
    for index in there:
        engine.bridges.detach(index)
    engine.bridges.delete(7)


def test_nothing_is_flooded_to_a_loopback_that_is_no_bvi(it: Bridged) -> None:
    """It would come back, to all ports, as if it came from there."""
    for kind in ("loopback", "bvi"):
        index = it.add_routed(kind)
        for port in (1, 2, index):
            it.attach(port, 7)
        assert it.send(1, frame()).sent == [(2, frame())]
        assert [m.sw_if_index for m in it.engine.bridges[7].members][-1] == index
        it.detach(index)


def test_one_bvi_a_domain(it: Bridged) -> None:
    """As in VPP the second one is no port of any domain then."""
    first, second = it.add_routed("bvi"), it.add_routed("loopback")
    it.attach(first, 7, BVI)
    it.attach(second, 8, BVI)
    assert not it.attach(second, 7, BVI)
    assert it.engine.bridges.port(second) is None and it.engine.bridges[8].bvi == -1
    with pytest.raises(HasBvi, match="bridge domain 7 has a BVI already"):
        it.engine.bridges.attach(second, 7, BVI)
    it.detach(first)
    assert it.attach(second, 7, BVI) and it.engine.bridges[7].bvi == second


def test_the_address_of_a_bvi(it: Bridged) -> None:
    """It is an entry of the domain, moves with the interface's address, and goes with it, unless it is another's."""
    bvi = it.add_routed("bvi")
    old, new = it.naive.interfaces[bvi].mac, bytes.fromhex("020000000099")
    it.attach(bvi, 7, BVI)
    it.attach(1, 7)
    (entry,) = it.engine.l2fib.dump(7)
    assert (entry.mac, entry.sw_if_index, entry.static, entry.bvi, entry.age_not) == (old, bvi, True, True, True)
    assert it.send(1, frame(HOST, old)).to_l3 == [(bvi, bytes(46))]
    it.engine.interfaces.set_mac(bvi, new)
    it.naive.forget(it.naive.domains[7], old)
    it.naive.add(it.naive.domains[7], new, Entry(bvi, True, True, True))
    it.naive.interfaces[bvi].mac = new
    assert it.send(1, frame(HOST, new)).to_l3 == [(bvi, bytes(46))]
    assert it.send(1, frame(HOST, old)).drops == {"BVI L3 mac mismatch": 1}, "unknown: it is flooded, to the BVI too"
    it.detach(bvi)
    assert new not in {e.mac for e in it.engine.l2fib.dump()}
    it.attach(bvi, 7, BVI)
    it.provision(7, new, 1, static=True)
    it.detach(bvi)
    assert {e.mac: e.sw_if_index for e in it.engine.l2fib.dump()}[new] == 1


# --- ports


def test_a_port_moves_between_domains(it: Bridged) -> None:
    """What was learnt on it is unknown in the old domain, and the new one floods to it."""
    for index in (1, 2):
        it.attach(index, 7)
    it.attach(3, 8)
    it.send(1, frame(HOST))
    assert it.send(2, frame(OTHER, HOST)).sent == [(1, frame(OTHER, HOST))]
    it.attach(1, 8)
    assert it.send(2, frame(OTHER, HOST)).drops == {"L2 replication complete": 1}
    assert it.send(1, frame(HOST)).sent == [(3, frame(HOST))]
    assert it.send(3, frame(OTHER, HOST)).sent == [(1, frame(OTHER, HOST))]
    it.attach(1, 7)
    assert it.send(2, frame(OTHER, HOST)).sent == [(1, frame(OTHER, HOST))], "flooded"
    assert it.send(3, frame(OTHER, HOST)).drops == {"L2 replication complete": 1}


def test_a_port_joins_its_own_domain_again(it: Bridged) -> None:
    """With another group or as another kind: in its new place of the order."""
    for index in (1, 2, 3):
        it.attach(index, 7)
    it.attach(1, 7, shg=4)
    assert [(m.sw_if_index, m.shg) for m in it.engine.bridges[7].members] == [(2, 0), (3, 0), (1, 4)]
    it.attach(2, 7, shg=4)
    assert it.send(1, frame()).sent == [(3, frame())], "not within the group"
    it.attach(3, 7, UU_FWD)
    assert it.engine.bridges[7].uu_fwd == 3
    assert it.send(2, frame(OTHER, HOST)).drops == {"L2 split horizon drops": 1}, "it is known within the group"
    assert it.send(2, frame(OTHER, THIRD)).sent == [(3, frame(OTHER, THIRD))], "unknown unicast"
    it.attach(3, 7)
    assert it.engine.bridges[7].uu_fwd == -1


def test_ports_that_are_refused(it: Bridged) -> None:
    bridges = it.engine.bridges
    for call in (lambda: bridges.attach(99, 7), lambda: bridges.xconnect(1, 99), lambda: bridges.xconnect(99, 1)):
        with pytest.raises(KeyError):
            call()
    with pytest.raises(KeyError):
        bridges.detach(99)
    assert bridges.ports == {} and bridges.domains == {}
    bridges.detach(1)  # it is in L3 mode already
    with pytest.raises(DefaultDomain):
        bridges.attach(1, 0)
    with pytest.raises(OverflowError):
        bridges.attach(1, MAX_ID + 1)
    assert bridges.ports == {}


def test_cross_connects(it: Bridged) -> None:
    """One way or both; from a bridge and back to it."""
    it.xconnect(1, 2)
    assert it.send(1, frame()).sent == [(2, frame())]
    it.xconnect(2, 1)
    assert it.send(2, frame(OTHER, HOST)).sent == [(1, frame(OTHER, HOST))]
    for index in (1, 2, 3):
        it.attach(index, 7)
    it.attach(3, 7, UU_FWD)
    it.xconnect(1, 3)
    for destination in (HOST, BROADCAST, mac_of(1)):
        assert it.send(1, frame(OTHER, destination)).sent == [(3, frame(OTHER, destination))]
    assert it.engine.bridges.port_features(1) == bits("XCONNECT", "DROP")
    it.attach(1, 7)
    assert it.send(2, frame()).sent == [(1, frame())]


def test_a_removed_interface_leaves_nothing_behind(it: Bridged) -> None:
    """Its cross-connects end; the next one with its index is in L3 mode, and nobody is known there."""
    for index in (1, 2):
        it.attach(index, 7)
    it.send(1, frame(HOST))
    it.set_features(1, bits("LEARN"), False)
    it.xconnect(3, 1)
    it.remove(1)
    assert it.engine.bridges.port(3) is None and it.engine.bridges.port(1) is None
    assert [m.sw_if_index for m in it.engine.bridges[7].members] == [2]
    assert it.add_port(0) == 1
    assert it.send(1, frame()).sent == []
    assert it.send(2, frame(OTHER, HOST)).drops == {"L2 replication complete": 1}
    it.attach(1, 7)
    assert it.send(2, frame(OTHER, HOST)).sent == [(1, frame(OTHER, HOST))]
    it.send(1, frame(HOST))
    assert HOST in {e.mac for e in it.engine.l2fib.dump()}, "it learns as a new port does"


def test_an_old_entry_leads_to_an_interface_in_l3_mode(it: Bridged) -> None:
    """A provisioned one stays when its port leaves: nothing is sent there."""
    for index in (1, 2):
        it.attach(index, 7)
    it.provision(7, HOST, 1, static=True)
    it.detach(1)
    assert it.send(2, frame(OTHER, HOST)).drops == {"L2 Output interface not valid": 1}


def test_own_features_of_a_port(it: Bridged) -> None:
    """They last while it changes between domains, and go when it goes back to L3."""
    it.attach(1, 7)
    it.set_features(1, bits("LEARN", "FLOOD"), False)
    it.attach(1, 8)
    assert it.engine.bridges.port_features(1) & bits("LEARN", "FLOOD") == bits("LEARN", "FLOOD"), (
        "bridging asks for them"
    )
    it.set_features(1, bits("VTR"), True)
    it.set_features(1, bits("VTR"), False)
    it.detach(1)
    assert it.engine.bridges.port_features(1) == bits("DROP")
    assert it.engine.bridges.port_features(2) == 0


def test_a_port_that_goes_down_is_forgotten(it: Bridged) -> None:
    """Its stations may be elsewhere when it comes up again."""
    for index in (1, 2):
        it.attach(index, 7)
    it.send(1, frame(HOST))
    it.set_up(1, False)
    assert it.send(2, frame(OTHER, HOST)).drops == {"interface is down": 1}, "flooded, to one that is down"
    it.set_up(1, True)
    assert HOST not in {e.mac for e in it.engine.l2fib.dump()}


# --- ARP termination


def test_addresses_that_a_domain_answers_for(it: Bridged) -> None:
    addresses: list[Address] = [IPv4Address("10.0.0.1"), IPv6Address("2001:db8::1")]
    bridges = it.engine.bridges
    for bd_id in (7, 8):
        it.create(bd_id)
        it.set_flags(bd_id, ARP_TERM, True)
    it.attach(1, 7)
    it.attach(2, 8)
    request = BROADCAST + OTHER + b"\x08\x06" + bytes.fromhex("0001080006040001") + OTHER + bytes([10, 0, 0, 9])
    request += bytes(6) + bytes([10, 0, 0, 1])
    for address in addresses:
        it.answer_for(7, address, HOST)
    assert bridges[7].ip_macs == dict.fromkeys(addresses, HOST)
    assert len(it.send(1, request).sent) == 1 and it.send(2, request).sent == []
    it.answer_for(7, addresses[0], OTHER)
    assert not bridges.remove_ip_mac(7, addresses[0], HOST), "it is another one's by now"
    assert it.send(1, request).sent[0][1][6:12] == OTHER
    bridges.flush_ip_macs(7)
    it.naive.domains[7].known.clear()
    assert bridges[7].ip_macs == {} and it.send(1, request).sent == []
    it.answer_for(7, addresses[0], HOST)
    it.detach(1)
    it.delete(7)
    it.create(9)
    it.set_flags(9, ARP_TERM, True)
    it.attach(1, 9)
    assert bridges[9].index == 1 and it.send(1, request).sent == [], "its addresses went with the domain"


def test_who_watches_arp(it: Bridged) -> None:
    """Several may, each once; nobody is told when nobody wants to know."""
    told: list[list[tuple[int, Address, bytes]]] = [[], []]
    callbacks = [lambda *seen, k=k: told[k].append(seen) for k in range(2)]
    it.create(7)
    it.set_flags(7, ARP_TERM, True)
    it.attach(1, 7)
    announced = BROADCAST + HOST + b"\x08\x06" + bytes.fromhex("0001080006040002") + (HOST + bytes([10, 0, 0, 5])) * 2
    for k in (0, 0, 1):
        it.engine.bridges.watch_arp(callbacks[k])
    it.send(1, announced)
    assert told == [[(1, IPv4Address("10.0.0.5"), HOST)]] * 2
    it.engine.bridges.watch_arp(callbacks[0], False)
    it.send(1, announced)
    assert [len(t) for t in told] == [1, 2]
    it.engine.bridges.watch_arp(callbacks[1], False)
    it.send(1, announced)
    assert [len(t) for t in told] == [1, 2]


def test_long_and_short_frames_keep_their_order() -> None:
    it = Bridged(3)
    for index in (1, 2, 3):
        it.attach(index, 7)
    frames = [b"\x02" * 6 + b"\x04" * 6 + b"\x08\0" + bytes([k]) * (1200 if k % 3 else 50) for k in range(40)]
    it.engine.pg.add("frames", 1, frames)
    it.engine.pg.enable("frames")
    it.engine.run_until(1000)
    for index in (2, 3):
        device = it.engine.interfaces[index].device
        assert isinstance(device, PgDevice)
        assert [data[14] for _, data in device.transmitted()] == list(range(40))
    it.close()
