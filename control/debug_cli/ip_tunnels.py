"""GRE and IPIP tunnels."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any

from vectorplane.backends.engine.tunnels.ip_tunnels import (
    COPY_DF,
    COPY_DSCP,
    COPY_ECN,
    COPY_TTL,
    DECAP_COPY_ECN,
    SET_DF,
)
from vectorplane.backends.engine.tunnels.tunnel import InstanceInUse, TunnelExists
from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.tunnel_ends import take_end
from vectorplane.control.debug_cli.words import Words

if TYPE_CHECKING:
    from vectorplane.backends.engine.tunnels.gre import GreTunnel
    from vectorplane.backends.engine.tunnels.ipip import IpipTunnel
    from vectorplane.control.debug_cli.cli import DebugCli

_FLAGS = {
    "encap-copy-df": COPY_DF,
    "encap-set-df": SET_DF,
    "encap-copy-dscp": COPY_DSCP,
    "encap-copy-ecn": COPY_ECN,
    "decap-copy-ecn": DECAP_COPY_ECN,
    "encap-copy-hop-limit": COPY_TTL,
}
_DSCP = {
    **{8 * n: f"CS{n}" for n in range(7)},
    **{8 * n + 2 * k: f"AF{n}{k}" for n in range(1, 5) for k in range(1, 4)},
    46: "EF",
    50: "CS7",
}
"""VPP's names (its CS7 is 50)."""


def _flag(words: Words) -> int:
    if words.peek() not in _FLAGS:
        raise words.unknown()
    return _FLAGS[words.take()]


def _ends(ends: dict[str, IPv4Address]) -> tuple[IPv4Address, IPv4Address]:
    if ends.get("src") == ends.get("dst"):
        raise CliError("src and dst are identical")
    if "dst" not in ends:
        raise CliError("destination address not specified")
    if "src" not in ends:
        raise CliError("source address not specified")
    return ends["src"], ends["dst"]


def create_gre(cli: DebugCli, words: Words) -> str:
    """A GRE tunnel, whose interface's name is printed; ``del``: remove it."""
    ends: dict[str, IPv4Address] = {}
    options: dict[str, Any] = {}
    add, flags = True, 0
    while not words.done:
        if words.accept("del"):
            add = False
        elif words.peek() in ("src", "dst"):
            name = words.take()
            ends[name] = take_end(words)
        elif words.accept("instance"):
            options["instance"] = words.take_number("unknown input")
        elif words.accept("outer-table-id"):
            options["table"] = words.take_number("unknown input")
        elif words.accept("teb"):
            options["kind"] = "teb"
        elif words.accept("erspan"):
            options["kind"], options["session"] = "erspan", words.take_number("unknown input")
        elif words.accept("flags"):
            flags |= _flag(words)
        elif words.accept("key"):
            options["key"] = words.take_number("unknown input")
        else:
            raise words.unknown()
    src, dst = _ends(ends)
    _check_table(cli, options)
    if options.get("session", 0) > 1023:
        raise CliError(f"session ID {options['session']} out of range\n")
    if not add:
        known = {k: v for k, v in options.items() if k != "instance"}
        try:
            cli.engine.gre.remove(src, dst, **known)
        except KeyError:
            raise CliError("GRE tunnel doesn't exist") from None
        return ""
    try:
        return cli.name_of(cli.engine.gre.add(src, dst, flags=flags, **options).sw_if_index)
    except TunnelExists:
        raise CliError("GRE tunnel already exists...") from None
    except InstanceInUse:
        raise CliError("Instance is in use") from None


def _check_table(cli: DebugCli, options: dict[str, Any]) -> None:
    if options.get("table", 0) not in cli.engine.tables.ids():
        raise CliError(f"outer table ID {options['table']} doesn't exist\n")


def show_gre(cli: DebugCli, words: Words) -> str:
    """All GRE tunnels, or one by number."""
    if not cli.engine.gre.by_index:
        return "No GRE tunnels configured..."
    number = words.maybe_number()
    tunnels = sorted(cli.engine.gre.by_index.values(), key=lambda t: t.slot)
    return "\n".join(_gre(cli, t) for t in tunnels if number in (None, t.slot))


def _gre(cli: DebugCli, tunnel: GreTunnel) -> str:
    fib = cli.engine.routes.control.fib_index(tunnel.table)
    line = (
        f"[{tunnel.slot}] instance {tunnel.instance} src {tunnel.src} dst {tunnel.dst} fib-idx {fib} "
        f"sw-if-idx {tunnel.sw_if_index} payload {tunnel.carries.upper()} point-to-point "
    )
    line += f"key {tunnel.gre_key} " if tunnel.gre_key else ""
    line += f"session {tunnel.session} " if tunnel.carries == "erspan" else ""
    if tunnel.ethernet:
        adjacency = next((a.index for a in cli.engine.routes.adjacencies.of_interface(tunnel.sw_if_index)), -1)
        line += f"l2-adj-idx {adjacency} "
    return line


def create_ipip(cli: DebugCli, words: Words) -> str:
    """An IPIP tunnel; prints its interface's name."""
    ends: dict[str, IPv4Address] = {}
    options: dict[str, Any] = {}
    flags = 0
    while not words.done:
        if words.peek() in ("src", "dst"):
            name = words.take()
            ends[name] = take_end(words)
        elif words.accept("instance"):
            options["instance"] = words.take_number("unknown input")
        elif words.accept("outer-table-id"):
            options["table"] = words.take_number("unknown input")
        elif words.accept("flags"):
            flags |= _flag(words)
        elif not words.accept("p2p"):
            raise words.unknown()
    if len(ends) < 2:
        raise CliError("mandatory argument(s) missing")
    if options.get("table", 0) not in cli.engine.tables.ids():
        raise CliError(f"outer fib ID {options['table']} doesn't exist\n")
    try:
        return cli.name_of(cli.engine.ipip.add(ends["src"], ends["dst"], flags=flags, **options).sw_if_index)
    except TunnelExists:
        raise CliError("IPIP tunnel already exists...") from None
    except InstanceInUse:
        raise CliError("Instance is in use") from None


def delete_ipip(cli: DebugCli, words: Words) -> str:
    """Remove an IPIP tunnel, by the number of its interface."""
    if words.done:
        raise CliError("mandatory argument(s) missing")
    if not words.accept("sw_if_index"):
        raise words.unknown()
    index = words.take_number("unknown input")
    try:
        cli.engine.ipip.remove(index)
    except KeyError:
        raise CliError("IPIP tunnel doesn't exist") from None
    return ""


def show_ipip(cli: DebugCli, words: Words) -> str:
    """All IPIP tunnels, or one by number."""
    tunnels = {t.slot: t for t in cli.engine.ipip.by_index.values()}
    if not tunnels:
        return "No IPIP tunnels configured..."
    number = words.maybe_number()
    if number is not None and number not in tunnels:
        raise CliError(f"unknown index:{number}")
    return "\n".join(_ipip(tunnels[slot]) for slot in sorted(tunnels) if number in (None, slot))


def _ipip(tunnel: IpipTunnel) -> str:
    flags = "".join(f"{name} " for name, bit in _FLAGS.items() if tunnel.flags & bit) or "none"
    return (
        f"[{tunnel.slot}] instance {tunnel.instance} src {tunnel.src} dst {tunnel.dst} table-ID {tunnel.table} "
        f"sw-if-idx {tunnel.sw_if_index} flags [{flags}] dscp {_DSCP.get(tunnel.dscp, 'unknown')}"
    )


def show_ipip_hash(cli: DebugCli, words: Words) -> str:
    """Under which keys the packets of IPIP tunnels are found."""
    fib_index = cli.engine.routes.control.fib_index
    return "\n".join(
        f" src:{t.src} dst:{t.dst} fib:{fib_index(t.table)} transport:0 mode:0 -> {t.slot}"
        for t in cli.engine.ipip.by_index.values()
    )


COMMANDS = (
    Command(
        "create gre tunnel",
        "create gre tunnel src <addr> dst <addr> [instance <n>] [outer-table-id <id>] [teb | erspan <session-id>] "
        "[flags <flag>] [key <value>] [del]",
        create_gre,
    ),
    Command("show gre tunnel", "show gre tunnel [<index>]", show_gre),
    Command(
        "create ipip tunnel",
        "create ipip tunnel src <addr> dst <addr> [instance <n>] [outer-table-id <ID>] [flags <flag>]",
        create_ipip,
    ),
    Command("delete ipip tunnel", "delete ipip tunnel sw_if_index <sw_if_index>", delete_ipip),
    Command("show ipip tunnel", "show ipip tunnel [<index>]", show_ipip),
    Command("show ipip tunnel-hash", "show ipip tunnel-hash", show_ipip_hash),
)
