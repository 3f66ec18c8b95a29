"""The container runtime of a node, as far as its agent asks it: which pods run here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from vectorplane.control.cluster.ipam.arithmetic import Ip
from vectorplane.control.cluster.ipam.pod import PodId


@dataclass(frozen=True)
class RunningPod:
    """A pod with a sandbox on this node. ``container``: the sandbox's id.

    address: the one that CNI ADD answered with, which runtimes keep (libcni caches results, CRI reports it); None:
        ADD has not been answered, so the pod is not connected yet: the runtime will ask again, or give up and say so.
    """

    pod: PodId
    container: str
    namespace_path: str = ""
    address: Ip | None = None


class Runtime(Protocol):
    """Asked when an agent starts: pods that were connected by the agent before it must stay connected."""

    def pods(self) -> Iterable[RunningPod]:
        """Every pod that runs here in a network namespace of its own, one sandbox each."""
        ...
