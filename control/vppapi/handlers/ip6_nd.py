"""ip6_nd.api: router advertisements. None are sent here, so that switching them off is all that can be asked for."""

from __future__ import annotations

from typing import Any

from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.interface_checks import interface_of
from vectorplane.control.vppapi.retval import IP6_NOT_ENABLED, UNIMPLEMENTED, ApiError

_OTHERS = ("managed", "other", "ll_option", "send_unicast", "default_router", "is_no")
_NUMBERS = ("max_interval", "min_interval", "lifetime", "initial_count", "initial_interval")


def sw_interface_ip6nd_ra_config(api: Api, m: Any) -> None:
    """Send no router advertisements on an interface (suppress or cease); anything else is refused."""
    interface_of(api, m.sw_if_index)
    if not api.engine.addresses6.is_enabled(m.sw_if_index):
        raise ApiError(IP6_NOT_ENABLED, f"IPv6 is off on interface {m.sw_if_index}")
    if not (m.suppress or m.cease) or any(getattr(m, name) for name in (*_OTHERS, *_NUMBERS)):
        raise ApiError(UNIMPLEMENTED, "router advertisements are not sent")


HANDLERS = {"sw_interface_ip6nd_ra_config": sw_interface_ip6nd_ra_config}
