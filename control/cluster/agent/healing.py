"""Healing: a full resync some time after something failed. When that fails, too, the agent can't go on."""

from __future__ import annotations

import logging
from collections.abc import Callable

from vectorplane.control.cluster.agent.errors import AgentError
from vectorplane.control.cluster.agent.event_history import EventRecord

log = logging.getLogger(__name__)

HEAL_AFTER = 5.0
"""Seconds from a failure to its healing (as Contiv-VPP's controller)."""


class Healing:
    """When it is due, and of what. Enter it around the resync that heals."""

    def __init__(self, name: str, clock: Callable[[], float]) -> None:
        self.at: float | None = None
        """When to heal; None: nothing is wrong."""
        self._name, self._clock = name, clock
        self._reason = ""
        self._now = False

    def needed(self, record: EventRecord) -> None:
        """The event of that record failed.

        Raises:
            AgentError: it was the healing.
        """
        if self._now:
            raise AgentError(f"node {self._name}: {self._reason} failed: {record.error}")
        log.error("event %d (%s): %s; everything is put right soon", record.number, record.name, record.error)
        if self.at is None:
            self.at = self._clock() + HEAL_AFTER
            self._reason = f"healing after event {record.number} ({record.name}: {record.error})"

    def __enter__(self) -> str:
        """It begins; gives what it heals."""
        self.at, self._now = None, True
        return self._reason

    def __exit__(self, *_: object) -> None:
        self._now = False
