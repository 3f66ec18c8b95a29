"""A packet's way through the cluster, node by node, explained; in copies of nodes: nothing happens to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from vectorplane.control.cluster.simulated.cluster_node import ClusterNode, NodeCopy
from vectorplane.control.cluster.simulated.said import Said, said
from vectorplane.control.packet_explain.explanation import CONSUMED, MADE, SENT
from vectorplane.control.packet_explain.journey import Journey

if TYPE_CHECKING:
    from vectorplane.control.cluster.simulated.node import SimNode

MOST_NODES = 16
"""A packet that passes more goes in circles."""
ARRIVED, TAKEN, DROPPED, LOST, CIRCLES = "arrived", "taken", "dropped", "lost", "goes in circles"
"""`TAKEN`: it was for a node's VPP itself."""


@dataclass(frozen=True)
class Place:
    """Where a packet arrives: at an interface of a node, or (``node`` None) at a host."""

    node: ClusterNode | None
    interface: str = ""
    host: str = ""


@dataclass
class Hop:
    """What one node did. ``explanation``: all of it, as `Explanation.json`."""

    node: str
    interface: str
    packet: str
    lines: list[Said]
    sent_by: str = ""
    explanation: dict[str, Any] = field(default_factory=dict)


@dataclass
class Way:
    """The whole way, and how it ends. ``host``: where it arrived; ``frame``: as it arrived there, in hexadecimal.

    Of a packet that a node's VPP took, ``host`` is the node, and ``answer`` what it answers: an interface and a frame.
    """

    verdict: str
    hops: list[Hop] = field(default_factory=list)
    host: str = ""
    frame: str = ""
    why: str = ""
    answer: tuple[str, str] | None = None

    @property
    def is_there(self) -> bool:
        """Did it come to somebody?"""
        return self.verdict in (ARRIVED, TAKEN)

    @property
    def waits_for_arp(self) -> bool:
        """Was the packet lost because a neighbour was not known yet? As with VPP, the next one comes through."""
        return self.verdict == DROPPED and self.why.partition(":")[0] in ("ip4-arp", "ip4-glean")

    def json(self) -> dict[str, Any]:
        """As data."""
        return asdict(self)

    def sources(self) -> tuple[str, ...]:
        """What of Kubernetes had to do with its end: the sources of the last line that has any."""
        named = [line.sources for hop in self.hops for line in hop.lines if line.sources]
        return named[-1] if named and self.verdict == DROPPED else ()


Next = Callable[[ClusterNode, str, bytes], Place | None]
"""Where a frame arrives that a node sends by an interface; None: nobody takes it."""


class Copies:
    """Copies of the nodes that are on the way, each made when a packet comes to it. To be closed."""

    def __init__(self) -> None:
        self._made: dict[str, NodeCopy] = {}

    def of(self, node: ClusterNode) -> NodeCopy:
        """The copy of a node. Raises CopyError, NodeDown."""
        if node.name not in self._made:
            self._made[node.name] = node.copy()
        return self._made[node.name]

    def close(self) -> None:
        """They are not needed any more."""
        for made in self._made.values():
            made.close()
        self._made.clear()


def lead(place: Place, frame: bytes, onward: Next, copies: Copies) -> Way:
    """Lead a frame from an interface of a node to its end, through the copies.

    Raises:
        CopyError, NodeDown: a node could not be copied, or its copy failed.
    """
    way = Way(CIRCLES)
    for _ in range(MOST_NODES):
        node = place.node
        if node is None:
            way.verdict, way.host, way.frame = ARRIVED, place.host, frame.hex()
            return way
        done = copies.of(node).hop(place.interface, frame)
        lines = [Said(about, text, tuple(sources)) for about, text, sources in done["lines"]]
        made = Hop(node.name, place.interface, done["packet"], lines, done["sent_by"], done["explanation"])
        way.hops.append(made)
        if not made.sent_by:
            way.verdict, way.why = TAKEN if done["taken"] else DROPPED, done["why"]
            way.host = node.name if done["taken"] else ""
            way.answer = (done["answer"][0], done["answer"][1]) if done["answer"] else None
            return way
        frame = bytes.fromhex(done["frame"])
        found = onward(node, made.sent_by, frame)
        if found is None:
            way.verdict, way.why = LOST, f"nobody takes what leaves by {made.sent_by} of {node.name}"
            return way
        place = found
    return way


def hop(node: SimNode, interface: str, frame: bytes) -> dict[str, Any]:
    """Lead a frame that arrives at an interface through a node, now; in a copy of it, or else it really happens.

    Gives, as JSON, the fields of a `Hop` but for the node and the interface, and ``frame`` (hexadecimal), what leaves
    by ``sent_by``; empty ones: nothing does, ``why`` says why. ``taken``: it was for the node itself; ``answer``: what
    that answers.
    """

    def why(acl: str, rule: int, met_on: str) -> tuple[str, ...]:
        return () if node.policies is None else node.policies.why(acl, rule, node.pod_at(met_on))

    story = Journey(node.engine).go(node.engine.interfaces[interface].sw_if_index, frame)
    data = story.json()
    left = [p for p in story.packets if p.outcome is not None and p.outcome.kind == SENT]
    sent = [p.outcome for p in left if p.origin != MADE and p.outcome is not None]
    made = [p.outcome for p in left if p.origin == MADE and p.outcome is not None]
    taken = story.verdict == CONSUMED
    return {
        "packet": data["received"]["summary"][-1],
        "lines": said(data, why),
        "explanation": data,
        "sent_by": sent[0].interface if sent else "",
        "frame": sent[0].hex if sent else "",
        "why": story.why,
        "taken": taken,
        "answer": [made[0].interface, made[0].hex] if taken and made else None,
    }
