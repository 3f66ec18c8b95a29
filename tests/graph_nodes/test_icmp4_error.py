"""ip4-icmp-error against its oracle: what is quoted, from which address, how often; the original is dropped."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.budget import examples
from tests.harness import Bench, Out
from tests.naive.icmp4 import error_message, is_right, select_source
from tests.naive.ip4_packet import Ip4, address, udp
from vectorplane.dataplane.inject import make_packet
from vectorplane.graph_nodes import errors4
from vectorplane.graph_nodes.icmp4_error import IP4_ICMP_ERROR
from vectorplane.graph_nodes.ip4_source import InterfaceAddresses

OWN = [address("10.0.0.1"), address("10.0.1.1"), address("192.168.1.1"), address("10.0.0.9")]
US = 1000


def bench_with(addresses: list[int]) -> Bench:
    """ip4-icmp-error with these addresses on pg0 (1); the other interfaces have none."""
    return Bench(IP4_ICMP_ERROR, setup=lambda b: b.plane.shared(InterfaceAddresses).set(1, addresses))


def give(kind: int, code: int, data: int, error: int = 0) -> Any:
    """Metadata as the node that gives a packet up leaves it."""

    def meta(i: int, m: Any) -> None:
        m["icmp_type"], m["icmp_code"], m["icmp_data"], m["error"] = kind, code, data, error

    return meta


def split(outs: list[Out]) -> tuple[dict[int, bytes], dict[int, bytes]]:
    """Messages and originals by number of the packet."""
    messages = {o.index: o.data for o in outs if o.next == "ip4-lookup"}
    return messages, {o.index: o.data for o in outs if o.next == "ip4-drop"}


PACKETS = st.one_of(
    st.builds(
        lambda s, n: bytes(Ip4(s, 1, payload=bytes(range(256)) * (n // 256) + bytes(n % 256))),
        st.integers(0, 2**32 - 1),
        st.one_of(st.integers(0, 1600), st.integers(2000, 5000)),
    ),
    st.binary(max_size=700),
)


@examples(40)
@given(
    st.lists(PACKETS, min_size=1, max_size=30),
    st.lists(st.sampled_from(OWN), unique=True, max_size=4),
    st.sampled_from([(3, 0, 0), (3, 4, 600), (11, 0, 0), (12, 0, 0x01000000), (3, 4, 65535)]),
)
def test_agrees_with_oracle(packets: list[bytes], own: list[int], what: tuple[int, int, int]) -> None:
    bench = bench_with(own)
    try:
        outs = bench.run(packets, meta=give(*what), times=[i * 20 * US for i in range(len(packets))])
        messages, originals = split(outs)
        assert originals == dict(enumerate(packets))
        wanted = {}
        for i, p in enumerate(packets):
            source = select_source(own, int.from_bytes(p[12:16], "big")) if len(p) >= 20 else None
            if source is not None:
                wanted[i] = error_message(p[:2048], source, *what)
        assert messages == wanted
        assert all(is_right(m) and len(m) <= 576 for m in messages.values())
        assert int(bench.worker.record["generated"]) == len(messages)
        counted = {3: "destination unreachable", 11: "hop limit exceeded", 12: "parameter problem"}[what[0]]
        expected = {f"ip4-icmp-error: {counted} response sent": len(messages)} if messages else {}
        if len(messages) < len(packets):
            expected["ip4-icmp-error: error message dropped"] = len(packets) - len(messages)
        assert bench.errors() == expected
        for o in outs:
            if o.next == "ip4-lookup":
                assert (o.rx_sw_if, o.tx_sw_if, o.meta["flags"] & 16) == (1, -1, 16)
        assert bench.leaked() == 0
    finally:
        bench.close()


@pytest.mark.parametrize("together", [True, False])
def test_one_message_for_the_same_addresses_in_ten_microseconds(together: bool) -> None:
    a, b = bytes(udp(1, 2, b"a", Ip4())), bytes(udp(3, 4, b"b", Ip4(source=0x0A000003)))
    times = [0, 1 * US, 2 * US, 10 * US, 10 * US + 1, 15 * US, 30 * US]
    bench = bench_with(OWN)
    try:
        outs = bench.run([a, a, b, a, a, b, a], times=times, meta=give(11, 0, 0), together=together)
        messages, originals = split(outs)
        assert sorted(messages) == [0, 2, 4, 5, 6]
        assert len(originals) == 7
        assert bench.errors()["ip4-icmp-error: error message dropped"] == 2
    finally:
        bench.close()


def test_nodes_and_partitions_are_limited_apart() -> None:
    packet = bytes(udp(1, 2, b"a", Ip4()))
    bases = [100, 100, 200, 100, 100]  # first error counters of the nodes that gave the packets up
    kinds = [(11, 0), (3, 4), (11, 0), (11, 0), (11, 0)]
    partitions = [0, 0, 0, 5, 5]

    def meta(i: int, m: Any) -> None:
        m["icmp_type"], m["icmp_code"] = kinds[i]
        code = errors4.TIME_EXPIRED if kinds[i][0] == 11 else errors4.MTU_EXCEEDED
        m["error"], m["partition"] = bases[i] + code, partitions[i]

    bench = bench_with(OWN)
    try:
        messages, _ = split(bench.run([packet] * 5, meta=meta))
        assert sorted(messages) == [0, 2, 3]  # the second is ip4-rewrite's too
    finally:
        bench.close()


def test_no_buffers_no_message() -> None:
    bench = bench_with(OWN)
    try:
        packet = bytes(udp(1, 2, b"a", Ip4()))
        kept = []
        while bench.plane.free_buffers() > 1:
            kept.append(make_packet(bench.plane, b""))
        messages, originals = split(bench.run([packet], meta=give(11, 0, 0)))
        assert not messages and originals == {0: packet}
        assert bench.errors() == {"ip4-icmp-error: error message dropped": 1}
    finally:
        bench.close()


def test_addresses_change_and_their_memory_is_used_again() -> None:
    bench = bench_with([OWN[0]])
    try:
        table = bench.plane.shared(InterfaceAddresses)
        packet = bytes(Ip4(source=address("192.168.1.7")))
        for own, wanted in ((OWN, OWN[2]), ([OWN[1]], OWN[1]), ([], None), (OWN[:2], OWN[0])):
            table.set(1, own)
            bench.plane.epochs.poll()
            assert table.get(1) == own
            messages, _ = split(bench.run([packet], meta=give(11, 0, 0), times=[bench_time(bench)]))
            assert [int.from_bytes(m[12:16], "big") for m in messages.values()] == ([] if wanted is None else [wanted])
    finally:
        bench.close()


def bench_time(bench: Bench) -> int:
    """A time that is later at each call."""
    bench.worker.record["now"] += 1_000_000
    return int(bench.worker.record["now"])


def test_scapy_agrees() -> None:
    scapy: Any = pytest.importorskip("scapy.layers.inet")
    bench = bench_with(OWN)
    try:
        packet = bytes(scapy.IP(src="10.0.0.2", dst="10.0.1.2", ttl=1) / scapy.UDP(sport=1, dport=2) / (b"x" * 900))
        messages, _ = split(bench.run([packet], meta=give(3, 4, 600)))
        want = scapy.IP(src="10.0.0.1", dst="10.0.0.2", ttl=255, id=0) / scapy.ICMP(type=3, code=4, nexthopmtu=600)
        want = scapy.IP(bytes(want / packet[:548]))
        got = scapy.IP(messages[0])
        del want.chksum, want[scapy.ICMP].chksum
        assert bytes(got) == bytes(want)
    finally:
        bench.close()
