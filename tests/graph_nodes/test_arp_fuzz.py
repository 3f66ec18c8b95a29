"""Random bytes into each ARP and adjacency node: nothing is read outside the packet, and every packet is accounted for.

Run with ``NUMBA_DISABLE_JIT=1`` a read beyond a packet is an error (see tests/harness.py).
"""

from __future__ import annotations

from random import Random

import pytest

from tests.harness import Bench
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.arp_input import ARP_DISABLED, ARP_INPUT
from vectorplane.graph_nodes.arp_proxy import ARP_PROXY
from vectorplane.graph_nodes.arp_reply import ARP_REPLY
from vectorplane.graph_nodes.forwarding import Forwarding
from vectorplane.graph_nodes.ip4_arp import IP4_ARP, IP4_GLEAN
from vectorplane.graph_nodes.ip4_lookup import IP4_LOOKUP
from vectorplane.graph_nodes.ip4_mfib import IP4_MFIB_FORWARD_LOOKUP, IP4_MFIB_FORWARD_RPF
from vectorplane.graph_nodes.ip4_not_enabled import IP4_NOT_ENABLED
from vectorplane.graph_nodes.ip4_null import IP4_NULL
from vectorplane.graph_nodes.lookup_ip4_dst import LOOKUP_IP4_DST
from vectorplane.jit.kernel import JIT

NODES: list[tuple[NodeType, int]] = [
    (ARP_INPUT, 0),
    (ARP_DISABLED, 0),
    (ARP_REPLY, 28),
    (ARP_PROXY, 28),
    (IP4_ARP, 20),
    (IP4_GLEAN, 20),
    (IP4_NOT_ENABLED, 0),
    (IP4_MFIB_FORWARD_LOOKUP, 20),
    (IP4_MFIB_FORWARD_RPF, 20),
    (IP4_NULL, 20),
    (LOOKUP_IP4_DST, 20),
]


def header(random: Random) -> bytes:
    """What an ARP packet begins with, mostly."""
    return bytes.fromhex("00010800060400") + bytes([random.choice((1, 2, 3))]) if random.randrange(4) else b""


@pytest.mark.parametrize(("node_type", "least"), NODES, ids=lambda v: v.name if isinstance(v, NodeType) else "")
def test_random_bytes(node_type: NodeType, least: int) -> None:
    random = Random(node_type.name)
    packets = []
    for _ in range(400 if JIT else 60):
        start = header(random)
        size = max(least, random.choice((0, 1, 13, 14, 20, 27, 28, 46, 60, 1500)))
        packets.append((start + random.randbytes(size))[:size])

    def setup(bench: Bench) -> None:
        # an adjacency with a source address, so that requests are made
        out = bench.add_stub("pg1-output")
        adj = bench.plane.shared(Forwarding).adjacencies[0]
        adj["arp_source"], adj["arp_length"], adj["output_node"], adj["sw_if_index"] = 1, 14, out.index, 1
        adj["type"] = 4 if node_type is IP4_GLEAN else 3

    bench = Bench(node_type, types=(IP4_LOOKUP,) if node_type is LOOKUP_IP4_DST else (), setup=setup)
    try:

        def meta(i: int, m: object) -> None:
            m["adj"] = 1 if node_type is IP4_NULL else 0  # type: ignore[index]

        outs = bench.run(packets, meta=meta, times=[i * 400_000 for i in range(len(packets))])
        left = len(outs) + int(bench.plane.consumed.total().sum())
        replies = sum(1 for o in outs if o.next == "interface-output")
        assert left == len(packets) + int(bench.worker.record["generated"])
        assert bench.leaked() == 0
        assert replies == 0 or node_type in (ARP_REPLY, ARP_PROXY)
        for o in outs:
            if o.next in ("error-drop", "ip4-drop") and node_type is not LOOKUP_IP4_DST:
                assert 0 <= o.meta["error"] - bench.node.error_base < len(node_type.errors)
    finally:
        bench.close()
