"""ARP packets (RFC 826) for IPv4 over Ethernet: layout, errors, counters, trace text, and the header of a reply."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

import numpy as np

from vectorplane.dataplane.abi import WORKER, buffer_index, frame_n
from vectorplane.dataplane.buffer import BUFFER, DATA, buffer_at
from vectorplane.dataplane.interface import INTERFACE, INTERFACE_SIZE, MAX_INTERFACES
from vectorplane.dataplane.node import Trace
from vectorplane.dataplane.trace import add_trace, is_traced
from vectorplane.jit.kernel import helper, kernel
from vectorplane.jit.ops import bswap16, copy, ld8, ld16, ld32, ld64, rec, st16, st32, st64

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

# offsets in an ARP packet
L2_TYPE, L3_TYPE, SIZES, OPCODE, SENDER_MAC, SENDER_IP, TARGET_MAC, TARGET_IP, ARP_SIZE = 0, 2, 4, 6, 8, 14, 18, 24, 28
# fields as a little-endian load sees them
ETHERNET_LE, IP4_LE, SIZES_LE, REQUEST_LE, REPLY_LE, ARP_LE = 0x0100, 0x0008, 0x0406, 0x0100, 0x0200, 0x0608
MAC_MASK = 0xFFFFFFFFFFFF

ERRORS = (
    ("replies_sent", "ARP replies sent"),
    ("disabled", "ARP Disabled"),
    ("l2_type_not_ethernet", "L2 type not ethernet"),
    ("l3_type_not_ip4", "L3 type not IP4"),
    ("l3_src_address_not_local", "IP4 source address not local to subnet"),
    ("l3_dst_address_not_local", "IP4 destination address not local to subnet"),
    ("l3_dst_address_unset", "IP4 destination address is unset"),
    ("l3_src_address_is_local", "IP4 source address matches local interface"),
    ("l3_src_address_learned", "ARP request IP4 source address learned"),
    ("replies_received", "ARP replies received"),
    ("opcode_not_request", "ARP opcode not request"),
    ("proxy_arp_replies_sent", "Proxy ARP replies sent"),
    ("l2_address_mismatch", "ARP hw addr does not match L2 frame src addr"),
    ("gratuitous_arp", "ARP probe or announcement dropped"),
    ("interface_no_table", "Interface is not mapped to an IP table"),
    ("interface_not_ip_enabled", "Interface is not IP enabled"),
    ("unnumbered_mismatch", "RX interface is unnumbered to different subnet"),
    ("too_short", "ARP packet too short"),  # not VPP's: it does not look at the length
)
"""VPP's ``counters arp``, shared by arp-input, arp-disabled, arp-reply and arp-proxy."""
(
    REPLIES_SENT,
    DISABLED,
    L2_TYPE_NOT_ETHERNET,
    L3_TYPE_NOT_IP4,
    L3_SRC_ADDRESS_NOT_LOCAL,
    L3_DST_ADDRESS_NOT_LOCAL,
    L3_DST_ADDRESS_UNSET,
    L3_SRC_ADDRESS_IS_LOCAL,
    L3_SRC_ADDRESS_LEARNED,
    REPLIES_RECEIVED,
    OPCODE_NOT_REQUEST,
    PROXY_ARP_REPLIES_SENT,
    L2_ADDRESS_MISMATCH,
    GRATUITOUS_ARP,
    INTERFACE_NO_TABLE,
    INTERFACE_NOT_IP_ENABLED,
    UNNUMBERED_MISMATCH,
    ARP_TOO_SHORT,
) = range(18)


class ArpCounters:
    """``/net/arp/{rx,tx}/{replies,requests,gratuitous}``: packets by interface."""

    def __init__(self, plane: Dataplane) -> None:
        names = [(d, k) for d in ("rx", "tx") for k in ("replies", "requests", "gratuitous")]
        self.vectors = {n: plane.stats.simple(f"/net/arp/{n[0]}/{n[1]}", MAX_INTERFACES) for n in names}

    def addresses(self, direction: str, kind: str) -> list[int]:
        """A counter's address in each worker."""
        return self.vectors[direction, kind].addresses

    def extend(self, sw_if_index: int) -> None:
        """Show the counters of all interfaces up to this one."""
        for vector in self.vectors.values():
            vector.extend(sw_if_index + 1)


@helper
def tick(counters: int, sw_if: int) -> None:
    """One more in an interface's counter."""
    at = counters + 8 * sw_if
    st64(at, ld64(at) + 1)


@helper
def put_ethernet(at: int, interface: int, destination: int, ethertype_le: int) -> None:
    """Write the Ethernet header of what an interface sends, its VLAN tags included, at ``at``.

    ``interface``: address of its `INTERFACE` record; ``destination``: a MAC's bytes as a little-endian number.
    """
    s = rec(interface, INTERFACE)
    st32(at, destination)
    st16(at + 4, destination >> 32)
    st32(at + 6, s.mac)
    st16(at + 10, s.mac >> 32)
    at += 12
    if s.tag_count > 0:
        st16(at, bswap16(s.outer_type))
        st16(at + 2, bswap16(s.tags & 0xFFF))
        at += 4
        if s.tag_count > 1:
            st16(at, 0x0081)
            st16(at + 2, bswap16((s.tags >> 16) & 0xFFF))
            at += 4
    st16(at, ethertype_le)


@helper
def make_reply(b: int, interface: int, sw_if: int, address: int) -> None:
    """Turn the ARP request at the start of the packet into its reply: ``address`` (as it stands in a packet) is here.

    As VPP, the reply goes to the source of the frame that brought the request.
    """
    m = rec(b, BUFFER)
    arp = b + DATA + m.current_data
    l2_source = ld64(b + DATA + m.l2_offset + 4) >> 16 & MAC_MASK
    st16(arp + OPCODE, REPLY_LE)
    st64(arp + TARGET_MAC, ld64(arp + SENDER_MAC))
    st16(arp + TARGET_MAC + 8, ld16(arp + SENDER_MAC + 8))
    mac = rec(interface, INTERFACE).mac
    st32(arp + SENDER_MAC, mac)
    st16(arp + SENDER_MAC + 4, mac >> 32)
    st32(arp + SENDER_IP, address)
    length = 14 + 4 * rec(interface, INTERFACE).tag_count
    m.current_data = m.current_data - length
    m.current_length = m.current_length + length
    m.tx_sw_if = sw_if
    put_ethernet(arp - length, interface, l2_source, ARP_LE)


ARP_TRACE = np.dtype([("length", "i4"), ("packet", "i1", (64,))])


@kernel
def arp_tracer(worker: int, node: int, frame: int) -> int:
    """The first 64 bytes of each traced packet, before the node works on it."""
    n = frame_n(frame)
    for i in range(n):
        bi = buffer_index(frame, i)
        b = buffer_at(worker, bi)
        if is_traced(b):
            body = add_trace(worker, node, b, bi, 0)
            if body != 0:
                m = rec(b, BUFFER)
                length = min(m.current_length, 64)
                rec(body, ARP_TRACE).length = length
                copy(body + 4, b + DATA + m.current_data, length)
    return n


_HARDWARE = {0: "reserved", 1: "ethernet", 2: "experimental_ethernet", 6: "ieee_802", 15: "frame_relay"}
_OPCODES = ("reserved", "request", "reply", "reverse_request", "reverse_reply", "drarp_request", "drarp_reply")


def arp_text(packet: bytes) -> str:
    """An ARP packet as VPP's ``format_ethernet_arp_header`` shows it, in two lines."""
    if len(packet) < ARP_SIZE:
        return "ARP header truncated"
    l2, l3, opcode = (int.from_bytes(packet[k : k + 2], "big") for k in (L2_TYPE, L3_TYPE, OPCODE))
    what = _OPCODES[opcode] if opcode < len(_OPCODES) else f"unknown 0x{opcode:x}"
    hardware = _HARDWARE.get(l2, f"unknown 0x{l2:x}")
    protocol = "IP4" if l3 == 0x0800 else f"0x{l3:04x}"
    n2, n3 = packet[4], packet[5]
    lines = [f"{what}, type {hardware}/{protocol}, address size {n2}/{n3}"]
    if l2 == 1 and l3 == 0x0800:
        ends = [(packet[k : k + 6].hex(":"), ipaddress.IPv4Address(packet[k + 6 : k + 10])) for k in (8, 18)]
        lines.append(" -> ".join(f"{mac}/{ip}" for mac, ip in ends))
    else:
        rest = packet[8:]
        size = n2 + n3
        ends_raw = [(rest[k : k + n2].hex(), rest[k + n2 : k + size].hex()) for k in (0, size)]
        lines.append(" -> ".join(f"{a}/{b}" for a, b in ends_raw))
    return "\n".join(lines)


def format_arp(record: Any, plane: Dataplane) -> str:
    """The trace text of the ARP nodes."""
    return arp_text(bytes(record["packet"].view("u1")[: int(record["length"])]))


ARP_NODE_TRACE = Trace(ARP_TRACE, arp_tracer, format_arp, before=True)


@helper
def same_mac(a: int, b: int) -> bool:
    """Are the six bytes at two addresses the same?"""
    return bool(ld32(a) == ld32(b) and ld16(a + 4) == ld16(b + 4))


@helper
def mac_at(address: int) -> int:
    """The six bytes at an address as a little-endian number."""
    return int(ld32(address) | (ld16(address + 4) << 32))


@helper
def is_vrrp_mac(address: int) -> bool:
    """Is this the MAC of an IPv4 VRRP virtual router (RFC 5798 7.3)?"""
    return bool(ld32(address) == 0x5E0000 and ld8(address + 4) == 1)


@helper
def interface_at(worker: int, sw_if: int) -> int:
    """Address of an interface's record."""
    return int(rec(worker, WORKER).interfaces) + sw_if * INTERFACE_SIZE
