"""Interfaces ``memifX/Y`` as VPP's API makes them: X is the number of a socket, Y the interface's id there."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from typing import TYPE_CHECKING

from vectorplane.backends.engine.memif.device import MemifDevice
from vectorplane.backends.engine.memif.socket import ABSTRACT, address_of

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.interfaces import Interface
    from vectorplane.dataplane.plane import Dataplane

ANY = 0xFFFFFFFF
"""As the number of a new socket: whichever is free."""


class NoSuchSocket(KeyError):
    """No socket has that number."""


class SocketInUse(ValueError):
    """An interface has it, or it has another name already."""


class RoleTaken(ValueError):
    """A socket is of servers or of clients, and there is one interface of an id."""


class MemifSockets:
    """The sockets of an engine that have numbers; number 0 is always there."""

    def __init__(self, plane: Dataplane) -> None:
        self.names: dict[int, str] = {}
        self.use_runtime_dir("/run/vpp" if os.geteuid() == 0 else f"/run/user/{os.getuid()}/vpp")

    def use_runtime_dir(self, path: str) -> None:
        """Names that are no paths from the root lie there from now on, and so does socket 0."""
        self.runtime_dir = path
        self.names[0] = os.path.join(path, "memif.sock")

    def __getitem__(self, number: int) -> str:
        """The name of a socket. Raises `NoSuchSocket`."""
        if number not in self.names:
            raise NoSuchSocket(f"no memif socket has number {number}")
        return self.names[number]

    def add(self, number: int, name: str) -> int:
        """Give a name a number; gives the number.

        Raises:
            ValueError: there can be no such socket.
            SocketInUse: the number stands for another name.
            OSError: the directory for it can't be made.
        """
        if not name.startswith((ABSTRACT, "/")):
            address_of(name)
            name = os.path.join(self.runtime_dir, name)
            os.makedirs(os.path.dirname(name), exist_ok=True)
        address_of(name)
        if number == ANY:
            number = next(n for n in iter(lambda: random.randrange(1, ANY), None) if n not in self.names)
        if self.names.setdefault(number, name) != name:
            raise SocketInUse(f"memif socket {number} is {self.names[number]}")
        return number

    def remove(self, engine: Engine, number: int) -> None:
        """Forget a number.

        Raises:
            NoSuchSocket: nothing has it.
            SocketInUse: an interface has the socket.
        """
        name = self[number]
        if any(device.socket == name for _, device in memifs(engine)):
            raise SocketInUse(f"memif socket {name} is in use")
        del self.names[number]

    def number(self, name: str) -> int:
        """The number of a socket; `ANY` when it has none (a configuration names sockets by path)."""
        return next((n for n, known in self.names.items() if known == name), ANY)


def memifs(engine: Engine) -> Iterator[tuple[Interface, MemifDevice]]:
    """All memif interfaces, in the order of their sw_if_index."""
    for _, interface in sorted(engine.interfaces.by_index.items()):
        if isinstance(interface.device, MemifDevice) and not interface.is_sub:
            yield interface, interface.device


def create_memif(engine: Engine, socket: int, device: MemifDevice, mac: bytes | None = None) -> Interface:
    """``memifX/Y``, down; X is ``socket``.

    Raises:
        RoleTaken: the socket has interfaces of the other role, or one of this id.
        BackendError, OSError: as `MemifDevice.attach`.
    """
    name = f"memif{socket}/{device.id}"
    there = [d for _, d in memifs(engine) if d.socket == device.socket]
    if any(d.server != device.server or d.id == device.id for d in there) or name in engine.plane.interfaces.by_name:
        raise RoleTaken(f"memif socket {device.socket} is taken for {name}")
    return engine.interfaces.add(name, mac=mac, device=device)


def delete_memif(engine: Engine, sw_if_index: int) -> None:
    """Remove one, with its sub-interfaces. Raises KeyError: there is no such interface, or it is no memif."""
    interface = engine.interfaces[sw_if_index]
    if not isinstance(interface.device, MemifDevice) or interface.is_sub:
        raise KeyError(f"{interface.name} is no memif interface")
    engine.interfaces.remove(sw_if_index)
