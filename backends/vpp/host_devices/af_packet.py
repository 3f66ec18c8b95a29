"""Host-interfaces (AF_PACKET) of a VPP: the message that makes one, and what VPP tells of it: its name on the host.

The interface must be in VPP's own network namespace. Segmentation goes with checksums there, and VPP does it where an
interface can't: ``gso`` needs not be said.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from vectorplane.backends.base import BackendError
from vectorplane.backends.devices import host_of
from vectorplane.backends.vpp.host_devices.host_device import HostDevice, Settings, believed
from vectorplane.backends.vpp.kinds.kind import Message
from vectorplane.backends.vpp.link import Link

_CREATE, _DELETE, _LIST = "af_packet_create_v3", "af_packet_delete", "af_packet_dump"
_ETHERNET, _QDISC_BYPASS, _CHECKSUM_GSO = 1, 1, 2
_UNTOLD = ("queues", "checksum_offload", "qdisc_bypass")


def _create(link: Link, name: str, wanted: Settings) -> Generator[Message, Any, int]:
    flags = (_QDISC_BYPASS if wanted["qdisc_bypass"] else 0) | (_CHECKSUM_GSO if wanted["checksum_offload"] else 0)
    reply = yield (
        _CREATE,
        {
            "mode": _ETHERNET,
            "use_random_hw_addr": True,
            "host_if_name": wanted["host_name"] or host_of(name),
            "flags": flags,
            "num_rx_queues": wanted["queues"],
            "num_tx_queues": wanted["queues"],
        },
    )
    return int(reply.sw_if_index)


def _remove(name: str, wanted: Settings, index: int) -> Message:
    return _DELETE, {"host_if_name": wanted["host_name"] or host_of(name)}


def _read(name: str, details: Any, before: Settings) -> Settings:
    told: Settings = {"host_name": None if details.host_if_name == host_of(name) else details.host_if_name}
    return believed(told, before, _UNTOLD)


def _wanted(name: str, settings: Settings) -> Settings:
    if settings["host_namespace"] is not None:
        raise BackendError(f"interface {name}: a VPP has interfaces of the namespace that it runs in only")
    host_name = None if settings["host_name"] == host_of(name) else settings["host_name"]
    return settings | {"host_name": host_name, "gso": False}


AF_PACKET = HostDevice(
    title="host interfaces",
    messages=(_CREATE, _DELETE, _LIST),
    lister=_LIST,
    create=_create,
    remover=_remove,
    reader=lambda link: _read,
    wanted=_wanted,
)
