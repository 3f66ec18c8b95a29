"""l2.api: interfaces as ports of bridge domains and as ends of cross-connects; BVI interfaces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vectorplane.backends.engine.l2.bridges import BVI, NORMAL, UU_FWD, DefaultDomain, HasBvi
from vectorplane.backends.engine.l2.bvi import create_bvi, delete_bvi
from vectorplane.backends.engine.loopback import InstanceInUse
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.interface_checks import NONE, interface_of
from vectorplane.control.vppapi.retval import (
    BD_ALREADY_HAS_BVI,
    BD_ID_EXCEED_MAX,
    BD_NOT_MODIFIABLE,
    INVALID_REGISTRATION,
    INVALID_SW_IF_INDEX,
    INVALID_VALUE,
    ApiError,
)


def sw_interface_set_l2_bridge(api: Api, m: Any) -> None:
    """Make an interface a port of a domain (which is made when it is missing), or an L3 interface again."""
    bridges, index = api.engine.bridges, m.rx_sw_if_index
    interface_of(api, index)
    if m.port_type not in (NORMAL, BVI, UU_FWD):
        raise ApiError(INVALID_VALUE, f"port type {m.port_type}")
    if not m.enable:
        bridges.detach(index)
        return
    try:
        bridges.attach(index, m.bd_id, m.port_type, m.shg)
    except OverflowError as error:
        raise ApiError(BD_ID_EXCEED_MAX, str(error)) from None
    except HasBvi as error:
        raise ApiError(BD_ALREADY_HAS_BVI, str(error)) from None
    except DefaultDomain as error:  # VPP lets it be, and drops all that comes in
        raise ApiError(BD_NOT_MODIFIABLE, str(error)) from None


def sw_interface_set_l2_xconnect(api: Api, m: Any) -> None:
    """Send what an interface receives out of another; or make it an L3 interface again."""
    bridges, rx, tx = api.engine.bridges, m.rx_sw_if_index, m.tx_sw_if_index
    interface_of(api, rx)
    if not m.enable:
        bridges.detach(rx)
        return
    interface_of(api, tx)
    bridges.xconnect(rx, tx)


def l2_xconnect_dump(api: Api, m: Any) -> Iterator[dict[str, int]]:
    """The cross-connects, each of which goes one way."""
    ports = api.engine.bridges.ports
    for index in sorted(ports):
        port = ports.get(index)
        if port is not None and port.xconnect >= 0:
            yield {"rx_sw_if_index": index, "tx_sw_if_index": port.xconnect}


def bvi_create(api: Api, m: Any) -> dict[str, int]:
    """A BVI interface, with a number if it is told; it joins its domain by `sw_interface_set_l2_bridge`."""
    mac = bytes(m.mac) if any(m.mac) else None
    instance = None if m.user_instance == NONE else m.user_instance
    try:
        return {"sw_if_index": create_bvi(api.engine, mac=mac, instance=instance).sw_if_index}
    except InstanceInUse:
        return {"retval": INVALID_REGISTRATION, "sw_if_index": NONE}


def bvi_delete(api: Api, m: Any) -> None:
    """Remove one."""
    try:
        delete_bvi(api.engine, m.sw_if_index)
    except KeyError as error:
        raise ApiError(INVALID_SW_IF_INDEX, str(error)) from None


HANDLERS = {
    "sw_interface_set_l2_bridge": sw_interface_set_l2_bridge,
    "sw_interface_set_l2_xconnect": sw_interface_set_l2_xconnect,
    "l2_xconnect_dump": l2_xconnect_dump,
    "bvi_create": bvi_create,
    "bvi_delete": bvi_delete,
}
