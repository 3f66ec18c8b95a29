"""The header that Linux puts in front of a frame of a tap: which checksum is missing, and how TCP is to be cut.

``struct virtio_net_hdr_v1`` (Virtual I/O Device 1.2, 5.1.6), 12 bytes in the machine's byte order:

    +0  flags (1: a checksum is to be filled in)   +1  GSO type (0 none, 1 TCP over IPv4; 0x80 with ECN)
    +2  bytes of headers   +4  payload of a segment   +6  where the sum begins   +8  where behind that it goes
    +10 number of buffers

What arrives without its checksum gets it here at once: so a packet is whole wherever the graph leads it, into a tunnel,
a bridge or a capture. TCP that is to be cut into segments stays as it is (`GSO`), and its checksum with it.
"""

from __future__ import annotations

from vectorplane.dataplane.buffer import (
    BUFFER,
    DATA,
    GSO,
    GSO_SIZE,
    L4_CHECKSUM_COMPUTED,
    L4_CHECKSUM_CORRECT,
    OFFLOAD_L4_CHECKSUM,
    length_in_chain,
)
from vectorplane.graph_nodes.checksum_offload import pseudo_header
from vectorplane.graph_nodes.ip4_header import PROTOCOL, fold, payload_length
from vectorplane.graph_nodes.l4_checksum import chain_sum
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import ld8, ld16, ld64, rec, st16, st32, st64

VNET_SIZE = 12
VNET_SHORT = 10
"""The header without the number of buffers, as packet sockets have it."""
NEEDS_CHECKSUM = 1
GSO_TCP4, GSO_TCP6, GSO_UDP, GSO_ECN = 1, 4, 5, 0x80
_IP4_LE, _TCP = 0x0008, 6
_ETHERNET = 14


@helper
def _tcp4_headers(b: int) -> int:
    """Bytes of the IPv4 and TCP headers right behind an Ethernet header, all in the first buffer; 0: not so."""
    m = rec(b, BUFFER)
    room = m.current_length - _ETHERNET
    frame = b + DATA + m.current_data
    ip = frame + _ETHERNET
    if room < 20 or ld16(frame + 12) != _IP4_LE or ld8(ip + PROTOCOL) != _TCP:
        return 0
    at = (ld8(ip) & 15) * 4
    if at < 20 or room < at + 20:
        return 0
    tcp = (ld8(ip + at + 12) >> 4) * 4
    return at + tcp if tcp >= 20 and room >= at + tcp else 0


@routine
def _mark_gso(b: int, header: int) -> bool:
    """Mark a packet as TCP that is to be cut, as the header says; False when its own headers say something else."""
    m = rec(b, BUFFER)
    size = ld16(header + 4)
    headers = _tcp4_headers(b)
    if (ld8(header + 1) & ~GSO_ECN) != GSO_TCP4 or size == 0 or headers == 0:
        return False
    m.flags |= GSO | OFFLOAD_L4_CHECKSUM | L4_CHECKSUM_COMPUTED | L4_CHECKSUM_CORRECT
    st64(b + GSO_SIZE, size + headers)
    return True


@routine
def finish_partial(worker: int, b: int, start: int, place: int) -> bool:
    """Finish a checksum: from byte ``start`` of the packet on, stored ``place`` bytes behind it, where the sum of its
    pseudo header stands already. False: the packet is too short for that.
    """
    m = rec(b, BUFFER)
    size = length_in_chain(b) - start
    at = start + place
    if size < place + 2 or at + 2 > m.current_length:
        return False
    total = chain_sum(worker, b, start, size, 0)
    if total < 0:
        return False
    value = ~fold(total) & 0xFFFF
    st16(b + DATA + m.current_data + at, 0xFFFF if value == 0 else value)
    m.flags |= L4_CHECKSUM_COMPUTED | L4_CHECKSUM_CORRECT
    return True


@routine
def take_vnet_header(worker: int, b: int, header: int) -> bool:
    """Do for the packet at ``b`` what the header at ``header`` asks for; False: it asks for what can't be."""
    if ld8(header + 1) != 0:
        return _mark_gso(b, header)
    if ld8(header) & NEEDS_CHECKSUM:
        return finish_partial(worker, b, ld16(header + 6), ld16(header + 8))
    return True


@routine
def put_vnet_header(b: int, header: int) -> bool:
    """The header for a packet that is `GSO`, whose TCP checksum becomes that of its pseudo header.

    False: its headers are not those of TCP over IPv4 right behind Ethernet.
    """
    headers = _tcp4_headers(b)
    size = ld64(b + GSO_SIZE) - headers
    if headers == 0 or size <= 0 or size > 0xFFFF:
        return False
    ip = b + DATA + rec(b, BUFFER).current_data + _ETHERNET
    at = (ld8(ip) & 15) * 4
    st32(header, NEEDS_CHECKSUM | GSO_TCP4 << 8 | (_ETHERNET + headers) << 16)
    st32(header + 4, size | (_ETHERNET + at) << 16)
    st32(header + 8, 16)
    st16(ip + at + 16, fold(pseudo_header(ip, payload_length(ip) & 0xFFFF)))
    return True


@helper
def clear_vnet_header(header: int) -> None:
    """The header of a packet that is complete."""
    st64(header, 0)
    st32(header + 8, 0)
