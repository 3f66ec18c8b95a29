"""The packet trace, through a small router: which packets are traced, and what is told about them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests import golden
from tests.dataplane.small_router import Router, udp
from tests.harness import Bench
from vectorplane.dataplane.buffer import TRACED
from vectorplane.dataplane.inject import enqueue_packet, make_packet
from vectorplane.dataplane.node import NodeType, Trace
from vectorplane.dataplane.trace_log import TraceLog
from vectorplane.graph_nodes.drop import ERROR_DROP, IP4_DROP
from vectorplane.graph_nodes.ethernet_input import ETHERNET_INPUT
from vectorplane.graph_nodes.ip4_input import IP4_INPUT
from vectorplane.graph_nodes.pg_input import PG_INPUT
from vectorplane.graph_nodes.trace_packet import trace_packet

PATH = ["pg-input", "ethernet-input", "ip4-input", "ip4-lookup", "ip4-rewrite", "pg1-output", "pg1-tx"]
PACKETS = [udp(), udp("11.0.0.1"), udp(mac="02fe00000009"), udp()[:10]]
"""Forwarded, without a route, for somebody else, too short."""


@pytest.fixture
def router() -> Iterator[Router]:
    made = Router()
    yield made
    made.close()


def paths(log: TraceLog) -> list[list[str]]:
    return [[r.node.name for r in packet] for packet in log.packets()]


def without_error_indices(packets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """An error's index depends on which nodes the graph has; its name is in the record's text."""
    for packet in packets:
        for record in packet["records"]:
            if record["node"] == "error-drop":
                assert isinstance(record["fields"]["error"], int)
                record["fields"]["error"] = "its index"
    return packets


def test_text_and_json(router: Router) -> None:
    log = router.plane.shared(TraceLog)
    log.add("pg-input", 10)
    log.start = 1_000_000_000
    router.run(PACKETS, now=1_000_042_000)
    golden.check("trace.txt", log.text())
    golden.check("trace.json", json.dumps(without_error_indices(log.json()), indent=1) + "\n")


def test_times_count_from_the_first_packet_by_default(router: Router) -> None:
    log = router.plane.shared(TraceLog)
    log.add("pg-input", 10)
    router.run([udp()], now=7_000_000_000)
    router.run([udp()], now=10_500_000_000)
    text = log.text()
    assert "00:00:00:000000: pg-input" in text and "00:00:03:500000: pg1-tx" in text


def test_next_nodes(router: Router) -> None:
    log = router.plane.shared(TraceLog)
    log.add("pg-input")
    router.run([udp()])
    (packet,) = log.packets()
    assert [r.next for r in packet] == [
        "ethernet-input",
        None,
        "ip4-lookup",
        "ip4-rewrite",
        "pg1-output",
        "pg1-tx",
        None,
    ]


def test_nothing_is_traced_unless_asked_for(router: Router) -> None:
    log = router.plane.shared(TraceLog)
    router.run(PACKETS)
    assert log.packets() == [] and log.json() == []
    start = "------------------- Start of thread 0 vpp_main -------------------\n"
    assert log.text() == start + "No packets in trace buffer\n"


def test_as_many_packets_as_asked_for(router: Router) -> None:
    log = router.plane.shared(TraceLog)
    log.add("pg-input", 2)
    log.add("pg-input", 3)
    router.run([udp()] * 4)
    router.run([udp()] * 4)
    assert paths(log) == [PATH] * 5
    log.add("pg-input", 2)
    log.add("pg-input", 0)
    router.run([udp()] * 4)
    assert len(log.packets()) == 5
    assert router.plane.free_buffers() == router.plane.pool.count


def test_tracing_changes_no_counter() -> None:
    counts = []
    for traced in (0, 3):
        router = Router()
        if traced:
            router.plane.shared(TraceLog).add("pg-input", traced)
        router.run(PACKETS)
        counts.append((router.plane.error_counts(), router.plane.if_stats["tx"].total(2).tolist()))
        router.close()
    assert counts[0] == counts[1]


def test_only_input_nodes_mark_packets(router: Router) -> None:
    log = router.plane.shared(TraceLog)
    with pytest.raises(ValueError, match="node 'ip4-input' doesn't support per-node tracing"):
        log.add("ip4-input", 1)
    with pytest.raises(KeyError, match="no node nowhere"):
        log.add("nowhere", 1)


def test_a_packet_that_the_control_side_marks(router: Router) -> None:
    log = router.plane.shared(TraceLog)
    assert log.count(0) == 0
    number = log.take_number()
    assert log.take_number() == number + 1
    packet = make_packet(router.plane, udp()[14:])
    meta = router.plane.pool.meta[packet]
    meta["flags"], meta["trace"], meta["rx_sw_if"] = TRACED, number, 1
    enqueue_packet(router.plane, "ip4-input", packet)
    router.run([udp()])
    assert paths(log) == [PATH[2:]] and log.packets()[0][0].packet == number
    assert log.count(0) == len(PATH) - 2
    assert [r.node.name for r in log.records(0, 3)] == PATH[5:]


def test_clear(router: Router) -> None:
    log = router.plane.shared(TraceLog)
    log.add("pg-input", 10)
    router.run([udp()] * 2)
    log.clear()
    assert log.packets() == []
    router.run([udp()])
    assert log.packets() == [], "clear ends tracing"
    log.add("pg-input", 1)
    # a packet that was marked before clear, and held somewhere since
    held = make_packet(router.plane, udp()[14:])
    meta = router.plane.pool.meta[held]
    meta["flags"], meta["trace"], meta["rx_sw_if"] = TRACED, 1, 1
    enqueue_packet(router.plane, "ip4-input", held)
    router.run([udp()])
    assert paths(log) == [PATH]


def test_numbers_begin_anew_when_they_run_out(router: Router) -> None:
    log = TraceLog(router.plane, packets=1 << 22)
    log.add("pg-input", 1)
    for _ in range(5):
        log._heads[0]["packets"] = log._heads[0]["max_packets"]
        log.clear()
    log.add("pg-input", 1)
    router.run([udp()])
    assert paths(log) == [PATH]
    log.close()


def test_a_full_log_says_so(router: Router) -> None:
    log = TraceLog(router.plane, records=10)
    log.add("pg-input", 3)
    router.run([udp()] * 3)
    assert log.lost == 3 * len(PATH) - 10
    assert sum(map(len, log.packets())) == 10
    assert log.text().endswith("The trace buffer was full: 11 records are missing.\n")
    log.clear()
    assert log.lost == 0
    log.close()


def test_a_limit_of_packets(router: Router) -> None:
    log = TraceLog(router.plane, packets=2)
    log.add("pg-input", 5)
    router.run([udp()] * 5)
    assert paths(log) == [PATH] * 2
    log.close()


def test_text_of_at_most_so_many_packets(router: Router) -> None:
    log = router.plane.shared(TraceLog)
    log.add("pg-input", 3)
    router.run([udp()] * 3)
    text = log.text(2)
    assert "Packet 2\n" in text and "Packet 3\n" not in text
    assert text.endswith("Limiting display to 2 packets. To display more specify max.\n")
    assert "Limiting" not in log.text(3)


def test_a_buffer_given_away_twice(router: Router) -> None:
    log = router.plane.shared(TraceLog)
    log.add("pg-input", 1)
    router.run([udp()])
    log.clear()
    log.add("pg-input", 1)
    index = make_packet(router.plane, udp())
    meta = router.plane.pool.meta[index]
    meta["flags"], meta["trace"], meta["rx_sw_if"], meta["tx_sw_if"], meta["ref_count"] = TRACED, 1, 1, 2, 2
    for _ in range(2):
        enqueue_packet(router.plane, "pg1-output", index)
    router.run([])
    assert paths(log) == [["pg1-output", "pg1-output", "pg1-tx", "pg1-tx"]]
    assert log.text().count(": pg1-output\n") == 1, "one heading for a node that comes twice in a row"
    assert router.plane.free_buffers() == router.plane.pool.count


def test_workers_have_sections_and_packets_may_change_hands() -> None:
    router = Router(workers=2)
    log = router.plane.shared(TraceLog)
    log.add("pg-input", 1)
    router.run([udp()], worker=1)
    (packet,) = log.packets()
    assert {r.worker for r in packet} == {1} and packet[0].packet == 1 << 24
    # worker 0 goes on with that packet, as after a handoff, and then worker 1 again
    for worker in (0, 1):
        index = make_packet(router.plane, udp(), worker)
        meta = router.plane.pool.meta[index]
        meta["flags"], meta["trace"], meta["rx_sw_if"], meta["tx_sw_if"] = TRACED, 1 << 24, 1, 2
        enqueue_packet(router.plane, "pg1-output", index, worker)
        router.run([], worker=worker)
    (packet,) = log.packets()
    assert [r.worker for r in packet] == [1] * len(PATH) + [0, 0, 1, 1]
    sections = log.text().split("------------------- Start of thread ")
    assert sections[1].startswith("0 vpp_main") and "No packets in trace buffer" in sections[1]
    assert sections[2].startswith("1 vpp_wk_0") and sections[2].count(": pg1-tx") == 3
    assert [p["worker"] for p in log.json()] == [1]
    router.close()


@pytest.mark.parametrize("node_type", [ETHERNET_INPUT, IP4_INPUT, IP4_DROP, ERROR_DROP], ids=lambda t: t.name)
def test_tracers_read_no_more_than_the_packet(node_type: NodeType) -> None:
    """Without the JIT a read outside of the packet raises."""
    bench = Bench(node_type, types=[PG_INPUT])
    bench.plane.graph.add("pg-input")
    log = bench.plane.shared(TraceLog)
    log.add("pg-input", 1)
    random = np.random.default_rng(2)
    packets = [random.bytes(n) for n in (0, 1, 13, 14, 17, 18, 20, 33, 34, 63, 64, 65, 128, 1500)]

    def mark(i: int, meta: Any) -> None:
        meta["flags"] |= TRACED
        meta["trace"] = i

    bench.run(packets, meta=mark)
    # packets go on to further nodes here and there; the first record is this node's
    assert [r[0].node.name for r in log.packets()] == [node_type.name] * len(packets)
    for (record, *_), packet in zip(log.packets(), packets, strict=True):
        if "data" in record.body.dtype.names:
            most = len(record.body["data"])
            assert record.fields()["data"] == packet[:most].hex()
    log.text()
    bench.close()


def test_a_record_must_fit() -> None:
    with pytest.raises(ValueError, match="161 bytes, there is room for 160"):
        Trace(np.dtype([("data", "i1", (161,))]), trace_packet, lambda record, plane: "")
