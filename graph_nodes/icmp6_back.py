"""How an ICMPv6 message that is answered in place goes back: with the Ethernet header of the question, turned round."""

from __future__ import annotations

from vectorplane.dataplane.buffer import BUFFER, DATA, LOCALLY_ORIGINATED
from vectorplane.dataplane.interface import INTERFACE
from vectorplane.graph_nodes.arp_header import interface_at
from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import ld16, ld32, rec, st16, st32

_SHORTEST = 14


@helper
def came_with_ethernet(b: int) -> bool:
    """Is there an Ethernet header in front of the packet?"""
    m = rec(b, BUFFER)
    return bool(m.current_data - m.l2_offset >= _SHORTEST)


@helper
def send_back(worker: int, b: int) -> None:
    """Put the Ethernet header in front again, tags included: to whom it came from, from the interface's own address."""
    m = rec(b, BUFFER)
    sw_if = m.rx_sw_if
    ethernet = b + DATA + m.l2_offset
    mac = rec(interface_at(worker, sw_if), INTERFACE).mac
    st32(ethernet, ld32(ethernet + 6))
    st16(ethernet + 4, ld16(ethernet + 10))
    st32(ethernet + 6, mac)
    st16(ethernet + 10, mac >> 32)
    m.current_length = m.current_length + (m.current_data - m.l2_offset)
    m.current_data = m.l2_offset
    m.tx_sw_if = sw_if
    m.rx_sw_if = 0
    m.flags |= LOCALLY_ORIGINATED
