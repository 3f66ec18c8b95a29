"""Events: what makes an agent do something. Each is one transaction of the scheduler's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.state import Changed


class Method(Enum):
    """How an event is dealt with."""

    FULL_RESYNC = "full resync"
    """Everything is worked out anew; what the dataplane really holds is read and compared."""
    UPSTREAM_RESYNC = "upstream resync"
    """Everything is worked out anew; what the dataplane holds is believed to be known."""
    DOWNSTREAM_RESYNC = "downstream resync"
    """Nothing is worked out; what the dataplane really holds is read and compared."""
    UPDATE = "update"
    """The handlers change what they wanted."""


class Transaction(Enum):
    """What happens when a part of it fails."""

    BEST_EFFORT = "best effort"
    """The rest is done; healing follows."""
    REVERT = "revert on failure"
    """All of it is undone."""


@dataclass(frozen=True)
class Event:
    """Base of all events. ``reverse``: handlers take it in the reverse order (something goes away)."""

    @property
    def name(self) -> str:
        """For the history."""
        return type(self).__name__

    @property
    def method(self) -> Method:
        """How it is dealt with."""
        return Method.UPDATE

    @property
    def transaction(self) -> Transaction:
        """What happens when a part of it fails."""
        return Transaction.BEST_EFFORT

    @property
    def reverse(self) -> bool:
        """Do handlers take it in reverse order?"""
        return False


@dataclass(frozen=True)
class StateChange(Event):
    """Records of the store changed in one of its transactions. The agent's `ClusterState` is changed already."""

    changes: Sequence[Changed]

    @property
    def reverse(self) -> bool:
        """It goes away, all of it."""
        return all(change.new is None for change in self.changes)

    def __str__(self) -> str:
        return ", ".join(
            f"{c.kind.__name__.lower()} {c.record.id} "
            f"{'is gone' if c.new is None else 'is new' if c.old is None else 'has changed'}"
            for c in self.changes
        )


@dataclass(frozen=True)
class AddPod(Event):
    """A pod starts here and is to be connected (CNI ADD). It is in the node's pods when handlers see this."""

    pod: PodId
    container: str
    namespace_path: str = ""
    ipam_data: str = ""
    """What an external IPAM gave the pod: an entry of ``ips`` of its CNI result, JSON."""

    @property
    def transaction(self) -> Transaction:
        """All of it or nothing."""
        return Transaction.REVERT

    def __str__(self) -> str:
        return f"pod {self.pod} is to be connected (container {self.container})"


@dataclass(frozen=True)
class DeletePod(Event):
    """A pod ends here (CNI DEL). It is still in the node's pods when handlers see this."""

    pod: PodId
    container: str = ""
    """Whose end it is; when the pod has another one by now nothing happens. Empty: whichever it has."""

    @property
    def reverse(self) -> bool:
        """It goes away."""
        return True

    def __str__(self) -> str:
        return f"pod {self.pod} is to be disconnected"


@dataclass(frozen=True)
class Resync(Event):
    """Everything is to be put right. ``kind`` is not UPDATE."""

    reason: str
    kind: Method = Method.FULL_RESYNC

    @property
    def method(self) -> Method:
        """As it was asked for."""
        return self.kind

    def __str__(self) -> str:
        return f"{self.kind.value}: {self.reason}"
