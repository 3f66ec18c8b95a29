"""The first packet of a flow that somebody describes."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from vectorplane.graph_nodes.trace_formats import ones_complement

Address = IPv4Address | IPv6Address
TCP, UDP, ICMP, ICMP6, SCTP = 6, 17, 1, 58, 132
_SYN = 2


@dataclass(frozen=True)
class Flow:
    """Addresses, protocol, ports, and what else matters."""

    protocol: int
    source: Address
    destination: Address
    source_port: int = 0
    """Or the ICMP type."""
    destination_port: int = 0
    """Or the ICMP code."""
    flags: int = _SYN
    ident: int = 1
    ttl: int = 64
    tos: int = 0
    length: int = 0
    dont_fragment: bool = False
    fragment: int = 0

    @property
    def version(self) -> int:
        """4 or 6."""
        return self.source.version

    def packet(self) -> bytes:
        """The IP packet, its checksums right."""
        payload = self._payload()
        source, destination = self.source.packed, self.destination.packed
        if self.version == 6:
            first = 6 << 28 | self.tos << 20
            return struct.pack(">IHBB", first, len(payload), self.protocol, self.ttl) + source + destination + payload
        fragment = self.fragment >> 3 | (0x4000 if self.dont_fragment else 0)
        size = 20 + len(payload)
        head = struct.pack(">BBHHHBB", 0x45, self.tos, size, self.ident, fragment, self.ttl, self.protocol)
        checksum = ones_complement(head + b"\0\0" + source + destination)
        return head + struct.pack(">H", checksum) + source + destination + payload

    def _payload(self) -> bytes:
        data = bytes(self.length)
        if self.fragment:
            return data or bytes(8)
        ports = self.source_port, self.destination_port
        if self.protocol == TCP:
            l4, at = struct.pack(">HHIIBBHHH", *ports, 1, 0, 5 << 4, self.flags, 65535, 0, 0), 16
        elif self.protocol == UDP:
            l4, at = struct.pack(">HHHH", *ports, 8 + len(data), 0), 6
        elif self.protocol == SCTP:
            return struct.pack(">HHII", *ports, 0, 0) + data  # no node on its way looks at the checksum
        elif self.protocol in (ICMP, ICMP6):
            l4, at = struct.pack(">BBHHH", *ports, 0, self.ident, 1), 2
        else:
            return data or bytes(8)
        whole = l4 + data
        pseudo = b"" if self.protocol == ICMP else self._pseudo(len(whole))
        checksum = ones_complement(pseudo + whole + b"\0" * (len(whole) & 1))
        if self.protocol == UDP and checksum == 0:
            checksum = 0xFFFF
        return whole[:at] + checksum.to_bytes(2, "big") + whole[at + 2 :]

    def _pseudo(self, size: int) -> bytes:
        ends = self.source.packed + self.destination.packed
        if self.version == 6:
            return ends + struct.pack(">II", size, self.protocol)
        return ends + struct.pack(">BBH", 0, self.protocol, size)
