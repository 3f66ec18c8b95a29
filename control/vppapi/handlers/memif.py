"""memif.api: interfaces in shared memory come, go and are listed, and the sockets that they have.

Not there, and refused (UNSUPPORTED): the mode IP. Packets are always copied: wishes for zero copy and DMA change
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vectorplane.backends.base import BackendError
from vectorplane.backends.engine.memif.device import MemifDevice
from vectorplane.backends.engine.memif.sockets import (
    ANY,
    MemifSockets,
    NoSuchSocket,
    RoleTaken,
    SocketInUse,
    create_memif,
    delete_memif,
    memifs,
)
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.retval import (
    ENTRY_ALREADY_EXISTS,
    INVALID_ARGUMENT,
    INVALID_SW_IF_INDEX,
    SUBIF_ALREADY_EXISTS,
    SYSCALL_ERROR_1,
    SYSCALL_ERROR_2,
    SYSCALL_ERROR_4,
    UNEXPECTED_INTF_STATE,
    UNSUPPORTED,
    ApiError,
)

MASTER, SLAVE = 0, 1
ETHERNET, IP = 0, 1
ADMIN_UP, LINK_UP = 1, 2


def _sockets(api: Api) -> MemifSockets:
    return api.engine.plane.shared(MemifSockets)


def _name_socket(api: Api, number: int, name: str, add: bool) -> int:
    try:
        if add:
            return _sockets(api).add(number, name)
        _sockets(api).remove(api.engine, number)
        return number
    except NoSuchSocket as error:
        raise ApiError(INVALID_ARGUMENT, str(error)) from None
    except SocketInUse as error:
        raise ApiError(ENTRY_ALREADY_EXISTS if add else UNEXPECTED_INTF_STATE, str(error)) from None
    except ValueError as error:
        raise ApiError(INVALID_ARGUMENT, str(error)) from None
    except OSError as error:
        raise ApiError(SYSCALL_ERROR_1, str(error)) from None


def memif_socket_filename_add_del(api: Api, m: Any) -> None:
    """Give a socket a number, or forget it."""
    if m.socket_id in (0, ANY):
        raise ApiError(INVALID_ARGUMENT, f"{m.socket_id} can't be the number of a socket")
    _name_socket(api, m.socket_id, m.socket_filename, m.is_add)


def memif_socket_filename_add_del_v2(api: Api, m: Any) -> dict[str, Any]:
    """The same; the number may be ours to choose."""
    try:
        if m.socket_id == 0:
            raise ApiError(INVALID_ARGUMENT, "number 0 is always there")
        return {"socket_id": _name_socket(api, m.socket_id, m.socket_filename, m.is_add)}
    except ApiError as error:
        return {"retval": error.retval, "socket_id": m.socket_id}


def memif_socket_filename_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """All numbers."""
    for number, name in _sockets(api).names.items():
        yield {"socket_id": number, "socket_filename": name}


def _create(api: Api, m: Any) -> int:
    if int(m.mode) != ETHERNET:
        raise ApiError(UNSUPPORTED if int(m.mode) == IP else SYSCALL_ERROR_2, "unsupported interface mode")
    server = int(m.role) == MASTER
    try:
        device = MemifDevice(
            _sockets(api)[m.socket_id],
            m.id,
            server=server,
            secret=m.secret[:23],
            rx_queues=1 if server else m.rx_queues or 1,
            tx_queues=1 if server else m.tx_queues or 1,
            ring_size=m.ring_size or 1024,
            buffer_size=m.buffer_size or 2048,
        )
        mac = bytes(m.hw_addr)
        return create_memif(api.engine, m.socket_id, device, mac if any(mac) else None).sw_if_index
    except RoleTaken as error:
        raise ApiError(SUBIF_ALREADY_EXISTS, str(error)) from None
    except (NoSuchSocket, ValueError) as error:
        raise ApiError(INVALID_ARGUMENT, str(error)) from None
    except BackendError as error:
        raise ApiError(UNSUPPORTED, str(error)) from None
    except OSError as error:
        raise ApiError(SYSCALL_ERROR_4, str(error)) from None


def memif_create(api: Api, m: Any) -> dict[str, Any]:
    """Make ``memifX/Y``. As in VPP an interface that can't be made has sw_if_index 0."""
    try:
        return {"sw_if_index": _create(api, m)}
    except ApiError as error:
        return {"retval": error.retval, "sw_if_index": 0}


def memif_delete(api: Api, m: Any) -> None:
    """It goes, and its peer is told."""
    try:
        delete_memif(api.engine, m.sw_if_index)
    except KeyError as error:
        raise ApiError(INVALID_SW_IF_INDEX, str(error)) from None


def memif_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """All of them. Ring and buffer size are those of the last connection, 1 and 0 before it and of a master."""
    interfaces = api.engine.interfaces
    for interface, device in memifs(api.engine):
        index = interface.sw_if_index
        yield {
            "sw_if_index": index,
            "hw_addr": interface.mac,
            "id": device.id,
            "role": MASTER if device.server else SLAVE,
            "mode": ETHERNET,
            "zero_copy": False,
            "socket_id": _sockets(api).number(device.socket),
            "ring_size": device.agreed[0],
            "buffer_size": device.agreed[1],
            "flags": ADMIN_UP * interfaces.is_up(index) + LINK_UP * interfaces.link_is_up(index),
            "if_name": interface.name,
        }


HANDLERS = {
    "memif_socket_filename_add_del": memif_socket_filename_add_del,
    "memif_socket_filename_add_del_v2": memif_socket_filename_add_del_v2,
    "memif_socket_filename_dump": memif_socket_filename_dump,
    "memif_create": memif_create,
    "memif_create_v2": memif_create,
    "memif_delete": memif_delete,
    "memif_dump": memif_dump,
}
