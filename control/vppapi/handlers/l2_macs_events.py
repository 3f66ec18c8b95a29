"""want_l2_macs_events and its second version: who is told what bridge domains learn and forget.

As in VPP there is one watcher at a time, known by the pid it gave; who comes with the same pid takes its place. A
watcher that has gone is no longer one (in VPP it bars the others for good).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.l2_fib import SCAN_DELAY_UNIT
from vectorplane.control.vppapi.retval import INVALID_VALUE, L2_MACS_EVENT_CLINET_PRESENT, ApiError
from vectorplane.graph_nodes.l2.fib import LEARN_LIMIT

if TYPE_CHECKING:
    from vectorplane.control.vppapi.session import Session

KIND = "l2_macs_events"
_MACS_UNIT = 10
_MOST = 1 << 24
"""The highest limit that VPP takes; so much does not fit in the table, but that is not the client's fault."""
Change = tuple[bytes, int, int]
"""MAC address, interface, what happened."""


class MacWatcher:
    """The watcher of one server."""

    def __init__(self, api: Api) -> None:
        self._api = api

    @property
    def there(self) -> bool:
        """Is anybody told?"""
        return bool(self._api.subscriptions(KIND))

    def check(self, pid: int) -> None:
        """May the client with this pid watch?

        Raises:
            ApiError: L2_MACS_EVENT_CLINET_PRESENT.
        """
        if self.there and pid not in self._api.subscriptions(KIND).values():
            raise ApiError(L2_MACS_EVENT_CLINET_PRESENT)

    def begin(self, session: Session, pid: int, max_macs: int) -> None:
        """Tell this client from now on; what was learnt before is learnt anew."""
        watchers = self._api.subscriptions(KIND)
        watchers.clear()
        watchers[session] = pid
        self._api.engine.l2fib.watch(self._changed, pid, max_macs * _MACS_UNIT)

    def end(self) -> None:
        """Tell nobody."""
        self._api.subscriptions(KIND).clear()
        self._api.engine.l2fib.unwatch()

    def _changed(self, changes: list[Change]) -> None:
        """Called by the engine, in any thread: hand over to the control thread."""
        self._api.loop.call_soon_threadsafe(self._publish, list(changes))

    def _publish(self, changes: list[Change]) -> None:
        watchers = list(self._api.subscriptions(KIND).items())
        if not watchers:
            with self._api.engine.paused():
                self.end()
        entries = [{"mac_addr": mac, "sw_if_index": index, "action": action} for mac, index, action in changes]
        for session, pid in watchers:
            self._api.send(session, "l2_macs_event", {"pid": pid, "mac": entries})


def want_l2_macs_events(api: Api, m: Any) -> None:
    """Begin to tell this client, with a limit of what is learnt and a delay between scans; or end it for whoever."""
    watcher: MacWatcher = api.shared(MacWatcher)
    fib = api.engine.l2fib
    if not m.enable_disable:
        if watcher.there:
            watcher.end()
            fib.learn_limit = m.learn_limit if 0 < m.learn_limit <= _MOST else LEARN_LIMIT
        return
    watcher.check(m.pid)
    if not m.max_macs_in_event or not m.scan_delay or not 0 < m.learn_limit <= _MOST:
        raise ApiError(INVALID_VALUE)
    fib.set_scan_delay(m.scan_delay * SCAN_DELAY_UNIT)
    fib.learn_limit = m.learn_limit
    assert api.session is not None
    watcher.begin(api.session, m.pid, m.max_macs_in_event)


def want_l2_macs_events2(api: Api, m: Any) -> None:
    """The same; the limit and the delay stay as they are."""
    watcher: MacWatcher = api.shared(MacWatcher)
    if not m.enable_disable:
        if watcher.there:
            watcher.end()
        return
    watcher.check(m.pid)
    if not m.max_macs_in_event:
        raise ApiError(INVALID_VALUE)
    assert api.session is not None
    watcher.begin(api.session, m.pid, m.max_macs_in_event)


HANDLERS = {
    "want_l2_macs_events": want_l2_macs_events,
    "want_l2_macs_events2": want_l2_macs_events2,
}
