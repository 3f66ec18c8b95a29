"""``show interface`` and ``show hardware-interfaces``: state and counters of interfaces, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vectorplane.dataplane.interface import ADMIN_UP, LINK_UP
from vectorplane.dataplane.show.columns import centre

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

_COMBINED = ("rx", "tx")
_SIMPLE = ("drops", "punt", "ip4", "rx-miss", "rx-error", "tx-error")
_INDENT = 32 + 5 + 10 + 21


def interfaces(plane: Dataplane, name: str | None = None) -> list[dict[str, Any]]:
    """Name, index, state, MTU (largest IPv4 packet; L3, IPv4, IPv6, MPLS as told) and the counters that are not zero,
    of one interface or of all by name.

    Raises:
        KeyError: there is no interface of that name.
    """
    table = plane.interfaces
    if name is not None and name not in table.by_name:
        raise KeyError(f"no interface {name}")
    result = []
    for each in sorted(table.by_name) if name is None else [name]:
        index = table.by_name[each]
        record = table.records[index]
        counters: dict[str, int] = {}
        for c in _COMBINED:
            packets, octets = plane.if_stats[c].total(index)
            if packets:
                counters |= {f"{c} packets": int(packets), f"{c} bytes": int(octets)}
        for c in _SIMPLE:
            count = int(plane.if_stats[c].total(index))
            if count:
                counters[c] = count
        state = "up" if int(record["flags"]) & ADMIN_UP else "down"
        mtus = table.mtus.get(index, [int(record["mtu"]), 0, 0, 0])
        mtu = int(record["mtu"])
        result.append({"name": each, "index": index, "state": state, "mtu": mtu, "mtus": mtus, "counters": counters})
    return result


def show_interface(plane: Dataplane, name: str | None = None) -> str:
    """The same as text."""
    titles = (("Name", 32), ("Idx", 5), ("State", 10), ("MTU (L3/IP4/IP6/MPLS)", 21), ("Counter", 16), ("Count", 16))
    lines = ["".join(centre(title, width) for title, width in titles)]
    for i in interfaces(plane, name):
        mtu = centre("/".join(str(m) for m in i["mtus"]), 21)
        first = f"{i['name']:<32}{centre(i['index'], 5)}{centre(i['state'], 10)}{mtu}"
        counters = [f"{c:<16}{n:16d}" for c, n in i["counters"].items()] or [""]
        lines.append(first + counters[0])
        lines += [" " * _INDENT + c for c in counters[1:]]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def hardware(plane: Dataplane, devices: dict[int, str] | None = None) -> list[dict[str, Any]]:
    """Name, index, link, MAC address and device of every interface that is no sub-interface, by name.

    ``devices`` says by sw_if_index what is behind an interface.
    """
    result = []
    for name in sorted(plane.interfaces.by_name):
        index = plane.interfaces.by_name[name]
        record = plane.interfaces.records[index]
        if int(record["sup"]) != index:
            continue
        link = "up" if int(record["flags"]) & LINK_UP else "down"
        mac = (int(record["mac"]) & 0xFFFFFFFFFFFF).to_bytes(6, "little").hex(":")
        result.append(
            {"name": name, "index": index, "link": link, "mac": mac, "device": (devices or {}).get(index, name)}
        )
    return result


def show_hardware(plane: Dataplane, devices: dict[int, str] | None = None) -> str:
    """The same as text."""
    lines = [centre("Name", 32) + centre("Idx", 6) + centre("Link", 8) + "Hardware"]
    for i in hardware(plane, devices):
        lines += [
            f"{i['name']:<32}{centre(i['index'], 6)}{centre(i['link'], 8)}{i['device']}",
            "  Link speed: unknown",
            f"  Ethernet address {i['mac']}",
        ]
    return "\n".join(lines) + "\n"


def clear_interfaces(plane: Dataplane) -> None:
    """Set the counters of all interfaces to zero; the balance of packets begins anew with them."""
    for vector in plane.if_stats.values():
        vector.clear(slice(0, vector.length))
    for total in plane.gone.values():
        total[:] = 0
