"""A memif interface's device, as server (VPP: master) or client (slave); named ``memifX/Y`` by VPP.

A server listens, a client that is administratively up tries to connect, once a second until it can. The link is up
while there is a connection. It ends when either side says so, when the peer's process does, or when the peer breaks
the rules: then one line in the log says why, the peer is told, and a server waits for the next client.

The client makes the memory and decides how many queues there are and how large, within what the server allows.
"""

from __future__ import annotations

import errno
import hmac
import logging
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from vectorplane.backends.base import BackendError
from vectorplane.backends.engine.device import Device
from vectorplane.backends.engine.interface import ADMIN
from vectorplane.backends.engine.memif.link import MemifLink, RingPlace
from vectorplane.backends.engine.memif.listener import HANDSHAKE, Listener, Listeners
from vectorplane.backends.engine.memif.messages import ETHERNET, S2M, VERSION, AddRegion, AddRing, Init, ProtocolError
from vectorplane.backends.engine.memif.regions import MappedRegion, foreign_region, is_eventfd, own_region
from vectorplane.backends.engine.memif.rings import Layout, ring_address
from vectorplane.backends.engine.memif.session import (
    MAX_LOG2_RING_SIZE,
    MAX_RINGS,
    NAME,
    ClientSession,
    Limits,
    Outgoing,
    PeerLeft,
    Ring,
    ServerSession,
    State,
)
from vectorplane.backends.engine.memif.socket import ControlSocket, address_of, connect
from vectorplane.backends.engine.memif.watcher import Watcher

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

log = logging.getLogger(__name__)
_RETRY = 1_000_000_000
_NOT_THERE_YET = (errno.ENOENT, errno.ECONNREFUSED)
"""A server that has not started."""
SECRET_SIZE = 24


class MemifDevice(Device):
    """``socket``: path or ``abstract:NAME``. Queue q is served by worker ``q % workers``.

    Queues, ring size (a power of two) and buffer size are the client's to choose; a server takes what it is given.

    Raises:
        ValueError: a number out of range, a secret that is too long, a name that no socket can have.
    """

    kind = "memif"
    numbered_mac = False
    tx_node = "memif-tx"
    frame_size_can_change = True

    def __init__(
        self,
        socket: str,
        id: int = 0,
        *,
        server: bool = True,
        secret: str = "",
        rx_queues: int = 1,
        tx_queues: int = 1,
        ring_size: int = 1024,
        buffer_size: int = 2048,
    ) -> None:
        for name, value, least, most in (
            ("id", id, 0, 2**32 - 1),
            ("rx_queues", rx_queues, 1, MAX_RINGS),
            ("tx_queues", tx_queues, 1, MAX_RINGS),
            ("ring_size", ring_size, 2, 1 << MAX_LOG2_RING_SIZE),
            ("buffer_size", buffer_size, 64, 65535),
        ):
            if not least <= value <= most:
                raise ValueError(f"memif: {name} {value} is not within {least} to {most}")
        if ring_size & (ring_size - 1):
            raise ValueError(f"memif: ring_size {ring_size} is no power of two")
        if len(secret.encode()) >= SECRET_SIZE or "\0" in secret:
            raise ValueError(f"memif: a secret has at most {SECRET_SIZE - 1} bytes, none of them zero")
        if (rx_queues + tx_queues) * ring_size * (buffer_size + 64) >= 1 << 32:
            raise ValueError("memif: queues, ring size and buffer size come to more than 4 GiB")
        address_of(socket)
        self.socket, self.id, self.server, self.secret = socket, id, server, secret
        self.rx_queues, self.tx_queues, self.ring_size, self.buffer_size = rx_queues, tx_queues, ring_size, buffer_size
        self._said: str | None = None
        """Why the last attempt to connect failed, if it did."""
        self.agreed = (1, 0)
        """Ring size and buffer size of the last connection as a client (VPP tells these, and as a server none)."""
        self.link: MemifLink | None = None
        self.control: ControlSocket | None = None
        self._listener: Listener | None = None
        self._offered: tuple[MappedRegion, Layout, list[RingPlace], list[RingPlace]] | None = None
        self._watcher: Watcher | None = None
        self._retry_at = 0

    def carrier(self) -> bool:
        """Is there a connection?"""
        return self.link is not None

    def attach(self, engine: Engine, sw_if_index: int) -> None:
        """Join `memif-input`; a server listens from now on.

        Raises:
            BackendError: the engine's time is not real, or another interface has that id at the socket.
            OSError: the socket can't be had.
        """
        if engine.clock != "real":
            raise BackendError("memif needs real time: use `vectorplane run`")
        self._engine, self._sw_if_index = engine, sw_if_index
        watcher = Watcher()
        if self.server:
            listeners = engine.plane.shared(Listeners)
            try:
                self._listener = listeners.join(self.socket, self, lambda: engine.now, engine.timers)
            except BaseException:
                watcher.close()
                raise
        self._watcher = watcher
        engine.poll_node(engine.plane.graph.add("memif-input"))
        engine.interfaces.on_change.append(self._changed)

    @property
    def _name(self) -> str:
        return self._engine.interfaces[self._sw_if_index].name

    # --- the engine asks

    def wait_fds(self) -> Sequence[int]:
        """Control sockets, and the eventfds that the peer signals."""
        fds = [] if self._watcher is None else [self._watcher.fd]
        return [*fds, self._listener.watcher.fd] if self._listener is not None else fds

    def arm(self) -> bool:
        """Have the peer signal us; True when it has sent something in the meantime."""
        return self.link is not None and self.link.arm()

    def service(self) -> None:
        """What has come by the control channel; a peer that broke the rules; a client's next attempt."""
        if self._listener is not None:
            self._listener.watcher.poll()
        if self._watcher is not None:
            self._watcher.poll()
        reason = self.link.broken() if self.link is not None else None
        if reason is not None:
            self.lost(reason, tell=True)
        self._try()

    def _changed(self, sw_if_index: int, what: str) -> None:
        if sw_if_index == self._sw_if_index and what == ADMIN and not self.server:
            self._retry_at = 0
            self._engine.timers.at(self._engine.now, lambda _: self._try())

    # --- as a client

    def _try(self) -> None:
        engine = self._engine
        if self.server or self.control is not None or self._watcher is None or engine.now < self._retry_at:
            return
        if not engine.interfaces.is_up(self._sw_if_index):
            return
        self._retry_at = engine.now + _RETRY
        engine.timers.at(self._retry_at, lambda _: self._try())
        try:
            connection = connect(self.socket)
        except OSError as error:
            said = f"{self.socket}: {error.strerror}"
            if said != self._said:
                self._said = said
                log.info("%s: %s", self._name, said)
            self.fault = None if error.errno in _NOT_THERE_YET else said
            return
        init = Init(VERSION, self.id, ETHERNET, self.secret.encode(), NAME)
        self.control = control = ControlSocket(connection, ClientSession(init, self._name, self._offer, self._ready))
        self._watcher.add(control.fd, lambda: self._converse(control))
        engine.timers.at(engine.now + HANDSHAKE, lambda _: self._too_late(control))
        self._converse(control)

    def _converse(self, control: ControlSocket) -> None:
        try:
            control.service()
        except ProtocolError as error:
            self.lost(str(error), tell=not isinstance(error, PeerLeft))

    def _too_late(self, control: ControlSocket) -> None:
        if self.control is control and control.session.state is not State.CONNECTED:
            self.lost("timeout", tell=True)

    def _offer(self, limits: Limits) -> list[Outgoing]:
        log2_size = min(self.ring_size.bit_length() - 1, limits.log2_ring_size)
        s2m, m2s = min(self.tx_queues, limits.s2m_rings), min(self.rx_queues, limits.m2s_rings)
        layout = Layout(s2m, m2s, log2_size, self.buffer_size)
        self.agreed = (1 << log2_size, self.buffer_size)
        fds: list[int] = []
        try:
            fds += [os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK) for _ in range(s2m + m2s)]
            region = own_region(layout.size, f"{self._name} region 0")
        except OSError as error:
            for fd in fds:
                os.close(fd)
            raise ProtocolError(f"no memory for the rings: {error.strerror}") from error
        layout.write(region)
        places = [RingPlace(region.address + layout.ring(i), log2_size, fd) for i, fd in enumerate(fds)]
        self._offered = (region, layout, places[s2m:], places[:s2m])
        says: list[Outgoing] = [(AddRegion(0, region.size), region.fd)]
        for i, fd in enumerate(fds):
            flags, number = (S2M, i) if i < s2m else (0, i - s2m)
            says.append((AddRing(flags, number, 0, layout.ring(i), log2_size, 0), fd))
        return says

    def _ready(self) -> None:
        if self._offered is None:
            raise ProtocolError("nothing was offered")
        region, layout, rx, tx = self._offered
        self._offered = None
        layout.give_buffers(region)
        self._up([region], rx, tx, layout)

    # --- as a server (`listener.Server`)

    def choose(self, init: Init, control: ControlSocket) -> None:
        """A client wants this interface. Raises `ProtocolError`: it may not have it."""
        if self.control is not None:
            raise ProtocolError("already connected")
        if init.mode != ETHERNET:
            raise ProtocolError("mode mismatch")
        if self.secret and not init.secret:
            raise ProtocolError("secret required")
        if self.secret and not hmac.compare_digest(init.secret, self.secret.encode()):
            raise ProtocolError("incorrect secret")
        self.control = control

    def connect(self, session: ServerSession) -> str:
        """Take the client's memory into use, if all is well with it. Raises `ProtocolError`."""
        regions: list[MappedRegion] = []
        try:
            for offered in session.regions:
                regions.append(foreign_region(offered.fd, offered.size))
            rx = [self._place(ring, regions) for ring in session.s2m]
            tx = [self._place(ring, regions) for ring in session.m2s]
        except ProtocolError:
            session.regions = session.regions[len(regions) :]
            for region in regions:
                region.close()
            raise
        session.regions, session.s2m, session.m2s = [], [], []
        self._up(regions, rx, tx, None)
        return self._name

    def _place(self, ring: Ring, regions: list[MappedRegion]) -> RingPlace:
        if not is_eventfd(ring.fd):
            raise ProtocolError("ring interrupt fd is no eventfd")
        return RingPlace(ring_address(ring, regions), ring.log2_size, ring.fd)

    # --- up and down

    def _up(self, regions: list[MappedRegion], rx: list[RingPlace], tx: list[RingPlace], layout: Layout | None) -> None:
        try:
            link = MemifLink(self._engine, self._sw_if_index, regions, rx, tx, layout)
        except (OSError, RuntimeError) as error:
            raise ProtocolError(f"no queues: {error}") from error
        self.link, self.fault, self._said = link, None, None
        assert self._watcher is not None
        for fd in link.rx_fds:
            self._watcher.add(fd, lambda: None, edge=True)  # being woken is all that is wanted
        interfaces = self._engine.interfaces
        interfaces.set_link(self._sw_if_index, interfaces.is_up(self._sw_if_index))
        log.info("%s: connected", self._name)

    def lost(self, reason: str, *, tell: bool) -> None:
        """The connection ends; ``tell``: the peer is told why."""
        if self.control is None:
            return
        control, self.control = self.control, None
        self.fault = reason if tell else None  # that a peer leaves is nothing wrong
        was_up = self.link is not None
        self._down()
        if self._listener is not None:
            self._listener.drop(control, reason if tell else None)
        else:
            if self._watcher is not None:
                self._watcher.remove(control.fd)
            control.end(reason if tell else None)
        log.warning("%s: %s%s", self._name, reason, "; its link is down" if was_up else "")

    def _withdraw(self) -> None:
        if self._offered is not None:
            region, _, rx, tx = self._offered
            self._offered = None
            region.close()
            for place in (*rx, *tx):
                os.close(place.fd)

    def _down(self) -> None:
        self._withdraw()
        if self.link is not None:
            link, self.link = self.link, None
            for fd in link.rx_fds:
                if self._watcher is not None:
                    self._watcher.remove(fd)
            link.close()
            self._engine.interfaces.set_link(self._sw_if_index, False)

    def close(self) -> None:
        """The peer is told, the connection and the socket are closed."""
        if self._watcher is None:
            return
        watcher, self._watcher = self._watcher, None
        self._engine.interfaces.on_change.remove(self._changed)
        control, self.control = self.control, None
        if self.link is not None:
            self.link.close()  # its eventfds leave the watcher by themselves
            self.link = None
        self._withdraw()
        if self._listener is not None:
            if control is not None:
                self._listener.drop(control, "interface deleted")
            self._engine.plane.shared(Listeners).leave(self._listener, self)
            self._listener = None
        elif control is not None:
            control.end("interface deleted")
        watcher.close()
