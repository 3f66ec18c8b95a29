"""What was said of IPv6 reassembly. IPv6 is not forwarded, so nobody reassembles: it is kept and told again."""

from __future__ import annotations

from vectorplane.graph_nodes.ip4_reassembly_control import Limits
from vectorplane.graph_nodes.ip4_sv_contexts import SvLimits


class Ip6Reassembly:
    """Limits as VPP has them at first."""

    def __init__(self) -> None:
        self.limits = Limits()
        self.sv_limits = SvLimits()
        self.local_enabled = True
