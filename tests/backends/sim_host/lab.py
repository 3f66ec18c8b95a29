"""Hosts around engines, for the tests of simulated hosts."""

from __future__ import annotations

from typing import Any

from tests.backends.sim import router
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.network import Network
from vectorplane.backends.engine.sim_host.host_link import HostLink
from vectorplane.backends.engine.sim_host.sim_host import SimHost

SECOND = 1_000_000_000


def pair(latency: int = 1000, **options: Any) -> tuple[Network, SimHost, SimHost]:
    """Two hosts back to back, 10.0.0.1 and 10.0.0.2."""
    a, b = SimHost("a", "10.0.0.1/24", **options), SimHost("b", "10.0.0.2/24", **options)
    return Network([], host_links=[HostLink(a, b, latency)]), a, b


def routed(latency: int = 1000, **options: Any) -> tuple[Network, Engine, SimHost, SimHost]:
    """a (10.1.0.2) -- port0, a router, port1 -- b (10.1.1.2)."""
    engine, ports = router(1, ({}, {}))
    a = SimHost("a", "10.1.0.2/24", gateway="10.1.0.1", **options)
    b = SimHost("b", "10.1.1.2/24", gateway="10.1.1.1", **options)
    return Network([engine], host_links=[HostLink(a, ports[0], latency), HostLink(b, ports[1], latency)]), engine, a, b


def conserved(*hosts: SimHost) -> None:
    """Every frame that came is counted once."""
    for host in hosts:
        assert host.frames_in == host.handled.total() + host.dropped.total(), (host.handled, host.dropped)


def tapped(network: Network) -> list[bytes]:
    """All frames of hosts' links in either direction from now on, as they are sent."""
    frames: list[bytes] = []

    def see(frame: bytes) -> bool:
        frames.append(frame)
        return False

    for link in network.host_links:
        link.loses = see
    return frames
