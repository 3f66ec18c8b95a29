"""Interfaces: loopbacks, BVIs, tunnels and pg interfaces are made and removed; cards are VPP's own, found by name.

The engine's devices without a counterpart (capture, sim, null) are pg interfaces, which take and give captures;
the tag remembers what they stand for.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from itertools import count
from typing import Any

from vectorplane.backends.base import BackendError
from vectorplane.backends.devices import DEVICES, options, settings
from vectorplane.backends.items import Interface
from vectorplane.backends.vpp.host_devices import HOST_DEVICES
from vectorplane.backends.vpp.interfaces import NO_INTERFACE, Known, tag_text
from vectorplane.backends.vpp.kinds.kind import Kind, Message, Steps
from vectorplane.backends.vpp.link import Link
from vectorplane.backends.vpp.tunnels import TUNNELS
from vectorplane.backends.vpp.tunnels.tunnel import Settings

AS_PG = ("capture", "sim", "null")
"""Kinds of devices that a pg interface stands for."""
PROMISCUOUS = "promiscuous"
_REMOVERS = {
    "loopback": "delete_loopback",
    "bvi": "bvi_delete",
    "pg": "pg_delete_interface",
}
_NEEDS = {
    "bvi": ("BVIs", (("bvi_create",), ("bvi_delete",))),
    **{device: (tunnel.title, tuple((name,) for name in tunnel.messages)) for device, tunnel in TUNNELS.items()},
    **{device: (kind.title, tuple((name,) for name in kind.messages)) for device, kind in HOST_DEVICES.items()},
}
"""Devices that not every VPP has: what they are for people, and the messages that they need."""


def _words(device: str, wanted: Settings) -> tuple[str, ...]:
    """What the interface's tag has to remember."""
    words: tuple[str, ...] = (device,) if device in AS_PG else ()
    if wanted[PROMISCUOUS]:
        words += (PROMISCUOUS,)
    remembered = TUNNELS[device].words if device in TUNNELS else ()
    return words + tuple(word for word in remembered if wanted[word] not in (None, False))


class InterfacesKind(Kind[Interface]):
    """See the module."""

    item = Interface
    title = "interfaces"
    messages = (("sw_interface_dump",), ("sw_interface_tag_add_del",), ("create_loopback",), ("pg_create_interface",))
    optional = tuple(_NEEDS.values())
    single = False

    def __init__(self, link: Link) -> None:
        super().__init__(link)
        self._said: dict[str, Settings] = {}
        """What was said of host devices that were made by this connection: VPP does not tell all of it."""

    def create(self, item: Interface) -> Steps:
        """Make it (a card: find it), tag it, and have it take all frames if so wanted."""
        wanted = settings(item)
        tag = tag_text(item.name, _words(item.device, wanted))
        index, undo = yield from self._make(item, wanted)
        try:
            yield "sw_interface_tag_add_del", {"is_add": True, "sw_if_index": index, "tag": tag}
            if item.device in TUNNELS:  # some of which begin up
                yield "sw_interface_set_flags", {"sw_if_index": index, "flags": 0}
            if wanted[PROMISCUOUS]:
                yield "sw_interface_set_promisc", {"sw_if_index": index, "promisc_on": True}
        except BackendError:
            if undo is not None and self.link.connection.has(undo[0]):
                self.link.connection.finish(self.link.connection.start(*undo))
            raise
        finally:
            self.link.interfaces.forget()

    def _make(self, item: Interface, wanted: Settings) -> Generator[Message, Any, tuple[int, Message | None]]:
        """Its number, and the message that removes it again."""
        if item.device == "dpdk":
            known = self.link.interfaces.find(item.name)
            if known is None:
                advice = "cards are named in VPP's start-up configuration (see `vectorplane vpp-startup`)"
                raise BackendError(f"VPP has no interface {item.name}: {advice}", retry=True)
            return known.index, None
        if item.device in TUNNELS:
            self._require(item.device)
            change = TUNNELS[item.device].change
            reply = yield change(self.link, True, wanted, NO_INTERFACE)
            return reply.sw_if_index, change(self.link, False, wanted, reply.sw_if_index)
        if item.device in HOST_DEVICES:
            self._require(item.device)
            index = yield from HOST_DEVICES[item.device].create(self.link, item.name, wanted)
            self._said[item.name] = wanted
            return index, HOST_DEVICES[item.device].remover(item.name, wanted, index)
        if item.device == "loopback":
            reply = yield "create_loopback", {}
        elif item.device == "bvi":
            self._require(item.device)
            reply = yield "bvi_create", {}
        elif item.device == "pg" or item.device in AS_PG:
            reply = yield "pg_create_interface", {"interface_id": self._free_pg()}
        else:
            raise BackendError(f"interface {item.name}: VPP has no device {item.device} that can be made")
        return reply.sw_if_index, (_REMOVERS.get(item.device, _REMOVERS["pg"]), {"sw_if_index": reply.sw_if_index})

    def delete(self, item: Interface) -> Steps:
        """Remove it; a card only loses its tag."""
        known = self.link.interfaces[item.name]
        if known.device in TUNNELS:
            self._require(known.device)
            yield TUNNELS[known.device].change(self.link, False, settings(item), known.index)
            self.link.interfaces.forget()
            return
        if known.device in HOST_DEVICES:
            self._require(known.device)
            kind, wanted = HOST_DEVICES[known.device], settings(item)
            yield kind.remover(item.name, wanted, known.index)
            if kind.after is not None:
                yield from kind.after(self.link, wanted)
            self.link.interfaces.forget()
            return
        message = _REMOVERS.get(known.device)
        if message is None:
            yield "sw_interface_tag_add_del", {"is_add": False, "sw_if_index": known.index}
        elif not self.link.connection.has(message):
            raise BackendError(f"interface {item.name}: this VPP has no {message}: it stays until VPP is restarted")
        else:
            yield message, {"sw_if_index": known.index}
        self.link.interfaces.forget()

    def _require(self, device: str) -> None:
        """Raises `BackendError`: this VPP cannot make such interfaces."""
        self.require(*_NEEDS[device])

    def dump(self) -> Iterable[Interface]:
        """All but local0 and sub-interfaces."""
        self.link.interfaces.refresh()
        devices = {known.device for known in self.link.interfaces}
        tunnels = {device: self._tunnels(device) for device in TUNNELS if device in devices}
        told = tunnels | {device: self._host_devices(device) for device in HOST_DEVICES if device in devices}
        for known in self.link.interfaces:
            if known.parent is None:
                yield self._item(known, told.get(known.device, {}).get(known.index, {}))

    def _host_devices(self, device: str) -> dict[int, Settings]:
        """What VPP tells of devices of a kind, and what we said of those that are ours, by interface."""
        kind = HOST_DEVICES[device]
        if not all(self.link.connection.has(message) for message in kind.messages):
            return {}
        names, read = {known.index: known.name for known in self.link.interfaces}, kind.reader(self.link)
        return {
            d.sw_if_index: read(names[d.sw_if_index], d, self._said.get(names[d.sw_if_index], {}))
            for d in self.link.connection.details(kind.lister, **kind.list_fields)
            if d.sw_if_index in names
        }

    def _tunnels(self, device: str) -> dict[int, Settings]:
        """What VPP tells of the tunnels of a kind, by interface."""
        tunnel = TUNNELS[device]
        if not self.link.connection.has(tunnel.lister):
            return {}
        found = self.link.connection.details(tunnel.lister, sw_if_index=NO_INTERFACE)
        return dict(tunnel.read(self.link, details) for details in found)

    def _item(self, known: Known, told: Settings) -> Interface:
        words = known.words or ()
        device = next((word for word in words if word in AS_PG), known.device)
        if device not in DEVICES:
            return Interface(known.name, device, (((PROMISCUOUS, True),) if PROMISCUOUS in words else ()))
        remembered = TUNNELS[device].words if device in TUNNELS else ()
        given = {name: value for name, value in told.items() if name not in remembered or name in words}
        given |= {word: True for word in remembered if word in words and word not in told}
        return Interface(known.name, device, options(device, promiscuous=PROMISCUOUS in words, **given))

    def canonical(self, item: Interface) -> Interface:
        """Without the settings that VPP has no room for."""
        if item.device not in (*AS_PG, "dpdk", *_REMOVERS, *HOST_DEVICES, *TUNNELS):
            raise BackendError(f"interface {item.name}: VPP has no device {item.device} that can be made")
        wanted = settings(item)
        if item.device in HOST_DEVICES:
            wanted = HOST_DEVICES[item.device].wanted(item.name, wanted)
        if item.device in TUNNELS or item.device in HOST_DEVICES:
            return Interface(item.name, item.device, options(item.device, **wanted))
        return Interface(item.name, item.device, options(item.device, promiscuous=wanted[PROMISCUOUS]))

    def _free_pg(self) -> int:
        self.link.interfaces.refresh()
        taken = set(self._pg_numbers())
        return next(i for i in count() if i not in taken)

    def _pg_numbers(self) -> Iterator[int]:
        for known in self.link.interfaces:
            if known.vpp_name.startswith("pg") and known.vpp_name[2:].isdigit():
                yield int(known.vpp_name[2:])
