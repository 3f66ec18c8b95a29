"""A whole engine that is spoken to: pings whole and in pieces, ports and protocols that nobody has, odd sources."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.naive.frag import defragment, fragment
from tests.naive.ip4_packet import Ip4, address, checksum, icmp, tcp, udp
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.pg import PgDevice
from vectorplane.graph_nodes.ip4_reassembly_control import Reassembly

US, THEM = address("10.0.0.1"), address("10.0.0.2")
OUR_MAC, THEIR_MAC = bytes.fromhex("02fe00000000"), bytes.fromhex("020000000002")
MS = 1_000_000


class Router:
    """An engine with one packet-generator interface, 10.0.0.1/24, and two neighbours."""

    def __init__(self, **options: Any) -> None:
        self.engine = Engine(**options)
        self.device = PgDevice()
        interface = self.engine.interfaces.add("pg0", mac=OUR_MAC, device=self.device, mtu=1500)
        self.index = interface.sw_if_index
        self.engine.interfaces.set_up(self.index)
        self.engine.addresses.add(self.index, "10.0.0.1/24")
        self.engine.neighbours.add(self.index, "10.0.0.2", THEIR_MAC)
        self.engine.neighbours.add(self.index, "10.0.0.77", THEIR_MAC)
        self._streams = 0

    def send(self, packets: list[bytes]) -> list[bytes]:
        """IPv4 packets in; those that come out."""
        self._streams += 1
        frames = [OUR_MAC + THEIR_MAC + b"\x08\x00" + p for p in packets]
        self.engine.pg.add(f"s{self._streams}", self.index, frames)
        self.engine.pg.enable(f"s{self._streams}")
        self.engine.run()
        sent = [f for _, f in self.device.transmitted()]
        assert all(f[:14] == THEIR_MAC + OUR_MAC + b"\x08\x00" for f in sent)
        return [f[14:] for f in sent]

    def balance(self, packets_in: int, packets_out: int) -> None:
        """in + generated = out + drops + consumed."""
        plane = self.engine.plane
        generated = sum(int(w.record["generated"]) for w in plane.workers)
        gone = sum(plane.error_counts("drops").values()) + sum(plane.error_counts("consumed").values())
        assert packets_in + generated == packets_out + gone

    def __enter__(self) -> Router:
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.close()


def ping(n: int, number: int = 1) -> Ip4:
    """An echo request with ``n`` bytes."""
    return icmp(8, 0, number.to_bytes(4, "big") + bytes(i & 255 for i in range(n)), Ip4(THEM, US, id=number))


def test_a_long_ping_is_answered_in_pieces() -> None:
    request = ping(4000)
    pieces = fragment(bytes(request), 1500, 1)
    assert len(pieces) == 3
    with Router() as router:
        out = router.send(pieces)
        payload = defragment(out)
        assert payload[0] == 0 and checksum(payload) == 0 and payload[4:] == request.payload[4:]
        assert {p[12:20] for p in out} == {bytes(request)[16:20] + bytes(request)[12:16]}
        assert [p[8] for p in out] == [63] * 3  # as in VPP, fragments are not "ours" any more
        router.balance(3, len(out))
        assert router.engine.plane.error_counts("consumed") == {
            "ip4-local-full-reassembly: fragments held for reassembly": 2,
            "ip4-icmp-input: echo replies sent": 1,
        }


def test_what_nobody_takes() -> None:
    packets = [
        bytes(udp(5, 6, b"x", Ip4(THEM, US))),
        bytes(tcp(5, 80, b"", Ip4(THEM, US))),
        bytes(Ip4(THEM, US, protocol=99)),
        bytes(udp(5, 6, b"x", Ip4(US, US))),
        bytes(udp(5, 6, b"x", Ip4(address("99.0.0.1"), US))),
        bytes(icmp(13, 0, bytes(16), Ip4(THEM, US))),
        bytes(icmp(0, 0, bytes(4), Ip4(THEM, US))),
        bytes(Ip4(THEM, US, protocol=17, payload=bytes((0, 5, 0, 6, 0, 8, 1, 1)))),
        bytes(Ip4(THEM, US, options=b"\x94\x04\0\0", protocol=2, payload=bytes(8))),
        bytes(Ip4(THEM, US, options=b"\x94\x04\0\0", protocol=6, payload=bytes(8))),
    ]
    with Router() as router:
        (out,) = router.send(packets)
        assert out[20:22] == b"\x03\x03" and out[28:] == packets[0]
        router.balance(len(packets), 1)
        assert router.engine.plane.error_counts("drops") == {
            "ip4-udp-lookup: No listener for dst port": 1,
            "ip4-local: unknown ip protocol": 3,
            "ip4-local: ip4 spoofed local-address packet drops": 1,
            "ip4-local: ip4 source lookup miss": 1,
            "ip4-local: bad udp checksum": 1,
            "ip4-icmp-input: unknown type": 2,
            "ip4-input: ip4 options present": 1,
        }


def mixture(seed: int) -> list[bytes]:
    """All sorts of packets to the router."""
    dice = random.Random(seed)
    packets: list[bytes] = []
    for number in range(60):
        kind = dice.randrange(5)
        if kind == 0:
            packets += fragment(bytes(ping(dice.randrange(8, 4000), number)), dice.randrange(600, 1500), number)
        elif kind == 1:
            packets += fragment(bytes(ping(1000, number)), 600, number)[: dice.randrange(1, 3)]
        elif kind == 2:
            packets.append(bytes(ping(dice.randrange(1400), number)))
        elif kind == 3:
            packets.append(bytes(udp(number, number, b"", Ip4(THEM, US, id=number))))
        else:
            packets.append(bytes(Ip4(THEM, address("10.0.0.77"), ttl=dice.randrange(3), payload=bytes(30))))
    dice.shuffle(packets)
    return packets


@pytest.mark.parametrize("seed", [1, 2])
def test_vector_size_makes_no_difference(seed: int) -> None:
    packets = mixture(seed)
    results = []
    for size in (1, 7, 256):
        with Router(vector_size=size) as router:
            out = router.send(packets)
            router.balance(len(packets), len(out))
            plane = router.engine.plane
            results.append((sorted(out), plane.error_counts("drops"), plane.error_counts("consumed")))
            plane.shared(Reassembly).expire(1 << 60)
            assert plane.free_buffers() == plane.pool.count
    assert results[0] == results[1] == results[2]


def test_the_engine_frees_fragments_that_wait_too_long() -> None:
    with Router() as router:
        piece = fragment(bytes(ping(2000)), 1500, 1)[0]
        assert router.send([piece]) == []
        reassembly = router.engine.plane.shared(Reassembly)
        router.engine.run_until(200 * MS)
        assert reassembly.count == 1
        router.engine.run_until(201 * MS)
        assert reassembly.count == 0
        assert router.send([piece]) == []
        router.engine.run_until(1000 * MS)
        assert reassembly.count == 0
        errors = router.engine.plane.error_counts()
        assert errors["ip4-local-full-reassembly: fragments dropped due to reassembly timeout"] == 2


def test_workers_do_not_disturb_each_other() -> None:
    """Two streams on two workers give what each gives alone on one: with partitions, the same packets."""
    flows = [[bytes(udp(n, 9, bytes(100), Ip4(THEM, address("10.0.0.77"), id=n, ttl=1 + n % 2)))] * 3 for n in (1, 2)]
    big = [bytes(ping(1000, n)) for n in range(5)]
    results = []
    for workers in (1, 2):
        with Router(workers=workers) as router:
            pieces = [fragment(p, 600, i) for i, p in enumerate(big)]
            frames = [OUR_MAC + THEIR_MAC + b"\x08\x00" + p for p in [*flows[0], *(q for a in pieces for q in a)]]
            router.engine.pg.add("a", router.index, frames)
            other = [OUR_MAC + THEIR_MAC + b"\x08\x00" + p for p in flows[1]]
            router.engine.pg.add("b", router.index, other, worker=workers - 1)
            router.engine.pg.enable()
            router.engine.run()
            out = [f[14:] for _, f in router.device.transmitted()]
            router.balance(len(frames) + len(other), len(out))
            results.append(sorted(out))
    assert results[0] == results[1]
