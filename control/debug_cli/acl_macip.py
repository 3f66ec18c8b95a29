"""MACIP lists: make, apply, delete, show them.

They have no classifier tables here, so the numbers that VPP shows of those are -1.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from vectorplane.backends.engine.acl.macip_rule import MacipRule
from vectorplane.backends.engine.acl.macips import Macip, MacipNotThere
from vectorplane.control.debug_cli.acl_lists import maybe_index, numbers
from vectorplane.control.debug_cli.acl_rules import TAG, RuleList, spread, take_prefix, take_tag
from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.words import Words

if TYPE_CHECKING:
    from vectorplane.control.debug_cli.cli import DebugCli

_ALL_BITS = b"\xff" * 6


def macip_lines(cli: DebugCli, macip: Macip) -> list[str]:
    """A list and its rules."""
    lines = [
        f"MACIP acl_index: {macip.index}, count: {len(macip.rules)} (true len {len(macip.rules)}) "
        f"tag {{{macip.tag}}} is free pool slot: 0",
        "  ip4_table_index -1, ip6_table_index -1, l2_table_index -1",
        "  out_ip4_table_index -1, out_ip6_table_index -1, out_l2_table_index -1",
    ]
    for i, rule in enumerate(macip.rules):
        address = IPv6Address(rule.src) if rule.ip6 else IPv4Address(rule.src)
        lines.append(
            f"    rule {i}: {'ipv6' if rule.ip6 else 'ipv4'} action {rule.action} ip {address}/{rule.src_len} "
            f"mac {rule.mac.hex(':')} mask {rule.mac_mask.hex(':')}"
        )
    if macip.index < cli.engine.macips.reach:
        lines.append(f"  applied on sw_if_index(s): {numbers(cli.engine.macips.applied(macip.index))}")
    return lines


def show_macip_acl(cli: DebugCli, words: Words) -> str:
    """All MACIP lists, or one."""
    wanted = maybe_index(words)
    return "\n".join(
        line for macip in cli.engine.macips if wanted in (None, macip.index) for line in macip_lines(cli, macip)
    )


def show_macip_interface(cli: DebugCli, words: Words) -> str:
    """The MACIP list of each interface (-1: none)."""
    rows = enumerate(cli.engine.macips.by_interface())
    return "\n".join(f"  sw_if_index {i}: {-1 if index is None else index}" for i, index in rows)


def set_macip_acl(cli: DebugCli, words: Words) -> str:
    """Make a MACIP list of comma-separated rules. As in VPP any word begins one, which permits everything so far."""
    if words.done:
        return ""
    words = spread(words)
    tag = TAG
    made = RuleList(MacipRule(1))
    while not words.done:
        made.change()
        if made.action(words):
            pass
        elif words.accept("ip"):
            ip6, address, length = take_prefix(words)
            made.change(ip6=ip6, src=address, src_len=length)
        elif words.accept("src"):
            pass  # all addresses are sources
        elif words.accept("mac"):
            made.change(mac=words.take_mac(), mac_mask=_ALL_BITS)
        elif words.accept("mask"):
            made.change(mac_mask=words.take_mac())
        elif words.accept("tag"):
            tag = take_tag(words)
        elif words.accept(","):
            if not words.done:
                made.another(words)
        else:
            raise words.unknown()
    return f"ACL index:{cli.engine.macips.add_replace(None, tag, made.rules)}"


def set_macip_interface(cli: DebugCli, words: Words) -> str:
    """Apply a MACIP list to an interface, or none any more."""
    interface = index = None
    add = True
    while not words.done:
        if words.accept("add"):
            add = True
        elif words.accept("del"):
            add = False
        elif words.accept("acl"):
            index = words.take_number("expecting a number, got")
        elif (found := cli.maybe_interface(words)) is not None:
            interface = found.sw_if_index
        else:
            raise words.unknown()
    if interface is None:
        raise CliError("invalid interface")
    if index is None:
        raise CliError("invalid acl index")
    try:
        if add:
            cli.engine.macips.apply(interface, index)
        else:
            cli.engine.macips.remove(interface)
    except KeyError:
        raise CliError("Failed to add acl rule to interface") from None
    return ""


def delete_macip_acl(cli: DebugCli, words: Words) -> str:
    """Forget a MACIP list."""
    index = maybe_index(words)
    if index is None:
        raise CliError("invalid acl index")
    try:
        cli.engine.macips.delete(index)
    except MacipNotThere:
        raise CliError("Failed to delete ACL index") from None
    return f"Deleted ACL index:{index}"


COMMANDS = (
    Command("show acl-plugin macip acl", "show acl-plugin macip acl [index N]", show_macip_acl),
    Command("show acl-plugin macip interface", "show acl-plugin macip interface", show_macip_interface),
    Command(
        "set acl-plugin macip acl",
        "set acl-plugin macip acl <permit|deny|action N> ip <PREFIX> mac <MAC> mask <int> [tag FOO] {use comma "
        "separated list for multiple rules}",
        set_macip_acl,
    ),
    Command(
        "set acl-plugin macip interface",
        "set acl-plugin macip interface <interface> <acl INDEX> [del]",
        set_macip_interface,
    ),
    Command("delete acl-plugin macip acl", "delete acl-plugin macip acl index <idx>", delete_macip_acl),
)
