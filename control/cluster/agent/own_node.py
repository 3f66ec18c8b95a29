"""Makes an agent's `ThisNode`, and keeps it as the node's configuration and the cluster's records want it."""

from __future__ import annotations

import logging

from vectorplane.control.cluster.agent.errors import AgentError
from vectorplane.control.cluster.agent.node_config import NodeConfig
from vectorplane.control.cluster.ipam.arithmetic import IpInterface, Network
from vectorplane.control.cluster.ipam.check import pools_of
from vectorplane.control.cluster.ipam.error import IpamError
from vectorplane.control.cluster.ipam.ipam import Ipam
from vectorplane.control.cluster.settings import ClusterSettings
from vectorplane.control.cluster.state import ClusterState
from vectorplane.control.cluster.this_node import ThisNode, Wiring

log = logging.getLogger(__name__)


class OwnNode:
    """``config`` may be replaced at any time; it counts from the next `refresh` on."""

    def __init__(self, name: str, settings: ClusterSettings, wiring: Wiring, config: NodeConfig) -> None:
        """Raises AgentError: a mistake in the settings."""
        self.config = config
        self._name, self._settings, self._wiring = name, settings, wiring
        try:
            self._pools = pools_of(settings.ipam)
        except IpamError as error:
            raise AgentError(f"settings: ipam.{error}") from None

    @property
    def most_nodes(self) -> int:
        """The highest node id that there are addresses for."""
        return self._pools.most_nodes

    def make(self, number: int, state: ClusterState) -> ThisNode:
        """The node, with that id. Raises AgentError: there are no addresses for it."""
        try:
            node = ThisNode(self._name, number, self._settings, Ipam(self._settings.ipam, number), self._wiring)
        except IpamError as error:
            raise AgentError(f"node {self._name}: {error}") from None
        self.refresh(node, state)
        return node

    def refresh(self, node: ThisNode, state: ClusterState) -> bool:
        """What is configured counts now. True: the pods' subnet is another one, so addresses have to be learnt anew.

        Raises:
            AgentError: there is no address for the node's id.
        """
        config = self.config
        node.nic = config.nic_of(self._settings.ipam, self.address(node))
        node.other_nics = config.other_nics
        node.gateway = config.gateway or self._settings.ipam.default_gateway
        node.host_addresses = config.host_addresses
        try:
            return node.ipam.set_pod_cidr(self.pod_cidr(state))
        except IpamError as error:
            log.error("node %s: %s: the pods' subnet stays %s", node.name, error, node.ipam.pod_subnet.network)
            return False

    def address(self, node: ThisNode) -> IpInterface | None:
        """Where other nodes reach this one's VPP; None: it has no address (yet). Raises AgentError as `refresh`."""
        try:
            return self.config.address_of(self._settings.ipam, self._pools, node.id)
        except IpamError as error:
            raise AgentError(f"node {self._name}: {error}") from None

    def pod_cidr(self, state: ClusterState) -> Network | None:
        """The Pod CIDR that Kubernetes gave this node."""
        record = state.nodes.get(self._name)
        return None if record is None else record.pod_CIDR
