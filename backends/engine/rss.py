"""Receive-side scaling, from the control side: keys, indirection tables, and the queues of a capture's packets."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.region import Region, lent
from vectorplane.graph_nodes.packet_source import PARTITION_SHIFT
from vectorplane.graph_nodes.toeplitz import (
    HASH_IP4,
    HASH_IP4_TCP,
    HASH_IP4_UDP,
    INPUT_BYTES,
    NO_HASH,
    TABLE_ENTRIES,
    TOEPLITZ,
    entry_of,
    queue_of,
    rss_hash,
    rss_hash_ip4,
)
from vectorplane.jit.kernel import compiled
from vectorplane.jit.ops import rec
from vectorplane.pcap.index import RECORD, RECORD_SIZE

KEY_BYTES = 40
MICROSOFT_KEY = bytes.fromhex("6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa")
"""The key of Microsoft's "Verifying the RSS hash calculation", and of most drivers."""
SYMMETRIC_KEY = bytes.fromhex("6d5a") * 20
"""Repeats every 16 bits, so that both directions of a flow have one hash (Woo and Park, 2012)."""
ALL_TYPES = HASH_IP4 | HASH_IP4_TCP | HASH_IP4_UDP


def expand(key: bytes) -> npt.NDArray[np.int32]:
    """int32 [12, 256]: what each value of each input byte adds to the hash."""
    bits = np.unpackbits(np.frombuffer(key, np.uint8))
    weights = 1 << np.arange(31, -1, -1, dtype=np.int64)
    windows = np.array([int((bits[i : i + 32] * weights).sum()) for i in range(8 * INPUT_BYTES)], np.int64)
    values = np.arange(256)
    made = np.zeros((INPUT_BYTES, 256), np.int64)
    for bit in range(8):
        is_set = (values >> (7 - bit)) & 1
        made ^= is_set[None, :] * windows[bit::8][:, None]
    return made.astype(np.uint32).view(np.int32)


class Rss:
    """A key with its hash types (`ALL_TYPES`) and its indirection table of 128 queues (default: in turn).

    Raises:
        ValueError: the key has not 40 bytes, or the table not 128 entries from 0 to 32,767.
    """

    def __init__(
        self,
        queues: int = 1,
        *,
        key: bytes = MICROSOFT_KEY,
        types: int = ALL_TYPES,
        table: Sequence[int] | None = None,
    ) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"an RSS key has {KEY_BYTES} bytes, not {len(key)}")
        entries = [i % queues for i in range(TABLE_ENTRIES)] if table is None else list(table)
        if len(entries) != TABLE_ENTRIES or not all(0 <= q < 1 << 15 for q in entries):
            raise ValueError(f"an RSS table has {TABLE_ENTRIES} queues from 0 to 32,767")
        self.queues = max(entries) + 1
        """How many queues the table names."""
        self._region = Region(TOEPLITZ.itemsize, name="rss")
        self.address = self._region.address
        record: Any = self._region.view(TOEPLITZ, 0, 1)[0]
        record["types"], record["table"], record["bytes"] = types, entries, expand(key)
        self._table = entries

    def hash(self, frame: bytes) -> int | None:
        """Hash of an Ethernet frame; None when it has none."""
        raw = np.frombuffer(frame + bytes(8), np.uint8).copy()
        with lent(raw) as (address,):
            value = _hash(address, len(frame), self.address)
        return None if value == NO_HASH else value

    def queue_of(self, frame: bytes) -> tuple[int, int]:
        """The queue of an Ethernet frame, and the entry of the indirection table that says so (no hash: 0 and 0)."""
        value = self.hash(frame)
        entry = 0 if value is None else value % TABLE_ENTRIES
        return 0 if value is None else self._table[entry], entry

    def close(self) -> None:
        """Give the memory back."""
        self._region.close()


@compiled
def _hash(frame: int, length: int, toeplitz: int) -> int:
    return int(rss_hash(frame, length, toeplitz))


@compiled
def classify(data: int, records: int, count: int, toeplitz: int) -> int:
    """Write queue and partition of ``count`` records (`RECORD`, their offsets count from ``data``); gives ``count``.

    The partition is the entry of the indirection table: the same whatever the number of queues.
    """
    for i in range(count):
        r = rec(records + i * RECORD_SIZE, RECORD)
        if r.ethertype == 0:
            value = rss_hash(data + r.offset, r.caplen, toeplitz)
        elif r.ethertype == 0x0800:
            value = rss_hash_ip4(data + r.offset, r.caplen, toeplitz)
        else:
            value = NO_HASH
        r.queue = queue_of(value, toeplitz)
        r.interface = entry_of(value) << PARTITION_SHIFT
    return count


@functools.cache
def capture_rss(queues: int) -> Rss:
    """How captures are spread: by the symmetric key, so that a worker sees both directions of a flow. Never changes."""
    return Rss(queues, key=SYMMETRIC_KEY)


def classify_window(address: int, records: npt.NDArray[Any], queues: int) -> None:
    """Set ``queue`` of a capture window's records (`RECORD`); their offsets count from ``address``."""
    with lent(records) as (base,):
        classify(address, base, len(records), capture_rss(queues).address)
