"""One file a kind of device whose other end is the host's: the messages of it. `kinds/interface` does the rest."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from vectorplane.backends.vpp.hosts.af_packet import AF_PACKET
from vectorplane.backends.vpp.hosts.host import Host
from vectorplane.backends.vpp.hosts.tap import TAP

HOSTS: Mapping[str, Host] = MappingProxyType({"tap": TAP, "af_packet": AF_PACKET})
"""By device."""
