"""Interfaces in L2 mode: bridged, cross-connected, their features and tag rewrites; BVIs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vectorplane.backends.engine.l2 import tag_rewrite as vtr
from vectorplane.backends.engine.l2.bridges import BVI, MAX_ID, NORMAL, UU_FWD, HasBvi
from vectorplane.backends.engine.l2.bvi import create_bvi, delete_bvi
from vectorplane.backends.engine.loopback import InstanceInUse
from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.words import Words
from vectorplane.graph_nodes.l2 import features

if TYPE_CHECKING:
    from vectorplane.control.debug_cli.cli import DebugCli

_TRANSLATIONS = {
    "1-1": (vtr.TRANSLATE_1_1, 1),
    "1-2": (vtr.TRANSLATE_1_2, 2),
    "2-1": (vtr.TRANSLATE_2_1, 1),
    "2-2": (vtr.TRANSLATE_2_2, 2),
}
_REWRITES = (
    "expecting [disable | pop 1 | pop 2 | push {dot1q|dot1ah} <tag> [<tag>]\n"
    " | translate {1|2}-{1|2} {dot1q|dot1ah} <tag> [<tag>]] but got"
)
_INVALID = "invalid configuration for interface"


def bridge(cli: DebugCli, words: Words) -> str:
    """Put an interface into a bridge domain, which is made if it is not there."""
    index = cli.interface(words).sw_if_index
    domain = words.take_number("expected bridge domain ID")
    if domain > MAX_ID:
        raise CliError("bridge domain ID exceed 16M limit")
    kind = BVI if words.accept("bvi") else UU_FWD if words.accept("uu-fwd") else NORMAL
    group = words.maybe_number(0, 255) or 0
    try:
        cli.engine.bridges.attach(index, domain, kind, group)
    except HasBvi:
        raise CliError("bridge-domain already has a bvi interface") from None
    except ValueError:
        raise CliError(_INVALID) from None
    return ""


def xconnect(cli: DebugCli, words: Words) -> str:
    """What an interface receives leaves by another."""
    rx = cli.interface(words).sw_if_index
    tx = cli.interface(words, "unknown peer interface").sw_if_index
    try:
        cli.engine.bridges.xconnect(rx, tx)
    except ValueError:
        raise CliError(_INVALID) from None
    return ""


def l3(cli: DebugCli, words: Words) -> str:
    """Back to L3."""
    cli.engine.bridges.detach(cli.interface(words).sw_if_index)
    return ""


def set_feature(bit: int) -> Callable[[DebugCli, Words], str]:
    """`set interface l2 learn` and the like."""

    def run(cli: DebugCli, words: Words) -> str:
        """Switch it on, or off."""
        index = cli.interface(words).sw_if_index
        cli.engine.bridges.set_port_features(index, bit, not words.accept("disable"))
        return ""

    return run


def efp_filter(cli: DebugCli, words: Words) -> str:
    """Drop what would leave by a sub-interface but not be received by it, or no longer."""
    index = cli.interface(words).sw_if_index
    cli.engine.tag_rewrites.set_efp_filter(index, not words.accept("disable"))
    return ""


def tag_rewrite(cli: DebugCli, words: Words) -> str:
    """Push, pop or translate VLAN tags of what an interface receives, and the opposite of what it sends."""
    index = cli.interface(words).sw_if_index
    start = words.at
    op, dot1q, tags = _rewrite(words, start)
    try:
        cli.engine.tag_rewrites.set(index, op, dot1q, *tags)
    except ValueError:
        raise CliError("vlan tag rewrite is not compatible with interface") from None
    return ""


def _rewrite(words: Words, start: int) -> tuple[int, bool, list[int]]:
    if words.accept("disable"):
        return vtr.DISABLED, False, []
    if words.accept("pop 1"):
        return vtr.POP_1, False, []
    if words.accept("pop 2"):
        return vtr.POP_2, False, []
    op, count = vtr.DISABLED, 2
    if words.accept("translate"):
        op, count = _TRANSLATIONS.get(words.take(), (vtr.DISABLED, 0))
    elif not words.accept("push"):
        count = 0
    dot1q = words.peek() == "dot1q"
    tags: list[int] = []
    if count and words.accept("dot1q", "dot1ad"):
        while len(tags) < count and (tag := words.maybe_number(0, 4095)) is not None:
            tags.append(tag)
    if op == vtr.DISABLED and tags:
        return (vtr.PUSH_1 if len(tags) == 1 else vtr.PUSH_2), dot1q, tags
    if not tags or len(tags) < count:
        words.at = start
        raise words.unknown(_REWRITES)
    return op, dot1q, tags


def show_mode(cli: DebugCli, words: Words) -> str:
    """L2 bridge, L2 cross-connect or L3: of all interfaces or of those that are named."""
    chosen = []
    while not words.done:
        chosen.append(cli.interface(words, "unknown input").sw_if_index)
    return "\n".join(_mode(cli, index) for index in chosen or sorted(cli.engine.interfaces.by_index))


def _mode(cli: DebugCli, index: int) -> str:
    port, name = cli.engine.bridges.port(index), cli.name_of(index)
    if port is None:
        return f"l3 {name}  "
    if port.domain is None:
        return f"l2 xconnect {name} {cli.name_of(port.xconnect)}"
    return f"l2 bridge {name} bd_id {port.domain.id}{' bvi' if port.is_bvi else ''} shg {port.shg}"


def l2_line(cli: DebugCli, sw_if_index: int) -> list[str]:
    """Of `show interface address`: how an interface is bridged."""
    port = cli.engine.bridges.port(sw_if_index)
    if port is None:
        return []
    if port.domain is None:
        return [f"  L2 xconnect {cli.name_of(port.xconnect)}"]
    where = f"bd-id {port.domain.id} idx {port.domain.index} shg {port.shg}"
    return [f"  L2 bridge {where} {'bvi' if port.is_bvi else ' '}"]


def bvi_create(cli: DebugCli, words: Words) -> str:
    """A BVI; prints its name."""
    mac = instance = None
    while not words.done:
        if words.accept("mac"):
            mac = words.take_mac()
        elif words.accept("instance"):
            instance = words.take_number("expected instance, got")
        else:
            raise words.unknown("unknown input:")
    try:
        return create_bvi(cli.engine, mac=mac, instance=instance).name
    except InstanceInUse:
        raise CliError("BVI create failed") from None


def bvi_delete(cli: DebugCli, words: Words) -> str:
    """Remove a BVI."""
    interface = cli.interface(words, "no such interface:")
    try:
        delete_bvi(cli.engine, interface.sw_if_index)
    except KeyError:
        raise CliError("BVI delete failed") from None
    return ""


def show_l2patch(cli: DebugCli, words: Words) -> str:
    """L2 patches are not to be had here: there is none."""
    return "no l2patch entries"


COMMANDS = (
    Command(
        "set interface l2 bridge",
        "set interface l2 bridge <interface> <bridge-domain-id> [bvi|uu-fwd] [shg]",
        bridge,
    ),
    Command("set interface l2 xconnect", "set interface l2 xconnect <interface> <peer interface>", xconnect),
    Command("set interface l3", "set interface l3 <interface>", l3),
    Command("set interface l2 learn", "set interface l2 learn <interface> [disable]", set_feature(features.LEARN)),
    Command("set interface l2 forward", "set interface l2 forward <interface> [disable]", set_feature(features.FWD)),
    Command("set interface l2 flood", "set interface l2 flood <interface> [disable]", set_feature(features.FLOOD)),
    Command("set interface l2 efp-filter", "set interface l2 efp-filter <interface> [disable]", efp_filter),
    Command(
        "set interface l2 tag-rewrite",
        "set interface l2 tag-rewrite <interface> [disable | pop {1|2} | push {dot1q|dot1ad} <tag> <tag>]",
        tag_rewrite,
    ),
    Command("show mode", "show mode [<if-name1> <if-name2> ...]", show_mode),
    Command("bvi create", "bvi create [mac <mac-addr>] [instance <instance>]", bvi_create),
    Command("bvi delete", "bvi delete <interface>", bvi_delete),
    Command("show l2patch", "Show l2 interface cross-connect entries", show_l2patch),
)
