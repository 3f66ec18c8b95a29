"""acl.api: lists for source MAC and IP addresses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vectorplane.backends.engine.acl.macip_rule import MacipRule
from vectorplane.backends.engine.acl.macips import Macip, MacipNotThere
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.acl import check_tag, encode_prefix
from vectorplane.control.vppapi.handlers.interface_checks import interface_of
from vectorplane.control.vppapi.handlers.ip_paths import IP4, IP6, NONE, ip_number
from vectorplane.control.vppapi.retval import NO_SUCH_ENTRY, ApiError


def _decode(given: Any) -> MacipRule:
    """One rule; VPP takes any prefix length and any bits beyond it."""
    ip6 = given.src_prefix.address.af == IP6
    source = ip_number(given.src_prefix.address.un, IP6 if ip6 else IP4)
    length = min(given.src_prefix.len, 128 if ip6 else 32)
    return MacipRule(given.is_permit, ip6, given.src_mac, given.src_mac_mask, source, length)


def _add_replace(api: Api, number: int, m: Any) -> dict[str, Any]:
    try:
        check_tag(m.tag)
        index = api.engine.macips.add_replace(None if number == NONE else number, m.tag, [_decode(r) for r in m.r])
    except MacipNotThere:
        return {"retval": NO_SUCH_ENTRY, "acl_index": number}
    except ApiError as error:
        return {"retval": error.retval, "acl_index": number}
    return {"acl_index": index}


def macip_acl_add(api: Api, m: Any) -> dict[str, Any]:
    """A new list."""
    return _add_replace(api, NONE, m)


def macip_acl_add_replace(api: Api, m: Any) -> dict[str, Any]:
    """A new list, or other rules for one."""
    return _add_replace(api, m.acl_index, m)


def macip_acl_del(api: Api, m: Any) -> None:
    """Forget a list, wherever it applies."""
    try:
        api.engine.macips.delete(m.acl_index)
    except MacipNotThere as error:
        raise ApiError(NO_SUCH_ENTRY, str(error)) from None


def macip_acl_interface_add_del(api: Api, m: Any) -> None:
    """Apply a list to an interface in place of the one before, or none any more."""
    interface_of(api, m.sw_if_index)
    macips = api.engine.macips
    try:
        if m.is_add:
            macips.apply(m.sw_if_index, m.acl_index)
        else:
            macips.remove(m.sw_if_index)
    except KeyError as error:
        raise ApiError(NO_SUCH_ENTRY, str(error)) from None


def _details(macip: Macip) -> dict[str, Any]:
    return {
        "acl_index": macip.index,
        "tag": macip.tag,
        "count": len(macip.rules),
        "r": [
            {
                "is_permit": r.action,
                "src_mac": r.mac,
                "src_mac_mask": r.mac_mask,
                "src_prefix": encode_prefix(r.ip6, r.src, r.src_len),
            }
            for r in macip.rules
        ],
    }


def macip_acl_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """One list, or all."""
    for macip in list(api.engine.macips):
        if m.acl_index in (NONE, macip.index):
            yield _details(macip)


def macip_acl_interface_get(api: Api, m: Any) -> dict[str, Any]:
    """The list of each interface, by its number, as far as any ever had one (2**32 - 1: none)."""
    rows = api.engine.macips.by_interface()
    return {"count": len(rows), "acls": [NONE if n is None else n for n in rows]}


def macip_acl_interface_list_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """The list of an interface, or of all that have one."""
    for sw_if_index, index in enumerate(api.engine.macips.by_interface()):
        if m.sw_if_index == sw_if_index or (m.sw_if_index == NONE and index is not None):
            yield {"sw_if_index": sw_if_index, "count": 1, "acls": [NONE if index is None else index]}


HANDLERS = {
    "macip_acl_add": macip_acl_add,
    "macip_acl_add_replace": macip_acl_add_replace,
    "macip_acl_del": macip_acl_del,
    "macip_acl_interface_add_del": macip_acl_interface_add_del,
    "macip_acl_dump": macip_acl_dump,
    "macip_acl_interface_get": macip_acl_interface_get,
    "macip_acl_interface_list_dump": macip_acl_interface_list_dump,
}
