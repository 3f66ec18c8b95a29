"""l2.api, as far as it concerns interfaces that are not bridged: their VLAN tags are not rewritten."""

from __future__ import annotations

from typing import Any

from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.ip_neighbor import check_interface
from vectorplane.control.vppapi.retval import INVALID_INTERFACE, INVALID_VALUE, UNIMPLEMENTED, ApiError

DISABLED, LAST = 0, 8
"""The operations: none, and from 1 on those that push, pop and translate."""


def l2_interface_vlan_tag_rewrite(api: Api, m: Any) -> None:
    """Switch the rewriting off: it is."""
    check_interface(api, m.sw_if_index)
    if not DISABLED <= m.vtr_op <= LAST:
        raise ApiError(INVALID_VALUE, f"tag rewrite operation {m.vtr_op}")
    if not api.engine.interfaces[m.sw_if_index].device.ethernet:
        raise ApiError(INVALID_INTERFACE)
    if m.vtr_op != DISABLED:
        raise ApiError(UNIMPLEMENTED, "VLAN tags are not rewritten: there is no bridging yet")


HANDLERS = {"l2_interface_vlan_tag_rewrite": l2_interface_vlan_tag_rewrite}
