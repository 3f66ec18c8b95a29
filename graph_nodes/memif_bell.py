"""Interrupts of memif: the eventfd of a ring's receiver is signalled, unless the ring's flags say that it polls.

The peer holds the same eventfd. It can fill its counter and make it blocking at any moment, and a plain write of ours
would then wait for ever. What the kernel does when an asynchronous read ends (``io_submit`` with ``IOCB_FLAG_RESFD``)
is the one way to signal an eventfd that never waits: so we "read" from an empty file of our own and let the end of
that ring. Where the host has no such system calls (`Bell.context` is 0) the eventfd is written to, non-blocking as we
made it.
"""

from __future__ import annotations

import platform

from vectorplane.graph_nodes.memif_queue import FLAGS, MASK_INT, QUEUE
from vectorplane.jit.kernel import routine
from vectorplane.jit.ops import ld16, ld32, rec, st32
from vectorplane.jit.shared_memory import fence
from vectorplane.jit.system_call import WRITE, system_call

IO_SUBMIT = 2 if platform.machine() == "aarch64" else 209
RING_HEAD, RING_TAIL = 8, 12
"""Places in the ring of completions, which lies at the address that is the context."""
IOCB_SIZE = 64
BELL_SIZE = 128
"""Memory of a bell: a ``struct iocb``, its address, eight bytes for what is never read, and the number one."""
POINTER, SINK, ONE = IOCB_SIZE, IOCB_SIZE + 8, IOCB_SIZE + 16


@routine
def notify(queue: int) -> None:
    """Packets were put into a sending queue and published: wake the receiver if it sleeps."""
    q = rec(queue, QUEUE)
    fence()  # the flags are looked at after the packets can be seen; the receiver does it the other way round
    if (ld16(q.ring + FLAGS) & MASK_INT) != 0 or q.bell_fd < 0:
        return
    q.interrupts += 1
    if q.bell_context != 0:
        system_call(IO_SUBMIT, q.bell_context, 1, q.bell_submit + POINTER)
        st32(q.bell_context + RING_HEAD, ld32(q.bell_context + RING_TAIL))  # nobody wants to know how it ended
    else:
        system_call(WRITE, q.bell_fd, q.bell_submit + ONE, 8)
