"""IPv6 on an interface, as ip.api has it: on and off, and its link-local address."""

from __future__ import annotations

from typing import Any

from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.ip_neighbor import check_interface
from vectorplane.control.vppapi.retval import IP6_NOT_ENABLED, VALUE_EXIST, ApiError


def sw_interface_ip6_enable_disable(api: Api, m: Any) -> int:
    """Counted, as in VPP: who enables what is on already is told so, and has to disable it all the same."""
    check_interface(api, m.sw_if_index)
    addresses = api.engine.addresses6
    if m.enable:
        return 0 if addresses.enable(m.sw_if_index) else VALUE_EXIST
    if not addresses.is_enabled(m.sw_if_index):
        raise ApiError(IP6_NOT_ENABLED)
    addresses.disable(m.sw_if_index)
    return 0


def sw_interface_ip6_set_link_local_address(api: Api, m: Any) -> None:
    """Choose it; IPv6 is on then."""
    check_interface(api, m.sw_if_index)
    api.engine.addresses6.set_link_local(m.sw_if_index, int.from_bytes(m.ip, "big"))


def sw_interface_ip6_get_link_local_address(api: Api, m: Any) -> dict[str, Any]:
    """What it is."""
    check_interface(api, m.sw_if_index)
    address = api.engine.addresses6.link_local(m.sw_if_index)
    if address is None:
        raise ApiError(IP6_NOT_ENABLED)
    return {"ip": address.packed}


HANDLERS = {
    "sw_interface_ip6_enable_disable": sw_interface_ip6_enable_disable,
    "sw_interface_ip6_set_link_local_address": sw_interface_ip6_set_link_local_address,
    "sw_interface_ip6_get_link_local_address": sw_interface_ip6_get_link_local_address,
}
