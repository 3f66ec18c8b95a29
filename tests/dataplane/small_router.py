"""A router built by hand, of a packet generator, four interfaces and one adjacency: for tests of what is shown."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.harness import collector
from vectorplane.backends.engine.nodes import built_in
from vectorplane.dataplane.abi import FAST, POLLING
from vectorplane.dataplane.interface import ADMIN_UP, LINK_UP
from vectorplane.dataplane.plane import Dataplane
from vectorplane.graph_nodes.fib import Fibs
from vectorplane.graph_nodes.forwarding import Forwarding
from vectorplane.graph_nodes.packet_source import READY
from vectorplane.graph_nodes.pg_input import PgStreams
from vectorplane.jit import twin
from vectorplane.jit.kernel import JIT
from vectorplane.pcap.index import RECORD

MAC = "02fe00000001"
"""Of pg0, where packets come in."""


def checksum(header: bytes) -> int:
    """RFC 1071."""
    total = sum(struct.unpack(f">{len(header) // 2}H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def udp(destination: str = "10.0.0.1", ttl: int = 64, mac: str = MAC, source: str = "1.1.1.1") -> bytes:
    """A 64-byte Ethernet frame with IPv4 and UDP."""
    addresses = b"".join(bytes(int(p) for p in a.split(".")) for a in (source, destination))
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 50, 1, 0, ttl, 17, 0) + addresses
    ip = ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:]
    payload = struct.pack(">HHHH", 53, 53, 30, 0x1234) + bytes(range(22))
    return bytes.fromhex(mac) + bytes.fromhex("020000000002") + b"\x08\x00" + ip + payload


class Router:
    """``run(packets)`` sends packets into pg0; 10.0.0.0/8 leaves by pg1."""

    def __init__(self, workers: int = 1) -> None:
        types, arcs = built_in()
        known = {t.name for t in types}
        wanted = {n for t in types for n in t.nexts} | {n for a in arcs for n in (a.end, *a.starts) if n}
        self.plane = plane = Dataplane(
            [*types, *(collector(n) for n in sorted(wanted - known))], arcs, buffers=4096 * workers, workers=workers
        )
        graph = plane.graph
        graph.add("null-node")
        for i, name in enumerate(("local0", "pg0", "pg1", "pg2")):
            plane.add_interface(name)
            record = plane.interfaces.records[i]
            record["flags"] = (ADMIN_UP | LINK_UP) if i in (1, 2) else 0
            record["mac"] = int.from_bytes(bytes.fromhex("02fe000000") + bytes([i]), "little")
            record["mtu"] = 9000
        rewrite = graph.add("ip4-rewrite")
        output = graph.add("pg1-output", "interface-output-template")
        graph.add_next(output, "pg1-tx", "null-tx")
        forwarding, fibs = plane.shared(Forwarding), plane.shared(Fibs)
        slot = graph.add_next(rewrite, "pg1-output")
        index = forwarding.adj_pool.take()
        adjacency = forwarding.adjacencies[index]
        adjacency["next"], adjacency["rewrite_length"], adjacency["sw_if_index"], adjacency["mtu"] = slot, 14, 2, 9000
        adjacency["next_hop"] = int.from_bytes(bytes([10, 0, 1, 2]), "little")
        adjacency["short"][18:] = np.frombuffer(bytes.fromhex("02000000010002fe000000020800"), "i1")
        lookup = graph.add("ip4-lookup")
        balance = forwarding.lb_pool.take()
        forwarding.load_balances[balance]["next"] = lookup.slots["ip4-rewrite"]
        forwarding.load_balances[balance]["index"] = index
        fibs.mtrie.load(0, np.array([0x0A000000]), np.array([8]), np.array([balance]))
        self.pg = graph.add("pg-input")
        self.pg.data["n_sources"] = 1
        for i, worker in enumerate(plane.workers):
            worker.record["clock"] = FAST
            self.pg.record(i)["state"] = POLLING
            worker.add_input(self.pg.index)
        self._keep: list[Any] = []

    def run(self, packets: Sequence[bytes], worker: int = 0, now: int = 0) -> None:
        """Send these packets into pg0 in one vector, at time ``now`` (ns), and let all of them end."""
        data = np.frombuffer(b"".join(packets) + bytes(64), np.uint8).copy()
        records = np.zeros(len(packets), RECORD)
        sizes = np.array([len(p) for p in packets])
        records["caplen"] = records["wirelen"] = sizes
        records["offset"] = np.concatenate(([0], np.cumsum(sizes)[:-1]))
        if not JIT:
            twin.register(data.ctypes.data, data.nbytes, "packets")
            twin.register(records.ctypes.data, records.nbytes, "records")
        self._keep += [data, records]
        stream = self.plane.shared(PgStreams).tables[worker][0]
        stream["data"], stream["records"], stream["count"] = data.ctypes.data, records.ctypes.data, len(packets)
        stream["sw_if_index"], stream["queue"], stream["loop"] = 1, -1, 1
        stream["position"], stream["remaining"], stream["state"] = 0, len(packets), READY
        self.plane.graph.link_kernels()
        self.plane.workers[worker].record["now"] = now
        self.plane.workers[worker].dispatch()

    def close(self) -> None:
        """Give the memory back."""
        if not JIT:
            for array in self._keep:
                twin.unregister(array.ctypes.data)
        self.plane.close()
