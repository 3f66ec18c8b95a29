"""Counters, in a memfd laid out as VPP's statistics segment.

Kernels count in place, each thread in its own vectors; readers map the memfd and need no lock. The layout
is VPP's version 2: a header, a directory of 144-byte entries, vectors whose u32 length lies 8 bytes in
front of the data. Vectors reserve their capacity once (the file is sparse) and so never move; growing one
only changes its length. Bump the epoch when the directory or a length changes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.region import Bump, Region

I64Array = npt.NDArray[np.int64]

HEADER = np.dtype(
    [("version", "u8"), ("base", "u8"), ("epoch", "i8"), ("in_progress", "i8"), ("directory", "u8"), ("pad", "u8", 3)]
)
ENTRY = np.dtype([("type", "u4"), ("pad", "u4"), ("value", "u8"), ("name", "S128")])
COMBINED = np.dtype([("packets", "i8"), ("bytes", "i8")])

SCALAR, SIMPLE, COMBINED_TYPE, NAMES, EMPTY, SYMLINK, GAUGE = 1, 2, 3, 4, 5, 6, 9
MAX_ENTRIES = 131072
_VECTOR_HEADER = 16


class Vector:
    """A counter vector: for each thread, an array of int64 (or of {packets, bytes}) that never moves."""

    def __init__(self, segment: StatsSegment, name: str, capacity: int, dtype: np.dtype[Any], kind: int) -> None:
        self.name = name
        self.capacity = capacity
        self._segment = segment
        self._arrays: list[npt.NDArray[Any]] = []
        self.addresses: list[int] = []
        for _ in range(segment.threads):
            address = segment.vector(capacity * dtype.itemsize, 0)
            self.addresses.append(address)
            self._arrays.append(segment.view(address, dtype, capacity))
        outer = segment.vector(8 * segment.threads, segment.threads)
        segment.view(outer, np.dtype("u8"), segment.threads)[:] = self.addresses
        self.index = segment.entry(name, kind, outer)
        self.length = 0

    def extend(self, length: int) -> None:
        """Make the first ``length`` elements visible to readers.

        Raises:
            OverflowError: more than the vector's capacity.
        """
        if length > self.capacity:
            raise OverflowError(f"counters {self.name}: {length} elements, room for {self.capacity}")
        if length > self.length:
            self.length = length
            for address in self.addresses:
                self._segment.set_length(address, length)
            self._segment.changed()

    def shorten(self, length: int) -> None:
        """Hide the elements from ``length`` on."""
        self.length = min(length, self.length)
        for address in self.addresses:
            self._segment.set_length(address, self.length)
        self._segment.changed()

    def thread(self, thread: int) -> npt.NDArray[Any]:
        """One thread's counters: int64 [capacity], or records of `COMBINED`."""
        return self._arrays[thread]

    def total(self, index: int | slice = slice(None)) -> Any:
        """Sum over the threads: int64, or int64 [..., 2] for combined counters."""
        parts = [a[index] for a in self._arrays]
        if self._arrays[0].dtype == COMBINED:
            return sum(np.stack([p["packets"], p["bytes"]], axis=-1) for p in parts)
        return sum(parts[1:], start=np.array(parts[0], dtype=np.int64))

    def clear(self, index: int | slice = slice(None)) -> None:
        """Set to zero for all threads (a worker that counts at this moment may lose that count)."""
        for array in self._arrays:
            array[index] = np.zeros((), array.dtype)


class StatsSegment:
    """The segment: a directory of named counters over one shared memory."""

    def __init__(self, threads: int, size: int = 1 << 34) -> None:
        self.threads = threads
        self.region = Region(size, name="stats", shared=True)
        self._bump = Bump(self.region)
        self._header = self.region.view(HEADER, 0, 1)
        self._bump.take(HEADER.itemsize)
        self.by_name: dict[str, int] = {}
        self._entries_used = 0
        self._free_entries: list[int] = []
        directory = self.vector(MAX_ENTRIES * ENTRY.itemsize, 0)
        self._directory_address = directory
        self._entries = self.view(directory, ENTRY, MAX_ENTRIES)
        self._header["version"] = 2
        self._header["base"] = self.region.address
        self._header["directory"] = directory
        self._header["epoch"] = 1

    @property
    def fd(self) -> int:
        """The memfd, to hand to readers."""
        return int(self.region.fd)

    def vector(self, size: int, length: int) -> int:
        """Reserve a vector of ``size`` bytes; its length word says ``length``. Gives the data's address."""
        address = self._bump.take(size + 64, align=64) + 64
        self.set_length(address, length)
        return address

    def view(self, address: int, dtype: np.dtype[Any], count: int) -> npt.NDArray[Any]:
        """The memory at ``address`` as an array."""
        return self.region.view(dtype, address - self.region.address, count)

    def set_length(self, address: int, length: int) -> None:
        """Write a vector's length word."""
        self.region.view(np.dtype("u4"), address - 8 - self.region.address, 1)[0] = length

    def changed(self) -> None:
        """Tell readers that the directory or a length changed."""
        self._header["epoch"] += 1

    def entry(self, name: str, kind: int, value: int) -> int:
        """Add (or replace) a directory entry; gives its index."""
        index = self.by_name.get(name, -1)
        if index < 0:
            if self._free_entries:
                index = self._free_entries.pop()
            else:
                index = self._entries_used
                self._entries_used += 1
            self.by_name[name] = index
        self._header["in_progress"] = 1
        self._entries[index] = (kind, 0, value, name.encode()[:127])
        self.set_length(self._directory_address, self._entries_used)
        self.changed()
        self._header["in_progress"] = 0
        return index

    def remove(self, name: str) -> None:
        """Take an entry out of the directory (its vector stays); its place is used again."""
        index = self.by_name.pop(name)
        self._header["in_progress"] = 1
        self._entries[index] = (EMPTY, 0, 0, b"")
        self.changed()
        self._header["in_progress"] = 0
        self._free_entries.append(index)

    def rename(self, old: str, new: str) -> None:
        """Give a directory entry another name, one that no entry has."""
        index = self.by_name.pop(old)
        self.by_name[new] = index
        self._header["in_progress"] = 1
        self._entries["name"][index] = new.encode()[:127]
        self.changed()
        self._header["in_progress"] = 0

    def simple(self, name: str, capacity: int) -> Vector:
        """A vector of int64 counters a thread."""
        return Vector(self, name, capacity, np.dtype("i8"), SIMPLE)

    def combined(self, name: str, capacity: int) -> Vector:
        """A vector of {packets, bytes} a thread."""
        return Vector(self, name, capacity, COMBINED, COMBINED_TYPE)

    def symlink(self, name: str, target: Vector, element: int) -> int:
        """An entry that stands for one element of a vector (``/err/NODE/ERROR``, ``/interfaces/...``)."""
        return self.entry(name, SYMLINK, target.index | element << 32)

    def gauge(self, name: str, value: int = 0) -> int:
        """A single number; set it with `set_scalar`."""
        return self.entry(name, GAUGE, value)

    def set_scalar(self, index: int, value: int) -> None:
        """Set a scalar or a gauge."""
        self._entries["value"][index] = value

    def names(self, name: str, values: list[str]) -> int:
        """A vector of strings (``/if/names``, ``/sys/node/names``), replaced as a whole."""
        addresses = []
        for text in values:
            raw = text.encode() + b"\0"
            address = self.vector(len(raw), len(raw))
            self.view(address, np.dtype("u1"), len(raw))[:] = np.frombuffer(raw, "u1")
            addresses.append(address)
        outer = self.vector(8 * max(1, len(values)), len(values))
        self.view(outer, np.dtype("u8"), len(values))[:] = addresses
        return self.entry(name, NAMES, outer)

    def close(self) -> None:
        """Unmap and close the memfd."""
        self.region.close()
