"""What becomes of an object on its way in: what it leaves out, and what of the one before stays."""

from __future__ import annotations

from typing import Any

from vectorplane.control.cluster.kube.api.error import KubeError
from vectorplane.control.cluster.kube.model.base import KubeObject
from vectorplane.control.cluster.kube.model.endpoints import EndpointSlice
from vectorplane.control.cluster.kube.model.nodes import HOSTNAME_LABEL, NAMESPACE_LABEL, Namespace, Node, NodeStatus
from vectorplane.control.cluster.kube.model.pods import Pod, PodStatus
from vectorplane.control.cluster.kube.model.services import Ingress, LoadBalancer, Service, ServiceStatus
from vectorplane.control.cluster.kube.model.workloads import Workload


def admitted(old: Any, new: KubeObject) -> Any:
    """The object as it is to be kept, when ``new`` is applied to ``old`` (None: there is none).

    Raises:
        KubeError: it changes what can't be changed.
    """
    owners = old.metadata.ownerReferences if old is not None else ()
    new = new.with_metadata(namespace=new.namespace, ownerReferences=owners, deletionTimestamp=None)
    match new:
        case Namespace():
            return new.with_metadata(labels=new.labels | {NAMESPACE_LABEL: new.name})
        case Node():
            return _node(old, new)
        case Pod():
            return _pod(old, new)
        case Workload():
            return _workload(old, new)
        case Service():
            return _service(old, new)
        case EndpointSlice() if old is not None and old.addressType != new.addressType:
            raise KubeError(new.ref, "addressType", f"can't be changed (it is {old.addressType})")
    return new


def _node(old: Node | None, new: Node) -> Node:
    """Whether it is cordoned, its Pod CIDR and its addresses are not the manifest's to forget."""
    new = new.with_metadata(labels={HOSTNAME_LABEL: new.name} | new.labels)
    if old is None:
        return new
    spec = {k: v for k, v in vars(new.spec).items() if v is not None and v != ""}
    status = new.status if new.status != NodeStatus() else old.status
    return new.model_copy(update={"spec": old.spec.model_copy(update=spec), "status": status})


def _pod(old: Pod | None, new: Pod) -> Pod:
    if old is None:
        return new.with_status(PodStatus())
    spec = new.spec
    if not spec.nodeName:
        spec = spec.model_copy(update={"nodeName": old.spec.nodeName})
    if spec != old.spec:
        changed = next(name for name in type(spec).model_fields if getattr(spec, name) != getattr(old.spec, name))
        raise KubeError(new.ref, f"spec.{changed}", "can't be changed in a pod that is there: delete it first")
    return new.model_copy(update={"spec": spec, "status": old.status})


def _workload(old: Workload | None, new: Workload) -> Workload:
    if old is None:
        return new
    if old.spec.selector != new.spec.selector:
        raise KubeError(new.ref, "spec.selector", f"can't be changed: delete the {new.KIND} first")
    if new.spec.replicas is None:
        return new.model_copy(update={"spec": new.spec.model_copy(update={"replicas": old.spec.replicas})})
    return new


def _service(old: Service | None, new: Service) -> Service:
    """A load balancer's addresses are told by the manifest, or are the one that it asks for."""
    if new.status == ServiceStatus() and new.spec.type == "LoadBalancer":
        if new.spec.loadBalancerIP is not None:
            ingress = (Ingress(ip=new.spec.loadBalancerIP),)
            status = ServiceStatus(loadBalancer=LoadBalancer(ingress=ingress))
        else:
            status = old.status if old is not None else ServiceStatus()
        return new.model_copy(update={"status": status})
    return new
