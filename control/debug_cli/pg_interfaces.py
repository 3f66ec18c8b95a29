"""Interfaces of the packet generator: ``pgN``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.words import Words

if TYPE_CHECKING:
    from vectorplane.control.debug_cli.cli import DebugCli

_PG = re.compile(r"pg([0-9]{1,9})")


def interface_number(words: Words, complaint: str) -> int:
    """The N of ``pgN``."""
    found = _PG.fullmatch(words.peek())
    if found is None:
        raise words.unknown(complaint)
    words.take()
    return int(found[1])


def create_interface(cli: DebugCli, words: Words) -> str:
    """The interface ``pgN``, unless it is there."""
    number, mode = None, "ethernet"
    options: dict[str, Any] = {}
    while not words.done:
        if words.accept("gso-enabled"):
            if not words.accept("gso-size"):
                raise CliError("gso enabled but gso size missing")
            options["gso_size"] = words.take_number("expected size, got", 0, 65535)
        elif words.accept("csum-offload-enabled"):
            options["checksum_offload"] = True
        elif words.accept("hw-addr"):
            options["mac"] = words.take_mac()
        elif words.accept("mode"):
            if words.peek() not in ("ethernet", "ip4", "ip6"):
                raise words.unknown()
            mode = words.take()
        else:
            number = interface_number(words, "unknown input")
    if number is None:
        raise CliError("interface name not given")
    cli.engine.pg.create_interface(number, mode, **options)
    return ""


def delete_interface(cli: DebugCli, words: Words) -> str:
    """Remove an interface ``pgN``."""
    index = _chosen(cli, words)
    try:
        cli.engine.pg.delete_interface(index)
    except KeyError:
        raise CliError("not a pg interface") from None
    return ""


def _chosen(cli: DebugCli, words: Words) -> int:
    if words.done:
        raise CliError("please specify interface name or sw_if_index")
    if not words.accept("sw_if_index"):
        return cli.interface(words, "unknown input").sw_if_index
    number = words.take_number("unknown input")
    if number not in cli.engine.interfaces.by_index:
        raise CliError("not a pg interface")
    return number


def show_interface(cli: DebugCli, words: Words) -> str:
    """Mode and offloads of an interface ``pgN``."""
    interface = cli.engine.interfaces[_chosen(cli, words)]
    try:
        device = cli.engine.pg.device(interface.sw_if_index)
    except KeyError:
        raise CliError("not a pg interface") from None
    lines = [f"Interface: {interface.name}", f"  id: {interface.name.removeprefix('pg')}", f"  mode: {device.mode}"]
    lines += [f"  hw-addr: {interface.mac.hex(':')}"] if device.ethernet else []
    lines += [f"  csum_offload_enabled: {int(device.offloads != 0)}", f"  gso_enabled: {int(device.gso_size > 0)}"]
    lines += [f"    gso_size: {device.gso_size}"] if device.gso_size else []
    return "\n".join([*lines, "  coalesce_enabled: 0"])


COMMANDS = (
    Command(
        "show packet-generator interface",
        "show packet-generator interface {<interface name> | sw_if_index <sw_idx>}",
        show_interface,
    ),
    Command(
        "create packet-generator interface",
        "create packet-generator interface <interface name> [hw-addr <addr>] [gso-enabled gso-size <size>] "
        "[csum-offload-enabled] [mode <ethernet | ip4 | ip6>]",
        create_interface,
    ),
    Command(
        "delete packet-generator interface",
        "delete packet-generator interface {<interface name> | sw_if_index <sw_idx>}",
        delete_interface,
    ),
)
