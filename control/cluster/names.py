"""Names of what an agent makes, as Contiv-VPP's agent gives them."""

from __future__ import annotations

POD_GATEWAY = "podGwLoop"
"""Loopback with the pods' gateway address, which every pod's interface borrows."""
HOST_LINK = "tap-vpp2"
"""The link to the node's own host, VPP's end."""
BVI = "vxlanBVI"
BRIDGE_DOMAIN = "vxlanBD"
BRIDGE_DOMAIN_ID = 1
SPLIT_HORIZON_GROUP = 1
NO_NIC = "loopbackNIC"
"""Stands for the main interface of a node that has none."""
_MOST = 40
"""Contiv-VPP cuts names at 63 characters. A VPP has 63 for a name and what it can't list otherwise."""


_POD, _TUNNEL = "vpp-tap-", "vxlan-default-"


def pod_interface(container: str) -> str:
    """VPP's end of the link to a pod, by the id of the pod's sandbox container."""
    return f"{_POD}{container}"[:_MOST]


def tunnel(node: int) -> str:
    """The VXLAN tunnel to a node."""
    return f"{_TUNNEL}{node}"


def is_agents(interface: str) -> bool:
    """Is it the name of an interface that only an agent makes?"""
    return interface in (POD_GATEWAY, HOST_LINK, BVI, NO_NIC) or interface.startswith((_POD, _TUNNEL))
