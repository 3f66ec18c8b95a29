"""Cluster addresses and node ports: which service has which (Kubernetes: "Service ClusterIP allocation")."""

from __future__ import annotations

from typing import Any

from vectorplane.control.cluster.ipam.arithmetic import Network, address_at, index_of
from vectorplane.control.cluster.kube.api.error import KubeError
from vectorplane.control.cluster.kube.model.base import Ref
from vectorplane.control.cluster.kube.model.services import (
    FIRST_NODE_PORT,
    HEADLESS,
    LAST_NODE_PORT,
    Service,
    ServicePort,
)
from vectorplane.control.config_types import parse_address

KUBERNETES = Ref("Service", "default", "kubernetes")
"""The API server's own service has the first address."""
FIRST_CHOSEN_PORT = 30086
"""Ports below are for those who ask for one, as long as there are others (Kubernetes: NodePort static range)."""


class _Numbers:
    """Numbers and who has them. The lowest that is free is found without looking at all of them."""

    def __init__(self, first: int, last: int) -> None:
        self.first, self.last = first, last
        self.taken: dict[int, Ref] = {}
        self._from = first

    def lowest(self, without: set[int]) -> int | None:
        """The lowest that nobody has and that is not in ``without``; None: there is none."""
        while self._from in self.taken:
            self._from += 1
        number = self._from
        while number in self.taken or number in without:
            number += 1
        return number if number <= self.last else None

    def take(self, number: int, owner: Ref) -> None:
        self.taken[number] = owner

    def free(self, number: int) -> None:
        self.taken.pop(number, None)
        if self.first <= number < self._from:
            self._from = number


class ServiceAddresses:
    """Gives services what they need, and takes it back when they change or go."""

    def __init__(self, cidr: Network | None) -> None:
        """``cidr``: where cluster addresses come from; None: there are none."""
        self._cidr = cidr
        spare = 0 if cidr is None or cidr.version == 6 else 1  # IPv4's broadcast address
        self._ips = _Numbers(2, 0 if cidr is None else cidr.num_addresses - 1 - spare)
        self._ips.take(1, KUBERNETES)
        self._chosen = _Numbers(FIRST_CHOSEN_PORT, LAST_NODE_PORT)
        self._asked = _Numbers(FIRST_NODE_PORT, FIRST_CHOSEN_PORT - 1)

    def assign(self, old: Service | None, new: Service) -> Service:
        """The service with all that it needs. What it has and does not ask for otherwise it keeps.

        Nothing is taken until `changed` is told that it is so.

        Raises:
            KubeError: what it asks for is another's, out of range, or none is left.
        """
        ip = self._ip(old, new)
        ports = self._ports(old, new)
        spec = new.spec.model_copy(
            update={"clusterIP": ip, "clusterIPs": (ip,) if ip else (), "ports": tuple(ports)},
        )
        return new.model_copy(update={"spec": spec})

    def changed(self, ref: Ref, old: Any, new: Any) -> None:
        """A listener: follows the services that there are."""
        if ref.kind != Service.KIND:
            return
        for number in self._numbers(old):
            self._ips.free(number)
        for port in _node_ports(old):
            self._range(port).free(port)
        self._ips.take(1, KUBERNETES)
        for number in self._numbers(new):
            self._ips.take(number, ref)
        for port in _node_ports(new):
            self._range(port).take(port, ref)

    def _numbers(self, service: Service | None) -> list[int]:
        if service is None or self._cidr is None or service.cluster_ip in ("", HEADLESS):
            return []
        number = index_of(self._cidr, parse_address(service.cluster_ip))
        return [] if number is None else [number]

    def _range(self, port: int) -> _Numbers:
        return self._chosen if port >= FIRST_CHOSEN_PORT else self._asked

    def _ip(self, old: Service | None, new: Service) -> str:
        if new.spec.type == "ExternalName":
            return ""
        had = old.cluster_ip if old is not None else ""
        asked = new.cluster_ip or had
        if asked not in ("", HEADLESS):
            asked = str(parse_address(asked))
        if had and asked != had:
            raise KubeError(new.ref, "spec.clusterIP", f"can't be changed (it is {had}): delete the service first")
        if asked == HEADLESS or (had and asked == had):
            if asked == HEADLESS and new.spec.type != "ClusterIP":
                raise KubeError(new.ref, "spec.type", "a service without a cluster address can only be a ClusterIP")
            return asked
        if self._cidr is None:
            raise KubeError(new.ref, "spec.clusterIP", "there are no addresses for services: service_cidr is not set")
        if asked:
            return self._asked_ip(new, asked)
        number = self._ips.lowest(set())
        if number is None:
            raise KubeError(new.ref, "spec.clusterIP", f"no address of {self._cidr} is free")
        return str(address_at(self._cidr, number))

    def _asked_ip(self, new: Service, asked: str) -> str:
        assert self._cidr is not None
        address = parse_address(asked)
        number = index_of(self._cidr, address)
        if number is None or not 1 <= number <= self._ips.last:
            raise KubeError(new.ref, "spec.clusterIP", f"{asked} is no address for a service: they are in {self._cidr}")
        owner = self._ips.taken.get(number)
        if owner is not None and owner != new.ref:
            raise KubeError(new.ref, "spec.clusterIP", f"{asked} is taken by {owner}")
        return str(address)

    def _ports(self, old: Service | None, new: Service) -> list[ServicePort]:
        if not new.has_node_ports:
            for i, port in enumerate(new.spec.ports):
                self._check_port(new, i, port.nodePort)
            return list(new.spec.ports)
        had = {(p.port, p.protocol): p.nodePort for p in old.spec.ports} if old is not None else {}
        ports = []
        used: set[tuple[int, str]] = {(p.nodePort, p.protocol) for p in new.spec.ports if p.nodePort}
        for i, port in enumerate(new.spec.ports):
            number = port.nodePort or had.get((port.port, port.protocol), 0)
            if not port.nodePort and (number, port.protocol) in used:
                number = 0
            if port.nodePort and sum(p.nodePort == number and p.protocol == port.protocol for p in new.spec.ports) > 1:
                raise KubeError(new.ref, f"spec.ports[{i}].nodePort", f"{port.protocol} {number} is there twice")
            number = number or self._any_port(new, i, {n for n, _ in used})
            self._check_port(new, i, number)
            used.add((number, port.protocol))
            ports.append(port.model_copy(update={"nodePort": number}))
        return ports

    def _any_port(self, new: Service, i: int, without: set[int]) -> int:
        number = self._chosen.lowest(without) or self._asked.lowest(without)
        if number is None:
            raise KubeError(new.ref, f"spec.ports[{i}].nodePort", "no node port is free")
        return number

    def _check_port(self, new: Service, i: int, number: int) -> None:
        owner = self._range(number).taken.get(number)
        if number and owner is not None and owner != new.ref:
            raise KubeError(new.ref, f"spec.ports[{i}].nodePort", f"{number} is taken by {owner}")


def _node_ports(service: Service | None) -> set[int]:
    return set() if service is None else {p.nodePort for p in service.spec.ports if p.nodePort}
