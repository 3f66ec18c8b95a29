"""A peer that says on the control channel what may not be said: it is told why, and others are served all the same."""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.backends.memif import raw_peer as raw
from tests.backends.memif.raw_peer import (
    ACK,
    CONNECT,
    HELLO,
    M2S,
    S2M,
    RawPeer,
    RawServer,
    add_region,
    add_ring,
    connect,
    init,
    message,
    new_region,
    set_up,
)
from tests.backends.memif.routers import Router, packet, routers, until
from tests.budget import examples
from vectorplane.backends.engine.memif.device import MemifDevice
from vectorplane.backends.engine.memif.messages import KINDS, ProtocolError, build, parse
from vectorplane.backends.engine.memif.session import ClientSession, Limits, ServerSession

SECRET = b"open sesame"


def refused(router: Router, path: Path, talk: Callable[[RawPeer], object], *, turns: int = 8) -> str:
    """What a client that talks like this is told; then one that behaves gets its link, and goes."""
    peer = connect(path)
    talk(peer)
    for _ in range(turns):
        router.turn()
    why = peer.reason()
    peer.close()
    assert not router.link
    good, shared = connect(path), new_region()
    bells = set_up(good, shared)
    until(lambda: router.link, router)
    good.close()
    until(lambda: not router.link, router)
    shared.close()
    for fd in bells:
        os.close(fd)
    return why


def ready(peer: RawPeer, shared: raw.Shared, *rings: bytes, size: int | None = None) -> None:
    """INIT, ADD_REGION, these ADD_RING, CONNECT."""
    peer.say(init())
    peer.say(add_region(shared.size if size is None else size), shared.fd)
    for ring in rings:
        peer.say(ring, os.eventfd(0))
    peer.say(message(CONNECT, "<32s", b"raw"))


def pipe_as_region(peer: RawPeer) -> None:
    """What is no memory at all."""
    peer.say(init())
    peer.say(add_region(4096), os.pipe()[0])
    peer.say(message(CONNECT))


def pipe_as_bell(peer: RawPeer) -> None:
    """Writing to it could wait."""
    shared = new_region()
    peer.say(init())
    peer.say(add_region(shared.size), shared.fd)
    peer.say(add_ring(S2M, to_server=True), os.pipe()[1])
    peer.say(message(CONNECT))


def spoilt_cookie(peer: RawPeer) -> None:
    """A ring that is none."""
    shared = new_region()
    shared.put(S2M, "<I", 1)
    ready(peer, shared, add_ring(S2M, to_server=True))


WRONG: dict[str, tuple[Callable[[RawPeer], object], str]] = {
    "short": (lambda p: p.say(b"\3\0"), "message of 2 bytes instead of 128"),
    "long": (lambda p: p.say(bytes(200)), "message that is too long, or has several file descriptors"),
    "unknown": (lambda p: p.say(message(77)), "unknown message type (0x4d)"),
    "none": (lambda p: p.say(message(0)), "unknown message type (0x0)"),
    "hello": (lambda p: p.say(message(HELLO)), "unexpected Hello message (greeting)"),
    "ack": (lambda p: p.say(message(ACK)), "unexpected Ack message (greeting)"),
    "no init": (lambda p: p.say(add_region(4096), new_region().fd), "unexpected AddRegion message (greeting)"),
    "version": (lambda p: p.say(init(version=0x100)), "unsupported version"),
    "id": (lambda p: p.say(init(5)), "unmatched interface id"),
    "mode": (lambda p: p.say(init(mode=1)), "mode mismatch"),
    "twice": (lambda p: [p.say(init()), p.say(init())], "unexpected Init message (setup)"),
    "fd": (lambda p: p.say(init(), os.pipe()[0]), "unexpected file descriptor"),
    "fds": (lambda p: p.say(init(), *os.pipe()), "message that is too long, or has several file descriptors"),
    "many fds": (lambda p: p.say(init(), *([0] * 60)), "message that is too long, or has several file descriptors"),
    "no region fd": (lambda p: [p.say(init()), p.say(add_region(9))], "missing memory region fd"),
    "region index": (
        lambda p: [p.say(init()), p.say(add_region(4096, 1), new_region().fd)],
        "unexpected region index",
    ),
    "no ring fd": (lambda p: [p.say(init()), p.say(add_ring(0, to_server=True))], "missing ring interrupt fd"),
    "private": (
        lambda p: ready(p, new_region(), add_ring(0, to_server=True, private=8)),
        "private headers not supported",
    ),
    "ring index": (lambda p: ready(p, new_region(), add_ring(0, to_server=True, index=2)), "unexpected ring index"),
    "ring size": (lambda p: ready(p, new_region(), add_ring(0, to_server=True, log2=15)), "ring size too big"),
    "ring size 255": (lambda p: ready(p, new_region(), add_ring(0, to_server=True, log2=255)), "ring size too big"),
    "pipe": (pipe_as_region, "memory region is no memfd"),
    "bell": (pipe_as_bell, "ring interrupt fd is no eventfd"),
    "sealed to no end": (
        lambda p: ready(p, new_region(seals=fcntl.F_SEAL_GROW)),
        "memory region is not sealed against shrinking",
    ),
    "unsealed": (lambda p: ready(p, new_region(seals=None)), "memory region is not sealed against shrinking"),
    "read only": (
        lambda p: ready(p, written_and_sealed()),
        "memory region can't be mapped: [Errno 1] Operation not permitted",
    ),
    "too small": (
        lambda p: ready(p, new_region(), size=raw.REGION + 1),
        f"memory region of {raw.REGION + 1} bytes, its file has {raw.REGION}",
    ),
    "endless": (
        lambda p: ready(p, new_region(), size=2**64 - 1),
        f"memory region of {2**64 - 1} bytes, its file has {raw.REGION}",
    ),
    "nothing": (lambda p: ready(p, new_region(), size=0), f"memory region of 0 bytes, its file has {raw.REGION}"),
    "ring beyond": (
        lambda p: ready(p, new_region(), add_ring(raw.REGION - 128, to_server=True)),
        "ring reaches beyond the end of its region",
    ),
    "ring far beyond": (
        lambda p: ready(p, new_region(), add_ring(2**32 - 8, to_server=True, log2=14)),
        "ring reaches beyond the end of its region",
    ),
    "odd ring": (
        lambda p: ready(p, new_region(), add_ring(1, to_server=True)),
        "ring at offset 1, which is no multiple of 8",
    ),
    "ring nowhere": (
        lambda p: ready(p, new_region(), add_ring(0, to_server=True, region=1)),
        "ring in region 1, which is not there",
    ),
    "cookie": (spoilt_cookie, "wrong cookie on ring"),
}


def written_and_sealed() -> raw.Shared:
    """Memory that can't be written any more."""
    made = new_region(seals=None, size=8192)
    fd = os.memfd_create("sealed", os.MFD_ALLOW_SEALING)
    os.ftruncate(fd, 8192)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_WRITE)
    os.close(made.fd)
    made.fd = fd
    return made


@pytest.mark.parametrize("case", WRONG)
def test_what_a_client_may_not_say(tmp_path: Path, case: str) -> None:
    """It is told why."""
    talk, why = WRONG[case]
    path = tmp_path / "m.sock"
    with routers(MemifDevice(str(path))) as (router,):
        assert refused(router, path, talk) == why


def test_secrets(tmp_path: Path) -> None:
    """A server that has one wants it."""
    path = tmp_path / "m.sock"
    with routers(MemifDevice(str(path), secret=SECRET.decode())) as (router,):
        for secret, why in (
            (b"", "secret required"),
            (b"open", "incorrect secret"),
            (SECRET + b"!", "incorrect secret"),
        ):
            peer = connect(path)
            peer.say(init(secret=secret))
            router.turn()
            router.turn()
            assert peer.reason() == why
        peer = connect(path)
        peer.say(init(secret=SECRET))
        router.turn()
        router.turn()
        assert [peer.hear()[0] for _ in range(2)] == [HELLO, ACK]
        other = connect(path)
        other.say(init(secret=SECRET))
        router.turn()
        router.turn()
        assert other.reason() == "already connected"


def test_a_second_client_does_not_disturb_the_first(tmp_path: Path) -> None:
    """It is refused, and packets go on; after CONNECT nothing more may be said."""
    path = tmp_path / "m.sock"
    with routers(MemifDevice(str(path))) as (router,):
        shared, first = new_region(), connect(path)
        set_up(first, shared)
        until(lambda: router.link, router)
        second = connect(path)
        set_up(second, new_region())
        for _ in range(4):
            router.turn()
        assert second.reason() == "already connected" and router.link
        shared.head(M2S, raw.SLOTS)
        router.send([packet(60)])
        router.turn()
        assert shared.tail(M2S) == 1
        first.say(add_region(4096, 1), new_region().fd)
        until(lambda: not router.link, router)
        assert first.reason() == "unexpected AddRegion message (connected)"


def test_those_who_say_nothing(tmp_path: Path) -> None:
    """Some may wait; more are sent away, and after five seconds all are."""
    path = tmp_path / "m.sock"
    with routers(MemifDevice(str(path))) as (router,):
        silent = []
        for _ in range(70):
            silent.append(connect(path))
            router.turn()
        assert silent[-1].reason() == "too many connections"
        with router.engine.paused():
            router.engine.adjust_clock(6.0)
        router.turn()
        assert silent[0].reason() == "timeout"
        assert refused(router, path, lambda p: p.say(message(77))) == "unknown message type (0x4d)"


SERVER_WRONG: dict[str, tuple[bytes, str]] = {
    "ack first": (message(ACK), "unexpected Ack message (greeting)"),
    "old": (message(HELLO, "<32sHHHHHB", b"old", 0x100, 0x1FF, 0, 0, 0, 10), "incompatible protocol version"),
    "connected": (message(raw.CONNECTED), "unexpected Connected message (greeting)"),
    "short": (b"\1\0", "message of 2 bytes instead of 128"),
}


@pytest.mark.parametrize("case", SERVER_WRONG)
def test_what_a_server_may_not_say(tmp_path: Path, case: str) -> None:
    """It is told why."""
    said, why = SERVER_WRONG[case]
    server = RawServer(tmp_path / "m.sock")
    with routers(MemifDevice(str(tmp_path / "m.sock"), server=False)) as (router,):
        router.turn()
        peer = RawPeer(server.listener.accept()[0])
        peer.say(said)
        router.turn()
        assert peer.reason() == why
        peer.close()
    server.listener.close()


def test_a_server_that_allows_little(tmp_path: Path) -> None:
    """The client has no more queues and slots than it may, and CONNECTED before its time is refused."""
    server = RawServer(tmp_path / "m.sock")
    device = MemifDevice(str(tmp_path / "m.sock"), server=False, rx_queues=4, tx_queues=4)
    with routers(device) as (router,):
        router.turn()
        peer = RawPeer(server.listener.accept()[0])
        peer.say(message(HELLO, "<32sHHHHHB", b"small", 0x200, 0x200, 0, 1, 0, 5))
        kinds, sizes = [], []
        for _ in range(5):
            router.turn()
            kind, data, fds = peer.hear()
            kinds.append(kind)
            if kind == raw.ADD_RING:
                sizes.append(struct.unpack_from("<HHHIBH", data, 2)[4])
            for fd in fds:
                os.close(fd)
            peer.say(message(ACK))
        assert (kinds, sizes) == ([raw.INIT, raw.ADD_REGION, *[raw.ADD_RING] * 3], [5, 5, 5])
        peer.say(message(ACK))
        until(lambda: device.control is None, router)
        peer.close()
    server.listener.close()


# --- anything at all


@given(st.lists(st.binary(max_size=140), max_size=6), st.integers(0, 3))
@examples(150)
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, said: list[bytes], beginning: int) -> None:
    """After a right beginning or none: the connection ends, or waits for more; nothing else happens."""
    path = tmp_path_factory.mktemp("m") / "m.sock"
    with routers(MemifDevice(str(path))) as (router,):
        peer, shared, bell = connect(path), new_region(), os.eventfd(0)
        for step in range(beginning):
            right = ((init(), ()), (add_region(shared.size), (shared.fd,)), (add_ring(S2M, to_server=True), (bell,)))
            peer.say(right[step][0], *right[step][1])
        try:
            for data in said:
                peer.say(data)
                router.turn()
        except (BrokenPipeError, ConnectionResetError):
            pass
        router.turn()
        peer.close()
        router.turn()
        router.turn()
        assert not router.link and router.device.control is None
        shared.close()
        os.close(bell)


@given(st.binary(min_size=128, max_size=128), st.sampled_from(sorted(KINDS)))
@examples(300)
def test_messages_are_what_they_were(data: bytes, kind: int) -> None:
    """Parsing and building agree, as far as a text has an end."""
    one = parse(kind.to_bytes(2, "little") + data[2:])
    assert parse(build(one)) == one or any(len(v) in (24, 32, 96) for v in vars(one).values() if isinstance(v, bytes))


@given(st.lists(st.tuples(st.sampled_from(sorted(KINDS)), st.binary(min_size=126, max_size=126), st.booleans())))
@examples(200)
def test_sessions_refuse_or_go_on(messages: list[tuple[int, bytes, bool]]) -> None:
    """Whatever comes raises `ProtocolError` and nothing else; a session never has more rings than it may."""

    def offer(limits: Limits) -> list[tuple[object, int]]:
        assert 1 <= limits.s2m_rings <= 64 and limits.log2_ring_size <= 14
        return []

    server = ServerSession(lambda init: None, lambda session: "memif0/0")
    client = ClientSession(parse(init()), "memif0/0", offer, lambda: None)  # type: ignore[arg-type]
    for session in (server, client):
        for kind, data, with_fd in messages:
            try:
                session.receive(parse(kind.to_bytes(2, "little") + data), 99 if with_fd else -1)
            except ProtocolError:
                break
    assert len(server.regions) <= 256 and len(server.s2m) <= 64
