"""The host's end of a tap: address, MTU, bridge and routes of the Linux interface, set by netlink (pyroute2)."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface


@dataclass(frozen=True)
class HostLink:
    """What the host's interface is to be; None: as the kernel makes it. It is brought up in any case."""

    name: str
    namespace: str | None = None
    mac: bytes | None = None
    mtu: int | None = None
    addresses: tuple[IPv4Interface | IPv6Interface, ...] = ()
    gateways: tuple[IPv4Address | IPv6Address, ...] = ()
    bridge: str | None = None


def configure(link: HostLink) -> bytes:
    """Make it so, and give the interface's MAC address; to be called inside its namespace.

    Raises:
        OSError: the kernel refuses something; the message says what.
    """
    from pyroute2 import IPRoute
    from pyroute2.netlink.exceptions import NetlinkError

    with IPRoute() as netlink:
        found = netlink.link_lookup(ifname=link.name)
        if not found:
            raise OSError(f"host interface {link.name} is gone")
        index = found[0]
        step = "bring it up"
        try:
            if link.mac is not None:
                step = f"give it the MAC address {link.mac.hex(':')}"
                netlink.link("set", index=index, address=link.mac.hex(":"))
            if link.mtu is not None:
                step = f"give it the MTU {link.mtu}"
                netlink.link("set", index=index, mtu=link.mtu)
            if link.bridge is not None:
                step = f"join the bridge {link.bridge}"
                bridges = netlink.link_lookup(ifname=link.bridge)
                if not bridges:
                    raise OSError(f"host interface {link.name}: cannot {step}: there is no such interface")
                netlink.link("set", index=index, master=bridges[0])
            step = "bring it up"
            netlink.link("set", index=index, state="up")
            for address in link.addresses:
                step = f"give it the address {address}"
                netlink.addr("replace", index=index, address=str(address.ip), prefixlen=address.network.prefixlen)
            for gateway in link.gateways:
                step = f"route by {gateway}"
                default = "0.0.0.0/0" if gateway.version == 4 else "::/0"
                netlink.route("replace", dst=default, gateway=str(gateway), oif=index)
            step = "ask for its MAC address"
            return bytes.fromhex(netlink.get_links(index)[0].get_attr("IFLA_ADDRESS").replace(":", ""))
        except NetlinkError as error:
            raise OSError(error.code, f"host interface {link.name}: cannot {step}: {error.args[1]}") from None
