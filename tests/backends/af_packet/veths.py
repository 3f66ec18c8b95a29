"""A router on the near ends of veth pairs, in a namespace of its own, and a host at the far end of each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_interface

from tests.backends.tap.namespaces import namespaces, sh
from vectorplane.backends.engine.af_packet.device import AfPacketDevice
from vectorplane.backends.engine.engine import Engine


def add_veth(near: str, name: str, far: str, net: int) -> None:
    """A pair: ``name`` in one namespace, eth0 in the other, with 10.78.NET.2 and a default route by 10.78.NET.1."""
    sh("ip", "-n", near, "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", far)
    sh("ip", "-n", far, "link", "set", "eth0", "up")
    sh("ip", "-n", far, "addr", "add", f"10.78.{net}.2/24", "dev", "eth0")
    sh("ip", "-n", far, "route", "replace", "default", "via", f"10.78.{net}.1")


@contextmanager
def veths() -> Iterator[tuple[str, str, str]]:
    """The namespaces of the router (with v1 and v2) and of two hosts."""
    with namespaces("r", "a", "b") as (near, one, two):
        add_veth(near, "v1", one, 1)
        add_veth(near, "v2", two, 2)
        yield near, one, two


def add_host_interface(engine: Engine, namespace: str, name: str, net: int, **settings: bool | int) -> AfPacketDevice:
    """``host-NAME``, up, with 10.78.NET.1."""
    device = AfPacketDevice(name, namespace=namespace, **settings)  # type: ignore[arg-type]
    index = engine.interfaces.add(f"host-{name}", device=device).sw_if_index
    engine.interfaces.set_up(index)
    engine.addresses.add(index, ip_interface(f"10.78.{net}.1/24"))  # type: ignore[arg-type]
    return device


def router(namespace: str, workers: int = 1, **settings: bool | int) -> Engine:
    """Both interfaces, up."""
    engine = Engine(clock="real", workers=workers)
    engine.start_real_clock()
    for net in (1, 2):
        add_host_interface(engine, namespace, f"v{net}", net, **settings)
    return engine
