"""ip4-full-reassembly: datagrams made whole again from their fragments (RFC 791 3.2), as VPP does it.

Three nodes share the contexts: `ip4-local-full-reassembly` for packets to this router (from ip4-local),
`ip4-full-reassembly-feature` on arc ip4-unicast for all that an interface receives, and `ip4-full-reassembly` for
other nodes. What is whole goes on to ip4-input (the feature: to the next feature).

Limits, VPP's by default: 1,024 contexts a worker, 3 fragments in a context, 200 ms since its last fragment. A
datagram completed by its fourth fragment is still let through. Dropped are "malformed packets" (less than 8 bytes in
all but the last; what reaches beyond 65,515 bytes), "duplicate/overlapping fragments" (wholly inside what is there;
other overlaps are resolved, see `ip4_reassembly_ranges`), "drops due to concurrent reassemblies limit" and, with its
whole context, the fragment that makes it too many: "fragment chain too long (drop)".

Time is the packets' own: before a fragment is looked at, all contexts whose time was up when it came are freed.
So the result does not depend on how packets fall into vectors; `Reassembly.expire` does the same from a timer
when no fragment comes any more.

With several workers in real time a datagram has one that puts it together; others pass its fragments on
(`vectorplane.graph_nodes.ip4_reassembly_owner`; "congestion drop" when that one is behind).

Balance: a fragment that is held counts as consumed at that moment ("fragments held for reassembly", a counter of
our own). The fragment that completes a datagram is not held: it goes on as the whole packet, so nothing is
generated. Fragments freed later, with a context that expires or is given up or by an overlap, were consumed
already: "fragments dropped due to reassembly timeout" (one a context, as in VPP) only informs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import KEPT, NODE, buffer_index, frame_n, put, set_next
from vectorplane.dataplane.buffer import BUFFER, DATA, buffer_at
from vectorplane.dataplane.feature import Feature, feature_next
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes import errors4
from vectorplane.graph_nodes.drop import count_consumed
from vectorplane.graph_nodes.errors4 import REASS_INTERNAL_ERROR, REASS_MALFORMED_PACKET
from vectorplane.graph_nodes.ip4_header import FRAGMENT, MORE_FRAGMENTS, OFFSET_MASK
from vectorplane.graph_nodes.ip4_reassembly_control import Reassembly
from vectorplane.graph_nodes.ip4_reassembly_intake import GIVE_UP, HOLD, take_in
from vectorplane.graph_nodes.ip4_reassembly_owner import MINE, OWNERS, PASSED, REFUSED, bind_owners, pass_to_owner
from vectorplane.graph_nodes.ip4_reassembly_table import TABLE
from vectorplane.graph_nodes.rare import free
from vectorplane.graph_nodes.replicate import copy_packet, is_shared
from vectorplane.graph_nodes.trace_ip4 import IP4_BEFORE_TRACE
from vectorplane.jit.kernel import kernel, routine
from vectorplane.jit.ops import be16, ld64, offsets, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("ip4-input", "ip4-drop")
INPUT, DROP = range(2)

HELD, CONGESTION = len(errors4.ERRORS), len(errors4.ERRORS) + 1
ERRORS = (
    *errors4.ERRORS,
    ("reass_fragments_held", "fragments held for reassembly"),
    ("reass_congestion", "congestion drop"),
)

RUNTIME = np.dtype([("table", "i8"), ("arc", "i8"), ("kind", "i8"), ("owners", OWNERS)])
(_OWNERS,) = offsets(RUNTIME, "owners")

NAMES = ("ip4-full-reassembly", "ip4-local-full-reassembly", "ip4-full-reassembly-feature")
LOCAL, FEATURE = 1, 2
"""`kind`: which of the three nodes."""


@routine
def own_packet(worker: int, frame: int, i: int) -> bool:
    """Give the packet all its bytes to itself: joining fragments writes to them; False without buffers."""
    bi = buffer_index(frame, i)
    if not is_shared(worker, bi):
        return True
    own = copy_packet(worker, bi)
    if own < 0:
        return False
    free(worker, bi)
    put(frame, i, own, 0)
    return True


@kernel
def ip4_full_reassembly(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    d = rec(node, NODE)
    r = rec(d.data, RUNTIME)
    kind = r.kind
    errors = d.err_base
    for i in range(frame_n(frame)):
        bi = buffer_index(frame, i)
        b = buffer_at(worker, bi)
        m = rec(b, BUFFER)
        whole = bi
        dropped = False
        passed = MINE
        if m.current_length < 20:
            m.error = errors + REASS_MALFORMED_PACKET
            dropped = True
        elif be16(b + DATA + m.current_data + FRAGMENT) & (MORE_FRAGMENTS | OFFSET_MASK):
            if ld64(d.data + _OWNERS) != 0:
                passed = pass_to_owner(worker, d.data + _OWNERS, frame, i, b + DATA + m.current_data)
            if passed == PASSED:
                set_next(frame, i, KEPT)
                continue
            if passed == REFUSED:
                m.error = errors + CONGESTION
                dropped = True
            elif kind == LOCAL and rec(r.table, TABLE).local_enabled == 0:
                dropped = True
            elif not own_packet(worker, frame, i):
                m.error = errors + REASS_INTERNAL_ERROR
                dropped = True
            else:
                whole = take_in(worker, r.table, buffer_index(frame, i), errors)
                dropped = whole == GIVE_UP
        if dropped:
            set_next(frame, i, DROP)
        elif whole == HOLD:
            count_consumed(worker, errors + HELD)
            set_next(frame, i, KEPT)
        elif whole < 0:
            set_next(frame, i, KEPT)
        else:
            slot = INPUT
            if kind == FEATURE:
                slot = feature_next(r.arc, buffer_at(worker, whole))
            put(frame, i, whole, slot)
    return frame_n(frame)


def bind(plane: Dataplane, node: Node) -> None:
    """The workers' contexts, the arc of the feature, and which of the nodes this is."""
    node.data["kind"] = NAMES.index(node.type.name)
    node.data["table"] = plane.shared(Reassembly).addresses
    node.data["arc"] = plane.arcs["ip4-unicast"].address
    bind_owners(plane, node)


IP4_FULL_REASSEMBLY = NodeType(
    name=NAMES[0],
    kernel=ip4_full_reassembly,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=IP4_BEFORE_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
IP4_LOCAL_FULL_REASSEMBLY = NodeType(
    name=NAMES[LOCAL],
    kernel=ip4_full_reassembly,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=IP4_BEFORE_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
IP4_FULL_REASSEMBLY_FEATURE = NodeType(
    name=NAMES[FEATURE],
    kernel=ip4_full_reassembly,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=IP4_BEFORE_TRACE,
    bind=bind,
    features=(Feature("ip4-unicast", before=("ip4-lookup", "ipsec4-input-feature", "ip4-sv-reassembly-feature")),),
    doc=__doc__ or "",
)
