"""The host that a node is, beside its dataplane."""

from __future__ import annotations

from vectorplane.backends.engine.interface import mac_bytes
from vectorplane.backends.engine.sim_host.sim_host import SimHost
from vectorplane.control.cluster.ipam.arithmetic import Ip, alone
from vectorplane.control.cluster.ipnet.ends import host_end
from vectorplane.control.cluster.this_node import ThisNode


def own_host(node: ThisNode, management: Ip) -> SimHost:
    """The node's host: it has the management address, and reaches pods by VPP."""
    end = host_end(node)
    host = SimHost(
        node.name,
        [str(end.address), str(alone(management))],
        mac=mac_bytes(end.mac),
        gateway=str(end.gateway),
        mtu=end.mtu,
    )
    for prefix in end.routes:
        host.add_route(str(prefix), str(end.gateway))
    host.serve_tcp()
    host.serve_udp()
    host.serve_sctp()
    return host
