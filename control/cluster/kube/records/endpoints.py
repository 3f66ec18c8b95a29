"""Records of endpoints: from Endpoints, or from a service's EndpointSlices where there are none."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.kube.model.endpoints import (
    EndpointAddress,
    Endpoints,
    EndpointSlice,
    TargetRef,
)
from vectorplane.control.cluster.model import endpoints as model
from vectorplane.control.config_types import parse_address


def endpoints_record(endpoints: Endpoints) -> model.Endpoints:
    """The record of an Endpoints object."""
    subsets = tuple(
        model.Subset(
            addresses=tuple(_address(a, endpoints.namespace) for a in subset.addresses),
            not_ready_addresses=tuple(_address(a, endpoints.namespace) for a in subset.notReadyAddresses),
            ports=tuple(model.EndpointPort(name=p.name, port=p.port, protocol=p.protocol) for p in subset.ports),
        )
        for subset in endpoints.subsets
    )
    return model.Endpoints(name=endpoints.name, namespace=endpoints.namespace, subsets=subsets)


def slices_record(namespace: str, service: str, slices: Iterable[EndpointSlice]) -> model.Endpoints | None:
    """The record of a service's slices, in the order of their names; None: none of them counts.

    Those of host names (FQDN) do not.
    """
    counting = sorted((s for s in slices if s.addressType != "FQDN"), key=lambda s: s.name)
    if not counting:
        return None
    subsets = []
    for part in counting:
        ready: list[model.EndpointAddress] = []
        waiting: list[model.EndpointAddress] = []
        for endpoint in part.endpoints:
            address = model.EndpointAddress(
                ip=parse_address(endpoint.addresses[0]),
                host_name=endpoint.hostname,
                node_name=endpoint.nodeName,
                pod=_pod(endpoint.targetRef, namespace),
            )
            (waiting if endpoint.conditions.ready is False else ready).append(address)
        ports = tuple(
            model.EndpointPort(name=p.name, port=p.port, protocol=p.protocol) for p in part.ports if p.port is not None
        )
        if ready or waiting:
            subsets.append(model.Subset(addresses=tuple(ready), not_ready_addresses=tuple(waiting), ports=ports))
    return model.Endpoints(name=service, namespace=namespace, subsets=tuple(subsets))


def _address(address: EndpointAddress, namespace: str) -> model.EndpointAddress:
    return model.EndpointAddress(
        ip=address.ip,
        host_name=address.hostname,
        node_name=address.nodeName,
        pod=_pod(address.targetRef, namespace),
    )


def _pod(target: TargetRef | None, namespace: str) -> PodId | None:
    if target is None or target.kind != "Pod":
        return None
    return PodId(target.namespace or namespace, target.name)
