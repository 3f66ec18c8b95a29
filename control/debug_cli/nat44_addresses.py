"""NAT44's pools and interfaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.backends.engine.nat44 import interfaces
from vectorplane.backends.engine.nat44.errors import Nat44Error, NoSuchEntry, Unspecified, ValueExists
from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.nat44_words import attempt, maybe_interface, maybe_ip4, need_words, unknown
from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.words import Words
from vectorplane.graph_nodes.nat44.tables import MOST_ADDRESSES

if TYPE_CHECKING:
    from vectorplane.control.debug_cli.cli import DebugCli

_COMPLAINTS: dict[type[Nat44Error], str] = {
    ValueExists: "NAT address already in use.",
    NoSuchEntry: "NAT address not exist.",
    Unspecified: "NAT address used in static mapping.",
}


def add_address(cli: DebugCli, words: Words) -> str:
    """Addresses join a pool, or leave it."""
    need_words(words)
    first = last = 0
    vrf: int | None = None
    twice = delete = False
    while not words.done:
        address = maybe_ip4(words)
        if address is not None:
            first = last = address
            if words.accept("-"):
                end = maybe_ip4(words)
                if end is None:
                    raise unknown(words)
                last = end
        elif words.accept("tenant-vrf"):
            vrf = words.take_number("unknown input")
        elif words.accept("twice-nat"):
            twice = True
        elif words.accept("del"):
            delete = True
        else:
            raise unknown(words)
    if last < first:
        raise CliError("end address less than start address")
    if last - first >= MOST_ADDRESSES:
        raise CliError(f"{last - first + 1} addresses: at most {MOST_ADDRESSES} are possible")
    pools = cli.engine.nat44.addresses
    if delete:
        attempt(_COMPLAINTS, pools.delete_range, first, last, twice)
    else:
        attempt(_COMPLAINTS, pools.add_range, first, last, vrf, twice)
    return ""


def show_addresses(cli: DebugCli, words: Words) -> str:
    """Both pools."""
    lines = []
    for twice, title in ((False, "NAT44 pool addresses:"), (True, "NAT44 twice-nat pool addresses:")):
        lines.append(title)
        for entry in cli.engine.nat44.addresses.pool(twice):
            lines.append(".".join(map(str, entry.address.to_bytes(4, "big"))))
            lines.append("  tenant VRF independent" if entry.vrf is None else f"  tenant VRF: {entry.vrf}")
            if entry.length is not None:
                lines.append("  synced with interface address")
    return "\n".join(lines)


def interface_address(cli: DebugCli, words: Words) -> str:
    """An interface's first address belongs to a pool."""
    need_words(words)
    index: int | None = None
    twice = delete = False
    while not words.done:
        found = maybe_interface(cli, words)
        if found is not None:
            index = found
        elif words.accept("twice-nat"):
            twice = True
        elif words.accept("del"):
            delete = True
        else:
            raise unknown(words)
    pools = cli.engine.nat44.addresses
    name = "DELETED" if index is None else cli.engine.interfaces[index].name
    try:
        if index is None:
            raise NoSuchEntry("no interface")
        (pools.delete_interface if delete else pools.add_interface)(index, twice)
    except Nat44Error:
        raise CliError(f"{'del' if delete else 'add'} {name} address failed") from None
    return ""


def show_interface_address(cli: DebugCli, words: Words) -> str:
    """Those interfaces."""
    lines = ["NAT44 pool address interfaces:"]
    for index, twice in cli.engine.nat44.addresses.interfaces:
        lines.append(f" {cli.engine.interfaces[index].name}{' twice-nat' if twice else ''}")
    return "\n".join(lines)


def set_interface(cli: DebugCli, words: Words) -> str:
    """What interfaces are."""
    need_words(words)
    inside: list[int] = []
    outside: list[int] = []
    output = delete = False
    while not words.done:
        at = words.at
        chosen = inside if words.accept("in") else outside if words.accept("out") else None
        if chosen is not None:
            found = maybe_interface(cli, words)
            if found is None:
                words.at = at
                raise unknown(words)
            chosen.append(found)
        elif words.accept("output-feature"):
            output = True
        elif words.accept("del"):
            delete = True
        else:
            raise unknown(words)
    roles = cli.engine.nat44.interfaces
    for indices, is_inside in ((inside, True), (outside, False)):
        for index in indices:
            try:
                if output:
                    (roles.delete_output if delete else roles.add_output)(index)
                else:
                    (roles.delete if delete else roles.add)(index, is_inside)
            except Nat44Error:
                name = cli.engine.interfaces[index].name
                raise CliError(f"{'del' if delete else 'add'} {name} failed") from None
    return ""


def show_interfaces(cli: DebugCli, words: Words) -> str:
    """What they are."""
    roles = cli.engine.nat44.interfaces
    texts = {interfaces.INSIDE: "in", interfaces.OUTSIDE: "out", interfaces.INSIDE | interfaces.OUTSIDE: "in out"}
    lines = ["NAT44 interfaces:"]
    lines += [f" {cli.engine.interfaces[i].name} {texts[role]}" for i, role in roles.roles.items()]
    lines += [f" {cli.engine.interfaces[i].name} output-feature in out" for i in roles.outputs]
    return "\n".join(lines)


COMMANDS = (
    Command(
        "nat44 add address",
        "nat44 add address <ip4-range-start> [- <ip4-range-end>] [tenant-vrf <vrf-id>] [twice-nat] [del]",
        add_address,
    ),
    Command("show nat44 addresses", "show nat44 addresses", show_addresses),
    Command(
        "nat44 add interface address", "nat44 add interface address <interface> [twice-nat] [del]", interface_address
    ),
    Command("show nat44 interface address", "show nat44 interface address", show_interface_address),
    Command("set interface nat44", "set interface nat44 in <intfc> out <intfc> [output-feature] [del]", set_interface),
    Command("show nat44 interfaces", "show nat44 interfaces", show_interfaces),
)
