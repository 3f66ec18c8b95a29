"""What happens when an interface goes: everything that the engine keeps for it goes first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.dataplane.interface import LINK_UP
from vectorplane.graph_nodes.interface_output import OutputSlots

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.interfaces import Interface


def clear_out(engine: Engine, interface: Interface) -> None:
    """Forget one interface, whose sub-interfaces are gone, and free its index."""
    index, interfaces, plane = interface.sw_if_index, engine.interfaces, engine.plane
    interfaces.set_up(index, False)
    for other in list(interfaces.by_index.values()):
        if other.unnumbered == index or (other is interface and other.unnumbered is not None):
            engine.addresses.set_unnumbered(other.sw_if_index, None)
    interfaces.tell(index, "delete")
    engine.pg.interface_removed(index)
    engine.addresses.remove_all(index)
    engine.addresses.set_directed_broadcast(index, False)
    engine.addresses.set_table(index, 0)
    engine.neighbours.flush(index)
    engine.proxy_arp.enable(index, False)
    engine.mroutes.interface_removed(index)
    engine.punt_redirects.remove(index)
    engine.routes.interface_removed(index)
    if interface.is_sub:
        interfaces.subs.leave(interface)
    else:
        interfaces.subs.forget(interface)
    plane.shared(OutputSlots).set(index, None)
    interfaces.record(index)["flags"] = int(interfaces.record(index)["flags"]) & ~LINK_UP
    del interfaces.by_index[index]
    plane.remove_interface(index)
