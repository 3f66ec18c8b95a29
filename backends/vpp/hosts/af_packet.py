"""Host-interfaces (AF_PACKET) of a VPP: the message that makes one, and what VPP tells of it: its name on the host.

The interface must be in VPP's own network namespace. Segmentation goes with checksums there, and VPP does it where an
interface can't: ``gso`` needs not be said.
"""

from __future__ import annotations

from typing import Any

from vectorplane.backends.base import BackendError
from vectorplane.backends.devices import host_of
from vectorplane.backends.vpp.hosts.host import Host
from vectorplane.backends.vpp.kinds.kind import Message
from vectorplane.backends.vpp.tunnels.tunnel import Settings

_ETHERNET, _QDISC_BYPASS, _CHECKSUM_GSO = 1, 1, 2
_UNTOLD = ("queues", "checksum_offload", "qdisc_bypass")


def _create(name: str, wanted: Settings) -> Message:
    flags = (_QDISC_BYPASS if wanted["qdisc_bypass"] else 0) | (_CHECKSUM_GSO if wanted["checksum_offload"] else 0)
    return "af_packet_create_v3", {
        "mode": _ETHERNET,
        "use_random_hw_addr": True,
        "host_if_name": wanted["host_name"] or host_of(name),
        "flags": flags,
        "num_rx_queues": wanted["queues"],
        "num_tx_queues": wanted["queues"],
    }


def _delete(index: int, name: str, wanted: Settings) -> Message:
    return "af_packet_delete", {"host_if_name": wanted["host_name"] or host_of(name)}


def _read(name: str, details: Any, believed: Settings) -> Settings:
    told: Settings = {"host_name": None if details.host_if_name == host_of(name) else details.host_if_name}
    return told | {setting: believed[setting] for setting in _UNTOLD if setting in believed}


def _canonical(name: str, wanted: Settings) -> Settings:
    if wanted["host_namespace"] is not None:
        raise BackendError(f"interface {name}: a VPP has interfaces of the namespace that it runs in only")
    host_name = None if wanted["host_name"] == host_of(name) else wanted["host_name"]
    return wanted | {"host_name": host_name, "gso": False}


AF_PACKET = Host(
    "host interfaces",
    ("af_packet_create_v3", "af_packet_delete", "af_packet_dump"),
    "af_packet_dump",
    {},
    _create,
    _delete,
    _read,
    _canonical,
)
