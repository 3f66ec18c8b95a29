"""The router as a host of its own bridge: BVI interfaces, and loopbacks that are one. Hosts are scapy's."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr, IPv6
from scapy.layers.l2 import ARP, Ether

from tests.backends.l2.bridged import mac_of
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.l2.bridges import ARP_TERM, BVI
from vectorplane.backends.engine.l2.bvi import create_bvi, delete_bvi
from vectorplane.backends.engine.l2.tag_rewrite import POP_1
from vectorplane.backends.engine.loopback import InstanceInUse, create_loopback
from vectorplane.backends.engine.pg import PgDevice
from vectorplane.backends.engine.report import report

HOSTS = {1: "02:00:00:00:00:01", 2: "02:00:00:00:00:02"}
BROADCAST = "ff:ff:ff:ff:ff:ff"


class Router:
    """pg0 and pg1 (1, 2) bridged, a BVI with 10.0.0.254/24; pg2 (3) routed, 10.0.3.1/24."""

    def __init__(self, kind: str) -> None:
        self.engine = engine = Engine(buffers=4096)
        for n in range(3):
            made = engine.interfaces.add(f"pg{n}", device=PgDevice(), mac=mac_of(n + 1))
            engine.interfaces.set_up(made.sw_if_index)
            engine.interfaces.set_link(made.sw_if_index, True)
        made = create_bvi(engine) if kind == "bvi" else create_loopback(engine)
        self.bvi, self.mac = made.sw_if_index, made.mac.hex(":")
        engine.interfaces.set_up(self.bvi)
        for index in (1, 2):
            engine.bridges.attach(index, 7)
        engine.bridges.attach(self.bvi, 7, BVI)
        engine.addresses.add(self.bvi, "10.0.0.254/24")
        engine.addresses.add(3, "10.0.3.1/24")

    def send(self, index: int, frame: Ether | bytes) -> dict[int, list[Ether]]:
        """What leaves, by interface."""
        self.engine.pg.add("frames", index, [bytes(frame)])
        self.engine.pg.enable("frames")
        self.engine.run_until(self.engine.now + 1_000_000)
        self.engine.pg.delete("frames")
        sent = {}
        for k in (1, 2, 3):
            device = self.engine.interfaces[k].device
            assert isinstance(device, PgDevice)
            frames = [Ether(data) for _, data in device.transmitted()]
            if frames:
                sent[k] = frames
        return sent

    def counters(self) -> tuple[int, int]:
        """Packets received and sent by the BVI."""
        stats = self.engine.plane.if_stats
        return int(stats["rx"].total(self.bvi)[0]), int(stats["tx"].total(self.bvi)[0])


@pytest.fixture(params=["bvi", "loopback"])
def router(request: pytest.FixtureRequest) -> Iterator[Router]:
    made = Router(request.param)
    yield made
    assert report(made.engine.plane).missing == 0
    assert made.engine.plane.free_buffers() == made.engine.plane.pool.count
    made.engine.close()


def arp(k: int, target: str = "10.0.0.254") -> Ether:
    """Host k asks for an address."""
    asked = ARP(op=1, hwsrc=HOSTS[k], psrc=f"10.0.0.{k}", hwdst="00:00:00:00:00:00", pdst=target)
    return Ether(bytes(Ether(dst=BROADCAST, src=HOSTS[k]) / asked))


def checksums_are_right(frame: Ether) -> bool:
    """By scapy."""
    again = frame.copy()
    del again[IP].chksum
    if ICMP in again:
        del again[ICMP].chksum
    return bytes(again) == bytes(frame)


def test_a_host_talks_to_the_router(router: Router) -> None:
    """ARP is flooded to the other ports and answered; the echo comes from the BVI's address."""
    sent = router.send(1, arp(1))
    assert set(sent) == {1, 2} and sent[2] == [arp(1)]
    (answer,) = sent[1]
    assert (answer.dst, answer.src, answer[ARP].op, answer[ARP].hwsrc) == (HOSTS[1], router.mac, 2, router.mac)
    ping = Ether(dst=router.mac, src=HOSTS[1]) / IP(src="10.0.0.1", dst="10.0.0.254") / ICMP(id=3, seq=4) / b"payload"
    sent = router.send(1, ping)
    assert set(sent) == {1}
    (reply,) = sent[1]
    assert (reply.dst, reply.src, reply[ICMP].type, reply[ICMP].seq) == (HOSTS[1], router.mac, 0, 4)
    assert checksums_are_right(reply) and router.counters() == (2, 2)


def test_from_the_bridge_to_a_routed_interface_and_back(router: Router) -> None:
    """A host behind pg2 is reached by the BVI; what comes back is switched to where the host was heard last."""
    engine = router.engine
    engine.neighbours.add(3, "10.0.3.9", bytes.fromhex("020000000009"), static=True)
    router.send(1, arp(1))
    there = Ether(dst=router.mac, src=HOSTS[1]) / IP(src="10.0.0.1", dst="10.0.3.9", ttl=9) / UDP(sport=1, dport=2)
    sent = router.send(1, there)
    assert set(sent) == {3} and sent[3][0].dst == "02:00:00:00:00:09" and sent[3][0][IP].ttl == 8
    back = Ether(dst=engine.interfaces[3].mac.hex(":"), src="02:00:00:00:00:09")
    back = back / IP(src="10.0.3.9", dst="10.0.0.1", ttl=9) / UDP(sport=2, dport=1)
    sent = router.send(3, back)
    assert set(sent) == {1} and (sent[1][0].dst, sent[1][0].src) == (HOSTS[1], router.mac)
    assert checksums_are_right(sent[1][0])
    router.send(2, Ether(dst=BROADCAST, src=HOSTS[1]) / b"moved")
    assert set(router.send(3, back)) == {2}


def test_the_router_asks_for_a_host_in_the_bridge(router: Router) -> None:
    """Its request is flooded, and the answer is the neighbour's; large packets are replicated whole."""
    back = Ether(dst=router.engine.interfaces[3].mac.hex(":"), src="02:00:00:00:00:09")
    back = back / IP(src="10.0.3.9", dst="10.0.0.2") / UDP(sport=2, dport=1)
    sent = router.send(3, back)
    assert set(sent) == {1, 2} and all(f[ARP].pdst == "10.0.0.2" and f.src == router.mac for (f,) in sent.values())
    told = ARP(op=2, hwsrc=HOSTS[2], psrc="10.0.0.2", hwdst=router.mac, pdst="10.0.0.254")
    assert router.send(2, Ether(dst=router.mac, src=HOSTS[2]) / told) == {}
    big = back / bytes(1400)
    sent = router.send(3, big)
    assert set(sent) == {2} and sent[2][0][IP].len == 1428
    router.engine.l2fib.flush_all()
    router.engine.run_until(router.engine.now + 1)
    sent = router.send(3, big)
    assert set(sent) == {1, 2} and sent[1] == sent[2], "its place is unknown again"


def test_broadcast_to_all_and_to_the_router(router: Router) -> None:
    """A long one too: L3 has its own copy, which it may change."""
    echo = Ether(dst=BROADCAST, src=HOSTS[1]) / IP(src="10.0.0.1", dst="10.0.0.254") / ICMP() / bytes(1400)
    router.send(1, arp(1))
    sent = router.send(1, echo)
    assert sent[2] == [Ether(bytes(echo))]
    (reply,) = sent[1]
    assert reply[ICMP].type == 0 and len(reply) == len(echo) and checksums_are_right(reply)


def test_ipv6_through_the_bridge(router: Router) -> None:
    engine = router.engine
    engine.addresses6.add(router.bvi, "2001:db8::1/64")
    asked = Ether(dst="33:33:ff:00:00:01", src=HOSTS[1]) / IPv6(src="2001:db8::9", dst="ff02::1:ff00:1", hlim=255)
    asked = asked / ICMPv6ND_NS(tgt="2001:db8::1") / ICMPv6NDOptSrcLLAddr(lladdr=HOSTS[1])
    sent = router.send(1, asked)
    assert sent[2] == [Ether(bytes(asked))]
    assert [f[ICMPv6ND_NA].tgt for f in sent[1]] == ["2001:db8::1"]
    ping = Ether(dst=router.mac, src=HOSTS[1]) / IPv6(src="2001:db8::9", dst="2001:db8::1") / ICMPv6EchoRequest(id=5)
    sent = router.send(1, ping)
    assert set(sent) == {1} and sent[1][0][ICMPv6EchoReply].id == 5


def test_a_tagged_port_and_the_router(router: Router) -> None:
    """A port whose tag is taken off: the router sees none, the host sees its own."""
    engine = router.engine
    sub = engine.interfaces.add_sub(3, 5, tags=(5,)).sw_if_index
    engine.interfaces.set_up(sub)
    engine.bridges.attach(sub, 7)
    engine.tag_rewrites.set(sub, POP_1)
    untagged = bytes(arp(1))
    sent = router.send(3, untagged[:12] + b"\x81\0\0\5" + untagged[12:])
    assert set(sent) == {1, 2, 3} and sent[1] == [arp(1)]
    assert [(f.vlan, f[ARP].op, f[ARP].hwsrc) for f in sent[3]] == [(5, 2, router.mac)]


def test_arp_termination_between_hosts_and_the_router(router: Router) -> None:
    """Who asks is answered by the bridge, and nobody else hears of it; as in VPP the router has to ask itself."""
    engine = router.engine
    engine.bridges.set_flags(7, ARP_TERM, True)
    engine.bridges.set_ip_mac(7, IPv4Address("10.0.0.2"), bytes.fromhex("020000000002"))
    sent = router.send(1, arp(1, "10.0.0.2"))
    assert set(sent) == {1} and [(f.src, f[ARP].psrc) for f in sent[1]] == [(HOSTS[2], "10.0.0.2")]
    back = Ether(dst=engine.interfaces[3].mac.hex(":"), src="02:00:00:00:00:09")
    back = back / IP(src="10.0.3.9", dst="10.0.0.2") / UDP(sport=2, dport=1)
    sent = router.send(3, back)
    assert set(sent) == {1, 2} and all(f[ARP].pdst == "10.0.0.2" for (f,) in sent.values())


def test_a_bvi_that_leaves_its_domain(router: Router) -> None:
    """It is a routed interface again, which nothing reaches; the bridge goes on without it."""
    engine = router.engine
    engine.bridges.detach(router.bvi)
    sent = router.send(1, arp(1))
    assert sent == {2: [arp(1)]}
    ping = Ether(dst=router.mac, src=HOSTS[1]) / IP(src="10.0.0.1", dst="10.0.0.254") / ICMP()
    assert set(router.send(1, ping)) == {2}
    engine.bridges.attach(router.bvi, 7, BVI)
    assert set(router.send(1, arp(1))) == {1, 2}
    assert set(router.send(1, ping)) == {1}


def test_making_and_removing_them() -> None:
    """Numbers and addresses are VPP's; one that is removed leaves its domain."""
    engine = Engine(buffers=2048)
    made = [create_bvi(engine), create_bvi(engine, instance=5), create_bvi(engine, mac=bytes.fromhex("020000000077"))]
    assert [(b.name, b.mac.hex()) for b in made] == [
        ("bvi0", "b0b000000000"),
        ("bvi5", "b0b000000005"),
        ("bvi1", "020000000077"),
    ]
    for instance in (5, -1, 16384):
        with pytest.raises(InstanceInUse):
            create_bvi(engine, instance=instance)
    engine.bridges.attach(made[1].sw_if_index, 7, BVI)
    assert [e.mac for e in engine.l2fib.dump()] == [made[1].mac]
    delete_bvi(engine, made[1].sw_if_index)
    assert engine.bridges[7].bvi == -1 and list(engine.l2fib.dump()) == []
    assert create_bvi(engine, instance=5).name == "bvi5"
    loopback = create_loopback(engine)
    for index in (loopback.sw_if_index, 99):
        with pytest.raises(KeyError):
            delete_bvi(engine, index)
    engine.close()


@pytest.fixture
def circle() -> Iterator[Engine]:
    """pg0 (1) is cross-connected to a loopback, that to another, and that one to the first."""
    engine = Engine(buffers=2048)
    engine.interfaces.add("pg0", device=PgDevice(), mac=mac_of(1))
    for index in (1, *(create_loopback(engine).sw_if_index for _ in range(2))):
        engine.interfaces.set_up(index)
    for rx, tx in ((1, 2), (2, 3), (3, 2)):
        engine.bridges.xconnect(rx, tx)
    engine.pg.add("frames", 1, [bytes(arp(1))])
    engine.pg.enable()
    engine.run_until(engine.now + 1000)
    yield engine
    engine.close()


def test_a_circle_ends(circle: Engine) -> None:
    """The frame would go round for ever."""
    drops = circle.plane.error_counts("drops")
    assert sum(n for key, n in drops.items() if "packet began anew too often" in key) == 1
    assert circle.plane.free_buffers() == circle.plane.pool.count


def test_a_circle_upsets_no_balance(circle: Engine) -> None:
    assert report(circle.plane).missing == 0
