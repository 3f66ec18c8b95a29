"""ACLs and MACIP lists: make, apply, delete, show them."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Any

from vectorplane.backends.engine.acl.acls import Acl, AclInUse, AclNotThere, AclTwice
from vectorplane.backends.engine.acl.macip_rule import MacipRule
from vectorplane.backends.engine.acl.macips import Macip, MacipNotThere
from vectorplane.backends.engine.acl.rule import ACTION_NAMES, AclRule
from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.words import Words
from vectorplane.control.log import WARN

if TYPE_CHECKING:
    from vectorplane.control.debug_cli.cli import DebugCli

_ALL_BITS = b"\xff" * 6


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
    contexts = acls.contexts()
    lines = []
    for acl in acls:
        if wanted in (None, acl.index):
            lines += acl_lines(acl)
            lines.append(f"  applied inbound on sw_if_index: {numbers(acls.applied(acl.index, True))}")
            lines.append(f"  applied outbound on sw_if_index: {numbers(acls.applied(acl.index, False))}")
            used = numbers(c.index for c in contexts if acl.index in c.acls)
            lines.append(f"  used in lookup context index: {used}")
    return "\n".join(lines)


def _range(words: Words) -> tuple[int, int]:
    """``X`` or ``X-Y``."""
    first, dash, last = words.peek().partition("-")
    if not first.isdecimal() or (dash and not last.isdecimal()) or int(last or first) > 65535:
        raise words.unknown("expecting a port or a range of ports, got")
    words.take()
    return int(first), int(last or first)


def _prefix(words: Words) -> tuple[bool, int, int]:
    found = words.maybe_prefix()
    if found is None:
        raise words.unknown("expecting a prefix, got")
    return found.version == 6, int(found.ip), found.network.prefixlen


class _Lines:
    """Rules as they are typed, comma by comma."""

    def __init__(self, first: Any) -> None:
        self.first = first
        self.rules = [first]

    def next(self) -> None:
        """Another one."""
        self.rules.append(self.first)

    def change(self, **fields: Any) -> None:
        """Of the rule that is being typed."""
        self.rules[-1] = self.rules[-1]._replace(**fields)


def _spread(words: Words) -> Words:
    """With spaces around commas, so that each is a word."""
    return Words(words.rest.replace(",", " , "))


def _checked(rules: list[AclRule]) -> list[AclRule]:
    """Refuse what the API refuses."""
    for rule in rules:
        width = 128 if rule.ip6 else 32
        for address, length in ((rule.src, rule.src_len), (rule.dst, rule.dst_len)):
            if address >> width or address & ((1 << width - length) - 1):
                raise CliError("failed")
        if rule.sport_first > rule.sport_last or rule.dport_first > rule.dport_last:
            raise CliError("failed")
    return rules


def set_acl(cli: DebugCli, words: Words) -> str:
    """Make an ACL of comma-separated rules, or replace one."""
    words = _spread(words)
    index: int | None = None
    tag = "cli"
    made = _Lines(AclRule(1))
    families: dict[int, set[bool]] = {}
    while not words.done:
        if words.accept("index"):
            index = words.take_number("expecting a number, got")
        elif words.accept("permit+reflect"):
            made.change(action=2)
        elif words.accept("permit"):
            made.change(action=1)
        elif words.accept("deny"):
            made.change(action=0)
        elif words.accept("action"):
            made.change(action=words.take_number("expecting an action, got", high=255))
        elif words.accept("count"):
            words.take_number("expecting a number, got")
        elif words.accept("src"):
            ip6, address, length = _prefix(words)
            families.setdefault(len(made.rules), set()).add(ip6)
            made.change(ip6=ip6, src=address, src_len=length)
        elif words.accept("dst"):
            ip6, address, length = _prefix(words)
            families.setdefault(len(made.rules), set()).add(ip6)
            made.change(ip6=ip6, dst=address, dst_len=length)
        elif words.accept("sport"):
            first, last = _range(words)
            made.change(sport_first=first, sport_last=last)
        elif words.accept("dport"):
            first, last = _range(words)
            made.change(dport_first=first, dport_last=last)
        elif words.accept("tcpflags"):
            value = words.take_number("expecting flags, got", high=255)
            words.accept("mask")
            made.change(tcp_flags_value=value, tcp_flags_mask=words.take_number("expecting a mask, got", high=255))
        elif words.accept("proto"):
            made.change(proto=words.take_number("expecting a protocol, got", high=255))
        elif words.accept("tag"):
            tag = words.take_word("expecting a tag, got")
        elif words.accept(","):
            made.next()
        else:
            break
    if any(len(both) > 1 for both in families.values()) or len(tag) > 63:
        raise CliError("failed")
    try:
        number = cli.engine.acls.add_replace(index, tag, _checked(made.rules))
    except AclNotThere:
        raise CliError("failed") from None
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
    """One ACL joins a list of an interface, or leaves it. As in VPP nothing says that it could not."""
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
            break
    if interface is None:
        raise CliError("invalid interface")
    if index is None:
        raise CliError("invalid acl")
    acls = cli.engine.acls
    now = [i for i in (acls.inputs if is_input else acls.outputs)(interface) if i != index]
    wanted = [*now, index] if add else now
    try:
        acls.set_lists(interface, wanted if is_input else None, None if is_input else wanted)
    except (AclNotThere, AclTwice) as error:
        cli.log.add(WARN, "acl_plugin", f"ERROR: {error}")
    return ""


# --- MACIP


def macip_lines(cli: DebugCli, macip: Macip) -> list[str]:
    """A list and its rules; it has no classifier tables here."""
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
    """Make a MACIP list of comma-separated rules."""
    words = _spread(words)
    tag = "cli"
    made = _Lines(MacipRule(1))
    while not words.done:
        if words.accept("permit"):
            made.change(action=1)
        elif words.accept("deny"):
            made.change(action=0)
        elif words.accept("action"):
            made.change(action=words.take_number("expecting an action, got", high=255))
        elif words.accept("ip"):
            ip6, address, length = _prefix(words)
            made.change(ip6=ip6, src=address, src_len=length)
        elif words.accept("src"):
            continue  # all addresses are sources
        elif words.accept("mac"):
            made.change(mac=words.take_mac(), mac_mask=_ALL_BITS)
        elif words.accept("mask"):
            made.change(mac_mask=words.take_mac())
        elif words.accept("tag"):
            tag = words.take_word("expecting a tag, got")
        elif words.accept(","):
            made.next()
        else:
            break
    if len(tag) > 63:
        raise CliError("Failed to set MACIP ACL rule")
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
            break
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
