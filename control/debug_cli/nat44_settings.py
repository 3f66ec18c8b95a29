"""NAT44 on and off, its timeouts, limits and modes, and its VRF tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.backends.engine.nat44.errors import Nat44Error
from vectorplane.backends.engine.nat44.nat44 import Timeouts
from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.nat44_words import (
    maybe_endpoint,
    maybe_protocol,
    need_words,
    unknown,
)
from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.words import Words

if TYPE_CHECKING:
    from vectorplane.control.debug_cli.cli import DebugCli

_DEBUG_LEVEL = 5


def _on_or_off(words: Words) -> bool | None:
    if words.accept("enable"):
        return True
    return False if words.accept("disable") else None


def plugin(cli: DebugCli, words: Words) -> str:
    """Switch it on or off."""
    need_words(words)
    nat = cli.engine.nat44
    on: bool | None = None
    values = {"inside-vrf": 0, "outside-vrf": 0, "sessions": 0}
    while not words.done:
        name = next((n for n in values if words.accept(n)), None)
        if name is not None:
            values[name] = words.take_number("unknown input")
        elif on is None:
            on = _on_or_off(words)
            if on is None:
                raise unknown(words)
        else:
            raise unknown(words)
    if on is None:
        raise CliError("expected enable | disable")
    if on == nat.enabled:
        raise CliError("already enabled" if on else "already disabled")
    if on:
        nat.enable(values["inside-vrf"], values["outside-vrf"], values["sessions"])
    else:
        nat.disable()
    return ""


def forwarding(cli: DebugCli, words: Words) -> str:
    """Forwarding mode; anything but ``enable`` is ``disable``, and as in VPP its sessions stay."""
    need_words(words)
    on = bool(_on_or_off(words))
    if not words.done:
        raise unknown(words)
    nat = cli.engine.nat44
    nat.forwarding = on
    if nat.enabled:
        nat.tables.settings["forwarding"] = int(on)
    return ""


def timeout(cli: DebugCli, words: Words) -> str:
    """Change timeouts."""
    need_words(words)
    nat = cli.engine.nat44
    made = nat.timeouts
    while not words.done:
        if words.accept("udp"):
            made = made._replace(udp=words.take_number("unknown input"))
        elif words.accept("tcp-established"):
            made = made._replace(tcp_established=words.take_number("unknown input"))
        elif words.accept("tcp-transitory"):
            made = made._replace(tcp_transitory=words.take_number("unknown input"))
        elif words.accept("icmp"):
            made = made._replace(icmp=words.take_number("unknown input"))
        elif words.accept("reset"):
            made = Timeouts()
        else:
            raise unknown(words)
    nat.set_timeouts(made)
    return ""


def show_timeouts(cli: DebugCli, words: Words) -> str:
    """All four."""
    t = cli.engine.nat44.timeouts
    return (
        f"udp timeout: {t.udp}sec\ntcp-established timeout: {t.tcp_established}sec\n"
        f"tcp-transitory timeout: {t.tcp_transitory}sec\nicmp timeout: {t.icmp}sec"
    )


def session_limit(cli: DebugCli, words: Words) -> str:
    """The most sessions of a table's packets; all sessions end."""
    need_words(words)
    limit = vrf = 0
    while not words.done:
        number = words.maybe_number()
        if number is not None:
            limit = number
        elif words.accept("vrf"):
            vrf = words.take_number("unknown input")
        else:
            raise unknown(words)
    if not limit:
        raise CliError("missing value of session limit")
    try:
        cli.engine.nat44.update_session_limit(limit, vrf)
    except KeyError:
        raise CliError("nat44_set_session_limit failed") from None
    return ""


def mss_clamping(cli: DebugCli, words: Words) -> str:
    """The most that a SYN may announce."""
    need_words(words)
    while not words.done:
        if words.accept("disable"):
            cli.engine.nat44.set_mss_clamping(0)
        elif (value := words.maybe_number()) is not None:
            cli.engine.nat44.set_mss_clamping(value & 0xFFFF)
        else:
            raise unknown(words)
    return ""


def show_mss_clamping(cli: DebugCli, words: Words) -> str:
    """That."""
    value = cli.engine.nat44.mss_clamping
    return f"mss-clamping {value}" if value else "mss-clamping disabled"


def delete_session(cli: DebugCli, words: Words) -> str:
    """End one session."""
    need_words(words)
    nat = cli.engine.nat44
    address = port = ext_address = ext_port = proto = 0
    vrf = nat.outside_vrf
    is_in = False
    while not words.done:
        endpoint = maybe_endpoint(words)
        if endpoint is not None:
            address, port = endpoint
            number = maybe_protocol(words)
            if number is None:
                raise unknown(words)
            proto = number
        elif words.accept("in"):
            is_in, vrf = True, nat.inside_vrf
        elif words.accept("out"):
            is_in, vrf = False, nat.outside_vrf
        elif words.accept("vrf"):
            vrf = words.take_number("unknown input")
        elif words.accept("external-host"):
            endpoint = maybe_endpoint(words)
            if endpoint is None:
                raise unknown(words)
            ext_address, ext_port = endpoint
        else:
            raise unknown(words)
    try:
        nat.need_enabled()
        nat.sessions.delete(address, port, ext_address, ext_port, proto, vrf, is_in)
    except Nat44Error:
        raise CliError(f"nat44_del_session returned {-6 if nat.enabled else -126}") from None
    return ""


def clear_sessions(cli: DebugCli, words: Words) -> str:
    """End all."""
    cli.engine.nat44.sessions.clear()
    return ""


def vrf_table(cli: DebugCli, words: Words) -> str:
    """A table whose packets may go to others."""
    need_words(words)
    vrf: int | None = None
    word: bool | None = None
    while not words.done:
        number = words.maybe_number()
        if number is not None:
            vrf = number
        elif word is None and words.accept("add", "del"):
            word = words.text[: words.at].endswith("add")
        else:
            raise unknown(words)
    if word is None:
        raise CliError("missing required parameter")
    if vrf is None:
        raise CliError("missing vrf id")
    tables = cli.engine.nat44.vrf_tables
    try:
        (tables.add_table if word else tables.delete_table)(vrf)
    except Nat44Error:
        raise CliError(f"{'add' if word else 'del'} vrf table returned {-81 if word else -6}") from None
    return ""


def vrf_route(cli: DebugCli, words: Words) -> str:
    """One of those."""
    need_words(words)
    vrf: int | None = None
    table: int | None = None
    word: bool | None = None
    while not words.done:
        if words.accept("table"):
            table = words.take_number("unknown input")
        elif (number := words.maybe_number()) is not None:
            vrf = number
        elif word is None and words.accept("add", "del"):
            word = words.text[: words.at].endswith("add")
        else:
            raise unknown(words)
    if word is None:
        raise CliError("missing required parameter")
    if vrf is None or table is None:
        raise CliError("missing vrf id")
    tables = cli.engine.nat44.vrf_tables
    there = vrf in tables.tables.get(table, ())
    try:
        (tables.add_route if word else tables.delete_route)(table, vrf)
    except Nat44Error:
        raise CliError(f"{'add' if word else 'del'} vrf table returned {-81 if word and there else -6}") from None
    return ""


def show_vrf_tables(cli: DebugCli, words: Words) -> str:
    """All."""
    lines = []
    number = 0
    for vrf, routes in cli.engine.nat44.vrf_tables.tables.items():
        lines.append(f"table {vrf}:")
        for route in routes:
            lines.append(f"[{number}] vrf-id {route}")
            number += 1
    return "\n".join(lines)


def logging_level(cli: DebugCli, words: Words) -> str:
    """VPP's log of single events: nothing is written to it here."""
    need_words(words)
    level = words.maybe_number()
    if level is None:
        raise unknown(words)
    if level > _DEBUG_LEVEL:
        raise CliError(f"unknown logging level '{level}'")
    return ""


def set_workers(cli: DebugCli, words: Words) -> str:
    """Flows are spread over all workers; there is nothing to choose."""
    need_words(words)
    words.take_rest()
    if len(cli.engine.plane.workers) < 2:
        raise CliError("Supported only if 2 or more workes available.")
    raise CliError("NAT uses all workers.")


def show_workers(cli: DebugCli, words: Words) -> str:
    """All, when there are several."""
    count = len(cli.engine.plane.workers)
    return "\n".join([f"{count} workers", *(f"  vpp_wk_{k}" for k in range(count))]) if count > 1 else ""


def queue_size(cli: DebugCli, words: Words) -> str:
    """The rings between workers have a fixed size."""
    need_words(words)
    size = words.maybe_number()
    if size is None:
        raise unknown(words)
    if not size:
        raise CliError("handoff_queue_size cannot be zero")
    if size & (size - 1) or cli.engine.nat44.enabled:
        raise CliError("snat_set_handoff_queue_size failed")
    return ""


COMMANDS = (
    Command(
        "nat44 plugin",
        "nat44 plugin <enable [sessions <max-number>] [inside-vrf <vrf-id>] [outside-vrf <vrf-id>]>|disable",
        plugin,
    ),
    Command("nat44 forwarding", "nat44 forwarding enable|disable", forwarding),
    Command(
        "set nat timeout",
        "set nat timeout [udp <sec> | tcp-established <sec> tcp-transitory <sec> | icmp <sec> | reset]",
        timeout,
    ),
    Command("show nat timeouts", "show nat timeouts", show_timeouts),
    Command("set nat44 session limit", "set nat44 session limit <limit> [vrf <table-id>]", session_limit),
    Command("nat mss-clamping", "nat mss-clamping <mss-value>|disable", mss_clamping),
    Command("show nat mss-clamping", "show nat mss-clamping", show_mss_clamping),
    Command(
        "nat44 del session",
        "nat44 del session in|out <addr>:<port> tcp|udp|icmp [vrf <id>] [external-host <addr>:<port>]",
        delete_session,
    ),
    Command("clear nat44 ed sessions", "clear nat44 ed sessions", clear_sessions),
    Command("nat44 vrf table", "nat44 vrf table [add|del] <vrf-id>", vrf_table),
    Command("nat44 vrf route", "nat44 vrf route [add|del] table <vrf-id> <vrf-id>", vrf_route),
    Command("show nat44 vrf tables", "show nat44 vrf tables", show_vrf_tables),
    Command("nat set logging level", "nat set logging level <level>", logging_level),
    Command("set nat workers", "set nat workers <workers-list>", set_workers),
    Command("show nat workers", "show nat workers", show_workers),
    Command("set nat handoff-queue-size", "set nat handoff-queue-size <number>", queue_size),
)
