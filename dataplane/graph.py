"""The graph: node types joined to each other, with the tables that the dispatcher reads.

Nodes join when something needs them (a configuration, another node's next), never because they exist.
Node indices, next tables and runtime data never move; adding a next while workers run is a store behind
their backs that they see when a packet uses it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.abi import DISABLED, INPUT, NEVER, NODE, NODE_SIZE, PYTHON
from vectorplane.dataplane.node import NodeType, Registry
from vectorplane.dataplane.region import Bump, Region

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

MAX_NODES = 16384
MAX_NEXTS = 4096
MAX_ERRORS = 65536


def _size(slots: dict[str, int]) -> int:
    """The first slot behind all that are taken."""
    return max(slots.values(), default=-1) + 1


class Node:
    """A node of one graph: a type, a name, an index, next slots, and runtime data a worker."""

    def __init__(self, graph: Graph, index: int, name: str, node_type: NodeType) -> None:
        self.graph = graph
        self.index = index
        self.name = name
        self.type = node_type
        self.error_base = 0
        self.errors = node_type.errors
        """Error counters of its own."""
        self.slots: dict[str, int] = {}
        self.data: npt.NDArray[Any] = np.zeros(0)
        self.nexts: npt.NDArray[np.int32] = np.zeros(0, np.int32)

    def next_names(self) -> list[str]:
        """Names of the next nodes, in slot order."""
        return sorted(self.slots, key=self.slots.__getitem__)

    def record(self, worker: int) -> Any:
        """The `NODE` record of one worker."""
        return self.graph.records[worker][self.index]

    def error_index(self, code: int) -> int:
        """Index of an error counter in the statistics vectors."""
        return self.error_base + code

    def __repr__(self) -> str:
        return f"<node {self.index} {self.name}>"


class Graph:
    """All nodes of one engine."""

    def __init__(self, plane: Dataplane, registry: Registry, workers: int) -> None:
        self._plane = plane
        self.registry = registry
        self.workers = workers
        self.nodes: list[Node] = []
        self._by_name: dict[str, Node] = {}
        self._table = Region(workers * MAX_NODES * NODE_SIZE, name="nodes")
        self.records = [self._table.view(NODE, w * MAX_NODES * NODE_SIZE, MAX_NODES) for w in range(workers)]
        self._memory = Region(1 << 34, name="node data")
        self._bump = Bump(self._memory)
        self._errors = 0
        self.error_names: list[tuple[str, str]] = []

    def table_address(self, worker: int) -> int:
        """Address of a worker's node records."""
        return int(self._table.address) + worker * MAX_NODES * NODE_SIZE

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def __getitem__(self, name: str) -> Node:
        try:
            return self._by_name[name]
        except KeyError:
            raise KeyError(f"no node {name} in this graph") from None

    def add(self, name: str, type_name: str | None = None) -> Node:
        """The node called ``name``; joins it (and its next nodes) to the graph when it is not there yet.

        ``type_name`` makes an instance of a type under another name (``pg0-tx``).

        Raises:
            KeyError: no such node type.
            OverflowError: too many nodes or errors.
        """
        if name in self._by_name:
            return self._by_name[name]
        node_type = self.registry[type_name or name]
        self._check_names(node_type)
        index = len(self.nodes)
        if index >= MAX_NODES:
            raise OverflowError(f"more than {MAX_NODES} nodes")
        node = Node(self, index, name, node_type)
        self.nodes.append(node)
        self._by_name[name] = node
        sibling = self.add(node_type.sibling_of) if node_type.sibling_of else None
        if sibling is not None:
            node.nexts, node.slots = sibling.nexts, sibling.slots
        else:
            address = self._bump.take(4 * MAX_NEXTS)
            node.nexts = self._memory.view(np.dtype("i4"), address - self._memory.address, MAX_NEXTS)
        self._add_errors(node)
        if node_type.runtime is not None:
            stride = -(-node_type.runtime.itemsize // 64) * 64
            address = self._bump.take(stride * self.workers)
            padded = np.dtype(
                {
                    "names": list(node_type.runtime.names or ()),
                    "formats": [f[0] for f in (node_type.runtime.fields or {}).values()],
                    "offsets": [f[1] for f in (node_type.runtime.fields or {}).values()],
                    "itemsize": stride,
                }
            )
            node.data = self._memory.view(padded, address - self._memory.address, self.workers)
        for w in range(self.workers):
            self._fill(node, w)
        for following in node_type.nexts:
            self.add_next(node, following)
        if node_type.bind is not None:
            node_type.bind(self._plane, node)
        self._plane.node_added(node)
        return node

    def rename(self, node: Node, name: str) -> None:
        """Call a node otherwise: in the graph, in the next tables that lead to it, and its counters.

        Raises:
            ValueError: there is a node of that name.
        """
        if name in self._by_name:
            raise ValueError(f"there is a node {name}")
        old = node.name
        del self._by_name[old]
        self._by_name[name] = node
        node.name = name
        for slots in {id(n.slots): n.slots for n in self.nodes}.values():
            if old in slots:
                slots[name] = slots.pop(old)
        for code, (symbol, text) in enumerate(node.errors):
            self.error_names[node.error_index(code)] = (name, text)
            self._plane.stats.rename(f"/err/{old}/{symbol}", f"/err/{name}/{symbol}")

    def _check_names(self, node_type: NodeType) -> None:
        """Find all that joining this type will bring, before anything has joined."""
        seen = {node_type.name}
        queue = [node_type]
        while queue:
            it = queue.pop()
            others = tuple(n for n in (it.sibling_of, it.errors_of) if n and (n == it.sibling_of or n in self.registry))
            for name in (*it.nexts, *others):
                if name not in seen and name not in self._by_name:
                    seen.add(name)
                    queue.append(self.registry[name])

    def _fill(self, node: Node, worker: int) -> None:
        record = self.records[worker][node.index]
        record["index"] = node.index
        record["kind"] = PYTHON if node.type.python is not None else node.type.kind
        record["open"] = -1
        record["err_base"] = node.error_base
        record["nexts"] = node.nexts.ctypes.data
        record["n_next"] = _size(node.slots)
        record["next_time"] = NEVER
        record["state"] = DISABLED if node.type.kind == INPUT else 0
        if node.data.size:
            record["data"] = node.data.ctypes.data + worker * node.data.dtype.itemsize

    def _add_errors(self, node: Node) -> None:
        shared = node.type.errors_of
        if shared is not None and shared in self.registry:
            node.error_base, node.errors = self.add(shared).error_base, ()
            return
        if self._errors + len(node.type.errors) > MAX_ERRORS:
            raise OverflowError(f"more than {MAX_ERRORS} error counters")
        node.error_base = self._errors
        self._errors += len(node.type.errors)
        self.error_names += [(node.name, text) for _, text in node.type.errors]

    def add_next(self, node: Node, following: str, type_name: str | None = None) -> int:
        """The slot of ``node`` that leads to ``following``; made when it is missing.

        Raises:
            OverflowError: the node has no free slot.
        """
        if following in node.slots:
            return node.slots[following]
        target = self.add(following, type_name)
        if following in node.slots:  # joining the target may have come back here
            return node.slots[following]
        return self._set_slot(node, _size(node.slots), following, target)

    def _set_slot(self, node: Node, slot: int, following: str, target: Node) -> int:
        if slot >= MAX_NEXTS:
            raise OverflowError(f"node {node.name}: more than {MAX_NEXTS} next nodes")
        node.nexts[slot] = target.index
        node.slots[following] = slot
        for n in self.nodes:
            if n.slots is node.slots:
                for w in range(self.workers):
                    self.records[w][n.index]["n_next"] = slot + 1
        return slot

    def add_common_next(self, nodes: Sequence[Node], following: str) -> int:
        """One slot that leads to ``following`` from all these nodes, siblings or not (some slots may stay unused).

        Raises:
            OverflowError: a node has no free slot.
        """
        if len({id(n.slots) for n in nodes}) == 1:
            return self.add_next(nodes[0], following)
        target = self.add(following)
        there = {n.slots.get(following, -1) for n in nodes}
        if len(there) == 1 and -1 not in there:
            return there.pop()
        slot = max(_size(n.slots) for n in nodes)
        for n in nodes:
            if n.slots.get(following) != slot:  # it is, when a sibling came before
                self._set_slot(n, slot, following, target)  # a slot that led there before still does
        return slot

    def link_kernels(self, nodes: list[Node] | None = None) -> None:
        """Put the addresses of the nodes' machine code into their records (compiling what is not cached)."""
        for node in self.nodes if nodes is None else nodes:
            if node.type.kernel is None:
                continue
            function = node.type.kernel.address
            tracer = node.type.trace.kernel.address if node.type.trace else 0
            for w in range(self.workers):
                record = self.records[w][node.index]
                record["function"] = function
                record["tracer"] = tracer
                record["trace_before"] = bool(node.type.trace and node.type.trace.before)

    def close(self) -> None:
        """Give the memory back."""
        self._table.close()
        self._memory.close()
