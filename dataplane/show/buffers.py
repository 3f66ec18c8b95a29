"""``show buffers``: how many of the pool's buffers hold a packet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vectorplane.dataplane.buffer import CELL, DATA_SIZE
from vectorplane.dataplane.show.columns import centre

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane


def buffers(plane: Dataplane) -> dict[str, Any]:
    """The pool: sizes in bytes; how many are free to all, kept free by workers, in use; failed allocations."""
    cached = sum(int(w.record["cache_n"]) for w in plane.workers)
    return {
        "name": "default-numa-0",
        "index": 0,
        "numa": 0,
        "size": CELL,
        "data_size": DATA_SIZE,
        "total": plane.pool.count,
        "available": plane.pool.free,
        "cached": cached,
        "used": plane.pool.count - plane.pool.free - cached,
        "allocation_failures": sum(int(w.record["alloc_failures"]) for w in plane.workers),
    }


def show_buffers(plane: Dataplane) -> str:
    """The same as text."""
    columns = (("Index", 6), ("NUMA", 6), ("Size", 6), ("Data Size", 11), ("Total", 6), ("Avail", 8), ("Cached", 8))
    pool = buffers(plane)
    head = f"{'Pool Name':<20}" + "".join(centre(title, width) for title, width in (*columns, ("Used", 8)))
    keys = ("index", "numa", "size", "data_size", "total", "available", "cached", "used")
    widths = [width for _, width in columns] + [8]
    row = f"{pool['name']:<20}" + "".join(centre(pool[k], width) for k, width in zip(keys, widths, strict=True))
    text = f"{head.rstrip()}\n{row.rstrip()}\n"
    failed = pool["allocation_failures"]
    return text + (f"{failed} allocations found no free buffer\n" if failed else "")
