"""Ports of bridge domains: ``sw_interface_set_l2_bridge``; which there are is in ``bridge_domain_dump``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from vectorplane.backends.base import BackendError
from vectorplane.backends.items import BridgePort
from vectorplane.backends.vpp.kinds.kind import Kind, Message, Steps

_TYPES = {"normal": 0, "bvi": 1, "uu-fwd": 2}


class BridgePorts(Kind[BridgePort]):
    """See the module."""

    item = BridgePort
    title = "ports of bridge domains"
    messages = (("sw_interface_set_l2_bridge",), ("bridge_domain_dump",))

    def create(self, item: BridgePort) -> Steps:
        """Put it into its domain."""
        yield self._message(True, item)

    def update(self, old: BridgePort, new: BridgePort) -> Steps:
        """Put it there anew."""
        yield self._message(True, new)

    def delete(self, item: BridgePort) -> Steps:
        """Back to L3."""
        yield self._message(False, item)

    def _message(self, enable: bool, item: BridgePort) -> Message:
        if item.type not in _TYPES:
            raise BackendError(f"a port is of type {', '.join(_TYPES)}, not {item.type}")
        return "sw_interface_set_l2_bridge", {
            "rx_sw_if_index": self.index(item.interface),
            "bd_id": item.domain,
            "port_type": _TYPES[item.type],
            "shg": item.shg,
            "enable": enable,
        }

    def dump(self) -> Iterable[BridgePort]:
        """All; where unknown unicast goes is told apart from the others."""
        self.link.interfaces.refresh()
        name_of = self.link.interfaces.name
        for d in self.link.connection.details("bridge_domain_dump"):
            for port in d.sw_if_details:
                name = name_of(port.sw_if_index)
                if name is not None:
                    kind = "bvi" if port.sw_if_index == d.bvi_sw_if_index else "normal"
                    yield BridgePort(name, d.bd_id, kind, port.shg)
            name = name_of(d.uu_fwd_sw_if_index)
            if name is not None:
                yield BridgePort(name, d.bd_id, "uu-fwd")

    def canonical(self, item: BridgePort) -> BridgePort:
        """VPP does not tell the group of a port for unknown unicast."""
        return replace(item, shg=0) if item.type == "uu-fwd" else item
