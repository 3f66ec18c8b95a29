"""acl.api: which ACLs apply to an interface, and which Ethernet types pass beside IP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vectorplane.backends.engine.acl.acls import AclInUse, AclNotThere, AclTwice
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.acl import in_use
from vectorplane.control.vppapi.handlers.interface_checks import interface_of
from vectorplane.control.vppapi.handlers.ip_paths import NONE
from vectorplane.control.vppapi.retval import NO_SUCH_ENTRY, ApiError

_MOST = 255
"""ACLs that an ``acl_interface_list_details`` can tell."""
_TWICE = 1
"""VPP's answer when an ACL stands twice in a list: its error code is lost in a logical or."""


def acl_interface_set_acl_list(api: Api, m: Any) -> int:
    """Both lists of an interface."""
    interface_of(api, m.sw_if_index)
    try:
        api.engine.acls.set_lists(m.sw_if_index, m.acls[: m.n_input], m.acls[m.n_input :])
    except AclNotThere as error:
        raise ApiError(NO_SUCH_ENTRY, str(error)) from None
    except AclTwice:
        return _TWICE
    return 0


def acl_interface_add_del(api: Api, m: Any) -> None:
    """One ACL joins a list of an interface at its end, or leaves it."""
    interface_of(api, m.sw_if_index)
    change = api.engine.acls.join if m.is_add else api.engine.acls.leave
    try:
        change(m.sw_if_index, bool(m.is_input), m.acl_index)
    except AclNotThere as error:
        raise ApiError(NO_SUCH_ENTRY, str(error)) from None
    except AclInUse as error:
        raise in_use(error) from None


def acl_interface_list_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """The lists of an interface, or of all, also empty ones; of longer ones what the message can hold.

    VPP's count wraps there, so that 256 ACLs look like none.
    """
    acls = api.engine.acls
    for sw_if_index in _interfaces(api, m):
        inputs = acls.inputs(sw_if_index)[:_MOST]
        told = [*inputs, *acls.outputs(sw_if_index)][:_MOST]
        yield {"sw_if_index": sw_if_index, "count": len(told), "n_input": len(inputs), "acls": told}


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
