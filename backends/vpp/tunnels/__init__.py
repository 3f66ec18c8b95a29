"""One file a kind of tunnel: the messages that make, remove and list it. `kinds/interface` does the rest."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from vectorplane.backends.vpp.tunnels.geneve import GENEVE
from vectorplane.backends.vpp.tunnels.gre import GRE
from vectorplane.backends.vpp.tunnels.ipip import IPIP
from vectorplane.backends.vpp.tunnels.tunnel import Tunnel
from vectorplane.backends.vpp.tunnels.vxlan import VXLAN

TUNNELS: Mapping[str, Tunnel] = MappingProxyType({"vxlan": VXLAN, "geneve": GENEVE, "gre": GRE, "ipip": IPIP})
"""By device."""
