"""The node records of a cluster's store, as `ipam.node_id` wants them."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from vectorplane.control.cluster.ipam.node_id import NodeRecord
from vectorplane.control.cluster.keys import NODE_IDS, key_of
from vectorplane.control.cluster.state import value_of
from vectorplane.control.cluster.store.claim import put_if_absent
from vectorplane.control.cluster.store.store import Store


class StoreNodeRecords:
    """See `ipam.node_id.NodeRecords`. Every method raises StoreError when the store fails."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def all(self) -> Iterator[NodeRecord]:
        """Every record. One that can't be read takes its number all the same, so it comes without a name."""
        for entry in self._store.list(NODE_IDS).entries:
            number = entry.key.removeprefix(NODE_IDS)
            try:
                record = NodeRecord.model_validate_json(entry.data)
                if key_of(record) == entry.key:
                    yield record
                    continue
            except ValidationError:
                pass
            if number.isdecimal() and 1 <= int(number) < 1 << 32:
                yield NodeRecord(id=int(number), name="")

    def put_if_absent(self, record: NodeRecord) -> bool:
        """Put a record where there is none of that id."""
        return put_if_absent(self._store, key_of(record), value_of(record)) is None

    def put(self, record: NodeRecord) -> None:
        """Put a record in the place of that node's own."""
        self._store.put(key_of(record), value_of(record))
