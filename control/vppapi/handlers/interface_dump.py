"""interface.api: sw_interface_dump, and which queues are where (nowhere)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vectorplane.backends.engine.interfaces import Interface
from vectorplane.backends.engine.sub_interfaces import ONE_TAG, TWO_TAGS
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.interface_checks import NONE

ADMIN_UP, LINK_UP = 1, 2
TYPE_HARDWARE, TYPE_SUB = 0, 1
DUPLEX_UNKNOWN, DUPLEX_FULL = 0, 2
SUB_FLAGS = 0xFE
"""The flags of a sub-interface that are shown (``SUB_IF_API_FLAG_MASK_VNET``)."""


def details(api: Api, interface: Interface) -> dict[str, Any]:
    """The fields of sw_interface_details."""
    interfaces, index = api.engine.interfaces, interface.sw_if_index
    device, rewrite = interface.device, api.engine.tag_rewrites.get(index)
    fields: dict[str, Any] = {
        "sw_if_index": index,
        "sup_sw_if_index": interface.sup,
        "flags": ADMIN_UP * interfaces.is_up(index) | LINK_UP * interfaces.link_is_up(index),
        "type": TYPE_SUB if interface.is_sub else TYPE_HARDWARE,
        "link_duplex": DUPLEX_FULL if device.link_speed else DUPLEX_UNKNOWN,
        "link_speed": device.link_speed,
        "link_mtu": interfaces[interface.sup].link_mtu,
        "mtu": list(interfaces.mtus(index)),
        "vtr_op": rewrite.op,
        "vtr_push_dot1q": rewrite.dot1q,
        "vtr_tag1": rewrite.tag1,
        "vtr_tag2": rewrite.tag2,
        "interface_name": interface.name[:63],
        "interface_dev_type": device.kind,
        "tag": interface.tag,
    }
    if interface.is_sub:
        flags = interface.sub_flags
        fields |= {
            "sub_id": interface.sub_id,
            "sub_number_of_tags": bool(flags & ONE_TAG) + 2 * bool(flags & TWO_TAGS),
            "sub_outer_vlan_id": interface.outer_vlan,
            "sub_inner_vlan_id": interface.inner_vlan,
            "sub_if_flags": flags & SUB_FLAGS,
        }
    elif device.ethernet:
        fields["l2_address"] = interface.mac
    return fields


def sw_interface_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """One interface, or all (index 0 too means all, as in VPP), or those whose name has the filter in it."""
    by_index = api.engine.interfaces.by_index
    if not m.name_filter_valid and m.sw_if_index not in (NONE, 0):
        if m.sw_if_index in by_index:
            yield details(api, by_index[m.sw_if_index])
        return
    wanted = m.name_filter.lower() if m.name_filter_valid else ""
    for index in sorted(by_index):
        if index in by_index and wanted in by_index[index].name.lower():
            yield details(api, by_index[index])


def sw_interface_rx_placement_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """Nothing: there are no receive queues that could be placed."""
    yield from ()


HANDLERS = {
    "sw_interface_dump": sw_interface_dump,
    "sw_interface_rx_placement_dump": sw_interface_rx_placement_dump,
}
