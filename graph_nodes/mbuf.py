"""DPDK's ``rte_mbuf`` as kernels see it: the first 128 bytes of each cell, and the same elsewhere in DPDK's memory.

The layout is that of DPDK 20.11 to 24.11 on 64-bit machines; the shim does not compile where it is another one.
Between a kernel and DPDK an mbuf that is free, and one that the engine owns, has `refcnt` 1, one segment and no next.
"""

from __future__ import annotations

from vectorplane.dataplane.abi import FRAME_SIZE
from vectorplane.dataplane.buffer import HEADROOM, META

BUF_ADDR, REARM, NB_SEGS, OL_FLAGS, PKT_LEN, DATA_LEN, POOL, NEXT = 0, 16, 20, 24, 36, 40, 56, 64
"""Offsets. `REARM`: data_off, refcnt, nb_segs and port, 16 bits each, in one word. Behind `PKT_LEN` (32 bits) lie
`DATA_LEN` and vlan_tci (16 bits each)."""
FRESH = 1 << 16 | 1 << 32 | -1 << 48
"""The `REARM` of an mbuf of one segment and no port, less its data_off."""
BUFFER_OF = META
"""From an mbuf to its buffer's address."""
DATA_OFF = HEADROOM
"""data_off of a buffer whose current_data is 0."""

L4_BAD, IP_BAD, L4_GOOD = 1 << 3, 1 << 4, 1 << 8
"""Bits of ol_flags of received packets. Both L4 bits: the checksum is not in the packet, but the data is right."""
NOT_PLAIN = 3 << 61
"""Bits of ol_flags: the data is elsewhere (attached to another mbuf, or external)."""
BURST = 64
"""Packets that a driver is asked for, or given, at once: more do not stay in the first-level cache."""
ARRAY = 8 * (FRAME_SIZE + 16)
"""Bytes of an array of mbuf pointers; the tail lets prefetches run ahead."""
