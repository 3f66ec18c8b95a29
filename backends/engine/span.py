"""Mirrors: what an interface receives or sends is copied to other interfaces (VPP's SPAN)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.backends.engine.interface import DELETED
from vectorplane.graph_nodes.l2 import features
from vectorplane.graph_nodes.span import DEVICE_RX, DEVICE_TX, L2_RX, L2_TX, MOST_PORTS, SpanTables

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

RX, TX = 1, 2

_TABLES = {(RX, False): DEVICE_RX, (TX, False): DEVICE_TX, (RX, True): L2_RX, (TX, True): L2_TX}


class Spans:
    """The mirrors of an engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._ports: dict[tuple[int, int, bool], list[int]] = {}
        """Mirror ports by (source, `RX` or `TX`, L2?), by number."""
        engine.interfaces.on_change.append(self._interface_changed)

    def set(self, source: int, target: int, state: int, l2: bool = False) -> None:
        """Mirror what ``source`` receives (`RX`), sends (`TX`) or both to ``target``; 0: none of it any more.

        With ``l2`` only what is bridged, by way of the target's L2 output.

        Raises:
            KeyError: no such interface.
            ValueError: the source is the target; or what a tunnel sends is to be mirrored.
            OverflowError: the source has `MOST_PORTS` mirror ports already.
        """
        if source == target:
            raise ValueError(f"interface {source} cannot mirror to itself")
        if state:
            self._engine.interfaces[source]
            self._engine.interfaces[target]
        for way in (RX, TX):
            ports = self._ports.get((source, way, l2), [])
            wanted = sorted({*ports, target}) if state & way else [p for p in ports if p != target]
            if wanted != ports:
                self._write(source, way, l2, wanted)

    def dump(self) -> list[tuple[int, int, int, bool]]:
        """(source, target, state, L2?) of all, sorted."""
        states: dict[tuple[int, int, bool], int] = {}
        for (source, way, l2), ports in self._ports.items():
            for target in ports:
                states[source, target, l2] = states.get((source, target, l2), 0) | way
        return sorted((source, target, state, l2) for (source, target, l2), state in states.items())

    def _write(self, source: int, way: int, l2: bool, ports: list[int]) -> None:
        if len(ports) > MOST_PORTS:
            raise OverflowError(f"interface {source} has {MOST_PORTS} mirror ports already")
        before = bool(self._ports.get((source, way, l2)))
        if bool(ports) != before:
            self._switch(source, way, l2, bool(ports))
        record = self._engine.plane.shared(SpanTables).tables[_TABLES[way, l2], source]
        record["ports"][: len(ports)] = ports
        record["n"] = len(ports)
        if ports:
            self._ports[source, way, l2] = ports
        else:
            self._ports.pop((source, way, l2), None)

    def _switch(self, source: int, way: int, l2: bool, on: bool) -> None:
        """The node that mirrors joins the way of the interface's packets, or leaves it."""
        engine = self._engine
        if l2 and way == RX:
            engine.bridges.set_port_features(source, features.SPAN, on)
        elif l2:
            engine.bridges.set_output_features(source, features.OUT_SPAN, on)
        elif way == RX:
            engine.plane.arcs["device-input"].enable(source, "span-input", on)
        else:
            engine.plane.arcs["interface-output"].enable(source, "span-output", on)

    def _interface_changed(self, sw_if_index: int, what: str) -> None:
        if what == DELETED:
            for source, target, _, l2 in self.dump():
                if sw_if_index in (source, target):
                    self.set(source, target, 0, l2)
