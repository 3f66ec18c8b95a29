"""``show ip neighbors`` and what belongs to it: configuration, counters, proxy ARP."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.words import Words
from vectorplane.dataplane.show.columns import centre
from vectorplane.graph_nodes.arp_header import ArpCounters
from vectorplane.graph_nodes.icmp6_nd import Nd6Counters

if TYPE_CHECKING:
    from vectorplane.control.debug_cli.cli import DebugCli

_COLUMNS = (("Age", 12), ("IP", 40), ("Flags", 6), ("Ethernet", 20), ("Interface", 24))
_HEAD = "".join(centre(title, width) for title, width in _COLUMNS)
_KINDS = {"replies": "reply", "requests": "request", "gratuitous": "gratuitous"}


def _seconds(value: float) -> str:
    """VPP leaves the 0 before a point out."""
    text = f"{value:.4f}"
    return f"{text[1:] if value < 1 else text:>12}"


def _rows(cli: DebugCli, version: int, interface: int | None, by_age: bool) -> list[tuple[float, str]]:
    engine = cli.engine
    neighbours = engine.neighbours if version == 4 else engine.neighbours6
    kind = IPv4Address if version == 4 else IPv6Address
    rows = []
    for n in neighbours.dump(interface):
        age = max(0, engine.now - neighbours.heard(n)) / 1e9
        flags = ("S" if n.static else "D") + ("N" if n.no_fib_entry else "")
        line = _seconds(age) + centre(kind(n.address), 40) + centre(flags, 6) + centre(n.mac.hex(":"), 20)
        if not (by_age and n.static):
            rows.append((age, line + cli.name_of(n.sw_if_index)))
    return sorted(rows, key=lambda row: -row[0]) if by_age else rows


def _show(*versions: int) -> Callable[[DebugCli, Words], str]:
    def show(cli: DebugCli, words: Words) -> str:
        """All neighbours, or those of an interface; nothing when there are none."""
        found = None if words.done else cli.interface(words, "unknown input").sw_if_index
        rows = [line for version in versions for _, line in _rows(cli, version, found, False)]
        return "\n".join([_HEAD, *rows]) if rows else ""

    return show


def _show_sorted(version: int) -> Callable[[DebugCli, Words], str]:
    def show(cli: DebugCli, words: Words) -> str:
        """Those that were learnt, the one that was silent longest first."""
        return "\n".join([_HEAD, *(line for _, line in _rows(cli, version, None, True))])

    return show


def show_config(cli: DebugCli, words: Words) -> str:
    """Limit, age and recycling of both families."""
    lines = []
    for name, neighbours in (("ip4", cli.engine.neighbours), ("ip6", cli.engine.neighbours6)):
        age, recycle = neighbours.ageing.max_age, int(neighbours.recycle)
        lines += [f"{name}:", f"  limit:{neighbours.limit}, age:{age}, recycle:{recycle}"]
    return "\n".join(lines)


def show_stats(cli: DebugCli, words: Words) -> str:
    """What was received and sent, by interface."""
    chosen = sorted(cli.engine.interfaces.by_index) if words.done else [cli.interface(words).sw_if_index]
    plane, lines = cli.engine.plane, []
    families = (("arp:", plane.shared(ArpCounters).vectors), ("nd: ", plane.shared(Nd6Counters).vectors))
    for index in chosen:
        lines.append(f"  {cli.name_of(index)}")
        for family, vectors in families:
            ways = []
            for way in ("rx", "tx"):
                counts = "".join(f"{name}:{int(vectors[way, key].total(index))} " for key, name in _KINDS.items())
                ways.append(f" {way}:[{counts}]")
            lines.append(f"    {family}{''.join(ways)}")
    return "\n".join(lines)


def show_watchers(cli: DebugCli, words: Words) -> str:
    """Who wants to hear of neighbours is known to the API server only."""
    return ""


def show_arp_proxy(cli: DebugCli, words: Words) -> str:
    """Ranges that are answered for, and where."""
    engine = cli.engine
    lines = ["Proxy arps enabled for:"] if engine.proxy_arp.ranges else []
    for fib, low, high in engine.proxy_arp.ranges:
        lines.append(f"Fib_index {fib}   {IPv4Address(low)} - {IPv4Address(high)} ")
    return "\n".join(lines)


COMMANDS = (
    Command("show ip neighbors", "show ip neighbors [interface]", _show(4, 6)),
    Command("show ip neighbor", "show ip neighbor [interface]", _show(4, 6)),
    Command("show ip4 neighbors", "show ip4 neighbors [interface]", _show(4)),
    Command("show ip4 neighbor", "show ip4 neighbor [interface]", _show(4)),
    Command("show ip6 neighbors", "show ip6 neighbors [interface]", _show(6)),
    Command("show ip6 neighbor", "show ip6 neighbor [interface]", _show(6)),
    Command("show ip4 neighbor-sorted", "show ip4 neighbor-sorted", _show_sorted(4)),
    Command("show ip6 neighbor-sorted", "show ip6 neighbor-sorted", _show_sorted(6)),
    Command("show ip neighbor-config", "show ip neighbor-config", show_config),
    Command("show ip neighbor-stats", "show ip neighbor-stats [interface]", show_stats),
    Command("show ip neighbor-watcher", "show ip neighbor-watcher", show_watchers),
    Command("show arp proxy", "show arp proxy", show_arp_proxy),
)
