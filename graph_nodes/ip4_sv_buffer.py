"""What shallow virtual reassembly tells the nodes behind it of a packet: its L4 header, also that of a later fragment.

It lies in the first words of a buffer's `opaque`, which features on the IP arcs and nodes up to ip4-lookup leave alone.
"""

from __future__ import annotations

import numpy as np

from vectorplane.dataplane.buffer import BUFFER
from vectorplane.jit.ops import offsets

OPAQUE = offsets(BUFFER, "opaque")[0]

SV_BUFFER = np.dtype(
    {
        "names": ["ports", "protocol", "flags", "bits", "seq", "ack", "next"],
        "formats": ["i4", "i1", "i1", "i1", "i4", "i4", "i8"],
        "offsets": [OPAQUE, OPAQUE + 4, OPAQUE + 5, OPAQUE + 6, OPAQUE + 8, OPAQUE + 12, OPAQUE + 16],
        "itemsize": BUFFER.itemsize,
    }
)
"""``ports``: source and destination as they stand in the packet (source in the lower half); ICMP: the identifier in
both, of an error those of the packet that it quotes, swapped; 0: none. ``flags``: of TCP, or the ICMP type. ``seq``,
``ack``: as they stand in the packet. ``next``: of a fragment that waits, the one that came after it (-1: none)."""

INFO_WORD, SEQ_WORD = OPAQUE, OPAQUE + 8
"""``ports | protocol << 32 | flags << 40 | bits << 48`` and ``seq | ack << 32``, to store at once."""

IS_FRAGMENT, NOT_FIRST, TRUNCATED = 1, 2, 4
"""``bits``. `TRUNCATED`: the L4 header is not there whole, so nothing of it is known."""
PROTOCOL, FLAGS, BITS = 32, 40, 48
