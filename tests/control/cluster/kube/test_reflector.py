"""The reflector: only differences are written, strangers are swept, a failing store is brought back into step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.control.cluster.kube.known import cluster, make, pod, service
from vectorplane.control.cluster.keys import REFLECTED
from vectorplane.control.cluster.kube.model.pods import Pod
from vectorplane.control.cluster.kube.records.source import Records
from vectorplane.control.cluster.kube.reflector import Counters, Reflector
from vectorplane.control.cluster.state import ClusterState
from vectorplane.control.cluster.store.embedded import EmbeddedStore
from vectorplane.control.cluster.store.errors import StoreFailed


class FailingStore(EmbeddedStore):
    """Fails as often as it is told. ``late``: what it fails is done nevertheless. Keeps the sizes of transactions."""

    def __init__(self) -> None:
        super().__init__()
        self.failures, self.late = 0, False
        self.sizes: list[int] = []

    def transaction(self, compares: Sequence[Any], then: Sequence[Any], otherwise: Sequence[Any] = ()) -> Any:
        fails = self.failures > 0
        self.failures -= fails
        if fails and not self.late:
            raise StoreFailed("no")
        self.sizes.append(len(then))
        outcome = super().transaction(compares, then, otherwise)
        if fails:
            raise StoreFailed("no answer")
        return outcome


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def reflected() -> tuple[Any, FailingStore, Reflector, Clock]:
    made, store, clock = cluster("a"), FailingStore(), Clock()
    return made, store, Reflector(store, Records(made.objects), clock), clock


def pods(store: EmbeddedStore) -> set[str]:
    return {e.value["name"] for e in store.list(REFLECTED + "pod/").entries}


def test_only_differences_are_written() -> None:
    made, store, reflector, _ = reflected()
    made.apply(pod("web"))
    made.settle()
    assert reflector.flush() and reflector.due() is None
    revision = store.revision()
    made.apply(pod("web"))
    made.label(Pod, "web", {"a": "b"})
    made.label(Pod, "web", {"a": None})
    assert reflector.flush() and store.revision() == revision
    made.label(Pod, "web", {"a": "b"})
    reflector.flush()
    assert store.revision() == revision + 1
    assert reflector.counters["Pod"] == Counters(adds=1, updates=1, resyncs=1)


def test_a_start_takes_over_what_is_right_and_sweeps_the_rest() -> None:
    made, store, first, _ = reflected()
    for name in ("one", "two"):
        made.apply(pod(name))
    made.settle()
    first.flush()
    store.put(REFLECTED + "pod/ghost/namespace/default", {"name": "ghost", "namespace": "default"})
    store.put(REFLECTED + "pod/one/namespace/default", {"broken": True})
    store.put(REFLECTED + "nodeconfig/a", {"node_name": "a"})
    store.put("/vnf-agent/contiv-ksr/allocatedIDs/1", {"id": 1, "name": "a"})
    second = Reflector(store, Records(made.objects), lambda: 0.0)
    assert second.flush()
    assert pods(store) == {"one", "two"}
    assert second.counters["Pod"] == Counters(updates=1, deletes=1, resyncs=1)
    assert store.get(REFLECTED + "nodeconfig/a") and store.get("/vnf-agent/contiv-ksr/allocatedIDs/1")


def test_transactions_are_of_at_most_128_operations() -> None:
    made, store, reflector, _ = reflected()
    for i in range(300):
        made.apply(pod(f"p{i}"))
    assert reflector.flush()
    assert max(store.sizes) == 128 and sum(store.sizes) == 300 + 1 + 4
    for i in range(300):
        made.delete(Pod, f"p{i}")
    assert reflector.flush() and not pods(store)


def test_a_store_that_fails_is_brought_back_into_step() -> None:
    made, store, reflector, clock = reflected()
    reflector.flush()
    for late in (False, True):
        store.late, store.failures = late, 1 if late else 6
        made.apply(pod("web"))
        assert not reflector.flush()
        waits = []
        while not reflector.flush():
            due = reflector.due()
            assert due is not None
            if due > clock.now:
                waits.append(round(due - clock.now, 3))
                clock.now = due
            made.apply(pod("later"))  # a change while the store is out of step is not lost
        if not late:
            assert waits == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]
        assert pods(store) == {"web", "later"}
        made.delete(Pod, "web")
        made.delete(Pod, "later")
        assert reflector.flush() and not pods(store)
    assert reflector.counters["Pod"].errors >= 6


def test_a_record_that_is_too_large_stops_no_other() -> None:
    made, store, reflector, _ = reflected()
    made.apply(pod("small"))
    large = {f"a{i}": "x" * 100_000 for i in range(20)}
    made.apply(make("Pod", "large", spec={"containers": [{"name": "c"}]}).with_metadata(annotations=large))
    assert reflector.flush() and pods(store) == {"small"}
    assert reflector.counters["Pod"] == Counters(adds=1, resyncs=1, errors=1)


def test_agents_read_what_is_written() -> None:
    made, store, reflector, _ = reflected()
    made.apply(pod("web", labels={"app": "web"}))
    made.apply(service("web", {"app": "web"}, type="NodePort"))
    made.apply(make("NetworkPolicy", "p", spec={"egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.1/8"}}]}]}))
    made.settle()
    reflector.flush()
    state = ClusterState()
    state.load(store.list("").entries)
    assert not state.unreadable
    [found] = state.pods.values()
    assert str(found.ip_address) == "10.1.0.3" and str(found.host_ip_address) == "192.168.56.11"
    [policy] = state.policies.values()
    assert policy.is_ingress and policy.is_egress and str(policy.egress[0].peers[0].ip_block.cidr) == "10.0.0.0/8"  # type: ignore[union-attr]
    [endpoints] = state.endpoints.values()
    assert endpoints.subsets[0].addresses[0].pod == found.id and endpoints.id in state.services
