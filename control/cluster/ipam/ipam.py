"""IPAM of one node: its own addresses, those of other nodes, and its pods'."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vectorplane.control.cluster.ipam.arithmetic import Ip, Network, host_bits
from vectorplane.control.cluster.ipam.check import pools_of
from vectorplane.control.cluster.ipam.custom import (
    DEFAULT_NETWORK,
    STUB_NETWORK,
    CustomInterface,
    CustomInterfaces,
    network_pool,
    subnet_of,
)
from vectorplane.control.cluster.ipam.error import IpamError
from vectorplane.control.cluster.ipam.external import ExternalPods
from vectorplane.control.cluster.ipam.pod import Holder, PodId
from vectorplane.control.cluster.ipam.pod_pool import PodPool
from vectorplane.control.cluster.ipam.pod_subnet import LEAST_BITS, PodSubnet
from vectorplane.control.cluster.ipam.settings import IpamSettings
from vectorplane.control.cluster.ipam.shares import Subnets


class Ipam:
    """Who has which address, as the node ``node`` sees it. It is used by one thread, that of the event loop.

    ``pools`` tells the addresses of any node. Those of pods on other nodes are these nodes' own affair.
    """

    def __init__(
        self, settings: IpamSettings, node: int, *, gateway: Ip | None = None, pod_cidr: Network | None = None
    ) -> None:
        """Of the node with that id.

        Args:
            settings: the same on every node.
            node: this node's id (`node_id.claim`).
            gateway: the default gateway if it is not that of the settings (see `check.pools_of`).
            pod_cidr: the Pod CIDR of the Kubernetes node, for external IPAM; None: it has none yet.

        Raises:
            IpamError: a mistake in the settings, or the id is out of range.
        """
        self.settings = settings
        self.node = node
        self.pools = pools_of(settings, gateway)
        self.networks: dict[str, Subnets] = {}
        self._host_subnet = self.pools.host_subnet(node)
        self._pods = PodPool(self._subnet(pod_cidr))
        self._external = ExternalPods()
        self._custom: dict[str, PodPool] = {}

    # --- this node

    @property
    def pod_subnet(self) -> PodSubnet:
        """The subnet of this node's pods, with their gateway and the NAT loopback."""
        return self._pods.subnet

    @property
    def host_subnet(self) -> Network:
        """The subnet of the link between VPP and this host."""
        return self._host_subnet

    @property
    def external(self) -> bool:
        """Are pods' addresses given by somebody else?

        Then a pod's address does not tell its node: other nodes need a route to each pod, not to each node's subnet.
        """
        return self.settings.use_external_ipam

    def set_pod_cidr(self, pod_cidr: Network | None) -> bool:
        """The Kubernetes node has another Pod CIDR. True: that changes the subnet; `relearn` the pods now.

        Raises:
            IpamError: it is too small, or of the wrong IP version.
        """
        subnet = self._subnet(pod_cidr)
        if subnet == self._pods.subnet:
            return False
        self._pods = PodPool(subnet)
        return True

    def _subnet(self, pod_cidr: Network | None) -> PodSubnet:
        computed = self.pools.pod_subnet(self.node)
        if pod_cidr is None or not self.external:
            return computed
        if pod_cidr.version != computed.network.version:
            raise IpamError("pod_cidr", f"{pod_cidr} is IPv{pod_cidr.version}, unlike the pods of the cluster")
        if host_bits(pod_cidr) < LEAST_BITS:
            raise IpamError("pod_cidr", f"{pod_cidr} is too small: it has no address for a pod")
        return PodSubnet(pod_cidr)

    # --- pods

    def allocate(self, pod: PodId) -> Ip:
        """An address for a pod; asked again, the same.

        Raises:
            Exhausted: none is free.
            IpamError: external IPAM gives addresses (`take`).
        """
        if self.external:
            raise IpamError("use_external_ipam", f"the address of {pod} has to come from the external IPAM")
        return self._pods.allocate(Holder(pod))

    def take(self, pod: PodId, ipam_data: str | bytes) -> Ip:
        """The address that external IPAM gave a pod, out of CNI's data.

        Raises:
            IpamError: there is none in them, it is of the wrong IP version, or there is no external IPAM.
        """
        if not self.external:
            raise IpamError("use_external_ipam", f"is off, but {pod} comes with an address of an external IPAM")
        return self._external.take(pod, ipam_data, self.pod_subnet.network.version)

    def release(self, pod: PodId) -> None:
        """All addresses of a pod are free: its record is gone from Kubernetes, or adding it is reverted.

        Not when CNI deletes its interface: the pod may be made anew, and then has the same address.
        """
        self._external.release(pod)
        for pool in (self._pods, *self._custom.values()):
            for holder in pool.holders_of(pod):
                pool.release(holder)

    def address_of(self, pod: PodId) -> Ip | None:
        """The address of a pod of this node."""
        return self._external.address_of(pod) if self.external else self._pods.address_of(Holder(pod))

    def pod_of(self, address: Ip) -> PodId | None:
        """Whose address it is, of this node's pods, in the default network."""
        if self.external:
            return self._external.pod_of(address)
        holder = self._pods.holder_of(address)
        return holder.pod if holder else None

    def allocations(self) -> dict[PodId, Ip]:
        """The addresses of this node's pods, without those of custom interfaces."""
        if self.external:
            return self._external.allocations()
        return {h.pod: address for h, address in self._pods.allocations().items() if not h.interface}

    def conflicts(self) -> dict[Ip, tuple[Holder, ...]]:
        """Addresses that several pods were found with by `relearn`."""
        found = {} if self.external else self._pods.conflicts()
        return found | {a: h for pool in self._custom.values() for a, h in pool.conflicts().items()}

    # --- custom networks and interfaces

    def add_network(self, name: str, whole: Network, length: int) -> PodSubnet:
        """A custom network with addresses of its own, and this node's subnet in it; once more: nothing new.

        It has a routing table of its own, so its addresses may be those of others.

        Raises:
            IpamError: the lengths do not fit, the node's id is out of range, or the network is there with others.
        """
        pool = network_pool(name, whole, length)
        known = self.networks.get(name)
        if known is not None and known != pool:
            raise IpamError(f"{name}.subnet_cidr", f"is {known.whole} with /{known.length} for a node already")
        if known is None:
            self._custom[name] = PodPool(subnet_of(pool, self.node))
            self.networks[name] = pool
        return self._custom[name].subnet

    def remove_network(self, name: str) -> None:
        """It is gone, and all addresses in it."""
        self.networks.pop(name, None)
        self._custom.pop(name, None)

    def allocate_interface(self, pod: PodId, interface: str, network: str = DEFAULT_NETWORK) -> Ip:
        """An address for a custom interface of a pod; asked again, the same. Then `custom_of` is to be stored.

        Raises:
            Exhausted: none is free.
            IpamError: interfaces in that network have no addresses, or there is no such network.
        """
        if not interface:
            raise IpamError("interface", "expected the name of a custom interface, got none")
        return self._pool(network).allocate(Holder(pod, interface))

    def custom_of(self, pod: PodId) -> CustomInterfaces:
        """The addresses of a pod's custom interfaces, as they are stored."""
        pools = {DEFAULT_NETWORK: self._pods, **self._custom}
        found = [
            CustomInterface(name=holder.interface, network=network, ip_address=address)
            for network, pool in pools.items()
            for holder in pool.holders_of(pod)
            if holder.interface and (address := pool.address_of(holder)) is not None
        ]
        found.sort(key=lambda interface: interface.name)
        return CustomInterfaces(pod_name=pod.name, pod_namespace=pod.namespace, custom_interfaces=tuple(found))

    def _known_custom(self) -> list[CustomInterfaces]:
        pools = (self._pods, *self._custom.values())
        return [self.custom_of(pod) for pod in {h.pod for pool in pools for h in pool.allocations() if h.interface}]

    def _pool(self, network: str) -> PodPool:
        if network == STUB_NETWORK:
            raise IpamError("network", f"interfaces in {STUB_NETWORK} have no addresses")
        if network != DEFAULT_NETWORK:
            if network not in self._custom:
                raise IpamError("network", f"no network with addresses is called {network!r}")
            return self._custom[network]
        if self.external:
            raise IpamError("network", "the external IPAM has no addresses for custom interfaces")
        return self._pods

    # --- what is there already

    def relearn(self, pods: Mapping[PodId, Ip | None], custom: Iterable[CustomInterfaces] | None = None) -> list[PodId]:
        """Addresses in use, from what Kubernetes reports.

        To be called at the start, when something went wrong, and after `set_pod_cidr`. Addresses outside this node's
        subnet are those of other nodes' pods, or of hosts.

        Args:
            pods: all pods, of all nodes; None: no address of it is reported yet. It keeps what it was given here.
            custom: the stored records of custom interfaces; networks are to be added before. None: as known here.

        Returns:
            Pods with a stored record that are gone: the records are to be deleted.
        """
        subnet = self.pod_subnet.network
        there = {pod: ip for pod, ip in pods.items() if ip is not None and ip in subnet}
        waiting = {pod for pod, ip in pods.items() if ip is None}
        records = self._known_custom() if custom is None else list(custom)
        if self.external:
            self._external.relearn(there, waiting)
            return self._relearn_custom(pods, waiting, records)
        found = [(Holder(pod), ip) for pod, ip in there.items()]
        found += self._stored(pods, records, DEFAULT_NETWORK)
        self._pods.relearn(found, waiting)
        return self._relearn_custom(pods, waiting, records)

    def _relearn_custom(
        self, pods: Mapping[PodId, Ip | None], waiting: set[PodId], records: list[CustomInterfaces]
    ) -> list[PodId]:
        for network, pool in self._custom.items():
            pool.relearn(self._stored(pods, records, network), waiting)
        return sorted({record.pod for record in records} - pods.keys())

    @staticmethod
    def _stored(
        pods: Mapping[PodId, Ip | None], records: list[CustomInterfaces], network: str
    ) -> list[tuple[Holder, Ip]]:
        return [
            (record.holder(interface), interface.ip_address)
            for record in records
            if record.pod in pods
            for interface in record.custom_interfaces
            if interface.network == network
        ]
