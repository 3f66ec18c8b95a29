"""What VPP tells by itself: interfaces that change or go, neighbours that are learnt or forgotten."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from vectorplane.backends.base import BackendError
from vectorplane.backends.vpp.connection import Connection
from vectorplane.backends.vpp.interfaces import NO_INTERFACE, UP
from vectorplane.backends.vpp.link import Link
from vectorplane.backends.vpp.values import address_of, mac_text

_LINK_UP = 2
_REMOVED = 2
"""`IP_NEIGHBOR_API_EVENT_FLAG_REMOVED`."""


class Events:
    """Subscribes, and puts what comes into words."""

    def subscribe(self, connection: Connection) -> None:
        """Ask for all events that this VPP has; none of them is indispensable."""
        pid = os.getpid()
        if connection.has("want_interface_events"):
            connection.call("want_interface_events", enable_disable=1, pid=pid)
        if connection.has("want_ip_neighbor_events_v2"):
            for af in (0, 1):
                any_address: dict[str, Any] = {"af": af, "un": {}}
                connection.call(
                    "want_ip_neighbor_events_v2", enable=True, pid=pid, ip=any_address, sw_if_index=NO_INTERFACE
                )

    def take(self, link: Link) -> Iterator[tuple[str, dict[str, Any]]]:
        """The events that have come: ("interface", {name, up, link, deleted}), ("neighbour", {interface, ...})."""
        events = link.connection.events
        while events:
            name, fields = events.popleft()
            if name == "sw_interface_event":
                yield "interface", self._interface(link, fields)
            elif name == "ip_neighbor_event_v2":
                n = fields.neighbor
                yield (
                    "neighbour",
                    {
                        "interface": self._name(link, n.sw_if_index),
                        "address": str(address_of(n.ip_address)),
                        "mac": mac_text(n.mac_address),
                        "removed": bool(int(fields.flags) & _REMOVED),
                    },
                )

    def _interface(self, link: Link, fields: Any) -> dict[str, Any]:
        name = self._name(link, fields.sw_if_index)
        flags = int(fields.flags)
        if fields.deleted:
            link.interfaces.forget()
        return {
            "name": name,
            "up": bool(flags & UP),
            "link": bool(flags & _LINK_UP),
            "deleted": bool(fields.deleted),
        }

    def _name(self, link: Link, index: int) -> str:
        name = link.interfaces.name(index)
        if name is None:
            try:
                link.interfaces.refresh()
            except BackendError:
                return ""
            name = link.interfaces.name(index)
        return name or ""
