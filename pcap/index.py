"""The memory that the compiled indexers share with Python: records out, a cursor in and out.

An indexer (`vectorplane.pcap.classic`, `vectorplane.pcap.blocks`) walks the bytes of one window and
writes one `RECORD` a packet. It stops with one of the events below, and its `CURSOR` says where.
All fields are signed, as kernels want them.
"""

from __future__ import annotations

import numpy as np

from vectorplane.jit.ops import offsets

RECORD = np.dtype(
    [
        ("offset", "i8"),  # of the first captured byte, from the window's address
        ("time", "i8"),  # ns since the epoch, as in the file
        ("caplen", "i4"),  # captured bytes to deliver (of the L3 packet when ethertype != 0)
        ("wirelen", "i4"),  # original length, of the same layer; never less than caplen
        ("ethertype", "i2"),  # 0: an Ethernet frame as it is; else the engine puts a made-up header with it in front
        ("queue", "i2"),  # left 0 here; set by the NIC's RSS
        ("interface", "i4"),  # pcapng interface number within its section (0 for pcap)
    ],
    align=True,
)
"""One packet of a window, 32 bytes."""

CURSOR = np.dtype(
    [
        ("data", "i8"),  # address of the window's bytes
        ("start", "i8"),  # index of the first byte not yet indexed
        ("end", "i8"),  # index behind the last valid byte
        ("base", "i8"),  # offset in the capture of the window's byte 0
        ("records", "i8"),  # address of the RECORDs
        ("capacity", "i8"),  # how many of them fit
        ("count", "i8"),  # how many are written
        ("swapped", "i8"),  # 1 when the file's integers are big-endian
        ("packet_limit", "i8"),  # a captured length beyond it is damage
        ("block_limit", "i8"),  # pcapng: a longer block of known type is damage, of unknown type is read through
        ("interfaces", "i8"),  # address of the INTERFACE table (pcap has one entry)
        ("interface_count", "i8"),
        ("skipped", "i8"),  # packets not delivered so far, over all interfaces
        ("detail", "i8"),  # the number that belongs to an event: a length, a block type
        ("scale", "i8"),  # pcap: ns in one unit of the fraction of a second (1000 or 1)
        ("lengths", "i8"),  # pcap: how the two lengths lie (LENGTHS_ below)
        ("last_time", "i8"),  # pcapng: ns of the last packet that had a time, for simple packet blocks
    ]
)
"""State of an indexer between calls."""

REASONS = 5
"""Number of reasons for which a packet may be skipped (`vectorplane.pcap.link` has their codes)."""

INTERFACE = np.dtype(
    [
        ("link", "i8"),  # kind of its link layer (vectorplane.pcap.link)
        ("snaplen", "i8"),  # 0: no limit
        ("resolution", "i8"),  # if_tsresol as in the file: bit 7 set: 2^-n s, else 10^-n s
        ("tsoffset", "i8"),  # seconds to add
        ("scale", "i8"),  # these four: see vectorplane.pcap.timestamp.factors
        ("limit", "i8"),
        ("unit", "i8"),
        ("tail", "i8"),
        ("skipped", "i8", (REASONS,)),  # packets skipped, by reason
        ("first", "i8", (REASONS,)),  # offset in the capture of the first of them
    ]
)
"""One interface, as the indexers see it."""

RECORD_SIZE, INTERFACE_SIZE = RECORD.itemsize, INTERFACE.itemsize
SKIPPED_AT, FIRST_AT = offsets(INTERFACE, "skipped", "first")

LENGTHS_NORMAL, LENGTHS_SWAPPED, LENGTHS_MAYBE_SWAPPED = 0, 1, 2
"""Captured length first; original length first (before 2.3); the smaller one is the captured (2.3)."""

# Why an indexer stopped. Events up to LONG_BLOCK are no damage.
MORE = 0  # the rest of the window is no whole record
FULL = 1  # no room for another record
SECTION = 2  # a whole section header block is at start: Python's turn (detail: its length)
DESCRIPTION = 3  # a whole interface description block is at start: Python's turn (detail: its length)
LONG_BLOCK = 4  # a block of unknown type longer than block_limit is at start (detail: its length)
PACKET_LENGTH = 10  # the captured length is beyond packet_limit (detail: that length)
BLOCK_LENGTH = 11  # the block length is impossible for its type (detail: that length)
TRAILER = 12  # the length at the block's end differs (detail: that length)
BYTE_ORDER = 13  # a section header without a byte-order magic (detail: what is there)
NO_INTERFACE = 14  # a packet of an interface that was not described (detail: its number)
PACKET_FIT = 15  # the captured bytes do not fit into their block (detail: captured length)
