"""Who says what when on memif's control channel, without sockets: one object for a connection, for either role.

    server: HELLO ->               <- INIT  ACK ->  <- ADD_REGION  ACK ->  ...  <- ADD_RING  ACK ->  ...
                                   <- CONNECT  CONNECTED ->   (the link is up)
    client: the same seen from the other end; it says the next thing when the last one was acknowledged

Then nothing but DISCONNECT may come. What a session wants to say is in `outgoing`; what it was given stands in
`regions`, `rings` and `peer_name`. File descriptors that came with messages belong to the session until somebody
takes them (`take_fds`). Whatever is not as it should be raises `ProtocolError`, and the connection is to be ended.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from vectorplane.backends.engine.memif.messages import (
    S2M,
    VERSION,
    Ack,
    AddRegion,
    AddRing,
    Connect,
    Connected,
    Disconnect,
    Hello,
    Init,
    Message,
    ProtocolError,
    text,
)

MAX_REGIONS = 256
MAX_RINGS = 64
"""In each direction."""
MAX_LOG2_RING_SIZE = 14
NAME = b"vectorplane"
Outgoing = tuple[Message, int]
"""A message and the file descriptor that goes with it, -1 for none."""


class State(Enum):
    """How far a connection has come."""

    GREETING = "greeting"  # the server's HELLO, the client's INIT are still to come
    SETUP = "setup"
    CONNECTED = "connected"


@dataclass(frozen=True)
class Region:
    """A shared memory that the client offers: its file descriptor and how large it says it is."""

    fd: int
    size: int


@dataclass(frozen=True)
class Ring:
    """A ring that the client offers, unchecked but for its numbers."""

    region: int
    offset: int
    log2_size: int
    fd: int


@dataclass(frozen=True)
class Limits:
    """What a server's HELLO lets its client have."""

    s2m_rings: int
    m2s_rings: int
    log2_ring_size: int


class Session:
    """What both roles share."""

    def __init__(self) -> None:
        self.state = State.GREETING
        self.outgoing: deque[Outgoing] = deque()
        self.peer_name = ""
        """What the program at the other end calls itself."""
        self.peer_interface = ""

    def receive(self, message: Message, fd: int = -1) -> None:
        """A message came, with a file descriptor or without (-1).

        Raises:
            ProtocolError: the connection is to be ended; ``fd`` then still belongs to the caller.
        """
        if fd >= 0 and not isinstance(message, AddRegion | AddRing):
            raise ProtocolError("unexpected file descriptor")
        if isinstance(message, Disconnect):
            raise PeerLeft(text(message.text) or "no reason given")
        self._handle(message, fd)

    def _handle(self, message: Message, fd: int) -> None:
        raise NotImplementedError

    def _unexpected(self, message: Message) -> ProtocolError:
        return ProtocolError(f"unexpected {type(message).__name__} message ({self.state.value})")

    def take_fds(self) -> list[int]:
        """File descriptors that nobody has taken: the caller closes them."""
        return []


class PeerLeft(ProtocolError):
    """The peer said DISCONNECT; the text is its reason."""


class ServerSession(Session):
    """Of a connection that was accepted.

    ``choose`` is given the INIT and refuses (`ProtocolError`) what it does not want; ``connect`` is called when all has
    been said: it takes the memory into use, or refuses, and gives the interface's name.
    """

    def __init__(self, choose: Callable[[Init], None], connect: Callable[[ServerSession], str]) -> None:
        super().__init__()
        self._choose, self._connect = choose, connect
        self.regions: list[Region] = []
        self.s2m: list[Ring] = []
        self.m2s: list[Ring] = []
        hello = Hello(NAME, VERSION, VERSION, MAX_REGIONS - 1, MAX_RINGS - 1, MAX_RINGS - 1, MAX_LOG2_RING_SIZE)
        self.outgoing.append((hello, -1))

    def _handle(self, message: Message, fd: int) -> None:
        if self.state is State.GREETING and isinstance(message, Init):
            self._init(message)
        elif self.state is State.SETUP and isinstance(message, AddRegion):
            self._add_region(message, fd)
        elif self.state is State.SETUP and isinstance(message, AddRing):
            self._add_ring(message, fd)
        elif self.state is State.SETUP and isinstance(message, Connect):
            self.peer_interface = text(message.name)
            name = self._connect(self)
            self.state = State.CONNECTED
            self.outgoing.append((Connected(name.encode()), -1))
        else:
            raise self._unexpected(message)

    def _init(self, message: Init) -> None:
        if message.version != VERSION:
            raise ProtocolError("unsupported version")
        self.peer_name = text(message.name)
        self._choose(message)
        self.state = State.SETUP
        self.outgoing.append((Ack(), -1))

    def _add_region(self, message: AddRegion, fd: int) -> None:
        if fd < 0:
            raise ProtocolError("missing memory region fd")
        if message.index != len(self.regions):
            raise ProtocolError("unexpected region index")
        if message.index >= MAX_REGIONS:
            raise ProtocolError("too many regions")
        self.regions.append(Region(fd, message.size))
        self.outgoing.append((Ack(), -1))

    def _add_ring(self, message: AddRing, fd: int) -> None:
        rings = self.s2m if message.flags & S2M else self.m2s
        if fd < 0:
            raise ProtocolError("missing ring interrupt fd")
        if message.private_hdr_size != 0:
            raise ProtocolError("private headers not supported")
        if message.index != len(rings):
            raise ProtocolError("unexpected ring index")
        if message.index >= MAX_RINGS:
            raise ProtocolError("too many rings")
        if message.log2_ring_size > MAX_LOG2_RING_SIZE:
            raise ProtocolError("ring size too big")
        rings.append(Ring(message.region, message.offset, message.log2_ring_size, fd))
        self.outgoing.append((Ack(), -1))

    def take_fds(self) -> list[int]:
        """All that came and was not taken."""
        fds = [r.fd for r in self.regions] + [r.fd for r in (*self.s2m, *self.m2s)]
        self.regions, self.s2m, self.m2s = [], [], []
        return fds


class ClientSession(Session):
    """Of a connection to a server.

    ``offer`` is given what the server allows and gives ADD_REGION and ADD_RING messages with their file descriptors,
    which stay the caller's; ``connect`` is called when the server is ready.
    """

    def __init__(
        self,
        init: Init,
        interface: str,
        offer: Callable[[Limits], Sequence[Outgoing]],
        connect: Callable[[], None],
    ) -> None:
        super().__init__()
        self._init, self._interface, self._offer, self._connect = init, interface, offer, connect
        self._to_say: deque[Outgoing] = deque()
        self._asked = False

    def _handle(self, message: Message, fd: int) -> None:
        if self.state is State.GREETING and isinstance(message, Hello):
            self._hello(message)
        elif self.state is State.SETUP and isinstance(message, Ack) and self._asked:
            self._say_next()
        elif self.state is State.SETUP and isinstance(message, Connected) and not self._to_say:
            self.peer_interface = text(message.name)
            self._connect()
            self.state = State.CONNECTED
        else:
            raise self._unexpected(message)

    def _hello(self, message: Hello) -> None:
        if not message.min_version <= VERSION <= message.max_version:
            raise ProtocolError("incompatible protocol version")
        self.peer_name = text(message.name)
        s2m, m2s = min(message.max_s2m_ring + 1, MAX_RINGS), min(message.max_m2s_ring + 1, MAX_RINGS)
        limits = Limits(s2m, m2s, min(message.max_log2_ring_size, MAX_LOG2_RING_SIZE))
        self._to_say.extend(((self._init, -1), *self._offer(limits), (Connect(self._interface.encode()), -1)))
        self.state = State.SETUP
        self._say_next()

    def _say_next(self) -> None:
        self.outgoing.append(self._to_say.popleft())
        self._asked = bool(self._to_say)  # CONNECT, the last one, is answered by CONNECTED
