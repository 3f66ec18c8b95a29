"""Buffer operations for the rare paths of kernels: called where the helpers of the same names would be inlined.

A kernel that frees or copies in many places is compiled several times faster with these.
"""

from __future__ import annotations

from vectorplane.dataplane import buffer
from vectorplane.graph_nodes import ip4_header
from vectorplane.jit import ops
from vectorplane.jit.kernel import routine

_allocate, _free, _copy, _set_checksum = buffer.allocate, buffer.free, ops.copy, ip4_header.set_checksum


@routine
def allocate(worker: int) -> int:
    """A free buffer's index, metadata cleared; -1 when there is none."""
    return int(_allocate(worker))


@routine
def free(worker: int, index: int) -> int:
    """Free a packet with its whole chain."""
    _free(worker, index)
    return 0


@routine
def copy(to: int, source: int, size: int) -> int:
    """Copy exactly ``size`` bytes; the target may overlap the source only from below."""
    _copy(to, source, size)
    return 0


@routine
def set_checksum(ip: int) -> int:
    """Compute and store the checksum of the header at ``ip``."""
    _set_checksum(ip)
    return 0
