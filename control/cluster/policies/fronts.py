"""Services as senders see them: addresses in front, pods behind. Senders' rules are asked before the translation."""

from __future__ import annotations

import logging
from bisect import bisect_left
from collections.abc import Mapping
from ipaddress import ip_address
from typing import NamedTuple, TypeVar

from vectorplane.control.cluster.ipam.arithmetic import Ip
from vectorplane.control.cluster.model.base import ObjectId
from vectorplane.control.cluster.model.endpoints import Endpoints
from vectorplane.control.cluster.model.service import Service
from vectorplane.control.cluster.policies.nets import Net, host
from vectorplane.control.cluster.policies.rule import PROTOCOLS, Ports, one_port

log = logging.getLogger(__name__)
_K = TypeVar("_K")


class Vip(NamedTuple):
    """Where a service is reached.

    ``hidden``: who sends there can't be refused behind it. Its pods see the node as the sender (twice-NAT), or it is
    another node's, which knows nothing of what this node's pods may.
    """

    address: Net
    ports: Ports
    hidden: bool


class Backend(NamedTuple):
    """Where it is served."""

    address: Net
    ports: Ports


class Front(NamedTuple):
    """A port of a service."""

    vips: tuple[Vip, ...]
    backends: tuple[Backend, ...]


def fronts(service: Service, endpoints: Endpoints, node_ports: Mapping[Net, bool]) -> tuple[Front, ...]:
    """The ports of a service that have a ready backend. Which of them a node prefers is not looked at.

    ``node_ports``: addresses at which node ports are served; is it this node that serves them?
    """
    outside: list[Ip] = [*service.external_ips, *(service.lb_ingress_ips if service.type == "LoadBalancer" else ())]
    hidden = service.external_traffic_policy != "Local"
    cluster = _cluster_ips(service)
    found = []
    for port in service.ports:
        protocol = PROTOCOLS.get(port.protocol)
        if protocol is None:
            log.error("service %s, port %s: there is no protocol %s", service.id, port.port, port.protocol)
            continue
        at = one_port(protocol, port.port)
        vips = [Vip(host(a), at, False) for a in cluster] + [Vip(host(a), at, hidden) for a in outside]
        if port.node_port:
            at = one_port(protocol, port.node_port)
            vips += [Vip(address, at, hidden or not here) for address, here in node_ports.items()]
        backends = [
            Backend(host(address.ip), one_port(protocol, served.port))
            for subset in endpoints.subsets
            for served in subset.ports
            if served.name == port.name
            for address in subset.addresses
        ]
        if vips and backends:
            found.append(Front(tuple(dict.fromkeys(vips)), tuple(dict.fromkeys(backends))))
    return tuple(found)


def _cluster_ips(service: Service) -> list[Ip]:
    found: dict[Ip, None] = {}
    for text in (service.cluster_ip, *service.cluster_ips):
        if text not in ("", "None"):
            try:
                found[ip_address(text)] = None
            except ValueError:
                log.error("service %s, cluster_ip: %r is no address", service.id, text)
    return list(found)


class Fronts:
    """All services with backends, by the addresses that they have to do with."""

    def __init__(self) -> None:
        self.of: dict[ObjectId, tuple[Front, ...]] = {}
        self.by_address: dict[Net, set[ObjectId]] = {}
        """In front or behind."""
        self.at: dict[tuple[Net, Ports], set[ObjectId]] = {}
        """Who is reached there."""
        self._ports: dict[Ports, int] = {}
        self._sorted: list[tuple[int, int]] | None = None
        self._crowded: set[tuple[Net, Ports]] = set()
        """Where several are reached, which is somebody's mistake."""

    def put(self, service: ObjectId, new: tuple[Front, ...]) -> set[ObjectId]:
        """It is like this now. Gives the services for which that matters (those at the same addresses, too)."""
        old = self.of.get(service, ())
        if old == new:
            return set()
        matters = self.with_neighbours({service})
        self._sorted = None
        self._count(old, -1)
        self._count(new, 1)
        for front in old:
            for vip in front.vips:
                place = vip.address, vip.ports
                _forget(self.at, place, service)
                if len(self.at.get(place, ())) < 2:
                    self._crowded.discard(place)
                _forget(self.by_address, vip.address, service)
            for backend in front.backends:
                _forget(self.by_address, backend.address, service)
        self.of.pop(service, None)
        if new:
            self.of[service] = new
        for front in new:
            for vip in front.vips:
                place = vip.address, vip.ports
                self.at.setdefault(place, set()).add(service)
                if len(self.at[place]) > 1:
                    self._crowded.add(place)
                self.by_address.setdefault(vip.address, set()).add(service)
            for backend in front.backends:
                self.by_address.setdefault(backend.address, set()).add(service)
        return matters | self.with_neighbours({service})

    def backends(self, service: ObjectId) -> set[Net]:
        """Where it is served."""
        return {b.address for front in self.of.get(service, ()) for b in front.backends}

    def served_by(self, address: Net) -> set[ObjectId]:
        """The services with a backend of that address, and those at the same addresses as these."""
        return self.with_neighbours(
            {
                service
                for service in self.by_address.get(address, ())
                if any(b.address == address for front in self.of[service] for b in front.backends)
            }
        )

    def concerning(self, address: Net) -> set[ObjectId]:
        """The services that the address has to do with, and those at the same addresses as these."""
        return self.with_neighbours(self.by_address.get(address, set()))

    def alone(self, vip: Vip) -> bool:
        """Is only one service reached by it?"""
        return not self._crowded or vip[:2] not in self._crowded

    def within(self, block: Net) -> list[Net]:
        """The addresses that lie in a network."""
        if self._sorted is None:
            self._sorted = sorted((version, number) for _, version, number in self.by_address)
        length, version, first = block
        bits = 32 if version == 4 else 128
        start = bisect_left(self._sorted, (version, first))
        end = bisect_left(self._sorted, (version, first + (1 << (bits + length))))
        return [(-bits, version, number) for version, number in self._sorted[start:end]]

    def uses(self, ports: Ports) -> bool:
        """Is any of these ports one of a service's, in front or behind?"""
        return any(ports.has(p.protocol, p.first) for p in self._ports)

    def together(self, vip: Vip) -> tuple[list[Backend], bool]:
        """All backends that are reached by it, and whether any of the services hides the sender."""
        backends: dict[Backend, None] = {}
        hidden = False
        for service in sorted(self.at[vip.address, vip.ports]):
            for front in self.of[service]:
                for other in front.vips:
                    if other[:2] == vip[:2]:
                        backends |= dict.fromkeys(front.backends)
                        hidden = hidden or other.hidden
        return list(backends), hidden

    def _count(self, of: tuple[Front, ...], by: int) -> None:
        for ports in (p for front in of for p in (*(v.ports for v in front.vips), *(b.ports for b in front.backends))):
            count = self._ports.pop(ports, 0) + by
            if count:
                self._ports[ports] = count

    def with_neighbours(self, services: set[ObjectId]) -> set[ObjectId]:
        """Services, and those that are reached where these are."""
        if not self._crowded:
            return services
        places = {v[:2] for s in services for front in self.of.get(s, ()) for v in front.vips} & self._crowded
        return services.union(*(self.at[place] for place in places))


def _forget(index: dict[_K, set[ObjectId]], key: _K, service: ObjectId) -> None:
    if key in index:
        index[key].discard(service)
        if not index[key]:
            del index[key]
