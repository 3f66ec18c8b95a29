"""Cutting TCP into segments: ``feature_gso_enable_disable``; ``feature_is_enabled`` says where it is on."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.items import SoftwareGso
from vectorplane.backends.vpp.kinds.kind import Kind, Message, Steps

ARC, FEATURE = "ip4-output", "gso-ip4"


class SoftwareGsos(Kind[SoftwareGso]):
    """See the module."""

    item = SoftwareGso
    title = "segmentation on interfaces"
    messages = (("feature_gso_enable_disable",), ("feature_is_enabled",))

    def create(self, item: SoftwareGso) -> Steps:
        """On."""
        yield self._message(item, True)

    def delete(self, item: SoftwareGso) -> Steps:
        """Off."""
        yield self._message(item, False)

    def _message(self, item: SoftwareGso, on: bool) -> Message:
        return "feature_gso_enable_disable", {"sw_if_index": self.index(item.interface), "enable_disable": on}

    def dump(self) -> Iterable[SoftwareGso]:
        """All."""
        for interface, _ in self.link.having(ARC, (FEATURE,)):
            yield SoftwareGso(interface.name)
