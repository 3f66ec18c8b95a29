"""arp-term-l2bd against its naive oracle: who is answered, with what; scapy reads the answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr, IPv6
from scapy.layers.l2 import ARP, Dot1Q, Ether

from tests.budget import examples
from tests.graph_nodes.l2.bench import THERE, L2Bench, l2_words, put
from tests.graph_nodes.l2.frames import ADDRESSES4, ADDRESSES6, HOSTS, received, received_length
from tests.naive.l2.arp_term import Address, Answer, arp_term
from tests.naive.l2.features import bits, following
from vectorplane.dataplane.buffer import LOCALLY_ORIGINATED
from vectorplane.graph_nodes.event_kinds import L2_ARP, L2_ND
from vectorplane.graph_nodes.l2.arp_term_l2bd import ARP_TERM_L2BD, ArpTermTable
from vectorplane.graph_nodes.l2.config import MODE_BRIDGE, MODE_BVI

BVI = 3
DOMAINS = (1, 2)
Known = dict[int, dict[Address, bytes]]
LEFT = bits("FLOOD", "UU_FLOOD")


class Arrival(NamedTuple):
    """A frame, its port, domain and split-horizon group, and whether the router made it."""

    frame: bytes
    interface: int = 1
    bd_index: int = 1
    shg: int = 0
    local: bool = False


class Terminator(L2Bench):
    """arp-term-l2bd, and what it was told to answer for."""

    def __init__(self) -> None:
        super().__init__(ARP_TERM_L2BD)
        self.table = self.plane.shared(ArpTermTable)
        self._keys: list[tuple[int, int, int]] = []
        for k in range(4):
            self.config.inputs[k]["mode"] = MODE_BRIDGE | (MODE_BVI if k == BVI else 0)

    def learn(self, known: Known) -> None:
        """What the domains answer for, from now on."""
        for old in self._keys:
            self.table.map.delete(old)
        self._keys = [key(bd_index, address) for bd_index, addresses in known.items() for address in addresses]
        macs = [mac for addresses in known.values() for mac in addresses.values()]
        for new, mac in zip(self._keys, macs, strict=True):
            self.table.map.set(new, int.from_bytes(mac, "little"))


@pytest.fixture(scope="module")
def bench() -> Iterator[Terminator]:
    made = Terminator()
    yield made
    assert made.leaked() == 0
    made.close()


def key(bd_index: int, address: Address) -> tuple[int, int, int]:
    """As the table is keyed."""
    raw = address.packed
    if isinstance(address, IPv4Address):
        return bd_index << 1, 0, int.from_bytes(raw, "little")
    halves = [int.from_bytes(raw[k : k + 8], "little", signed=True) for k in (0, 8)]
    return bd_index << 1 | 1, halves[0], halves[1]


def seen_address(event: Any) -> tuple[int, Address, bytes]:
    """(port, address, MAC) of an event."""
    data = [int(x) for x in event["data"][:3]]
    index = int(event["sw_if_index"])
    if int(event["kind"]) == L2_ARP:
        return index, IPv4Address(data[0]), data[1].to_bytes(6, "little")
    assert int(event["kind"]) == L2_ND
    raw = b"".join(x.to_bytes(8, "little", signed=True) for x in data[:2])
    return index, IPv6Address(raw), data[2].to_bytes(6, "little")


def compare(bench: Terminator, known: Known, arrivals: Sequence[Arrival], watched: bool = True) -> list[Answer]:
    """Each frame is answered as the oracle says; who watches is told who has which address."""
    bench.learn(known)
    bench.table.watch(watched)
    ring = bench.worker.events
    ring.drain()

    def meta(i: int, record: Any) -> None:
        a = arrivals[i]
        flags = LOCALLY_ORIGINATED if a.local else 0
        words = l2_words(received_length(a.frame), a.shg, bd_index=a.bd_index)
        put(record, **words, adj=LEFT | bits("ARP_TERM"), flags=flags | int(record["flags"]))

    before = bench.errors().get("arp-term-l2bd: ARP replies sent", 0)
    outs = bench.send([a.frame for a in arrivals], rx=[a.interface for a in arrivals], meta=meta)
    answers = []
    for out, a in zip(outs, arrivals, strict=True):
        answer = Answer("on", a.frame)
        if not a.shg and not a.local:
            answer = arp_term(a.frame, received_length(a.frame), known.get(a.bd_index, {}))
        answers.append(answer)
        assert (out.data, out.error) == (answer.data, answer.error), a.frame.hex()
        if answer.what == "drop":
            assert out.next == "error-drop"
        elif answer.what == "on":
            assert (out.next, out.rx_sw_if, out.meta["adj"]) == (following(LEFT, THERE), a.interface, LEFT)
        elif a.interface == BVI:
            # l2-output cannot send to the BVI: l2-fwd finds it, as if the frame came from elsewhere
            assert (out.next, out.rx_sw_if, out.meta["adj"]) == ("l2-fwd", 0, LEFT | bits("FWD"))
        else:
            assert (out.next, out.tx_sw_if) == ("l2-output", a.interface)
    counted = bench.errors().get("arp-term-l2bd: ARP replies sent", 0) - before
    assert counted == sum(a.what == "reply" and a.data[12:14] != b"\x86\xdd" and _is_arp(a) for a in answers)
    events = [seen_address(e) for e in ring.drain()]
    expected = [(a.interface, *n.seen) for a, n in zip(arrivals, answers, strict=True) if n.seen is not None]
    assert events == (expected if watched else [])
    return answers


def _is_arp(answer: Answer) -> bool:
    length = received_length(answer.data)
    return answer.data[length - 2 : length] == b"\x08\x06"


arrivals = st.builds(
    Arrival,
    frame=received,
    interface=st.integers(1, 3),
    bd_index=st.sampled_from([1, 1, 2]),
    shg=st.sampled_from([0, 0, 0, 1, 255]),
    local=st.sampled_from([False, False, False, True]),
)
addresses = st.sampled_from(
    [IPv4Address(a) for a in ADDRESSES4[:4]] + [IPv6Address(a) for a in (*ADDRESSES6[:4], ADDRESSES6[4])]
)
knowledge = st.fixed_dictionaries({d: st.dictionaries(addresses, st.sampled_from(HOSTS), max_size=6) for d in DOMAINS})


@examples(300)
@given(known=knowledge, packets=st.lists(arrivals, min_size=1, max_size=16), watched=st.booleans())
def test_random(bench: Terminator, known: Known, packets: list[Arrival], watched: bool) -> None:
    compare(bench, known, packets, watched)


OURS = IPv4Address("10.0.0.1")
OURS6 = IPv6Address("2001:db8::1")
KNOWN: Known = {1: {OURS: HOSTS[0], OURS6: HOSTS[0]}}
ASKER = "02:00:00:00:00:05"


def request(**fields: Any) -> Ether:
    """As a host asks for 10.0.0.1."""
    asked = {"op": 1, "hwsrc": ASKER, "psrc": "10.0.0.9", "hwdst": "00:00:00:00:00:00", "pdst": "10.0.0.1", **fields}
    return Ether(dst="ff:ff:ff:ff:ff:ff", src=ASKER) / ARP(**asked)


def solicitation(target: str = "2001:db8::1", source: str = "2001:db8::9") -> Ether:
    """As a host asks for 2001:db8::1."""
    ethernet = Ether(dst="33:33:ff:00:00:01", src=ASKER)
    return ethernet / IPv6(src=source, dst="ff02::1:ff00:1", hlim=255) / ICMPv6ND_NS(tgt=target)


@pytest.mark.parametrize("tags", [0, 1, 2])
def test_an_arp_reply_as_scapy_reads_it(bench: Terminator, tags: int) -> None:
    """With the tags that the request came with."""
    asked = request()
    for k in range(tags):
        asked = Ether(dst=asked.dst, src=asked.src) / Dot1Q(vlan=5 + k) / asked.payload
    (answer,) = compare(bench, KNOWN, [Arrival(bytes(asked))])
    reply = Ether(answer.data)
    assert (reply.dst, reply.src) == (ASKER, HOSTS[0].hex(":"))
    arp = reply[ARP]
    assert (arp.op, arp.hwsrc, arp.psrc, arp.hwdst, arp.pdst) == (
        2,
        HOSTS[0].hex(":"),
        "10.0.0.1",
        ASKER,
        "10.0.0.9",
    )


def test_a_neighbour_advertisement_as_scapy_reads_it(bench: Terminator) -> None:
    """Solicited, overriding, with its link-layer address, and with a checksum that is right."""
    asked = solicitation() / ICMPv6NDOptSrcLLAddr(lladdr=ASKER)
    (answer,) = compare(bench, KNOWN, [Arrival(bytes(asked))])
    reply = Ether(answer.data)
    assert (reply.dst, reply.src) == (ASKER, HOSTS[0].hex(":"))
    assert (reply[IPv6].src, reply[IPv6].dst, reply[IPv6].hlim) == ("2001:db8::1", "2001:db8::9", 255)
    na = reply[ICMPv6ND_NA]
    assert (na.tgt, na.R, na.S, na.O) == ("2001:db8::1", 0, 1, 1)
    assert reply[ICMPv6NDOptDstLLAddr].lladdr == HOSTS[0].hex(":")
    again = reply.copy()
    del again[ICMPv6ND_NA].cksum
    assert Ether(bytes(again))[ICMPv6ND_NA].cksum == na.cksum


def test_what_is_not_answered(bench: Terminator) -> None:
    """Unknown or gratuitous: on; wrong types, other senders, group senders: dropped, for VPP's reasons."""

    def of_type(hardware: int, protocol: int = 0x0800, **fields: Any) -> bytes:
        healthy = bytes(request(**fields))
        return healthy[:14] + hardware.to_bytes(2, "big") + protocol.to_bytes(2, "big") + healthy[18:]

    cases: list[tuple[Ether | bytes, str | None]] = [
        (request(pdst="10.0.0.2"), None),
        (request(psrc="10.0.0.1"), None),
        (request(op=3), None),
        (of_type(6), "L2 type not ethernet"),
        (of_type(1, 0x86DD), "L3 type not IP4"),
        (of_type(6, 0x86DD), "L3 type not IP4"),
        (request(hwsrc="02:00:00:00:00:06"), "ARP hw addr does not match L2 frame src addr"),
        (request(psrc="224.0.0.5"), "IP4 source address not local to subnet"),
        (of_type(6, psrc="0.0.0.0"), "ARP probe or announcement dropped"),
        (of_type(6, psrc="10.0.0.1"), "ARP probe or announcement dropped"),
        (solicitation(), None),
        (solicitation("2001:db8::2") / ICMPv6NDOptSrcLLAddr(lladdr=ASKER), None),
        (solicitation(source="::") / ICMPv6NDOptSrcLLAddr(lladdr=ASKER), None),
        (solicitation() / ICMPv6NDOptDstLLAddr(lladdr=ASKER), None),
    ]
    answers = compare(bench, KNOWN, [Arrival(bytes(frame)) for frame, _ in cases])
    assert [(a.what, a.error) for a in answers] == [("drop" if why else "on", why) for _, why in cases]


def test_the_address_of_a_virtual_router(bench: Terminator) -> None:
    """VRRP's address may differ from the frame's."""
    asked = bytes(request(hwsrc="00:00:5e:00:01:07"))
    (answer,) = compare(bench, KNOWN, [Arrival(asked)])
    assert answer.what == "reply" and answer.seen == (IPv4Address("10.0.0.9"), bytes.fromhex("00005e000107"))


def test_the_router_asks_itself(bench: Terminator) -> None:
    """A request that came by the BVI is answered to it; in other domains nobody knows the address."""
    asked = [bytes(request()), bytes(solicitation() / ICMPv6NDOptSrcLLAddr(lladdr=ASKER))]
    arrivals_ = [Arrival(f, interface, bd) for f in asked for interface in (1, BVI) for bd in DOMAINS]
    answers = compare(bench, KNOWN, arrivals_)
    assert [a.what for a in answers] == ["reply", "on"] * 4


def test_only_what_is_link_local_is_not_told(bench: Terminator) -> None:
    cases = ["fe80::9", "febf::9", "fec0::9", "2001:db8::9"]
    asked = [Arrival(bytes(solicitation(source=s) / ICMPv6NDOptSrcLLAddr(lladdr=ASKER))) for s in cases]
    answers = compare(bench, {}, asked)
    assert [a.seen is not None for a in answers] == [False, False, True, True]


def test_a_chain_is_not_answered(bench: Terminator) -> None:
    """A solicitation of more than one buffer would need a checksum over all of them."""
    asked = bytes(solicitation() / ICMPv6NDOptSrcLLAddr(lladdr=ASKER))
    bench.learn(KNOWN)

    def meta(i: int, record: Any) -> None:
        put(record, **l2_words(14, bd_index=1), adj=LEFT | bits("ARP_TERM"))

    (out,) = bench.send([asked + bytes(3000)], rx=1, meta=meta)
    assert (out.next, out.data) == (following(LEFT, THERE), asked + bytes(3000))


def test_every_length(bench: Terminator) -> None:
    """Requests that are cut anywhere, and solicitations whose size says that they are longer or shorter."""
    asked = bytes(request()), bytes(solicitation() / ICMPv6NDOptSrcLLAddr(lladdr=ASKER))
    for whole in asked:
        answers = compare(bench, KNOWN, [Arrival(whole[:n]) for n in range(14, len(whole) + 1)])
        assert [a.what for a in answers].count("reply") == 1 and answers[-1].what == "reply"
    whole = asked[1] + bytes(8)
    sizes = range(24, 48)
    answers = compare(bench, KNOWN, [Arrival(whole[:18] + n.to_bytes(2, "big") + whole[20:]) for n in sizes])
    assert [n for n, a in zip(sizes, answers, strict=True) if a.what == "reply"] == list(range(32, 41))
