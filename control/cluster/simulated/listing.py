"""Objects as ``kubectl get`` lists them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from vectorplane.control.cluster.kube.model.base import KubeObject
from vectorplane.control.cluster.kube.model.endpoints import Endpoints
from vectorplane.control.cluster.kube.model.kinds import ALL, kind_named
from vectorplane.control.cluster.kube.model.nodes import Namespace, Node
from vectorplane.control.cluster.kube.model.pods import Pod
from vectorplane.control.cluster.kube.model.policies import NetworkPolicy
from vectorplane.control.cluster.kube.model.services import Service
from vectorplane.control.cluster.kube.model.workloads import Workload
from vectorplane.control.cluster.simulated.cluster import Cluster
from vectorplane.control.cluster.simulated.targets import TargetError

Row = Callable[[Cluster, Any], Sequence[str]]


def kind_of(word: str) -> type[KubeObject]:
    """A kind as people call it: Pod, pods, po. Raises TargetError: there is no such kind."""
    try:
        return kind_named(word)
    except ValueError as error:
        raise TargetError(str(error)) from None


def listing(cluster: Cluster, word: str, name: str | None, namespace: str | None) -> Any:
    """Objects of a kind, all or the one of that name.

    Raises:
        TargetError: there is no such kind, or no object of that name.
    """
    kind = kind_of(word)
    found = [o for o in cluster.kube.list_of(kind, namespace) if name is None or o.name == name]
    if name is not None and not found:
        raise TargetError(f"there is no {kind.KIND.lower()} {name}")
    heads, row = _COLUMNS.get(kind, _PLAIN)
    space = ("NAMESPACE",) if kind.NAMESPACED else ()
    rows = [(*space, "NAME", *heads)]
    rows += [(*((o.namespace,) if kind.NAMESPACED else ()), o.name, *row(cluster, o)) for o in found]
    items = [o.model_dump(mode="json", exclude_defaults=True) for o in found]
    return {"text": _table(rows) if found else "no resources found", "items": items}


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("   ".join(f"{v:<{w}}" for v, w in zip(row, widths, strict=True)).rstrip() for row in rows)


def _pod(cluster: Cluster, pod: Pod) -> Sequence[str]:
    status = "Terminating" if pod.deleting else pod.status.phase
    why = cluster.kube.errors().get(pod.ref, "")
    return ("1/1" if pod.status.ready else "0/1", status, str(pod.address or "-"), pod.spec.nodeName or "-", why)


def _service(cluster: Cluster, service: Service) -> Sequence[str]:
    spec = service.spec
    ingress = [str(i.ip) for i in service.status.loadBalancer.ingress if i.ip is not None]
    external = ",".join([*map(str, spec.externalIPs), *ingress]) or "-"
    ports = ",".join(f"{p.port}{f':{p.nodePort}' if p.nodePort else ''}/{p.protocol}" for p in spec.ports)
    return spec.type, service.cluster_ip or "-", external, ports or "-"


def _endpoints(cluster: Cluster, endpoints: Endpoints) -> Sequence[str]:
    found = [f"{a.ip}:{p.port}" for s in endpoints.subsets for a in s.addresses for p in s.ports]
    shown = ",".join(found[:6]) + (f" + {len(found) - 6} more" if len(found) > 6 else "")
    return (shown or "-",)


def _node(cluster: Cluster, node: Node) -> Sequence[str]:
    found = cluster.nodes.get(node.name)
    running = found if found is not None and not found.down else None
    status = ("Ready" if running is not None else "NotReady") + ("" if node.schedulable else ",SchedulingDisabled")
    number = "-" if running is None or running.number is None else str(running.number)
    pods = "-" if running is None else running.pod_subnet or "-"
    return status, number, str(running.address or "-") if running else "-", str(node.management or "-"), pods


def _policy(cluster: Cluster, policy: NetworkPolicy) -> Sequence[str]:
    labels = policy.spec.podSelector.matchLabels
    selected = ",".join(f"{k}={v}" for k, v in labels.items()) or "all"
    return selected, ",".join(policy.spec.policyTypes or ())


def _workload(cluster: Cluster, workload: Workload) -> Sequence[str]:
    pods = [p for p in cluster.kube.list_of(Pod, workload.namespace) if p.owner == workload.ref]
    ready = sum(p.status.ready for p in pods)
    return (f"{ready}/{len(pods)}",)


def _namespace(cluster: Cluster, namespace: Namespace) -> Sequence[str]:
    return (",".join(f"{k}={v}" for k, v in sorted(namespace.labels.items())),)


_PLAIN: tuple[Sequence[str], Row] = ((), lambda cluster, o: ())
_COLUMNS: dict[type[KubeObject], tuple[Sequence[str], Row]] = {
    Pod: (("READY", "STATUS", "IP", "NODE", "MESSAGE"), _pod),
    Service: (("TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORTS"), _service),
    Endpoints: (("ENDPOINTS",), _endpoints),
    Node: (("STATUS", "ID", "VPP-IP", "INTERNAL-IP", "POD-CIDR"), _node),
    NetworkPolicy: (("POD-SELECTOR", "TYPES"), _policy),
    Namespace: (("LABELS",), _namespace),
    **{kind: (("READY",), _workload) for kind in ALL if issubclass(kind, Workload)},
}
