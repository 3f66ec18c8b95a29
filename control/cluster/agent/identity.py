"""Who this node is: its record in the cluster's store, which it has from its first start on, whatever happens to it."""

from __future__ import annotations

import logging

from vectorplane.control.cluster.agent.errors import AgentError
from vectorplane.control.cluster.agent.node_records import StoreNodeRecords
from vectorplane.control.cluster.ipam.arithmetic import IpInterface
from vectorplane.control.cluster.ipam.error import IpamError
from vectorplane.control.cluster.ipam.node_id import NodeRecord, claim, publish
from vectorplane.control.cluster.state import ClusterState
from vectorplane.control.cluster.store.errors import StoreError
from vectorplane.control.cluster.store.store import Store

log = logging.getLogger(__name__)


class Identity:
    """Of the node of that name. ``most``: the highest id that there are addresses for."""

    def __init__(self, name: str, store: Store, most: int) -> None:
        self._name, self._most = name, most
        self._records = StoreNodeRecords(store)
        self._mine: NodeRecord | None = None
        """What the store has of us, as far as we know."""

    def claim(self) -> NodeRecord:
        """This node's record in the store, made if need be.

        Raises:
            AgentError: there can be none.
            StoreError: the store failed.
        """
        try:
            self._mine = claim(self._records, self._name, self._most)
        except IpamError as error:
            raise AgentError(f"node {self._name}: {error}") from None
        return self._mine

    def known(self, state: ClusterState) -> NodeRecord | None:
        """This node's record as the local copy of the store has it."""
        mine = [record for record in state.node_records.values() if record.name == self._name]
        self._mine = min(mine, key=lambda record: record.id, default=None)
        return self._mine

    def hold(self, state: ClusterState) -> NodeRecord | None:
        """See that the store has our record. Put it back if it has none of our id, and give it: ``state`` lacks it.

        Raises:
            AgentError: the id is another node's now.
            StoreError: the store failed.
        """
        assert self._mine is not None
        record = state.node_records.get(self._mine.id)
        if record is None:
            log.warning("node %s: its record (id %d) is gone from the store, and put back", self._name, self._mine.id)
            if self._records.put_if_absent(self._mine):
                return self._mine
            record = next((r for r in self._records.all() if r.id == self._mine.id), self._mine)
        if record.name != self._name:
            raise AgentError(f"node {self._name}: its id {record.id} is that of node {record.name or '?'} now")
        self._mine = record
        return None

    def publish(self, address: IpInterface | None) -> bool:
        """Tell the other nodes where this one's VPP is reached. False: the store did not take it."""
        assert self._mine is not None
        try:
            self._mine = publish(self._records, self._mine, () if address is None else (address,))
        except StoreError as error:
            log.warning("node %s: its address could not be published: %s", self._name, error)
            return False
        return True
