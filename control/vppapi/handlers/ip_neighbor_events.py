"""want_ip_neighbor_events and _v2: who is told when neighbours come (and, for _v2, how they go).

As in VPP a watcher names an interface, or none, and an address, or none (all zeros); an event goes to those who named
both, to those who named the interface alone, and to those who named neither. Both versions tell of neighbours that
came, were entered again or went; only the second says which.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vectorplane.backends.engine.neighbour_store import Neighbour
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.ip_neighbor import ALL, check_interface, encode

if TYPE_CHECKING:
    from vectorplane.control.vppapi.session import Session

KIND = "ip_neighbor_events"
ADDED, REMOVED = 1, 2
Key = tuple[int, int, bytes]
"""Interface (`ALL`: any), address family, address (zeros: any, its family then being IPv4)."""


@dataclass(frozen=True)
class Watcher:
    """A client that wants events of one key."""

    session: Session
    pid: int
    version: int


class NeighbourWatchers:
    """The watchers of one server, by key, in the order in which they came."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.by_key: dict[Key, dict[Watcher, None]] = {}
        api.engine.neighbours.on_change.append(self._changed)
        api.engine.neighbours6.on_change.append(self._changed)

    def watch(self, key: Key, watcher: Watcher) -> None:
        """Add one; the same one twice counts once."""
        self._api.subscriptions(KIND)[watcher.session] = watcher.pid
        self.by_key.setdefault(key, {})[watcher] = None

    def unwatch(self, key: Key, watcher: Watcher) -> None:
        """Remove one, if it is there."""
        watchers = self.by_key.get(key, {})
        watchers.pop(watcher, None)
        if not watchers:
            self.by_key.pop(key, None)

    def _changed(self, neighbour: Neighbour, added: bool) -> None:
        """Called by the engine, in any thread: hand over to the control thread."""
        if self.by_key:
            self._api.loop.call_soon_threadsafe(self._publish, encode(neighbour), ADDED if added else REMOVED)

    def _publish(self, fields: dict[str, Any], flags: int) -> None:
        sw_if_index, address = fields["sw_if_index"], fields["ip_address"]
        keys = (
            (sw_if_index, address["af"], address["un"]),
            (sw_if_index, 0, bytes(16)),
            (ALL, 0, bytes(16)),
        )
        there = self._api.subscriptions(KIND)
        for key in keys:
            for watcher in list(self.by_key.get(key, ())):
                if watcher.session not in there:  # the client has gone
                    self.unwatch(key, watcher)
                elif watcher.version == 1:
                    event = {"pid": watcher.pid, "neighbor": fields}
                    self._api.send(watcher.session, "ip_neighbor_event", event)
                else:
                    event = {"pid": watcher.pid, "flags": flags, "neighbor": fields}
                    self._api.send(watcher.session, "ip_neighbor_event_v2", event)


def _want(api: Api, m: Any, version: int) -> None:
    if m.sw_if_index != ALL:
        check_interface(api, m.sw_if_index)
    address = bytes(m.ip.un) if m.ip.af == 1 else bytes(m.ip.un[:4]).ljust(16, b"\0")
    key = (m.sw_if_index or ALL, m.ip.af, address)
    assert api.session is not None
    watcher = Watcher(api.session, m.pid, version)
    watchers: NeighbourWatchers = api.shared(NeighbourWatchers)
    (watchers.watch if m.enable else watchers.unwatch)(key, watcher)


def want_ip_neighbor_events(api: Api, m: Any) -> None:
    """Tell this client of neighbours, or no longer."""
    _want(api, m, 1)


def want_ip_neighbor_events_v2(api: Api, m: Any) -> None:
    """The same, with events that say what happened."""
    _want(api, m, 2)


HANDLERS = {
    "want_ip_neighbor_events": want_ip_neighbor_events,
    "want_ip_neighbor_events_v2": want_ip_neighbor_events_v2,
}
