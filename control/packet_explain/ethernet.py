"""ethernet-input: which interface a frame belongs to, and whether it is for this router."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.control.packet_explain.moment import Explainer, Explaining, Moment, Told
from vectorplane.dataplane.interface import ADMIN_UP, L2_MODE, PROMISCUOUS
from vectorplane.graph_nodes.trace_names import ETHERNET_TYPES

if TYPE_CHECKING:
    from vectorplane.backends.engine.interface import Interface

_TAGS = (0x8100, 0x88A8)


def tags_of(frame: bytes) -> tuple[list[int], int]:
    """The VLAN ids of a frame's tags (at most two), and the type behind them."""
    tags: list[int] = []
    at = 12
    while len(tags) < 2 and len(frame) >= at + 4 and int.from_bytes(frame[at : at + 2], "big") in _TAGS:
        tags.append(int.from_bytes(frame[at + 2 : at + 4], "big") & 0xFFF)
        at += 4
    return tags, int.from_bytes(frame[at : at + 2], "big")


def _name(tags: list[int]) -> str:
    return f"VLAN {tags[0]}" if len(tags) == 1 else f"VLANs {tags[0]} and {tags[1]}"


def _takes(sub: Interface) -> str:
    if sub.default_subif:
        return f"{sub.name} (all that no other takes)"
    inner = ["any" if tag == 4095 else str(tag) for tag in sub.tags]
    more = ", and with more tags" if len(inner) == 1 and not sub.exact else ""
    return f"{sub.name} ({'/'.join(inner)}{more})"


def _destination(at: Moment, frame: bytes, port: Interface) -> str:
    mac = frame[:6]
    if mac == b"\xff" * 6:
        return "for everybody (broadcast)"
    if mac[0] & 1:
        return f"for the group {mac.hex(':')}"
    if mac == port.mac:
        return f"for {mac.hex(':')}, the address of {port.name}"
    promiscuous = int(at.engine.interfaces.record(port.sw_if_index)["flags"]) & PROMISCUOUS
    does = f"{port.name} is promiscuous and takes it" if promiscuous else f"{port.name} is not promiscuous"
    return f"for {mac.hex(':')}, not the address of {port.name} ({port.mac.hex(':')}); {does}"


def explain_ethernet(at: Moment) -> Explaining:
    """The tags, the sub-interface, the destination, the type."""
    yield
    interfaces, frame = at.engine.interfaces, at.before.first
    port = interfaces[at.before.rx]
    found = interfaces.by_index.get(at.after.rx, port) if at.after is not None else port
    tags, kind = tags_of(frame)
    kind_name = ETHERNET_TYPES.get(kind, f"0x{kind:04x}")
    facts = {"port": port.name, "interface": found.name, "vlans": tags, "type": kind_name, "error": at.reason}
    lines = []
    if len(frame) < 14:
        return Told([f"the frame has {len(frame)} bytes, an Ethernet header has 14"], facts)
    if not interfaces.is_up(port.sw_if_index):
        return Told([f"{port.name} is down"], facts)
    if tags:
        lines.append(_tagged(at, tags, port, found))
    bridged = int(interfaces.record(found.sw_if_index)["flags"]) & L2_MODE
    if bridged:
        lines.append(f"{found.name} is in L2 mode: it takes frames for any address")
    elif at.reason not in ("unknown vlan", "subinterface down"):
        lines.append(_destination(at, frame, port))
    if at.reason:
        lines.append(f"{at.reason}{f' {kind_name}' if at.reason == 'unknown ethernet type' else ''}")
    elif not bridged:
        lines.append(f"type {kind_name}")
    return Told(lines, facts | {"l2": bool(bridged)})


def _tagged(at: Moment, tags: list[int], port: Interface, found: Interface) -> str:
    if at.reason == "subinterface down":
        wanted = [s for s in at.engine.interfaces.subs.of(port.sw_if_index) if tags[0] in s.tags or s.default_subif]
        down = [s.name for s in wanted if not int(at.engine.interfaces.record(s.sw_if_index)["flags"]) & ADMIN_UP]
        return f"{_name(tags)}: {', '.join(down) or 'the sub-interface'} is down"
    if at.reason == "unknown vlan":
        subs = at.engine.interfaces.subs.of(port.sw_if_index)
        there = f"there are {', '.join(map(_takes, subs))}" if subs else "it has none"
        return f"{_name(tags)}: no sub-interface of {port.name} takes it; {there}"
    if found is port:
        return f"{_name(tags)}: it belongs to {port.name} itself"
    return f"{_name(tags)}: sub-interface {_takes(found)}"


EXPLAINERS = (Explainer(("ethernet-input",), explain_ethernet),)
