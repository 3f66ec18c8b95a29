"""What can go wrong in an agent, by what follows from it."""

from __future__ import annotations


class AgentError(Exception):
    """The agent can't go on: its process has to end and be started again. A handler may raise it, too."""


class Abort(Exception):
    """Raised by a handler: the event can't be dealt with. No other handler is asked, nothing is done."""


class EventFailed(Exception):
    """An event that was to be all or nothing came to nothing; the text says why."""


class QueueFull(Exception):
    """Too many events wait: the agent is too slow for whoever pushes them, or waits for the store."""


class WouldBlock(Exception):
    """Somebody wanted to wait for an event on the thread that has to deal with it."""
