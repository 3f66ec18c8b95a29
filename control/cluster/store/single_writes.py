"""The writes of a store that are transactions of one operation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from vectorplane.control.cluster.store.transaction import Compare, Delete, DeletePrefix, Operation, Outcome, Put
from vectorplane.control.cluster.store.value import JsonObject


class SingleWrites(ABC):
    """What a `Store` with `transaction` has for nothing."""

    @abstractmethod
    def transaction(
        self, compares: Sequence[Compare], then: Sequence[Operation], otherwise: Sequence[Operation] = ()
    ) -> Outcome:
        """See `Store.transaction`."""

    def put(self, key: str, value: JsonObject) -> int:
        """See `Store.put`."""
        return self.transaction((), [Put(key, value)]).revision

    def delete(self, key: str) -> bool:
        """See `Store.delete`."""
        return self.transaction((), [Delete(key)]).deleted > 0

    def delete_prefix(self, prefix: str) -> int:
        """See `Store.delete_prefix`."""
        return self.transaction((), [DeletePrefix(prefix)]).deleted
