"""What a sender's policies make of a service: what its list says of the addresses in front, whom to deny it behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from vectorplane.control.cluster.policies.fronts import Backend, Front, Fronts
from vectorplane.control.cluster.policies.nets import Net
from vectorplane.control.cluster.policies.rule import DENY, PERMIT, Ports, Rule, to_net

Allowed = Callable[[Net, Ports], bool]
"""May it be sent to directly? Of one port."""


class Outcome(NamedTuple):
    """Rules for the sender's list, and backends that must not get what it sends to them by way of the service."""

    rules: tuple[Rule, ...]
    refused: tuple[Backend, ...]


def outcome(of: tuple[Front, ...], fronts: Fronts, allowed: Allowed, blockable: Callable[[Net], bool]) -> Outcome:
    """Of a service.

    Some backends allowed, some not: the address in front is permitted, and those that are not are denied behind it.
    Where they can't be (`Nodes.blockable`; a hidden sender) it is denied in front: better too little than too much.
    No backend is allowed: it is denied in front if it would be permitted as an address.
    """
    rules: list[Rule] = []
    refused: dict[Backend, None] = {}

    def judge(backends: Sequence[Backend]) -> tuple[list[Backend], bool, bool]:
        not_allowed = [b for b in backends if not allowed(b.address, b.ports)]
        return not_allowed, len(not_allowed) < len(backends), all(blockable(b.address) for b in not_allowed)

    for front in of:
        alone = judge(front.backends)
        for vip in front.vips:
            (not_allowed, some, can_be_denied), hidden = alone, vip.hidden
            if not fronts.alone(vip):
                backends, hidden = fronts.together(vip)
                not_allowed, some, can_be_denied = judge(backends)
            if not some:
                if allowed(vip.address, vip.ports):
                    rules.append(to_net(vip.address, vip.ports, DENY))
            elif not_allowed and (hidden or not can_be_denied):
                rules.append(to_net(vip.address, vip.ports, DENY))
            else:
                rules.append(to_net(vip.address, vip.ports, PERMIT))
                refused |= dict.fromkeys(not_allowed)
    return Outcome(tuple(rules), tuple(refused))
