"""Needs that several kinds have."""

from __future__ import annotations

from vectorplane.backends.items import Path
from vectorplane.control.descriptors.need import SETTLED, Need


def interface(name: str) -> Need:
    """The interface of that name, of whatever kind."""
    return Need(f"interface/{name}", text=f"interface {name}")


def table(number: int, ip6: bool) -> tuple[Need, ...]:
    """That table; nothing for table 0, which is always there."""
    if number <= 0:
        return ()
    family = "ip6" if ip6 else "ip4"
    return (Need(f"table/{family}/{number}", text=f"{'IPv6' if ip6 else 'IPv4'} table {number}"),)


def settled_table(name: str, ip6: bool) -> Need:
    """The interface is in its table already: backends refuse to change the table of one that has addresses."""
    return Need(f"interface/{name}/{'table6' if ip6 else 'table'}", SETTLED, f"interface {name} in its table")


def paths(ways: tuple[Path, ...], ip6: bool) -> tuple[Need, ...]:
    """The interfaces and tables of paths; next hops need nothing."""
    needs: tuple[Need, ...] = ()
    for path in ways:
        if path.interface:
            needs += (interface(path.interface),)
        needs += table(path.table, ip6)
    return needs


def bridge_domain(number: int) -> Need:
    """That bridge domain."""
    return Need(f"bridge/{number}", text=f"bridge domain {number}")


def settled_port(name: str) -> Need:
    """The interface is in L2 as it should be: what belongs to a port does not outlast a change of it."""
    return Need(f"interface/{name}/l2", SETTLED, f"interface {name} in its bridge domain")
