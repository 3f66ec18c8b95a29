"""Paths of routes and of L3 cross-connects: ``vl_api_fib_path_t``, both ways."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from vectorplane.backends.base import BackendError
from vectorplane.backends.items import Path
from vectorplane.backends.vpp.interfaces import NO_INTERFACE
from vectorplane.backends.vpp.link import Link

_TYPES = {"": 0, "local": 1, "blackhole": 2, "unreachable": 5, "prohibit": 6}
_ACTIONS = {number: action for action, number in _TYPES.items()}
_NO_LABELS: list[dict[str, int]] = [{}] * 16


def pack_path(path: Path, index: int, version: int, table: int) -> dict[str, Any]:
    """The fields of a path of IP ``version``, of what is in ``table``; ``index``: its interface, or `NO_INTERFACE`.

    Raises:
        BackendError: VPP's API has no such paths.
    """
    if path.action not in _TYPES:
        raise BackendError(f"VPP's API knows no paths of kind {path.action}")
    address: dict[str, bytes] = {}
    if path.via:
        via = IPv6Address(path.via) if ":" in path.via else IPv4Address(path.via)
        version, address = via.version, {f"ip{via.version}": via.packed}
    return {
        "sw_if_index": index,
        "table_id": table if path.table < 0 else path.table,
        "rpf_id": 0,
        "weight": path.weight,
        "preference": path.preference,
        "type": _TYPES[path.action],
        "flags": 0,
        "proto": int(version == 6),
        "nh": {"address": address},
        "n_labels": 0,
        "label_stack": _NO_LABELS,
    }


def item_paths(paths: Iterable[Any], table: int, link: Link) -> tuple[Path, ...]:
    """The paths of what is in ``table``, as items have them."""
    return tuple(sorted(_item_path(p, table, link) for p in paths))


def _item_path(p: Any, table: int, link: Link) -> Path:
    action = _ACTIONS.get(int(p.type), f"type {int(p.type)}")
    interface = "" if p.sw_if_index == NO_INTERFACE else link.interfaces.name(p.sw_if_index) or ""
    via = ""
    if not action:
        packed = bytes(p.nh.address.ip6 if int(p.proto) == 1 else p.nh.address.ip4)
        via = str((IPv6Address if int(p.proto) == 1 else IPv4Address)(packed)) if any(packed) else ""
    other = p.table_id if not action and not interface else -1
    if via and other == table:
        other = -1
    return Path(via, interface, other, action, p.weight, p.preference)
