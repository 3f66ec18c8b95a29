"""The kinds of devices that an interface can have, and the settings of each: what is in `Interface.options`.

Options are canonical: sorted by name, what has its default left out (`options`). Lists are tuples. Every kind takes
``promiscuous``. Which kinds a backend can make, and what it makes of those that it does not know, is its own business.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address
from types import MappingProxyType
from typing import TYPE_CHECKING

from vectorplane.backends.base import BackendError

if TYPE_CHECKING:
    from vectorplane.backends.items import Interface

Options = tuple[tuple[str, object], ...]

COMMON: Mapping[str, object] = MappingProxyType({"promiscuous": False})
DEVICES: Mapping[str, Mapping[str, object]] = MappingProxyType(
    {
        "loopback": {},
        "null": {},
        "pg": {},
        # rx: paths of captures; tx: file for the output; strict: damage ends the run; loops: times that rx is played
        "capture": {"rx": (), "tx": None, "strict": False, "loops": 1},
        # line_rate in bits a second; service in ns; tap: a path; link: (name of the peer, latency in ns)
        "sim": {
            "queues": 1,
            "rx_ring": 1024,
            "tx_ring": 1024,
            "line_rate": None,
            "service": 0,
            "checksum_offload": True,
            "trust_checksums": False,
            "tap": None,
            "link": None,
        },
        # host_...: the end on the host; host_name None: as the interface; addresses as text, with prefix lengths
        "tap": {
            "queues": 1,
            "checksum_offload": False,
            "gso": False,
            "gro": False,
            "host_name": None,
            "host_namespace": None,
            "host_mac": None,
            "host_mtu": None,
            "host_addresses": (),
            "host_gateways": (),
            "host_bridge": None,
        },
        # socket: a path or abstract:NAME; role: server or client; queues, rings and buffers are the client's to choose
        "memif": {
            "socket": None,
            "id": 0,
            "role": "server",
            "mode": "ethernet",
            "secret": "",
            "rx_queues": 1,
            "tx_queues": 1,
            "ring_size": 1024,
            "buffer_size": 2048,
        },
        # pci: the card's place on the bus, or vdev: a virtual device of DPDK with its parameters; mtu None: the
        # driver's. For a VPP only pci, and all is set in its start-up configuration
        "dpdk": {
            "pci": None,
            "vdev": None,
            "queues": None,
            "rx_ring": 1024,
            "tx_ring": 1024,
            "mtu": None,
            "zero_copy": True,
        },
        # host_name None: as the interface, without VPP's "host-" in front
        "af_packet": {
            "queues": 1,
            "checksum_offload": True,
            "gso": False,
            "qdisc_bypass": True,
            "host_name": None,
            "host_namespace": None,
        },
        # tunnels: src and dst are their ends in the table, which is one of IP of the same version
        "vxlan": {
            "src": None,
            "dst": None,
            "vni": None,
            "src_port": 4789,
            "dst_port": 4789,
            "table": 0,
            "multicast_interface": None,
            "l3": False,
            "instance": None,
        },
        "geneve": {"src": None, "dst": None, "vni": None, "table": 0, "multicast_interface": None, "l3": False},
        # kind: l3, teb or erspan; key 0: none; session: of erspan
        "gre": {"src": None, "dst": None, "kind": "l3", "key": 0, "session": 0, "table": 0},
        "ipip": {"src": None, "dst": None, "table": 0},
        "bvi": {},
    }
)
"""By kind of device: its settings and their defaults."""
TUNNELS = ("vxlan", "geneve", "gre", "ipip")
"""Kinds of devices that are tunnels."""
_NEEDED = ("src", "dst", "vni")
"""Settings of tunnels that have no default."""


def is_host_name(name: str) -> bool:
    """May an interface of Linux have this name (``dev_valid_name`` of the kernel)?"""
    return 1 <= len(name.encode()) <= 15 and name not in (".", "..") and not any(c in "/:" or c.isspace() for c in name)


def host_of(name: str) -> str:
    """The interface of the host that an af_packet interface is named for: VPP's ``host-eth0`` is for ``eth0``."""
    return name.removeprefix("host-")


def defaults(device: str) -> dict[str, object]:
    """All settings of a kind of device, with their defaults.

    Raises:
        BackendError: there is no such kind.
    """
    if device not in DEVICES:
        raise BackendError(f"there is no device {device}; known: {', '.join(DEVICES)}")
    return {**COMMON, **DEVICES[device]}


def options(device: str, **given: object) -> Options:
    """Settings in their canonical form. Raises `BackendError`: no such device, or it has no such setting."""
    usual = defaults(device)
    for name in given:
        if name not in usual:
            raise BackendError(f"a {device} device has no {name}; known: {', '.join(sorted(usual))}")
    return tuple(sorted((k, v) for k, v in given.items() if v != usual[k]))


def settings(item: Interface) -> dict[str, object]:
    """All settings of an interface's device, those left out with their defaults.

    Raises:
        BackendError: as `options`; a tunnel lacks an end or its VNI, or its ends are the same or do not fit together; a
            memif lacks its socket.
    """
    given = dict(item.options)
    options(item.device, **given)
    made = {**defaults(item.device), **given}
    if item.device in TUNNELS:
        _check_ends(item.device, made)
    if item.device == "memif" and not made["socket"]:
        raise BackendError(f"interface {item.name}: a memif device needs socket")
    return made


def _check_ends(device: str, made: Mapping[str, object]) -> None:
    for name in _NEEDED:
        if name in made and made[name] is None:
            raise BackendError(f"a {device} device needs {name}")
    for name in ("src", "dst"):
        if not isinstance(made[name], IPv4Address | IPv6Address):
            raise BackendError(f"a {device} device needs an address as {name}, not {made[name]!r}")
    if type(made["src"]) is not type(made["dst"]):
        raise BackendError(f"a tunnel cannot lead from {made['src']} to {made['dst']}: they differ in their IP version")
    if made["src"] == made["dst"]:
        raise BackendError(f"a tunnel cannot lead from {made['src']} to itself")
