"""``set interface ...``: state, addresses, MAC, MTU, unnumbered, promiscuous."""

from __future__ import annotations

from ipaddress import IPv4Interface
from typing import TYPE_CHECKING

from vectorplane.backends.engine.addresses import AddressConflict, DuplicateAddress
from vectorplane.backends.engine.interfaces import MTU_IP4, MTU_IP6, MTU_L3, MTU_MPLS, SuperInterfaceState
from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.words import Prefix, Words

if TYPE_CHECKING:
    from vectorplane.control.debug_cli.cli import DebugCli

_MTUS = {"packet": MTU_L3, "ip4": MTU_IP4, "ip6": MTU_IP6, "mpls": MTU_MPLS}
_MAX_MTU = 65535


def set_state(cli: DebugCli, words: Words) -> str:
    """Up or down."""
    interface = cli.interface(words)
    if words.accept("up", "enable"):
        up = True
    elif words.accept("down", "disable"):
        up = False
    else:
        raise words.unknown("unknown flags")
    try:
        cli.engine.interfaces.set_state(interface.sw_if_index, up)
    except SuperInterfaceState as error:
        raise CliError(str(error)) from None
    return ""


def set_ip_address(cli: DebugCli, words: Words) -> str:
    """Add or remove an address, or remove ``all``."""
    delete = words.accept("del")
    interface = cli.interface(words)
    index, engine = interface.sw_if_index, cli.engine
    if delete and words.accept("all"):
        engine.addresses.remove_all(index)
        engine.addresses6.remove_all(index)
        return ""
    prefix = words.maybe_prefix()
    if prefix is None:
        raise words.unknown("expected IP4/IP6 address/length")
    addresses = engine.addresses if isinstance(prefix, IPv4Interface) else engine.addresses6
    try:
        if delete:
            addresses.remove(index, str(prefix))
        else:
            addresses.add(index, str(prefix))
    except KeyError:
        raise CliError(f"{prefix} not found for interface {interface.name}") from None
    except DuplicateAddress:
        name = interface.name
        raise CliError(f"failed to add {prefix} on {name} which conflicts with {prefix} for interface {name}") from None
    except AddressConflict as error:
        raise CliError(_conflict(prefix, interface.name, str(error))) from None
    return ""


def _conflict(prefix: Prefix, name: str, text: str) -> str:
    other, _, owner = text.partition(" conflicts with ")[2].partition(" of ")
    if not owner:
        return text
    return f"failed to add {prefix} on {name} which conflicts with {other} for interface {owner}"


def set_mac_address(cli: DebugCli, words: Words) -> str:
    """Change the MAC address."""
    interface = cli.interface(words)
    mac = words.take_mac()
    cli.engine.interfaces.set_mac(interface.sw_if_index, mac)
    return ""


def set_mtu(cli: DebugCli, words: Words) -> str:
    """The MTU of the device, or (``packet``, ``ip4``, ``ip6``, ``mpls``) that of a protocol."""
    kind = words.take() if words.peek() in _MTUS else None
    mtu = words.take_number("unknown input", 0, _MAX_MTU)
    index = cli.interface(words, "unknown input").sw_if_index
    if kind is None:
        cli.engine.interfaces.set_link_mtu(index, mtu)
    else:
        mtus = [0, 0, 0, 0]  # VPP: the others are forgotten
        mtus[_MTUS[kind]] = mtu
        cli.engine.interfaces.set_mtus(index, mtus)
    return ""


def set_unnumbered(cli: DebugCli, words: Words) -> str:
    """Use another interface's addresses, or no longer."""
    if words.accept("del"):
        cli.engine.addresses.set_unnumbered(cli.interface(words, "parse error").sw_if_index, None)
        return ""
    borrower = cli.interface(words, "parse error")
    if not words.accept("use"):
        raise words.unknown("parse error")
    lender = cli.interface(words, "parse error")
    try:
        cli.engine.addresses.set_unnumbered(borrower.sw_if_index, lender.sw_if_index)
    except ValueError:
        raise CliError("When enabling unnumbered both interfaces must be in the same tables") from None
    return ""


def set_promiscuous(cli: DebugCli, words: Words) -> str:
    """Take frames for all addresses, or not."""
    if not words.accept("on") and words.peek() != "off":
        raise words.unknown()
    on = not words.accept("off")
    cli.engine.interfaces.set_promiscuous(cli.interface(words, "unknown input").sw_if_index, on)
    return ""


COMMANDS = (
    Command("set interface state", "set interface state <interface> [up|down|enable]", set_state),
    Command(
        "set interface ip address", "set interface ip address [del] <interface> <ip-addr>/<mask> | all", set_ip_address
    ),
    Command("set interface mac address", "set interface mac address <interface> <mac-address>", set_mac_address),
    Command("set interface mtu", "set interface mtu [packet|ip4|ip6|mpls] <value> <interface>", set_mtu),
    Command(
        "set interface unnumbered",
        "set interface unnumbered [<interface> use <interface> | del <interface>]",
        set_unnumbered,
    ),
    Command("set interface promiscuous", "set interface promiscuous [on|off] <interface>", set_promiscuous),
)
