"""The profiles that pods of this node have."""

from __future__ import annotations

from collections.abc import Iterator

from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.policies.grants import Granted
from vectorplane.control.cluster.policies.profile import Key, Names, Profile
from vectorplane.control.cluster.policies.selections import Selection


def key_of(direction: str, granted: tuple[Granted, ...], names: Names) -> Key:
    """Policies that grant the same have one profile, whosever they are."""
    return direction, frozenset(grant.key for g in granted for grant in g.grants), names


class Profiles:
    """By what is granted, and by the pods that they depend on."""

    def __init__(self) -> None:
        self._all: dict[Key, Profile] = {}
        self._looking: dict[Selection, set[Profile]] = {}

    def __iter__(self) -> Iterator[Profile]:
        return iter(self._all.values())

    def take(self, pod: PodId, key: Key, granted: tuple[Granted, ...]) -> Profile:
        """A pod has these policies. `leave` gives it back."""
        profile = self._all.get(key)
        if profile is None:
            grants = {grant.key: grant for g in granted for grant in g.grants}
            profile = self._all[key] = Profile(key, tuple(grants.values()))
            for selection in profile.selections:
                self._looking.setdefault(selection, set()).add(profile)
        profile.pods.add(pod)
        return profile

    def leave(self, pod: PodId, profile: Profile) -> None:
        """A pod has another profile, or none."""
        profile.pods.discard(pod)
        if profile.pods:
            return
        del self._all[profile.key]
        for selection in profile.selections:
            self._looking[selection].discard(profile)
            if not self._looking[selection]:
                del self._looking[selection]

    def looking_at(self, selection: Selection) -> set[Profile]:
        """Whose rules depend on it."""
        return self._looking.get(selection, set())
