"""Any sequence of requests: endpoints, addresses, names and the store are what a look at everything says."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.control.cluster.kube.known import FakeKubelet, cluster, make, node, pod, service, workload
from tests.control.cluster.kube.naive_endpoints import flat, naive
from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.kube.api.error import KubeError
from vectorplane.control.cluster.kube.model.endpoints import Endpoints
from vectorplane.control.cluster.kube.model.nodes import Node
from vectorplane.control.cluster.kube.model.pods import Pod
from vectorplane.control.cluster.kube.model.services import Service
from vectorplane.control.cluster.kube.model.workloads import Deployment
from vectorplane.control.cluster.kube.records.source import Records, store_key
from vectorplane.control.cluster.kube.reflector import Reflector
from vectorplane.control.cluster.state import ClusterState, value_of
from vectorplane.control.cluster.store.embedded import EmbeddedStore

NODES = ("a", "b", "c")
SPACES = st.sampled_from(["default", "shop"])
NAMES = st.sampled_from(["x", "y", "z"])
LABELS = st.fixed_dictionaries({}, optional={"app": st.sampled_from(["x", "y"]), "v": st.sampled_from(["1", "2"])})


class Requests(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.kubelet = FakeKubelet()
        self.cluster = cluster(*NODES, kubelet=self.kubelet)
        self.cluster.apply(make("Namespace", "shop"))
        self.store = EmbeddedStore()
        self.records = Records(self.cluster.objects)
        self.reflector = Reflector(self.store, self.records, lambda: 0.0)

    def ask(self, call: Any, *args: Any) -> None:
        try:
            call(*args)
        except KubeError as error:
            assert str(error)

    @rule(name=NAMES, space=SPACES, labels=LABELS, on=st.sampled_from(["", *NODES]), host=st.booleans())
    def apply_pod(self, name: str, space: str, labels: dict[str, str], on: str, host: bool) -> None:
        self.ask(self.cluster.apply, pod(name, space, labels, nodeName=on, hostNetwork=host))

    @rule(name=NAMES, replicas=st.integers(0, 4), v=st.sampled_from(["1", "2"]), recreate=st.booleans())
    def apply_deployment(self, name: str, replicas: int, v: str, recreate: bool) -> None:
        strategy = {"type": "Recreate" if recreate else "RollingUpdate"}
        self.ask(self.cluster.apply, workload("Deployment", name, replicas, labels={"v": v}, strategy=strategy))

    @rule(name=NAMES, kind=st.sampled_from(["StatefulSet", "DaemonSet"]), v=st.sampled_from(["1", "2"]))
    def apply_other(self, name: str, kind: str, v: str) -> None:
        self.ask(self.cluster.apply, workload(kind, f"{kind.lower()}-{name}", 2, labels={"v": v}))

    @rule(
        name=NAMES,
        space=SPACES,
        selector=LABELS,
        kind=st.sampled_from(["ClusterIP", "NodePort", "LoadBalancer"]),
        ip=st.sampled_from(["", "", "10.96.0.3", "None"]),
        port=st.sampled_from([0, 0, 30000, 30086]),
        to=st.sampled_from(["http", 80, None]),
        hasty=st.booleans(),
    )
    def apply_service(
        self, name: str, space: str, selector: dict[str, str], kind: str, ip: str, port: int, to: Any, hasty: bool
    ) -> None:
        ports = [{"port": 80, "targetPort": to, "nodePort": port if kind != "ClusterIP" else 0}]
        more = {"ports": ports, "type": kind, "publishNotReadyAddresses": hasty}
        ip = ip if kind == "ClusterIP" or ip != "None" else ""
        self.ask(self.cluster.apply, service(name, selector, space, clusterIP=ip, **more))

    @rule(name=NAMES, space=SPACES, sliced=st.booleans())
    def apply_endpoints(self, name: str, space: str, sliced: bool) -> None:
        if sliced:
            labels = {"kubernetes.io/service-name": name}
            endpoints = [{"addresses": ["1.2.3.4"]}]
            made = make("EndpointSlice", name, space, labels=labels, addressType="IPv4", endpoints=endpoints)
        else:
            made = make("Endpoints", name, space, subsets=[{"addresses": [{"ip": "1.2.3.5"}], "ports": [{"port": 1}]}])
        self.ask(self.cluster.apply, made)

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        refs = sorted({o.ref for o in self.cluster.objects})
        ref = data.draw(st.sampled_from(refs))
        found = self.cluster.objects.get(ref)
        if isinstance(found, Node) and len(list(self.cluster.objects.all(Node))) == 1:
            return
        self.ask(self.cluster.delete, type(found), ref.name, ref.namespace)

    @rule(name=NAMES, replicas=st.integers(0, 5))
    def scale(self, name: str, replicas: int) -> None:
        self.ask(self.cluster.scale, Deployment, name, replicas)

    @rule(name=st.sampled_from(NODES), how=st.sampled_from(["drain", "cordon", "uncordon", "apply", "break", "mend"]))
    def node(self, name: str, how: str) -> None:
        match how:
            case "drain":
                self.ask(self.cluster.drain, name)
            case "cordon" | "uncordon":
                self.ask(self.cluster.cordon, name, how == "cordon")
            case "apply":
                self.ask(self.cluster.apply, node(name, f"192.168.57.{ord(name)}"))
                self.ask(self.cluster.apply, make("Namespace", "shop"))
            case "break":
                self.kubelet.broken.add(name)
            case "mend":
                self.kubelet.broken.discard(name)

    @rule(data=st.data(), ready=st.booleans())
    def readiness(self, data: st.DataObject, ready: bool) -> None:
        pods = self.cluster.list_of(Pod)
        if pods:
            chosen = data.draw(st.sampled_from(pods))
            self.cluster.set_ready(chosen.name, ready, chosen.namespace)

    @rule(data=st.data(), labels=st.dictionaries(st.sampled_from(["app", "v"]), st.sampled_from(["x", "1", None])))
    def label(self, data: st.DataObject, labels: dict[str, str | None]) -> None:
        pods = self.cluster.list_of(Pod)
        if pods:
            chosen = data.draw(st.sampled_from(pods))
            self.cluster.label(Pod, chosen.name, labels, chosen.namespace)

    @invariant()
    def all_is_as_it_should_be(self) -> None:
        self.cluster.settle()
        assert not self.cluster.reconcile()
        services = self.cluster.list_of(Service)
        ips = [s.cluster_ip for s in services if s.cluster_ip != "None"]
        assert len(ips) == len(set(ips)) and "" not in ips and "10.96.0.1" not in ips
        ports = [p.nodePort for s in services for p in s.spec.ports if p.nodePort]
        assert len(ports) == len(set(ports))
        assert all(bool(p.nodePort) == (s.spec.type != "ClusterIP") for s in services for p in s.spec.ports)
        for found in services:
            endpoints = self.cluster.get(Endpoints, found.name, found.namespace)
            if found.spec.selector:
                assert flat(endpoints) == naive(self.cluster, found)
            else:
                assert endpoints is None or not endpoints.managed
        self.check_pods()
        self.check_store()

    def check_pods(self) -> None:
        running = {
            PodId(p.namespace, p.name): p.spec.nodeName
            for p in self.cluster.objects.all(Pod)
            if p.running and not p.spec.hostNetwork
        }
        left = {k: v for k, v in self.kubelet.running.items() if k in running}
        assert left == running  # what is left over is of nodes that went
        for made in self.cluster.objects.all(Deployment):
            owned = [p for p in self.cluster.objects.all(Pod) if p.owner == made.ref and not p.deleting]
            current = [p for p in owned if p.labels["pod-template-hash"] == made.spec.template.hash]
            stuck = made.spec.strategy.type == "Recreate" and any(
                p.deleting for p in self.cluster.objects.all(Pod) if p.owner == made.ref
            )
            assert len(current) == made.replicas or stuck
            if all(p.running for p in current) and not stuck:
                assert owned == current

    def check_store(self) -> None:
        assert self.reflector.flush()
        wanted = {store_key(ref): record for ref in self.records.refs() if (record := self.records.record(ref))}
        assert {e.key: e.value for e in self.store.list("").entries} == {k: value_of(r) for k, r in wanted.items()}
        state = ClusterState()
        state.load(self.store.list("").entries)
        assert not state.unreadable
        assert len(state.pods) == len(self.cluster.list_of(Pod))


TestRequests = Requests.TestCase
TestRequests.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
