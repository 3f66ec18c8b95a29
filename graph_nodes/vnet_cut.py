"""Cuts what the host left to be cut (its vnet header says so) into packets, straight out of the memory it lies in.

TCP over IPv4 and IPv6 (as in RFC 9293 each segment has the sequence number of its first byte; FIN and PSH are the last
one's, CWR (RFC 3168 6.1.2) the first one's) and UDP (each part a datagram of its own). Every packet gets its lengths,
its IPv4 id (one more than the one before) and its checksums; all of them begin with the same headers. So TCP of a host
that leaves segmentation to its card arrives here as it would over a wire.
"""

from __future__ import annotations

from vectorplane.dataplane.abi import WORKER
from vectorplane.dataplane.buffer import CELL, DATA, DATA_SIZE, free, take
from vectorplane.graph_nodes.checksum_offload import pseudo_header
from vectorplane.graph_nodes.ip4_header import fold, set_checksum, sum_words
from vectorplane.graph_nodes.l2.header import behind_tags
from vectorplane.graph_nodes.packet_source import extend, new_head
from vectorplane.graph_nodes.vnet_header import GSO_ECN, GSO_TCP4, GSO_TCP6, GSO_UDP, finish_partial
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import be16, be32, bswap16, bswap32, copy, ld8, ld16, rec, st8, st16, st32

_IP4_LE, _IP6_LE = 0x0008, 0xDD86
_TCP, _UDP = 6, 17
_FIN_PSH, _CWR = 0x09, 0x80
NO_BUFFERS, BAD = -1, -2


@helper
def _l3(data: int, l4: int) -> int:
    """Where the IP header of the frame at ``data`` begins, which ends at ``l4``; 0: not so."""
    at = behind_tags(data, 12, l4)
    ip = at + 2
    if ip + 20 > l4:
        return 0
    kind = ld16(data + at)
    if kind == _IP4_LE:
        return ip if (ld8(data + ip) & 15) * 4 == l4 - ip else 0
    return ip if kind == _IP6_LE and ip + 40 <= l4 else 0


@helper
def _headers(data: int, size: int, header: int) -> int:
    """Bytes of all headers of the frame, when it is what its vnet header says and can be cut; 0: it is not."""
    kind = ld8(header + 1) & ~GSO_ECN
    l4 = ld16(header + 6)
    if kind != GSO_TCP4 and kind != GSO_TCP6 and kind != GSO_UDP:
        return 0
    own = 8 if kind == GSO_UDP else 20
    if l4 + own > size or ld16(header + 4) == 0:
        return 0
    ip = _l3(data, l4)
    if ip == 0:
        return 0
    is4 = ld8(data + ip) >> 4 == 4
    protocol = _UDP if kind == GSO_UDP else _TCP
    if (is4 and ld8(data + ip + 9) != protocol) or (kind == GSO_TCP4 and not is4) or (kind == GSO_TCP6 and is4):
        return 0
    if kind != GSO_UDP:
        own = (ld8(data + l4 + 12) >> 4) * 4
    return l4 + own if own >= 8 and l4 + own < size and l4 + own <= 512 and (protocol == _UDP or own >= 20) else 0


@helper
def _write_headers(b: int, ip_at: int, l4: int, size: int, done: int, number: int, udp: bool, last: bool) -> int:
    """Make the copied headers of packet ``number`` of a frame, ``size`` bytes, its own; ``done``: payload before it.

    Gives where in the L4 header the checksum goes.
    """
    ip = b + DATA + ip_at
    at = b + DATA + l4
    is4 = ld8(ip) >> 4 == 4
    place = 6 if udp else 16
    if udp:
        st16(at + 4, bswap16(size - l4))
    else:
        st32(at + 4, bswap32(be32(at + 4) + done))
        flags = ld8(at + 13)
        if not last:
            flags &= ~_FIN_PSH
        if done > 0:
            flags &= ~_CWR
        st8(at + 13, flags)
    if is4:
        st16(ip + 2, bswap16(size - ip_at))
        st16(ip + 4, bswap16(be16(ip + 4) + number))
        set_checksum(ip)
        total = pseudo_header(ip, size - l4)
    else:
        st16(ip + 4, bswap16(size - ip_at - 40))
        total = sum_words(ip + 8, 32) + bswap16(_UDP if udp else _TCP) + bswap16(size - l4)
    st16(at + place, fold(total))
    return place


@routine
def cut(worker: int, data: int, size: int, header: int, done: int, sw_if: int) -> int:
    """The packet that begins ``done`` bytes behind the headers of the frame of ``size`` bytes at ``data``.

    Gives its buffer, `NO_BUFFERS`, or `BAD`: the frame is not what the vnet header at ``header`` says. `reserve` one
    buffer before. `next_cut` tells where the next one begins.
    """
    headers = _headers(data, size, header)
    if headers == 0 or headers + done >= size:
        return BAD
    l4 = ld16(header + 6)
    step = ld16(header + 4)
    part = min(step, size - headers - done)
    first = min(part, DATA_SIZE - headers)
    index = take(worker)
    b = rec(worker, WORKER).pool + index * CELL
    new_head(worker, b, headers + first, 0, rec(worker, WORKER).now, sw_if, 0, 0)
    copy(b + DATA, data, headers)
    copy(b + DATA + headers, data + headers + done, first)
    if first < part and extend(worker, index, data + headers + done + first, part - first) == 0:
        free(worker, index)
        return NO_BUFFERS
    udp = ld8(header + 1) & ~GSO_ECN == GSO_UDP
    last = headers + done + part >= size
    place = _write_headers(b, _l3(data, l4), l4, headers + part, done, done // step, udp, last)
    finish_partial(worker, b, l4, place)
    return index


@helper
def next_cut(data: int, size: int, header: int, done: int) -> int:
    """Where the next packet of a frame that `cut` has taken begins; 0: that was the last one."""
    following = done + ld16(header + 4)
    return following if _headers(data, size, header) + following < size else 0
