"""IPv4 and IPv6 tables, and what the flow hash of their multipath routes is made of."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.base import BackendError
from vectorplane.backends.engine.kinds.kind import Kind
from vectorplane.backends.items import USUAL_FLOW_HASH, Table
from vectorplane.graph_nodes.forwarding import (
    HASH_DEFAULT,
    HASH_DST,
    HASH_DST_PORT,
    HASH_PROTO,
    HASH_REVERSE,
    HASH_SRC,
    HASH_SRC_PORT,
    HASH_SYMMETRIC,
)

_BITS = {
    "src": HASH_SRC,
    "dst": HASH_DST,
    "proto": HASH_PROTO,
    "sport": HASH_SRC_PORT,
    "dport": HASH_DST_PORT,
    "reverse": HASH_REVERSE,
    "symmetric": HASH_SYMMETRIC,
}


def words(config: int) -> tuple[str, ...] | None:
    """The hash as an item has it; None: it is the usual one."""
    found = tuple(sorted(word for word, bit in _BITS.items() if config & bit))
    return None if found == USUAL_FLOW_HASH else found


class Tables(Kind[Table]):
    """See the module."""

    item = Table

    def create(self, item: Table) -> None:
        """The table, and its hash."""
        if item.id:
            (self.engine.tables6 if item.ip6 else self.engine.tables).create(item.id, item.name)
        self._hash(item)

    def update(self, old: Table, new: Table) -> None:
        """Only the hash."""
        if old.name != new.name:
            super().update(old, new)
        self._hash(new)

    def delete(self, item: Table) -> None:
        """With its routes; table 0 stays and gets the usual hash."""
        self._hash(Table(item.id, item.ip6))
        (self.engine.tables6 if item.ip6 else self.engine.tables).delete(item.id)

    def _hash(self, item: Table) -> None:
        if item.ip6:
            if item.flow_hash is not None:
                raise BackendError("the engine does not forward IPv6: there is no flow hash to choose")
            return
        config = HASH_DEFAULT if item.flow_hash is None else sum(_BITS[word] for word in set(item.flow_hash))
        if config != self._config(item.id):
            self.engine.routes.set_flow_hash(item.id, config)

    def _config(self, table: int) -> int:
        control = self.engine.routes.control
        return control.hash_config.get(control.fib_index(table), HASH_DEFAULT)

    def dump(self) -> Iterable[Table]:
        """All but a table 0 as it always is."""
        for table in self.engine.tables.ids():
            name = self.engine.tables.name(table)
            item = self.canonical(Table(table, False, name, words(self._config(table))))
            if table or item.flow_hash is not None:
                yield item
        for table in self.engine.tables6.ids():
            if table:
                yield self.canonical(Table(table, True, self.engine.tables6.name(table)))

    def canonical(self, item: Table) -> Table:
        """The usual hash and name need no words."""
        usual = not item.id or item.name == f"ipv{6 if item.ip6 else 4}-VRF:{item.id}"
        flow_hash = None if item.flow_hash is None else words(sum(_BITS[word] for word in set(item.flow_hash)))
        return Table(item.id, item.ip6, "" if usual else item.name, flow_hash)
