"""l2.api: bridge domains come and go, what they do with frames, how much and how long they learn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vectorplane.backends.engine.l2.bridges import Domain, DomainExists, DomainInUse
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.interface_checks import NONE
from vectorplane.control.vppapi.retval import (
    BD_ALREADY_EXISTS,
    BD_ID_EXCEED_MAX,
    BD_IN_USE,
    BD_NOT_MODIFIABLE,
    NO_SUCH_ENTRY,
    ApiError,
)

DEFAULT = 0
"""The domain that VPP keeps for ports without one; nothing about it can be changed."""
_ALL_FLAGS = 0x3F


def domain_of(api: Api, bd_id: int) -> Domain:
    """The bridge domain, for a change of it.

    Raises:
        ApiError: BD_NOT_MODIFIABLE for the default one, NO_SUCH_ENTRY.
    """
    if bd_id == DEFAULT:
        raise ApiError(BD_NOT_MODIFIABLE, "the default bridge domain")
    domain = api.engine.bridges.domains.get(bd_id)
    if domain is None:
        raise ApiError(NO_SUCH_ENTRY, f"no bridge domain {bd_id}")
    return domain


def _add(api: Api, m: Any, bd_id: int) -> None:
    if bd_id == DEFAULT:
        raise ApiError(BD_ALREADY_EXISTS, "the default bridge domain")
    try:
        api.engine.bridges.create(
            bd_id,
            flood=bool(m.flood),
            uu_flood=bool(m.uu_flood),
            forward=bool(m.forward),
            learn=bool(m.learn),
            arp_term=bool(m.arp_term),
            arp_ufwd=bool(m.arp_ufwd),
            mac_age=m.mac_age,
            tag=m.bd_tag,
        )
    except DomainExists as error:
        raise ApiError(BD_ALREADY_EXISTS, str(error)) from None
    except OverflowError as error:
        raise ApiError(BD_ID_EXCEED_MAX, str(error)) from None


def _delete(api: Api, bd_id: int) -> None:
    domain_of(api, bd_id)
    try:
        api.engine.bridges.delete(bd_id)
    except DomainInUse as error:
        raise ApiError(BD_IN_USE, str(error)) from None


def bridge_domain_add_del(api: Api, m: Any) -> None:
    """Make a bridge domain, or give one without members up."""
    if m.is_add:
        _add(api, m, m.bd_id)
    else:
        _delete(api, m.bd_id)


def bridge_domain_add_del_v2(api: Api, m: Any) -> dict[str, int]:
    """The same; with an id of our choice when 2**32 - 1 is to be made."""
    bd_id = m.bd_id
    try:
        if m.is_add:
            bd_id = api.engine.bridges.unused_id() if bd_id == NONE else bd_id
            _add(api, m, bd_id)
        else:
            _delete(api, bd_id)
    except ApiError as error:
        return {"retval": error.retval, "bd_id": bd_id}
    return {"bd_id": bd_id}


def bridge_flags(api: Api, m: Any) -> dict[str, int]:
    """Switch what a domain does with frames on or off."""
    domain_of(api, m.bd_id)
    features = api.engine.bridges.set_flags(m.bd_id, m.flags & _ALL_FLAGS, bool(m.is_set))
    return {"resulting_feature_bitmap": features}


def bridge_domain_set_mac_age(api: Api, m: Any) -> None:
    """After how many minutes of silence a learnt address is forgotten; 0: never."""
    domain_of(api, m.bd_id)
    api.engine.bridges.set_mac_age(m.bd_id, m.mac_age)


def bridge_domain_set_learn_limit(api: Api, m: Any) -> None:
    """How many addresses a domain may learn."""
    domain_of(api, m.bd_id)
    api.engine.bridges.set_learn_limit(m.bd_id, m.learn_limit)


def bridge_domain_set_default_learn_limit(api: Api, m: Any) -> None:
    """The same, of domains made from now on."""
    api.engine.bridges.default_learn_limit = m.learn_limit


def _details(api: Api, domain: Domain) -> dict[str, Any]:
    members = []
    for member in domain.members:
        port = api.engine.bridges.port(member.sw_if_index)
        members.append({"sw_if_index": member.sw_if_index, "shg": port.shg if port is not None else 0})
    return {
        "bd_id": domain.id,
        "flood": domain.flood,
        "uu_flood": domain.uu_flood,
        "forward": domain.forward,
        "learn": domain.learn,
        "arp_term": domain.arp_term,
        "arp_ufwd": domain.arp_ufwd,
        "mac_age": domain.mac_age,
        "bd_tag": domain.tag,
        "bvi_sw_if_index": domain.bvi & NONE,
        "uu_fwd_sw_if_index": domain.uu_fwd & NONE,
        "sw_if_details": members,
    }


def bridge_domain_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """One domain or all, in the order of their indices; as in VPP none of those of an interface."""
    bridges = api.engine.bridges
    if m.sw_if_index != NONE:
        return
    if m.bd_id != NONE:
        if m.bd_id in bridges.domains:
            yield _details(api, bridges.domains[m.bd_id])
        return
    for index in sorted(bridges.by_index):
        domain = bridges.by_index.get(index)
        if domain is not None and domain.id != DEFAULT:
            yield _details(api, domain)


HANDLERS = {
    "bridge_domain_add_del": bridge_domain_add_del,
    "bridge_domain_add_del_v2": bridge_domain_add_del_v2,
    "bridge_flags": bridge_flags,
    "bridge_domain_set_mac_age": bridge_domain_set_mac_age,
    "bridge_domain_set_learn_limit": bridge_domain_set_learn_limit,
    "bridge_domain_set_default_learn_limit": bridge_domain_set_default_learn_limit,
    "bridge_domain_dump": bridge_domain_dump,
}
