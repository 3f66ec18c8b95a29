"""The transmit side of a simulated NIC: bounded descriptor rings and a wire of finite rate.

Each queue has a ring of N descriptors; a packet holds one from its own time until its last bit has left. A packet
that comes while N packets of its queue have not left yet finds the ring full: a counted drop. The wire is shared by
all queues and serves packets in the order in which they come: one departs (its last bit) at

    max(its time, when the wire became free) + (max(size, 60) + 24) * 8 / rate

where 24 bytes are preamble, frame check sequence and the gap behind a frame (IEEE 802.3, 4.2.7 and 4.4.2). Fractions of
a nanosecond are carried over from frame to frame of a burst, so that the rate is exact. Without a rate
a packet departs at its own time. With clock `fast` there is no time: nothing waits and no ring is ever full.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.abi import FAST
from vectorplane.dataplane.region import Region, lent
from vectorplane.graph_nodes.sim_tx import STAGED, STAGED_SIZE
from vectorplane.jit.kernel import compiled
from vectorplane.jit.ops import ld64, rec, st64
from vectorplane.pcap.index import RECORD, RECORD_SIZE

TX = np.dtype(
    [
        ("rate", "i8"),  # bits a second; 0: endless
        ("free", "i8"),  # when the wire is free, ns ...
        ("carry", "i8"),  # ... and carry / rate ns
        ("slots", "i8"),  # descriptors of a ring
        ("accepted", "i8"),  # address of int64 [queues]
        ("departed", "i8"),  # address of int64 [queues, slots]: when the packets in the descriptors depart
        ("clock", "i8"),
    ]
)
OVERHEAD = 24
"""Bytes of preamble (8), frame check sequence (4) and gap (12)."""
MIN_FRAME = 60
"""Without frame check sequence; shorter frames take as long as one of this size."""
_BIT_NS = 8 * 1_000_000_000


@compiled
def depart(tx: int, staged: int, count: int, records: int) -> int:
    """Send ``count`` packets (`STAGED`, sorted) and write a `RECORD` for each that departs; gives how many do.

    The time of a record is that of the departure, its offset the address of the bytes.
    """
    x = rec(tx, TX)
    sent = 0
    for i in range(count):
        p = rec(staged + i * STAGED_SIZE, STAGED)
        time = p.time
        if x.clock != FAST:
            accepted = ld64(x.accepted + 8 * p.queue)
            slot = x.departed + 8 * (p.queue * x.slots + accepted % x.slots)
            if accepted >= x.slots and ld64(slot) > time:
                continue
            if x.rate > 0:
                if time > x.free:
                    x.free = time
                    x.carry = 0
                work = (max(int(p.size), MIN_FRAME) + OVERHEAD) * _BIT_NS + x.carry
                x.free += work // x.rate
                x.carry = work % x.rate
                time = x.free
            st64(slot, time)
            st64(x.accepted + 8 * p.queue, accepted + 1)
        r = rec(records + sent * RECORD_SIZE, RECORD)
        r.offset = p.address
        r.time = time
        r.caplen = p.size
        r.wirelen = p.size
        r.ethertype = 0
        r.queue = 0
        r.interface = 0
        sent += 1
    return sent


class TxRings:
    """The transmit rings and the wire of one port."""

    def __init__(self, name: str, *, queues: int, slots: int, rate: int, clock: int) -> None:
        self._region = Region(TX.itemsize + 8 * queues * (1 + slots), name=f"{name} tx rings")
        x: Any = self._region.view(TX, 0, 1)[0]
        x["rate"], x["slots"], x["clock"] = rate, slots, clock
        x["accepted"] = self._region.address + TX.itemsize
        x["departed"] = int(x["accepted"]) + 8 * queues
        self._sent = np.zeros(256, RECORD)

    def send(self, staged: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The packets (`STAGED`, in order of time) that depart, as `RECORD` with addresses for offsets.

        The others found their ring full. The result is valid until the next call.
        """
        if len(self._sent) < len(staged):
            self._sent = np.zeros(2 * len(staged), RECORD)
        with lent(staged, self._sent) as (packets, records):
            count = depart(self._region.address, packets, len(staged), records)
        return self._sent[:count]

    def close(self) -> None:
        """Give the memory back."""
        self._region.close()
