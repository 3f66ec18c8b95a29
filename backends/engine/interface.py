"""One interface, as the control side knows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Interface

from vectorplane.backends.engine import sub_interfaces
from vectorplane.backends.engine.device import Device
from vectorplane.backends.engine.sub_interfaces import INNER_ANY

DEFAULT_MTU = 9000
"""What an interface without an MTU of its own lets through (VPP's too)."""
MTU_L3, MTU_IP4, MTU_IP6, MTU_MPLS = range(4)
ADDED, ADMIN, LINK, RENAMED, DELETED = "add", "admin", "link", "rename", "delete"
"""What `Interfaces.on_change` tells."""


def mac_bytes(text: str) -> bytes:
    """``02:fe:00:00:00:01`` as six bytes.

    Raises:
        ValueError: it is not a MAC address.
    """
    parts = text.replace("-", ":").split(":")
    if len(parts) != 6 or not all(len(p) in (1, 2) for p in parts):
        raise ValueError(f"{text!r} is not a MAC address")
    try:
        return bytes(int(p, 16) for p in parts)
    except ValueError:
        raise ValueError(f"{text!r} is not a MAC address") from None


def mac_text(mac: bytes) -> str:
    """Six bytes as ``02:fe:00:00:00:01``."""
    return mac.hex(":")


@dataclass
class Interface:
    """One software interface. ``sup`` is itself, or the interface that it is a sub-interface of."""

    sw_if_index: int
    name: str
    mac: bytes
    device: Device
    sup: int
    addresses: list[IPv4Interface] = field(default_factory=list)
    unnumbered: int | None = None
    tag: str = ""
    """A text of whoever configures it."""
    link_mtu: int = 0
    """Largest frame of the device, less its Ethernet header and two tags."""
    sub_id: int = -1
    sub_flags: int = 0
    """VPP's flags of a sub-interface (`vectorplane.backends.engine.sub_interfaces`)."""
    outer_vlan: int = 0
    inner_vlan: int = 0

    @property
    def is_sub(self) -> bool:
        """Is it a sub-interface?"""
        return self.sup != self.sw_if_index

    @property
    def tags(self) -> tuple[int, ...]:
        """The VLAN ids that a sub-interface's frames carry, the outer one first; the inner one may be `INNER_ANY`."""
        if not self.is_sub or self.default_subif:
            return ()
        inner = INNER_ANY if self.sub_flags & sub_interfaces.INNER_ANY_FLAG else self.inner_vlan
        return (self.outer_vlan,) if self.sub_flags & sub_interfaces.ONE_TAG else (self.outer_vlan, inner)

    @property
    def outer_type(self) -> int:
        """Ethernet type of the outer tag."""
        return 0x88A8 if self.sub_flags & sub_interfaces.DOT1AD else 0x8100

    @property
    def exact(self) -> bool:
        """Does a sub-interface take frames with just its tags only?"""
        return bool(self.sub_flags & sub_interfaces.EXACT)

    @property
    def default_subif(self) -> bool:
        """Does a sub-interface take the frames that no other one takes?"""
        return bool(self.sub_flags & sub_interfaces.DEFAULT)


class SuperInterfaceState(ValueError):
    """A sub-interface cannot be up while its super-interface is down."""
