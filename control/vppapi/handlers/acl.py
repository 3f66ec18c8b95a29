"""acl.api: ACLs themselves, and the plugin's switches."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from vectorplane.backends.engine.acl.acls import Acl, AclInUse, AclNotThere
from vectorplane.backends.engine.acl.rule import AclRule
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.ip_paths import IP4, IP6, NONE, address, ip_number
from vectorplane.control.vppapi.retval import (
    ACL_IN_USE_INBOUND,
    ACL_IN_USE_OUTBOUND,
    INVALID_DST_ADDRESS,
    INVALID_SRC_ADDRESS,
    INVALID_VALUE,
    INVALID_VALUE_2,
    NO_SUCH_ENTRY,
    TABLE_TOO_BIG,
    ApiError,
)

VERSION = 1, 4
TAG_SIZE = 64
"""Bytes of a tag with the zero at its end."""


def prefix_value(prefix: Any) -> tuple[int, int, int] | None:
    """Family, address as a number and length; None: the prefix is none, or has bits beyond its length."""
    family, length = prefix.address.af, prefix.len
    width = 32 if family == IP4 else 128
    if family not in (IP4, IP6) or length > width:
        return None
    value = ip_number(prefix.address.un, family)
    return None if value & ((1 << width - length) - 1) else (family, value, length)


def encode_prefix(ip6: bool, value: int, length: int) -> dict[str, Any]:
    """A ``prefix``."""
    return {"address": address(value, IP6 if ip6 else IP4), "len": length}


def decode_rule(given: Any) -> AclRule:
    """One rule of a message. Raises `ApiError` as VPP refuses."""
    source, destination = prefix_value(given.src_prefix), prefix_value(given.dst_prefix)
    if source is None:
        raise ApiError(INVALID_SRC_ADDRESS, "source prefix")
    if destination is None:
        raise ApiError(INVALID_DST_ADDRESS, "destination prefix")
    if source[0] != destination[0]:
        raise ApiError(INVALID_SRC_ADDRESS, "source and destination are of two families")
    ports = given.srcport_or_icmptype_first, given.srcport_or_icmptype_last
    others = given.dstport_or_icmpcode_first, given.dstport_or_icmpcode_last
    if ports[0] > ports[1] or others[0] > others[1]:
        raise ApiError(INVALID_VALUE_2, "a range of ports that ends before it begins")
    return AclRule(
        given.is_permit,
        source[0] == IP6,
        *source[1:],
        *destination[1:],
        given.proto,
        *ports,
        *others,
        given.tcp_flags_mask,
        given.tcp_flags_value,
    )


def encode_rule(rule: AclRule) -> dict[str, Any]:
    """An ``acl_rule``."""
    return {
        "is_permit": rule.action,
        "src_prefix": encode_prefix(rule.ip6, rule.src, rule.src_len),
        "dst_prefix": encode_prefix(rule.ip6, rule.dst, rule.dst_len),
        "proto": rule.proto,
        "srcport_or_icmptype_first": rule.sport_first,
        "srcport_or_icmptype_last": rule.sport_last,
        "dstport_or_icmpcode_first": rule.dport_first,
        "dstport_or_icmpcode_last": rule.dport_last,
        "tcp_flags_mask": rule.tcp_flags_mask,
        "tcp_flags_value": rule.tcp_flags_value,
    }


def check_tag(tag: str) -> None:
    """Refuse a tag without a zero at its end, as VPP does."""
    # U+FFFD stands for a byte that was no UTF-8
    size = len(tag) if tag.isascii() else sum(1 if c == "\ufffd" else len(c.encode()) for c in tag)
    if size >= TAG_SIZE:
        raise ApiError(INVALID_VALUE, f"a tag of {size} bytes")


def acl_add_replace(api: Api, m: Any) -> dict[str, Any]:
    """Make an ACL, or give one other rules."""
    try:
        check_tag(m.tag)
        rules = [decode_rule(r) for r in m.r]
        index = api.engine.acls.add_replace(None if m.acl_index == NONE else m.acl_index, m.tag, rules)
    except AclNotThere:
        return {"retval": NO_SUCH_ENTRY, "acl_index": m.acl_index}
    except OverflowError:
        return {"retval": TABLE_TOO_BIG, "acl_index": m.acl_index}
    except ApiError as error:
        return {"retval": error.retval, "acl_index": m.acl_index}
    return {"acl_index": index}


def in_use(error: AclInUse) -> ApiError:
    """VPP's refusal."""
    return ApiError(ACL_IN_USE_INBOUND if error.inbound else ACL_IN_USE_OUTBOUND, str(error))


def acl_del(api: Api, m: Any) -> None:
    """Forget an ACL that applies nowhere."""
    try:
        api.engine.acls.delete(m.acl_index)
    except AclNotThere as error:
        raise ApiError(NO_SUCH_ENTRY, str(error)) from None
    except AclInUse as error:
        raise in_use(error) from None


def details(acl: Acl) -> dict[str, Any]:
    """An ``acl_details``."""
    return {
        "acl_index": acl.index,
        "tag": acl.tag,
        "count": len(acl.rules),
        "r": [encode_rule(r) for r in acl.rules],
    }


def acl_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """One ACL, or all."""
    for acl in list(api.engine.acls):
        if m.acl_index in (NONE, acl.index) and acl.index in api.engine.acls:
            yield details(acl)


def acl_stats_intf_counters_enable(api: Api, m: Any) -> None:
    """Count matches by rule, or no longer."""
    api.engine.acls.counters_enabled = bool(m.enable)


def acl_plugin_get_version(api: Api, m: Any) -> dict[str, Any]:
    """The plugin's version."""
    return {"major": VERSION[0], "minor": VERSION[1]}


def acl_plugin_control_ping(api: Api, m: Any) -> dict[str, Any]:
    """Are you there?"""
    return {"client_index": 0, "vpe_pid": os.getpid()}


def acl_plugin_get_conn_table_max_entries(api: Api, m: Any) -> dict[str, Any]:
    """The most sessions."""
    return {"conn_table_max_entries": api.engine.acls.max_sessions}


def acl_plugin_use_hash_lookup_set(api: Api, m: Any) -> None:
    """Find rules by tuples, or one after the other."""
    api.engine.acls.use_hash_matching = bool(m.enable)


def acl_plugin_use_hash_lookup_get(api: Api, m: Any) -> dict[str, Any]:
    """Are rules found by tuples?"""
    return {"enable": api.engine.acls.use_hash_matching}


HANDLERS = {
    "acl_add_replace": acl_add_replace,
    "acl_del": acl_del,
    "acl_dump": acl_dump,
    "acl_stats_intf_counters_enable": acl_stats_intf_counters_enable,
    "acl_plugin_get_version": acl_plugin_get_version,
    "acl_plugin_control_ping": acl_plugin_control_ping,
    "acl_plugin_get_conn_table_max_entries": acl_plugin_get_conn_table_max_entries,
    "acl_plugin_use_hash_lookup_set": acl_plugin_use_hash_lookup_set,
    "acl_plugin_use_hash_lookup_get": acl_plugin_use_hash_lookup_get,
}
