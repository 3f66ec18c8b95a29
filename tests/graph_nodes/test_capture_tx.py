"""capture-tx: pcap records in the order of time and arrival, whatever order the packets came in."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.budget import examples
from tests.harness import Bench
from vectorplane.dataplane.abi import ATTENTION_FLUSH
from vectorplane.dataplane.buffer import GSO
from vectorplane.graph_nodes.capture_tx import CAPTURE_TX, PG_TX, TxChunks

SECOND = 1_000_000_000


class Tx(Bench):
    """A capture-tx node and its chunk."""

    def __init__(self) -> None:
        super().__init__(CAPTURE_TX, arcs=())
        self.chunks = TxChunks(self.node)

    def sent(self) -> list[tuple[int, bytes]]:
        """(time, packet) of the records, and that lengths agree."""
        view, count = self.chunks.take()
        raw, at, found = view.tobytes(), 0, []
        while at < len(raw):
            seconds, ns, captured, length = struct.unpack_from("<IIII", raw, at)
            assert captured == length and ns < SECOND
            found.append((seconds * SECOND + ns, raw[at + 16 : at + 16 + captured]))
            at += 16 + captured
        assert len(found) == count
        return found

    def close(self) -> None:
        """Give the memory back."""
        self.chunks.close()
        super().close()


@pytest.fixture(scope="module")
def tx() -> Iterator[Tx]:
    """One for all tests."""
    made = Tx()
    yield made
    assert made.leaked() == 0
    made.close()


@examples(80)
@given(
    packets=st.lists(
        st.tuples(st.integers(0, 3 * SECOND), st.one_of(st.integers(0, 200), st.sampled_from([2048, 2049, 5000]))),
        max_size=30,
    ),
    ordered=st.booleans(),
)
def test_sorted_by_time_then_arrival(tx: Tx, packets: list[tuple[int, int]], ordered: bool) -> None:
    if ordered:
        packets = sorted(packets)
    else:
        packets = [(t % 5 * SECOND // 3, s) for t, s in packets]
    data = [bytes([i]) * size for i, (_, size) in enumerate(packets)]
    arrival = [i if ordered else len(packets) - i for i in range(len(packets))]

    def meta(i: int, m: object) -> None:
        m["time"], m["seq"] = packets[i][0], arrival[i]  # type: ignore[index]

    assert tx.run(data, meta=meta) == []
    order = sorted(range(len(packets)), key=lambda i: (packets[i][0], arrival[i]))
    assert tx.sent() == [(packets[i][0], data[i]) for i in order]
    assert tx.sent() == [], "taken once"


def test_chunks_are_written_out_in_time() -> None:
    """From so many bytes on Python is asked to write; what does not fit is a counted drop."""
    made = Tx()
    made.chunks.close()
    made.chunks = TxChunks(made.node, flush_bytes=1000)
    made.run([bytes(400)] * 2)
    assert not int(made.worker.record["attention"]) & ATTENTION_FLUSH
    made.run([bytes(400)])
    assert int(made.worker.record["attention"]) & ATTENTION_FLUSH
    made.worker.record["attention"] = 0
    made.node.data["data_size"] = 3 * 416 + 400
    made.run([bytes(400), bytes(384), bytes(0)])
    assert [len(d) for _, d in made.sent()] == [400, 400, 400, 384]
    assert made.errors() == {"capture-tx: no room in the transmit chunk": 2}
    assert made.leaked() == 0
    made.close()


@pytest.mark.parametrize("able", [0, 1])
def test_a_packet_generator_counts_what_it_should_have_cut(able: int) -> None:
    """As VPP's it captures it all the same."""
    bench = Bench(PG_TX, arcs=())
    chunks = TxChunks(bench.node)
    bench.node.data["gso"] = able

    def meta(i: int, m: object) -> None:
        m["tx_sw_if"] = 2  # type: ignore[index]
        m["flags"] |= GSO if i % 2 else 0  # type: ignore[index]

    bench.run([bytes(60)] * 5, meta=meta)
    assert chunks.take()[1] == 5 and bench.leaked() == 0
    assert bench.errors() == ({} if able else {"pg-tx: gso disabled on itf  -- gso packet drop": 2})
    assert int(bench.plane.if_stats["drops"].total(2)) == (0 if able else 2)
    assert bench.plane.error_counts("drops") == bench.errors()
    chunks.close()
    bench.close()
