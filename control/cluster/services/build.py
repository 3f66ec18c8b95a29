"""From a Service and its Endpoints to a record.

Kubernetes' documentation ("Service", "Service Internal Traffic Policy", "Virtual IPs and Service Proxies") and
Contiv-VPP's processor; where they differ, the former counts.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import NamedTuple

from vectorplane.control.cluster.model.endpoints import Endpoints
from vectorplane.control.cluster.model.service import USUAL_TIMEOUT, Service, ServicePort
from vectorplane.control.cluster.services.claims import Claim, Claims
from vectorplane.control.cluster.services.node_addresses import NodeAddresses
from vectorplane.control.cluster.services.places import Places
from vectorplane.control.cluster.services.record import PROTOCOLS, Backend, Entry, Purpose, ServiceRecord

log = logging.getLogger(__name__)

LOCAL = "Local"


def tell_unbalanced(service: Service) -> None:
    """Say which of its ports do not work."""
    for port in service.ports:
        if port.protocol not in PROTOCOLS:
            log.warning(
                "service %s: port %d: protocol %s is not balanced (only TCP and UDP are); the port does not work",
                service.id,
                port.port,
                port.protocol,
            )


def cluster_ips(service: Service) -> list[IPv4Address]:
    """Its IPv4 cluster IPs; none of a headless one."""
    found = []
    for text in dict.fromkeys((service.cluster_ip, *service.cluster_ips)):
        if text in ("", "None"):
            continue
        try:
            found.append(IPv4Address(text))
        except AddressValueError:
            if not _is_ip6(text):
                log.error("service %s: cluster_ip: expected an IP address, got %r", service.id, text)
    return found


def _is_ip6(text: str) -> bool:
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True


def external_ips(service: Service) -> list[IPv4Address]:
    """Its IPv4 addresses outside: ``externalIPs``, and those of a load balancer."""
    ingress = service.lb_ingress_ips if service.type == "LoadBalancer" else ()
    return [ip for ip in dict.fromkeys((*service.external_ips, *ingress)) if isinstance(ip, IPv4Address)]


class _Want(NamedTuple):
    claim: Claim
    purpose: Purpose
    port: ServicePort


def _wants(service: Service) -> Iterator[_Want]:
    """Where it wants to be, whether or not something serves it."""
    inside, outside = cluster_ips(service), external_ips(service)
    for port in service.ports:
        proto = PROTOCOLS.get(port.protocol)
        if proto is None:
            continue
        for address in inside:
            yield _Want(Claim(proto, port.port, address), Purpose.CLUSTER, port)
        for address in outside:
            yield _Want(Claim(proto, port.port, address), Purpose.EXTERNAL, port)
        if port.node_port:
            yield _Want(Claim(proto, port.node_port, None), Purpose.NODE_PORT, port)


def claims_of(service: Service) -> frozenset[Claim]:
    """Where it wants to be."""
    return frozenset(want.claim for want in _wants(service))


def build(
    service: Service, endpoints: Endpoints | None, places: Places, nodes: NodeAddresses, claims: Claims
) -> ServiceRecord:
    """The record of a service, with the entries that it has won.

    The two traffic policies are independent of each other: that of external traffic says nothing about the cluster IP
    (in Contiv-VPP it does).
    """
    only_local = {
        Purpose.CLUSTER: service.internal_traffic_policy == LOCAL,
        Purpose.EXTERNAL: service.external_traffic_policy == LOCAL,
        Purpose.NODE_PORT: service.external_traffic_policy == LOCAL,
    }
    entries: dict[Claim, Entry] = {}
    for claim, purpose, port in _wants(service):
        if claims.winner(claim) != service.id or claim in entries:
            continue
        backends = _backends(port, endpoints, places, nodes)
        local = only_local[purpose]
        entries[claim] = Entry(
            purpose,
            claim.address,
            claim.proto,
            claim.port,
            tuple(b for b in backends if b.local) if local else backends,
            local,
            purpose is not Purpose.CLUSTER and not local,
            purpose is Purpose.EXTERNAL and (nodes.has(claim.address) or places.is_own(claim.address)),
            claims.named(claim.proto, claim.port) if claim.address is None else frozenset(),
        )
    return ServiceRecord(service.id, tuple(entries.values()), _affinity(service))


def _affinity(service: Service) -> int:
    if service.session_affinity != "ClientIP":
        return 0
    return service.session_affinity_timeout or USUAL_TIMEOUT


def _backends(
    port: ServicePort, endpoints: Endpoints | None, places: Places, nodes: NodeAddresses
) -> tuple[Backend, ...]:
    """Ready IPv4 addresses with the port of that name."""
    found: set[tuple[IPv4Address, int]] = set()
    for subset in endpoints.subsets if endpoints is not None else ():
        numbers = [served.port for served in subset.ports if served.name == port.name]
        for address in subset.addresses if numbers else ():
            if isinstance(address.ip, IPv4Address):
                found.update((address.ip, number) for number in numbers)
    return tuple(
        Backend(
            ip,
            number,
            places.local(ip),
            places.on_host(ip),
            not (places.local(ip) or places.in_pools(ip) or nodes.has(ip)),
        )
        for ip, number in sorted(found)
    )
