"""What was said of IPv6 reassembly. IPv6 is not forwarded, so nobody reassembles: it is kept and told again."""

from __future__ import annotations

from vectorplane.graph_nodes.ip4_reassembly_memory import Limits
from vectorplane.graph_nodes.ip4_sv_contexts import SvLimits


class KeptLimits:
    """Limits that nothing follows."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits

    def set(self, limits: Limits) -> None:
        """Change them."""
        self.limits = limits


class Ip6Reassembly:
    """Limits of full and of shallow virtual reassembly, as VPP has them at first."""

    def __init__(self) -> None:
        self.full, self.virtual = KeptLimits(Limits()), KeptLimits(SvLimits())
        self.local_enabled = True
