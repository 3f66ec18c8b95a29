"""The MAC table that l2-learn and l2-fwd share, filled from the oracle's and compared with it."""

from __future__ import annotations

from tests.graph_nodes.l2.bench import L2Bench
from tests.naive.l2.mac_table import Entry, MacTable
from vectorplane.graph_nodes.l2.fib import FLAGS, MAC_MASK, MINUTE, SEQUENCE, L2FibTable, interface_in


def value_of(e: Entry) -> int:
    """An entry as the table holds it."""
    raw = (e.interface & 0xFFFFFFFF) | e.flags << FLAGS | e.minute << MINUTE | (e.sn[0] << 8 | e.sn[1]) << SEQUENCE
    return raw - (1 << 64) if raw >> 63 else raw


def key_of(bd_index: int, mac: bytes) -> int:
    """Its key."""
    return int.from_bytes(mac, "little") | bd_index << 48


def fill(bench: L2Bench, table: MacTable, bd_indices: range) -> None:
    """Put the oracle's entries and limits in the place of what is there."""
    fib = bench.plane.shared(L2FibTable)
    for key, _ in fib.rows().tolist():
        fib.map.delete((key,))
    for (bd_index, mac), e in table.entries.items():
        fib.map.set((key_of(bd_index, mac),), value_of(e))
    fib.state["learn_limit"], fib.state["watched"] = table.limit, int(table.watched)
    fib.state["learn_count"] = sum(table.learnt.values())
    for index in bd_indices:
        record = bench.config.domains[index]
        record["learn_limit"] = table.domain_limits.get(index, 4 << 20)
        record["learn_count"] = table.learnt[index]


def held(bench: L2Bench) -> dict[tuple[int, bytes], Entry]:
    """What the table holds."""
    found = {}
    for key, value in bench.plane.shared(L2FibTable).rows().tolist():
        bits = [bool(value >> FLAGS & 1 << k) for k in range(6)]
        sn = value >> SEQUENCE & 0xFFFF
        entry = Entry(interface_in(value), *bits, minute=value >> MINUTE & 0xFF, sn=(sn >> 8, sn & 0xFF))
        found[key >> 48, (key & MAC_MASK).to_bytes(6, "little")] = entry
    return found


def counts(bench: L2Bench, bd_indices: range) -> list[int]:
    """Learnt entries as the nodes count them: all, then by domain."""
    total = int(bench.plane.shared(L2FibTable).state["learn_count"])
    return [total, *(int(bench.config.domains[k]["learn_count"]) for k in bd_indices)]
