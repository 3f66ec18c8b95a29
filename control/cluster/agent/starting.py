"""What an agent has to know before it can do anything: the cluster's records, and its own node's."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from vectorplane.control.cluster.agent.errors import AgentError
from vectorplane.control.cluster.agent.follower import Follower
from vectorplane.control.cluster.agent.identity import Identity
from vectorplane.control.cluster.agent.mirror import Mirror
from vectorplane.control.cluster.ipam.node_id import NodeRecord
from vectorplane.control.cluster.state import ClusterState
from vectorplane.control.cluster.store.entry import Entry, Listing
from vectorplane.control.cluster.store.errors import StoreError

MIRROR_AFTER, START_WITHIN = 5.0, 30.0
"""Seconds: when a start without the store goes by the local copy, and when it is given up (as in Contiv-VPP)."""


class Known(NamedTuple):
    """Enough for a start: all records, this node's own, and where they are from."""

    entries: tuple[Entry, ...]
    record: NodeRecord
    source: str


class Starting:
    """Waits for the store, for some time; then for the local copy, if there is one."""

    def __init__(
        self, name: str, follower: Follower, identity: Identity, mirror: Mirror | None, clock: Callable[[], float]
    ) -> None:
        self._name, self._follower, self._identity, self._mirror, self._clock = name, follower, identity, mirror, clock
        self._until = clock() + START_WITHIN
        self._mirror_at = None if mirror is None else clock() + MIRROR_AFTER

    @property
    def next_time(self) -> float:
        """When `poll` does something else."""
        return self._until if self._mirror_at is None else self._mirror_at

    def poll(self) -> Known | None:
        """What is known; None: not enough yet.

        Raises:
            AgentError: it was waited long enough, or there is no id for the node.
        """
        listing = self._follower.poll()
        if isinstance(listing, Listing):
            try:
                record = self._identity.claim()
            except StoreError as error:
                self._follower.lost(error)
                return None
            if self._mirror is not None:
                self._mirror.copy(listing)
            return Known(listing.entries, record, "the store")
        if self._mirror is not None and self._mirror_at is not None and self._mirror_at <= self._clock():
            self._mirror_at = None
            return self._from_mirror(self._mirror)
        if self._until <= self._clock():
            raise AgentError(f"node {self._name}: no store for {START_WITHIN:.0f} s: {self._follower.away}")
        return None

    def _from_mirror(self, mirror: Mirror) -> Known | None:
        entries = mirror.read()
        state = ClusterState()
        state.load(entries)
        record = self._identity.known(state)
        return None if record is None else Known(entries, record, f"the local copy ({self._follower.away})")
