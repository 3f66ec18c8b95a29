"""Interfaces with devices of their own."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.base import BackendError
from vectorplane.backends.devices import options
from vectorplane.backends.engine.devices import KINDS
from vectorplane.backends.engine.host.makers import HOST_MAKERS
from vectorplane.backends.engine.interfaces import Interface as EngineInterface
from vectorplane.backends.engine.kinds.kind import Kind
from vectorplane.backends.engine.virtual_devices import VIRTUAL, check, make, told
from vectorplane.backends.items import Interface
from vectorplane.dataplane.interface import PROMISCUOUS


class InterfacesKind(Kind[Interface]):
    """See the module."""

    item = Interface

    def create(self, item: Interface) -> None:
        """Make the device and the interface, down."""
        item = self.canonical(item)
        if item.name in self.engine.plane.interfaces.by_name:
            raise BackendError("there is an interface of that name")
        device = make(self.engine, item) if item.device in VIRTUAL else self.told.make_device(item)
        promiscuous = bool(dict(item.options).get("promiscuous"))
        try:
            made = self.engine.interfaces.add(item.name, device=device, promiscuous=promiscuous)
        except BaseException as error:
            if item.name in self.engine.plane.interfaces.by_name:
                self.engine.interfaces.remove(self.index(item.name))
            if item.device in HOST_MAKERS and isinstance(error, OSError):  # the host may mend it
                raise BackendError(f"interface {item.name}: {error.strerror or error}", retry=True) from error
            raise
        self.told.interfaces[item.name] = (made.sw_if_index, item)

    def delete(self, item: Interface) -> None:
        """Remove it with its device."""
        self.engine.interfaces.remove(self.index(item.name))

    def dump(self) -> Iterable[Interface]:
        """All but local0 and sub-interfaces."""
        for interface in self.each():
            if not interface.is_sub:
                yield self._item(interface)

    def _item(self, interface: EngineInterface) -> Interface:
        index, item = self.told.interfaces.get(interface.name, (-1, None))
        if item is not None and index == interface.sw_if_index:
            return item
        promiscuous = bool(int(self.engine.interfaces.record(interface.sw_if_index)["flags"]) & PROMISCUOUS)
        virtual = told(self.engine, interface.device)
        if virtual is not None:
            device, given = virtual
            return Interface(interface.name, device, options(device, promiscuous=promiscuous, **given))
        device = interface.device.kind.lower().replace("-", "_")
        return Interface(interface.name, device, (("promiscuous", True),) if promiscuous else ())

    def canonical(self, item: Interface) -> Interface:
        """Without settings that are at their defaults."""
        if item.device not in (*KINDS, *VIRTUAL):
            raise BackendError(f"interface {item.name}: the engine has no device {item.device}")
        check(item)
        return Interface(item.name, item.device, options(item.device, **dict(item.options)))
