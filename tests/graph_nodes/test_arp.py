"""The ARP nodes: arp-input and arp-reply against the naive oracle, and each of the others."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP, Dot1Q, Ether

from tests.naive.arp import NaiveArp
from tests.parity_engine import balance
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.pg import PgDevice
from vectorplane.backends.engine.proxy_arp import ProxyArp
from vectorplane.backends.engine.route_paths import number
from vectorplane.graph_nodes.arp_header import ArpCounters, arp_text

MS = 1_000_000


def mac(n: int) -> bytes:
    return bytes([2, 0, 0, 0, 0, n])


class Router:
    """pg1 10.1.0.1/24 and .2/24, pg2 10.2.0.1/24, pg3 unnumbered to pg1, pg4 without IPv4; some neighbours, routes."""

    def __init__(self) -> None:
        self.engine = e = Engine(buffers=4096)
        self.devices = {n: PgDevice() for n in range(1, 5)}
        self.macs = {n: bytes.fromhex("02fe00000000")[:5] + bytes([n]) for n in self.devices}
        for n, device in self.devices.items():
            assert e.interfaces.add(f"pg{n}", mac=self.macs[n], device=device).sw_if_index == n
            e.interfaces.set_up(n)
        self.addresses = [(1, "10.1.0.1", 24), (1, "10.1.0.2", 24), (2, "10.2.0.1", 24)]
        for n, address, length in self.addresses:
            e.addresses.add(n, f"{address}/{length}")
        e.addresses.set_unnumbered(3, 1)
        for n, address in ((1, "10.1.0.50"), (2, "10.2.0.50"), (2, "10.1.0.60"), (3, "10.1.0.70")):
            e.neighbours.add(n, address, mac(n), static=True)
        e.routes.update("10.1.0.128/25", e.routes.path("10.2.0.50", "pg2"))
        e.routes.update("10.7.0.0/24", e.routes.path(None, "pg2"))
        e.routes.update("60.0.0.0/8", e.routes.path("10.1.0.50", "pg1"))
        self.routes = [
            (number("10.1.0.128"), 25, 2, False),
            (number("10.7.0.0"), 24, 2, True),
            (60 << 24, 8, 1, False),
        ]

    def naive(self) -> NaiveArp:
        addresses = [(n, number(a), length) for n, a, length in self.addresses]
        neighbours = {(n.sw_if_index, n.address): n.mac for n in self.engine.neighbours.dump()}
        return NaiveArp(addresses, neighbours, self.routes, {3: 1}, self.macs)

    def send(self, rx: int, *frames: bytes, wait: int = MS) -> dict[int, list[bytes]]:
        """Send frames into an interface; what came out of each interface."""
        e = self.engine
        e.pg.add("in", rx, frames)
        e.pg.enable()
        e.run_until(e.now + wait)
        e.pg.delete("in")
        out = {n: [f for _, f in d.transmitted()] for n, d in self.devices.items()}
        return {n: frames for n, frames in out.items() if frames}

    def reasons(self, before: dict[str, int]) -> dict[str, int]:
        """What was counted since."""
        now = self.engine.plane.error_counts()
        return {k: v - before.get(k, 0) for k, v in now.items() if v != before.get(k, 0)}


@pytest.fixture(scope="module")
def router() -> Iterator[Router]:
    made = Router()
    yield made
    balance(made.engine)
    made.engine.close()


ADDRESSES = [
    "10.1.0.1", "10.1.0.2", "10.2.0.1", "10.1.0.50", "10.2.0.50", "10.1.0.60", "10.1.0.70", "10.1.0.9", "10.2.0.9",
    "10.1.0.200", "10.7.0.3", "60.1.1.1", "99.0.0.1", "10.1.0.0", "10.1.0.255", "0.0.0.0",
]  # fmt: skip
addresses = st.sampled_from([IPv4Address(a).packed for a in ADDRESSES])
macs = st.sampled_from([mac(9), mac(8), bytes.fromhex("00005e000107"), bytes.fromhex("00005e000207")])


@st.composite
def arp_frames(draw: st.DrawFn) -> bytes:
    """ARP frames, mostly sound."""
    often = st.integers(0, 9)
    l2, l3 = (b"\0\1", b"\x08\0")
    if draw(often) == 0:
        l2, l3 = draw(st.sampled_from([(b"\0\6", l3), (l2, b"\x86\xdd"), (b"\0\6", b"\x86\xdd")]))
    opcode = draw(st.sampled_from([1, 1, 1, 2, 2, 3]))
    sender = draw(macs)
    source = sender if draw(often) else draw(macs)
    target = draw(st.sampled_from([bytes(6), mac(1)]))
    body = l2 + l3 + b"\6\4" + opcode.to_bytes(2, "big") + sender + draw(addresses) + target + draw(addresses)
    body += bytes(draw(st.sampled_from([0, 0, 18])))
    if draw(often) == 0:
        body = body[: draw(st.integers(0, 27))]
    return b"\xff" * 6 + source + b"\x08\6" + body


@settings(derandomize=True, deadline=None, max_examples=400)
@given(st.integers(1, 4), arp_frames())
def test_as_the_oracle(router: Router, rx: int, frame: bytes) -> None:
    neighbours = router.engine.neighbours
    want = router.naive().judge(rx, frame)
    before = router.engine.plane.error_counts()
    known = {(n.sw_if_index, n.address): n.mac for n in neighbours.dump()}
    out = router.send(rx, frame)
    assert out == ({rx: [want.reply]} if want.reply else {})
    reasons = router.reasons(before)
    assert [text.split(": ", 1)[1] for text in reasons] == [want.reason] and set(reasons.values()) == {1}
    if want.learnt is not None and want.learnt[:2] not in known:
        known[want.learnt[:2]] = want.learnt[2]
    assert {(n.sw_if_index, n.address): n.mac for n in neighbours.dump()} == known
    neighbours.flush(static=False)


def request(sender: str, target: str, source: int = 9, vlan: int | None = None) -> bytes:
    ether = Ether(src=mac(source).hex(":"), dst="ff:ff:ff:ff:ff:ff")
    if vlan is not None:
        ether /= Dot1Q(vlan=vlan)
    return bytes(ether / ARP(op=1, hwsrc=mac(source).hex(":"), psrc=sender, pdst=target))


def answer(sender: str, target: str, source: int = 9, n: int = 2) -> bytes:
    ether = Ether(src=mac(source).hex(":"), dst=f"02:fe:00:00:00:{n:02x}")
    arp = ARP(op=2, hwsrc=mac(source).hex(":"), psrc=sender, hwdst=f"02:fe:00:00:00:{n:02x}", pdst=target)
    return bytes(ether / arp)


def test_counters(router: Router) -> None:
    counters = router.engine.plane.shared(ArpCounters).vectors
    before = {k: v.total().copy() for k, v in counters.items()}
    router.send(2, request("10.2.0.9", "10.2.0.1"), request("10.2.0.8", "10.2.0.8"))
    router.send(2, request("10.2.0.50", "10.2.0.50"))
    router.send(2, answer("10.2.0.9", "10.2.0.1"))
    grown = {k: int((v.total() - before[k])[2]) for k, v in counters.items() if (v.total() != before[k]).any()}
    assert grown == {("rx", "requests"): 2, ("tx", "replies"): 1, ("rx", "gratuitous"): 1, ("rx", "replies"): 1}
    router.engine.neighbours.flush(static=False)


def packet(destination: str, source: str = "10.1.0.9", n: int = 1) -> bytes:
    ether = Ether(src=mac(9).hex(":"), dst=f"02:fe:00:00:00:{n:02x}")
    return bytes(ether / IP(src=source, dst=destination) / UDP(sport=1, dport=2))


def test_glean_asks_once_a_millisecond(router: Router) -> None:
    e = router.engine
    before = e.plane.error_counts()
    e.run_until(e.now // MS * MS + MS)
    first = router.send(1, *[packet("10.2.0.77")] * 3, packet("10.2.0.78"))
    assert len(first[2]) == 2
    ask = Ether(first[2][0])
    assert (ask.dst, ask.src, ask[ARP].op) == ("ff:ff:ff:ff:ff:ff", "02:fe:00:00:00:02", 1)
    assert (ask.psrc, ask.pdst, ask[ARP].hwdst, len(ask)) == ("10.2.0.1", "10.2.0.77", "00:00:00:00:00:00", 42)
    assert router.reasons(before) == {"ip4-glean: ARP requests sent": 2, "ip4-glean: ARP requests throttled": 2}
    assert len(router.send(1, packet("10.2.0.77"))[2]) == 1


def test_incomplete_adjacency_asks_and_is_resolved(router: Router) -> None:
    e = router.engine
    e.routes.update("70.0.0.0/8", e.routes.path("10.2.0.99", "pg2"))
    e.run_until(e.now + MS)
    for d in router.devices.values():
        d.transmitted()
    out = router.send(1, packet("70.0.0.1"))
    assert Ether(out[2][0]).pdst == "10.2.0.99" and Ether(out[2][0]).psrc == "10.2.0.1"
    assert router.send(2, answer("10.2.0.99", "10.2.0.1")) == {}
    out = router.send(1, packet("70.0.0.1"))
    assert (Ether(out[2][0]).dst, Ether(out[2][0]).src) == (mac(9).hex(":"), "02:fe:00:00:00:02")
    e.routes.remove("70.0.0.0/8")
    e.neighbours.flush(static=False)


def test_no_source_address(router: Router) -> None:
    e = router.engine
    e.routes.update("71.0.0.0/8", e.routes.path("10.9.9.9", "pg4"))
    before = e.plane.error_counts()
    assert router.send(1, packet("71.0.0.1")) == {}
    assert router.reasons(before) == {"ip4-arp: no source address for ARP request": 1}
    e.routes.remove("71.0.0.0/8")


def test_proxy(router: Router) -> None:
    proxy = ProxyArp(router.engine)
    proxy.add("10.2.0.100", "10.2.0.110")
    proxy.enable(2)
    out = router.send(2, request("10.2.0.9", "10.2.0.105"), request("10.2.0.9", "10.2.0.111"))
    assert [Ether(f).psrc for f in out[2]] == ["10.2.0.105"]
    assert Ether(out[2][0]).hwsrc == "02:fe:00:00:00:02"
    # a request from one of our own addresses may be answered too
    assert len(router.send(2, request("10.2.0.1", "10.2.0.105"))[2]) == 1
    proxy.remove("10.2.0.100", "10.2.0.110")
    assert router.send(2, request("10.2.0.9", "10.2.0.105")) == {}
    proxy.enable(2, False)
    with pytest.raises(KeyError):
        proxy.remove("10.2.0.100", "10.2.0.110")


def test_sub_interface(router: Router) -> None:
    e = router.engine
    sub = e.interfaces.add_sub("pg4", 100)
    e.interfaces.set_up(sub.sw_if_index)
    e.addresses.add(sub.sw_if_index, "10.4.0.1/24")
    out = router.send(4, request("10.4.0.9", "10.4.0.1", vlan=100))
    reply = Ether(out[4][0])
    assert reply[Dot1Q].vlan == 100 and reply[ARP].op == 2 and reply.dst == mac(9).hex(":")
    assert reply.psrc == "10.4.0.1" and reply.hwsrc == "02:fe:00:00:00:04"
    # it was learnt: packets to it carry the tag; another one is asked for with the tag
    forwarded = Ether(router.send(1, packet("10.4.0.9"))[4][0])
    assert (forwarded.dst, forwarded[Dot1Q].vlan, forwarded[IP].ttl) == (mac(9).hex(":"), 100, 63)
    asked = Ether(router.send(1, packet("10.4.0.8"))[4][0])
    assert asked[Dot1Q].vlan == 100 and asked[ARP].pdst == "10.4.0.8"
    e.addresses.remove(sub.sw_if_index, "10.4.0.1/24")
    assert not [n for n in e.neighbours.dump() if n.sw_if_index == sub.sw_if_index]


def test_ip4_not_enabled_and_multicast(router: Router) -> None:
    before = router.engine.plane.error_counts()
    router.send(4, packet("10.2.0.50", n=4))
    router.send(1, packet("224.0.0.9"), packet("239.1.1.1"))
    assert router.reasons(before) == {
        "ip4-not-enabled: ip4 not enabled on the interface": 1,
        "ip4-input: Multicast RPF check failed": 2,
    }


def test_other_route_types(router: Router) -> None:
    e = router.engine
    e.routes.update("72.0.0.0/8", e.routes.path(kind="prohibit"))
    e.routes.update("73.0.0.0/8", e.routes.path(kind="unreachable"))
    e.neighbours.add(1, "10.1.0.9", mac(9), static=True)
    e.run_until(e.now + 200 * MS)
    out = router.send(1, packet("72.0.0.1"), packet("73.0.0.1"), packet("73.0.0.1"))
    codes = [(bytes(Ether(f)[IP].payload)[0], bytes(Ether(f)[IP].payload)[1]) for f in out[1]]
    assert codes == [(3, 10), (3, 1)]
    e.routes.add_table(5)
    e.routes.add_table(6)
    e.routes.update("74.0.0.0/8", e.routes.path(kind="lookup", table=5))
    e.routes.update("74.1.0.0/16", e.routes.path("10.2.0.50", "pg2"), table=5)
    e.routes.update("74.2.0.0/16", e.routes.path(kind="lookup", table=6), table=5)
    e.routes.update("0.0.0.0/0", e.routes.path(kind="lookup", table=5), table=6)
    before = e.plane.error_counts()
    assert len(router.send(1, packet("74.1.0.1"), packet("74.2.0.1"), packet("74.3.0.1"))[2]) == 1
    assert router.reasons(before) == {
        "lookup-ip4-dst: destination lookup chain too long": 1,
        "null-node: blackholed packets": 1,
    }
    e.neighbours.remove(1, "10.1.0.9")


def test_trace_text() -> None:
    frame = request("10.2.0.9", "10.2.0.1")
    assert arp_text(frame[14:]) == (
        "request, type ethernet/IP4, address size 6/4\n02:00:00:00:00:09/10.2.0.9 -> 00:00:00:00:00:00/10.2.0.1"
    )
    assert arp_text(frame[14:30]) == "ARP header truncated"
