"""From what changed to the pods of this node that it concerns, and to what is wanted of their links."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.control.cluster import names
from vectorplane.control.cluster.agent.wanted import Wanted
from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.model.base import ObjectId
from vectorplane.control.cluster.policies.cache import Cache
from vectorplane.control.cluster.policies.configurator import Configurator, Isolated
from vectorplane.control.cluster.policies.fronts import Backend
from vectorplane.control.cluster.policies.grants import EGRESS
from vectorplane.control.cluster.policies.nets import Net
from vectorplane.control.cluster.policies.profile import Profile
from vectorplane.control.cluster.policies.refusals import Refusals
from vectorplane.control.cluster.policies.renderer import NODE_UNIT, node_items, pod_items, pod_unit
from vectorplane.control.cluster.policies.rule import Rule
from vectorplane.control.cluster.policies.rule_list import REFLECTING, RuleList
from vectorplane.control.cluster.state import ClusterState
from vectorplane.control.cluster.this_node import ThisNode


class Processor:
    """Things are looked at one after the other; `settle` then works out what came of all of them."""

    def __init__(self, node: ThisNode, state: ClusterState) -> None:
        self._node = node
        self._state = state
        self.cache = Cache(node, state)
        self.configurator = Configurator(self.cache)
        self.refusals = Refusals()
        self.local: dict[PodId, Isolated] = {}
        """The pods with a link on this node."""
        self._at: dict[Net, set[PodId]] = {}
        self._select: set[PodId] = set()
        """Pods that other policies may select now."""
        self._lists: set[PodId] = set()
        """Pods whose lists may be different."""
        self._gone: set[PodId] = set()
        self._global = False
        """May the list of the node's own interfaces be different?"""

    # --- what to look at

    def everything(self) -> None:
        """All of the state, for the first time."""
        for name in self._state.namespaces:
            self.namespace(name)
        for policy in self._state.policies:
            self.policy(policy)
        for service in self._state.services:
            self.service(service)
        for pod in self._state.pods.keys() | self._node.pods.keys():
            self.pod(pod)

    def pod(self, pod: PodId, connected: bool = True) -> None:
        """A pod's record, or its link. ``connected`` False: the link goes away, though it is there still."""
        seen, changed = self.cache.pod(pod, connected)
        self._changed(changed)
        link = self._node.pods.get(pod) if connected else None
        old = self.local.get(pod)
        if link is None:
            if old is not None:
                self._forget(old)
            return
        assert seen is not None
        if old is not None and (old.link, old.seen) == (link, seen):
            return
        if old is not None and old.link != link:
            self._forget(old)
            old = None
        if old is None:
            old = self.local[pod] = Isolated(link, seen)
            assert seen.address is not None
            self._at.setdefault(seen.address, set()).add(pod)
            self._gone.discard(pod)
            self._lists.add(pod)
            self._global = True
        old.seen = seen
        self._select.add(pod)

    def namespace(self, name: str) -> None:
        """A namespace."""
        self._changed(self.cache.namespace(name))

    def policy(self, policy: ObjectId) -> None:
        """A policy."""
        records = self.cache.policies.put(policy, self._state.policies.get(policy))
        if records:
            for pod in self.local.values():
                if pod.link.id.namespace == policy.namespace and any(r.pods.selects(pod.seen.labels) for r in records):
                    self._select.add(pod.link.id)

    def service(self, service: ObjectId) -> None:
        """A service or its endpoints."""
        self._served(*self.cache.services([service]))

    def nodes(self) -> None:
        """The nodes."""
        self._served(*self.cache.node())

    def _served(self, backends: set[Net], changed: set[Profile]) -> None:
        """Pods that serve a service see it in their own way, so it is theirs even if it is nobody else's."""
        self._changed(changed)
        for address in backends & self._at.keys():
            self._lists |= {p for p in self._at[address] if self.local[p].restricted(EGRESS) is not None}

    def _changed(self, profiles: Iterable[Profile]) -> None:
        for profile in profiles:
            self._lists |= profile.pods

    def _forget(self, pod: Isolated) -> None:
        identity = pod.link.id
        self.configurator.drop(pod)
        self._refuse(pod, frozenset())
        assert pod.seen.address is not None
        self._at[pod.seen.address].discard(identity)
        if not self._at[pod.seen.address]:
            del self._at[pod.seen.address]
        del self.local[identity]
        self._select.discard(identity)
        self._lists.discard(identity)
        self._gone.add(identity)
        self._global = True

    # --- what comes of it

    def settle(self, wanted: Wanted | None) -> list[PodId]:
        """Work it out and put it; None: it is wanted already. Gives the pods whose links were looked at."""
        for pod in self._select:
            if self.configurator.choose(self.local[pod]):
                self._lists.add(pod)
        for pod in list(self._lists):
            self._refuse(self.local[pod], self.configurator.refused(self.local[pod]))
        looked_at, gone = sorted(self._lists), sorted(self._gone)
        if wanted is not None:
            for pod in gone:
                wanted.drop(pod_unit(pod))
            for pod in looked_at:
                self._put(self.local[pod], wanted)
            if self._global:
                self._put_global(wanted)
        self._select, self._lists, self._gone, self._global = set(), set(), set(), False
        return gone + looked_at

    def _refuse(self, pod: Isolated, new: frozenset[Backend]) -> None:
        if pod.refused == new:
            return
        assert pod.seen.address is not None
        for address in self.refusals.change(pod.link.id, pod.seen.address, pod.refused, new):
            self._lists |= self._at.get(address, set())
            self._global = self._global or address not in self._at
        pod.refused = new

    def lists(self, pod: Isolated) -> tuple[list[RuleList], list[RuleList]]:
        """The lists for what it sends and what it receives; both none: everything passes."""
        sends, receives = self.configurator.sends(pod), self.configurator.receives(pod)
        assert pod.seen.address is not None
        refused = self.refusals.at(pod.seen.address)
        if refused:
            receives = [RuleList(refused), *(receives or [REFLECTING])]
        if sends or receives:
            return sends or [REFLECTING], receives or [REFLECTING]
        return [], []

    def global_rules(self) -> list[Rule]:
        """What is denied to leave for other nodes."""
        return self.refusals.elsewhere(self._at)

    def _put(self, pod: Isolated, wanted: Wanted) -> None:
        policies = pod.policies
        text = f"policies {', '.join(policies)}" if policies else "policies of pods that send to services"
        wanted.put(pod_unit(pod.link.id), pod_items(pod.link.interface, *self.lists(pod)), text)

    def _put_global(self, wanted: Wanted) -> None:
        node = self._node
        nics = (node.main_interface, *(nic.name for nic in node.other_nics))
        items = node_items((names.BVI,) if node.overlay else nics, self.global_rules())
        wanted.put(NODE_UNIT, items, "policies of pods that send to services with backends on other nodes")
