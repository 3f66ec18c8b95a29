"""Tables: ``ip_table_add_del``, ``set_ip_flow_hash_v2``, ``ip_table_dump``.

What the flow hash is made of is in no dump; the debug CLI tells (``show ip fib``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from vectorplane.backends.base import BackendError
from vectorplane.backends.items import USUAL_FLOW_HASH, Table
from vectorplane.backends.vpp.kinds.kind import Kind, Message, Steps

_BITS = {"src": 1, "dst": 2, "sport": 4, "dport": 8, "proto": 16, "reverse": 32, "symmetric": 64}
_FLOW_LABEL = 128
_HASH_TEXT = re.compile(r"flow hash:\[([a-z0-9 ]*)\]")


def default_name(table: int, ip6: bool) -> str:
    """What VPP calls a table that was given no name."""
    return f"ipv{6 if ip6 else 4}-VRF:{table}"


class Tables(Kind[Table]):
    """See the module."""

    item = Table
    title = "tables"
    messages = (("ip_table_add_del", "ip_table_add_del_v2"), ("ip_table_dump",))
    single = False

    def create(self, item: Table) -> Steps:
        """The table, then its hash."""
        if item.id:
            yield self._message(True, item)
        if item.flow_hash is not None:
            yield self._hash(item)

    def update(self, old: Table, new: Table) -> Steps:
        """The hash; VPP does not rename."""
        if old.name != new.name:
            yield from super().update(old, new)
        yield self._hash(new)

    def delete(self, item: Table) -> Steps:
        """The table; table 0 stays and gets the usual hash."""
        if item.id:
            yield self._message(False, item)
        elif item.flow_hash is not None:
            yield self._hash(Table(0, item.ip6))

    def _message(self, is_add: bool, item: Table) -> Message:
        table = {"table_id": item.id, "is_ip6": item.ip6, "name": item.name}
        if self.link.connection.has("ip_table_add_del"):
            return "ip_table_add_del", {"is_add": is_add, "table": table}
        return "ip_table_add_del_v2", {"is_add": is_add, "table": table, "create_mfib": True}

    def _hash(self, item: Table) -> Message:
        words = USUAL_FLOW_HASH if item.flow_hash is None else item.flow_hash
        config = sum(_BITS[word] for word in words)
        if item.flow_hash is None:
            config |= _FLOW_LABEL
        return "set_ip_flow_hash_v2", {"table_id": item.id, "af": int(item.ip6), "flow_hash_config": config}

    def dump(self) -> Iterable[Table]:
        """All but a table 0 as it always is."""
        for details in self.link.connection.details("ip_table_dump"):
            table, ip6 = details.table.table_id, bool(details.table.is_ip6)
            name = "" if details.table.name == default_name(table, ip6) or not table else details.table.name
            flow_hash = self._read_hash(table, ip6)
            if table or flow_hash is not None:
                yield Table(table, ip6, name, flow_hash)

    def _read_hash(self, table: int, ip6: bool) -> tuple[str, ...] | None:
        # any prefix will do, so that only the table's first line comes
        line = f"show ip{'6' if ip6 else ''} fib table {table} {'::/0' if ip6 else '0.0.0.0/0'}"
        try:
            reply = self.link.connection.call("cli_inband", cmd=line)
        except BackendError:
            return None
        match = _HASH_TEXT.search(reply.reply) if reply.retval == 0 else None
        if match is None:
            return None
        words = tuple(sorted(_BITS.keys() & set(match[1].split())))
        return None if words in (USUAL_FLOW_HASH, ()) else words

    def canonical(self, item: Table) -> Table:
        """The usual hash and name need no words."""
        usual_name = item.name == default_name(item.id, item.ip6) or not item.id
        usual_hash = item.flow_hash is None or tuple(sorted(set(item.flow_hash))) == USUAL_FLOW_HASH
        hashed = None if usual_hash else tuple(sorted(set(item.flow_hash or ())))
        return Table(item.id, item.ip6, "" if usual_name else item.name, hashed)
