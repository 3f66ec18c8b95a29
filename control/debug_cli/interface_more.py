"""More of ``set interface``: names, tags, the link, address families, broadcasts, reassembly."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.words import Words
from vectorplane.graph_nodes.ip4_reassembly_control import Reassembly
from vectorplane.graph_nodes.ip4_reassembly_memory import Limits

if TYPE_CHECKING:
    from vectorplane.control.debug_cli.cli import DebugCli


def set_name(cli: DebugCli, words: Words) -> str:
    """Rename an interface."""
    interface = cli.interface(words, "parse error:")
    name = words.take_word("please specify valid interface name")
    try:
        cli.engine.interfaces.rename(interface.sw_if_index, name)
    except ValueError as error:
        raise CliError(str(error)) from None
    return ""


def set_tag(cli: DebugCli, words: Words) -> str:
    """A text that stays with the interface."""
    interface = cli.interface(words, "unknown input")
    interface.tag = words.take_word("unknown input")
    return ""


def clear_tag(cli: DebugCli, words: Words) -> str:
    """Forget it."""
    cli.interface(words, "unknown input").tag = ""
    return ""


def set_directed_broadcast(cli: DebugCli, words: Words) -> str:
    """Whether what is for a prefix's broadcast address goes out as a broadcast."""
    interface = cli.interface(words, "specify an interface:")
    if words.accept("enable"):
        on = True
    elif words.accept("disable"):
        on = False
    else:
        raise words.unknown("unknown input:")
    cli.engine.addresses.set_directed_broadcast(interface.sw_if_index, on)
    return ""


def enable_ip(version: int, on: bool) -> Callable[[DebugCli, Words], str]:
    """`enable ip4 interface` and the like."""

    def enable(cli: DebugCli, words: Words) -> str:
        """Let an interface without addresses take packets of a family, or no longer."""
        index = cli.interface(words).sw_if_index
        if version == 4:
            cli.engine.interfaces.enable_ip4(index, on)
        elif on:
            cli.engine.addresses6.enable(index)
        else:
            cli.engine.addresses6.disable(index)
        return ""

    return enable


def test_link_state(cli: DebugCli, words: Words) -> str:
    """Have the link of an interface come or go."""
    interface = cli.interface(words)
    up = words.accept("up")
    if not up:
        words.accept("down")
    cli.engine.interfaces.set_link(interface.sw_if_index, up)
    return ""


def set_reassembly(cli: DebugCli, words: Words) -> str:
    """Put the IPv4 fragments that an interface receives together, or no longer."""
    index = cli.interface(words, "Invalid interface name").sw_if_index
    if words.accept("on", "ip6"):
        raise CliError("reassembly of IPv6 is not available: ip4 or off")
    if not words.accept("ip4") and words.peek() != "off":
        raise words.unknown("Unknown input")
    cli.engine.reassembly.enable(index, not words.accept("off"))
    return ""


def set_gso(cli: DebugCli, words: Words) -> str:
    """Cut TCP that is still uncut before it leaves by an interface, or no longer (which is what it does unasked)."""
    index, on = None, False
    while not words.done:
        if words.accept("enable"):
            on = True
        elif words.accept("disable"):
            on = False
        else:
            index = cli.interface(words, "unknown input").sw_if_index
    if index is None:
        raise CliError("Interface not specified...")
    cli.engine.gso.enable(index, on)
    return ""


def set_extended(cli: DebugCli, words: Words) -> str:
    """Let shallow virtual reassembly wait for the last fragment as well as for the first, or no longer."""
    versions: set[str] = set()
    on = True
    while not words.done:
        word = words.take()
        if word in ("ip4", "ip6"):
            versions.add(word)
        elif word in ("on", "off"):
            on = word == "on"
        else:
            raise CliError(f"Unknown input `{word}'")
    if versions != {"ip6"}:  # IPv6 is not forwarded: nobody reassembles
        cli.engine.sv_reassembly.use_extended(on)
    return ""


def show_reassembly(cli: DebugCli, words: Words) -> str:
    """How many datagrams are being put together, and the limits."""
    words.accept("details")
    count = cli.engine.plane.shared(Reassembly).count
    return _reassembly(4, "full ", "full ", count, cli.engine.reassembly.limits)


def show_sv_reassembly(cli: DebugCli, words: Words) -> str:
    """Of how many datagrams fragments have come, and the limits."""
    words.accept("details")
    sv = cli.engine.sv_reassembly
    return _reassembly(4, "", "shallow virtual ", sv.count, sv.limits)


def show_reassembly6(cli: DebugCli, words: Words) -> str:
    """The same of IPv6: none ever."""
    words.accept("details")
    return _reassembly(6, "", "full ", 0, cli.engine.ip6_reassembly.full.limits) + "\nBuffers in use: 0"


def show_sv_reassembly6(cli: DebugCli, words: Words) -> str:
    """The same of IPv6: none ever."""
    words.accept("details")
    return _reassembly(6, "", "shallow virtual ", 0, cli.engine.ip6_reassembly.virtual.limits) + "\nBuffers in use: 0"


def _reassembly(version: int, current: str, kind: str, count: int, limits: Limits) -> str:
    rule, what = "---------------------", f"{kind}IP{version} reassembl"
    return "\n".join(
        [
            *(rule, f"IP{version} reassembly status", rule, rule),
            f"Current {current}IP{version} reassemblies count: {count}",
            f"Maximum configured concurrent {what}ies per worker-thread: {limits.max_reassemblies}",
            f"Maximum configured amount of fragments per {what}y: {limits.max_reassembly_length}",
            f"Maximum configured {what}y timeout: {limits.timeout_ms}ms",
            f"Maximum configured {what}y expire walk interval: {limits.expire_walk_interval_ms}ms",
        ]
    )


COMMANDS = (
    Command("set interface name", "set interface name <interface> <if-name>", set_name),
    Command("set interface tag", "set interface tag <interface> <tag>", set_tag),
    Command("clear interface tag", "clear interface tag <interface>", clear_tag),
    Command(
        "set interface ip directed-broadcast",
        "set interface ip directed-broadcast <interface> <enable|disable>",
        set_directed_broadcast,
    ),
    Command("enable ip4 interface", "enable ip4 interface <interface>", enable_ip(4, True)),
    Command("disable ip4 interface", "disable ip4 interface <interface>", enable_ip(4, False)),
    Command("enable ip6 interface", "enable ip6 interface <interface>", enable_ip(6, True)),
    Command("disable ip6 interface", "disable ip6 interface <interface>", enable_ip(6, False)),
    Command("test interface link-state", "test interface link-state <interface> [up] [down]", test_link_state),
    Command("set interface reassembly", "set interface reassembly <interface-name> [off|ip4]", set_reassembly),
    Command("set interface feature gso", "set interface feature gso <intfc> [enable | disable]", set_gso),
    Command("set ip reassembly extended", "set ip reassembly extended [ip4|ip6] [on|off]", set_extended),
    Command("show ip4-full-reassembly", "show ip4-full-reassembly [details]", show_reassembly),
    Command("show ip4-sv-reassembly", "show ip4-sv-reassembly [details]", show_sv_reassembly),
    Command("show ip6-full-reassembly", "show ip6-full-reassembly [details]", show_reassembly6),
    Command("show ip6-sv-reassembly", "show ip6-sv-reassembly [details]", show_sv_reassembly6),
)
