"""All pods against all pods, tried at once."""

from __future__ import annotations

from vectorplane.control.cluster.kube.model.pods import Pod
from vectorplane.control.cluster.simulated.cluster import Cluster
from vectorplane.control.cluster.simulated.matrix import ITSELF, Matrix
from vectorplane.control.cluster.simulated.reach import probe, verdict
from vectorplane.control.cluster.simulated.targets import TargetError, source, target

MOST_PODS = 200
_AT_ONCE = 2000
"""Tries that are under way at the same time."""


def all_pairs(cluster: Cluster, port: str, protocol: str, namespace: str | None) -> Matrix:
    """Try a port (number, or name where the receiver has one of that name) from every pod to every pod.

    A port name that a pod does not have is told as an error, as is a number of pods that would make no picture.

    Raises:
        TargetError: no such port, or too many pods.
    """
    pods = [p for p in cluster.kube.list_of(Pod, namespace) if not p.spec.hostNetwork and p.running]
    if len(pods) > MOST_PODS:
        raise TargetError(f"{len(pods)} pods are too many for a table ({MOST_PODS} at most): name a namespace")
    names = tuple(f"{pod.namespace}/{pod.name}" for pod in pods)
    sources = [source(cluster, f"pod/{name}", "") for name in names]
    where = "" if protocol == "icmp" else f":{port}"
    targets = [target(cluster, f"pod/{name}{where}", "", protocol) for name in names]
    pairs = [(i, j) for i in range(len(names)) for j in range(len(names)) if i != j]
    cells = [[ITSELF] * len(names) for _ in names]
    for at in range(0, len(pairs), _AT_ONCE):
        part = pairs[at : at + _AT_ONCE]
        tries = [probe(sources[i].host, targets[j]) for i, j in part]
        cluster.wait_for(*tries)
        for (i, j), tried in zip(part, tries, strict=True):
            cells[i][j] = verdict(tried)
    title = f"{protocol}{where}" if namespace is None else f"{protocol}{where} in {namespace}"
    return Matrix(title, names, tuple(map(tuple, cells)))
