"""l2-input as VPP's ``classify_and_dispatch`` does it: one frame, features by name."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from tests.naive.l2.features import bits, following
from tests.naive.l2.header import ARP, IP6, is_group


class Port(NamedTuple):
    """What l2-input knows of the interface where a frame came in. ``mode``: ``l3``, ``bridge`` or ``xconnect``."""

    mode: str
    features: int
    domain_features: int = -1
    bd_index: int = 0
    domain_seq: int = 0
    seq: int = 0
    shg: int = 0
    ages: bool = False
    output: int = -1


class Verdict(NamedTuple):
    """The next node, the features that are left for it, and the split-horizon group that goes along."""

    next: str
    features: int = 0
    shg: int = 0
    error: str | None = None


def l2_input(frame: bytes, length: int, port: Port, from_bvi: bool, there: Collection[str]) -> Verdict:
    """What becomes of a frame whose header has that length."""
    if port.mode == "l3":
        return Verdict("error-drop", error="L2 input drops")
    features, shg = port.features, port.shg
    if port.mode == "bridge":
        features &= port.domain_features
    payload = frame[length:]
    kind = frame[length - 2 : length]
    is_arp = kind == ARP
    is_icmp6 = kind == IP6 and len(payload) > 40 and payload[6] == 58
    if is_group(frame):
        features &= ~bits("FWD", "UU_FLOOD", "UU_FWD")
        if not is_arp:
            features &= ~bits("ARP_UFWD")
        if not is_arp and not is_icmp6:
            features &= ~bits("ARP_TERM")
        asks = (is_arp and payload[6:8] == b"\0\1") or (is_icmp6 and payload[40] == 135)
        if from_bvi and asks:
            shg = 0
    elif from_bvi:
        shg = 0
    return Verdict(following(features & 0xFFFFFFFF, there), features, shg)
