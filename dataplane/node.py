"""What a graph node declares about itself, as data beside its kernel.

A node's file holds one or more `NodeType` constants. Nothing is registered by importing it: an engine
looks types up in a `Registry`, so several engines with different nodes live in one process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

import numpy as np

from vectorplane.dataplane.abi import INPUT, INTERNAL, PYTHON, TERMINAL
from vectorplane.dataplane.feature import Feature
from vectorplane.dataplane.trace import TRACE_BODY
from vectorplane.jit.kernel import Kernel

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane


@dataclass(frozen=True)
class Trace:
    """A node's packet trace: the record's dtype, the kernel that writes it, and its text and fields.

    ``format(record, plane)`` gives VPP's text (lines without the leading indent); ``record`` is one element
    of ``dtype``. Its fields are what the JSON form shows.
    """

    dtype: np.dtype[Any]
    kernel: Kernel
    format: Callable[[Any, Dataplane], str]
    before: bool = False
    """Run before the node's kernel: for nodes that give their buffers away."""
    second: tuple[str, Callable[[Any, Dataplane], str]] | None = None
    """Another heading and its text: for what is one node here and two in VPP (`error-drop` and ``drop``)."""

    def __post_init__(self) -> None:
        if self.dtype.itemsize > TRACE_BODY:
            raise ValueError(f"a trace record has {self.dtype.itemsize} bytes, there is room for {TRACE_BODY}")


@dataclass(frozen=True)
class NodeType:
    """The declaration of a graph node.

    ``nexts`` names next nodes; a name's position is its slot. ``errors`` are (symbol, VPP's text) pairs;
    a pair's position is the error's code. ``bind(plane, node)`` fills the node's runtime data (`Node.data`, an
    array of ``runtime`` with one record a worker) when the node joins a graph. ``python`` makes a node of plain
    Python: ``python(packets) -> slots`` (see `vectorplane.dataplane.python_node`).
    """

    name: str
    kernel: Kernel | None = None
    kind: int = INTERNAL
    nexts: tuple[str, ...] = ()
    errors: tuple[tuple[str, str], ...] = ()
    errors_of: str | None = None
    """The node whose counters these errors have, as some have in VPP (where it is known to the graph)."""
    runtime: np.dtype[Any] | None = None
    trace: Trace | None = None
    bind: Callable[[Dataplane, Node], None] | None = None
    sibling_of: str | None = None
    features: tuple[Feature, ...] = ()
    python: Callable[..., Any] | None = None
    doc: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if (self.kernel is None) == (self.python is None):
            raise TypeError(f"node {self.name}: give it a kernel or a Python function")
        if self.kind not in (INTERNAL, TERMINAL, INPUT, PYTHON):
            raise ValueError(f"node {self.name}: unknown kind {self.kind}")


class Registry:
    """Node types by name: the built-in ones, and those of other packages (entry points ``vectorplane.nodes``).

    An entry point loads a `NodeType`, or a callable or iterable that gives several.
    """

    GROUP = "vectorplane.nodes"

    def __init__(self, types: Iterable[NodeType] = ()) -> None:
        self._types: dict[str, NodeType] = {}
        for t in types:
            self.add(t)

    def add(self, node_type: NodeType) -> None:
        """Make a type known.

        Raises:
            ValueError: another type has that name.
        """
        if self._types.setdefault(node_type.name, node_type) is not node_type:
            raise ValueError(f"two node types are named {node_type.name}")

    def load_entry_points(self) -> None:
        """Add the nodes that installed packages offer."""
        for point in entry_points(group=self.GROUP):
            loaded = point.load()
            if isinstance(loaded, NodeType):
                self.add(loaded)
                continue
            for t in loaded() if callable(loaded) else loaded:
                self.add(t)

    def __getitem__(self, name: str) -> NodeType:
        try:
            return self._types[name]
        except KeyError:
            raise KeyError(f"no node type is named {name}") from None

    def __contains__(self, name: str) -> bool:
        return name in self._types

    def __len__(self) -> int:
        return len(self._types)

    def __iter__(self) -> Iterator[NodeType]:
        return iter(self._types.values())
