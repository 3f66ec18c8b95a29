"""NAT44's static, identity and load-balanced mappings."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from vectorplane.backends.engine.nat44.errors import (
    InvalidValue,
    Nat44Error,
    NoSuchEntry,
    Unspecified,
    Unsupported,
    ValueExists,
)
from vectorplane.backends.engine.nat44.static_mappings import Local, Mapping
from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.nat44_words import (
    attempt,
    maybe_interface,
    maybe_ip4,
    maybe_protocol,
    need_words,
    take_endpoint,
    take_ip4,
    unknown,
)
from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.words import Words
from vectorplane.graph_nodes.nat44.nat import (
    SM_ADDR_ONLY,
    SM_EXACT,
    SM_IDENTITY,
    SM_LB,
    SM_OUT2IN_ONLY,
    SM_SELF_TWICE_NAT,
    SM_SWITCH_ADDRESS,
    SM_TWICE_NAT,
)
from vectorplane.graph_nodes.nat44.texts import protocol_text

if TYPE_CHECKING:
    from vectorplane.control.debug_cli.cli import DebugCli

_PORT = 0xFFFF
_STATIC: dict[type[Nat44Error], str] = {
    Unsupported: "Plugin disabled.",
    NoSuchEntry: "Mapping not exist.",
    ValueExists: "Mapping already exist.",
}
_MODES = (("self-twice-nat", SM_SELF_TWICE_NAT), ("twice-nat", SM_TWICE_NAT), ("out2in-only", SM_OUT2IN_ONLY))


def _mode(words: Words) -> int:
    return next((flag for word, flag in _MODES if words.accept(word)), 0)


def add_static(cli: DebugCli, words: Words) -> str:
    """A mapping of an address or a port."""
    need_words(words)
    local = external = pool = proto = flags = 0
    local_port: int | None = None
    external_port: int | None = None
    vrf: int | None = None
    interface: int | None = None
    delete = False
    while not words.done:
        if words.accept("local"):
            local, local_port = take_ip4(words), words.maybe_number(high=_PORT)
        elif words.accept("external"):
            address = maybe_ip4(words)
            if address is not None:
                external = address
            else:
                interface = maybe_interface(cli, words)
                if interface is None:
                    raise unknown(words, ":")
                flags |= SM_SWITCH_ADDRESS
            external_port = words.maybe_number(high=_PORT)
        elif words.accept("exact"):
            pool = take_ip4(words)
            flags |= SM_EXACT
        elif words.accept("vrf"):
            vrf = words.take_number("unknown input:")
        elif mode := _mode(words):
            flags |= mode
        elif words.accept("del"):
            delete = True
        elif (number := maybe_protocol(words)) is not None:
            proto = number
        else:
            raise unknown(words, ":")
    if (local_port is None) != (external_port is None):
        raise CliError("Either both ports are set or none.")
    if local_port is None:
        flags |= SM_ADDR_ONLY
    key = (local, external, local_port or 0, external_port or 0, proto, vrf, interface, flags)
    mappings = cli.engine.nat44.mappings
    if delete:
        attempt(_STATIC, mappings.delete, *key)
    else:
        attempt(_STATIC, mappings.add, *key, pool)
    return ""


def add_identity(cli: DebugCli, words: Words) -> str:
    """An address or a port that is not translated."""
    need_words(words)
    address = port = proto = 0
    flags = SM_IDENTITY
    vrf: int | None = None
    interface: int | None = None
    has_port = delete = False
    while not words.done:
        number = maybe_ip4(words)
        if number is not None:
            address = number
        elif words.accept("external"):
            interface = maybe_interface(cli, words)
            if interface is None:
                raise unknown(words, ":")
            flags |= SM_SWITCH_ADDRESS
        elif words.accept("vrf"):
            vrf = words.take_number("unknown input:")
        elif words.accept("del"):
            delete = True
        elif (number := maybe_protocol(words)) is not None:
            proto, port, has_port = number, words.take_number("unknown input:", high=_PORT), True
        else:
            raise unknown(words, ":")
    flags |= 0 if has_port else SM_ADDR_ONLY
    key = (address, address, port, port, proto, vrf, interface, flags)
    mappings = cli.engine.nat44.mappings
    if delete:
        attempt(_STATIC, mappings.delete, *key)
    else:
        attempt(_STATIC, mappings.add, *key)
    return ""


def _backend(words: Words) -> Local:
    address, port = take_endpoint(words)
    vrf = words.take_number("unknown input:") if words.accept("vrf") else 0
    if not words.accept("probability"):
        raise unknown(words, ":")
    return Local(address, port, words.take_number("unknown input:") & 0xFF, vrf)


def add_balanced(cli: DebugCli, words: Words) -> str:
    """A service with several backends."""
    need_words(words)
    external = port = flags = affinity = 0
    proto: int | None = None
    backends: list[Local] = []
    delete = False
    while not words.done:
        if words.accept("local"):
            backends.append(_backend(words))
        elif words.accept("external"):
            external, port = take_endpoint(words)
        elif words.accept("protocol"):
            proto = maybe_protocol(words)
            if proto is None:
                raise unknown(words, ":")
        elif mode := _mode(words):
            flags |= mode
        elif words.accept("del"):
            delete = True
        elif words.accept("affinity"):
            affinity = words.take_number("unknown input:")
        else:
            raise unknown(words, ":")
    if len(backends) < 2:
        raise CliError("at least two local must be set")
    if proto is None:
        raise CliError("missing protocol")
    complaints: dict[type[Nat44Error], str] = {
        InvalidValue: "External port already in use.",
        NoSuchEntry: "Mapping not exist." if delete else "External address must be allocated.",
        ValueExists: "Mapping already exist.",
    }
    mappings = cli.engine.nat44.mappings
    if delete:
        attempt(complaints, mappings.delete_lb, external, port, proto, flags)
    else:
        attempt(complaints, mappings.add_lb, external, port, proto, backends, flags, "", affinity)
    return ""


def add_backend(cli: DebugCli, words: Words) -> str:
    """One backend more, or less. (VPP's own command mixes up the byte order of ports; this one does not.)"""
    need_words(words)
    external = port = 0
    proto: int | None = None
    backend: Local | None = None
    delete = False
    while not words.done:
        if words.accept("local"):
            backend = _backend(words)
        elif words.accept("external"):
            external, port = take_endpoint(words)
        elif words.accept("protocol"):
            proto = maybe_protocol(words)
            if proto is None:
                raise unknown(words, ":")
        elif words.accept("del"):
            delete = True
        else:
            raise unknown(words, ":")
    if backend is None or not backend.port or not port:
        raise CliError("local or external must be set")
    if proto is None:
        raise CliError("missing protocol")
    complaints: dict[type[Nat44Error], str] = {
        InvalidValue: "External is not load-balancing static mapping.",
        NoSuchEntry: "Mapping or back-end not exist.",
        ValueExists: "Back-end already exist.",
        Unspecified: "At least two back-ends must remain",
    }
    mappings = cli.engine.nat44.mappings
    attempt(complaints, mappings.delete_local if delete else mappings.add_local, external, port, backend, proto)
    return ""


def _modes(flags: int) -> str:
    twice = "twice-nat" if flags & SM_TWICE_NAT else "self-twice-nat" if flags & SM_SELF_TWICE_NAT else ""
    return f"{twice} {'out2in-only' if flags & SM_OUT2IN_ONLY else ''}"


def mapping_text(m: Mapping) -> str:
    """VPP's text of a mapping."""
    local, external, proto = IPv4Address(m.local), IPv4Address(m.external), protocol_text(m.proto)
    if m.flags & SM_IDENTITY:
        what = f"{local}" if m.flags & SM_ADDR_ONLY else f"{proto} {local}:{m.local_port}"
        return f"identity mapping {what}" + "".join(f" vrf {one.vrf}" for one in m.locals)
    if m.flags & SM_ADDR_ONLY:
        return f"local {local} external {external} vrf {m.vrf} {_modes(m.flags)}"
    if m.flags & SM_LB:
        return f"{proto} external {external}:{m.external_port} {_modes(m.flags)}" + "".join(
            f"\n  local {IPv4Address(one.address)}:{one.port} vrf {one.vrf} probability {one.probability}%"
            for one in m.locals
        )
    ends = f"local {local}:{m.local_port} external {external}:{m.external_port}"
    return f"{proto} {ends} vrf {m.vrf} {_modes(m.flags)}"


def show_static(cli: DebugCli, words: Words) -> str:
    """All mappings, then those that follow an interface."""
    mappings = cli.engine.nat44.mappings
    lines = ["NAT44 static mappings:", *(f" {mapping_text(m)}" for m in mappings)]
    for entry in mappings.to_resolve:
        name = cli.engine.interfaces[entry.sw_if_index].name
        vrf = -1 if entry.vrf is None else entry.vrf
        local = IPv4Address(entry.local)
        if entry.flags & SM_ADDR_ONLY:
            lines.append(f" local {local} external {name} vrf {vrf}")
        else:
            ends = f"local {local}:{entry.local_port} external {name}:{entry.external_port}"
            lines.append(f" {protocol_text(entry.proto)} {ends} vrf {vrf}")
    return "\n".join(lines)


COMMANDS = (
    Command(
        "nat44 add static mapping",
        "nat44 add static mapping tcp|udp|icmp local <addr> [<port|icmp-echo-id>] external <addr> "
        "[<port|icmp-echo-id>] [vrf <table-id>] [twice-nat|self-twice-nat] [out2in-only] [exact <pool-addr>] [del]",
        add_static,
    ),
    Command(
        "nat44 add identity mapping",
        "nat44 add identity mapping <ip4-addr>|external <interface> [<protocol> <port>] [vrf <table-id>] [del]",
        add_identity,
    ),
    Command(
        "nat44 add load-balancing static mapping",
        "nat44 add load-balancing static mapping protocol tcp|udp external <addr>:<port> local <addr>:<port> "
        "[vrf <table-id>] probability <n> [twice-nat|self-twice-nat] [out2in-only] [affinity <timeout-seconds>] [del]",
        add_balanced,
    ),
    Command(
        "nat44 add load-balancing back-end",
        "nat44 add load-balancing back-end protocol tcp|udp external <addr>:<port> local <addr>:<port> "
        "[vrf <table-id>] probability <n> [del]",
        add_backend,
    ),
    Command("show nat44 static mappings", "show nat44 static mappings", show_static),
)
