"""memif interfaces of a VPP: a number for the socket first, then the interface; the number goes with the last of them.

VPP tells neither queues nor secrets, and sizes only of a client that is connected: of those that this connection made
they are believed.
"""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from typing import Any

from vectorplane.backends.base import BackendError
from vectorplane.backends.vpp.host_devices.host_device import HostDevice, Settings, believed
from vectorplane.backends.vpp.kinds.kind import Message
from vectorplane.backends.vpp.link import Link

_CREATE, _REMOVE, _LIST = "memif_create", "memif_delete", "memif_dump"
_NAME, _SOCKETS = "memif_socket_filename_add_del_v2", "memif_socket_filename_dump"
_ROLES = ("server", "client")
"""By VPP's number; VPP's words are master and slave."""
_ANY = 0xFFFFFFFF
_UNTOLD = ("secret", "rx_queues", "tx_queues", "ring_size", "buffer_size")


def _sockets(link: Link) -> dict[int, str]:
    """File names by number."""
    return {d.socket_id: d.socket_filename for d in link.connection.details(_SOCKETS)}


def _create(link: Link, name: str, wanted: Settings) -> Generator[Message, Any, int]:
    number = next((n for n, file in _sockets(link).items() if file == wanted["socket"]), None)
    if number is None:
        named = yield _NAME, {"is_add": True, "socket_id": _ANY, "socket_filename": wanted["socket"]}
        number = named.socket_id
    reply = yield (
        _CREATE,
        {
            "role": _ROLES.index(wanted["role"]),
            "mode": 0,
            "id": wanted["id"],
            "socket_id": number,
            "secret": wanted["secret"],
            **{key: wanted[key] for key in ("rx_queues", "tx_queues", "ring_size", "buffer_size")},
        },
    )
    return int(reply.sw_if_index)


def _forget_socket(link: Link, settings: Settings) -> Generator[Message, Any, None]:
    users = {d.socket_id for d in link.connection.details(_LIST)}
    for number, file in _sockets(link).items():
        if number and number not in users and file == settings["socket"]:  # number 0 is always there
            yield _NAME, {"is_add": False, "socket_id": number, "socket_filename": ""}


def _read(sockets: dict[int, str], name: str, details: Any, before: Settings) -> Settings:
    told = {
        "socket": sockets.get(details.socket_id),
        "id": details.id,
        "role": _ROLES[int(details.role)],
        "mode": "ethernet" if int(details.mode) == 0 else "ip",
    }
    return believed(told, before, _UNTOLD)


def _wanted(name: str, settings: Settings) -> Settings:
    if settings["mode"] != "ethernet":
        raise BackendError(f"interface {name}: memif: mode {settings['mode']} is not known, only ethernet")
    return settings


MEMIF = HostDevice(
    title="memif interfaces",
    messages=(_CREATE, _REMOVE, _LIST, _NAME, _SOCKETS),
    remover=lambda name, wanted, index: (_REMOVE, {"sw_if_index": index}),
    lister=_LIST,
    create=_create,
    reader=lambda link: partial(_read, _sockets(link)),
    wanted=_wanted,
    after=_forget_socket,
)
