"""Needs that several kinds have."""

from __future__ import annotations

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
