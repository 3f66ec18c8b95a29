"""What an interface is attached to: a capture file, a simulated NIC, a packet-generator stream."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine


NAP = 0.0005
"""Longest sleep of an idle engine in real time, seconds, while a device cannot wake it: a packet may have to wait."""


class Device:
    """A device of the engine. This base is one that receives nothing and throws away what is sent (``null``)."""

    kind = "null"
    """What it is, in a word; for those that VPP has too the name of VPP's device class."""
    tx_node = "null-tx"
    """Type of the ``<interface>-tx`` node."""
    ethernet = True
    """Do its packets have Ethernet headers? Else they are IP packets, and whoever is at the other end gets them all."""
    numbered_mac = True
    """Is its MAC address made of the interface's number? Else it is one by chance, as of VPP's devices that lead to
    others who number theirs, too."""
    looped = False
    """Is what it transmits received again?"""
    checksum_offload = False
    """Does it fill in checksums that are left to it?"""
    cuts_tcp = False
    """Does it take TCP that is still to be cut into segments?"""
    frame_size_can_change = False
    """May the size of the largest frame be changed?"""
    output_node: str | None = None
    """Node that the interface's packets leave by, instead of ``-output`` and ``-tx`` nodes of its own (tunnels)."""
    flood_class = "normal"
    """How a bridge domain floods to it: ``normal``, ``bvi`` (last), ``tunnel-master`` (always), ``tunnel`` (unless
    there is a master), ``none``."""
    outer_header: bytes | None = None
    """Of a tunnel of the midchain: the outer IPv4 header, and its own, that its packets get; at most 32 bytes."""
    fixup = 0
    """Of the same: what the outer header takes over from the inner one (`FIXUP_...` of graph_nodes/forwarding)."""
    underlay_lb = 0
    """Of the same: the load-balance of the route to its other end."""
    default_mtu = 9000
    """Largest L3 packet of a new interface; 0: none of its own."""
    link_mtu: int | None = None
    """Largest frame, less its Ethernet header and two tags; None: as `default_mtu`."""
    fault: str | None = None
    """Why it does not work, though it should: something of the host's, or the other side, failed. None: it works."""
    link_speed = 0
    """kbit/s; 0: unknown."""

    def carrier(self) -> bool:
        """Is there a link as soon as the interface is administratively up?"""
        return True

    @cached_property
    def _chance(self) -> bytes:
        return os.urandom(4)

    def default_mac(self, sw_if_index: int, name: str) -> bytes:
        """The MAC address of an interface that was told none; always the same one."""
        if not self.ethernet:
            return bytes(6)
        return bytes.fromhex("02fe") + (sw_if_index.to_bytes(4, "big") if self.numbered_mac else self._chance)

    def attach(self, engine: Engine, sw_if_index: int) -> None:
        """Join the engine as this interface: add input nodes, fill the transmit node's runtime data."""

    def mac_changed(self, mac: bytes) -> None:
        """The interface's MAC address is another one now."""

    def promiscuous_changed(self) -> None:
        """The interface takes frames for all addresses now, or no more."""

    def joins_l2(self) -> None:
        """The interface, or a sub-interface of it, goes into L2 mode."""

    def refill(self) -> None:
        """An input node ran out of packets (`ATTENTION_REFILL`): provide more, or mark the source as ended."""

    def flush(self) -> None:
        """Write out what was transmitted (`ATTENTION_FLUSH`, and at the end of each run)."""

    def pending(self) -> bool:
        """True while packets may still come from here."""
        return False

    def wait_fds(self) -> Sequence[int]:
        """File descriptors that become readable when there is work for this device: packets, or `service`."""
        return ()

    def nap(self, idle: float) -> float | None:
        """Longest sleep of an engine that had no packets for ``idle`` seconds, for this device's sake, in seconds.

        None: no limit, something wakes it. The limit is what a packet may have to wait.
        """
        return NAP if self.pending() else None

    def arm(self) -> bool:
        """The engine is about to sleep: have the other side wake it; True when packets have come in the meantime."""
        return False

    def service(self) -> None:
        """Real time: what Python has to do for the device (control channel, a link that went away), never waiting.

        Called when one of `wait_fds` became readable, and every 20 ms or so under load.
        """

    def close(self) -> None:
        """Release files and memory."""


class LocalDevice(Device):
    """Of ``local0``, the interface that is always there and does nothing."""

    kind = "local"
    ethernet = False
    default_mtu = 0

    def carrier(self) -> bool:
        """Never."""
        return False
