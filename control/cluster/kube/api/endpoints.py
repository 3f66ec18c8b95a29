"""The endpoints controller: keeps the Endpoints of services that have a selector at their pods."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from vectorplane.control.cluster.kube.api.selector_index import SelectorIndex
from vectorplane.control.cluster.kube.model.base import Metadata, Ref
from vectorplane.control.cluster.kube.model.endpoints import (
    MANAGED_LABEL,
    MANAGER,
    EndpointAddress,
    EndpointPort,
    Endpoints,
    EndpointSubset,
    TargetRef,
)
from vectorplane.control.cluster.kube.model.pods import Pod
from vectorplane.control.cluster.kube.model.selector import matches
from vectorplane.control.cluster.kube.model.services import Service
from vectorplane.control.cluster.kube.objects import Index, Objects

_Label = tuple[str, str, str]
"""Namespace, key, value."""


class EndpointsController:
    """A change of a pod costs what the services cost that select it; others are not looked at."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._pods: Index[_Label] = Index(objects, (Pod,), _labels)
        self._selectors = SelectorIndex()
        self._dirty: dict[Ref, None] = {}
        objects.listen(self._changed)

    def run(self) -> bool:
        """Look at the services that something has happened to. Says whether endpoints are different now."""
        dirty, self._dirty = self._dirty, {}
        done = False
        for ref in dirty:
            service: Service | None = self._objects.get(ref)
            old = self._objects.one(Endpoints, ref.name, ref.namespace)
            new = None if service is None or not _selects(service) else self._endpoints(service)
            if new is not None and new != old:
                self._objects.put(new)
                done = True
            elif new is None and old is not None and old.managed:
                self._objects.remove(old.ref)
                done = True
        return done

    def _endpoints(self, service: Service) -> Endpoints:
        ready: dict[tuple[EndpointPort, ...], list[EndpointAddress]] = {}
        waiting: dict[tuple[EndpointPort, ...], list[EndpointAddress]] = {}
        for pod in self._selected(service):
            ports = _ports(service, pod)
            if pod.address is None or pod.deleting or ports is None:
                continue
            serves = pod.status.ready or service.spec.publishNotReadyAddresses
            (ready if serves else waiting).setdefault(ports, []).append(_address(pod))
        subsets = [
            EndpointSubset(
                addresses=tuple(sorted(ready.get(ports, ()), key=_place)),
                notReadyAddresses=tuple(sorted(waiting.get(ports, ()), key=_place)),
                ports=ports,
            )
            for ports in sorted(ready.keys() | waiting.keys(), key=lambda ports: [(p.name, p.port) for p in ports])
        ]
        metadata = Metadata(name=service.name, namespace=service.namespace, labels={MANAGED_LABEL: MANAGER})
        return Endpoints(metadata=metadata, subsets=tuple(subsets))

    def _selected(self, service: Service) -> list[Pod]:
        selector = service.spec.selector
        rarest = min(_pairs(service.namespace, selector), key=self._pods.count)
        return [pod for pod in self._pods.objects(rarest) if matches(selector, pod.labels)]

    def _changed(self, ref: Ref, old: Any, new: Any) -> None:
        if ref.kind == Service.KIND:
            self._dirty[ref] = None
            if new is not None and _selects(new):
                self._selectors.put(ref, new.spec.selector)
            else:
                self._selectors.drop(ref)
        elif ref.kind == Endpoints.KIND:
            # somebody else's Endpoints give way to those of a service with a selector
            service = Ref(Service.KIND, ref.namespace, ref.name)
            if self._objects.get(service) is not None:
                self._dirty[service] = None
        elif ref.kind == Pod.KIND:
            for pod in (old, new):
                if pod is not None:
                    self._dirty |= dict.fromkeys(self._selectors.selecting(pod.namespace, pod.labels))


def _selects(service: Service) -> bool:
    return bool(service.spec.selector) and service.spec.type != "ExternalName"


def _pairs(namespace: str, labels: dict[str, str]) -> Iterable[_Label]:
    return ((namespace, key, value) for key, value in labels.items())


def _labels(pod: Pod) -> Iterable[_Label]:
    return _pairs(pod.namespace, pod.labels)


def _ports(service: Service, pod: Pod) -> tuple[EndpointPort, ...] | None:
    """What the pod serves of the service; None: nothing, so it is no endpoint. Unknown names are left out."""
    if not service.spec.ports:
        return ()
    found = []
    for port in service.spec.ports:
        target = port.target
        number = pod.port_named(target, port.protocol) if isinstance(target, str) else target
        if number is not None:
            found.append(EndpointPort(name=port.name or "", port=number, protocol=port.protocol))
    return tuple(found) or None


def _address(pod: Pod) -> EndpointAddress:
    target = TargetRef(kind=Pod.KIND, namespace=pod.namespace, name=pod.name)
    # its address was given by a node, so nothing is wrong with it
    return EndpointAddress.model_construct(ip=pod.address, hostname="", nodeName=pod.spec.nodeName, targetRef=target)


def _place(address: EndpointAddress) -> tuple[int, str]:
    return int(address.ip), address.targetRef.name if address.targetRef else ""
