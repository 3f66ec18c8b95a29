"""``/dev/net/tun``: the queues of a tap, each a file descriptor that gives and takes frames with a vnet header."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import time
from contextlib import suppress

from vectorplane.graph_nodes.vnet_header import VNET_SIZE

_TUNSETIFF, _TUNSETOFFLOAD, _TUNSETVNETHDRSZ = 0x400454CA, 0x400454D0, 0x400454D8
_IFF_TAP, _IFF_NO_PI, _IFF_VNET_HDR, _IFF_MULTI_QUEUE = 0x0002, 0x1000, 0x4000, 0x0100
_F_CSUM, _F_TSO4, _F_TSO_ECN = 0x01, 0x02, 0x08
_PATH = "/dev/net/tun"
_ATTEMPTS, _MOMENT = 5, 0.005


def _explain(error: OSError, name: str) -> OSError:
    if error.errno == errno.EPERM:
        text = f"tap {name}: the kernel refuses it: root is needed (or the capability CAP_NET_ADMIN)"
    elif error.errno == errno.EBUSY:
        text = f"tap {name}: another program has the host interface {name}"
    elif error.errno in (errno.ENOENT, errno.ENXIO, errno.ENODEV):
        text = f"tap {name}: the kernel has no {_PATH} (modprobe tun)"
    else:
        text = f"tap {name}: {error.strerror}"
    return OSError(error.errno, text)


def open_queues(name: str, queues: int, *, checksum_offload: bool, gso: bool) -> list[int]:
    """A new host interface ``name`` in the thread's network namespace: a file descriptor a queue, non-blocking.

    ``checksum_offload``: the host may leave TCP and UDP checksums to us; ``gso``: also the cutting of TCP.

    Raises:
        OSError: it can't be had; the message says why.
    """
    fds: list[int] = []
    flags = _IFF_TAP | _IFF_NO_PI | _IFF_VNET_HDR | (_IFF_MULTI_QUEUE if queues > 1 else 0)
    offload = (_F_CSUM if checksum_offload or gso else 0) | (_F_TSO4 | _F_TSO_ECN if gso else 0)
    try:
        for _ in range(queues):
            fd = os.open(_PATH, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            fds.append(fd)
            _attach(fd, struct.pack("16sH22x", name.encode(), flags))
            fcntl.ioctl(fd, _TUNSETVNETHDRSZ, struct.pack("i", VNET_SIZE))
        fcntl.ioctl(fds[0], _TUNSETOFFLOAD, offload)
    except OSError as error:
        close_queues(fds)
        raise _explain(error, name) from None
    return fds


def _attach(fd: int, wanted: bytes) -> None:
    """Have the queue be the interface's. One that has just been let go of under this name may need a moment."""
    for left in reversed(range(_ATTEMPTS)):
        try:
            fcntl.ioctl(fd, _TUNSETIFF, wanted)
            return
        except OSError as error:
            if error.errno != errno.EBUSY or not left:
                raise
            time.sleep(_MOMENT)


def close_queues(fds: list[int]) -> None:
    """Let go of them; the host interface is gone then."""
    for fd in fds:
        with suppress(OSError):
            os.close(fd)
