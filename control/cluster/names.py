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
_MOST = 63


def pod_interface(container: str) -> str:
    """VPP's end of the link to a pod, by the id of the pod's sandbox container."""
    return f"vpp-tap-{container}"[:_MOST]


def tunnel(node: int) -> str:
    """The VXLAN tunnel to a node."""
    return f"vxlan-default-{node}"
