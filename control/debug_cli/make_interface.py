"""Interfaces come and go: loopbacks and VLAN sub-interfaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.backends.engine import sub_interfaces as sub
from vectorplane.backends.engine.loopback import InstanceInUse, create_loopback, delete_loopback
from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.words import Words

if TYPE_CHECKING:
    from vectorplane.control.debug_cli.cli import DebugCli

_MOST = 4096
"""Most sub-interfaces of one command."""


def create_loop(cli: DebugCli, words: Words) -> str:
    """A loopback; prints its name."""
    mac = instance = None
    while not words.done:
        if words.accept("mac"):
            mac = words.take_mac()
        elif words.accept("instance"):
            instance = words.take_number("expected instance, got")
        else:
            raise words.unknown()
    try:
        return create_loopback(cli.engine, mac=mac, instance=instance).name
    except InstanceInUse:
        raise CliError("vnet_create_loopback_interface failed") from None


def delete_loop(cli: DebugCli, words: Words) -> str:
    """Remove a loopback."""
    if not words.accept("intfc"):
        raise CliError("interface not specified")
    interface = cli.interface(words, "interface not specified:")
    try:
        delete_loopback(cli.engine, interface.sw_if_index)
    except KeyError:
        raise CliError("vnet_delete_loopback_interface failed") from None
    return ""


def create_sub(cli: DebugCli, words: Words) -> str:
    """One sub-interface, or one for each number of a range; prints the names."""
    parent = cli.interface(words)
    at = words.at
    low_text, dash, high_text = words.take().partition("-")
    if not low_text.isdecimal() or (dash and not high_text.isdecimal()) or len(low_text + high_text) > 18:
        words.at = at
        raise words.unknown("expected ID or ID MIN-MAX, got")
    low, high = int(low_text), int(high_text or low_text)
    if not low <= high < low + _MOST:
        words.at = at
        raise words.unknown("expected ID or ID MIN-MAX, got")
    flags, outer, inner = (sub.ONE_TAG | sub.EXACT, -1, 0) if dash else _kind(words)
    made = []
    known = {i.sub_id for i in cli.engine.interfaces.by_index.values() if i.is_sub and i.sup == parent.sup}
    for number in range(low, high + 1):
        if number not in known:  # VPP passes over those that are there
            vlan = number if outer < 0 else outer
            try:
                made.append(cli.engine.interfaces.create_sub(parent.name, number, flags, vlan, inner).name)
            except sub.SubInterfaceRefused as error:
                raise CliError(str(error), "".join(f"{name}\n" for name in made)) from None
    return "\n".join(made)


def _kind(words: Words) -> tuple[int, int, int]:
    """Flags, outer VLAN (-1: as the number says), inner VLAN."""
    if words.done:
        return sub.ONE_TAG | sub.EXACT, -1, 0
    if words.accept("default"):
        return sub.DEFAULT, 0, 0
    if words.accept("untagged"):
        return sub.NO_TAGS | sub.EXACT, 0, 0
    if words.accept("dot1q"):
        flags = 0
    elif words.accept("dot1ad"):
        flags = sub.DOT1AD
    else:
        raise words.unknown()
    inner = 0
    outer = _vlan(words)
    flags |= sub.OUTER_ANY if outer is None else 0
    if words.accept("inner-dot1q"):
        found = _vlan(words)
        flags |= sub.TWO_TAGS | (sub.INNER_ANY_FLAG if found is None else 0)
        inner = found or 0
    else:
        flags |= sub.ONE_TAG
    flags |= sub.EXACT if words.accept("exact-match") else 0
    return flags, outer or 0, inner


def _vlan(words: Words) -> int | None:
    """A VLAN id; None: any."""
    return None if words.accept("any") else words.take_number("expected dot1q config, got", 0, 4095)


def delete_sub(cli: DebugCli, words: Words) -> str:
    """Remove a sub-interface."""
    interface = cli.interface(words, "interface doesn't exist:")
    if not interface.is_sub:
        raise CliError("delete_subinterface_interface failed")
    cli.engine.interfaces.remove(interface.sw_if_index)
    return ""


_CREATE = "[mac <mac-addr>] [instance <instance>]"
COMMANDS = (
    Command("loopback create-interface", f"loopback create-interface {_CREATE}", create_loop),
    Command("create loopback interface", f"create loopback interface {_CREATE}", create_loop),
    Command("loopback delete-interface", "loopback delete-interface intfc <interface>", delete_loop),
    Command("delete loopback interface", "delete loopback interface intfc <interface>", delete_loop),
    Command(
        "create sub-interfaces",
        "create sub-interfaces <interface> {<subId> [default|untagged]} | {<subId>-<subId>} | "
        "{<subId> dot1q|dot1ad <vlanId>|any [inner-dot1q <vlanId>|any] [exact-match]}",
        create_sub,
    ),
    Command("delete sub-interface", "delete sub-interface <interface>", delete_sub),
)
