"""What an interface is attached to, as the configuration says it: ``device: {type: capture, rx: [...]}``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

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
    ``checksum_offload`` the host leaves TCP and UDP checksums to us, with ``gso`` the cutting of TCP, too: then every
    interface must be a tap that takes such packets.
    """

    type: Literal["tap"]
    queues: Annotated[int, Field(ge=1, le=64)] = 1
    checksum_offload: bool = False
    gso: bool = False
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
    to its cards are made here, without it frames are taken as they are. ``gso``: TCP that is to be cut stays whole;
    then every interface must take it. ``qdisc_bypass``: what is sent does not queue in the host.
    """

    type: Literal["af_packet"]
    host: Annotated[HostInterface, BeforeValidator(_named)] = Field(default_factory=HostInterface)
    queues: Annotated[int, Field(ge=1, le=64)] = 1
    checksum_offload: bool = True
    gso: bool = False
    qdisc_bypass: bool = True


class DpdkSettings(Model):
    """A real network card by its PCI address, driven by DPDK.

    ``queues``: receive queues (default: one for each worker). ``rx_ring``, ``tx_ring``: descriptors of a queue.
    """

    type: Literal["dpdk"]
    pci: PciAddress
    queues: Annotated[int, Field(ge=1, le=64)] | None = None
    rx_ring: Ring = 1024
    tx_ring: Ring = 1024


def _short(value: Any) -> Any:
    if isinstance(value, str):
        return {"type": value}
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
