"""Frames with their times as bytes: all times, all lengths, then the frames one behind the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from vectorplane.backends.engine.sim_tap import gather
from vectorplane.dataplane.region import lent
from vectorplane.pcap.index import RECORD


class Outbox:
    """A `Cable` whose other end is in another process: what departs waits here to be sent there."""

    def __init__(self) -> None:
        self._blocks: list[tuple[npt.NDArray[Any], npt.NDArray[np.uint8]]] = []
        self._first: int | None = None

    def carry(self, sender: object, records: npt.NDArray[Any]) -> None:
        """Keep what departed (`RECORD`, offsets are addresses)."""
        self.add(0, records, 0)

    def add(self, data: int, records: npt.NDArray[Any], latency: int) -> None:
        """Keep frames (`RECORD`, offsets from address ``data``), ``latency`` ns later than they say."""
        if not len(records):
            return
        kept = records.copy()
        kept["offset"] += data
        kept["time"] += latency
        frames = np.empty(int(kept["caplen"].sum()) + 1, np.uint8)
        with lent(kept, frames) as (base, to):
            gather(base, len(kept), to)
        self._blocks.append((kept, frames[:-1]))
        first = int(kept["time"].min())
        self._first = first if self._first is None else min(self._first, first)

    @property
    def first(self) -> int | None:
        """The earliest time; None: there is nothing."""
        return self._first

    def take(self) -> tuple[int, bytes]:
        """How many, and all of them as bytes; nothing is kept then."""
        if not self._blocks:
            return 0, b""
        records = np.concatenate([block[0] for block in self._blocks])
        parts = [records["time"].astype("<i8").tobytes(), records["caplen"].astype("<i4").tobytes()]
        parts += [block[1].tobytes() for block in self._blocks]
        self._blocks.clear()
        self._first = None
        return len(records), b"".join(parts)


def unpack(count: int, data: bytes) -> tuple[npt.NDArray[Any], npt.NDArray[np.uint8]]:
    """Records (`RECORD`, offsets into the second) and frames.

    Raises:
        ValueError: they are not what `Outbox.take` gives.
    """
    records = np.zeros(count, RECORD)
    head = 12 * count
    if len(data) < head:
        raise ValueError(f"{count} frames in {len(data)} bytes")
    records["time"] = np.frombuffer(data, "<i8", count)
    sizes = np.frombuffer(data, "<i4", count, 8 * count)
    if count and (int(sizes.min()) < 0 or int(sizes.sum()) != len(data) - head):
        raise ValueError(f"{count} frames have {int(sizes.sum())} bytes, not {len(data) - head}")
    records["caplen"] = records["wirelen"] = sizes
    records["offset"] = np.cumsum(sizes) - sizes
    frames = np.empty(len(data) - head + 8, np.uint8)
    frames[: len(data) - head] = np.frombuffer(data, np.uint8, -1, head)
    return records, frames


def each(records: npt.NDArray[Any], frames: npt.NDArray[np.uint8]) -> Sequence[tuple[int, bytes]]:
    """(time, frame) of `unpack`."""
    raw = frames.tobytes()
    rows = zip(records["time"].tolist(), records["offset"].tolist(), records["caplen"].tolist(), strict=True)
    return [(time, raw[at : at + size]) for time, at, size in rows]
