"""The host that plays a pod."""

from __future__ import annotations

from ipaddress import IPv4Address

from vectorplane.backends.engine.interface import mac_bytes
from vectorplane.backends.engine.sim_host.services import Answer, Client
from vectorplane.backends.engine.sim_host.sim_host import SimHost
from vectorplane.control.cluster.ipnet.ends import PodEnd
from vectorplane.control.cluster.kube.model.pods import Pod


def pod_host(end: PodEnd, pod: Pod, node: str) -> SimHost:
    """The pod itself: it listens at the ports of its containers, at all ports if they name none."""
    host = SimHost(
        f"{pod.namespace}/{pod.name}",
        str(end.address),
        mac=mac_bytes(end.mac),
        mtu=end.mtu,
        gateway=str(end.gateway),
        arp={str(end.gateway): mac_bytes(end.gateway_mac)},
    )
    page = _page(f"{pod.name} on {node}")
    for port in pod.ports:
        match port.protocol:
            case "TCP":
                host.serve_tcp(port.containerPort, page)
            case "UDP":
                host.serve_udp(port.containerPort)
            case "SCTP":
                host.serve_sctp(port.containerPort)
    if not pod.ports:
        host.serve_tcp(None, page)
        host.serve_udp()
        host.serve_sctp()
    return host


def _page(who: str) -> Answer:
    """A page that says who serves it, and who it was asked by."""

    def answer(request: bytes, client: Client) -> bytes | None:
        if b"\r\n\r\n" not in request:
            return None
        address: IPv4Address = client[0]
        body = f"{who}, asked by {address}\n".encode()
        head = f"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode() + body

    return answer
