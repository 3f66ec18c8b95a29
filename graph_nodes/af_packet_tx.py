"""af-packet-tx: ``host-NAME-tx``: hands frames to an interface of the host, which sends them.

A frame of packets is one ``sendmmsg``; nothing is copied here, a chain's buffers are the pieces of its message. Packets
that wait for their checksums have got them in the interface's output node; TCP that is to be cut goes to a host that
does it as one packet, to another it is a drop ("gso disabled on itf  -- gso packet drop").

Errors are VPP's, counted in packets: "tx sendto temporary failure", the host's queue is full; "tx sendto fatal
failure", it does not take this packet (longer than the MTU) or any (the interface is down or gone). "tx frame not
ready" and "tx ring overrun" are those of a ring, which is not used here (docs/decisions/af-packet.md).
"""

from __future__ import annotations

from vectorplane.dataplane.abi import NODE, TERMINAL, WORKER, buffer_index, frame_n
from vectorplane.dataplane.buffer import BUFFER, CELL, GSO, free
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.af_packet_queue import (
    DONTWAIT,
    EAGAIN,
    EINTR,
    ENETDOWN,
    ENOBUFS,
    ENODEV,
    ENXIO,
    HEADER_ROOM,
    MAX_IOV,
    MESSAGE,
    PIECES,
    TX,
)
from vectorplane.graph_nodes.drop import count_tx_drops
from vectorplane.graph_nodes.gather import gather
from vectorplane.graph_nodes.host_queue import OPEN, lose
from vectorplane.graph_nodes.named_by_text import named_by_text
from vectorplane.graph_nodes.trace_packet import TX_TRACE
from vectorplane.graph_nodes.vnet_header import clear_vnet_header, put_vnet_header
from vectorplane.jit.kernel import helper, kernel
from vectorplane.jit.ops import rec, st64
from vectorplane.jit.system_call import SENDMMSG, system_call4

ERRORS = named_by_text(
    "tx frame not ready",
    "tx sendto temporary failure",
    "tx sendto fatal failure",
    "tx ring overrun",
    "gso disabled on itf  -- gso packet drop",
)
E_NOT_READY, E_AGAIN, E_FATAL, E_OVERRUN, E_GSO = range(5)
_MESSAGE = MESSAGE.itemsize


@helper
def drop(worker: int, node: int, error: int, n: int) -> None:
    """``n`` packets that the host did not get."""
    d = rec(node, NODE)
    count_tx_drops(worker, d.err_base + error, rec(d.data, TX).sw_if_index, n)


@helper
def compose(worker: int, node: int, b: int, message: int, iov: int, header: int) -> int:
    """Make a message of the packet at ``b``; gives the pieces that it is in, or - 1 - the error."""
    q = rec(rec(node, NODE).data, TX)
    if rec(b, BUFFER).flags & GSO:
        if q.gso == 0 or not put_vnet_header(b, header):
            return -1 - E_GSO
    else:
        clear_vnet_header(header)
    pieces = 0
    if q.vnet != 0:
        st64(iov, header)
        st64(iov + 8, q.vnet)
        pieces = 1
    pieces = gather(worker, b, iov, pieces, MAX_IOV)
    if pieces == 0:
        return -1 - E_FATAL
    m = rec(message, MESSAGE)
    m.iov = iov
    m.pieces = pieces
    return pieces


@helper
def send(worker: int, node: int, n: int) -> None:
    """Give the host the first ``n`` messages; what it does not take is dropped."""
    queue = rec(node, NODE).data
    q = rec(queue, TX)
    done = 0
    while done < n:
        result = system_call4(SENDMMSG, q.fd, q.messages + done * _MESSAGE, n - done, DONTWAIT)
        if result > 0:
            done += result
        elif result == -EAGAIN or result == -ENOBUFS:
            drop(worker, node, E_AGAIN, n - done)
            return
        elif result == -ENETDOWN or result == -ENXIO or result == -ENODEV:
            drop(worker, node, E_FATAL, n - done)
            if result != -ENETDOWN:
                lose(worker, queue)
            return
        elif result != -EINTR:
            drop(worker, node, E_FATAL, 1)
            done += 1


@kernel
def af_packet_tx(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    pool = rec(worker, WORKER).pool
    q = rec(rec(node, NODE).data, TX)
    n = frame_n(frame)
    if q.state != OPEN:
        drop(worker, node, E_FATAL, n)
    else:
        messages = 0
        pieces = 0
        for i in range(n):
            if pieces + MAX_IOV > PIECES:
                send(worker, node, messages)
                messages = 0
                pieces = 0
            message = q.messages + messages * _MESSAGE
            header = q.headers + messages * HEADER_ROOM
            b = pool + buffer_index(frame, i) * CELL
            made = compose(worker, node, b, message, q.iov + 16 * pieces, header)
            if made < 0:
                drop(worker, node, -1 - made, 1)
            else:
                messages += 1
                pieces += made
        send(worker, node, messages)
    for i in range(n):
        free(worker, buffer_index(frame, i))
    return n


AF_PACKET_TX = NodeType(
    name="af-packet-tx",
    kernel=af_packet_tx,
    kind=TERMINAL,
    errors=ERRORS,
    runtime=TX,
    trace=TX_TRACE,
    doc=__doc__ or "",
)
