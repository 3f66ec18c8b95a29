"""What a policy grants in one direction: its rules, with the pods that its peers mean looked up."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.model.base import ObjectId
from vectorplane.control.cluster.model.policy import Peer, Policy, PolicyPort, PolicyRule
from vectorplane.control.cluster.policies.addresses import AddressSet
from vectorplane.control.cluster.policies.fronts import Fronts
from vectorplane.control.cluster.policies.nets import ANY, Net, contains, net, subtract
from vectorplane.control.cluster.policies.pods import Seen
from vectorplane.control.cluster.policies.rule import ALL, PROTOCOLS, Ports, Rule, from_net, one_port, to_net
from vectorplane.control.cluster.policies.selections import EVERYBODY, Selection, Selections

INGRESS, EGRESS = "ingress", "egress"
Numbers = Callable[[str, str], list[int]]
"""The ports that a pod calls by a name, of a protocol."""


@dataclass(frozen=True, eq=False)
class Grant:
    """A rule of a policy. Without ``ports`` all are granted; ``everybody``: no peers are named.

    ``all_pods``: for ports with names that somebody has whom no selector means.
    """

    number: int
    everybody: bool
    selections: tuple[Selection, ...]
    blocks: tuple[Net, ...]
    ports: tuple[PolicyPort, ...]
    all_pods: Selection | None

    @property
    def open(self) -> bool:
        """Is it no restriction at all?"""
        return self.everybody and not self.ports

    @property
    def names(self) -> set[str]:
        """The names of ports in it."""
        return {port.name for port in self.ports if port.name}

    def numbered(self) -> list[Ports]:
        """Its ports that have numbers."""
        return [_ports(p) for p in self.ports if not p.name] if self.ports else [ALL]

    @cached_property
    def key(self) -> Hashable:
        """Grants that are the same, of whichever policy."""
        ports = frozenset((p.protocol, p.number, p.name, p.end) for p in self.ports)
        return self.everybody, frozenset(self.selections), frozenset(self.blocks), ports

    def from_peers(self, numbers: Numbers) -> Iterator[Rule]:
        """What may come in, from where; names are those of the pod that it comes to."""
        ports = self.numbered()
        ports += [one_port(PROTOCOLS[p.protocol], n) for p in self.ports if p.name for n in numbers(p.name, p.protocol)]
        for port in ports:
            yield from self._rules(from_net, port)

    def to_peers(self) -> Iterator[Rule]:
        """What may go out, to where; names are those of each pod that it goes to."""
        for port in self.numbered():
            yield from self._rules(to_net, port)
        for named in (p for p in self.ports if p.name):
            yield from self._named(named)

    def _rules(self, make: Callable[[Net, Ports], Rule], ports: Ports) -> Iterator[Rule]:
        for selection in self.selections:
            yield from selection.addresses.each((make, ports), lambda n: make(n, ports))
        for net_ in (*(ANY if self.everybody else ()), *self.blocks):
            yield make(net_, ports)

    def _named(self, port: PolicyPort) -> Iterator[Rule]:
        found: dict[int, AddressSet] = {}
        for selection in self.selections if self.all_pods is None else (*self.selections, self.all_pods):
            for pod in selection.members.values():
                if pod.address is None or (selection is self.all_pods and not self._in_reach(pod.address)):
                    continue
                for number in pod.numbers(port.name, port.protocol):
                    found.setdefault(number, AddressSet()).add(pod.address)
        for number, addresses in found.items():
            for net_ in addresses.nets:
                yield to_net(net_, one_port(PROTOCOLS[port.protocol], number))

    def _in_reach(self, address: Net) -> bool:
        return self.everybody or any(contains(block, address) for block in self.blocks)

    def ports_at(self, address: Net, pods: Iterable[Seen]) -> Iterator[Ports]:
        """What may go out to one address, which these pods have."""
        if self._in_reach(address) or any(address in s.addresses for s in self.selections):
            yield from self.numbered()
        yield from self.named_at(address, pods)

    def named_at(self, address: Net, pods: Iterable[Seen]) -> Iterator[Ports]:
        """Those of them that have names."""
        for port in (p for p in self.ports if p.name):
            for pod in pods:
                if any(pod.id in s.members for s in self.selections) or (self.all_pods and self._in_reach(address)):
                    for number in pod.numbers(port.name, port.protocol):
                        yield one_port(PROTOCOLS[port.protocol], number)

    def among(self, fronts: Fronts) -> set[Net]:
        """Which addresses of services it means."""
        if self.everybody:
            return set(fronts.by_address)
        found = {address for block in self.blocks for address in fronts.within(block)}
        for selection in self.selections:
            found |= selection.addresses.counts.keys() & fronts.by_address.keys()
        return found


def _ports(port: PolicyPort) -> Ports:
    protocol = PROTOCOLS[port.protocol]
    if not port.number:
        return Ports(protocol, 65535, 0)
    return Ports(protocol, port.end - port.number if port.end else 0, port.number)


class Granted:
    """All that a policy grants in one direction. It is of one record: another record, another object.

    ``pods``: which of this node's it applies to; for as long as there are any it has to be kept.
    """

    def __init__(self, policy: Policy, direction: str, selections: Selections, pool: Net | None) -> None:
        """``pool``: where all pods are, and nobody else; None: that can't be told."""
        self.policy: ObjectId = policy.id
        self.direction = direction
        self.pods: set[PodId] = set()
        self._selections = selections
        self._pool = pool
        self._used: list[Selection] = []
        rules = policy.ingress if direction == INGRESS else policy.egress
        self.grants = tuple(self._grant(policy.namespace, i, rule) for i, rule in enumerate(rules))
        self.names = set[str]().union(*(g.names for g in self.grants))

    def _grant(self, namespace: str, number: int, rule: PolicyRule) -> Grant:
        chosen: list[Selection] = []
        blocks: list[Net] = []
        for peer in rule.peers:
            if peer.ip_block is not None:
                blocks += subtract(net(peer.ip_block.cidr), map(net, peer.ip_block.excepts))
            elif self.direction == EGRESS and self._pool is not None and _is_everybody(peer):
                blocks.append(self._pool)
            else:
                chosen.append(self._selections.need(namespace, peer))
        named = self.direction == EGRESS and any(p.name for p in rule.ports)
        wide = not rule.peers or bool(blocks)
        all_pods = self._selections.need(namespace, EVERYBODY) if named and wide else None
        self._used += chosen if all_pods is None else [*chosen, all_pods]
        return Grant(number, not rule.peers, tuple(chosen), tuple(blocks), rule.ports, all_pods)

    def close(self) -> None:
        """It is needed no more."""
        for selection in self._used:
            self._selections.release(selection)


def _is_everybody(peer: Peer) -> bool:
    """All pods of all namespaces."""
    return peer.namespaces == EVERYBODY.namespaces and peer.pods in (None, EVERYBODY.namespaces)
