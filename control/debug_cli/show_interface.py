"""``show interface``, ``show hardware-interfaces``, and clearing their counters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.l2_interface import l2_line
from vectorplane.control.debug_cli.show_graph import interface_features
from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.words import Words
from vectorplane.dataplane.interface import ADMIN_UP, LINK_UP
from vectorplane.dataplane.show import clear_interfaces
from vectorplane.dataplane.show import show_interface as interface_table
from vectorplane.dataplane.show.columns import centre
from vectorplane.graph_nodes.fib import Fibs

if TYPE_CHECKING:
    from vectorplane.backends.engine.interfaces import Interface
    from vectorplane.control.debug_cli.cli import DebugCli


def show_interface(cli: DebugCli, words: Words) -> str:
    """State and counters of all interfaces or of those that are named (or given by index); ``addr``: addresses."""
    addresses = tag = features = False
    chosen: list[Interface] = []
    while not words.done:
        if words.accept("address", "addr"):
            addresses = True
        elif words.accept("features", "feat"):
            features = True
        elif words.accept("tag"):
            tag = True
        elif words.accept("verbose"):
            pass
        elif (found := cli.maybe_interface(words)) is not None:
            chosen.append(found)
        else:
            chosen.append(_by_index(cli, words))
    if (tag or features) and not chosen:
        raise CliError("Interface not specified...")
    if features:
        return interface_features(cli, Words(chosen[-1].name))
    if tag:
        return f"{chosen[-1].name}: {chosen[-1].tag or '(none)'}"
    if addresses:
        return "\n".join(_addresses(cli, i) for i in chosen or _by_name(cli))
    plane = cli.engine.plane
    if not chosen:
        return interface_table(plane)
    tables = [interface_table(plane, i.name).partition("\n") for i in chosen]
    return f"{tables[0][0]}\n" + "".join(rows for _, _, rows in tables)


def _by_index(cli: DebugCli, words: Words) -> Interface:
    number = words.maybe_number()
    if number is None:
        raise words.unknown()
    if number not in cli.engine.interfaces.by_index:
        raise CliError(f"unknown interface index `{number}'")
    return cli.engine.interfaces[number]


def _by_name(cli: DebugCli) -> list[Interface]:
    return sorted(cli.engine.interfaces.by_index.values(), key=lambda i: i.name)


def _addresses(cli: DebugCli, interface: Interface) -> str:
    engine, index = cli.engine, interface.sw_if_index
    state = "up" if engine.interfaces.is_up(index) else "dn"
    lines = [f"{interface.name} ({state}):"]
    if interface.unnumbered is not None:
        lines = [f"{interface.name} ({state}): ", f"  unnumbered, use {cli.name_of(interface.unnumbered)}"]
    lines += l2_line(cli, index)
    fib = int(engine.interfaces.record(index)["ip4_table"])
    table = engine.plane.shared(Fibs).id_of(fib)
    where = f" ip4 table-id {table} fib-idx {fib}" if table else ""
    lines += [f"  L3 {address}{where}" for address in engine.addresses.of(index)]
    table = engine.addresses6.table_of(index)
    where = f" ip6 table-id {table} fib-idx {engine.addresses6.fib_of(index)}" if table else ""
    return "\n".join(lines + [f"  L3 {address}{where}" for address in engine.addresses6.of(index)])


def show_hardware(cli: DebugCli, words: Words) -> str:
    """Link, device and MAC address of what is no sub-interface."""
    brief, chosen = False, []
    while not words.done:
        if words.accept("verbose", "detail"):
            brief = False
        elif words.accept("brief", "bond"):
            brief = True
        elif (found := cli.maybe_interface(words)) is not None:
            chosen.append(found)
        else:
            chosen.append(_by_index(cli, words))
    lines = [centre("Name", 32) + centre("Idx", 6) + centre("Link", 8) + "Hardware"]
    for interface in chosen or _by_name(cli):
        if not interface.is_sub:
            lines += _hardware(cli, interface, brief)
    return "\n".join(lines)


def _hardware(cli: DebugCli, interface: Interface, brief: bool) -> list[str]:
    record = cli.engine.interfaces.record(interface.sw_if_index)
    link = "up" if int(record["flags"]) & (LINK_UP | ADMIN_UP) == LINK_UP | ADMIN_UP else "down"
    head = f"{interface.name:<32}{centre(interface.sw_if_index, 6)}{centre(link, 8)}{interface.name}"
    lines = [head, "  Link speed: unknown"]
    if brief:
        return lines
    if interface.device.ethernet:
        return [*lines, f"  Ethernet address {interface.mac.hex(':')}"]
    return [*lines, f"  {'local' if interface.sw_if_index == 0 else 'IP'}"]


def clear_interface_counters(cli: DebugCli, words: Words) -> str:
    """Set the counters of all interfaces to zero."""
    clear_interfaces(cli.engine.plane)
    return ""


def clear_hardware(cli: DebugCli, words: Words) -> str:
    """The devices count nothing that `clear interfaces` does not."""
    while not words.done:
        if cli.maybe_interface(words) is None:
            _by_index(cli, words)
    return ""


COMMANDS = (
    Command(
        "show interface", "show interface [address|addr|features|feat|tag] [<interface> ...] [verbose]", show_interface
    ),
    Command(
        "show hardware-interfaces", "show hardware-interfaces [brief|verbose|detail] [<interface> ...]", show_hardware
    ),
    Command("clear interfaces", "clear interfaces", clear_interface_counters),
    Command("clear hardware-interfaces", "clear hardware-interfaces [<interface> ...]", clear_hardware),
)
