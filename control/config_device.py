"""What an interface is attached to, as the configuration says it: ``device: {type: capture, rx: [...]}``."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from vectorplane.backends.devices import is_host_name
from vectorplane.control.config_tunnel import GeneveSettings, GreSettings, IpipSettings, VxlanSettings
from vectorplane.control.config_types import (
    Address,
    InterfaceAddress,
    InterfaceName,
    Model,
    PciAddress,
    StationMac,
    as_list,
)
from vectorplane.control.config_units import Duration, Rate

Ring = Annotated[int, Field(ge=1, le=65536)]


def _power_of_two(value: int) -> int:
    if value & (value - 1):
        raise ValueError("should be a power of two")
    return value


def _vdev(value: str) -> str:
    name = value.partition(",")[0]
    if not re.fullmatch(r"net_[a-z]\w{0,55}", name):
        raise ValueError(f"expected a virtual device of DPDK such as net_null0 or net_pcap0,rx_pcap=FILE, got {name!r}")
    return value


Vdev = Annotated[str, AfterValidator(_vdev)]


class CaptureSettings(Model):
    """Capture files as a port: ``rx`` is replayed into the interface, what it sends is written to ``tx``.

    ``rx`` is relative to the configuration's folder, ``tx`` to the output folder. Without ``rx`` the interface
    takes what the command line gives it; without ``tx`` its output is ``NAME.pcap``.
    """

    type: Literal["capture"] = "capture"
    rx: Annotated[list[str], BeforeValidator(as_list)] = Field(default_factory=list)
    tx: str | None = None


class LinkSettings(Model):
    """A cable to another simulated port of the same engine."""

    peer: InterfaceName
    latency: Annotated[Duration, Field(gt=0)] = 1000


class SimSettings(Model):
    """A simulated network card: bounded rings, receive-side scaling over its queues, a line rate.

    ``service`` is the time that the host needs for a packet of a queue before it takes the next one: what makes a
    receive ring fill up. ``trust_checksums``: TCP and UDP checksums of what arrives count as right, as those of a
    capture that was taken before a card had filled them in. ``tap`` records all that arrives and departs, relative to
    the output folder. Without a ``link`` nothing arrives, and what departs is gone.
    """

    type: Literal["sim"]
    queues: Annotated[int, Field(ge=1, le=64)] = 1
    rx_ring: Ring = 1024
    tx_ring: Ring = 1024
    line_rate: Annotated[Rate, Field(le=10**13)] | None = None
    service: Duration = 0
    checksum_offload: bool = True
    trust_checksums: bool = False
    tap: str | None = None
    link: LinkSettings | None = None


class PgSettings(Model):
    """A packet-generator interface; its streams are given by a program."""

    type: Literal["pg"]


class NullSettings(Model):
    """Nothing arrives, and what is sent is gone."""

    type: Literal["null"]


class LoopbackSettings(Model):
    """No device: what is sent to it comes back in; it holds addresses of the router itself."""

    type: Literal["loopback"]


class BviSettings(Model):
    """A bridge domain's own interface: what is bridged to its MAC address is routed, what is routed to it bridged."""

    type: Literal["bvi"]


def _host_name(value: str) -> str:
    if not is_host_name(value):
        raise ValueError(f"expected a name that an interface of Linux can have, got {value!r}")
    return value


class HostSettings(Model):
    """A tap's end on the host: an interface of Linux, in a network namespace (default: the one that we are in)."""

    name: Annotated[str, AfterValidator(_host_name)] | None = None
    namespace: str | None = None
    mac: StationMac | None = None
    mtu: Annotated[int, Field(ge=68, le=65535)] | None = None
    addresses: Annotated[list[InterfaceAddress], BeforeValidator(as_list)] = Field(default_factory=list)
    gateways: Annotated[list[Address], BeforeValidator(as_list)] = Field(default_factory=list)
    bridge: str | None = None


class TapSettings(Model):
    """A tap: what it sends an interface of the host receives, and the other way round. Needs root, and real time.

    ``host``: the other end (its name is by default the interface's). ``queues``: of each direction. With
    ``checksum_offload`` the host leaves TCP and UDP checksums to us, with ``gso`` the cutting of TCP, too (IPv4):
    it leaves uncut by another such tap, and is cut before it leaves by any other interface. With ``gro`` besides, what
    came cut is put together for the host.
    """

    type: Literal["tap"]
    queues: Annotated[int, Field(ge=1, le=64)] = 1
    checksum_offload: bool = False
    gso: bool = False
    gro: bool = False
    host: HostSettings = Field(default_factory=HostSettings)


class HostInterface(Model):
    """An interface of the host by its name, in a network namespace (default: the one that we are in)."""

    name: Annotated[str, AfterValidator(_host_name)] | None = None
    namespace: str | None = None


def _named(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


class AfPacketSettings(Model):
    """An interface of the host (by packet sockets): what it receives we receive, what we send it sends. Needs root.

    ``host``: its name, or name and namespace; by default it is the one that VPP would name so (``host-eth0``: eth0).
    ``queues``: the host spreads flows over them. With ``checksum_offload`` checksums and segments that the host leaves
    to its cards are made here, without it frames are taken as they are. ``gso``: TCP that is to be cut stays whole, as
    with taps. ``qdisc_bypass``: what is sent does not queue in the host.
    """

    type: Literal["af_packet"]
    host: Annotated[HostInterface, BeforeValidator(_named)] = Field(default_factory=HostInterface)
    queues: Annotated[int, Field(ge=1, le=64)] = 1
    checksum_offload: bool = True
    gso: bool = False
    qdisc_bypass: bool = True


class MemifSettings(Model):
    """Packets to another process through shared memory (memif 2.0): a VPP, DPDK's net_memif, another vectorplane.

    ``socket`` is relative to the configuration's folder; ``abstract:NAME`` is one in the host's abstract namespace. A
    ``server`` listens, and several may share a socket if their ids differ; a ``client`` connects, and chooses how many
    queues there are, their ``ring_size`` and ``buffer_size``. A server with a ``secret`` wants it of its client.
    """

    type: Literal["memif"]
    socket: Annotated[str, Field(min_length=1, max_length=107)]
    id: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0
    role: Literal["server", "client"] = "server"
    mode: Literal["ethernet"] = "ethernet"
    secret: Annotated[str, Field(max_length=23)] = ""
    rx_queues: Annotated[int, Field(ge=1, le=64)] = 1
    tx_queues: Annotated[int, Field(ge=1, le=64)] = 1
    ring_size: Annotated[int, AfterValidator(_power_of_two), Field(ge=2, le=16384)] = 1024
    buffer_size: Annotated[int, Field(ge=64, le=65535)] = 2048


class DpdkSettings(Model):
    """A port driven by DPDK: a real card by its PCI address, or one of DPDK's virtual devices with its parameters.

    ``device: {dpdk: "0000:3b:00.0"}`` and ``device: {dpdk: "net_pcap0,rx_pcap=in.pcap"}`` are short for ``{type: dpdk,
    pci: ...}`` and ``vdev: ...``. ``queues``: receive queues (default: one for each worker). ``rx_ring``, ``tx_ring``:
    descriptors of a queue. ``mtu``: the card's (default: the driver's). ``zero_copy: false`` copies each packet into
    the engine's buffers and out of them. A VPP takes cards only. Files are named as DPDK sees them, from the folder in
    which vectorplane was started.
    """

    type: Literal["dpdk"]
    pci: PciAddress | None
    vdev: Vdev | None = None
    queues: Annotated[int, Field(ge=1, le=64)] | None = None
    rx_ring: Ring = 1024
    tx_ring: Ring = 1024
    mtu: Annotated[int, Field(ge=68, le=65535)] | None = None
    zero_copy: bool = True

    @model_validator(mode="before")
    @classmethod
    def _one_name(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("vdev") is not None:
            if value.get("pci") is not None:
                raise ValueError("a port is a card or a virtual device: leave out pci or vdev")
            return {**value, "pci": None}
        if isinstance(value, dict) and "pci" in value and value["pci"] is None:
            return {k: v for k, v in value.items() if k != "pci"}
        return value


def _short(value: Any) -> Any:
    if isinstance(value, str):
        return {"type": value}
    if isinstance(value, dict) and "type" not in value and isinstance(value.get("dpdk"), str):
        kind = "vdev" if value["dpdk"].startswith("net_") else "pci"
        return {"type": "dpdk", kind: value["dpdk"], **{k: v for k, v in value.items() if k != "dpdk"}}
    if isinstance(value, dict) and "type" not in value and value.keys() <= CaptureSettings.model_fields.keys():
        return {"type": "capture", **value}
    return value


DeviceSettings = Annotated[
    Annotated[
        CaptureSettings
        | SimSettings
        | PgSettings
        | NullSettings
        | LoopbackSettings
        | TapSettings
        | MemifSettings
        | AfPacketSettings
        | DpdkSettings
        | BviSettings
        | VxlanSettings
        | GeneveSettings
        | GreSettings
        | IpipSettings,
        Field(discriminator="type"),
    ],
    BeforeValidator(_short),
]
"""One of the kinds by its ``type`` (default: capture); ``device: pg`` is short for ``device: {type: pg}``."""
