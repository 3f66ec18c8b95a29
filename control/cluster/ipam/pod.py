"""Who an address is given to: a pod, or one more interface of a pod."""

from __future__ import annotations

from typing import NamedTuple


class PodId(NamedTuple):
    """A pod's identity in Kubernetes."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class Holder(NamedTuple):
    """An interface of a pod. ``interface``: empty for eth0, else the name of a custom interface."""

    pod: PodId
    interface: str = ""

    def __str__(self) -> str:
        return f"{self.pod} ({self.interface})" if self.interface else str(self.pod)
