"""Tries that are really made in a simulated cluster, all at once, and what the documentation says of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

from tests.control.cluster.truth.oracle import oracle
from tests.naive.network_policy import allowed
from vectorplane.backends.engine.sim_host.probe import Probe, ProbeState
from vectorplane.backends.engine.sim_host.sim_host import SimHost
from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.simulated.cluster import OUTSIDE, Cluster

_PATIENCE = 300_000_000
"""ns. A round trip takes some 30,000; what is not there by then was dropped."""
_ARRIVED = (ProbeState.ANSWERED, ProbeState.REFUSED)


@dataclass(frozen=True)
class Try:
    """Ends are pods (``x/a``), ``node/NAME`` (its host), ``outside`` or, to be asked, an address. ICMP: port 0."""

    source: str
    to: str
    protocol: str
    port: int

    def __str__(self) -> str:
        return f"{self.source} > {self.to} {self.protocol} {self.port}"


class Packets:
    """``pods``: those that may be named."""

    def __init__(self, cluster: Cluster, pods: Iterable[str]) -> None:
        self.cluster = cluster
        self.hosts: dict[str, SimHost] = {OUTSIDE: cluster.outside}
        for name, node in cluster.nodes.items():
            assert node.host is not None and node.agent.node is not None
            self.hosts[f"node/{name}"] = node.host
            # pods do not hide from the world: with this route they can be asked from there
            cluster.outside.add_route(str(node.agent.node.ipam.pod_subnet.network), str(node.address))
        for pod in pods:
            self.hosts[pod] = self._pod(pod)

    def _pod(self, pod: str) -> SimHost:
        """A pod; it listens at all ports, whichever it names, since silence is to mean a policy."""
        identity = PodId(*pod.split("/"))
        found = next(n.containers.sandboxes[identity] for n in self._nodes() if identity in n.containers.sandboxes)
        assert found.host is not None
        for port in (None, 80, 81):
            found.host.serve_tcp(port)  # who answers says its whole name
            found.host.serve_udp(port)
        found.host.serve_sctp()
        return found.host

    def _nodes(self) -> Iterable[Any]:
        return self.cluster.nodes.values()

    def address(self, end: str) -> IPv4Address:
        """Where it is asked: a node at the address that Kubernetes knows its host by."""
        kind, _, name = end.partition("/")
        if kind == "node":
            address = self.cluster.nodes[name].management
            assert isinstance(address, IPv4Address)
            return address
        return self.hosts[end].addresses[0].ip if end in self.hosts else IPv4Address(end)

    def begin(self, one: Try, *, source_port: int | None = None) -> Probe:
        """Send."""
        host, to = self.hosts[one.source], self.address(one.to)
        match one.protocol:
            case "TCP":
                return host.connect(to, one.port, b"", source_port, timeout=_PATIENCE)
            case "UDP":
                return host.send_udp(to, one.port, b"?", source_port, timeout=_PATIENCE, retries=0)
            case "SCTP":
                return host.sctp_init(to, one.port, source_port, retries=0)
        return host.ping(to, timeout=_PATIENCE, retries=0)

    def arrive(self, tries: Sequence[Try]) -> dict[Try, bool]:
        """Which are answered, if only by a reset?"""
        probes = [self.begin(one) for one in tries]
        self.cluster.wait_for(*probes)
        return {one: probe.state in _ARRIVED for one, probe in zip(tries, probes, strict=True)}

    def warm_up(self) -> None:
        """Packets between all nodes, and to the outside: the first ones are lost to ARP."""
        firsts = {h.name: one for one, h in self.hosts.items() if one != OUTSIDE}
        probes = [self.hosts[a].ping(self.address(b)) for a in firsts.values() for b in [*firsts.values(), OUTSIDE]]
        self.cluster.wait_for(*probes)
        assert all(probe.answered for probe in probes), [str(p) for p in probes if not p.answered]

    def forget_sessions(self) -> None:
        """Those of all access lists."""
        for name in self.cluster.nodes:
            self.cluster.nodes[name].cli("clear acl-plugin sessions")

    def documented(self, tries: Iterable[Try]) -> dict[Try, bool]:
        """What the documentation says of each; of SCTP as far as VPP's lists know it."""
        plain, sctp = oracle(self.cluster), oracle(self.cluster, sctp=True)
        found = {}
        for one in tries:
            of = sctp if one.protocol == "SCTP" else plain
            source, to = self._end(one.source, self.address(one.to)), self._end(one.to)
            found[one] = allowed(of, source, to, one.protocol, one.port)
        return found

    def _end(self, end: str, to: IPv4Address | None = None) -> IPv4Address:
        if to is not None:
            return IPv4Address(self.hosts[end].source_for(to.packed))
        return self.address(end)
