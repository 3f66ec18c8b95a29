"""What an explainer is given: a packet in front of a node, and (later) what the node made of it.

An explainer is a generator. What it does before its ``yield`` sees the engine as the node will find it; behind it
the node has run, and `Moment.next` and the rest are known. It returns what it has to tell:

    def explain_lookup(at: Moment) -> Explaining:
        route = at.engine.routes.lookup(...)
        yield
        return Told((f"route {route}",), {"route": str(route)})
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.trace_record import Record


DROPS = ("error-drop", "error-punt", "ip4-drop", "ip6-drop", "ip4-punt", "ip6-punt", "ip4-icmp-error", "null-node")
"""Nodes that packets are sent to with an error that says why."""


@dataclass(frozen=True)
class View:
    """A packet as it is at one moment: its bytes from where the node looks at it, all of its chain of buffers."""

    data: bytes
    meta: Any
    """A copy of its metadata, a record of `vectorplane.dataplane.buffer.BUFFER`."""

    @property
    def first(self) -> bytes:
        """The bytes that are in its first buffer: nodes look no further."""
        return self.data[: max(0, int(self.meta["current_length"]))]

    @property
    def rx(self) -> int:
        """The interface (sw_if_index) that it counts as received on."""
        return int(self.meta["rx_sw_if"])

    @property
    def tx(self) -> int:
        """The interface that it is to leave by; below 0: not decided."""
        return int(self.meta["tx_sw_if"])


@dataclass
class Moment:
    """See the module's docstring."""

    engine: Engine
    node: Node
    worker: int
    buffer: int
    before: View
    all_rules: bool = False
    """Tell of every rule, however many there are."""
    # known when the node has run
    after: View | None = None
    """None: the packet ended here, or the node keeps it."""
    next: str | None = None
    counted: dict[str, int] = field(default_factory=dict)
    """What the node counted, by the text of the counter."""
    made: int = 0
    """Packets that the node has put on their way beside this one."""
    record: Record | None = None
    """The node's trace record."""

    @property
    def time(self) -> int:
        """The packet's time, ns."""
        return int(self.before.meta["time"])

    @property
    def reason(self) -> str:
        """Why the node sends the packet to be dropped: the text of its error; empty when it does not."""
        if self.after is None or self.next not in DROPS:
            return ""
        names, error = self.engine.plane.graph.error_names, int(self.after.meta["error"])
        return names[error][1] if 0 <= error < len(names) else f"error {error}"

    def interface(self, sw_if_index: int) -> str:
        """An interface's name."""
        return self.engine.plane.interfaces.names.get(sw_if_index, f"interface {sw_if_index}")


class Told(NamedTuple):
    """What an explainer tells: lines of text, the same as data for JSON, and where it and the node disagree."""

    lines: Iterable[str] = ()
    facts: dict[str, Any] = {}  # noqa: RUF012  (nobody changes it)
    disagreement: str | None = None
    """The node decided otherwise than what the explainer worked out: a bug in one of them."""


Explaining = Generator[None, None, Told]


class Explainer(NamedTuple):
    """Who explains which nodes, by the names of their types."""

    nodes: tuple[str, ...]
    explain: Callable[[Moment], Explaining]
