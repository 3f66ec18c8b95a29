"""Random changes of a cluster's objects."""

from __future__ import annotations

import json
import random
from typing import Any

from vectorplane.control.cluster.kube.manifests.read import parse
from vectorplane.control.cluster.kube.model.base import KubeObject

PODS, SERVICES, POLICIES = 8, 3, 4
Change = tuple[str, tuple[KubeObject, ...]]
"""``apply`` or ``delete``, and what."""


def change(rng: random.Random, there: set[str]) -> Change:
    """One change; ``there`` has the names of what there is, and is changed with it."""
    kind, name = rng.choice(
        [
            ("pod", f"p{rng.randrange(PODS)}"),
            ("pod", f"p{rng.randrange(PODS)}"),
            ("service", f"s{rng.randrange(SERVICES)}"),
            ("policy", f"n{rng.randrange(POLICIES)}"),
            ("scale", "nginx"),
        ]
    )
    made = {"pod": _pod, "service": _service, "policy": _policy, "scale": _nginx}[kind](rng, name)
    objects = tuple(m.object for m in parse(json.dumps(made), "churn.json").manifests)
    key = f"{kind}/{name}"
    if key in there and kind != "scale" and (kind == "pod" or rng.random() < 0.4):  # what is of a pod can't be changed
        there.discard(key)
        return "delete", objects
    there.add(key)
    return "apply", objects


def _object(kind: str, name: str, version: str = "v1", **more: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "web", **more.pop("metadata", {})}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **more}


def _pod(rng: random.Random, name: str) -> dict[str, Any]:
    labels = {"app": rng.choice(("nginx", "batch", "x")), "role": rng.choice(("frontend", "none"))}
    ports = [{"name": "http", "containerPort": 80}]
    spec = {"containers": [{"name": "a", "image": "a", "ports": ports}]}
    return _object("Pod", name, metadata={"labels": labels}, spec=spec)


def _service(rng: random.Random, name: str) -> dict[str, Any]:
    spec = {
        "type": "NodePort",
        "selector": {"app": rng.choice(("nginx", "batch", "x"))},
        "ports": [{"name": "http", "port": rng.choice((80, 8000)), "targetPort": "http"}],
        "clusterIP": f"10.96.1.{int(name[1:]) + 1}",
    }
    spec["ports"][0]["nodePort"] = 31000 + int(name[1:])  # type: ignore[index]
    return _object("Service", name, spec=spec)


def _policy(rng: random.Random, name: str) -> dict[str, Any]:
    selectors: list[dict[str, Any]] = [{}, {"matchLabels": {"app": "x"}}, {"matchLabels": {"role": "frontend"}}]
    peers = [{"podSelector": rng.choice(selectors)}]
    if rng.random() < 0.3:
        peers = [{"namespaceSelector": {}}]
    spec: dict[str, Any] = {"podSelector": rng.choice(selectors), "policyTypes": []}
    for direction, what in (("Ingress", "from"), ("Egress", "to")):
        if rng.random() < 0.6:
            spec["policyTypes"].append(direction)
            spec[direction.lower()] = [{what: peers, "ports": [{"port": 80}]}] if rng.random() < 0.8 else []
    spec["policyTypes"] = spec["policyTypes"] or ["Ingress"]
    return _object("NetworkPolicy", name, "networking.k8s.io/v1", spec=spec)


def _nginx(rng: random.Random, name: str) -> dict[str, Any]:
    template = {
        "metadata": {"labels": {"app": "nginx"}},
        "spec": {"containers": [{"name": "nginx", "image": "nginx", "ports": [{"name": "http", "containerPort": 80}]}]},
    }
    spec = {"replicas": rng.randint(2, 7), "selector": {"matchLabels": {"app": "nginx"}}, "template": template}
    return _object("Deployment", name, "apps/v1", spec=spec)
