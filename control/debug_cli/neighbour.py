"""Neighbours: ``set ip neighbor``, ``set ip neighbor-config``, proxy ARP."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from vectorplane.backends.engine.neighbours import NeighbourLimit, StaticNeighbour
from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.words import Address, Words

if TYPE_CHECKING:
    from vectorplane.backends.engine.neighbours import Neighbours
    from vectorplane.backends.engine.neighbours6 import Neighbours6
    from vectorplane.control.debug_cli.cli import DebugCli

_MOST = 1 << 20
"""Most neighbours of one command."""


class _Asked:
    def __init__(self) -> None:
        self.add = True
        self.flush = self.static = self.no_fib_entry = False
        self.count = 1
        self.interface: int | None = None
        self.address: Address | None = None
        self.mac: bytes | None = None


def _parse(cli: DebugCli, words: Words) -> _Asked:
    asked = _Asked()
    while not words.done:
        if words.accept("delete", "del"):
            asked.add = False
        elif words.accept("add"):
            asked.add = True
        elif words.accept("flush"):
            asked.flush = True
        elif words.accept("static"):
            asked.static = True
        elif words.accept("no-fib-entry"):
            asked.no_fib_entry = True
        elif words.accept("count"):
            asked.count = words.take_number("expected count, got", 0, _MOST)
        elif not _who(cli, words, asked):
            break
    return asked


def _who(cli: DebugCli, words: Words, asked: _Asked) -> bool:
    """Interface, address and MAC in this order (for `flush` an interface is enough); False: that is not what comes."""
    at, found = words.at, cli.maybe_interface(words)
    if found is None:
        return False
    address, mac = words.maybe_address(), words.maybe_mac()
    if (address is None or mac is None) and not asked.flush:
        words.at = at
        return False
    asked.interface, asked.address, asked.mac = found.sw_if_index, address, mac
    return True


def set_ip_neighbor(cli: DebugCli, words: Words) -> str:
    """Enter or remove neighbours (``count``: each with the next address and MAC), or ``flush`` them."""
    asked = _parse(cli, words)
    engine = cli.engine
    if asked.flush:
        engine.neighbours.flush(asked.interface)
        engine.neighbours6.flush(asked.interface)
        return ""
    address, mac = asked.address, asked.mac
    missing = asked.interface is None or address is None or not int(address) or not mac or not any(mac)
    if missing or not words.done:
        raise words.unknown("specify interface, IP address and MAC:")
    assert address is not None and mac is not None and asked.interface is not None
    neighbours = engine.neighbours if isinstance(address, IPv4Address) else engine.neighbours6
    for n in range(asked.count):
        each = (int(address) + n) % (1 << address.max_prefixlen)
        if not asked.add:
            with suppress(KeyError):  # VPP does not mind when there is none
                neighbours.remove(asked.interface, each)
            continue
        made = ((int.from_bytes(mac, "big") + n) % (1 << 48)).to_bytes(6, "big")
        try:
            neighbours.add(asked.interface, each, made, static=asked.static, no_fib_entry=asked.no_fib_entry)
        except NeighbourLimit as error:
            raise CliError(str(error)) from None
        except StaticNeighbour:
            pass  # as in VPP: nothing changes, and nothing is said
    return ""


def set_neighbor_config(cli: DebugCli, words: Words) -> str:
    """Limit, age (seconds; 0: never old) and recycling of an address family."""
    neighbours: Neighbours | Neighbours6
    if words.accept("ip4"):
        neighbours = cli.engine.neighbours
    elif words.accept("ip6"):
        neighbours = cli.engine.neighbours6
    else:
        raise words.unknown("parse error")
    limit, age, recycle = neighbours.limit, neighbours.ageing.max_age, neighbours.recycle
    while not words.done:
        if words.accept("limit"):
            limit = words.take_number("parse error")
        elif words.accept("age"):
            age = words.take_number("parse error")
        elif words.accept("recycle"):
            recycle = True
        elif words.accept("norecycle"):
            recycle = False
        else:
            raise words.unknown("parse error")
    neighbours.configure(limit=limit, max_age=age, recycle=recycle)
    return ""


def probe_neighbor(cli: DebugCli, words: Words) -> str:
    """Send an ARP request or a neighbour solicitation."""
    interface = cli.interface(words)
    address = words.maybe_address()
    if address is None:
        raise words.unknown("expected an address, got")
    neighbours = cli.engine.neighbours if isinstance(address, IPv4Address) else cli.engine.neighbours6
    if not neighbours.probe(interface.sw_if_index, int(address)):
        raise CliError(f"interface {interface.name} is down or has no address to ask from")
    return ""


def set_proxy_arp(cli: DebugCli, words: Words) -> str:
    """A range of addresses that is answered for; ``del``: no longer."""
    delete, table = False, 0
    low = high = IPv4Address(0)
    while not words.done:
        if words.accept("table-id"):
            table = words.take_number("expected table id, got")
        elif words.accept("start"):
            low = _ip4(words)
        elif words.accept("end"):
            high = _ip4(words)
        elif words.accept("del", "delete"):
            delete = True
        else:
            raise words.unknown()
    if table not in cli.engine.tables:
        raise CliError(f"no such table: {table}")
    (cli.engine.proxy_arp.remove if delete else cli.engine.proxy_arp.add)(int(low), int(high), table)
    return ""


def _ip4(words: Words) -> IPv4Address:
    at = words.at
    address = words.maybe_address()
    if isinstance(address, IPv6Address) or address is None:
        words.at = at
        raise words.unknown("expected an IPv4 address, got")
    return address


def set_interface_proxy_arp(cli: DebugCli, words: Words) -> str:
    """Switch proxy ARP on or off on an interface."""
    interface, enable = None, None
    while not words.done:
        if words.accept("enable", "on"):
            enable = True
        elif words.accept("disable", "off"):
            enable = False
        elif (found := cli.maybe_interface(words)) is not None:
            interface = found.sw_if_index
        else:
            break
    if interface is None or enable is None:
        raise words.unknown()
    cli.engine.proxy_arp.enable(interface, enable)
    return ""


_NEIGHBOR = "[del] <intfc> <ip-address> <mac-address> [static] [no-fib-entry] [count <count>]"
COMMANDS = (
    Command("set ip neighbor", f"set ip neighbor {_NEIGHBOR}", set_ip_neighbor),
    Command("ip neighbor", f"ip neighbor {_NEIGHBOR}", set_ip_neighbor),
    Command(
        "set ip neighbor-config",
        "set ip neighbor-config ip4|ip6 [limit <limit>] [age <age>] [recycle|norecycle]",
        set_neighbor_config,
    ),
    Command("ip probe-neighbor", "ip probe-neighbor <interface> <ip-address>", probe_neighbor),
    Command(
        "set arp proxy", "set arp proxy [del] table-id <table-ID> start <start-address> end <end-addres>", set_proxy_arp
    ),
    Command("set interface proxy-arp", "set interface proxy-arp <intfc> [enable|disable]", set_interface_proxy_arp),
)
