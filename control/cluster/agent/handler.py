"""What an agent's handlers have in common. Each is one concern: the node's connectivity, services, policies."""

from __future__ import annotations

from typing import Protocol

from vectorplane.control.cluster.agent.event import Event


class Handler(Protocol):
    """Puts units into the agent's `Wanted`, worked out from its `ClusterState` and `ThisNode`; does nothing else.

    A handler is made with these three, ``Handler(node, state, wanted)``, is used by one thread, and depends on nothing
    else: the same state gives the same items, in whatever order the events came that led there.
    """

    name: str

    def resync(self) -> None:
        """Put everything, from what the state and the node are now. `Wanted` has none of its units."""
        ...

    def update(self, event: Event) -> str:
        """Put and drop what is different by an event (`StateChange`, `AddPod`, `DeletePod`), and only that.

        Gives what it did in a few words, for the history; empty: the event is none of its business.
        """
        ...

    def revert(self, event: Event) -> None:
        """The event failed: `Wanted`, the state and the node's pods are what they were before it; so be this handler.

        One that keeps nothing but what can be worked out anew from these has to forget what it keeps of this event.
        """
        ...
