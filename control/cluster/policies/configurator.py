"""From the policies of a pod to its two lists."""

from __future__ import annotations

from dataclasses import dataclass, field

from vectorplane.control.cluster.model.base import ObjectId
from vectorplane.control.cluster.model.pod import ContainerPort
from vectorplane.control.cluster.policies.cache import Cache
from vectorplane.control.cluster.policies.fronts import Backend
from vectorplane.control.cluster.policies.grants import EGRESS, INGRESS, Granted
from vectorplane.control.cluster.policies.outcome import Outcome
from vectorplane.control.cluster.policies.pods import Seen
from vectorplane.control.cluster.policies.profile import Names, Profile
from vectorplane.control.cluster.policies.profiles import key_of
from vectorplane.control.cluster.policies.rule_list import RuleList
from vectorplane.control.cluster.this_node import LocalPod


@dataclass
class Isolated:
    """A pod of this node with what its policies make of it. By direction: the policies that select it, and the profile.

    ``refused``: backends that must not get what it sends to them by way of a service.
    """

    link: LocalPod
    seen: Seen
    granted: dict[str, tuple[Granted, ...]] = field(default_factory=lambda: {INGRESS: (), EGRESS: ()})
    profiles: dict[str, Profile | None] = field(default_factory=lambda: {INGRESS: None, EGRESS: None})
    refused: frozenset[Backend] = frozenset()

    @property
    def policies(self) -> list[str]:
        """Those that select it."""
        return sorted({str(g.policy) for granted in self.granted.values() for g in granted})

    def restricted(self, direction: str) -> Profile | None:
        """Its profile, None if everything is allowed."""
        profile = self.profiles[direction]
        return None if profile is None or profile.open else profile


class Configurator:
    """Pods with the same policies have one `Profile`, so that it is worked out once."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def choose(self, pod: Isolated) -> bool:
        """Look for the policies that select a pod; do they make anything else of it than before?"""
        changed = False
        for direction in (INGRESS, EGRESS):
            granted = self._cache.policies.of(pod.seen, direction)
            changed = self._take(pod, direction, granted) or changed
        return changed

    def drop(self, pod: Isolated) -> None:
        """It is gone."""
        for direction in (INGRESS, EGRESS):
            self._take(pod, direction, ())

    def _take(self, pod: Isolated, direction: str, granted: tuple[Granted, ...]) -> bool:
        identity, old, profile = pod.link.id, pod.granted[direction], pod.profiles[direction]
        names = _names(pod.seen.ports, granted) if direction == INGRESS else ()
        key = key_of(direction, granted, names) if granted else None
        if old == granted and key == (profile.key if profile is not None else None):
            return False
        self._cache.policies.keep(identity, granted)
        new = self._cache.profiles.take(identity, key, granted) if key is not None else None
        if profile is not None and profile is not new:
            self._cache.profiles.leave(identity, profile)
        self._cache.policies.drop(identity, tuple(g for g in old if g not in granted))
        pod.granted[direction], pod.profiles[direction] = granted, new
        return True

    def receives(self, pod: Isolated) -> list[RuleList]:
        """The lists for what comes in; none: everything may."""
        profile = pod.restricted(INGRESS)
        return [] if profile is None else [profile.peers(self._cache.nodes)]

    def sends(self, pod: Isolated) -> list[RuleList]:
        """The lists for what goes out; none: everything may."""
        profile = pod.restricted(EGRESS)
        if profile is None:
            return []
        services = profile.services(self._own_services(pod, profile), self._cache.lookup)
        return [*([services] if services.rules else []), profile.peers(self._cache.nodes)]

    def refused(self, pod: Isolated) -> frozenset[Backend]:
        """Whom it must not reach by way of a service."""
        profile = pod.restricted(EGRESS)
        if profile is None:
            return frozenset()
        outcomes = profile.outcomes(self._own_services(pod, profile), self._cache.lookup)
        return frozenset(b for of in outcomes.values() for b in of.refused)

    def _own_services(self, pod: Isolated, profile: Profile) -> dict[ObjectId, Outcome]:
        """What the services that it serves come out as for it."""
        address = pod.seen.address
        assert address is not None
        services = self._cache.fronts.served_by(address)
        return profile.outcomes_for(services, address, self._cache.lookup) if services else {}


def _names(ports: tuple[ContainerPort, ...], granted: tuple[Granted, ...]) -> Names:
    wanted = set[str]().union(*(g.names for g in granted))
    return tuple(sorted({(p.name, p.protocol, p.container_port) for p in ports if p.name in wanted}))
