"""Network namespaces with a mark by which a lab knows its own: their loopback's alias is ``vectorplane lab TOKEN``.

A namespace is marked before it gets its name, so there is no moment at which a crash leaves a name without a mark.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from vectorplane.backends.engine.host.namespace import FOLDER, apart, inside, leave_for_a_new_one
from vectorplane.backends.engine.tap.host_link import HostLink, configure
from vectorplane.control.lab.plan import BRIDGE

_LOOPBACK = 1
"""The index that each namespace's loopback has."""


class LabError(Exception):
    """A lab can't be made, or has come to an end; the text says why."""


@contextmanager
def _netlink(what: str) -> Iterator[Any]:
    """A netlink socket; what the kernel refuses is a LabError that says ``what`` was tried."""
    from pyroute2 import IPRoute
    from pyroute2.netlink.exceptions import NetlinkError

    with IPRoute() as netlink:
        try:
            yield netlink
        except NetlinkError as error:
            raise LabError(f"{what}: {error.args[1]}") from None


def make(name: str, token: str) -> None:
    """A new namespace, marked, its loopback up.

    Raises:
        LabError: there is one of that name, or the kernel refuses it.
    """
    from pyroute2 import netns

    def work() -> None:
        leave_for_a_new_one()
        with _netlink(f"network namespace {name}") as netlink:
            netlink.link("set", index=_LOOPBACK, state="up", ifalias=_mark(token))
        netns.attach(name, threading.get_native_id())

    if os.path.lexists(FOLDER / name):
        raise LabError(
            f"there is a network namespace {name} already, which is not this lab's: give this one another --prefix"
        )
    try:
        apart(work)
    except OSError as error:
        with suppress(OSError):  # a name to which nothing was bound
            if error.errno != errno.EEXIST and not os.path.ismount(FOLDER / name):
                os.unlink(FOLDER / name)
        raise LabError(f"network namespace {name}: {error.strerror or error}") from None


def _mark(token: str) -> str:
    return f"vectorplane lab {token}"


def is_marked(name: str, token: str) -> bool:
    """Is there a namespace of that name, and with that mark?"""

    def look() -> bool:
        with _netlink(f"network namespace {name}") as netlink:
            return bool(netlink.get_links(_LOOPBACK)[0].get_attr("IFLA_IFALIAS") == _mark(token))

    try:
        return inside(name, look)
    except (OSError, LabError):  # none of that name, or a file that is no namespace
        return False


def remove(name: str) -> None:
    """Take its name away; it is gone once no process is in it any more. Raises OSError."""
    from pyroute2 import netns

    netns.remove(name)


def identity(name: str) -> tuple[int, int]:
    """What tells a namespace from all others that there are now. Raises OSError."""
    found = os.stat(FOLDER / name)
    return found.st_dev, found.st_ino


def make_switch(namespace: str, mtu: int | None) -> None:
    """A bridge. It has no addresses, and sends nothing by itself. Raises LabError."""

    def work() -> None:
        for which in ("all", "default"):
            with suppress(OSError):  # a kernel without IPv6
                Path(f"/proc/sys/net/ipv6/conf/{which}/disable_ipv6").write_text("1")
        with _netlink(f"{namespace}: cannot make the bridge {BRIDGE}") as netlink:
            netlink.link("add", ifname=BRIDGE, kind="bridge")
            (index,) = netlink.link_lookup(ifname=BRIDGE)
            if mtu is not None:
                netlink.link("set", index=index, mtu=mtu)
            netlink.link("set", index=index, state="up")

    inside(namespace, work)


def plug_in(namespace: str, eth0: HostLink, switch: str, port: str, mtu: int | None) -> None:
    """A cable (veth) from a host to a port of a switch. Raises LabError."""

    def in_switch() -> None:
        with _netlink(f"{switch}: cannot plug in {namespace}") as netlink:
            peer = {"ifname": eth0.name, "net_ns_fd": namespace}
            netlink.link("add", ifname=port, kind="veth", peer=peer)
            (index,), (bridge,) = netlink.link_lookup(ifname=port), netlink.link_lookup(ifname=BRIDGE)
            if mtu is not None:
                netlink.link("set", index=index, mtu=mtu)
            netlink.link("set", index=index, master=bridge, state="up")

    inside(switch, in_switch)
    try:
        inside(namespace, lambda: configure(eth0))
    except OSError as error:
        raise LabError(f"{namespace}: {error.strerror or error}") from None
