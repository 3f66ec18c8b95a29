"""The network between the nodes: a switch, which is an engine of its own with a bridge domain of simulated ports."""

from __future__ import annotations

from vectorplane.backends.devices import options
from vectorplane.backends.engine.backend import EngineBackend
from vectorplane.backends.engine.devices import DeviceMaker
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.sim_nic import SimNic
from vectorplane.backends.items import BridgeDomain, BridgePort, Interface, InterfaceUp, Item
from vectorplane.control.scheduler import Scheduler
from vectorplane.control.transactions.change import Change

_DOMAIN = 1
_BUFFERS = 4096


class Wire:
    """``plug`` gives a port of the switch; whoever is at its other end is on the network then."""

    def __init__(self, seed: int = 1) -> None:
        self.engine = Engine(clock="virtual", buffers=_BUFFERS, seed=seed)
        self._maker = DeviceMaker()
        self._scheduler = Scheduler(EngineBackend(self.engine, self._maker))
        self._commit(BridgeDomain(_DOMAIN))

    def plug(self, name: str) -> SimNic:
        """A new port. Raises ValueError: there is one of that name."""
        if name in self._maker.ports:
            raise ValueError(f"the switch has a port {name} already")
        self._commit(*_port(name))
        return self._maker.ports[name]

    def unplug(self, name: str) -> None:
        """That port is gone, and what waits in it."""
        change = Change("wire")
        for item in _port(name):
            change.drop(item.key)
        self._scheduler.commit(change)
        self._maker.ports.pop(name, None)

    def close(self) -> None:
        """Release its memory."""
        self.engine.close()

    def _commit(self, *wanted: Item) -> None:
        change = Change("wire")
        change.put_all(wanted)
        record = self._scheduler.commit(change)
        if record.failures:
            raise RuntimeError(f"the switch refused {record.failures[0][0].key}: {record.failures[0][1]}")


def _port(name: str) -> tuple[Item, ...]:
    return Interface(name, "sim", options("sim")), BridgePort(name, _DOMAIN), InterfaceUp(name)
