"""Addresses of pods that somebody else gives: another IPAM plugin, called by CNI before us.

Here is only kept which pod has which. That plugin knows when an address may be used again, so one that it gives while
the pod that had it is still known is not refused.
"""

from __future__ import annotations

import json
from ipaddress import ip_interface
from typing import Any

from vectorplane.control.cluster.ipam.arithmetic import Ip
from vectorplane.control.cluster.ipam.error import IpamError
from vectorplane.control.cluster.ipam.pod import PodId


def address_in(data: str | bytes) -> Ip:
    """The pod's address in the result of an IPAM plugin: one entry of ``ips``, JSON (CNI specification, IPConfig).

    Raises:
        IpamError: there is none in it.
    """
    try:
        value: Any = json.loads(data)
    except ValueError as error:
        raise IpamError("ipam_data", f"expected JSON, got {data[:100]!r} ({error})") from None
    given = value.get("address") if isinstance(value, dict) else None
    if not isinstance(given, str):
        raise IpamError("ipam_data.address", f"is missing in {data[:100]!r}")
    try:
        return ip_interface(given).ip
    except ValueError:
        raise IpamError("ipam_data.address", f"expected an address such as 10.1.1.5/24, got {given!r}") from None


class ExternalPods:
    """The addresses that pods were given."""

    def __init__(self) -> None:
        self._addresses: dict[PodId, Ip] = {}

    def take(self, pod: PodId, data: str | bytes, version: int) -> Ip:
        """Note what the plugin gave a pod. Raises IpamError as `address_in`, or it is not of that IP version."""
        address = address_in(data)
        if address.version != version:
            raise IpamError("ipam_data.address", f"expected an address of IPv{version}, got {address}")
        self._addresses.pop(pod, None)  # behind the others
        self._addresses[pod] = address
        return address

    def release(self, pod: PodId) -> Ip | None:
        """The address that the pod had."""
        return self._addresses.pop(pod, None)

    def address_of(self, pod: PodId) -> Ip | None:
        """The address of a pod."""
        return self._addresses.get(pod)

    def pod_of(self, address: Ip) -> PodId | None:
        """Whose address it is: of several, that of the pod that got it last."""
        return next((pod for pod, its in reversed(self._addresses.items()) if its == address), None)

    def allocations(self) -> dict[PodId, Ip]:
        """All that are known."""
        return dict(sorted(self._addresses.items()))

    def relearn(self, found: dict[PodId, Ip], waiting: set[PodId]) -> None:
        """Forget all but what is there; ``waiting``: pods whose address has not been reported yet keep theirs."""
        kept = {pod: address for pod, address in self._addresses.items() if pod in waiting}
        self._addresses = kept | found
