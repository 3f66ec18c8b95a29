"""l2-input: frames of bridged and cross-connected interfaces begin their way here.

The port's feature bitmap, masked by what its bridge domain has on and by what suits the frame (a group address is
flooded, not forwarded; only ARP and ICMPv6 reach ARP termination), says which nodes the frame visits. Its bridge
domain, sequence numbers and split-horizon group go with it. Frames of the router itself, through the BVI, carry no
group when they are unicast, an ARP request or a neighbour solicitation, so that they reach tunnels of the BVI's group
(as in VPP).

A frame that no feature takes goes to `feature-bitmap-drop`; one of an interface in L3 mode is dropped ("L2 input
drops"; VPP names no reason).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.drop import count
from vectorplane.graph_nodes.l2.buffer import BD_WORD, FROM_BVI, L2_BUFFER, LENGTH_WORD
from vectorplane.graph_nodes.l2.config import L2_INPUT, L2_INPUT_SIZE, MODE_BRIDGE, MODE_XCONNECT, L2Config
from vectorplane.graph_nodes.l2.features import (
    ARP_TERM,
    ARP_UFWD,
    FWD,
    INPUT_FEATURES,
    NEXT_BY_BIT,
    UU_FLOOD,
    UU_FWD,
    bind_features,
    slot_of,
)
from vectorplane.graph_nodes.l2.header import ARP_LE, IP6_LE
from vectorplane.graph_nodes.l2.trace import INPUT_TRACE
from vectorplane.graph_nodes.named_by_text import named_by_text
from vectorplane.jit.kernel import kernel, routine
from vectorplane.jit.ops import ld8, ld16, prefetch, rec, st32

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("l2-learn", "l2-fwd", "error-drop")
L2_LEARN, L2_FWD, DROP = range(3)
ERRORS = named_by_text(
    "L2 input packets",
    "L2 input drops",
)
E_INPUT, E_DROP = range(2)

RUNTIME = np.dtype([NEXT_BY_BIT, ("inputs", "i8")], align=True)

_NOT_GROUP = ~(FWD | UU_FLOOD | UU_FWD)
_ICMP6, _SOLICITATION = 58, 135
_ARP_REQUEST_LE = 0x0100


@routine
def group_mask(b: int, from_bvi: bool) -> int:
    """The features that suit a frame to a group address; clears its split-horizon group where the BVI asks."""
    m = rec(b, BUFFER)
    size = rec(b, L2_BUFFER).l2_len
    l3 = b + DATA + m.current_data + size
    left = m.current_length - size
    kind = ld16(l3 - 2)
    mask = _NOT_GROUP
    if kind == ARP_LE:
        if from_bvi and left >= 8 and ld16(l3 + 6) == _ARP_REQUEST_LE:
            rec(b, L2_BUFFER).shg = 0
        return mask
    mask &= ~ARP_UFWD
    if kind != IP6_LE or left < 41 or ld8(l3 + 6) != _ICMP6:
        return mask & ~ARP_TERM
    if from_bvi and ld8(l3 + 40) == _SOLICITATION:
        rec(b, L2_BUFFER).shg = 0
    return mask


@kernel
def l2_input(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    pool = rec(worker, WORKER).pool
    d = rec(node, NODE)
    data = d.data
    inputs = rec(data, RUNTIME).inputs
    err = d.err_base
    n = frame_n(frame)
    last = -1
    bitmap = 0
    bridged = False
    usable = False
    bd_word = 0
    group_word = 0
    output = 0
    unicast_slot = DROP
    for i in range(n):
        ahead = pool + buffer_index(frame, i + 4) * CELL
        prefetch(ahead)
        prefetch(ahead + DATA)
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        if m.rx_sw_if != last:
            last = m.rx_sw_if
            c = rec(inputs + last * L2_INPUT_SIZE, L2_INPUT)
            bridged = (c.mode & MODE_BRIDGE) != 0
            usable = (c.mode & (MODE_BRIDGE | MODE_XCONNECT)) != 0
            bitmap = c.feature_bitmap
            if bridged:
                bitmap &= c.bd_feature_bitmap
            bd_word = c.bd_word
            group_word = c.group_word
            output = c.output
            unicast_slot = slot_of(data, bitmap)
        if not usable:
            m.error = err + E_DROP
            set_next(frame, i, DROP)
            continue
        l2_len = rec(b, L2_BUFFER).l2_len
        st32(b + LENGTH_WORD, group_word | l2_len)
        from_bvi = m.tx_sw_if == FROM_BVI
        slot = unicast_slot
        features = bitmap
        if ld8(b + DATA + m.current_data) & 1:
            features = bitmap & group_mask(b, from_bvi)
            slot = slot_of(data, features)
        elif from_bvi:
            rec(b, L2_BUFFER).shg = 0
        rec(b, L2_BUFFER).feature_bitmap = features
        if bridged:
            st32(b + BD_WORD, bd_word)
        else:
            m.tx_sw_if = output
        set_next(frame, i, slot)
    count(worker, err + E_INPUT, n)
    return n


def bind(plane: Dataplane, node: Node) -> None:
    """The ports' configuration, and the nodes of the features."""
    node.data["inputs"] = plane.shared(L2Config).inputs_address
    bind_features(node, INPUT_FEATURES)


L2_INPUT_NODE = NodeType(
    name="l2-input",
    kernel=l2_input,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=INPUT_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
