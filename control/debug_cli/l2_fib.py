"""The MAC table of bridge domains: entries, flushes, the scan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.control.debug_cli.bridge_domain import take_domain
from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.l2_names import name_or_na
from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.words import Words
from vectorplane.dataplane.show.columns import centre, scientific

if TYPE_CHECKING:
    from vectorplane.backends.engine.l2.l2fib import Entry
    from vectorplane.control.debug_cli.cli import DebugCli

_HEAD = (
    ("Mac-Address", 19),
    ("BD-Idx", 7),
    ("If-Idx", 7),
    ("BSN-ISN", 8),
    ("Age(min)", 9),
    ("static", 7),
    ("filter", 7),
    ("bvi", 5),
    ("Interface-Name", 30),
)


def show_l2fib(cli: DebugCli, words: Words) -> str:
    """How many entries there are, or which."""
    verbose = learn = add = False
    index = None
    while not words.done:
        if words.accept("verbose", "all"):
            verbose = True
        elif words.accept("learn"):
            verbose, learn, add = True, True, False
        elif words.accept("add"):
            verbose, learn, add = True, False, True
        elif words.accept("bd_index"):
            verbose, index = True, words.take_number("unknown input")
        elif words.accept("bd_id"):
            number = words.take_number("unknown input")
            if number not in cli.engine.bridges.domains:
                raise CliError(f"bridge domain id {number} doesn't exist\n")
            verbose, index = True, cli.engine.bridges[number].index
        else:
            raise words.unknown()
    fib = cli.engine.l2fib
    entries = list(fib.dump())
    if not entries:
        return "no l2fib entries"
    lines = ["".join(centre(name, width) for name, width in _HEAD)] if verbose else []
    for entry in entries if verbose else ():
        if index in (None, entry.bd_index) and not (learn and entry.age_not) and not (add and not entry.age_not):
            lines.append(_row(cli, entry))
    duration = scientific(fib.scan_seconds, 4)
    lines.append(
        f"L2FIB total/learned entries: {len(entries)}/{fib.learn_count}  Last scan time: {duration}sec  "
        f"Learn limit: {fib.learn_limit} "
    )
    if fib.watcher_pid:
        lines.append(
            f"L2MAC events client PID: {fib.watcher_pid}  Last e-scan time: "
            f"{scientific(fib.event_scan_seconds, 4)}sec  Delay: {scientific(fib.scan_delay, 2)}sec  "
            f"Max macs in event: {fib.max_macs}"
        )
    return "\n".join(lines)


def _row(cli: DebugCli, entry: Entry) -> str:
    domain = cli.engine.bridges.by_index.get(entry.bd_index)
    if entry.age_not:
        age = "no"
    elif domain is None or domain.mac_age == 0:
        age = "-"
    else:
        age = str((cli.engine.l2fib.now_minutes - entry.minute) & 0xFF)
    marks = ["*" if mark else "-" for mark in (entry.static, entry.filter, entry.bvi)]
    return (
        f"{centre(entry.mac.hex(':'), 19)}{centre(entry.bd_index, 7)}{centre(entry.sw_if_index, 7)} "
        f"{entry.sn >> 8:3d}/{entry.sn & 0xFF:<3d}{centre(age, 9)}{centre(marks[0], 7)}{centre(marks[1], 7)}"
        f"{centre(marks[2], 5)}{centre(name_or_na(cli, entry.sw_if_index), 30)}"
    )


def _mac_and_domain(cli: DebugCli, words: Words) -> tuple[bytes, int]:
    mac = words.take_mac("expected mac address")
    number = words.take_number("expected bridge domain ID")
    if number not in cli.engine.bridges.domains:
        raise CliError(f"bridge domain ID {number} invalid")
    return mac, number


def add_entry(cli: DebugCli, words: Words) -> str:
    """An entry that does not age: of a port, ``static`` (it does not move), the BVI's, or a filter."""
    mac, domain = _mac_and_domain(cli, words)
    if words.accept("filter"):
        cli.engine.l2fib.add_filter(domain, mac)
        return ""
    index = cli.interface(words).sw_if_index
    static = words.accept("static")
    bvi = not static and words.accept("bvi")
    cli.engine.l2fib.add(domain, mac, index, static=static or bvi, bvi=bvi)
    return ""


def delete_entry(cli: DebugCli, words: Words) -> str:
    """Remove an entry."""
    mac, domain = _mac_and_domain(cli, words)
    try:
        cli.engine.l2fib.remove(domain, mac)
    except KeyError:
        raise CliError("mac entry not found") from None
    return ""


def clear(cli: DebugCli, words: Words) -> str:
    """Remove all entries, also those that were provisioned."""
    cli.engine.l2fib.clear()
    return ""


def scan_delay(cli: DebugCli, words: Words) -> str:
    """How long to wait between two scans for MAC events, in 1/100 s; all that was learnt is flushed."""
    cli.engine.l2fib.set_scan_delay(words.take_number("expecting delay but got") * 10e-3)
    cli.engine.l2fib.flush_all()
    return ""


def flush_all(cli: DebugCli, words: Words) -> str:
    """Forget what was learnt."""
    cli.engine.l2fib.flush_all()
    return ""


def flush_interface(cli: DebugCli, words: Words) -> str:
    """Forget what was learnt on an interface."""
    cli.engine.l2fib.flush_interface(cli.interface(words).sw_if_index)
    return ""


def flush_domain(cli: DebugCli, words: Words) -> str:
    """Forget what was learnt in a bridge domain."""
    cli.engine.l2fib.flush_domain(take_domain(cli, words).id)
    return ""


COMMANDS = (
    Command("show l2fib", "show l2fib [all] | [bd_id <nn> | bd_index <nn>] [learn | add]", show_l2fib),
    Command("l2fib add", "l2fib add <mac> <bridge-domain-id> filter | <intf> [static | bvi]", add_entry),
    Command("l2fib del", "l2fib del <mac> <bridge-domain-id> []", delete_entry),
    Command("clear l2fib", "clear l2fib", clear),
    Command("set l2fib scan-delay", "set l2fib scan-delay <delay>", scan_delay),
    Command("l2fib flush-mac all", "l2fib flush-mac all", flush_all),
    Command("l2fib flush-mac interface", "l2fib flush-mac interface <if-name>", flush_interface),
    Command("l2fib flush-mac bridge-domain", "l2fib flush-mac bridge-domain <bd-id>", flush_domain),
)
