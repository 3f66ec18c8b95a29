"""Interfaces: loopbacks and pg interfaces are made and removed; cards are VPP's own, found by their names.

The engine's devices without a counterpart (capture, sim, null) are pg interfaces, which take and give captures;
the tag remembers what they stand for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count

from vectorplane.backends.base import BackendError
from vectorplane.backends.devices import options, settings
from vectorplane.backends.items import Interface
from vectorplane.backends.vpp.interfaces import Known, tag_text
from vectorplane.backends.vpp.kinds.kind import Kind, Steps

AS_PG = ("capture", "sim", "null")
"""Kinds of devices that a pg interface stands for."""
PROMISCUOUS = "promiscuous"


class InterfacesKind(Kind[Interface]):
    """See the module."""

    item = Interface
    title = "interfaces"
    messages = (("sw_interface_dump",), ("sw_interface_tag_add_del",), ("create_loopback",), ("pg_create_interface",))
    single = False

    def create(self, item: Interface) -> Steps:
        """Make it (a card: find it), tag it, and have it take all frames if so wanted."""
        wanted = settings(item)
        words: tuple[str, ...] = (item.device,) if item.device in AS_PG else ()
        if wanted[PROMISCUOUS]:
            words += (PROMISCUOUS,)
        tag = tag_text(item.name, words)
        undo = ""
        if item.device == "dpdk":
            known = self.link.interfaces.find(item.name)
            if known is None:
                advice = "cards are named in VPP's start-up configuration (see `vectorplane vpp-startup`)"
                raise BackendError(f"VPP has no interface {item.name}: {advice}", retry=True)
            index = known.index
        elif item.device == "loopback":
            reply = yield "create_loopback", {}
            index, undo = reply.sw_if_index, "delete_loopback"
        elif item.device == "pg" or item.device in AS_PG:
            reply = yield "pg_create_interface", {"interface_id": self._free_pg()}
            index, undo = reply.sw_if_index, "pg_delete_interface"
        else:
            raise BackendError(f"interface {item.name}: VPP has no device {item.device} that can be made")
        try:
            yield "sw_interface_tag_add_del", {"is_add": True, "sw_if_index": index, "tag": tag}
            if wanted[PROMISCUOUS]:
                yield "sw_interface_set_promisc", {"sw_if_index": index, "promisc_on": True}
        except BackendError:
            if undo and self.link.connection.has(undo):
                self.link.connection.call(undo, sw_if_index=index)
            raise
        finally:
            self.link.interfaces.forget()

    def delete(self, item: Interface) -> Steps:
        """Remove it; a card only loses its tag."""
        known = self.link.interfaces[item.name]
        message = {"loopback": "delete_loopback", "pg": "pg_delete_interface"}.get(known.device)
        if message is None:
            yield "sw_interface_tag_add_del", {"is_add": False, "sw_if_index": known.index}
        elif not self.link.connection.has(message):
            raise BackendError(f"interface {item.name}: this VPP has no {message}: it stays until VPP is restarted")
        else:
            yield message, {"sw_if_index": known.index}
        self.link.interfaces.forget()

    def dump(self) -> Iterable[Interface]:
        """All but local0 and sub-interfaces."""
        self.link.interfaces.refresh()
        for known in self.link.interfaces:
            if known.parent is None:
                yield self._item(known)

    def _item(self, known: Known) -> Interface:
        words = known.words or ()
        device = next((word for word in words if word in AS_PG), known.device)
        return Interface(known.name, device, (((PROMISCUOUS, True),) if PROMISCUOUS in words else ()))

    def canonical(self, item: Interface) -> Interface:
        """Without the settings that VPP has no room for."""
        if item.device not in (*AS_PG, "pg", "loopback", "dpdk"):
            raise BackendError(f"interface {item.name}: VPP has no device {item.device} that can be made")
        return Interface(item.name, item.device, options(item.device, promiscuous=settings(item)[PROMISCUOUS]))

    def _free_pg(self) -> int:
        self.link.interfaces.refresh()
        taken = set(self._pg_numbers())
        return next(i for i in count() if i not in taken)

    def _pg_numbers(self) -> Iterator[int]:
        for known in self.link.interfaces:
            if known.vpp_name.startswith("pg") and known.vpp_name[2:].isdigit():
                yield int(known.vpp_name[2:])
