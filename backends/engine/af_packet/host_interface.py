"""An interface of the host: brought up and looked at by netlink (pyroute2), then watched without waiting.

`LinkWatch` is a socket of netlink of its own (rtnetlink(7)): reading it never blocks the thread that moves packets.
"""

from __future__ import annotations

import errno
import socket
import struct
from dataclasses import dataclass, replace

_UP, _LOWER_UP = 0x1, 0x10000
_ETHERNET, _LOOPBACK = 1, 772
_GROUP_LINK = 1
_ERROR, _NEW_LINK, _DEL_LINK, _GET_LINK, _REQUEST = 2, 16, 17, 18, 1
_HEADER, _INFO, _ATTRIBUTE = struct.Struct("IHHII"), struct.Struct("BxHiII"), struct.Struct("HH")
_MTU = 4
_LONGEST = 65535  # no IP packet is longer, whatever the host allows (lo: 65,536)


@dataclass(frozen=True)
class Found:
    """What the host says: its number, MTU (bytes of L3) and whether there is a link."""

    index: int
    mtu: int
    carrier: bool


def _carrier(flags: int) -> bool:
    return flags & (_UP | _LOWER_UP) == _UP | _LOWER_UP


def bring_up(name: str) -> Found:
    """Set the interface of that name, of the thread's namespace, up; gives what it is.

    Raises:
        OSError: there is none, it is no Ethernet, or it can't be set up; the message says so.
    """
    from pyroute2 import IPRoute
    from pyroute2.netlink.exceptions import NetlinkError

    with IPRoute() as netlink:
        found = netlink.link_lookup(ifname=name)
        if not found:
            raise OSError(errno.ENODEV, f"host interface {name} is not there")
        try:
            link = netlink.get_links(found[0])[0]
            if link["ifi_type"] not in (_ETHERNET, _LOOPBACK):
                raise OSError(errno.EINVAL, f"host interface {name} is no Ethernet interface")
            if not link["flags"] & _UP:
                netlink.link("set", index=found[0], state="up")
                link = netlink.get_links(found[0])[0]
            return Found(found[0], min(int(link.get_attr("IFLA_MTU")), _LONGEST), _carrier(link["flags"]))
        except NetlinkError as error:
            raise OSError(error.code, f"host interface {name}: cannot bring it up: {error.args[1]}") from None


class LinkWatch:
    """Tells what becomes of an interface of the thread's network namespace. Raises OSError."""

    def __init__(self, found: Found) -> None:
        self.found: Found | None = found
        """As it is now; None: it is gone."""
        self._index = found.index
        kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK
        self._socket = socket.socket(socket.AF_NETLINK, kind, socket.NETLINK_ROUTE)
        try:
            self._socket.bind((0, _GROUP_LINK))
            self._ask()  # what changed before the socket was there
        except BaseException:
            self._socket.close()
            raise

    def _ask(self) -> None:
        info = _INFO.pack(0, 0, self._index, 0, 0)
        self._socket.send(_HEADER.pack(_HEADER.size + len(info), _GET_LINK, _REQUEST, 0, 0) + info)

    def fileno(self) -> int:
        """Its file descriptor, readable when there is news (of any interface)."""
        return self._socket.fileno()

    def look(self) -> Found | None:
        """Take the news in; gives the interface as it is now."""
        while True:
            try:
                data = self._socket.recv(1 << 16)
            except BlockingIOError:
                return self.found
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                self._ask()  # there was more news than the socket holds
                continue
            at = 0
            while at + _HEADER.size <= len(data):
                size, kind = _HEADER.unpack_from(data, at)[:2]
                self._take(kind, data[at + _HEADER.size : at + size])
                at += max(_HEADER.size, (size + 3) & ~3)

    def _take(self, kind: int, body: bytes) -> None:
        if kind == _ERROR:  # the answer when there is no such interface
            if len(body) >= 4 and struct.unpack_from("i", body)[0] == -errno.ENODEV:
                self.found = None
            return
        if kind not in (_NEW_LINK, _DEL_LINK) or len(body) < _INFO.size:
            return
        family, _, index, flags, _ = _INFO.unpack_from(body)
        if family != 0 or index != self._index or self.found is None:  # a family: of a bridge's port
            return
        if kind == _DEL_LINK:
            self.found = None
            return
        mtu, at = self.found.mtu, _INFO.size
        while at + _ATTRIBUTE.size <= len(body):
            size, name = _ATTRIBUTE.unpack_from(body, at)
            if name == _MTU and size == 8:
                mtu = min(struct.unpack_from("I", body, at + 4)[0], _LONGEST)
            at += max(4, (size + 3) & ~3)
        self.found = replace(self.found, mtu=mtu, carrier=_carrier(flags))

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
