"""What nodes know of each other: records of the store put together, one for each node that has an id."""

from __future__ import annotations

from dataclasses import dataclass

from vectorplane.control.cluster.ipam.arithmetic import Ip
from vectorplane.control.cluster.state import ClusterState


@dataclass(frozen=True)
class Peer:
    """A node. ``addresses``: of its VPP; ``management``: of its host, as Kubernetes knows it."""

    id: int
    name: str
    addresses: tuple[Ip, ...]
    management: tuple[Ip, ...]

    @property
    def reachable(self) -> bool:
        """Is enough known for its pods to be reached? Until then nothing leads there."""
        return bool(self.addresses and self.management)


def peer(state: ClusterState, number: int) -> Peer | None:
    """The node of that id."""
    record = state.node_records.get(number)
    if record is None:
        return None
    node = state.nodes.get(record.name)
    return Peer(number, record.name, tuple(i.ip for i in record.ip_addresses), node.management if node else ())


def peers(state: ClusterState) -> list[Peer]:
    """All nodes that have an id, this one, too."""
    return [p for number in sorted(state.node_records) if (p := peer(state, number)) is not None]


def peer_named(state: ClusterState, name: str) -> Peer | None:
    """The node of that name (the one with the lowest id: a name that came back keeps it)."""
    ids = [number for number, record in state.node_records.items() if record.name == name]
    return peer(state, min(ids)) if ids else None
