"""VXLAN and GENEVE tunnels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any

from vectorplane.backends.engine.tunnels.tunnel import InstanceInUse, TunnelExists
from vectorplane.backends.engine.tunnels.udp_tunnels import UdpTunnelDevice, UdpTunnelSet
from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.tunnel_ends import take_end
from vectorplane.control.debug_cli.words import Words

if TYPE_CHECKING:
    from vectorplane.control.debug_cli.cli import DebugCli

L2_INPUT = 1


@dataclass(frozen=True)
class Kind:
    """In which the commands of a kind of tunnel differ."""

    kind: str
    near: str
    far: str
    identical: str


VXLAN = Kind("vxlan", "src", "dst", "src and dst addresses are identical")
GENEVE = Kind("geneve", "local", "remote", "local and remote addresses are identical")


def _tunnels(cli: DebugCli, kind: Kind) -> UdpTunnelSet[Any]:
    return cli.engine.vxlan if kind is VXLAN else cli.engine.geneve


def create(kind: Kind) -> Callable[[DebugCli, Words], str]:
    """`create vxlan tunnel`, `create geneve tunnel`."""

    def run(cli: DebugCli, words: Words) -> str:
        """A tunnel, whose interface's name is printed; ``del``: remove it."""
        ends: dict[str, IPv4Address] = {}
        options: dict[str, Any] = {}
        add, group, vni = True, False, 0
        while not words.done:
            if words.accept("del"):
                add = False
            elif words.accept(kind.near):
                ends["near"] = take_end(words)
            elif words.accept(kind.far):
                ends["far"] = take_end(words)
            elif words.accept("group"):
                ends["far"], group = take_end(words), True
                options["mcast_sw_if_index"] = cli.interface(words, "parse error:").sw_if_index
            elif words.accept("encap-vrf-id"):
                options["table"] = words.take_number("parse error:")
                if options["table"] not in cli.engine.tables.ids():
                    raise CliError(f"nonexistent encap-vrf-id {options['table']}")
            elif words.accept("vni"):
                vni = words.take_number("parse error:")
            elif words.accept("decap-next"):
                options["decap_next"] = _decap_next(cli, kind, words)
            elif not _more(kind, words, options):
                raise words.unknown("parse error:")
        _check(kind, ends, group, vni)
        return _add(cli, kind, ends, vni, options) if add else _remove(cli, kind, ends, vni, options)

    return run


def _more(kind: Kind, words: Words, options: dict[str, Any]) -> bool:
    """An option that only one of the kinds has."""
    if kind is GENEVE:
        if not words.accept("l3-mode"):
            return False
        options["is_l3"] = True
    elif words.accept("l3"):
        options["is_l3"] = True
    elif words.peek() in ("instance", "src_port", "dst_port"):
        name = words.take()
        options[name] = words.take_number("parse error:")
    else:
        return False
    return True


def _decap_next(cli: DebugCli, kind: Kind, words: Words) -> int:
    if words.accept("l2"):
        return L2_INPUT
    if words.accept("node"):
        graph, name = cli.engine.plane.graph, words.take()
        if name not in graph and name not in graph.registry:
            raise CliError("next node not found")
        return graph.add_next(graph.add(f"{kind.kind}4-input"), name)
    number = words.maybe_number(0, 0x7FFF)
    if number is None:
        raise words.unknown("parse error:")
    return number


def _check(kind: Kind, ends: dict[str, IPv4Address], group: bool, vni: int) -> None:
    near, far = ("src", "dst") if kind is VXLAN else ("local", "remote")
    if "near" not in ends:
        raise CliError(f"tunnel {near} address not specified")
    if "far" not in ends:
        raise CliError(f"tunnel {far} address not specified")
    if group and not ends["far"].is_multicast:
        raise CliError("tunnel group address not multicast")
    if not group and ends["far"].is_multicast:
        raise CliError(f"{far} address must be unicast")
    if ends["near"] == ends["far"]:
        raise CliError(kind.identical)
    if vni == 0:
        raise CliError("vni not specified")
    if vni >> 24:
        raise CliError(f"vni {vni} out of range")


def _add(cli: DebugCli, kind: Kind, ends: dict[str, IPv4Address], vni: int, options: dict[str, Any]) -> str:
    tunnels: Any = _tunnels(cli, kind)
    try:
        made: UdpTunnelDevice = tunnels.add(ends["near"], ends["far"], vni, **options)
    except TunnelExists:
        raise CliError("tunnel already exists...") from None
    except InstanceInUse:
        raise CliError("Instance is in use") from None
    return cli.name_of(made.sw_if_index)


def _remove(cli: DebugCli, kind: Kind, ends: dict[str, IPv4Address], vni: int, options: dict[str, Any]) -> str:
    tunnels: Any = _tunnels(cli, kind)
    known = {k: v for k, v in options.items() if k in ("table", "src_port")}
    try:
        tunnels.remove(ends["near"], ends["far"], vni, **known)
    except KeyError:
        raise CliError("tunnel does not exist...") from None
    return ""


def _fib(cli: DebugCli, tunnel: UdpTunnelDevice) -> int:
    return cli.engine.routes.control.fib_index(tunnel.table)


def _encap_dpo(cli: DebugCli, tunnel: UdpTunnelDevice) -> int:
    """The load-balance that it follows, or a group's adjacency."""
    record = type(tunnel).table_class  # the record of the nodes holds both
    row = cli.engine.plane.shared(record).records[tunnel.sw_if_index]
    return int(row["adjacency"]) >> 32 or int(row["lb"])


def show_vxlan(cli: DebugCli, words: Words) -> str:
    """All VXLAN tunnels."""
    if not cli.engine.vxlan.by_index:
        return "No vxlan tunnels configured..."
    lines = []
    for tunnel in sorted(cli.engine.vxlan.by_index.values(), key=lambda t: t.slot):
        line = (
            f"[{tunnel.slot}] instance {tunnel.instance} src {tunnel.src} dst {tunnel.dst} src_port {tunnel.src_port} "
            f"dst_port {tunnel.dst_port} vni {tunnel.vni} fib-idx {_fib(cli, tunnel)} "
            f"sw-if-idx {tunnel.sw_if_index} encap-dpo-idx {_encap_dpo(cli, tunnel)} "
        )
        if tunnel.decap_next != L2_INPUT:
            line += f"decap-next-{'drop' if tunnel.decap_next == 0 else f'index {tunnel.decap_next}'} "
        if tunnel.dst.is_multicast:
            line += f"mcast-sw-if-idx {tunnel.mcast_sw_if_index} "
        lines.append(line)
    return "\n".join(lines)


def show_geneve(cli: DebugCli, words: Words) -> str:
    """All GENEVE tunnels."""
    if not cli.engine.geneve.by_index:
        return "No geneve tunnels configured..."
    lines = []
    for tunnel in sorted(cli.engine.geneve.by_index.values(), key=lambda t: t.slot):
        following = {0: "drop", L2_INPUT: "l2"}.get(tunnel.decap_next or 0, f"index {tunnel.decap_next}")
        line = (
            f"[{tunnel.slot}] lcl {tunnel.src} rmt {tunnel.dst} vni {tunnel.vni} fib-idx {_fib(cli, tunnel)} "
            f"sw-if-idx {tunnel.sw_if_index} encap-dpo-idx {_encap_dpo(cli, tunnel)} decap-next-{following} "
            f"l3-mode {int(tunnel.is_l3)} "
        )
        if tunnel.dst.is_multicast:
            line += f"mcast-sw-if-idx {tunnel.mcast_sw_if_index} "
        lines.append(line)
    return "\n".join(lines)


def bypass(kind: Kind) -> Callable[[DebugCli, Words], str]:
    """`set interface ip vxlan-bypass` and that of geneve."""

    def run(cli: DebugCli, words: Words) -> str:
        """Let tunnels' packets that an interface receives skip the lookup, or no longer."""
        index, on = None, True
        while not words.done:
            if words.accept("del"):
                on = False
            else:
                index = cli.interface(words).sw_if_index
        if index is None:
            raise words.unknown("unknown interface")
        _tunnels(cli, kind).set_bypass(index, on)
        return ""

    return run


COMMANDS = (
    Command(
        "create vxlan tunnel",
        "create vxlan tunnel src <local-vtep-addr> {dst <remote-vtep-addr>|group <mcast-vtep-addr> <intf-name>} "
        "vni <nn> [instance <id>] [encap-vrf-id <nn>] [decap-next [l2|node <name>]] [del] [l3] "
        "[src_port <local-vtep-udp-port>] [dst_port <remote-vtep-udp-port>]",
        create(VXLAN),
    ),
    Command("show vxlan tunnel", "show vxlan tunnel", show_vxlan),
    Command("set interface ip vxlan-bypass", "set interface ip vxlan-bypass <interface> [del]", bypass(VXLAN)),
    Command(
        "create geneve tunnel",
        "create geneve tunnel local <local-vtep-addr> {remote <remote-vtep-addr>|group <mcast-vtep-addr> <intf-name>} "
        "vni <nn> [encap-vrf-id <nn>] [decap-next [l2|node <name>]] [l3-mode] [del]",
        create(GENEVE),
    ),
    Command("show geneve tunnel", "show geneve tunnel", show_geneve),
    Command("set interface ip geneve-bypass", "set interface ip geneve-bypass <interface> [del]", bypass(GENEVE)),
)
