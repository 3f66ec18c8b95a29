"""IPv6 packets to the router itself, from the wire to the answer, against the oracle and against scapy."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Interface

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet6 import (
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
)
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Packet

from tests.budget import examples
from tests.naive.nd6 import NaiveNd, Verdict, with_checksum
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.pg import PgDevice
from vectorplane.graph_nodes.fib6 import (
    ADJACENT6,
    DROP6,
    INTERFACE_SHIFT,
    KIND,
    LINK_LOCAL6,
    Fib6,
    halves,
    longest,
)
from vectorplane.jit.kernel import compiled

MACS = {1: bytes.fromhex("02fe00000001"), 2: bytes.fromhex("02fe00000002"), 3: bytes.fromhex("02fe00000003")}
ADDRESSES = {
    1: [IPv6Interface("2001:db8:1::1/64"), IPv6Interface("2001:db8:1::2/64")],
    2: [IPv6Interface("2001:db8:2::1/64"), IPv6Interface("2001:db8:f::1/128")],
}


@dataclass
class Router:
    """Two interfaces with IPv6, a third without."""

    engine: Engine
    naive: NaiveNd

    def send(self, i: int, frames: list[bytes]) -> tuple[Counter[str], list[bytes], set[tuple[int, int, bytes]]]:
        """What is counted, what leaves by that interface, which neighbours are known afterwards."""
        engine = self.engine
        engine.neighbours6.flush()
        before = Counter(engine.plane.error_counts())
        engine.pg.add("frames", i, frames)
        engine.pg.enable()
        engine.run_until(engine.now + 1_000_000)
        engine.pg.delete("frames")
        grown = Counter(engine.plane.error_counts()) - before
        device = engine.interfaces[i].device
        assert isinstance(device, PgDevice)
        known = {(n.sw_if_index, n.address, n.mac) for n in engine.neighbours6.dump()}
        return grown, [f for _, f in device.transmitted()], known


@pytest.fixture(scope="module")
def router() -> Iterator[Router]:
    engine = Engine()
    for i, mac in MACS.items():
        engine.interfaces.add(f"pg{i}", mac=mac, device=PgDevice())
        engine.interfaces.set_up(i)
        for address in ADDRESSES.get(i, ()):
            engine.addresses6.add(i, address)
    local = {i: IPv6Address(int(engine.addresses6.link_local(i) or 0)) for i in ADDRESSES}
    yield Router(engine, NaiveNd(ADDRESSES, local, MACS))
    free = engine.plane.free_buffers()
    assert free == engine.plane.pool.count
    engine.close()


def compare(router: Router, i: int, frames: list[bytes]) -> None:
    """The engine does what the oracle says, counts it, answers it, and learns from it."""
    verdicts: list[Verdict] = [router.naive.frame(i, f) for f in frames]
    counted, sent, known = router.send(i, frames)
    reasons = Counter(v.reason for v in verdicts)
    told: Counter[str] = Counter()
    for name, n in counted.items():
        told[name.partition(": ")[2]] += n
    assert told == reasons
    assert sent == [v.reply for v in verdicts if v.reply is not None]
    learnt: dict[tuple[int, int], bytes] = {}
    for v in verdicts:
        if v.learnt is not None:
            learnt[v.learnt[0], int(v.learnt[1])] = v.learnt[2]
    assert known == {(k, address, mac) for (k, address), mac in learnt.items()}


def solicitation(target: str, source: str = "2001:db8:1::9") -> Packet:
    """As a host makes it."""
    group = IPv6Address((0xFF02 << 112) | (0x1FF << 24) | int(IPv6Address(target)) & 0xFFFFFF)
    mac = "02:00:00:00:00:09"
    ethernet = Ether(dst="33:33:" + group.packed[-4:].hex(":"), src=mac)
    return ethernet / IPv6(src=source, dst=str(group)) / ICMPv6ND_NS(tgt=target) / ICMPv6NDOptSrcLLAddr(lladdr=mac)


def checksum_is_right(frame: Packet) -> bool:
    """By scapy."""
    message = frame[IPv6].payload
    again = frame.copy()
    del again[IPv6].payload.cksum
    return bool(Ether(bytes(again))[IPv6].payload.cksum == message.cksum)


def test_a_solicitation_is_answered(router: Router) -> None:
    """What a host sees, by scapy."""
    local = str(router.naive.link_local[1])
    for target, source in (("2001:db8:1::1", "2001:db8:1::9"), (local, "fe80::9"), ("2001:db8:2::1", "fe80::9")):
        counted, (frame,), known = router.send(1, [bytes(solicitation(target, source))])
        answer = Ether(frame)
        assert (answer.dst, answer.src) == ("02:00:00:00:00:09", "02:fe:00:00:00:01")
        assert (answer[IPv6].src, answer[IPv6].dst, answer[IPv6].hlim) == (target, source, 255)
        na = answer[ICMPv6ND_NA]
        assert (na.tgt, na.R, na.S, na.O) == (target, 0, 1, 1)
        assert answer[ICMPv6NDOptDstLLAddr].lladdr == "02:fe:00:00:00:01" and checksum_is_right(answer)
        assert counted == {"ip6-icmp-input: neighbor advertisements sent": 1}
        assert known == {(1, int(IPv6Address(source)), bytes.fromhex("020000000009"))}


def test_address_detection_gets_an_answer_for_all(router: Router) -> None:
    """A probe from :: for an address of ours: the answer goes to all nodes, and nobody is learnt."""
    probe = Ether(dst="33:33:ff:00:00:01", src="02:00:00:00:00:09") / IPv6(src="::", dst="ff02::1:ff00:1")
    _, (frame,), known = router.send(1, [bytes(probe / ICMPv6ND_NS(tgt="2001:db8:1::1"))])
    answer = Ether(frame)
    assert answer[IPv6].dst == "ff02::1" and checksum_is_right(answer) and known == set()


def test_echo(router: Router) -> None:
    request = Ether(dst="02:fe:00:00:00:01", src="02:00:00:00:00:09") / IPv6(src="2001:db8:1::9", dst="2001:db8:1::2")
    _, (frame,), _ = router.send(1, [bytes(request / ICMPv6EchoRequest(id=7, seq=9, data=b"payload"))])
    reply = Ether(frame)
    echo = reply[ICMPv6EchoReply]
    assert (echo.id, echo.seq, echo.data, reply[IPv6].src) == (7, 9, b"payload", "2001:db8:1::2")
    assert (reply.dst, reply.src, reply[IPv6].hlim) == ("02:00:00:00:00:09", "02:fe:00:00:00:01", 64)
    assert checksum_is_right(reply)


def test_an_advertisement_teaches(router: Router) -> None:
    told = Ether(dst="02:fe:00:00:00:01", src="02:00:00:00:00:09") / IPv6(src="2001:db8:1::9", dst="2001:db8:1::1")
    told /= ICMPv6ND_NA(tgt="2001:db8:1::9", S=1) / ICMPv6NDOptDstLLAddr(lladdr="02:00:00:00:00:77")
    counted, sent, known = router.send(1, [bytes(told)])
    assert sent == [] and known == {(1, int(IPv6Address("2001:db8:1::9")), bytes.fromhex("020000000077"))}
    assert counted == {"ip6-icmp-input: neighbor advertisements received": 1}


def test_counters_by_interface(router: Router) -> None:
    stats = router.engine.plane.stats
    router.send(2, [bytes(solicitation("2001:db8:2::1", "fe80::9"))])
    assert {"/net/ip6-nd/rx/requests", "/net/ip6-nd/tx/replies", "/if/ip6"} <= set(stats.by_name)
    assert int(router.engine.plane.if_stats["ip6"].total(2)) >= 1


def test_tags_stay(router: Router) -> None:
    """A frame with a priority tag is answered with that tag, as by VPP."""
    plain = solicitation("2001:db8:1::1")
    tagged = Ether(dst=plain.dst, src=plain.src) / Dot1Q(vlan=0, prio=3) / plain[IPv6]
    _, (frame,), _ = router.send(1, [bytes(tagged)])
    assert Ether(frame)[Dot1Q].vlan == 0 and Ether(frame)[ICMPv6ND_NA].tgt == "2001:db8:1::1"


SOURCES = ["2001:db8:1::9"] * 3 + ["fe80::9", "2001:db8:1::1", "2001:db8:2::9", "2001:db8:9::9", "fe80::9", "::"]
OURS = ["2001:db8:1::1", "2001:db8:1::2", "2001:db8:2::1", "2001:db8:f::1", "own"]
TARGETS = [*OURS, "2001:db8:1::9", "fe80::99", "2001:db8:9::1"]
GROUPS = ["ff02::1:ff00:1"] * 6 + [
    "ff02::1",
    "ff02::2",
    "ff02::16",
    "ff02::1:ff00:1",
    "ff02::5",
    "ff05::1",
    "ff02::2:ff00:1",
]


def make(router: Router, i: int, draw: random.Random) -> bytes:
    """A frame with, usually, one thing wrong with it or none."""

    def address(choices: list[str]) -> bytes:
        text = draw.choice(choices)
        return router.naive.link_local[i if i in ADDRESSES else 1].packed if text == "own" else IPv6Address(text).packed

    source, kind = address(SOURCES), draw.choice([135, 135, 135, 136, 136, 128, 129, 133, 1, 137, 200])
    to = address(draw.choice([OURS, OURS, TARGETS, GROUPS, GROUPS]))
    option = bytes([draw.choice([kind - 134] * 4 + [1, 2, 14]) & 255, draw.choice([1, 1, 1, 2])]) + draw.randbytes(6)
    options = draw.choice([option] * 5 + [b"", option + option, option[:7]])
    body = bytes([kind, draw.choice([0] * 6 + [1]), 0, 0]) + draw.randbytes(4) + address([*OURS, *TARGETS]) + options
    if kind not in (135, 136) and draw.random() < 0.5:
        body = body[: draw.randrange(len(body))].ljust(4, b"\0")
    protocol = draw.choice([58] * 8 + [17, 6, 0, 44])
    if protocol == 17:
        body = bytes([1, 2, 3, 4]) + draw.choice([len(body), len(body) + 1, 8]).to_bytes(2, "big") + body[:2] + body[8:]
    head = bytes([0x60, 0, 0, 0]) + len(body).to_bytes(2, "big") + bytes([protocol, draw.choice([255] * 8 + [64, 0])])
    packet = head + source + to + body
    packet = with_checksum(packet) if protocol == 58 else packet
    fault = draw.choice(["none"] * 14 + ["short", "version", "checksum", "length", "cut", "longer"])
    if fault == "short":
        packet = packet[: draw.randrange(40)]
    elif fault == "version":
        packet = b"\x45" + packet[1:]
    elif fault == "checksum":
        packet = packet[:42] + draw.randbytes(2) + packet[44:]
    elif fault == "length":
        packet = packet[:4] + draw.randrange(200).to_bytes(2, "big") + packet[6:]
        packet = with_checksum(packet) if draw.random() < 0.5 and len(packet) > 44 else packet
    elif fault == "cut":
        packet = packet[: draw.randrange(40, len(packet))]
    elif fault == "longer":
        packet += draw.randbytes(draw.randrange(8))
    return MACS[i] + bytes.fromhex("020000000009") + b"\x86\xdd" + packet


@examples(60)
@given(st.integers(0, 1 << 32), st.sampled_from([1, 1, 1, 2, 3]))
def test_like_the_oracle(router: Router, seed: int, i: int) -> None:
    draw = random.Random(seed)
    compare(router, i, [make(router, i, draw) for _ in range(20)])


@compiled
def look_up(fib6: int, fib: int, high: int, low: int) -> int:
    """The nodes' lookup."""
    return longest(fib6, fib, high, low)


@examples(60)
@given(st.lists(st.tuples(st.integers(0, 128), st.integers(0, (1 << 128) - 1)), max_size=12), st.integers(0, 1 << 32))
def test_the_longest_prefix(router: Router, given: list[tuple[int, int]], seed: int) -> None:
    """Nodes and control side find the route that a plain search finds, at every length."""
    routes, fib6 = router.engine.routes6, router.engine.plane.shared(Fib6)
    fib = routes.add_table(77)
    draw = random.Random(seed)
    prefixes = {(address & (-1 << (128 - length)), length): draw.randrange(1, 4) for length, address in given}
    prefixes |= {(p & (-1 << (128 - n // 2)), n // 2): draw.randrange(1, 4) for p, n in list(prefixes) if n // 2}
    for prefix, interface in prefixes.items():
        routes.update(prefix, routes.path(1, interface), 77)
    for address, length in [*prefixes, (draw.getrandbits(128), 128)]:
        inside = address | draw.getrandbits(128) & ((1 << (128 - length)) - 1)
        holding = [(n, p) for p, n in [*prefixes, (0, 0), (0xFE80 << 112, 10)] if (inside ^ p) >> (128 - n) == 0]
        best, prefix = max(holding)
        found = routes.lookup(inside, 77)
        assert found is not None and (found.prefix, found.length) == (prefix, best)
        word = look_up(fib6.address, fib, *halves(inside))
        if (prefix, best) in prefixes:
            assert (word & KIND, (word >> INTERFACE_SHIFT) - 1) == (ADJACENT6, prefixes[prefix, best])
        else:
            assert word & KIND == (LINK_LOCAL6 if best else DROP6)
    for prefix in prefixes:
        routes.remove(prefix, 77)
    routes.remove_table(77)
