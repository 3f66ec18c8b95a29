"""Comparing captures as multisets of packets: the order does not matter, how often a packet occurs does."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np

from vectorplane.pcap.compare import Job, Side
from vectorplane.pcap.comparison import Comparison, Difference
from vectorplane.pcap.differ import digests
from vectorplane.pcap.masks import Mask
from vectorplane.pcap.memory import Memory
from vectorplane.pcap.reader import CaptureReader
from vectorplane.pcap.window import RECORDS_PER_WINDOW

Source = str | os.PathLike[str] | BinaryIO
Digests = np.ndarray[Any, np.dtype[np.int64]]


def compare_sets(a: Source, b: Source, masks: Sequence[Mask], ignore_time: bool, limit: int) -> Comparison:
    """See `vectorplane.pcap.compare.compare`. The bytes of differing packets are read in a second pass."""
    result = Comparison()
    job = Job(masks, not ignore_time, 0)
    scratch = Memory(16 * RECORDS_PER_WINDOW, "digests")
    hashes_a, hashes_b = (_read(source, job, scratch, result.warnings) for source in (a, b))
    job.close()
    scratch.close()
    result.packets_a, result.packets_b = len(hashes_a), len(hashes_b)
    extra_a, extra_b = unmatched(hashes_a, hashes_b)
    result.only_a, result.only_b = len(extra_a), len(extra_b)
    first_a, first_b = extra_a[:limit].tolist(), extra_b[:limit].tolist()
    found_a, found_b = _fetch(a, first_a), _fetch(b, first_b)
    both = [Difference(i + 1, "only in a", 0, found_a.get(i, b""), b"") for i in first_a]
    both += [Difference(i + 1, "only in b", 0, b"", found_b.get(i, b"")) for i in first_b]
    result.differences = sorted(both, key=lambda one: one.number)[:limit]
    return result


def _read(source: Source, job: Job, scratch: Memory, warnings: list[str]) -> Digests:
    """The hashes of all packets, shape (n, 2), int64."""
    parts: list[Digests] = []
    with CaptureReader(source) as reader:
        side = Side(reader)
        while count := side.left:
            job.pair["data_a"], job.pair["records_a"] = side.addresses
            job.pair["count"] = count
            digests(job.address, scratch.address)
            parts.append(scratch.array(np.dtype(np.int64), 2 * count).reshape(count, 2).copy())
            side.step(count)
        warnings += reader.warnings
    return np.concatenate(parts) if parts else np.empty((0, 2), np.int64)


def unmatched(a: Digests, b: Digests) -> tuple[Any, Any]:
    """Indices, ascending, of the rows of ``a`` without a counterpart in ``b``, and of those of ``b``.

    Of equal rows the last ones are those without.
    """
    both = np.concatenate([a, b])
    order = np.lexsort((both[:, 1], both[:, 0]))  # stable: equal rows of a before those of b, each in order
    rows = both[order]
    new = np.ones(len(rows), np.bool_)
    new[1:] = (rows[1:] != rows[:-1]).any(axis=1)
    group = np.cumsum(new) - 1
    starts = np.flatnonzero(new)
    is_a = order < len(a)
    count_a = np.bincount(group[is_a], minlength=len(starts))
    count_b = np.bincount(group[~is_a], minlength=len(starts))
    rank = np.arange(len(rows)) - starts[group]
    alone_a = order[is_a & (rank >= count_b[group])]
    alone_b = order[~is_a & (rank - count_a[group] >= count_a[group])] - len(a)
    return np.sort(alone_a), np.sort(alone_b)


def _fetch(source: Source, numbers: list[int]) -> dict[int, bytes]:
    """The frames of those numbers (ascending), when the capture can be read a second time."""
    found: dict[int, bytes] = {}
    if not numbers or not isinstance(source, (str, os.PathLike)) or not os.path.isfile(source):
        return found
    with CaptureReader(source) as reader:
        side = Side(reader)
        for number in numbers:
            while side.left and side.done + side.left <= number:
                side.step(side.left)
            if side.left:
                found[number] = side.frame(number - side.done)
    return found
