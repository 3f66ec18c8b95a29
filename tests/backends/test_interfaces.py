"""Interfaces come, change and go: what is kept for them, their numbers and nodes, and who is told."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Interface
from pathlib import Path as FilePath

import pytest
from scapy.utils import wrpcap

from tests.parity_engine import balance
from vectorplane.backends.engine.capture_device import CaptureDevice
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.interfaces import MTU_IP6, Interface, SuperInterfaceState
from vectorplane.backends.engine.loopback import InstanceInUse, create_loopback, delete_loopback
from vectorplane.backends.engine.pg import PgDevice
from vectorplane.backends.engine.report import report
from vectorplane.backends.engine.route_paths import Path
from vectorplane.backends.engine.sim_nic import SimNic
from vectorplane.dataplane.interface import INTERFACE
from vectorplane.dataplane.show.interfaces import clear_interfaces
from vectorplane.pcap.errors import CaptureError

HOST = bytes.fromhex("020000000002")
MS = 1_000_000


@pytest.fixture
def engine() -> Iterator[Engine]:
    """pg0 (1) with 10.0.0.1/24 and pg1 (2) with 10.0.1.1/24, up, 10.0.1.2 behind pg1."""
    made = Engine(buffers=2048)
    for k in (0, 1):
        port(made, k)
    made.neighbours.add(2, "10.0.1.2", HOST)
    yield made
    balance(made)
    made.close()


def port(engine: Engine, k: int) -> Interface:
    """``pgK`` with 10.0.K.1/24, up."""
    made = engine.interfaces.add(f"pg{k}", device=PgDevice())
    engine.addresses.add(made.sw_if_index, f"10.0.{k}.1/24")
    engine.interfaces.set_up(made.sw_if_index)
    return made


def ip4(destination: str, size: int = 60, source: str = "10.0.0.2") -> bytes:
    """A UDP packet."""
    from tests.naive.ip4_packet import Ip4, address

    return bytes(Ip4(address(source), address(destination), payload=bytes.fromhex("00350035") + bytes(size - 24)))


def send(engine: Engine, destination: str, *, size: int = 60, tags: bytes = b"") -> dict[str, list[bytes]]:
    """A packet into pg0; what every packet generator interface puts out."""
    mac = engine.interfaces["pg0"].mac
    engine.pg.add("s", 1, [mac + HOST + tags + b"\x08\x00" + ip4(destination, size)])
    engine.pg.enable()
    engine.run_until(engine.now + MS)
    engine.pg.delete("s")
    devices = {i.name: i.device for i in engine.interfaces.by_index.values() if not i.is_sub}
    found = {n: [f for _, f in d.transmitted()] for n, d in devices.items() if isinstance(d, PgDevice)}
    return {n: f for n, f in found.items() if f}


# --- numbers, names and nodes


def test_numbers_and_nodes_are_used_again(engine: Engine) -> None:
    """The number that became free last comes first; a name that comes again finds its nodes."""
    nodes = len(engine.plane.graph.nodes)
    engine.interfaces.remove(1)
    engine.interfaces.remove(2)
    assert engine.plane.interfaces.names == {0: "local0"}
    assert [port(engine, k).sw_if_index for k in (1, 0)] == [2, 1]
    assert len(engine.plane.graph.nodes) == nodes
    engine.neighbours.add(2, "10.0.1.2", HOST)
    assert list(send(engine, "10.0.1.2")) == ["pg1"]


def test_another_device_of_the_same_name(engine: Engine) -> None:
    """The old nodes step aside, under names that say so; packets find the new ones."""
    graph = engine.plane.graph
    old = {graph["pg1-output"].index, graph["pg1-tx"].index}
    engine.interfaces.remove(2)
    made = engine.interfaces.add("pg1", device=SimNic())
    engine.addresses.add(made.sw_if_index, "10.0.1.1/24")
    engine.interfaces.set_up(made.sw_if_index)
    engine.neighbours.add(made.sw_if_index, "10.0.1.2", HOST)
    assert graph["pg1-tx"].type.name == "sim-tx" and graph["pg1-tx"].index not in old
    for i in old:
        assert graph.nodes[i].name.startswith("interface-") and graph.nodes[i].name.endswith("-deleted")
    assert send(engine, "10.0.1.2") == {}
    nic = made.device
    assert isinstance(nic, SimNic) and len(nic.transmitted()) == 1


def test_rename(engine: Engine) -> None:
    engine.interfaces.add_sub("pg1", 7)
    engine.interfaces.rename(2, "uplink")
    assert engine.plane.interfaces.names == {0: "local0", 1: "pg0", 2: "uplink", 3: "uplink.7"}
    assert engine.interfaces["uplink.7"].name == "uplink.7" and "pg1-tx" not in engine.plane.graph
    assert list(send(engine, "10.0.1.2")) == ["uplink"]
    assert "/err/uplink-output/down" in engine.plane.stats.by_name
    with pytest.raises(ValueError, match="pg0 exists"):
        engine.interfaces.rename(2, "pg0")
    assert engine.interfaces.add("pg1", device=PgDevice()).sw_if_index == 4, "the old name is free"


def test_a_device_that_cannot_be_attached(engine: Engine, tmp_path: FilePath) -> None:
    """There is no interface then, and nothing is left of it."""
    wrpcap(str(tmp_path / "in.pcap"), [b"x" * 60])
    (tmp_path / "text").write_text("no capture")
    before = dict(engine.plane.interfaces.names)
    with pytest.raises(CaptureError, match="text"):
        engine.interfaces.add("bad", device=CaptureDevice([tmp_path / "in.pcap", tmp_path / "text"]))
    assert engine.plane.interfaces.names == before
    assert engine.interfaces.add("bad", device=CaptureDevice([tmp_path / "in.pcap"])).sw_if_index == 3
    engine.run()
    assert int(engine.plane.if_stats["rx"].total(3)[0]) == 1


# --- what goes with an interface


def test_nothing_is_kept_for_one_that_is_gone(engine: Engine) -> None:
    """Addresses, neighbours, routes through it, features, proxy ARP, its table: the next of its number has none."""
    before = [str(r) for r in engine.routes.dump()]
    fresh = engine.interfaces.add("x", device=PgDevice()).sw_if_index
    assert fresh == 3
    record = engine.interfaces.record(fresh).copy()
    chains = {n: a.chain(fresh) for n, a in engine.plane.arcs.items()}
    engine.interfaces.set_table(fresh, 0)
    sub = engine.interfaces.add_sub("x", 7).sw_if_index
    for index, text in ((fresh, "10.3.0.1/24"), (sub, "10.4.0.1/24")):
        engine.addresses.add(index, text)
        engine.addresses6.add(index, f"2001:db8:{index}::1/64")
        engine.interfaces.set_up(index)
        engine.neighbours.add(index, text.replace(".1/24", ".9"), HOST, static=True)
        engine.proxy_arp.enable(index)
        engine.addresses.set_directed_broadcast(index)
    engine.addresses.set_unnumbered(2, fresh)
    engine.routes.add("99.0.0.0/8", Path(0x0A030009, fresh))
    engine.routes.add("98.0.0.0/8", [Path(0x0A030009, fresh), Path(0x0A000009, 1)])
    engine.pg.add("stream", fresh, [b"x" * 60])
    engine.interfaces.remove(fresh)

    assert engine.plane.interfaces.names == {0: "local0", 1: "pg0", 2: "pg1"} and not engine.pg.streams
    assert engine.interfaces[2].unnumbered is None
    assert {n.sw_if_index for n in engine.neighbours.dump()} == {2}
    assert [str(r) for r in engine.routes.dump() if str(r)[:2] not in ("98", "99")] == before
    assert send(engine, "99.1.1.1") == {}, "a route through it leads nowhere"
    assert list(send(engine, "98.1.1.1")) == ["pg0"], "(an ARP request) unless there is another way"
    made = engine.interfaces.add("x", device=PgDevice())
    assert made.sw_if_index == fresh and made.addresses == []
    again = engine.interfaces.record(fresh)
    assert {n: again[n] for n in INTERFACE.names or ()} == {n: record[n] for n in INTERFACE.names or ()}
    assert {n: a.chain(fresh) for n, a in engine.plane.arcs.items()} == chains
    engine.interfaces.set_up(fresh)
    assert send(engine, "99.1.1.1") == {}, "the route was through the one that is gone"
    assert engine.addresses.of(fresh) == [] and engine.neighbours.dump(fresh) == []
    assert fresh not in engine.proxy_arp.interfaces


def test_the_books_balance_over_a_removal(engine: Engine) -> None:
    send(engine, "10.0.1.2")
    engine.interfaces.remove(2)
    counted = report(engine.plane)
    assert (counted.packets_in, counted.packets_out, counted.missing) == (1, 1, 0)
    port(engine, 1)
    assert report(engine.plane).packets_out == 1
    clear_interfaces(engine.plane)
    assert report(engine.plane).packets_out == 0
    for vector in (engine.plane.drops, engine.plane.consumed):
        vector.clear()


# --- state


def test_the_link_follows_the_administrative_state(engine: Engine) -> None:
    told: list[tuple[int, str]] = []
    engine.interfaces.on_change.append(lambda index, what: told.append((index, what)))
    interfaces = engine.interfaces
    interfaces.set_up(2, False)
    assert not interfaces.link_is_up(2) and told == [(2, "admin"), (2, "link")]
    assert send(engine, "10.0.1.2") == {}
    interfaces.set_up(2)
    interfaces.set_up(2)
    assert interfaces.link_is_up(2) and told[2:] == [(2, "admin"), (2, "link")]
    engine.neighbours.add(2, "10.0.1.2", HOST)
    interfaces.set_link(2, False)
    assert send(engine, "10.0.1.2") == {} and interfaces.is_up(2) and told[4:] == [(2, "link")]
    interfaces.set_link(2, True)
    assert list(send(engine, "10.0.1.2")) == ["pg1"]
    assert not interfaces.link_is_up(0), "local0 has none"


def test_a_sub_interface_needs_its_super_interface(engine: Engine) -> None:
    sub = engine.interfaces.add_sub("pg1", 7).sw_if_index
    engine.interfaces.set_state(2, False)
    with pytest.raises(SuperInterfaceState, match="super-interface pg1 must be up"):
        engine.interfaces.set_state(sub, True)
    engine.interfaces.set_state(2, True)
    engine.interfaces.set_state(sub, True)
    engine.interfaces.set_state(2, False)
    assert engine.interfaces.is_up(sub), "it stays up when the super-interface goes down, as in VPP"


def test_who_is_told(engine: Engine) -> None:
    told: list[tuple[int, str, bool]] = []
    engine.interfaces.on_change.append(lambda i, what: told.append((i, what, i in engine.interfaces.by_index)))
    engine.interfaces.add("x", device=PgDevice())
    engine.interfaces.add_sub("x", 5)
    engine.interfaces.remove(3)
    assert told == [(3, "add", True), (4, "add", True), (4, "delete", True), (3, "delete", True)]


# --- addresses of the link, and sizes


def test_another_mac(engine: Engine) -> None:
    """What leaves has it, what arrives must have it; a sub-interface has that of its super-interface."""
    engine.interfaces.add_sub("pg1", 7)
    new = bytes.fromhex("02aabbccddee")
    engine.interfaces.set_mac(2, new)
    engine.interfaces.set_mac(1, new[::-1])
    (frame,) = send(engine, "10.0.1.2")["pg1"]
    assert frame[6:12] == new and engine.interfaces["pg1.7"].mac == new
    assert engine.plane.error_counts() == {}
    for index, mac in ((3, new), (0, new), (1, new[:5])):
        with pytest.raises(ValueError, match="MAC address"):
            engine.interfaces.set_mac(index, mac)


def test_mtus(engine: Engine) -> None:
    """IPv4's own MTU counts, else that of all protocols, else 9000; others do not."""
    interfaces = engine.interfaces
    assert (interfaces.mtus(0), interfaces.mtus(2)) == ((0, 0, 0, 0), (9000, 0, 0, 0))
    for mtus, ip4_mtu in (((600, 0, 0, 0), 600), ((600, 700, 0, 0), 700), ((0, 0, 600, 0), 9000), ((0, 0, 0, 0), 9000)):
        interfaces.set_mtus(2, mtus)
        assert interfaces.mtus(2) == mtus
        for size in (ip4_mtu, ip4_mtu + 1):
            frames = send(engine, "10.0.1.2", size=size)["pg1"]
            assert (len(frames) == 1) == (size <= ip4_mtu), (mtus, size)
    assert interfaces.mtu_of(2, MTU_IP6) == 9000
    interfaces.set_mtus(2, (0xFFFFFFFF, 0, 0, 0))
    assert len(send(engine, "10.0.1.2", size=60000)["pg1"]) == 1
    sub = interfaces.add_sub("pg1", 7).sw_if_index
    assert interfaces.mtus(sub) == (0, 0, 0, 0), "as in VPP: none of its own"


def test_link_mtu() -> None:
    engine = Engine(buffers=2048)
    nic = engine.interfaces.add("port", device=SimNic()).sw_if_index
    sub = engine.interfaces.add_sub("port", 7).sw_if_index
    engine.interfaces.set_link_mtu(nic, 1500)
    assert engine.interfaces.mtus(nic)[0] == engine.interfaces.mtus(sub)[0] == 1500
    other = engine.interfaces.add("pg0", device=PgDevice()).sw_if_index
    engine.interfaces.set_link_mtu(other, 9000)
    for index in (other, sub):
        with pytest.raises(ValueError, match="Max Frame Size"):
            engine.interfaces.set_link_mtu(index, 1400)
    engine.close()


# --- loopbacks


def test_loopbacks_are_numbered_as_in_vpp(engine: Engine) -> None:
    made = [create_loopback(engine), create_loopback(engine, instance=5), create_loopback(engine)]
    assert [i.name for i in made] == ["loop0", "loop5", "loop1"]
    assert [i.mac.hex() for i in made] == ["dead00000000", "dead00000005", "dead00000001"]
    for taken in (5, 16384):
        with pytest.raises(InstanceInUse):
            create_loopback(engine, instance=taken)
    delete_loopback(engine, made[0].sw_if_index)
    told = create_loopback(engine, mac=HOST)
    assert (told.name, told.mac, told.sw_if_index) == ("loop0", HOST, made[0].sw_if_index)
    assert create_loopback(engine, mac=bytes(6)).mac.hex() == "dead00000002"
    sub = engine.interfaces.add_sub("loop5", 9)
    delete_loopback(engine, sub.sw_if_index)
    assert not [n for n in engine.plane.interfaces.by_name if n.startswith("loop5")]
    with pytest.raises(KeyError, match="pg0 is not a loopback"):
        delete_loopback(engine, 1)


def test_what_a_loopback_sends_it_receives(engine: Engine) -> None:
    """Its own address answers; a packet routed to it comes back in, until the TTL ends, and the books balance."""
    loop = create_loopback(engine)
    engine.addresses.add(loop.sw_if_index, "10.9.0.1/24")
    engine.interfaces.set_up(loop.sw_if_index)
    engine.neighbours.add(loop.sw_if_index, "10.9.0.2", loop.mac)
    send(engine, "10.9.0.2")
    counted = report(engine.plane)
    # the ICMP error goes to 10.0.0.2, which ARP asks for
    assert engine.plane.error_counts()["ip4-icmp-error: hop limit exceeded response sent"] == 1
    assert int(engine.plane.if_stats["tx"].total(loop.sw_if_index)[0]) == 63, "TTL 64"
    assert int(engine.plane.if_stats["rx"].total(loop.sw_if_index)[0]) == 0, "as VPP counts"
    assert counted.missing == 0 and counted.packets_in == 1
    delete_loopback(engine, loop.sw_if_index)
    assert report(engine.plane).missing == 0


def test_a_tagged_loopback(engine: Engine) -> None:
    """What a sub-interface of it sends arrives with its tag, and so at the sub-interface."""
    loop = create_loopback(engine)
    sub = engine.interfaces.add_sub("loop0", 7)
    for i in (loop, sub):
        engine.interfaces.set_up(i.sw_if_index)
    engine.addresses.add(sub.sw_if_index, IPv4Interface("10.9.0.1/24"))
    engine.neighbours.add(sub.sw_if_index, "10.9.0.2", loop.mac)
    send(engine, "10.9.0.2")
    assert int(engine.plane.if_stats["rx"].total(sub.sw_if_index)[0]) == 63
    assert report(engine.plane).missing == 0
