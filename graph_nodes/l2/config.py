"""Bridge domains and ports as L2 nodes see them; `vectorplane.backends.engine.l2` is their control side.

A bridge domain's flood list is a run of words in one memory, in the order in which replicas leave, its BVI last; the
domain's ``flood`` word says where it begins and how long it is, so a change is one store.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.interface import MAX_INTERFACES
from vectorplane.dataplane.region import Region
from vectorplane.jit.ops import offsets

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

L2_INPUT = np.dtype(
    [
        ("feature_bitmap", "i4"),  # the port's own
        ("bd_feature_bitmap", "i4"),  # its domain's
        ("bd_word", "i4"),  # bd_index | sequence numbers << 16
        ("group_word", "i4"),  # shg << 8 | (the domain ages) << 16
        ("mode", "i4"),  # MODE_*
        ("output", "i4"),  # cross-connect: where its frames leave
        ("seq", "i4"),  # the port's sequence number, 0 .. 255
        ("pad", "i4"),
    ],
    align=True,
)
L2_INPUT_SIZE = L2_INPUT.itemsize
assert L2_INPUT_SIZE == 32
I_SEQ = offsets(L2_INPUT, "seq")[0]
MODE_L3, MODE_XCONNECT, MODE_BRIDGE, MODE_BVI = 0, 1, 2, 4

L2_OUTPUT = np.dtype(
    [
        ("next", "i4"),  # slot of the interface's output node in l2-output; `NOT_L2`: it is in L3 mode
        ("feature_bitmap", "i4"),
        ("shg", "i4"),
        ("plain", "i4"),  # nothing to do but to send, unless to its own group
        ("in_tags", "i8"),  # the tags that the input rewrite pushes, as they stand in a packet
        ("out_tags", "i8"),
        ("in_push", "i2"),  # bytes
        ("in_pop", "i2"),
        ("out_push", "i2"),
        ("out_pop", "i2"),
        ("efp_mask", "i8"),
        ("pad", "i8"),
    ],
    align=True,
)
L2_OUTPUT_SIZE = L2_OUTPUT.itemsize
assert L2_OUTPUT_SIZE == 56

BRIDGE_DOMAIN = np.dtype(
    [
        ("flood", "i8"),  # first word << 16 | words
        ("learn_count", "i8"),
        ("learn_limit", "i8"),
        ("uu_fwd", "i4"),  # sw_if_index; -1: none
        ("pad", "i4"),
    ],
    align=True,
)
DOMAIN_SIZE = BRIDGE_DOMAIN.itemsize
D_LEARN_COUNT = offsets(BRIDGE_DOMAIN, "learn_count")[0]
MAX_DOMAINS = 32768
"""Their numbers share a word with MAC addresses, whose highest bit must stay clear."""

MEMBER_SHG, MEMBER_BVI = 32, 1 << 40
"""A member's word: sw_if_index | shg << MEMBER_SHG | MEMBER_BVI."""
_WORDS = 1 << 22


class L2Config:
    """The memory of ports, bridge domains and flood lists of one engine."""

    def __init__(self, plane: Dataplane) -> None:
        self._plane = plane
        sizes = (L2_INPUT_SIZE * MAX_INTERFACES, L2_OUTPUT_SIZE * MAX_INTERFACES, DOMAIN_SIZE * MAX_DOMAINS)
        self._region = Region(sum(sizes) + 8 * _WORDS, name="bridging")
        self.inputs_address = self._region.address
        self.outputs_address = self.inputs_address + sizes[0]
        self.domains_address = self.outputs_address + sizes[1]
        self.words_address = self.domains_address + sizes[2]
        self.inputs: npt.NDArray[Any] = self._region.view(L2_INPUT, 0, MAX_INTERFACES)
        self.outputs: npt.NDArray[Any] = self._region.view(L2_OUTPUT, sizes[0], MAX_INTERFACES)
        self.domains: npt.NDArray[Any] = self._region.view(BRIDGE_DOMAIN, sizes[0] + sizes[1], MAX_DOMAINS)
        self._words = self._region.view(np.dtype("i8"), sum(sizes), _WORDS)
        self._free: dict[int, list[int]] = {}
        self._top = 0

    def set_flood(self, bd_index: int, members: Sequence[int]) -> None:
        """Give a domain its flood list (members' words).

        Raises:
            OverflowError: no room.
        """
        old = int(self.domains[bd_index]["flood"])
        self.domains[bd_index]["flood"] = self._place(members)
        if old:
            self._plane.epochs.retire(lambda: self._free.setdefault(old & 0xFFFF, []).append(old >> 16))

    def _place(self, members: Sequence[int]) -> int:
        n = len(members)
        if not n:
            return 0
        free = self._free.get(n)
        if free:
            at = free.pop()
        else:
            at = self._top
            if at + n > _WORDS:
                raise OverflowError("no room for the members of another bridge domain")
            self._top += n
        self._words[at : at + n] = members
        return at << 16 | n

    def close(self) -> None:
        """Give the memory back."""
        self._region.close()
