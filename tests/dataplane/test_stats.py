"""Counters (rule 6), read by somebody else: vpp_papi's statistics client over a socket that passes the descriptor."""

from __future__ import annotations

import array
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from vpp_papi.vpp_stats import VPPStats

from tests.harness import Bench, collector
from vectorplane.dataplane.abi import TERMINAL
from vectorplane.dataplane.node import NodeType
from vectorplane.dataplane.plane import Dataplane
from vectorplane.dataplane.stats import MAX_ENTRIES, StatsSegment
from vectorplane.graph_nodes.drop import ERROR_DROP, count_drop
from vectorplane.jit.kernel import compiled


@contextmanager
def reader(segment: StatsSegment, folder: Path) -> Iterator[Any]:
    """A connected client of a segment served as VPP serves it."""
    name = str(folder / "stats.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(name)
        listener.listen()

        def serve() -> None:
            peer, _ = listener.accept()
            with peer:
                fds = array.array("i", [segment.fd])
                peer.sendmsg([], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])

        thread = threading.Thread(target=serve)
        thread.start()
        client = VPPStats(name)
        client.connect()
        thread.join()
    try:
        yield client
    finally:
        client.disconnect()


@pytest.fixture
def segment() -> Iterator[StatsSegment]:
    """A segment of two threads."""
    made = StatsSegment(2)
    yield made
    made.close()


def test_vectors_by_thread(segment: StatsSegment, tmp_path: Path) -> None:
    simple, combined = segment.simple("/if/drops", 1000), segment.combined("/if/rx", 1000)
    simple.extend(3)
    combined.extend(2)
    simple.thread(0)[1], simple.thread(1)[1], simple.thread(1)[2] = 5, 7, 1
    combined.thread(1)[0] = (2, 128)
    with reader(segment, tmp_path) as stats:
        assert stats.version == 2
        assert sorted(stats.directory) == ["/if/drops", "/if/rx"]
        assert [list(map(int, row)) for row in stats["/if/drops"]] == [[0, 5, 0], [0, 7, 1]]
        assert stats["/if/drops"][:, 1].sum() == 12
        assert stats["/if/rx"][:, 0].sum_packets() == 2 and stats["/if/rx"][:, 0].sum_octets() == 128
        # a value is seen at once: it is the same memory
        simple.thread(0)[0] += 9
        assert stats["/if/drops"][0][0] == 9
    assert simple.total(1) == 12 and combined.total(0).tolist() == [2, 128]
    simple.clear(1)
    assert simple.total().tolist()[:3] == [9, 0, 1]


def test_the_epoch_says_when_to_look_again(segment: StatsSegment, tmp_path: Path) -> None:
    """Growing a vector and adding an entry bump it, counting does not."""
    vector = segment.simple("/sys/node/calls", 100)
    vector.extend(1)
    with reader(segment, tmp_path) as stats:
        assert len(stats["/sys/node/calls"][0]) == 1
        epoch = stats.epoch
        vector.thread(0)[0] += 1
        assert stats.epoch == epoch
        vector.extend(1)
        assert stats.epoch == epoch, "nothing grew"
        vector.extend(4)
        assert stats.epoch > epoch and len(stats["/sys/node/calls"][0]) == 4
        epoch = stats.epoch
        segment.symlink("/err/a/b", vector, 2)
        assert stats.epoch > epoch and stats["/err/a/b"] is not None
        assert stats.in_progress == 0
    with pytest.raises(OverflowError):
        vector.extend(101)


def test_symlinks_names_and_gauges(segment: StatsSegment, tmp_path: Path) -> None:
    errors = segment.simple("/sys/node/errors", 100)
    traffic = segment.combined("/if/tx", 100)
    errors.extend(5)
    traffic.extend(5)
    segment.symlink("/err/ip4-input/bad_checksum", errors, 3)
    segment.symlink("/interfaces/pg0/tx", traffic, 1)
    gauge = segment.gauge("/sys/vector_rate", 17)
    segment.names("/if/names", ["local0", "pg0"])
    errors.thread(1)[3] = 11
    traffic.thread(0)[1] = (1, 60)
    with reader(segment, tmp_path) as stats:
        assert stats.get_err_counter("/err/ip4-input/bad_checksum") == 11
        assert stats["/interfaces/pg0/tx"].sum_packets() == 1
        assert stats.set_errors() == {"/err/ip4-input/bad_checksum": 11}
        assert stats["/sys/vector_rate"] == 17
        segment.set_scalar(gauge, 18)
        assert stats["/sys/vector_rate"] == 18
        assert stats["/if/names"] == ["local0", "pg0"]
        segment.names("/if/names", ["local0", "pg0", "pg0.100"])
        assert stats["/if/names"] == ["local0", "pg0", "pg0.100"]
        assert len([n for n in stats.directory if n == "/if/names"]) == 1


def test_vectors_never_move_and_are_sparse(segment: StatsSegment) -> None:
    vector = segment.combined("/net/route/to", 1 << 22)
    before = list(vector.addresses)
    vector.extend(1 << 22)
    vector.thread(0)[(1 << 22) - 1] = (1, 1)
    assert vector.addresses == before
    assert all(a % 64 == 0 for a in vector.addresses), "no line shared between threads"
    assert segment.region.resident() < 1 << 22, "only what was touched takes memory"
    assert MAX_ENTRIES >= 65536


@compiled
def drop_one(worker: int, error: int) -> int:
    """Count as a kernel does."""
    count_drop(worker, error)
    return 0


def test_what_kernels_count_is_there(tmp_path: Path) -> None:
    """Nodes, errors and interfaces of a dataplane, under the names that VPP gives them."""
    first = NodeType("first", kernel=ERROR_DROP.kernel, kind=TERMINAL, errors=(("zero", "zeroth"), ("one", "first")))
    plane = Dataplane([first, collector("other")], workers=2)
    plane.graph.add("first")
    plane.graph.add("other")
    plane.add_interface("local0")
    plane.add_interface("pg0")
    error = plane.graph["first"].error_index(1)
    for worker, times in ((0, 3), (1, 4)):
        for _ in range(times):
            drop_one(plane.workers[worker].address, error)
    plane.if_stats["rx"].thread(1)[1] = (4, 400)
    with reader(plane.stats, tmp_path) as stats:
        names = set(stats.directory)
        assert {f"/sys/node/{n}" for n in ("clocks", "vectors", "calls", "suspends", "errors")} <= names
        wanted = ("rx", "tx", "drops", "punt", "rx-error", "tx-error", "rx-miss", "ip4")
        assert {f"/if/{n}" for n in wanted} <= names
        assert stats.get_err_counter("/err/first/one") == 7 and stats.get_err_counter("/err/first/zero") == 0
        assert stats["/if/rx"][:, 1].sum_packets() == 4
        assert [len(row) for row in stats["/if/rx"]] == [2, 2]
        assert [len(row) for row in stats["/sys/node/calls"]] == [2, 2]
    assert plane.error_counts() == plane.error_counts("drops") == {"first: first": 7}
    assert plane.error_counts("consumed") == {}
    plane.close()


def test_node_counters_of_a_run(tmp_path: Path) -> None:
    bench = Bench(NodeType("n", kernel=collector("x").kernel, kind=TERMINAL, runtime=collector("x").runtime), arcs=())
    bench.run([bytes(60)] * 3)
    with reader(bench.plane.stats, tmp_path) as stats:
        index = bench.node.index
        assert stats["/sys/node/vectors"][0][index] == 3 and stats["/sys/node/calls"][0][index] == 1
        assert stats["/sys/node/clocks"][0][index] > 0
    bench.close()
