"""pg.api: packet-generator interfaces, captures of what they transmit, streams on and off."""

from __future__ import annotations

from typing import Any

from vectorplane.backends.engine.pg_device import MODES, PgDevice
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.interface_checks import NONE, interface_of
from vectorplane.control.vppapi.retval import CANNOT_CREATE_PCAP_FILE, INVALID_SW_IF_INDEX, INVALID_VALUE, ApiError

CHECKSUM_OFFLOAD, GSO = 1, 2


def _create(api: Api, number: int, mode: int, checksum_offload: bool, gso_size: int) -> dict[str, Any]:
    if mode >= len(MODES):
        return {"retval": INVALID_VALUE, "sw_if_index": NONE}
    number = number - (1 << 32) if number >> 31 else number  # as VPP prints it
    made = api.engine.pg.create_interface(number, MODES[mode], checksum_offload=checksum_offload, gso_size=gso_size)
    return {"sw_if_index": made.sw_if_index}


def pg_create_interface(api: Api, m: Any) -> dict[str, Any]:
    """The Ethernet interface ``pgN``; the one that is there when there is one."""
    return _create(api, m.interface_id, 0, False, m.gso_size if m.gso_enabled else 0)


def pg_create_interface_v2(api: Api, m: Any) -> dict[str, Any]:
    """The same, in a mode."""
    return _create(api, m.interface_id, m.mode, False, m.gso_size if m.gso_enabled else 0)


def pg_create_interface_v3(api: Api, m: Any) -> dict[str, Any]:
    """The same, with offloads (coalescing of what it receives is not among them)."""
    checksum = bool(m.pg_flags & CHECKSUM_OFFLOAD)
    return _create(api, m.interface_id, m.mode, checksum, m.gso_size if m.pg_flags & GSO and not checksum else 0)


def pg_delete_interface(api: Api, m: Any) -> None:
    """Remove one."""
    interface_of(api, m.sw_if_index)
    try:
        api.engine.pg.delete_interface(m.sw_if_index)
    except KeyError as error:
        raise ApiError(INVALID_SW_IF_INDEX, str(error)) from None


def pg_capture(api: Api, m: Any) -> None:
    """Capture what ``pgN`` transmits into a file, or end that. When there is no such interface nothing happens."""
    interfaces = api.engine.interfaces
    index = api.engine.plane.interfaces.by_name.get(f"pg{m.interface_id}")
    if index is None or not isinstance(interfaces[index].device, PgDevice):
        return
    if not m.is_enabled:
        api.engine.pg.capture_stop(index)
        return
    try:
        api.engine.pg.capture(index, m.pcap_file_name, m.count)
    except FileExistsError as error:
        raise ApiError(CANNOT_CREATE_PCAP_FILE, str(error)) from None


def pg_enable_disable(api: Api, m: Any) -> None:
    """Start or stop a stream; all when there is none of that name (as VPP)."""
    name = m.stream_name if m.stream_name in api.engine.pg.streams else None
    (api.engine.pg.enable if m.is_enabled else api.engine.pg.disable)(name)


HANDLERS = {
    "pg_create_interface": pg_create_interface,
    "pg_create_interface_v2": pg_create_interface_v2,
    "pg_create_interface_v3": pg_create_interface_v3,
    "pg_delete_interface": pg_delete_interface,
    "pg_capture": pg_capture,
    "pg_enable_disable": pg_enable_disable,
}
