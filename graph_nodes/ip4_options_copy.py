"""Options in fragments (RFC 791 3.1): those with the copied flag are in all, the others in the first one only."""

from __future__ import annotations

from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import ld8, st8

_END, _NO_OPERATION, _COPIED = 0, 1, 0x80


@helper
def copy_options(to: int, options: int, size: int) -> int:
    """Copy the options that later fragments carry, padded to a multiple of 4 bytes; gives their size.

    Stops at the end-of-list option and at one whose length does not fit.
    """
    at = 0
    done = 0
    while at < size:
        kind = ld8(options + at)
        if kind == _END:
            break
        length = 1
        if kind != _NO_OPERATION:
            if at + 2 > size:
                break
            length = ld8(options + at + 1)
            if length < 2 or at + length > size:
                break
        if kind & _COPIED:
            for k in range(length):
                st8(to + done + k, ld8(options + at + k))
            done += length
        at += length
    while done & 3:
        st8(to + done, _END)
        done += 1
    return done
