"""ip4-input against its naive oracle: every check, in VPP's precedence, on packets of any length and in chains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.budget import examples
from tests.harness import Bench
from tests.naive.ip4_fast import checksum, header
from tests.naive.ip4_fast import ip4_input as naive
from vectorplane.graph_nodes.ip4_input import IP4_INPUT, IP4_INPUT_NO_CHECKSUM, IP4_MULTICAST, IP4_UNICAST


@pytest.fixture(scope="module", params=[True, False], ids=["checksum", "no-checksum"])
def bench(request: pytest.FixtureRequest) -> Iterator[tuple[Bench, bool]]:
    """Both nodes."""
    node, other = IP4_INPUT, IP4_INPUT_NO_CHECKSUM
    if not request.param:
        node, other = other, node
    made = Bench(node, types=(other,), arcs=(IP4_UNICAST, IP4_MULTICAST))
    yield made, request.param
    assert made.leaked() == 0
    made.close()


def compare(bench: tuple[Bench, bool], packets: Sequence[bytes]) -> None:
    """Each packet goes where the oracle says, unchanged."""
    made, verify = bench
    outs = sorted(made.run(packets), key=lambda o: o.index)
    for out, packet in zip(outs, packets, strict=True):
        expected = naive(packet, min(len(packet), 2048), verify=verify)
        assert (out.next, out.error) == expected, packet[:60].hex()
        assert out.data == packet
        if out.next == "ip4-icmp-error":
            icmp = [out.meta[f"icmp_{n}"] for n in ("type", "code", "data")]
            assert icmp == [11, 0, 0] and out.tx_sw_if == -1


def udp(**fields: int) -> bytes:
    """Header and 20 bytes."""
    return header(**fields) + bytes(20)  # type: ignore[arg-type]


def test_each_check(bench: tuple[Bench, bool]) -> None:
    good = udp()
    compare(
        bench,
        [
            good,
            udp(destination=0xE0000001),
            udp(destination=0xEFFFFFFF),
            udp(destination=0xF0000000),
            udp(total=41),
            udp(total=20),
            udp(total=19),
            udp(total=0),
            udp(fragment=1),
            udp(fragment=0x2001),
            udp(fragment=0x4001),
            udp(fragment=2),
            udp(fragment=0x0100),
            udp(fragment=0x1FFF),
            udp(ttl=0),
            udp(ttl=1),
            udp(first=0x55),
            udp(first=0x65),
            udp(first=0x05),
            udp(first=0x44),
            udp(first=0x40),
            header(options=b"\1" * 4) + bytes(20),
            header(options=b"\1" * 40, total=60),
            header(options=b"\1" * 40, total=59),
            good[:10] + b"\0\0" + good[12:],
            good[:10] + bytes([good[10] ^ 1]) + good[11:],
            header(options=b"\1" * 4, total=44)[:-1] + bytes(21),
            good + bytes(100),
        ],
    )


def test_precedence_of_pairs(bench: tuple[Bench, bool]) -> None:
    """Every two faults at once."""
    faults: dict[str, dict[str, int]] = {
        "long": {"total": 41},
        "short": {"total": 19},
        "fragment": {"fragment": 1},
        "ttl": {"ttl": 0},
        "version": {"first": 0x65},
        "ihl": {"first": 0x44},
        "options": {"first": 0x46},
    }
    packets = []
    for a in faults.values():
        for b in faults.values():
            made = udp(**(a | b))
            packets += [made, made[:10] + bytes([made[10] ^ 1]) + made[11:]]
    compare(bench, packets)


def test_every_length(bench: tuple[Bench, bool]) -> None:
    whole = [udp(), udp(total=20), header(options=b"\1" * 40, total=60), b"\x45" * 60, bytes(60)]
    compare(bench, [w[:n] for w in whole for n in range(len(w) + 1)][:256])


def test_chains(bench: tuple[Bench, bool]) -> None:
    """The whole chain's length counts, and the header is in the first buffer."""
    packets = [header(total=t) + bytes(5000 - 20) for t in (20, 2048, 2049, 5000, 5001, 65535)]
    compare(bench, packets)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A header with some bytes changed, its checksum perhaps put right, perhaps cut; or any bytes."""
    if draw(st.integers(0, 7)) == 0:
        return draw(st.binary(max_size=70))
    options = draw(st.sampled_from([b"", b"", b"\1" * 4, b"\1" * 40]))
    size = draw(st.integers(0, 40))
    destination = draw(st.integers(0, 0xFFFFFFFF))
    raw = bytearray(header(total=20 + len(options) + size, options=options, destination=destination))
    for _ in range(draw(st.integers(0, 2))):
        raw[draw(st.sampled_from([0, 2, 3, 6, 7, 8, 10, 16]))] = draw(st.integers(0, 255))
    if draw(st.booleans()):
        raw[10:12] = b"\0\0"
        words = max(5, min(raw[0] & 15, len(raw) // 4))
        raw[10:12] = checksum(bytes(raw[: 4 * words])).to_bytes(2, "big")
    packet = bytes(raw) + bytes(size)
    return packet[: draw(st.integers(0, len(packet)))] if draw(st.integers(0, 6)) == 0 else packet


@examples(70)
@given(packets=st.lists(mutated(), min_size=1, max_size=30))
def test_random(bench: tuple[Bench, bool], packets: list[bytes]) -> None:
    compare(bench, packets)


def test_counted_by_interface(bench: tuple[Bench, bool]) -> None:
    """``/if/ip4`` counts every packet that came to be looked at, by its interface."""
    made, _ = bench
    before = made.plane.if_stats["ip4"].total()[:4].tolist()
    made.run([udp()] * 7, rx=[1, 1, 2, 1, 3, 3, 2])
    after = made.plane.if_stats["ip4"].total()[:4].tolist()
    assert [b - a for a, b in zip(before, after, strict=True)] == [0, 3, 2, 2]
