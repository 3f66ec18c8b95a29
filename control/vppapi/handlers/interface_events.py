"""want_interface_events: who is told when interfaces come, go up or down, or go.

As in VPP an event says what became true since the last one (not what is true): changes that happen together, a packet
generator's interface going up with its link for one, are told together.
"""

from __future__ import annotations

from typing import Any

from vectorplane.backends.engine.interfaces import ADDED, ADMIN, DELETED, LINK
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.retval import INVALID_REGISTRATION, ApiError

KIND = "interface_events"
ADMIN_UP, LINK_UP = 1, 2
_DELETED = 4


class InterfaceWatchers:
    """What has to be told to the watchers of one server."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._pending: dict[int, int] = {}
        """By interface: what happened."""
        api.engine.interfaces.on_change.append(self._changed)

    def _changed(self, sw_if_index: int, what: str) -> None:
        """Called by the engine, in any thread that has it for itself: hand over to the control thread."""
        if what not in (ADDED, ADMIN, LINK, DELETED) or not self._api.subscriptions(KIND):
            return
        interfaces = self._api.engine.interfaces
        flag = 0
        if what == ADMIN and interfaces.is_up(sw_if_index):
            flag = ADMIN_UP
        elif what == LINK and interfaces.link_is_up(sw_if_index):
            flag = LINK_UP
        elif what == DELETED:
            flag = _DELETED
        first = not self._pending
        self._pending[sw_if_index] = self._pending.get(sw_if_index, 0) | flag
        if first:
            self._api.loop.call_soon_threadsafe(self._publish)

    def _publish(self) -> None:
        with self._api.engine.paused():
            pending, self._pending = self._pending, {}
        for sw_if_index, flags in sorted(pending.items()):
            for session, pid in list(self._api.subscriptions(KIND).items()):
                event = {"pid": pid, "sw_if_index": sw_if_index, "flags": flags & (ADMIN_UP | LINK_UP)}
                self._api.send(session, "sw_interface_event", {**event, "deleted": bool(flags & _DELETED)})


def want_interface_events(api: Api, m: Any) -> None:
    """Begin to tell this client, or end it."""
    api.shared(InterfaceWatchers)
    watchers, session = api.subscriptions(KIND), api.session
    assert session is not None
    if bool(m.enable_disable) == (session in watchers):
        raise ApiError(INVALID_REGISTRATION, "already so")
    if m.enable_disable:
        watchers[session] = m.pid
    else:
        del watchers[session]


HANDLERS = {"want_interface_events": want_interface_events}
