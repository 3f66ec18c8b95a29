"""Names the pieces of a packet for a system call that takes them as they lie (``struct iovec``)."""

from __future__ import annotations

from vectorplane.dataplane.buffer import BUFFER, DATA, NEXT_PRESENT, buffer_at
from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import rec, st64


@helper
def gather(worker: int, b: int, iov: int, pieces: int, most: int) -> int:
    """Name the buffers of the packet at ``b`` behind the ``pieces`` that are there; gives how many there are then.

    0: the packet is in more than ``most`` pieces.
    """
    while True:
        m = rec(b, BUFFER)
        if pieces >= most:
            return 0
        st64(iov + 16 * pieces, b + DATA + m.current_data)
        st64(iov + 16 * pieces + 8, m.current_length)
        pieces += 1
        if (m.flags & NEXT_PRESENT) == 0:
            return pieces
        b = buffer_at(worker, m.next_buffer)
