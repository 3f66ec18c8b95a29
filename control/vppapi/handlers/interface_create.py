"""interface.api: loopbacks and sub-interfaces come and go."""

from __future__ import annotations

from typing import Any

from vectorplane.backends.engine.loopback import InstanceInUse, create_loopback, delete_loopback
from vectorplane.backends.engine.sub_interfaces import EXACT, ONE_TAG, SubInterfaceExists, SubInterfaceRefused
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.interface_checks import NONE, interface_of
from vectorplane.control.vppapi.retval import (
    INVALID_REGISTRATION,
    INVALID_SUB_SW_IF_INDEX,
    INVALID_SW_IF_INDEX,
    INVALID_VLAN,
    UNSPECIFIED,
    VLAN_ALREADY_EXISTS,
    ApiError,
)


def _failed(retval: int) -> dict[str, Any]:
    return {"retval": retval, "sw_if_index": NONE}


def _loopback(api: Api, mac: bytes, instance: int | None) -> dict[str, Any]:
    try:
        return {"sw_if_index": create_loopback(api.engine, mac=mac, instance=instance).sw_if_index}
    except InstanceInUse:
        return _failed(INVALID_REGISTRATION)


def create_loopback_any(api: Api, m: Any) -> dict[str, Any]:
    """``create_loopback``: the lowest number that is free."""
    return _loopback(api, m.mac_address, None)


def create_loopback_instance(api: Api, m: Any) -> dict[str, Any]:
    """A loopback with a number, if it is told."""
    return _loopback(api, m.mac_address, m.user_instance if m.is_specified else None)


def delete_a_loopback(api: Api, m: Any) -> None:
    """``delete_loopback``: with its sub-interfaces."""
    try:
        delete_loopback(api.engine, m.sw_if_index)
    except KeyError as error:
        raise ApiError(INVALID_SW_IF_INDEX, str(error)) from None


def create_vlan_subif(api: Api, m: Any) -> dict[str, Any]:
    """A sub-interface for one VLAN, with its number."""
    if m.sw_if_index not in api.engine.interfaces.by_index:
        return _failed(INVALID_SW_IF_INDEX)
    if not 0 < m.vlan_id <= 4095:
        return _failed(INVALID_VLAN)
    try:
        made = api.engine.interfaces.create_sub(m.sw_if_index, m.vlan_id, ONE_TAG | EXACT, m.vlan_id)
    except SubInterfaceExists:
        return _failed(VLAN_ALREADY_EXISTS)
    except SubInterfaceRefused:
        return _failed(INVALID_REGISTRATION)
    return {"sw_if_index": made.sw_if_index}


def create_subif(api: Api, m: Any) -> dict[str, Any]:
    """A sub-interface for what its flags say."""
    if m.sw_if_index not in api.engine.interfaces.by_index:
        return _failed(INVALID_SW_IF_INDEX)
    try:
        made = api.engine.interfaces.create_sub(
            m.sw_if_index, m.sub_id, m.sub_if_flags, m.outer_vlan_id, m.inner_vlan_id
        )
    except SubInterfaceExists:
        return _failed(VLAN_ALREADY_EXISTS)
    except SubInterfaceRefused:
        return _failed(UNSPECIFIED)
    return {"sw_if_index": made.sw_if_index}


def delete_subif(api: Api, m: Any) -> None:
    """Remove a sub-interface."""
    if not interface_of(api, m.sw_if_index).is_sub:
        raise ApiError(INVALID_SUB_SW_IF_INDEX, "it is no sub-interface")
    api.engine.interfaces.remove(m.sw_if_index)


HANDLERS = {
    "create_loopback": create_loopback_any,
    "create_loopback_instance": create_loopback_instance,
    "delete_loopback": delete_a_loopback,
    "create_vlan_subif": create_vlan_subif,
    "create_subif": create_subif,
    "delete_subif": delete_subif,
}
