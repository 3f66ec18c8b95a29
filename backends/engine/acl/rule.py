"""Rules of an ACL: what they match and what they say (VPP's acl plugin)."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

DENY, PERMIT, REFLECT = 0, 1, 2
"""Actions; `REFLECT` permits and makes a session that lets answers through."""
ACTION_NAMES = ("deny", "permit", "permit+reflect")


class AclRule(NamedTuple):
    """One rule. Addresses are integers, as given: one with bits beyond its prefix never matches (as in VPP)."""

    action: int = DENY
    ip6: bool = False
    src: int = 0
    src_len: int = 0
    dst: int = 0
    dst_len: int = 0
    proto: int = 0
    """0: any, and then neither ports nor flags are looked at."""
    sport_first: int = 0
    """Or the first ICMP type."""
    sport_last: int = 65535
    dport_first: int = 0
    """Or the first ICMP code."""
    dport_last: int = 65535
    tcp_flags_mask: int = 0
    tcp_flags_value: int = 0

    @property
    def src_text(self) -> str:
        """``192.0.2.0/24``."""
        return f"{_address(self.src, self.ip6)}/{self.src_len}"

    @property
    def dst_text(self) -> str:
        """``192.0.2.0/24``."""
        return f"{_address(self.dst, self.ip6)}/{self.dst_len}"


def _address(value: int, ip6: bool) -> IPv4Address | IPv6Address:
    return IPv6Address(value) if ip6 else IPv4Address(value)
