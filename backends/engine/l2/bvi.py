"""BVI interfaces ``bviN``: a bridge domain's way to L3. Numbers and MAC addresses are VPP's."""

from __future__ import annotations

import re
from itertools import count
from typing import TYPE_CHECKING

from vectorplane.backends.engine.device import Device
from vectorplane.backends.engine.loopback import MAX_INSTANCES, InstanceInUse

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.interfaces import Interface


class BviDevice(Device):
    """The device of a BVI interface."""

    kind = "BVI"
    tx_node = "bvi-tx"
    looped = True
    flood_class = "bvi"

    def default_mac(self, sw_if_index: int, name: str) -> bytes:
        """``b0:b0:00:00:00:NN`` for ``bviNN``."""
        found = re.fullmatch(r"bvi(\d+)", name)
        return bytes.fromhex("b0b0000000") + bytes([(int(found[1]) if found else sw_if_index) & 0xFF])


def create_bvi(engine: Engine, *, mac: bytes | None = None, instance: int | None = None) -> Interface:
    """``bviN``, down, with N ``instance`` or the lowest that is free.

    Raises:
        InstanceInUse: there is no such instance to be had.
    """
    names = engine.plane.interfaces.by_name
    if instance is None:
        instance = next(i for i in count() if f"bvi{i}" not in names)
    if f"bvi{instance}" in names or not 0 <= instance < MAX_INSTANCES:
        raise InstanceInUse(f"BVI {instance} is in use, or not within 0 to {MAX_INSTANCES - 1}")
    mac = mac if mac is not None and any(mac) else None
    return engine.interfaces.add(f"bvi{instance}", mac=mac, device=BviDevice())


def delete_bvi(engine: Engine, sw_if_index: int) -> None:
    """Remove a BVI interface.

    Raises:
        KeyError: there is no such interface, or it is not a BVI.
    """
    interface = engine.interfaces[sw_if_index]
    if not isinstance(interface.device, BviDevice):
        raise KeyError(f"interface {interface.name} is not a BVI")
    engine.interfaces.remove(interface.sup)
