"""Lists to ACLs and to where they apply. Pods with equal lists share them."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.items import AclBinding, Item
from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.policies.rule import NODE_GLOBAL, PERMIT_ALL, REFLECTION, Rule
from vectorplane.control.cluster.policies.rule_list import REFLECTING, RuleList

NODE_UNIT = "policies/node"


def pod_unit(pod: PodId) -> str:
    """The unit of a pod's lists."""
    return f"policies/pod/{pod}"


def pod_items(interface: str, sends: Iterable[RuleList], receives: Iterable[RuleList]) -> list[Item]:
    """What a pod's link is to hold. Without lists there are no ACLs at all."""
    inputs, outputs = [of.acl for of in sends], [of.acl for of in receives]
    if not inputs and not outputs:
        return []
    binding = AclBinding(interface, tuple(a.name for a in inputs), tuple(a.name for a in outputs))
    return [*inputs, *outputs, binding]


def node_list(refusals: Iterable[Rule]) -> RuleList:
    """The list of what leaves for other nodes."""
    return RuleList([*refusals, *PERMIT_ALL], NODE_GLOBAL)


def node_items(interfaces: Iterable[str], refusals: list[Rule]) -> list[Item]:
    """What the interfaces to other nodes are to hold."""
    if not refusals:
        return []
    bindings = [AclBinding(interface, (REFLECTION,), (NODE_GLOBAL,)) for interface in interfaces]
    return [node_list(refusals).acl, REFLECTING.acl, *bindings]
