"""acl.api: which ACLs apply to an interface, and which Ethernet types pass beside IP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vectorplane.backends.engine.acl.acls import AclNotThere, AclTwice
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.interface_checks import interface_of
from vectorplane.control.vppapi.handlers.ip_paths import NONE
from vectorplane.control.vppapi.retval import (
    ACL_IN_USE_INBOUND,
    ACL_IN_USE_OUTBOUND,
    ENTRY_ALREADY_EXISTS,
    NO_SUCH_ENTRY,
    ApiError,
)


def _set(api: Api, sw_if_index: int, inputs: list[int] | None, outputs: list[int] | None) -> None:
    try:
        api.engine.acls.set_lists(sw_if_index, inputs, outputs)
    except AclNotThere as error:
        raise ApiError(NO_SUCH_ENTRY, str(error)) from None
    except AclTwice as error:
        raise ApiError(ENTRY_ALREADY_EXISTS, str(error)) from None


def acl_interface_set_acl_list(api: Api, m: Any) -> None:
    """Both lists of an interface."""
    interface_of(api, m.sw_if_index)
    _set(api, m.sw_if_index, list(m.acls[: m.n_input]), list(m.acls[m.n_input :]))


def acl_interface_add_del(api: Api, m: Any) -> None:
    """One ACL joins a list of an interface at its end, or leaves it."""
    interface_of(api, m.sw_if_index)
    acls = api.engine.acls
    now = list(acls.inputs(m.sw_if_index) if m.is_input else acls.outputs(m.sw_if_index))
    if m.is_add:
        if m.acl_index in now:
            raise ApiError(ACL_IN_USE_INBOUND if m.is_input else ACL_IN_USE_OUTBOUND, f"ACL {m.acl_index} is there")
        now.append(m.acl_index)
    elif m.acl_index not in now:
        raise ApiError(NO_SUCH_ENTRY, f"ACL {m.acl_index} does not apply")
    else:
        now.remove(m.acl_index)
    _set(api, m.sw_if_index, now if m.is_input else None, None if m.is_input else now)


def acl_interface_list_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """The lists of an interface, or of all, also empty ones."""
    acls = api.engine.acls
    for sw_if_index in _interfaces(api, m):
        inputs, outputs = acls.inputs(sw_if_index), acls.outputs(sw_if_index)
        yield {
            "sw_if_index": sw_if_index,
            "count": len(inputs) + len(outputs),
            "n_input": len(inputs),
            "acls": [*inputs, *outputs],
        }


def acl_interface_set_etype_whitelist(api: Api, m: Any) -> None:
    """The Ethernet types that pass beside IP."""
    interface_of(api, m.sw_if_index)
    api.engine.acl_whitelists.set(m.sw_if_index, m.whitelist[: m.n_input], m.whitelist[m.n_input :])


def acl_interface_etype_whitelist_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """Those of an interface, or of all that have any."""
    for sw_if_index in _interfaces(api, m):
        inputs, outputs = api.engine.acl_whitelists.of(sw_if_index)
        if inputs or outputs:
            yield {
                "sw_if_index": sw_if_index,
                "count": len(inputs) + len(outputs),
                "n_input": len(inputs),
                "whitelist": [*inputs, *outputs],
            }


def _interfaces(api: Api, m: Any) -> list[int]:
    return [i for i in sorted(api.engine.interfaces.by_index) if m.sw_if_index in (NONE, i)]


HANDLERS = {
    "acl_interface_set_acl_list": acl_interface_set_acl_list,
    "acl_interface_add_del": acl_interface_add_del,
    "acl_interface_list_dump": acl_interface_list_dump,
    "acl_interface_set_etype_whitelist": acl_interface_set_etype_whitelist,
    "acl_interface_etype_whitelist_dump": acl_interface_etype_whitelist_dump,
}
