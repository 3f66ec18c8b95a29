"""want_l2_arp_term_events: who is told of the ARP replies and neighbour advertisements that bridge domains see.

As in VPP the same news again, with no other in between and within ten seconds, is no news.
"""

from __future__ import annotations

from typing import Any

from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.ip_addresses import Address, encode_address
from vectorplane.control.vppapi.retval import INVALID_REGISTRATION, ApiError

KIND = "l2_arp_term_events"
DAMPENED = 10 * 10**9
"""Nanoseconds."""
News = tuple[int, Address, bytes]
"""Interface, IP address, MAC address."""


class ArpTermWatchers:
    """What has to be told to the watchers of one server. The engine looks only while there are any."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._last: News | None = None
        self._last_time = 0

    def listen(self, on: bool) -> None:
        """Have the engine tell us, or no longer; it is paused."""
        self._api.engine.bridges.watch_arp(self._seen, on)

    def _seen(self, sw_if_index: int, address: Address, mac: bytes) -> None:
        """Called by the engine, in any thread: hand over to the control thread."""
        news = sw_if_index, address, bytes(mac)
        self._api.loop.call_soon_threadsafe(self._publish, news, self._api.engine.now)

    def _publish(self, news: News, now: int) -> None:
        watchers = list(self._api.subscriptions(KIND).items())
        if not watchers:  # the last one has gone without a word
            with self._api.engine.paused():
                self.listen(False)
        if news == self._last and now - self._last_time < DAMPENED:
            return
        self._last, self._last_time = news, now
        sw_if_index, address, mac = news
        fields = {"sw_if_index": sw_if_index, "ip": encode_address(address), "mac": mac}
        for session, pid in watchers:
            self._api.send(session, "l2_arp_term_event", {"pid": pid, **fields})


def want_l2_arp_term_events(api: Api, m: Any) -> None:
    """Begin to tell this client, or end it."""
    watchers, session = api.subscriptions(KIND), api.session
    assert session is not None
    if bool(m.enable) == (session in watchers):
        raise ApiError(INVALID_REGISTRATION, "already so")
    if m.enable:
        watchers[session] = m.pid
    else:
        del watchers[session]
    api.shared(ArpTermWatchers).listen(bool(watchers))


HANDLERS = {"want_l2_arp_term_events": want_l2_arp_term_events}
