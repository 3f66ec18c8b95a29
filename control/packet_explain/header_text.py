"""The headers of a packet in a few lines, and what differs between those of two packets."""

from __future__ import annotations

from vectorplane.control.packet_explain.headers import ETHERNET, IP4, IP6, TAGS, Layer, layers


def summary(data: bytes, kind: str = ETHERNET) -> list[str]:
    """A line for each pair of an Ethernet header and what it carries, outermost first."""
    lines: list[str] = []
    for layer in layers(data, kind):
        f = layer.fields
        if layer.name == ETHERNET:
            lines.append(f"{f['source']} -> {f['destination']}")
        elif layer.name in TAGS.values():
            lines[-1] += f" {layer.name} vlan {f['vlan']}"
        elif layer.name in (IP4, IP6):
            ttl = f"ttl {f['ttl']}" if layer.name == IP4 else f"hop limit {f['hop limit']}"
            fragment = f", fragment at {f['fragment']}" if "fragment" in f else ""
            lines.append(f"{f['protocol']} {f['source']} -> {f['destination']}, {ttl}, {f['length']} bytes{fragment}")
        elif layer.name in ("tcp", "udp"):
            lines[-1] = _with_ports(lines[-1], f)
        else:
            text = f"{layer.name} {' '.join(f'{k} {v}' for k, v in f.items() if k != 'operation')}"
            lines.append(text if "operation" not in f else f"arp {f['operation']} {f['sender']} -> {f['target']}")
    return lines or [f"too short for an {'Ethernet' if kind == ETHERNET else 'IP'} header"]


def _with_ports(line: str, f: dict[str, str | int]) -> str:
    """``tcp 10.0.0.1:1234 -> 10.0.0.2:80 flags S, ttl 64``."""
    head, _, rest = line.partition(", ")
    protocol, source, arrow, destination = head.split(" ")
    if ":" in source:
        source, destination = f"[{source}]", f"[{destination}]"
    flags = f" flags {f['flags']}" if "flags" in f else ""
    return f"{protocol} {source}:{f['source port']} {arrow} {destination}:{f['destination port']}{flags}, {rest}"


def _one(layer: Layer) -> str:
    return f"{layer.name} ({', '.join(f'{k} {v}' for k, v in layer.fields.items())})"


def _as_deep(some: list[Layer], other: list[Layer]) -> list[Layer]:
    """``some`` without what is in the packet of which ``other`` is a later fragment: a fragment has no such headers."""
    if not other or not other[-1].fields.get("fragment"):
        return some
    ends = [i for i, layer in enumerate(some) if layer.name == other[-1].name]
    return some[: ends[-1] + 1] if ends else some


def difference(before: list[Layer], after: list[Layer]) -> list[str]:
    """What became of a packet's headers, a line each: what changed, what was put in front, what was taken off.

    The same headers are found from the innermost outwards: a tunnel's are in front of them.
    """
    before, after = _as_deep(before, after), _as_deep(after, before)
    inner = 0
    while inner < min(len(before), len(after)) and before[-1 - inner].name == after[-1 - inner].name:
        inner += 1
    old, new = before[: len(before) - inner], after[: len(after) - inner]
    outer = 0
    while outer < min(len(old), len(new)) and old[outer].name == new[outer].name:
        outer += 1
    pairs = [*zip(old[:outer], new[:outer], strict=True)]
    pairs += zip(before[len(before) - inner :], after[len(after) - inner :], strict=True)
    lines = [f"taken off: {_one(layer)}" for layer in old[outer:]]
    lines += [f"put in front: {_one(layer)}" for layer in new[outer:]]
    for a, b in pairs:
        for name in dict.fromkeys((*a.fields, *b.fields)):
            x, y = a.fields.get(name), b.fields.get(name)
            if x != y:
                lines.append(f"{a.name} {name} {'none' if x is None else x} -> {'none' if y is None else y}")
    return lines
