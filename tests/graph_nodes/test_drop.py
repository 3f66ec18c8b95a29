"""The ends of a packet's way: counted by reason and by interface, and freed, whatever its shape."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness import Bench
from vectorplane.dataplane.interface import SUB_INTERFACE
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.drop import ERROR_DROP, ERROR_PUNT, IP4_DROP, NULL_NODE, count, count_consumed
from vectorplane.graph_nodes.ip4_punt import IP4_PUNT, IP4_PUNT_ARC
from vectorplane.jit.kernel import compiled

REASONS = NodeType(
    "reasons", kernel=ERROR_DROP.kernel, kind=1, errors=(("zero", "zero"), ("one", "one"), ("two", "two"))
)


@pytest.fixture
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """The node type that the test names, in an engine whose error 0 is null-node's."""
    made = Bench(NULL_NODE, types=(request.param, ERROR_DROP, ERROR_PUNT, REASONS), arcs=(IP4_PUNT_ARC,))
    made.plane.graph.add("reasons")
    made.node = made.plane.graph.add(request.param.name)
    yield made
    assert made.leaked() == 0, "a dropped packet is freed"
    made.close()


@pytest.mark.parametrize(
    ("bench", "interface_counter"),
    [(ERROR_DROP, "drops"), (IP4_DROP, "drops"), (ERROR_PUNT, "punt"), (IP4_PUNT, "punt")],
    indirect=["bench"],
)
def test_counted_by_reason_and_interface(bench: Bench, interface_counter: str) -> None:
    base = bench.plane.graph["reasons"].error_base
    errors = [base + 1, base + 2, base + 1, 0, base + 2, base + 2]
    packets = [bytes(60), b"", bytes(5000), bytes(60), bytes(2048), bytes(1)]
    outs = bench.run(packets, rx=[1, 2, 1, 2, 3, 1], meta=lambda i, m: m.__setitem__("error", errors[i]))
    assert outs == []
    expected = {"null-node: blackholed packets": 1, "reasons: one": 2, "reasons: two": 3}
    assert bench.plane.error_counts("drops") == bench.plane.error_counts() == expected
    for name in ("drops", "punt"):
        counted = bench.plane.if_stats[name].total()[:4].tolist()
        assert counted == ([0, 3, 2, 1] if name == interface_counter else [0] * 4)


@pytest.mark.parametrize(("bench", "counter"), [(ERROR_DROP, "drops"), (ERROR_PUNT, "punt")], indirect=["bench"])
def test_a_sub_interfaces_drops_are_its_super_interfaces_too(bench: Bench, counter: str) -> None:
    """As in VPP; an interface that is gone meanwhile has nothing above it."""
    record = bench.plane.interfaces.records[2]
    record["flags"], record["sup"] = SUB_INTERFACE, 1
    bench.run([bytes(60)] * 4, rx=[1, 2, 2, 3])
    assert bench.plane.if_stats[counter].total()[:4].tolist() == [0, 3, 2, 1]
    assert sum(bench.plane.error_counts("drops").values()) == 4


@pytest.mark.parametrize("bench", [ERROR_DROP], indirect=True)
def test_shared_data_is_freed_by_its_last_owner(bench: Bench) -> None:
    bench.run([bytes(5000)], meta=lambda i, m: m.__setitem__("ref_count", 2))
    assert bench.leaked() == 1, "the head has another owner"
    bench.plane.pool.meta[:]["flags"] = 0
    from vectorplane.dataplane.inject import free_packet

    held = next(i for i in range(bench.plane.pool.count) if int(bench.plane.pool.meta[i]["current_length"]) == 2048)
    assert held >= 0
    indices = set(range(bench.plane.pool.count)) - free_indices(bench)
    (left,) = indices
    free_packet(bench.plane, left)


def free_indices(bench: Bench) -> set[int]:
    """Buffers on a free list."""
    import numpy as np

    pool, worker = bench.plane.pool, bench.worker
    on_stack = pool._stack.view(np.dtype("i4"), 128, pool.count)[: pool.free].tolist()
    kept = worker.memory(int(worker.record["cache"]), np.dtype("i4"), int(worker.record["cache_n"])).tolist()
    return {*on_stack, *kept}


@compiled
def count_as(worker: int, which: int, error: int) -> int:
    """The counting helpers."""
    if which == 0:
        count(worker, error, 5)
    else:
        count_consumed(worker, error)
    return 0


@pytest.mark.parametrize("bench", [ERROR_DROP], indirect=True)
def test_what_is_no_drop(bench: Bench) -> None:
    """Informational counters and consumed packets are errors in VPP's sense, and no drops."""
    base = bench.plane.graph["reasons"].error_base
    count_as(bench.worker.address, 0, base)
    count_as(bench.worker.address, 1, base + 1)
    assert bench.plane.error_counts() == {"reasons: zero": 5, "reasons: one": 1}
    assert bench.plane.error_counts("drops") == {}
    assert bench.plane.error_counts("consumed") == {"reasons: one": 1}
