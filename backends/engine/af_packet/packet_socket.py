"""Packet sockets of an interface of the host: one a queue, each with a receive ring in memory that both sides see.

See packet(7), and Documentation/networking/packet_mmap.rst of the kernel.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import socket
import struct
from contextlib import suppress

from vectorplane.jit import twin
from vectorplane.jit.kernel import JIT

BLOCK_SIZE, BLOCKS = 1 << 17, 32
"""A block holds the longest frame there is (64 KB, left to be cut)."""
_UNIT = 2048  # what the kernel wants blocks to be a multiple of; frames of a TPACKET_V3 ring are as long as they are
_TIMEOUT = 1  # ms after which a block is given though it is not full, as in VPP
_SEND_BUFFER = 8 << 20
_ALL = 0x0003  # ETH_P_ALL
_SOL_PACKET = 263
_ADD, _DROP, _RX_RING, _STATISTICS, _VERSION, _VNET_HDR, _FANOUT, _BYPASS, _IGNORE_OUTGOING = (
    1,
    2,
    5,
    6,
    10,
    15,
    18,
    20,
    23,
)
_SO_SNDBUFFORCE = 32
_V3 = 2
_FANOUT_HASH, _FANOUT_UNIQUE, _FANOUT_IGNORE_OUTGOING = 0, 0x2000, 0x4000
PROMISCUOUS, ALL_MULTICAST, STATION = 1, 2, 3
"""What a socket may ask the interface to take: everything, all groups, one more MAC address (PACKET_MR_...)."""
_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]


def _explain(error: OSError, name: str) -> OSError:
    if error.errno in (errno.EPERM, errno.EACCES):
        text = f"host interface {name}: the kernel refuses it: root is needed (or the capability CAP_NET_RAW)"
    elif error.errno in (errno.ENODEV, errno.ENXIO):
        text = f"host interface {name} is not there"
    elif error.errno == errno.ENOMEM:
        text = f"host interface {name}: the kernel has no memory for a ring of {BLOCK_SIZE * BLOCKS >> 20} MB"
    else:
        text = f"host interface {name}: {error.strerror}"
    return OSError(error.errno, text)


class PacketSocket:
    """One socket with its ring, not blocking, bound to the interface ``name`` of the thread's network namespace.

    ``vnet``: every frame has a vnet header. ``bypass``: what is sent does not queue in the host. Raises OSError.
    """

    def __init__(self, name: str, *, vnet: bool, bypass: bool) -> None:
        self.address = 0
        """Of the ring: `BLOCKS` blocks of `BLOCK_SIZE` bytes."""
        # of no protocol at first: else it would take frames of all interfaces until it is bound
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
        try:
            self._option(_VERSION, struct.pack("i", _V3))
            if vnet:
                self._option(_VNET_HDR, struct.pack("i", 1))
            with suppress(OSError):  # kernels before 3.14 and 4.20 do without
                self._option(_BYPASS, struct.pack("i", bypass))
                self._option(_IGNORE_OUTGOING, struct.pack("i", 1))
            with suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, _SEND_BUFFER)
            ring = (BLOCK_SIZE, BLOCKS, _UNIT, BLOCK_SIZE // _UNIT * BLOCKS, _TIMEOUT, 0, 0)
            self._option(_RX_RING, struct.pack("7I", *ring))
            self._map()
            self._socket.bind((name, _ALL))
        except BaseException:
            self.close()
            raise

    def _option(self, number: int, value: bytes) -> None:
        self._socket.setsockopt(_SOL_PACKET, number, value)

    def _map(self) -> None:
        access = mmap.PROT_READ | mmap.PROT_WRITE
        # not the mmap module: it would keep a second descriptor of the socket as long as an array sees the ring
        address = _libc.mmap(None, BLOCK_SIZE * BLOCKS, access, mmap.MAP_SHARED, self.fileno(), 0)
        if address == ctypes.c_void_p(-1).value:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        self.address = int(address)
        if not JIT:
            twin.register(self.address, BLOCK_SIZE * BLOCKS, "ring of a packet socket")

    def fileno(self) -> int:
        """Its file descriptor."""
        return self._socket.fileno()

    def join(self, group: int | None) -> int:
        """Share the frames, by flow, with the sockets of a fanout group (None: a new one); gives its number."""
        for extra in (_FANOUT_IGNORE_OUTGOING, 0):  # kernels before 5.16 refuse the first
            kind = _FANOUT_HASH | extra | (_FANOUT_UNIQUE if group is None else 0)
            try:
                self._option(_FANOUT, struct.pack("I", (group or 0) | kind << 16))
                break
            except OSError as error:
                if error.errno != errno.EINVAL or not extra:
                    raise
        return int(struct.unpack("I", self._socket.getsockopt(_SOL_PACKET, _FANOUT, 4))[0]) & 0xFFFF

    def ask(self, index: int, what: int, mac: bytes = b"", add: bool = True) -> None:
        """Have the interface with this number take more than its own frames, or no more. It ends with the socket."""
        with suppress(OSError):  # an interface without filters takes everything anyway
            self._option(_ADD if add else _DROP, struct.pack("iHH8s", index, what, len(mac), mac))

    def missed(self) -> int:
        """Frames that found the ring full since this was last asked."""
        return int(struct.unpack("3I", self._socket.getsockopt(_SOL_PACKET, _STATISTICS, 12))[1])

    def clear_error(self) -> None:
        """The socket is readable as long as an error (the interface went down) waits to be fetched."""
        self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)

    def close(self) -> None:
        """Give socket and ring back. Kernels must have let go of it."""
        if self.address:
            if not JIT:
                twin.unregister(self.address)
            _libc.munmap(self.address, BLOCK_SIZE * BLOCKS)
            self.address = 0
        self._socket.close()


def open_sockets(name: str, queues: int, *, vnet: bool, bypass: bool) -> list[PacketSocket]:
    """A socket a queue; several share the frames by flow.

    Raises:
        OSError: it can't be had; the message says why.
    """
    made: list[PacketSocket] = []
    group = None
    try:
        for _ in range(queues):
            made.append(PacketSocket(name, vnet=vnet, bypass=bypass))
            if queues > 1:
                group = made[-1].join(group)
    except OSError as error:
        for each in made:
            each.close()
        raise _explain(error, name) from None
    return made
