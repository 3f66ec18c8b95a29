"""l2.api: what ports do to VLAN tags, and whether they check those of what leaves."""

from __future__ import annotations

from typing import Any

from vectorplane.backends.engine.l2.tag_rewrite import DISABLED, TRANSLATE_2_2, NotEthernet, TooFewTags
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.interface_checks import interface_of
from vectorplane.control.vppapi.retval import INVALID_INTERFACE, INVALID_VALUE, INVALID_VLAN_TAG_COUNT, ApiError

_TAG = 0xFFFF


def l2_interface_vlan_tag_rewrite(api: Api, m: Any) -> None:
    """Push, pop or translate the tags of what a port receives, and the reverse of what it sends."""
    interface_of(api, m.sw_if_index)
    if not DISABLED <= m.vtr_op <= TRANSLATE_2_2:
        raise ApiError(INVALID_VALUE, f"tag rewrite operation {m.vtr_op}")
    try:
        api.engine.tag_rewrites.set(m.sw_if_index, m.vtr_op, bool(m.push_dot1q), m.tag1 & _TAG, m.tag2 & _TAG)
    except NotEthernet as error:
        raise ApiError(INVALID_INTERFACE, str(error)) from None
    except TooFewTags as error:
        raise ApiError(INVALID_VLAN_TAG_COUNT, str(error)) from None


def l2_interface_efp_filter(api: Api, m: Any) -> None:
    """Drop what leaves a sub-interface with other tags than its own, or no longer."""
    interface_of(api, m.sw_if_index)
    api.engine.tag_rewrites.set_efp_filter(m.sw_if_index, bool(m.enable_disable))


HANDLERS = {
    "l2_interface_vlan_tag_rewrite": l2_interface_vlan_tag_rewrite,
    "l2_interface_efp_filter": l2_interface_efp_filter,
}
