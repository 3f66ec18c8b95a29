"""l2.api: what a single port does with frames, as flags of the API or as the bitmaps that VPP itself works with."""

from __future__ import annotations

from typing import Any

from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.interface_checks import interface_of
from vectorplane.control.vppapi.retval import INVALID_SW_IF_INDEX, ApiError
from vectorplane.graph_nodes.l2.features import ARP_TERM, ARP_UFWD, FLOOD, FWD, LEARN, UU_FLOOD

_BITS = (LEARN, FWD, FLOOD, UU_FLOOD, ARP_TERM, ARP_UFWD)
"""What the flags 1, 2, 4 and so on mean (``l2_intf_feat_flags``)."""
_OLD_BITS = _BITS[:5]
"""The same in the older ``l2_flags``."""


def _bitmap(flags: int, bits: tuple[int, ...]) -> int:
    return sum(bit for i, bit in enumerate(bits) if flags >> i & 1)


def _check_port(api: Api, sw_if_index: int, *, bridged: bool = False) -> None:
    """Raises `ApiError`: it is no interface, an L3 interface or, if it has to be bridged, a cross-connected one."""
    interface_of(api, sw_if_index)
    port = api.engine.bridges.port(sw_if_index)
    if port is None or (bridged and port.domain is None):
        raise ApiError(INVALID_SW_IF_INDEX, f"interface {sw_if_index} is no port, or not of a bridge domain")


def l2_flags(api: Api, m: Any) -> dict[str, int]:
    """Switch features on or off; the older way."""
    interface_of(api, m.sw_if_index)
    bits = _bitmap(m.feature_bitmap, _OLD_BITS)
    features = api.engine.bridges.set_port_features(m.sw_if_index, bits, bool(m.is_set))
    return {"resulting_feature_bitmap": features}


def l2_flags_get(api: Api, m: Any) -> dict[str, int]:
    """The bitmaps of a port, of what it receives and of what it sends."""
    _check_port(api, m.sw_if_index)
    bridges = api.engine.bridges
    outward = bridges.set_output_features(m.sw_if_index, 0, True)  # none: it tells those that are on
    return {"input_feature_bitmap": bridges.port_features(m.sw_if_index), "output_feature_bitmap": outward}


def l2_flags_set(api: Api, m: Any) -> None:
    """Switch bits of these bitmaps on or off."""
    _check_port(api, m.sw_if_index)
    api.engine.bridges.set_port_features(m.sw_if_index, m.input_feature_bitmap, bool(m.is_set))
    api.engine.bridges.set_output_features(m.sw_if_index, m.output_feature_bitmap, bool(m.is_set))


def l2_interface_feat_flags_get(api: Api, m: Any) -> dict[str, int]:
    """The features of a bridged port."""
    _check_port(api, m.sw_if_index, bridged=True)
    bitmap = api.engine.bridges.port_features(m.sw_if_index)
    return {"flags": sum(1 << i for i, bit in enumerate(_BITS) if bitmap & bit)}


def l2_interface_feat_flags_set(api: Api, m: Any) -> None:
    """Switch them on or off."""
    _check_port(api, m.sw_if_index, bridged=True)
    api.engine.bridges.set_port_features(m.sw_if_index, _bitmap(m.flags, _BITS), bool(m.is_set))


HANDLERS = {
    "l2_flags": l2_flags,
    "l2_flags_get": l2_flags_get,
    "l2_flags_set": l2_flags_set,
    "l2_interface_feat_flags_get": l2_interface_feat_flags_get,
    "l2_interface_feat_flags_set": l2_interface_feat_flags_set,
}
