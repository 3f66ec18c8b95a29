"""Numbers of nodes: the lowest free one, one for each, the same after a restart."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import ip_interface

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from vectorplane.control.cluster.ipam.error import Exhausted, IpamError
from vectorplane.control.cluster.ipam.node_id import NodeRecord, claim, first_free, publish


class Store:
    """Records in memory. ``meanwhile``: called between a node's reading and its writing, with the number of writes."""

    def __init__(self, meanwhile: Callable[[Store], None] | None = None) -> None:
        self.records: dict[int, NodeRecord] = {}
        self.meanwhile = meanwhile
        self.puts = 0

    def all(self) -> Iterable[NodeRecord]:
        return list(self.records.values())

    def put_if_absent(self, record: NodeRecord) -> bool:
        if self.meanwhile:
            self.meanwhile(self)
        return self.records.setdefault(record.id, record) is record

    def put(self, record: NodeRecord) -> None:
        self.puts += 1
        self.records[record.id] = record


@given(st.sets(st.integers(1, 20)), st.integers(1, 10))
def test_first_free(taken: set[int], lowest: int) -> None:
    assert first_free(taken, lowest) == min(set(range(lowest, 40)) - taken)


def test_nodes_come_go_and_come_back() -> None:
    store = Store()
    assert [claim(store, name).id for name in ("a", "b", "c", "b", "a")] == [1, 2, 3, 2, 1]
    del store.records[2]
    assert claim(store, "d").id == 2
    assert claim(store, "b").id == 4


def test_another_was_faster() -> None:
    others = iter(["x", "y"])

    def meanwhile(store: Store) -> None:
        if (name := next(others, None)) is not None:
            number = first_free(store.records)
            store.records[number] = NodeRecord(id=number, name=name)

    store = Store(meanwhile)
    assert claim(store, "a").id == 3
    assert {n: r.name for n, r in store.records.items()} == {1: "x", 2: "y", 3: "a"}


def test_two_of_one_name_share_a_record() -> None:
    def meanwhile(store: Store) -> None:
        store.records.setdefault(1, NodeRecord(id=1, name="a", ip_addresses=(ip_interface("10.0.0.1/24"),)))

    assert claim(Store(meanwhile), "a").ip_addresses == (ip_interface("10.0.0.1/24"),)


def test_two_records_of_one_name() -> None:
    store = Store()
    for number in (5, 3):
        store.records[number] = NodeRecord(id=number, name="a")
    assert claim(store, "a").id == 3


def test_no_more_than_there_are_addresses_for() -> None:
    store = Store()
    for name in "ab":
        claim(store, name, 2)
    with pytest.raises(Exhausted, match="node_id: there are addresses for 2 nodes, and all ids up to 2 are taken"):
        claim(store, "c", 2)
    assert claim(store, "b", 2).id == 2


def test_a_store_that_takes_nothing() -> None:
    class Broken(Store):
        def put_if_absent(self, record: NodeRecord) -> bool:
            return False

    with pytest.raises(IpamError, match="node_id: no id for a: 1000 times another record was there first"):
        claim(Broken(), "a")


def test_a_node_without_a_name() -> None:
    with pytest.raises(IpamError, match="name: expected the name of a node"):
        claim(Store(), "")


def test_addresses_are_published_when_they_change() -> None:
    store = Store()
    record = claim(store, "a")
    one, two = ip_interface("192.168.16.1/24"), ip_interface("fe40::1/64")
    record = publish(store, record, [one])
    record = publish(store, record, [one])
    assert store.puts == 1 and store.records[1] == record
    record = publish(store, record, [one, two])
    assert store.puts == 2
    text = record.model_dump_json()
    assert text == '{"id":1,"name":"a","ip_addresses":["192.168.16.1/24","fe40::1/64"]}'
    assert NodeRecord.model_validate_json(text) == record == claim(store, "a")


@pytest.mark.parametrize("number", [0, 1 << 32])
def test_ids_of_records(number: int) -> None:
    with pytest.raises(ValidationError):
        NodeRecord(id=number, name="a")
