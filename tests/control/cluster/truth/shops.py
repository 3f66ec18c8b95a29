"""Services that are asked again and again: who answered, and whom the documentation lets answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

from tests.control.cluster.kube.known import make
from tests.control.cluster.truth.oracle import oracle
from tests.control.cluster.truth.packets import Packets
from tests.naive.network_policy import allowed
from vectorplane.backends.engine.sim_host.probe import Probe

FRONT, NODE_PORT = 8000, 30500
_PATIENCE = 300_000_000


def shop(where: str, selector: dict[str, str], target: int | str, *, kind: str = "ClusterIP", udp: bool = False) -> Any:
    """A service at ``namespace/name``; of UDP or TCP."""
    namespace, _, name = where.partition("/")
    port = {"port": FRONT, "targetPort": target, "protocol": "UDP" if udp else "TCP"}
    if kind == "NodePort":
        port["nodePort"] = NODE_PORT
    return make("Service", name, namespace, spec={"type": kind, "selector": selector, "ports": [port]})


@dataclass
class Visit:
    """What a client met: names of pods, each as often as it answered; ``lost``: how often nobody did."""

    answered: list[str]
    lost: int


class Shops:
    """Clients at services."""

    def __init__(self, packets: Packets) -> None:
        self._packets = packets

    def visit(
        self, clients: Iterable[str], address: IPv4Address, port: int, *, udp: bool = False, times: int = 12
    ) -> dict[str, Visit]:
        """Each client asks so many times, all at once."""
        probes: dict[str, list[Probe]] = {}
        for client in clients:
            host = self._packets.hosts[client]
            probes[client] = [
                host.send_udp(address, port, b"?", timeout=_PATIENCE, retries=0)
                if udp
                else host.connect(address, port, timeout=_PATIENCE)
                for _ in range(times)
            ]
        self._packets.cluster.wait_for(*(p for some in probes.values() for p in some))
        met = {}
        for client, some in probes.items():
            done = [p for p in some if p.answered]
            assert all((p.source, p.source_port) == (address, port) for p in done), [str(p) for p in done]
            met[client] = Visit([_server(p.answer, udp) for p in done], len(some) - len(done))
        return met

    def may(self, client: str, backends: Iterable[str], port: int, *, udp: bool = False) -> set[str]:
        """The backends that the documentation lets a client reach."""
        of = oracle(self._packets.cluster)
        record = of.pod(*client.split("/"))
        return {b for b in backends if allowed(of, record, of.pod(*b.split("/")), "UDP" if udp else "TCP", port)}

    def check(
        self,
        clients: Iterable[str],
        backends: set[str],
        address: IPv4Address,
        port: int,
        *,
        target: int,
        udp: bool = False,
        times: int = 12,
    ) -> dict[str, Visit]:
        """Whoever answers may be reached; a client is lost only if there is a backend that it may not reach."""
        clients = list(clients)
        met = self.visit(clients, address, port, udp=udp, times=times)
        for client in clients:
            may, seen = self.may(client, backends, target, udp=udp), met[client]
            assert set(seen.answered) <= may, f"{client} reached {set(seen.answered) - may}, may reach {may}"
            assert not seen.lost or may != backends, f"{client} was lost {seen.lost} times"
        return met


def _server(answer: bytes, udp: bool) -> str:
    text = answer.decode()
    return text.partition(": ")[0] if udp else text.rpartition("\r\n\r\n")[2].strip()
