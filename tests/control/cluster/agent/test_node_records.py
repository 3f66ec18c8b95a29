"""The store's node records, also those that somebody else spoilt."""

from __future__ import annotations

import threading

from tests.control.cluster.agent.fakes import node_record, put
from vectorplane.control.cluster.agent.node_records import StoreNodeRecords
from vectorplane.control.cluster.ipam.node_id import claim, publish
from vectorplane.control.cluster.keys import NODE_IDS
from vectorplane.control.cluster.store.embedded import EmbeddedStore


def test_what_is_put_is_read_again() -> None:
    records = StoreNodeRecords(EmbeddedStore())
    first = node_record(3, "node-3", "192.168.16.3/24", "fe80::3/64")
    assert records.put_if_absent(first) and not records.put_if_absent(node_record(3, "other"))
    assert list(records.all()) == [first]
    second = publish(records, first, node_record(1, "x", "10.0.0.1/8").ip_addresses)
    assert list(records.all()) == [second] != [first]


def test_a_record_that_is_spoilt_takes_its_number_all_the_same() -> None:
    store = EmbeddedStore()
    store.put(f"{NODE_IDS}1", {"id": 1})
    store.put(f"{NODE_IDS}2", {"id": 7, "name": "misplaced"})
    store.put(f"{NODE_IDS}x", {"id": 3, "name": "no number"})
    store.put(f"{NODE_IDS}0", {"id": 3, "name": "no id"})
    put(store, node_record(4, "node-4"))
    records = StoreNodeRecords(store)
    assert claim(records, "misplaced").id == 3
    assert claim(records, "node-4").id == 4
    assert claim(records, "new").id == 5


def test_twenty_threads_race() -> None:
    store, found = EmbeddedStore(), {}
    start = threading.Barrier(20)

    def race(name: str) -> None:
        start.wait()
        found[name] = claim(StoreNodeRecords(store), name).id

    threads = [threading.Thread(target=race, args=(f"node-{i}",)) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found.values()) == list(range(1, 21))
    assert {r.name: r.id for r in StoreNodeRecords(store).all()} == found
