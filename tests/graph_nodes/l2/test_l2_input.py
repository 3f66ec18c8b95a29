"""l2-input against its naive oracle: which features a frame has left, where it goes, as whose."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.budget import examples
from tests.graph_nodes.l2.bench import THERE, L2Bench, l2_words, put, word
from tests.graph_nodes.l2.frames import received, received_length
from tests.naive.l2.features import INPUT, bits
from tests.naive.l2.l2_input import Port, Verdict, l2_input
from vectorplane.graph_nodes.l2.buffer import FROM_BVI
from vectorplane.graph_nodes.l2.config import MODE_BRIDGE, MODE_BVI, MODE_L3, MODE_XCONNECT
from vectorplane.graph_nodes.l2.l2_input import L2_INPUT_NODE

MODES = {"l3": MODE_L3, "bridge": MODE_BRIDGE, "xconnect": MODE_XCONNECT}
BRIDGED = bits("FWD", "UU_FLOOD", "UU_FWD", "FLOOD", "LEARN", "ARP_UFWD", "ARP_TERM", "DROP")


@pytest.fixture(scope="module")
def bench() -> Iterator[L2Bench]:
    made = L2Bench(L2_INPUT_NODE)
    yield made
    assert made.leaked() == 0
    made.close()


def configure(bench: L2Bench, index: int, port: Port) -> None:
    """Write a port's record."""
    record = bench.config.inputs[index]
    record["mode"] = MODES[port.mode] | (MODE_BVI if port.mode == "bridge" and port.shg == 3 else 0)
    record["feature_bitmap"], record["bd_feature_bitmap"] = word(port.features), word(port.domain_features)
    words = l2_words(0, port.shg, port.ages, port.bd_index, (port.domain_seq, port.seq))
    record["bd_word"], record["group_word"] = words["fib_index"], words["flow_hash"]
    record["output"] = port.output


def compare(bench: L2Bench, packets: list[tuple[bytes, int, bool]], ports: list[Port]) -> list[Verdict]:
    """Every frame (with its port, and whether the router sends it) has the features and the node of the oracle."""
    for index, port in enumerate(ports):
        configure(bench, index + 1, port)

    def meta(i: int, record: Any) -> None:
        frame, _, from_bvi = packets[i]
        put(record, flow_hash=received_length(frame), tx_sw_if=FROM_BVI if from_bvi else -1)

    before = bench.errors().get("l2-input: L2 input packets", 0)
    outs = bench.send([p[0] for p in packets], rx=[p[1] + 1 for p in packets], meta=meta)
    assert bench.errors()["l2-input: L2 input packets"] - before == len(packets)
    verdicts = []
    for out, (frame, number, from_bvi) in zip(outs, packets, strict=True):
        port, length = ports[number], received_length(frame)
        verdict = l2_input(frame, length, port, from_bvi, THERE)
        verdicts.append(verdict)
        assert (out.next, out.error, out.data, out.rx_sw_if) == (verdict.next, verdict.error, frame, number + 1)
        if verdict.error is not None:
            continue
        expected = l2_words(length, verdict.shg, port.ages, port.bd_index, (port.domain_seq, port.seq))
        assert out.meta["adj"] & 0xFFFFFFFF == verdict.features & 0xFFFFFFFF, frame.hex()
        assert out.meta["flow_hash"] == expected["flow_hash"]
        if port.mode == "bridge":
            assert out.meta["fib_index"] == expected["fib_index"]
            assert out.tx_sw_if == (FROM_BVI if from_bvi else -1)
        else:
            assert out.tx_sw_if == port.output
    return verdicts


some_bits = st.lists(st.sampled_from(list(INPUT)), max_size=6).map(lambda names: bits(*set(names)))
domain_bits = st.one_of(st.just(-1), st.just(~bits("ARP_TERM", "UU_FWD", "ARP_UFWD")), some_bits)
ports = st.builds(
    Port,
    mode=st.sampled_from(["bridge", "bridge", "bridge", "xconnect", "l3"]),
    features=st.one_of(st.just(BRIDGED), st.just(BRIDGED), some_bits, st.just(0), st.just(1 << 31), st.just(-1)),
    domain_features=domain_bits,
    bd_index=st.sampled_from([0, 1, 32767]),
    domain_seq=st.integers(0, 255),
    seq=st.integers(0, 255),
    shg=st.sampled_from([0, 0, 1, 3, 255]),
    ages=st.booleans(),
    output=st.integers(0, 3),
)


@examples(120)
@given(
    made=st.lists(ports, min_size=3, max_size=3),
    packets=st.lists(st.tuples(received, st.integers(0, 2), st.booleans()), min_size=1, max_size=24),
)
def test_random(bench: L2Bench, made: list[Port], packets: list[tuple[bytes, int, bool]]) -> None:
    compare(bench, packets, made)


def frame(kind: bytes, destination: str = "ffffffffffff", payload: bytes = bytes(46)) -> bytes:
    return bytes.fromhex(destination + "020000000001") + kind + payload


def test_a_new_port_of_a_new_domain(bench: L2Bench) -> None:
    """Unicast is learnt and forwarded, group addresses are learnt and flooded."""
    port = Port("bridge", BRIDGED, ~bits("ARP_TERM", "UU_FWD", "ARP_UFWD"))
    both = [(frame(b"\x08\0", to), 0, False) for to in ("020000000002", "ffffffffffff", "01005e000001")]
    unicast, broadcast, multicast = compare(bench, both, [port] * 3)
    assert {v.next for v in (unicast, broadcast, multicast)} == {"l2-learn"}
    assert unicast.features & bits("FWD") and not broadcast.features & bits("FWD", "UU_FLOOD")
    assert multicast.features & bits("FLOOD")
    quiet = Port("bridge", BRIDGED & ~bits("LEARN"), ~bits("ARP_TERM", "UU_FWD", "ARP_UFWD"))
    assert [v.next for v in compare(bench, both, [quiet] * 3)] == ["l2-fwd", "l2-flood", "l2-flood"]


def test_only_arp_and_icmp6_reach_arp_termination(bench: L2Bench) -> None:
    port = Port("bridge", BRIDGED & ~bits("LEARN"), -1)
    icmp6 = b"\x60\0\0\0\0\x20\x3a\xff" + bytes(32) + b"\x87" + bytes(31)
    udp6 = b"\x60\0\0\0\0\x20\x11\xff" + bytes(64)
    packets = [
        frame(b"\x08\x06"),
        frame(b"\x86\xdd", payload=icmp6),
        frame(b"\x86\xdd", payload=udp6),
        frame(b"\x08\0"),
    ]
    found = compare(bench, [(p, 0, False) for p in packets], [port] * 3)
    assert [v.next for v in found] == ["arp-term-l2bd", "arp-term-l2bd", "l2-flood", "l2-flood"]
    # what the router itself asks for loses its split-horizon group, so that it reaches all
    mine = port._replace(shg=3)
    request = b"\0\1\x08\0\6\4\0\1" + bytes(20)
    reply = b"\0\1\x08\0\6\4\0\2" + bytes(20)
    asked = [frame(b"\x08\x06", payload=request), frame(b"\x08\x06", payload=reply), frame(b"\x86\xdd", payload=icmp6)]
    asked.append(frame(b"\x08\0", "020000000002"))
    assert [v.shg for v in compare(bench, [(p, 0, True) for p in asked], [mine] * 3)] == [0, 3, 0, 0]
    assert [v.shg for v in compare(bench, [(p, 0, False) for p in asked], [mine] * 3)] == [3, 3, 3, 3]


def test_a_full_vector_of_mixed_ports(bench: L2Bench) -> None:
    """256 frames that change ports at every step: none has its neighbour's configuration."""
    made = [
        Port("bridge", BRIDGED, -1, bd_index=1, domain_seq=7, seq=9),
        Port("xconnect", bits("XCONNECT", "DROP"), output=3),
        Port("l3", bits("DROP")),
    ]
    packets = [(frame(b"\x08\0", ("020000000002", "ffffffffffff")[k // 3 % 2]), k % 3, False) for k in range(256)]
    found = compare(bench, packets, made)
    assert {v.next for v in found} == {"l2-learn", "l2-output", "error-drop"}


def test_every_length(bench: L2Bench) -> None:
    """No byte that is not there decides: requests and solicitations, cut anywhere behind their header."""
    port = Port("bridge", BRIDGED, -1, shg=3)
    request = frame(b"\x08\x06", payload=b"\0\1\x08\0\6\4\0\1" + bytes(20))
    solicitation = frame(b"\x86\xdd", payload=b"\x60\0\0\0\0\x20\x3a\xff" + bytes(32) + b"\x87" + bytes(31))
    for whole in (request, solicitation):
        cut = [(whole[:n], 0, True) for n in range(14, len(whole) + 1)]
        assert {v.shg for v in compare(bench, cut, [port] * 3)} == {0, 3}
