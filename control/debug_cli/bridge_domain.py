"""Bridge domains: made and removed, their flags and limits, the addresses that they answer for, and how they stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vectorplane.backends.engine.l2.bridges import (
    ARP_TERM,
    ARP_UFWD,
    FLOOD,
    FWD,
    LEARN,
    MAX_ID,
    UU_FLOOD,
    DomainInUse,
)
from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.l2_names import feature_line, name_or_na, tag_rewrite_text
from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.words import Words
from vectorplane.dataplane.show.columns import centre
from vectorplane.graph_nodes.l2 import features

if TYPE_CHECKING:
    from vectorplane.backends.engine.l2.domain import Domain
    from vectorplane.control.debug_cli.cli import DebugCli

_MOST_TAG = 63
_DEFAULT = "No operations on the default bridge domain are supported"
_HEAD = (
    ("BD-ID", 8),
    ("Index", 7),
    ("BSN", 4),
    ("Age(min)", 9),
    ("Learning", 9),
    ("U-Forwrd", 9),
    ("UU-Flood", 11),
    ("Flooding", 9),
    ("ARP-Term", 9),
    ("arp-ufwd", 9),
    ("Learn-count", 8),
    ("Learn-limit", 8),
    ("BVI-Intf", 11),
)
_MEMBER_HEAD = (
    ("Interface", 30),
    ("If-idx", 7),
    ("ISN", 5),
    ("SHG", 5),
    ("BVI", 5),
    ("TxFlood", 9),
    ("VLAN-Tag-Rewrite", 30),
)


def create_domain(cli: DebugCli, words: Words) -> str:
    """A bridge domain, by number or the next free one; ``del``: remove it."""
    number, add, tag = None, True, ""
    options = {"flood": 1, "uu-flood": 1, "forward": 1, "learn": 1, "arp-term": 0, "arp-ufwd": 0, "mac-age": 0}
    while not words.done:
        option = words.peek()
        if (found := words.maybe_number()) is not None:
            number = found
        elif option in options:
            words.take()
            options[option] = words.take_number("unknown input")
        elif words.accept("bd-tag"):
            tag = words.take_word("unknown input")
        elif words.accept("del"):
            add = False
        else:
            raise words.unknown()
    bridges = cli.engine.bridges
    if number is None and not add:
        raise CliError("bridge-domain-id not specified")
    number = bridges.unused_id() if number is None else number
    if number == 0:
        raise CliError("bridge domain 0 can not be modified")
    if options["mac-age"] > 255:
        raise CliError("mac age must be less than 256")
    if len(tag) > _MOST_TAG:
        raise CliError("bd-tag cannot be longer than 63")
    if number > MAX_ID:
        raise CliError("bridge domain ID exceed 16M limit")
    if not add:
        return _delete(cli, number)
    if number in bridges.domains:  # VPP sets the flags of one that is there, too
        _change(cli, number, options, tag)
    else:
        flags = {name.replace("-", "_"): bool(value) for name, value in options.items() if name != "mac-age"}
        bridges.create(number, mac_age=options["mac-age"], tag=tag, **flags)
    return f"bridge-domain {number}"


def _delete(cli: DebugCli, number: int) -> str:
    try:
        cli.engine.bridges.delete(number)
    except DomainInUse:
        raise CliError("bridge domain in use - remove members") from None
    except KeyError:
        raise CliError("bridge domain ID does not exist") from None
    return ""


def _change(cli: DebugCli, number: int, options: dict[str, int], tag: str) -> None:
    bridges = cli.engine.bridges
    bits = {
        "flood": FLOOD,
        "uu-flood": UU_FLOOD,
        "forward": FWD,
        "learn": LEARN,
        "arp-term": ARP_TERM,
        "arp-ufwd": ARP_UFWD,
    }
    for name, bit in bits.items():
        bridges.set_flags(number, bit, bool(options[name]))
    bridges.set_mac_age(number, options["mac-age"])
    bridges[number].tag = tag


def take_domain(cli: DebugCli, words: Words) -> Domain:
    """The bridge domain whose number comes next.

    Raises:
        CliError: no number, or there is no such domain.
    """
    number = words.take_number("expecting bridge-domain id but got")
    if number == 0:
        raise CliError(_DEFAULT)
    if number not in cli.engine.bridges.domains:
        raise CliError(f"No such bridge domain {number}")
    return cli.engine.bridges[number]


def set_flag(flag: int) -> Callable[[DebugCli, Words], str]:
    """`set bridge-domain learn` and the like."""

    def run(cli: DebugCli, words: Words) -> str:
        """Switch it on, or off."""
        domain = take_domain(cli, words)
        cli.engine.bridges.set_flags(domain.id, flag, not words.accept("disable"))
        return ""

    return run


def set_mac_age(cli: DebugCli, words: Words) -> str:
    """After how many minutes learnt addresses are forgotten."""
    domain = take_domain(cli, words)
    age = words.take_number("expecting ageing time in minutes but got")
    if age > 255:
        raise CliError("mac aging time cannot be bigger than 255")
    cli.engine.bridges.set_mac_age(domain.id, age)
    return ""


def set_learn_limit(cli: DebugCli, words: Words) -> str:
    """How many addresses a domain learns."""
    domain = take_domain(cli, words)
    limit = words.take_number("expecting maxium number of learned entries but got")
    cli.engine.bridges.set_learn_limit(domain.id, limit)
    return ""


def set_default_learn_limit(cli: DebugCli, words: Words) -> str:
    """The same of domains that come."""
    cli.engine.bridges.default_learn_limit = words.take_number(
        "expecting per bridge-domain max number of learned MAC addresses but got"
    )
    return ""


def arp_entry(cli: DebugCli, words: Words) -> str:
    """Answer ARP requests for an address, or no longer; ``del-all``: for none."""
    domain = take_domain(cli, words)
    bridges = cli.engine.bridges
    if words.accept("del-all"):
        bridges.flush_ip_macs(domain.id)
        return ""
    address = words.maybe_address()
    if address is None:
        raise words.unknown("expecting IP address but got")
    mac = words.take_mac("expecting MAC address but got")
    if not words.accept("del"):
        bridges.set_ip_mac(domain.id, address, mac)
    elif not bridges.remove_ip_mac(domain.id, address, mac):
        raise CliError(f"MAC del for IP {address} and MAC {mac.hex(':')} failed")
    return ""


def show_domain(cli: DebugCli, words: Words) -> str:
    """All bridge domains; or one, with its features, ports and addresses."""
    bridges = cli.engine.bridges
    detail = ports = arp = tag = False
    domains = [bridges.by_index[index] for index in sorted(bridges.by_index)]
    if not words.done:
        domains = [take_domain(cli, words)]
        detail = words.accept("detail", "det")
        ports, arp, tag = (words.accept(word) for word in ("int", "arp", "bd-tag"))
    if not domains:
        return "no bridge-domains in use"
    lines = ["".join(_centred(name, width) for name, width in _HEAD)]
    for domain in domains:
        lines.append(_row(cli, domain))
        if detail:
            lines.append(feature_line(domain.feature_bitmap))
        if detail or ports:
            lines += _members(cli, domain)
        if (detail or arp) and domain.arp_term:
            lines += ["", "  IP4/IP6 to MAC table for ARP Termination"]
            pairs = sorted(domain.ip_macs.items(), key=lambda p: (p[0].version, int(p[0])))
            lines += [f"{centre(a, 40)} => {centre(mac.hex(':'), 20)}" for a, mac in pairs]
        if (detail or tag) and domain.tag:
            lines += ["", f"  BD-Tag: {domain.tag}"]
    return "\n".join(lines)


def _centred(value: object, width: int) -> str:
    """A column and the space behind it."""
    return centre(value, width) + " "


def _row(cli: DebugCli, domain: Domain) -> str:
    unknown = "flood" if domain.uu_flood else "drop"
    if domain.has(features.UU_FWD):
        unknown = name_or_na(cli, domain.uu_fwd)
    switches = [domain.learn, domain.forward, unknown, domain.flood, domain.arp_term, domain.arp_ufwd]
    shown = [s if isinstance(s, str) else "on" if s else "off" for s in switches]
    counts = cli.engine.bridges.learn_count(domain), domain.learn_limit
    values = [domain.id, domain.index, domain.seq, domain.mac_age or "off", *shown, *counts]
    cells = zip([*values, name_or_na(cli, domain.bvi)], (width for _, width in _HEAD), strict=True)
    return "".join(_centred(value, width) for value, width in cells).removesuffix(" ")


def _members(cli: DebugCli, domain: Domain) -> list[str]:
    rows: list[tuple[object, ...]] = []
    for n, member in enumerate(domain.members):
        index = member.sw_if_index
        sequence = cli.engine.bridges.sequence(index)
        rewrite = tag_rewrite_text(cli.engine.tag_rewrites.get(index))
        marks = "*" if member.is_bvi else "-", "*" if n < domain.flood_count else "-"
        rows.append((cli.name_of(index), index, sequence, member.shg, *marks, rewrite))
    lines = ["", "".join(centre(name, width) for name, width in _MEMBER_HEAD)] if rows else []
    if domain.uu_fwd >= 0:
        rows.append((cli.name_of(domain.uu_fwd), domain.uu_fwd, 0, 0, "uu", "-", "None"))
    for row in rows:
        lines.append("".join(centre(v, w) for v, (_, w) in zip(row, _MEMBER_HEAD, strict=True)))
    return lines


_ID = "<bridge-domain-id>"
COMMANDS = (
    Command(
        "create bridge-domain",
        f"create bridge-domain {_ID} [learn <0|1>] [forward <0|1>] [uu-flood <0|1>] [flood <0|1>] [arp-term <0|1>] "
        "[arp-ufwd <0|1>] [mac-age <nn>] [bd-tag <tag>] [del]",
        create_domain,
    ),
    Command("set bridge-domain learn", f"set bridge-domain learn {_ID} [disable]", set_flag(LEARN)),
    Command("set bridge-domain forward", f"set bridge-domain forward {_ID} [disable]", set_flag(FWD)),
    Command("set bridge-domain flood", f"set bridge-domain flood {_ID} [disable]", set_flag(FLOOD)),
    Command("set bridge-domain uu-flood", f"set bridge-domain uu-flood {_ID} [disable]", set_flag(UU_FLOOD)),
    Command("set bridge-domain arp-ufwd", f"set bridge-domain arp-ufwd {_ID} [disable]", set_flag(ARP_UFWD)),
    Command("set bridge-domain arp term", f"set bridge-domain arp term {_ID} [disable]", set_flag(ARP_TERM)),
    Command(
        "set bridge-domain arp entry",
        f"set bridge-domain arp entry {_ID} [<ip-addr> <mac-addr> [del] | del-all]",
        arp_entry,
    ),
    Command("set bridge-domain mac-age", f"set bridge-domain mac-age {_ID} <mins>", set_mac_age),
    Command("set bridge-domain learn-limit", f"set bridge-domain learn-limit {_ID} <learn-limit>", set_learn_limit),
    Command(
        "set bridge-domain default-learn-limit",
        "set bridge-domain default-learn-limit <maxentries>",
        set_default_learn_limit,
    ),
    Command("show bridge-domain", "show bridge-domain [bridge-domain-id [detail|int|arp|bd-tag]]", show_domain),
)
