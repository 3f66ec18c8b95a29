"""ACLs: make, apply, delete, show them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from vectorplane.backends.engine.acl.acls import Acl, AclInUse, AclNotThere
from vectorplane.backends.engine.acl.rule import ACTION_NAMES, AclRule
from vectorplane.control.debug_cli.acl_rules import TAG, RuleList, spread, take_prefix, take_range, take_tag
from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.words import Words
from vectorplane.control.log import WARN

if TYPE_CHECKING:
    from vectorplane.control.debug_cli.cli import DebugCli


def action_name(action: int) -> str:
    """``permit+reflect``."""
    return ACTION_NAMES[action] if action < len(ACTION_NAMES) else f"action {action}"


def numbers(values: Iterable[int], form: str = "d") -> str:
    """As VPP prints a vector: ``1, 2``."""
    return ", ".join(format(v, form) for v in values)


def _span(first: int, last: int) -> str:
    return f"{first}" if first == last else f"{first}-{last}"


def acl_lines(acl: Acl) -> list[str]:
    """An ACL and its rules."""
    lines = [f"acl-index {acl.index} count {len(acl.rules)} tag {{{acl.tag}}}"]
    for i, rule in enumerate(acl.rules):
        line = (
            f"  {i:9d}: {'ipv6' if rule.ip6 else 'ipv4'} {action_name(rule.action)} src {rule.src_text} "
            f"dst {rule.dst_text} proto {rule.proto} sport {_span(rule.sport_first, rule.sport_last)} "
            f"dport {_span(rule.dport_first, rule.dport_last)}"
        )
        if rule.tcp_flags_mask or rule.tcp_flags_value:
            line += f" tcpflags {rule.tcp_flags_value} mask {rule.tcp_flags_mask}"
        lines.append(line)
    return lines


def maybe_index(words: Words, word: str = "index") -> int | None:
    """``index N``, if that comes next."""
    return words.take_number("expecting a number, got") if words.accept(word) else None


def show_acl(cli: DebugCli, words: Words) -> str:
    """All ACLs, or one: rules, and where they apply."""
    wanted = maybe_index(words)
    acls = cli.engine.acls
    lines = []
    for acl in acls:
        if wanted not in (None, acl.index):
            continue
        lines += acl_lines(acl)
        for is_input, word in ((True, "inbound"), (False, "outbound")):
            if acl.index < acls.reach[is_input].acls:
                lines.append(f"  applied {word} on sw_if_index: {numbers(acls.applied(acl.index, is_input))}")
        if acl.index < max(reach.acls for reach in acls.reach.values()):
            lines.append(f"  used in lookup context index: {numbers(acls.contexts_with(acl.index))}")
    return "\n".join(lines)


def _check(rules: list[AclRule], families: list[dict[str, bool]]) -> None:
    """Refuse what the API refuses."""
    for i, (rule, given) in enumerate(zip(rules, families, strict=False)):
        if given.get("src", False) != given.get("dst", False):
            raise CliError(f"failed: source and destination of rule {i} are of two families")
        if rule.sport_first > rule.sport_last or rule.dport_first > rule.dport_last:
            raise CliError(f"failed: a range of ports of rule {i} ends before it begins")


def set_acl(cli: DebugCli, words: Words) -> str:
    """Make an ACL of comma-separated rules, or replace one; nothing is made of nothing, as in VPP."""
    if words.done:
        return ""
    words = spread(words)
    index: int | None = None
    tag = TAG
    made = RuleList(AclRule(1))
    families: list[dict[str, bool]] = [{}]
    while not words.done:
        if words.accept("index"):
            index = words.take_number("expecting a number, got")
        elif words.accept("permit+reflect"):
            made.change(action=2)
        elif made.action(words):
            pass
        elif words.accept("count"):
            words.take_number("expecting a number, got")
        elif words.accept("src"):
            ip6, address, length = take_prefix(words)
            families[-1]["src"] = ip6
            made.change(ip6=ip6, src=address, src_len=length)
        elif words.accept("dst"):
            ip6, address, length = take_prefix(words)
            families[-1]["dst"] = ip6
            made.change(ip6=ip6, dst=address, dst_len=length)
        elif words.accept("sport"):
            first, last = take_range(words)
            made.change(sport_first=first, sport_last=last)
        elif words.accept("dport"):
            first, last = take_range(words)
            made.change(dport_first=first, dport_last=last)
        elif words.accept("tcpflags"):
            value = words.take_number("expecting flags, got", high=255)
            words.accept("mask")
            made.change(tcp_flags_value=value, tcp_flags_mask=words.take_number("expecting a mask, got", high=255))
        elif words.accept("proto"):
            made.change(proto=words.take_number("expecting a protocol, got", high=255))
        elif words.accept("tag"):
            tag = take_tag(words)
        elif words.accept(","):
            made.another(words)
            families.append({})
        else:
            raise words.unknown()
    _check(made.rules, families)
    try:
        number = cli.engine.acls.add_replace(index, tag, made.rules)
    except AclNotThere as error:
        raise CliError(f"failed: {error}") from None
    return f"ACL index:{number}"


def delete_acl(cli: DebugCli, words: Words) -> str:
    """Forget an ACL."""
    index = maybe_index(words)
    try:
        cli.engine.acls.delete(-1 if index is None else index)
    except (AclNotThere, AclInUse):
        raise CliError("failed") from None
    return f"Deleted ACL index:{index}"


def set_interface(cli: DebugCli, words: Words) -> str:
    """One ACL joins a list of an interface, or leaves it. As in VPP nothing is printed when it could not."""
    interface = index = None
    add = is_input = True
    while not words.done:
        if words.accept("add"):
            add = True
        elif words.accept("del"):
            add = False
        elif words.accept("acl"):
            index = words.take_number("expecting a number, got")
        elif words.accept("input"):
            is_input = True
        elif words.accept("output"):
            is_input = False
        elif (found := cli.maybe_interface(words)) is not None:
            interface = found.sw_if_index
        else:
            raise words.unknown()
    if interface is None:
        raise CliError("invalid interface")
    if index is None:
        raise CliError("invalid acl")
    change = cli.engine.acls.join if add else cli.engine.acls.leave
    try:
        change(interface, is_input, index)
    except (AclNotThere, AclInUse) as error:
        cli.log.add(WARN, "acl_plugin", f"ERROR: {error}")
    return ""


COMMANDS = (
    Command("show acl-plugin acl", "show acl-plugin acl [index N]", show_acl),
    Command(
        "set acl-plugin acl",
        "set acl-plugin acl [index <idx>] <permit|deny|permit+reflect> src <PREFIX> dst <PREFIX> [proto X] "
        "[sport X[-Y]] [dport X[-Y]] [tcpflags <int> mask <int>] [tag FOO] {use comma separated list for multiple "
        "rules}",
        set_acl,
    ),
    Command("delete acl-plugin acl", "delete acl-plugin acl index <idx>", delete_acl),
    Command(
        "set acl-plugin interface",
        "set acl-plugin interface <interface> <input|output> <acl INDEX> [del] ",
        set_interface,
    ),
)
