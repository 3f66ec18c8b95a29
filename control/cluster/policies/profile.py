"""What policies make of one direction: the list of all pods to which they grant the same."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import partial

from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.model.base import ObjectId
from vectorplane.control.cluster.policies.fronts import Fronts
from vectorplane.control.cluster.policies.grants import EGRESS, INGRESS, Grant
from vectorplane.control.cluster.policies.nets import Net
from vectorplane.control.cluster.policies.outcome import Allowed, Outcome, outcome
from vectorplane.control.cluster.policies.own_node import Nodes
from vectorplane.control.cluster.policies.pods import Pods
from vectorplane.control.cluster.policies.rule import ALL, DENY_ALL, PERMIT_ALL, Ports, Rule, from_net, to_net
from vectorplane.control.cluster.policies.rule_list import RuleList
from vectorplane.control.cluster.policies.selections import Selection

Names = tuple[tuple[str, str, int], ...]
"""How a pod calls its ports: name, protocol, number."""
Lookup = tuple[Pods, Fronts, Nodes]
_FEW = 50
"""So many services are looked at one by one."""
Key = tuple[str, frozenset[Hashable], Names]


class Profile:
    """Of one direction. ``names``: only pods that call their ports so share an ingress profile with named ports."""

    def __init__(self, key: Key, grants: tuple[Grant, ...]) -> None:
        self.key = key
        self.direction, _, names = key
        self.grants = grants
        self.pods: set[PodId] = set()
        """Which of this node's pods have it."""
        self.open = any(grant.open for grant in grants)
        """Is everything allowed?"""
        self._names: dict[tuple[str, str], list[int]] = {}
        for name, protocol, number in names:
            self._names.setdefault((name, protocol), []).append(number)
        self._peers: RuleList | None = None
        self._services: dict[frozenset[tuple[ObjectId, Outcome]], RuleList] = {}
        """By what comes out differently for a pod."""
        self._outcomes: dict[ObjectId, Outcome] = {}
        self._stale: set[ObjectId] | None = None
        """Services to look at again; None: all."""

    @property
    def selections(self) -> set[Selection]:
        """The pods that it depends on."""
        return {s for g in self.grants for s in (*g.selections, *((g.all_pods,) if g.all_pods is not None else ()))}

    # --- what changes

    def touch(self, addresses: Iterable[Net], fronts: Fronts) -> None:
        """Something is different about these peers."""
        self._peers = None
        self._services.clear()
        for address in addresses:
            if self._stale is not None:
                self._stale |= fronts.concerning(address)
                if len(self._stale) > _FEW:
                    self._stale = None

    def touch_services(self, services: set[ObjectId], lookup: Lookup) -> bool:
        """These are different, or gone. Is that of any matter?

        A pod that serves one of them has to be looked at in any case.
        """
        if self.open or self.direction == INGRESS:
            return False
        if self._stale is None or self._stale:
            self._stale = None if self._stale is None else self._stale | services
            self._services.clear()
            return True
        before = {s: self._outcomes.get(s) for s in services}
        self._stale = set(services)
        self._settle(lookup)
        if all(self._outcomes.get(s) == was for s, was in before.items()):
            return False
        self._services.clear()
        return True

    def touch_nodes(self) -> None:
        """Addresses of nodes are different."""
        self._peers = self._stale = None
        self._services.clear()

    # --- what it comes to

    def peers(self, nodes: Nodes) -> RuleList:
        """The rules about peers, behind which everything is denied; not to be asked of an open one."""
        if self._peers is None:
            of_node, own = (to_net, nodes.own) if self.direction == EGRESS else (from_net, {*nodes.own, nodes.loopback})
            found = {of_node(n, ALL) for n in own}
            for grant in self.grants:
                found.update(self.of_grant(grant))
            found.update(d for d, p in zip(DENY_ALL, PERMIT_ALL, strict=True) if p not in found)
            self._peers = RuleList(found)
        return self._peers

    def services(self, instead: dict[ObjectId, Outcome], lookup: Lookup) -> RuleList:
        """The rules about services, in front of those about peers. ``instead``: what is different for a pod."""
        outcomes = self.outcomes(instead, lookup)
        variant = frozenset(instead.items())
        if variant not in self._services:
            self._services[variant] = RuleList({rule for of in outcomes.values() for rule in of.rules})
        return self._services[variant]

    def outcomes(self, instead: dict[ObjectId, Outcome], lookup: Lookup) -> dict[ObjectId, Outcome]:
        """What services come out as, with some that a pod sees differently."""
        if self.direction == INGRESS:
            return {}
        self._settle(lookup)
        return {**self._outcomes, **instead} if instead else self._outcomes

    def outcomes_for(self, services: Iterable[ObjectId], address: Net, lookup: Lookup) -> dict[ObjectId, Outcome]:
        """What services come out as for the pod of that address, which always reaches itself."""
        _, fronts, nodes = lookup

        def allowed(to: Net, ports: Ports) -> bool:
            return to == address or self.allowed(to, ports, lookup)

        return {s: outcome(fronts.of[s], fronts, allowed, nodes.blockable) for s in services if s in fronts.of}

    def allowed(self, address: Net, ports: Ports, lookup: Lookup) -> bool:
        """May it be sent there, to a single port?"""
        return _among({}, address, ports, partial(self._ports_at, lookup=lookup))

    def _ports_at(self, address: Net, lookup: Lookup) -> list[Ports]:
        pods, _, nodes = lookup
        if address in nodes.own:
            return [ALL]
        there = [pod for pod in map(pods.__getitem__, sorted(pods.at(address))) if pod.known]
        return [p for grant in self.grants for p in grant.ports_at(address, there)]

    def of_grant(self, grant: Grant) -> Iterator[Rule]:
        """The rules that a rule of a policy makes here."""
        if self.direction == EGRESS:
            return grant.to_peers()
        return grant.from_peers(lambda name, of: self._names.get((name, of), []))

    def _settle(self, lookup: Lookup) -> None:
        """Look at services again: at a few by asking for each backend, at all by asking for each grant."""
        _, fronts, nodes = lookup
        allowed: Allowed = partial(_among, {}, find=partial(self._ports_at, lookup=lookup))
        if self._stale is None:
            self._outcomes = {}
            granted = self._granted_at(lookup)
            self._stale = {s for a in granted.keys() & fronts.by_address.keys() for s in fronts.by_address[a]}
            self._stale = fronts.with_neighbours(self._stale)
            allowed = partial(_among, granted)
        for service in self._stale:
            self._outcomes.pop(service, None)
            if service in fronts.of:
                new = outcome(fronts.of[service], fronts, allowed, nodes.blockable)
                if new.rules:
                    self._outcomes[service] = new
        self._stale = set()

    def _granted_at(self, lookup: Lookup) -> dict[Net, list[Ports]]:
        """What may be sent to the addresses of services."""
        pods, fronts, nodes = lookup
        found: dict[Net, list[Ports]] = {address: [ALL] for address in nodes.own}
        for grant in self.grants:
            ports = [p for p in grant.numbered() if fronts.uses(p)]
            if ports or grant.names:
                for address in grant.among(fronts):
                    there = (pods[p] for p in sorted(pods.at(address))) if grant.names else ()
                    more = [*ports, *grant.named_at(address, [pod for pod in there if pod.known])]
                    if more:
                        found.setdefault(address, []).extend(more)
        return found


def _nothing(address: Net) -> list[Ports]:
    return []


def _among(
    granted: dict[Net, list[Ports]], address: Net, ports: Ports, find: Callable[[Net], list[Ports]] = _nothing
) -> bool:
    """Is it granted? What is not known yet is found out, and remembered."""
    there = granted.get(address)
    if there is None:
        there = granted[address] = find(address)
    return any(p.has(ports.protocol, ports.first) for p in there)
