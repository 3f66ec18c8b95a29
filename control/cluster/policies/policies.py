"""The cluster's policies by namespace, and what those that matter here grant."""

from __future__ import annotations

from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.model.base import ObjectId
from vectorplane.control.cluster.model.policy import Policy
from vectorplane.control.cluster.policies.grants import EGRESS, INGRESS, Granted
from vectorplane.control.cluster.policies.nets import Net
from vectorplane.control.cluster.policies.pods import Seen
from vectorplane.control.cluster.policies.selections import Selections

Key = tuple[ObjectId, str]


class PolicyIndex:
    """All policies. What one grants is looked up when a pod of this node first needs it."""

    def __init__(self, selections: Selections, pool: Net | None) -> None:
        """``pool``: see `Granted`."""
        self._selections = selections
        self._pool = pool
        self._by_namespace: dict[str, dict[ObjectId, Policy]] = {}
        self._granted: dict[Key, Granted] = {}

    def put(self, policy: ObjectId, new: Policy | None) -> list[Policy]:
        """It is like this now, or gone. Gives the records that may select pods differently: the old and the new one."""
        there = self._by_namespace.setdefault(policy.namespace, {})
        old = there.pop(policy, None)
        if new is not None:
            there[policy] = new
        if not there:
            del self._by_namespace[policy.namespace]
        if old == new:
            return []
        for direction in (INGRESS, EGRESS):
            self._granted.pop((policy, direction), None)  # who has it holds it still
        return [p for p in (old, new) if p is not None]

    def of(self, pod: Seen, direction: str) -> tuple[Granted, ...]:
        """What applies to a pod in a direction; nothing: it is not isolated. In the order of the policies' names.

        Who asks has to `keep` it.
        """
        if pod.hosted:
            return ()
        found = [
            policy
            for policy in self._by_namespace.get(pod.id.namespace, {}).values()
            if (policy.is_ingress if direction == INGRESS else policy.is_egress) and policy.pods.selects(pod.labels)
        ]
        return tuple(self._grants(policy, direction) for policy in sorted(found, key=lambda p: p.name))

    def keep(self, pod: PodId, granted: tuple[Granted, ...]) -> None:
        """They apply to a pod of this node."""
        for g in granted:
            g.pods.add(pod)

    def drop(self, pod: PodId, granted: tuple[Granted, ...]) -> None:
        """They do so no more."""
        for g in granted:
            g.pods.discard(pod)
            if not g.pods:
                g.close()
                key = g.policy, g.direction
                if self._granted.get(key) is g:
                    del self._granted[key]

    def _grants(self, policy: Policy, direction: str) -> Granted:
        key = policy.id, direction
        if key not in self._granted:
            self._granted[key] = Granted(policy, direction, self._selections, self._pool)
        return self._granted[key]
