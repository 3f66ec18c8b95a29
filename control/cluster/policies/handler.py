"""The agent's handler of network policies."""

from __future__ import annotations

from vectorplane.control.cluster.agent.event import AddPod, DeletePod, Event, StateChange
from vectorplane.control.cluster.agent.wanted import Wanted
from vectorplane.control.cluster.ipam.node_id import NodeRecord
from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.model.endpoints import Endpoints
from vectorplane.control.cluster.model.namespace import Namespace
from vectorplane.control.cluster.model.node import Node
from vectorplane.control.cluster.model.pod import Pod
from vectorplane.control.cluster.model.policy import Policy
from vectorplane.control.cluster.model.service import Service
from vectorplane.control.cluster.policies.processor import Processor
from vectorplane.control.cluster.policies.why import why
from vectorplane.control.cluster.state import Changed, ClusterState
from vectorplane.control.cluster.this_node import ThisNode

_MOST_NAMED = 5


class Policies:
    """Kubernetes' NetworkPolicies, as ACLs of this node's pods' links."""

    name = "policies"

    def __init__(self, node: ThisNode, state: ClusterState, wanted: Wanted) -> None:
        self._node = node
        self._state = state
        self._wanted = wanted
        self._processor = Processor(node, state)

    def resync(self) -> None:
        """Everything anew, from what the state and the node are now."""
        self._processor = Processor(self._node, self._state)
        self._processor.everything()
        self._processor.settle(self._wanted)

    def update(self, event: Event) -> str:
        """What an event changes. Gives the pods whose lists were looked at."""
        self._look(event, isinstance(event, DeletePod))
        return _told(self._processor.settle(self._wanted))

    def revert(self, event: Event) -> None:
        """Everything is as it was before the event: look at the same again."""
        self._look(event, False)
        self._processor.settle(None)

    def why(self, acl: str, rule: int, pod: PodId | None = None) -> tuple[str, ...]:
        """Where a rule of one of these ACLs comes from, counted from 0: policies with the number of their rule.

        A list may be of several pods; ``pod``: only what it is there for. Empty: there is no such rule.
        """
        return why(self._processor, acl, rule, pod)

    def _look(self, event: Event, ends: bool) -> None:
        match event:
            case AddPod(pod=pod):
                self._processor.pod(pod)
            case DeletePod(pod=pod):
                self._processor.pod(pod, connected=not ends)
            case StateChange(changes=changes):
                for change in changes:
                    self._look_at(change)

    def _look_at(self, change: Changed) -> None:
        kind, identity = change.kind, change.record.id
        if kind is Pod:
            self._processor.pod(identity)
        elif kind is Namespace:
            self._processor.namespace(identity)
        elif kind is Policy:
            self._processor.policy(identity)
        elif kind is Service or kind is Endpoints:
            self._processor.service(identity)
        elif kind is Node or kind is NodeRecord:
            self._processor.nodes()


def _told(pods: list[PodId]) -> str:
    if not pods:
        return ""
    named = ", ".join(map(str, pods[:_MOST_NAMED]))
    more = f" and {len(pods) - _MOST_NAMED} more" if len(pods) > _MOST_NAMED else ""
    return f"lists of {named}{more}"
