"""Where packets go by routes of all kinds: other tables, other interfaces, multicast, path MTUs, redirected punts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import IPv4Address

import pytest

from tests.naive.ip4_packet import checksum
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.fib_entries import SOURCE_NAMES
from vectorplane.backends.engine.pg_device import PgDevice
from vectorplane.backends.engine.punt_redirects import ALL
from vectorplane.backends.engine.route_paths import LOCAL, Path
from vectorplane.graph_nodes.mfib import ENTRY_ACCEPT_ALL, ITF_ACCEPT, ITF_FORWARD

MACS = {n: bytes([2, 0, 0, 0, 1, n]) for n in (1, 2, 3)}
"""Of the neighbour 10.N.0.2 on pgN."""


@pytest.fixture
def engine() -> Iterator[Engine]:
    """Interfaces pg1 to pg3, 10.N.0.1/24 each, with a neighbour 10.N.0.2."""
    made = Engine()
    for n, mac in MACS.items():
        assert made.interfaces.add(f"pg{n}", device=PgDevice()).sw_if_index == n
        made.interfaces.set_up(n)
        made.addresses.add(n, f"10.{n}.0.1/24")
        made.neighbours.add(n, f"10.{n}.0.2", mac, static=True)
    yield made
    made.close()


def packet(source: str, destination: str, size: int = 60, *, flags: int = 0, protocol: int = 6) -> bytes:
    """An IPv4 packet of ``size`` bytes."""
    ends = IPv4Address(source).packed + IPv4Address(destination).packed
    head = b"\x45\0" + size.to_bytes(2, "big") + b"\0\x07" + flags.to_bytes(2, "big") + bytes([64, protocol, 0, 0])
    total = checksum(head + ends)
    return head[:10] + total.to_bytes(2, "big") + ends + bytes(i & 255 for i in range(size - 20))


def send(engine: Engine, port: int, *packets: bytes) -> dict[int, list[bytes]]:
    """Send packets into an interface; what came out, by interface."""
    group = packets[0][16] >= 224
    mac = b"\x01\0\x5e" + bytes([packets[0][17] & 127]) + packets[0][18:20] if group else b"\x02\xfe" + port.to_bytes(4)
    engine.pg.add("test", port, [mac + MACS[port] + b"\x08\0" + p for p in packets])
    engine.pg.enable()
    engine.run()
    engine.pg.delete("test")
    out = {}
    for n in MACS:
        device = engine.interfaces[n].device
        assert isinstance(device, PgDevice)
        sent = [data for _, data in device.transmitted()]
        if sent:
            out[n] = sent
    return out


def drops(engine: Engine) -> dict[str, int]:
    return engine.plane.error_counts("drops")


def test_lookup_by_source(engine: Engine) -> None:
    engine.routes.add_table(2)
    engine.routes.update("1.1.1.2/32", engine.routes.path(kind="source-lookup", table=2))
    assert not send(engine, 1, packet("2.2.2.2", "1.1.1.2"))
    engine.routes.update("2.2.2.2/32", engine.routes.path("10.3.0.2", "pg3"), table=2)
    assert [p[:6] for p in send(engine, 1, packet("2.2.2.2", "1.1.1.2"))[3]] == [MACS[3]]
    with pytest.raises(ValueError, match="routes of other tables"):
        engine.routes.remove_table(2)


def test_received_again_elsewhere(engine: Engine) -> None:
    engine.routes.add_table(3)
    engine.addresses.remove(3, "10.3.0.1/24")
    engine.addresses.set_table(3, 3)
    engine.routes.update("1.1.1.0/24", engine.routes.path(interface="pg3", kind="interface-rx"))
    assert not send(engine, 1, packet("9.9.9.9", "1.1.1.1"))
    engine.interfaces.enable_ip4(3)
    engine.routes.update("1.1.1.1/32", engine.routes.path("10.2.0.2", "pg2"), table=3)
    out = send(engine, 1, packet("9.9.9.9", "1.1.1.1"))
    assert [p[22] for p in out[2]] == [63]
    # back to the first table, and so on: it ends
    engine.routes.update("1.1.1.0/24", engine.routes.path(interface="pg1", kind="interface-rx"), table=3)
    assert not send(engine, 1, packet("9.9.9.9", "1.1.1.7"))
    assert drops(engine)["interface-rx-dpo-ip4: interface receive chain too long"] == 1


def test_constraints_of_recursion(engine: Engine) -> None:
    """Only through a host route; only through an attached prefix."""
    routes = engine.routes
    routes.update("20.0.0.0/8", routes.path("10.2.0.2", "pg2"))
    routes.update("30.0.0.0/8", routes.path("20.0.0.1", flags=2))
    routes.update("40.0.0.0/8", routes.path("20.0.0.1", flags=1))
    routes.update("41.0.0.0/8", routes.path("10.3.0.2", flags=1))
    assert not send(engine, 1, packet("9.9.9.9", "30.0.0.1"), packet("9.9.9.9", "40.0.0.1"))
    routes.update("20.0.0.1/32", routes.path("10.2.0.2", "pg2"))
    assert len(send(engine, 1, packet("9.9.9.9", "30.0.0.1"))[2]) == 1
    assert not send(engine, 1, packet("9.9.9.9", "40.0.0.1"))
    assert len(send(engine, 1, packet("9.9.9.9", "41.0.0.1"))[3]) == 1
    routes.remove("20.0.0.1/32")
    assert not send(engine, 1, packet("9.9.9.9", "30.0.0.1"))


def test_directed_broadcast(engine: Engine) -> None:
    to = packet("9.9.9.9", "10.2.0.255")
    assert not send(engine, 1, to)
    engine.addresses.set_directed_broadcast(2)
    assert [p[:6] for p in send(engine, 1, to)[2]] == [b"\xff" * 6]
    engine.addresses.set_directed_broadcast(2, False)
    assert not send(engine, 1, to)


def test_path_mtu_of_a_neighbour(engine: Engine) -> None:
    def pieces(size: int) -> int:
        return len(send(engine, 1, packet("9.9.9.9", "10.2.0.2", size))[2])

    assert (pieces(1000), pieces(2000)) == (1, 1)
    engine.path_mtus.update("10.2.0.2", 900)
    assert (pieces(1000), pieces(2000)) == (2, 3)
    engine.path_mtus.update("10.2.0.2", 60000)  # the interface's is what counts
    assert (pieces(1000), pieces(2000)) == (1, 1)
    engine.path_mtus.update("10.2.0.2", 900)
    engine.neighbours.remove(2, "10.2.0.2")
    engine.neighbours.add(2, "10.2.0.2", MACS[2], static=True)
    assert pieces(1000) == 2
    engine.path_mtus.mark()
    engine.path_mtus.sweep()
    assert (pieces(1000), engine.path_mtus.dump()) == (1, [])


def test_path_mtu_of_a_remote_host(engine: Engine) -> None:
    engine.routes.update("50.0.0.0/8", engine.routes.path("10.2.0.2", "pg2"))
    engine.path_mtus.update("50.0.0.1", 700)
    out = send(engine, 1, packet("10.1.0.2", "50.0.0.1", 2000), packet("10.1.0.2", "50.0.0.2", 2000))[2]
    near = [p for p in out if p[33] == 1]
    assert [len(p) - 14 for p in near] == [700, 700, 640] and len(out) == 4
    assert b"".join(p[34:] for p in near) == packet("10.1.0.2", "50.0.0.1", 2000)[20:]
    assert {p[22] for p in near} == {63}
    # with DF: an answer that names the MTU
    (answer,) = send(engine, 1, packet("10.1.0.2", "50.0.0.1", 2000, flags=0x4000))[1]
    assert (answer[34], answer[35], int.from_bytes(answer[40:42], "big")) == (3, 4, 700)
    # its route becomes an attached one, and goes away
    engine.routes.update("50.0.0.0/24", Path(0, 3))
    engine.neighbours.add(3, "50.0.0.1", MACS[3], static=True)
    assert len(send(engine, 1, packet("10.1.0.2", "50.0.0.1", 2000))[3]) == 3
    engine.neighbours.remove(3, "50.0.0.1")
    engine.routes.remove("50.0.0.0/24")
    assert len(send(engine, 1, packet("10.1.0.2", "50.0.0.1", 2000))[2]) == 3
    engine.path_mtus.update("50.0.0.1", 0)
    assert len(send(engine, 1, packet("10.1.0.2", "50.0.0.1", 2000))[2]) == 1
    assert not engine.routes.control.interposed


def forwards(*interfaces: int) -> list[tuple[Path, int]]:
    return [(Path(0, i), ITF_FORWARD) for i in interfaces]


def test_multicast(engine: Engine) -> None:
    to = packet("9.9.9.9", "232.129.3.4", 3000)
    assert not send(engine, 1, to)
    route = engine.mroutes.add(0, IPv4Address("232.0.0.0")._ip, 8, 0, [(Path(0, 1), ITF_ACCEPT), *forwards(2, 3)])
    out = send(engine, 1, to, to)
    assert {n: len(p) for n, p in out.items()} == {2: 2, 3: 2}
    for p in (*out[2], *out[3]):
        assert p[:6] == bytes.fromhex("01005e010304") and p[22] == 63 and p[34:] == to[20:]
    assert engine.plane.stats.by_name["/net/mroute"] and _counted(engine, route.index) == [2, 6000]
    assert not send(engine, 2, to), "does not accept"
    engine.mroutes.add(0, IPv4Address("232.0.0.0")._ip, 8, 0, [(Path(0, 2), ITF_ACCEPT | ITF_FORWARD)])
    assert list(send(engine, 2, to)) == [3], "not back where it came from"
    assert drops(engine)["ip4-input: ip4 egress interface same as ingress"] == 1
    # a source of its own comes first; no copies over an interface that is down
    both = IPv4Address("9.9.9.9")._ip
    engine.mroutes.add(0, IPv4Address("232.129.3.4")._ip, 32, both, [(Path(0, 1), ITF_ACCEPT), *forwards(3)])
    assert list(send(engine, 1, to)) == [3]
    engine.interfaces.set_up(3, False)
    assert not send(engine, 1, to)
    assert list(send(engine, 1, packet("9.9.9.8", "232.129.3.4"))) == [2]
    engine.interfaces.set_up(3)
    assert list(send(engine, 1, to)) == [3]
    assert engine.plane.free_buffers() == engine.plane.pool.count


def _counted(engine: Engine, index: int) -> list[int]:
    from vectorplane.graph_nodes.mfib import Mfibs

    return [int(n) for n in engine.plane.shared(Mfibs).counters.total(index)]


def test_multicast_to_ourselves_and_in_fragments(engine: Engine) -> None:
    group = IPv4Address("232.1.1.1")._ip
    engine.mroutes.update(0, group, 32, 0, ENTRY_ACCEPT_ALL, 0)
    engine.mroutes.add(0, group, 32, 0, [(Path(kind=LOCAL), ITF_FORWARD), *forwards(2)])
    engine.interfaces.set_mtu(2, 1000)
    out = send(engine, 1, packet("10.1.0.2", "232.1.1.1", 2000, protocol=99))
    assert [p[:6].hex() for p in out[2]] == ["01005e010101"] * 3
    assert drops(engine)["ip4-local: unknown ip protocol"] == 1
    engine.mroutes.update(0, group, 32, 0, 0, 7)  # an RPF id that no packet carries
    assert not send(engine, 1, packet("10.1.0.2", "232.1.1.1"))


def test_multicast_entries(engine: Engine) -> None:
    mroutes, group = engine.mroutes, IPv4Address("232.1.1.1")._ip
    assert len(mroutes.dump(0)) == 3
    assert mroutes.update(0, group, 32, 0, 0, 0) is None, "nothing is no entry"
    mroutes.add(0, group, 32, 0, forwards(1, 2))
    mroutes.mark(0)
    mroutes.add(0, group + 1, 32, 0, forwards(3))
    mroutes.sweep(0)
    assert [r.group for r in mroutes.dump(0)][-1] == group + 1 and mroutes.get(0, group, 32) is None
    mroutes.remove(0, group + 1, 32, 0, forwards(3))
    assert len(mroutes.dump(0)) == 3
    mroutes.add(0, group, 32, 0, forwards(2))
    mroutes.flush(0)
    assert len(mroutes.dump(0)) == 3
    with pytest.raises(KeyError):
        mroutes.add(0, group, 32, 0, forwards(9))
    with pytest.raises(ValueError):
        mroutes.add(0, group, 33, 0, forwards(1))
    engine.tables.create(4)
    assert len(mroutes.dump(4)) == 3
    engine.tables.delete(4)
    with pytest.raises(KeyError):
        mroutes.dump(4)


def test_punt_redirect(engine: Engine) -> None:
    to = packet("10.1.0.2", "10.1.0.1", protocol=99)
    hop: Callable[[int], list[Path]] = lambda n: [Path(IPv4Address(f"10.{n}.0.2")._ip, n)]  # noqa: E731
    assert not send(engine, 1, to)
    engine.punt_redirects.set(1, hop(2))
    engine.punt_redirects.set(ALL, hop(3))
    (out,) = send(engine, 1, to)[2]
    assert out[:6] == MACS[2] and out[22] == 64, "the TTL stays"
    engine.interfaces.set_up(2, False)
    assert not send(engine, 1, to)
    engine.interfaces.set_up(2)
    assert list(send(engine, 1, to)) == [2]
    assert list(send(engine, 2, packet("10.2.0.2", "10.2.0.1", protocol=99))) == [3]
    engine.punt_redirects.set(1, ())
    assert not send(engine, 1, to)
    engine.punt_redirects.remove(1)
    assert list(send(engine, 1, to)) == [3]
    assert engine.punt_redirects.dump() == [(ALL, tuple(hop(3)))]
    engine.punt_redirects.remove(ALL)
    assert not send(engine, 1, to)
    with pytest.raises(KeyError):
        engine.punt_redirects.set(17, hop(2))


def test_reassembly_on_an_interface(engine: Engine) -> None:
    whole = packet("10.1.0.2", "10.2.0.2", 1020)
    cut = [_fragment(whole, 0, 504, True), _fragment(whole, 504, 1000, False)]
    assert len(send(engine, 1, *cut)[2]) == 2
    engine.reassembly.enable(1)
    engine.reassembly.enable(1)
    (out,) = send(engine, 1, *cut)[2]
    assert out[34:] == whole[20:]
    engine.reassembly.enable(1, False)
    assert len(send(engine, 1, *cut)[2]) == 2


def _fragment(whole: bytes, first: int, last: int, more: bool) -> bytes:
    head = bytearray(whole[:20])
    head[2:4] = (20 + last - first).to_bytes(2, "big")
    head[6:8] = (first // 8 | (0x2000 if more else 0)).to_bytes(2, "big")
    head[10:12] = b"\0\0"
    head[10:12] = checksum(bytes(head)).to_bytes(2, "big")
    return bytes(head) + whole[20 + first : 20 + last]


def test_attached_routes_of_another_table(engine: Engine) -> None:
    """A route in table 1 over pg2, which is in table 0, knows pg2's neighbours."""
    routes = engine.routes
    routes.add_table(1)
    engine.addresses.remove(1, "10.1.0.1/24")
    engine.addresses.set_table(1, 1)
    engine.addresses.add(1, "10.1.0.1/24")
    routes.update("10.2.0.0/24", Path(0, 2), table=1)

    def arp(host: int) -> bool:
        (out,) = send(engine, 1, packet("10.1.0.2", f"10.2.0.{host}"))[2]
        return out[12:14] == b"\x08\x06"

    def imported() -> set[str]:
        return {str(r) for r in routes.dump(1) if r.source == "attached_export"}

    assert (arp(2), arp(3)) == (False, True)
    assert imported() == {"10.2.0.1/32", "10.2.0.2/32"}
    engine.neighbours.add(2, "10.2.0.3", MACS[2], static=True)
    assert not arp(3)
    engine.neighbours.remove(2, "10.2.0.3")
    assert arp(4) and imported() == {"10.2.0.1/32", "10.2.0.2/32"}
    engine.addresses.remove(2, "10.2.0.1/24")
    assert imported() == set()
    engine.addresses.add(2, "10.2.0.1/24")
    assert imported() == {"10.2.0.1/32", "10.2.0.2/32"}
    routes.remove("10.2.0.0/24", 1)
    assert imported() == set() and "attached_export" in SOURCE_NAMES


def test_addresses_are_replaced(engine: Engine) -> None:
    addresses = engine.addresses
    addresses.mark()
    addresses.add(1, "10.1.0.1/24")
    addresses.add(3, "10.2.0.1/24")  # moves here from the second
    addresses.sweep()
    assert [[str(a) for a in engine.interfaces[n].addresses] for n in MACS] == [["10.1.0.1/24"], [], ["10.2.0.1/24"]]


def test_replacing_path_sets_keeps_the_router_id(engine: Engine) -> None:
    """The router's id lies in front of the buckets: no neighbour's change may touch it."""
    from vectorplane.graph_nodes.forwarding import DPO_ADJACENCY, Forwarding

    engine.routes.set_router_id(DPO_ADJACENCY << 16)
    paths = [engine.routes.path(f"10.{n}.0.2", f"pg{n}") for n in MACS]
    engine.routes.update("60.0.0.0/8", paths)
    for n in MACS:
        engine.neighbours.remove(n, f"10.{n}.0.2")
    assert int(engine.plane.shared(Forwarding).router_id[0]) == DPO_ADJACENCY << 16


def test_paths_over_an_interface_that_went(engine: Engine) -> None:
    routes, to = engine.routes, packet("9.9.9.9", "70.0.0.1")
    routes.update("70.0.0.0/8", [routes.path("10.2.0.2", "pg2"), routes.path("10.3.0.2", "pg3", preference=1)])
    engine.punt_redirects.set(2, [routes.path("10.3.0.2", "pg3")])
    engine.mroutes.add(0, 232 << 24, 8, 0, forwards(2, 3))
    assert list(send(engine, 1, to)) == [2]
    engine.interfaces.remove(2)
    assert engine.punt_redirects.dump() == []
    assert [p.sw_if_index for r in engine.mroutes.dump(0) if r.group == 232 << 24 for p in r.paths] == [3]
    device = engine.interfaces.add("pg2", device=PgDevice()).device
    assert engine.interfaces["pg2"].sw_if_index == 2 and device is engine.interfaces[2].device
    assert list(send(engine, 1, to)) == [3]
    routes.add("70.0.0.0/8", routes.path("10.1.0.2", "pg1"))
    assert list(send(engine, 3, to)) == [1]
    routes.remove("70.0.0.0/8")
    assert not send(engine, 1, to)
