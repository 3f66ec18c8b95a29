"""ACLs need nothing; where they apply needs the interface and the lists, which change in place.

Lists go after all else: an interface gets its new ones in place of the old, and is never without.
"""

from __future__ import annotations

from typing import Any

from vectorplane.backends.items import Acl, AclBinding, EtypeWhitelist, MacipAcl, MacipBinding
from vectorplane.control.descriptors import keys
from vectorplane.control.descriptors.descriptor import Descriptor
from vectorplane.control.descriptors.need import Need


def acl(name: str) -> Need:
    """The ACL of that name."""
    return Need(f"acl/{name}", text=f"ACL {name}")


def _binding_needs(item: AclBinding) -> tuple[Need, ...]:
    names = dict.fromkeys((*item.inputs, *item.outputs))
    return (keys.interface(item.interface), *map(acl, names))


def _macip_needs(item: MacipBinding) -> tuple[Need, ...]:
    return (keys.interface(item.interface), Need(f"macip-acl/{item.acl}", text=f"MACIP list {item.acl}"))


def _interface_needs(item: EtypeWhitelist) -> tuple[Need, ...]:
    return (keys.interface(item.interface),)


def _in_place(old: Any, new: Any) -> bool:
    return True


ACL = Descriptor(Acl, 3, in_place=_in_place, goes_last=True)
MACIP_ACL = Descriptor(MacipAcl, 3, in_place=_in_place, goes_last=True)
ACL_BINDING = Descriptor(AclBinding, 11, _binding_needs, in_place=_in_place)
MACIP_BINDING = Descriptor(MacipBinding, 11, _macip_needs, in_place=_in_place)
ETYPE_WHITELIST = Descriptor(EtypeWhitelist, 11, _interface_needs, in_place=_in_place)
