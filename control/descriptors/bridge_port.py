"""Ports need their interface and their bridge domain, which may be somebody else's.

VPP makes a bridge domain that is missing when it gets a port, with settings of its own; so a port waits for it.
"""

from __future__ import annotations

from vectorplane.backends.items import BridgePort
from vectorplane.control.descriptors import keys
from vectorplane.control.descriptors.descriptor import Descriptor
from vectorplane.control.descriptors.need import Need


def port_of(interface: str, domain: int) -> str:
    """The name that an interface provides as a port of a bridge domain."""
    return f"port {interface} of bridge domain {domain}"


def _needs(item: BridgePort) -> tuple[Need, ...]:
    return (keys.interface(item.interface), keys.bridge_domain(item.domain))


def _provides(item: BridgePort) -> tuple[str, ...]:
    return (port_of(item.interface, item.domain),)


def _in_place(old: BridgePort, new: BridgePort) -> bool:
    # in another domain it is another port, what was provisioned on it must go first; and a domain has one BVI at a time
    return (old.domain, old.type) == (new.domain, new.type)


BRIDGE_PORT = Descriptor(BridgePort, 5, _needs, _provides, _in_place)
