"""Taps ``tapN`` as VPP's API makes them: numbers, names, and which there are."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING

from vectorplane.backends.engine.tap.device import TapDevice

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.interfaces import Interface

MAX_ID = 1024
"""``TAP_MAX_INSTANCE`` of VPP."""


class TapIdInUse(ValueError):
    """There is a tap of that number, or no such number."""


def free_id(engine: Engine, wanted: int | None) -> int:
    """The number of a new tap: the one that is wanted, else the lowest that is free.

    Raises:
        TapIdInUse: it can't be had.
    """
    names = engine.plane.interfaces.by_name
    if wanted is None:
        wanted = next(i for i in count() if f"tap{i}" not in names)
    if f"tap{wanted}" in names or not 0 <= wanted <= MAX_ID:
        raise TapIdInUse(f"tap {wanted} is in use, or not within 0 to {MAX_ID}")
    return wanted


def create_tap(engine: Engine, number: int, device: TapDevice, mac: bytes | None = None) -> Interface:
    """``tapN``, down. Raises OSError: the host interface can't be had."""
    return engine.interfaces.add(f"tap{number}", mac=mac, device=device)


def taps(engine: Engine) -> Iterator[tuple[Interface, TapDevice]]:
    """All of them, in the order of their sw_if_index."""
    for _, interface in sorted(engine.interfaces.by_index.items()):
        if isinstance(interface.device, TapDevice) and not interface.is_sub:
            yield interface, interface.device


def delete_tap(engine: Engine, sw_if_index: int) -> None:
    """Remove a tap with its sub-interfaces.

    Raises:
        KeyError: there is no such interface, or it is no tap.
    """
    interface = engine.interfaces[sw_if_index]
    if not isinstance(interface.device, TapDevice):
        raise KeyError(f"{interface.name} is no tap")
    engine.interfaces.remove(interface.sup)
