"""The oracle: who serves what of a service, by looking at everything."""

from __future__ import annotations

from vectorplane.control.cluster.kube.api.cluster import KubeCluster
from vectorplane.control.cluster.kube.model.endpoints import Endpoints
from vectorplane.control.cluster.kube.model.pods import Pod
from vectorplane.control.cluster.kube.model.services import Service

Serves = set[tuple[str, str, bool, str, int, str]]
"""Pod, address, ready, and port name, number and protocol."""


def naive(cluster: KubeCluster, service: Service) -> Serves:
    """What a service's endpoints have to be."""
    found: Serves = set()
    for pod in cluster.objects.all(Pod):
        selected = all(pod.labels.get(k) == v for k, v in service.spec.selector.items())
        if not selected or pod.namespace != service.namespace or pod.deleting or pod.status.podIP is None:
            continue
        for port in service.spec.ports:
            numbers = [port.port] if port.targetPort is None else [port.targetPort]
            if isinstance(numbers[0], str):
                wanted = (numbers[0], port.protocol)
                numbers = [
                    p.containerPort for c in pod.spec.containers for p in c.ports if (p.name, p.protocol) == wanted
                ]
            for number in numbers[:1]:
                ready = any(c.type == "Ready" and c.status == "True" for c in pod.status.conditions)
                ready = ready or service.spec.publishNotReadyAddresses
                found.add((pod.name, str(pod.status.podIP), ready, port.name or "", int(number), port.protocol))
    return found


def flat(endpoints: Endpoints | None) -> Serves:
    """The same of an Endpoints object."""
    found: Serves = set()
    for subset in endpoints.subsets if endpoints else ():
        for ready, addresses in ((True, subset.addresses), (False, subset.notReadyAddresses)):
            for address in addresses:
                assert address.targetRef is not None
                for port in subset.ports:
                    found.add((address.targetRef.name, str(address.ip), ready, port.name, port.port, port.protocol))
    return found
