"""10,000 pods, 1,000 services, 1,000 policies: all of them in seconds, one change in milliseconds."""

from __future__ import annotations

import json
import time
from ipaddress import IPv4Network
from typing import Any

import pytest

from tests.control.cluster.kube.known import FakeKubelet, make, node, pod, service
from vectorplane.control.cluster.kube.api.cluster import KubeCluster
from vectorplane.control.cluster.kube.manifests.read import parse
from vectorplane.control.cluster.kube.model.endpoints import Endpoints
from vectorplane.control.cluster.kube.model.pods import Pod
from vectorplane.control.cluster.kube.records.source import Records
from vectorplane.control.cluster.kube.reflector import Reflector
from vectorplane.control.cluster.store.embedded import EmbeddedStore


def written(*objects: Any) -> str:
    """A manifest of these."""
    items = [{"apiVersion": o.VERSION, "kind": o.KIND, **json.loads(o.model_dump_json(by_alias=True))} for o in objects]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})


@pytest.mark.slow
def test_a_large_cluster() -> None:
    policies = (
        make("NetworkPolicy", f"s{i}", spec={"podSelector": {"matchLabels": {"app": f"a{i}"}}}) for i in range(1000)
    )
    text = written(
        *(node(f"n{i}", f"192.168.0.{i + 1}") for i in range(100)),
        *(pod(f"p{i}", labels={"app": f"a{i % 1000}", "all": "same"}) for i in range(10_000)),
        *(service(f"s{i}", {"all": "same", "app": f"a{i}"}) for i in range(1000)),
        *policies,
    )
    made = KubeCluster(IPv4Network("10.96.0.0/12"), FakeKubelet())
    store = EmbeddedStore()
    reflector = Reflector(store, Records(made.objects), time.monotonic)
    began = time.process_time()
    answers = made.apply_all(m.object for m in parse(text, "large.json").manifests)
    assert not [a for a in answers if a.error]
    made.settle()
    assert reflector.flush()
    assert time.process_time() - began < 30  # a few seconds on a machine of one's own
    assert all(p.running for p in made.objects.all(Pod))

    took = []
    for i in range(50):
        began = time.process_time()
        made.label(Pod, f"p{i}", {"app": "a999"})
        made.settle()
        reflector.flush()
        took.append(time.process_time() - began)
    assert sum(len(s.addresses) for s in made.get(Endpoints, "s999").subsets) == 60  # type: ignore[union-attr]
    assert sorted(took)[25] < 0.05
