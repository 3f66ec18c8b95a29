"""What the API refuses."""

from __future__ import annotations

from vectorplane.control.cluster.kube.model.base import Ref


class KubeError(Exception):
    """A request that can't be done; nothing was changed. ``field`` is empty where it is about the whole object."""

    def __init__(self, ref: Ref | str, field: str, reason: str) -> None:
        self.ref, self.field, self.reason = ref, field, reason
        super().__init__(": ".join(part for part in (str(ref), field, reason) if part))
