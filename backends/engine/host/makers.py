"""How each kind of device of the host is made of its settings (`vectorplane.backends.devices`): one function a kind.

They raise ValueError when a setting is out of range. What they need is imported when one is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from vectorplane.backends.devices import host_of

if TYPE_CHECKING:
    from vectorplane.backends.engine.device import Device

Settings = dict[str, Any]


def _tap(name: str, s: Settings) -> Device:
    from ipaddress import ip_address, ip_interface

    from vectorplane.backends.engine.tap.device import TapDevice
    from vectorplane.backends.engine.tap.host_link import HostLink

    link = HostLink(
        s["host_name"] or name,
        namespace=s["host_namespace"],
        mac=None if s["host_mac"] is None else bytes.fromhex(s["host_mac"].replace(":", "")),
        mtu=s["host_mtu"],
        addresses=tuple(ip_interface(a) for a in s["host_addresses"]),
        gateways=tuple(ip_address(a) for a in s["host_gateways"]),
        bridge=s["host_bridge"],
    )
    return TapDevice(link, queues=s["queues"], **{flag: s[flag] for flag in ("checksum_offload", "gso", "gro")})


def _af_packet(name: str, s: Settings) -> Device:
    from vectorplane.backends.engine.af_packet.device import AfPacketDevice

    return AfPacketDevice(
        s["host_name"] or host_of(name),
        namespace=s["host_namespace"],
        queues=s["queues"],
        checksum_offload=s["checksum_offload"],
        gso=s["gso"],
        qdisc_bypass=s["qdisc_bypass"],
    )


def _memif(name: str, s: Settings) -> Device:
    from vectorplane.backends.engine.memif.device import MemifDevice

    if s["mode"] != "ethernet":
        raise ValueError(f"memif: mode {s['mode']} is not known, only ethernet")
    sizes = {key: s[key] for key in ("rx_queues", "tx_queues", "ring_size", "buffer_size")}
    return MemifDevice(s["socket"], s["id"], server=s["role"] == "server", secret=s["secret"], **sizes)


HOST_MAKERS: Mapping[str, Callable[[str, Settings], Device]] = MappingProxyType(
    {"tap": _tap, "af_packet": _af_packet, "memif": _memif}
)
"""By kind of device."""
