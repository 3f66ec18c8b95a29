"""Where in a cluster a client's packet meets its service, and who it seems to come from there.

What Kubernetes' documentation leaves to the implementation is as `docs/decisions/services.md` says: a service is met
at the client's own node, but node ports of another node's address are that node's. The way there shows what is between
them: by the wire a packet has its node's address, by the overlay it keeps its own. What a host asks of itself is not
for VPP: a packet for its own address does not leave it, and one that comes back from its own address it drops.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tests.naive.service_balance import NaiveNode, NaiveServices, Pair


@dataclass(frozen=True)
class Client:
    """Who asks: a pod or a host of a node, or (``node`` empty) somebody outside, who sends to the node ``by``."""

    address: str
    node: str = ""
    by: str = ""


@dataclass(frozen=True)
class Outcome:
    """Backends that may get a connection, each with the source that it sees, and whether it may get lost instead."""

    seen_by: Mapping[Pair, str]
    may_be_lost: bool = True


NOBODY = Outcome({})


class NaiveWays:
    """Nodes have the address of their VPP first in `NaiveNode.addresses`, and those of their hosts behind it."""

    def __init__(self, services: NaiveServices, nodes: Iterable[NaiveNode]) -> None:
        self.services = services
        self.nodes = {node.name: node for node in nodes}

    def connect(self, client: Client, destination: str, port: int, proto: str) -> Outcome:
        """Who may answer."""
        first = self.nodes[client.node or client.by]
        itself = first.addresses[1:] if client.address in first.others else ()
        if destination in itself:
            return NOBODY
        answer = self.services.connect(first, client.address, destination, port, proto)
        other = next((n for n in self.nodes.values() if destination in n.addresses), first)
        if answer is None and other is not first:
            seen = first.addresses[0] if destination == other.addresses[0] and client.node else client.address
            answer = self.services.connect(other, seen, destination, port, proto)
        seen_by = dict(answer.seen_by) if answer is not None else {}
        kept = {b: seen for b, seen in seen_by.items() if not (b[0] in itself and seen == client.address)}
        return Outcome(kept, len(kept) < len(seen_by) or not kept)
