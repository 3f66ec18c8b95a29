"""One file a kind of device that a VPP makes towards its host or another process. `kinds/interface` does the rest."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from vectorplane.backends.vpp.host_devices.af_packet import AF_PACKET
from vectorplane.backends.vpp.host_devices.host_device import HostDevice
from vectorplane.backends.vpp.host_devices.memif import MEMIF
from vectorplane.backends.vpp.host_devices.tap import TAP

HOST_DEVICES: Mapping[str, HostDevice] = MappingProxyType({"tap": TAP, "memif": MEMIF, "af_packet": AF_PACKET})
"""By device."""
