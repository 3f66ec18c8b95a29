"""The rings of packet sockets, as their kernels see them (the kernel's Documentation/networking/packet_mmap.rst).

A receive ring of TPACKET_V3 is blocks of equal size. A block that is ours begins with its descriptor (48 bytes) and
holds frames, each behind a header (48 bytes) that says where the frame lies and how far it is to the next header.
Fields are in the machine's byte order:

    block: +8 status  +12 frames  +16 offset of the first header
    frame: +0 offset of the next header  +12 bytes here  +16 bytes of the frame  +20 status  +24 offset of the bytes
           +32 VLAN tag  +36 its type

The vnet header, when there is one, lies right in front of the bytes.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import numpy as np

from vectorplane.graph_nodes.host_queue import IOVEC, HostQueues

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

QUEUE = np.dtype(
    [
        ("fd", "i8"),
        ("state", "i8"),  # CLOSED, OPEN, GONE
        ("sw_if_index", "i8"),
        ("vnet", "i8"),  # bytes of the vnet header: 0 or VNET_SHORT
        ("gso", "i8"),  # 1: TCP over IPv4 that is to be cut stays whole
        ("ring", "i8"),  # address of the first block
        ("block_size", "i8"),
        ("blocks", "i8"),
        ("block", "i8"),  # the one that is read, or waited for
        ("left", "i8"),  # frames of it that are still to be read; 0: wait for it
        ("at", "i8"),  # offset of the next frame's header in it
        ("done", "i8"),  # payload of that frame that has been cut off already
        ("pad", "i8", (4,)),
    ]
)
QUEUE_SIZE = QUEUE.itemsize
assert QUEUE_SIZE == 128
BLOCK_STATUS, BLOCK_FRAMES, BLOCK_FIRST, BLOCK_HEADER = 8, 12, 16, 48
FRAME_NEXT, FRAME_SIZE, FRAME_WIRE, FRAME_STATUS, FRAME_AT, FRAME_TAG, FRAME_TAG_TYPE = 0, 12, 16, 20, 24, 32, 36
FRAME_HEADER = 48
USER, TIMED_OUT = 1, 32
"""Status of a block: it is ours; it was given before it was full (TP_STATUS_USER, TP_STATUS_BLK_TMO)."""
TAGGED, TAG_TYPE_KNOWN = 16, 64
"""Status of a frame: its VLAN tag was taken out of it, and the tag's type is told (TP_STATUS_VLAN_...)."""

TX = np.dtype(
    [
        ("fd", "i8"),
        ("state", "i8"),
        ("sw_if_index", "i8"),
        ("vnet", "i8"),
        ("gso", "i8"),  # 1: the host cuts TCP
        ("messages", "i8"),  # address of MESSAGE [256]
        ("iov", "i8"),  # address of struct iovec [PIECES]
        ("headers", "i8"),  # address of HEADER_ROOM bytes a packet, each for a vnet header
    ]
)
MESSAGE = np.dtype(
    [
        ("name", "i8"),
        ("name_size", "i8"),
        ("iov", "i8"),
        ("pieces", "i8"),
        ("control", "i8", (2,)),
        ("flags", "i8"),
        ("sent", "i8"),
    ]
)
"""``struct mmsghdr``: what ``sendmmsg`` takes."""
assert MESSAGE.itemsize == 64
HEADER_ROOM = 16
MAX_IOV = 64
"""A frame of 64 KB and its vnet header are not in more pieces."""
PIECES = 1024
"""Pieces in one system call."""
SCRATCH = 256 * MESSAGE.itemsize + PIECES * IOVEC.itemsize + 256 * HEADER_ROOM
"""Bytes that `TX` points to."""
DONTWAIT = 0x40
EAGAIN, EINTR, ENOBUFS, ENETDOWN = errno.EAGAIN, errno.EINTR, errno.ENOBUFS, errno.ENETDOWN
ENXIO, ENODEV = errno.ENXIO, errno.ENODEV


class AfPacketQueues(HostQueues):
    """The receive queues of a dataplane's packet sockets: a table of `QUEUE` a worker."""

    def __init__(self, plane: Dataplane) -> None:
        super().__init__(plane, QUEUE)
