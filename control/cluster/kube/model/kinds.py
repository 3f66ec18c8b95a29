"""The kinds that are known, and what kubectl's users call them."""

from __future__ import annotations

from vectorplane.control.cluster.kube.model.base import KubeObject
from vectorplane.control.cluster.kube.model.endpoints import Endpoints, EndpointSlice
from vectorplane.control.cluster.kube.model.nodes import Namespace, Node
from vectorplane.control.cluster.kube.model.pods import Pod
from vectorplane.control.cluster.kube.model.policies import NetworkPolicy
from vectorplane.control.cluster.kube.model.services import Service
from vectorplane.control.cluster.kube.model.workloads import DaemonSet, Deployment, ReplicaSet, StatefulSet

ALL: tuple[type[KubeObject], ...] = (
    *(Namespace, Node, Service, Endpoints, EndpointSlice, NetworkPolicy),
    *(Deployment, ReplicaSet, StatefulSet, DaemonSet, Pod),
)
"""In the order in which one may need the other: that is the order in which they are applied."""
BY_KIND = {kind.KIND: kind for kind in ALL}
ORDER = {kind.KIND: place for place, kind in enumerate(ALL)}
_SHORT = {
    "ns": "Namespace",
    "no": "Node",
    "svc": "Service",
    "ep": "Endpoints",
    "netpol": "NetworkPolicy",
    "deploy": "Deployment",
    "rs": "ReplicaSet",
    "sts": "StatefulSet",
    "ds": "DaemonSet",
    "po": "Pod",
    "networkpolicies": "NetworkPolicy",
    "policies": "NetworkPolicy",
    "policy": "NetworkPolicy",
}


def kind_named(word: str) -> type[KubeObject]:
    """The kind that a user means: ``Pod``, ``pods``, ``po``, ``deployment.apps``.

    Raises:
        ValueError: none is called that.
    """
    name = word.lower().partition(".")[0]
    for kind in ALL:
        if name in (kind.KIND.lower(), kind.KIND.lower() + "s"):
            return kind
    if name in _SHORT:
        return BY_KIND[_SHORT[name]]
    raise ValueError(f"no kind is called {word!r}; known: {', '.join(sorted(BY_KIND))}")


def group_of(api_version: str) -> str:
    """The group in an ``apiVersion``; empty: the core's."""
    return api_version.rpartition("/")[0]
