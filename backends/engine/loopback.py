"""Loopback interfaces ``loopN``: what one transmits it receives. Numbers and MAC addresses are VPP's."""

from __future__ import annotations

import re
from itertools import count
from typing import TYPE_CHECKING

from vectorplane.backends.engine.device import Device

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.interfaces import Interface

MAX_INSTANCES = 16384


class LoopbackDevice(Device):
    """The device of a loopback interface."""

    kind = "Loopback"
    tx_node = "loopback-tx"
    looped = True
    _engine: Engine | None = None
    _sw_if_index = -1

    def attach(self, engine: Engine, sw_if_index: int) -> None:
        """Remember whose it is."""
        self._engine, self._sw_if_index = engine, sw_if_index

    def joins_l2(self) -> None:
        """What it transmits may have to go to l2-input."""
        assert self._engine is not None
        graph = self._engine.plane.graph
        node = graph[f"{self._engine.interfaces[self._sw_if_index].name}-tx"]
        node.data["l2_input"] = graph.add_next(node, "l2-input")

    def default_mac(self, sw_if_index: int, name: str) -> bytes:
        """``de:ad:00:00:00:NN`` for ``loopNN``."""
        found = re.fullmatch(r"loop(\d+)", name)
        return bytes.fromhex("dead000000") + bytes([(int(found[1]) if found else sw_if_index) & 0xFF])


class InstanceInUse(ValueError):
    """The loopback with this number is there, or there can be no such number."""


def create_loopback(engine: Engine, *, mac: bytes | None = None, instance: int | None = None) -> Interface:
    """``loopN``, down, with N ``instance`` or the lowest that is free.

    Raises:
        InstanceInUse: there is no such instance to be had.
    """
    names = engine.plane.interfaces.by_name
    if instance is None:
        instance = next(i for i in count() if f"loop{i}" not in names)
    if f"loop{instance}" in names or not 0 <= instance < MAX_INSTANCES:
        raise InstanceInUse(f"loopback {instance} is in use, or not within 0 to {MAX_INSTANCES - 1}")
    mac = mac if mac is not None and any(mac) else None
    return engine.interfaces.add(f"loop{instance}", mac=mac, device=LoopbackDevice())


def delete_loopback(engine: Engine, sw_if_index: int) -> None:
    """Remove a loopback with its sub-interfaces (one of these stands for its loopback, as in VPP).

    Raises:
        KeyError: there is no such interface, or it is not a loopback.
    """
    interface = engine.interfaces[sw_if_index]
    if not isinstance(interface.device, LoopbackDevice):
        raise KeyError(f"interface {interface.name} is not a loopback")
    engine.interfaces.remove(interface.sup)
