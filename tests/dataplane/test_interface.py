"""The interface table: which indices are given out, and what a fresh record says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from vectorplane.dataplane.interface import INTERFACE, INTERFACE_SIZE, InterfaceTable
from vectorplane.dataplane.plane import Dataplane


@pytest.fixture
def table() -> Iterator[InterfaceTable]:
    """An empty table."""
    made = InterfaceTable()
    yield made
    made.close()


def test_the_index_that_became_free_last(table: InterfaceTable) -> None:
    assert [table.add(n) for n in ("local0", "a", "b", "c")] == [0, 1, 2, 3]
    table.remove(1)
    table.remove(2)
    assert [table.add(n) for n in ("d", "e", "f")] == [2, 1, 4]
    assert table.by_name == {"local0": 0, "d": 2, "e": 1, "c": 3, "f": 4}
    with pytest.raises(ValueError, match="c exists"):
        table.add("c")


def test_a_reused_record_is_fresh(table: InterfaceTable) -> None:
    index = table.add("a")
    record = table.records[index]
    record["flags"], record["vlans"], record["ip4_table"], record["ip4_enabled"] = 7, 123, 5, 2
    table.remove(index)
    assert table.add("b") == index
    fresh = {n: int(table.records[index][n]) for n in INTERFACE.names or ()}
    unset = ("untagged", "default", "output_node", "device")
    assert all(fresh.pop(n) == -1 for n in unset) and fresh.pop("sup") == index
    assert not any(fresh.values()), fresh


def test_records_are_one_cache_line_each(table: InterfaceTable) -> None:
    assert INTERFACE_SIZE == 64 and table.address % 64 == 0


def test_counters_of_a_reused_index_begin_at_zero() -> None:
    plane = Dataplane([])
    index = plane.add_interface("a")
    plane.if_stats["rx"].thread(0)[index] = (5, 500)
    plane.if_stats["drops"].thread(0)[index] = 5
    plane.interfaces.remove(index)
    assert plane.add_interface("b") == index
    assert plane.if_stats["rx"].total(index).tolist() == [0, 0] and int(plane.if_stats["drops"].total(index)) == 0
    plane.close()
