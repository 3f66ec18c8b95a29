"""The cluster of the truth table: namespaces x, y and z with pods a, b and c each, on three nodes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.control.cluster.policies.truth_table import PODS, Step
from tests.control.cluster.simulated.clusters import cluster
from tests.control.cluster.truth.held import Held
from tests.control.cluster.truth.objects import namespace, pod, policy
from tests.control.cluster.truth.packets import Packets, Try
from vectorplane.control.cluster.kube.model.policies import NetworkPolicy
from vectorplane.control.cluster.simulated.cluster import OUTSIDE, Cluster

NAMES = tuple("/".join(name) for name in PODS)
PLACES = {name: f"node-{1 + (k + k // 3) % 3}" for k, name in enumerate(NAMES)}
"""Each node has a pod of each namespace, and one of each name."""
NODES = ("node/node-1", "node/node-2", "node/node-3")
OTHERS = (*NODES, OUTSIDE)
"""Who is no pod."""
_ENDS = (*NAMES, *OTHERS)
PAIRS = [(a, b) for a in _ENDS for b in _ENDS if a != b and (a in NAMES or b in NAMES)]
_PLAIN = (("TCP", 80), ("TCP", 81), ("UDP", 80), ("UDP", 81), ("ICMP", 0))
PLAIN = [Try(a, b, *what) for a, b in PAIRS for what in _PLAIN if (a, what[0]) != (OUTSIDE, "ICMP")]
"""NAT takes the answer to the world's ping for a ping that the pod has sent with the same identifier, if it has."""
_SCTP = [Try(a, b, "SCTP", port) for a, b in PAIRS if OUTSIDE not in (a, b) for port in (80, 81)]
SCTP_WAYS = [t for t in _SCTP if t.source < t.to], [t for t in _SCTP if t.source > t.to]
"""There and back: an access list's session of SCTP has no ports, so what is allowed one way opens the other."""
_HELD = [Try(a, b, *what) for a, b in PAIRS for what in (("TCP", 80), ("UDP", 81)) if OUTSIDE not in (a, b)]


class NinePods:
    """What is applied, and how long that took (seconds of CPU time; the store, all agents and all nodes)."""

    def __init__(self, made: Cluster) -> None:
        self.cluster = made
        self.took: list[float] = []
        self._labels: set[str] = set()
        self.apply([namespace(n, {"ns": n}) for n in "xyz"])
        self.apply([pod(name, node, {"pod": name[-1]}) for name, node in PLACES.items()])
        self.packets = Packets(made, NAMES)
        self.packets.warm_up()
        self.held = Held(self.packets)
        self.took.clear()

    def apply(self, objects: Iterable[Any]) -> None:
        """Objects come or change."""
        objects = list(objects)
        before = time.process_time()
        answers = self.cluster.apply(objects)
        self.took.append(time.process_time() - before)
        assert not [str(a.error) for a in answers if a.error is not None]

    def take(self, step: Step) -> None:
        """Do what a step of the truth table says."""
        self.label(dict(step.labels))
        addresses = {name: str(self.packets.address(name)) for name in NAMES}
        for record in step.policies(addresses):
            self.apply([policy(record)])
        for name in step.delete:
            self.cluster.delete([policy_named(self.cluster, name)])

    def label(self, labels: dict[str, dict[str, str]]) -> None:
        """Give pods (``x/a``) and namespaces (``x``) these labels, and no others."""
        for name, found in labels.items():
            self.apply([pod(name, PLACES[name], found) if "/" in name else namespace(name, found)])
        self._labels |= labels.keys()

    def begin_anew(self) -> None:
        """Without policies, and with the labels of the beginning."""
        self.cluster.delete(self.cluster.kube.list_of(NetworkPolicy))
        self.label({name: {"pod": name[-1]} if "/" in name else {"ns": name} for name in self._labels})
        self._labels.clear()
        self.held.hold(_HELD)

    def check(self) -> None:
        """Who reaches whom is what the documentation says, new connections and those that are held."""
        self.held.check()
        self.compare(PLAIN)
        for way in SCTP_WAYS:
            self.packets.forget_sessions()
            self.compare(way)
        self.held.hold(
            [Try(a, b, *what) for a, b in PAIRS for what in (("TCP", 80), ("UDP", 81)) if OUTSIDE not in (a, b)]
        )

    def compare(self, tries: list[Try]) -> None:
        """New connections."""
        said, seen = self.packets.documented(tries), self.packets.arrive(tries)
        wrong = [f"{one}: {'arrives' if seen[one] else 'is lost'}" for one in tries if seen[one] != said[one]]
        assert not wrong, wrong


def policy_named(made: Cluster, name: str) -> NetworkPolicy:
    """By ``namespace/name``."""
    namespace, _, name = name.partition("/")
    found = made.kube.get(NetworkPolicy, name, namespace)
    assert found is not None
    return found


@contextmanager
def nine_pods() -> Iterator[NinePods]:
    """The cluster."""
    with cluster(nodes=3) as made:
        yield NinePods(made)
