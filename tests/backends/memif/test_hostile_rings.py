"""A peer that connects as it should and then writes garbage into the rings, while we read and write them.

Whatever it does: nothing is read or written outside of its memory (with the JIT off every access is checked), a counter
says what was wrong, a line in the log too, the link goes down and the peer is told why. Then the next one may come.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.backends.memif.raw_peer import (
    BUFFER,
    BUFFERS,
    M2S,
    REGION,
    S2M,
    SLOTS,
    RawPeer,
    RawServer,
    Shared,
    connect,
    new_region,
    set_up,
)
from tests.backends.memif.routers import Router, packet, routers, until
from tests.budget import examples
from vectorplane.backends.engine.memif.device import MemifDevice
from vectorplane.dataplane.abi import FRAME_SIZE
from vectorplane.dataplane.buffer import COUNT

BAD, WILD = "bad descriptor", "wild head or tail"


class Attack:
    """A server of ours with a raw client connected to it."""

    def __init__(self, router: Router, path: str) -> None:
        self.router, self.path = router, path
        self.connect()

    def connect(self) -> None:
        """A raw client connects, with memory of its own."""
        self.shared = new_region()
        self.peer: RawPeer = connect(self.path)
        self.bells = set_up(self.peer, self.shared)
        until(lambda: self.router.link, self.router)

    def put(self, data: bytes, slot: int, flags: int = 0) -> None:
        """Write a packet, or a part of it, into a slot's buffer; it is not published."""
        at = BUFFERS + slot * BUFFER
        self.shared.map[at : at + len(data)] = data
        self.shared.descriptor(S2M, slot, len(data), at, flags)

    def leave(self) -> None:
        """Close all."""
        self.peer.close()
        self.shared.close()
        for fd in self.bells:
            os.close(fd)


@contextmanager
def attacked(path: Path) -> Iterator[Attack]:
    """A server and its raw client."""
    name = str(path / "hostile.sock")
    with routers(MemifDevice(name)) as (router,):
        attack = Attack(router, name)
        yield attack
        attack.leave()


def caught(attack: Attack, node: str, error: str, why: str, caplog: pytest.LogCaptureFixture) -> None:
    """It was counted and logged, the link is down, the peer was told, the books balance, and the next one may come."""
    router = attack.router
    assert not router.link
    assert router.errors()[node, error] == 1
    assert [r.getMessage() for r in caplog.records if "its link is down" in r.getMessage()] == [
        f"memif0/0: {why}; its link is down"
    ]
    assert attack.peer.reason() == why
    assert router.balanced()
    attack.leave()
    attack.connect()
    attack.put(packet(77), 0)
    attack.shared.head(S2M, 1)
    router.received()
    router.turn()
    assert router.received() == [packet(77)] and attack.shared.tail(S2M) == 1


RECEIVE: list[tuple[Callable[[Attack], object], str, str]] = [
    (lambda a: a.shared.descriptor(S2M, 1, 64, 0, region=1), BAD, "a descriptor names a region that is not there"),
    (lambda a: a.shared.descriptor(S2M, 1, 64, 0, region=65535), BAD, "a descriptor names a region that is not there"),
    (lambda a: a.shared.descriptor(S2M, 1, 64, REGION - 63), BAD, "a descriptor reaches beyond the end of its region"),
    (lambda a: a.shared.descriptor(S2M, 1, 1, REGION), BAD, "a descriptor reaches beyond the end of its region"),
    (lambda a: a.shared.descriptor(S2M, 1, 64, 2**32 - 1), BAD, "a descriptor reaches beyond the end of its region"),
    (lambda a: a.shared.descriptor(S2M, 1, 2**32 - 1, 1), BAD, "a descriptor reaches beyond the end of its region"),
    (lambda a: a.shared.descriptor(S2M, 1, 0, 0), BAD, "a descriptor has no bytes"),
    (lambda a: a.shared.descriptor(S2M, 1, 65536, 0), BAD, "a packet has more than 65535 bytes"),
    (
        lambda a: [a.shared.descriptor(S2M, i, 30000, 0, flags=1) for i in range(1, 4)],
        BAD,
        "a packet has more than 65535 bytes",
    ),
]


@pytest.mark.parametrize(("write", "error", "why"), RECEIVE)
def test_a_bad_descriptor(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, write: Callable[[Attack], object], error: str, why: str
) -> None:
    """What came before it is received, what comes behind it is not."""
    with attacked(tmp_path) as attack:
        for slot in range(8):
            attack.put(packet(60, slot), slot)
        write(attack)
        attack.shared.head(S2M, 8)
        attack.router.turn()
        assert attack.router.received() == [packet(60, 0)]
        caught(attack, "memif-input", error, f"rx queue 0: {why}", caplog)


@pytest.mark.parametrize("head", [17, 255, 32768, 65535])
def test_a_wild_head(tmp_path: Path, caplog: pytest.LogCaptureFixture, head: int) -> None:
    """More packets than the ring has slots."""
    with attacked(tmp_path) as attack:
        for slot in range(SLOTS):
            attack.put(packet(60, slot), slot)
        attack.shared.head(S2M, head)
        attack.router.turn()
        assert attack.router.received() == []
        why = "rx queue 0: head or tail is further away than the ring is long"
        caught(attack, "memif-input", WILD, why, caplog)


def test_a_chain_without_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Each descriptor says that another one follows; before the ring is full that may still be true."""
    with attacked(tmp_path) as attack:
        for slot in range(SLOTS):
            attack.put(packet(60, slot), slot, flags=1)
        attack.shared.head(S2M, SLOTS - 1)
        for _ in range(3):
            attack.router.turn()
        assert attack.router.link and not attack.router.device.arm()  # it waits, and not by looking all the time
        attack.shared.head(S2M, SLOTS)
        attack.router.turn()
        assert attack.router.received() == []
        why = "rx queue 0: a packet has more descriptors than the ring"
        caught(attack, "memif-input", BAD, why, caplog)


def test_a_chain_in_the_making(tmp_path: Path) -> None:
    """A packet whose last piece comes later is received whole then."""
    with attacked(tmp_path) as attack:
        whole = packet(5000)
        attack.put(whole[:2000], 0, flags=1)
        attack.put(whole[2000:2001], 1, flags=1)
        attack.shared.head(S2M, 2)
        attack.router.turn()
        assert attack.router.received() == [] and attack.shared.tail(S2M) == 0
        attack.put(whole[2001:4000], 2, flags=1)
        attack.put(whole[4000:], 3)
        attack.shared.head(S2M, 4)
        attack.router.turn()
        assert attack.router.received() == [whole] and attack.shared.tail(S2M) == 4
        assert attack.router.balanced() and not attack.router.errors()


SEND: list[tuple[Callable[[Shared], object], str, str]] = [
    (lambda s: s.head(M2S, 17), WILD, "head or tail is further away than the ring is long"),
    (lambda s: s.head(M2S, 65535), WILD, "head or tail is further away than the ring is long"),
    (lambda s: s.descriptor(M2S, 0, BUFFER, 0, region=7), BAD, "a descriptor names a region that is not there"),
    (lambda s: s.descriptor(M2S, 0, BUFFER, REGION - 60), BAD, "a descriptor reaches beyond the end of its region"),
    (lambda s: s.descriptor(M2S, 0, 2**32 - 1, 0), BAD, "a descriptor reaches beyond the end of its region"),
    (lambda s: s.descriptor(M2S, 0, 0, BUFFERS), BAD, "a descriptor has no bytes"),
]


@pytest.mark.parametrize(("write", "error", "why"), SEND)
def test_sending_into_a_bad_ring(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, write: Callable[[Shared], object], error: str, why: str
) -> None:
    """Nothing is written; the packets are dropped and counted."""
    with attacked(tmp_path) as attack:
        attack.shared.head(M2S, SLOTS)
        write(attack.shared)
        before = bytes(attack.shared.map[BUFFERS:])
        attack.router.send([packet(60, i) for i in range(4)])
        attack.router.turn()
        assert bytes(attack.shared.map[BUFFERS:]) == before and attack.shared.tail(M2S) == 0
        assert attack.router.errors()["memif0/0-tx", "not connected"] == 4
        assert attack.router.count("tx-error") == 4
        caught(attack, "memif0/0-tx", error, f"tx queue 0: {why}", caplog)


def test_a_client_is_attacked_by_its_server(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Its memory is its own: descriptors that the server spoilt are written anew, wild tails end the connection."""
    path = tmp_path / "raw.sock"
    server = RawServer(path)
    with routers(MemifDevice(str(path), server=False, ring_size=16)) as (router,):
        router.turn()
        server.accept()
        done = False
        while not done:
            router.turn()
            done = server.step()
        until(lambda: router.link, router)
        shared, m2s, s2m = server.shared, server.m2s, server.s2m
        assert shared.head(m2s) == 16 and shared.head(s2m) == 0
        with pytest.raises(PermissionError):
            os.ftruncate(shared.fd, 0)
        # from server to client: the buffer of slot 0, and one that the server says is elsewhere
        at = shared.get(m2s + 128 + 8, "<I")
        shared.map[at : at + 60] = packet(60)
        shared.descriptor(m2s, 0, 60, at)
        shared.map[at + 100 : at + 190] = packet(90)
        shared.descriptor(m2s, 1, 90, at + 100)
        shared.tail(m2s, 2)
        router.turn()
        assert router.received() == [packet(60), packet(90)]
        assert shared.head(m2s) == 18
        assert [shared.get(m2s + 128 + 16 * i + 8, "<I") for i in range(2)] == [at, at + 2048]
        # from client to server: offsets that the server spoils are not believed
        for slot in range(16):
            shared.descriptor(s2m, slot, 0, 2**32 - 1, flags=0xFFFE, region=9)
        router.send([packet(70)])
        router.turn()
        assert shared.head(s2m) == 1
        at = shared.get(s2m + 128 + 8, "<I")
        assert bytes(shared.map[at : at + 70]) == packet(70)
        assert shared.get(s2m + 128, "<Q") == 70 << 32
        # more than the client had given it
        shared.tail(m2s, 19)
        router.turn()
        assert not router.link
        assert router.errors() == {("memif-input", WILD): 1}
        assert server.peer.reason() == "rx queue 0: head or tail is further away than the ring is long"
        assert "its link is down" in caplog.text
    server.close()


def test_a_client_whose_server_takes_more_than_there_is(tmp_path: Path) -> None:
    """A tail beyond the head on the ring to the server."""
    path = tmp_path / "raw.sock"
    server = RawServer(path)
    with routers(MemifDevice(str(path), server=False, ring_size=16)) as (router,):
        router.turn()
        server.accept()
        while not router.link:
            router.turn()
            if not router.link:
                server.step()
        server.shared.tail(server.s2m, 1)
        router.send([packet(70)])
        router.turn()
        assert router.errors() == {("memif0/0-tx", WILD): 1, ("memif0/0-tx", "not connected"): 1}
        assert server.peer.reason() == "tx queue 0: head or tail is further away than the ring is long"
    server.close()


def test_memory_cannot_be_cut_off(tmp_path: Path) -> None:
    """The seal that we insist on holds; holes read as zeros, and no more seals can be had that would stop us."""
    with attacked(tmp_path) as attack:
        attack.put(packet(60), 0)
        attack.put(packet(60), 1)
        with pytest.raises(PermissionError):
            os.ftruncate(attack.shared.fd, 0)
        with pytest.raises(OSError):
            fcntl.fcntl(attack.shared.fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)
        os.posix_fallocate(attack.shared.fd, 0, REGION)
        attack.shared.map[BUFFERS : BUFFERS + BUFFER] = bytes(BUFFER)
        attack.shared.head(S2M, 2)
        attack.router.turn()
        assert attack.router.link and attack.router.count("rx") == 2


def test_an_eventfd_that_would_make_us_wait(tmp_path: Path) -> None:
    """The peer fills its counter and makes it blocking: we go on, and so we do when we are to read it."""
    with attacked(tmp_path) as attack:
        for bell in attack.bells:
            os.set_blocking(bell, True)
            os.eventfd_write(bell, 2**64 - 2)
        attack.shared.head(M2S, SLOTS)
        for turn in range(4):
            attack.router.send([packet(60, turn)])
            attack.router.turn()
        assert attack.shared.tail(M2S) == 4
        device = attack.router.device
        assert device.link is not None and device.link.interrupts == 4
        assert not device.arm()
        os.eventfd_read(attack.bells[0])
        os.eventfd_read(attack.bells[1])
        device.service()
        assert not device.arm()


def test_buffers_run_out(tmp_path: Path) -> None:
    """Received, dropped, counted; nothing is lost for good."""
    with attacked(tmp_path) as attack:
        router = attack.router
        worker = router.engine.plane.workers[0].record
        # what every worker keeps back for heads of packets, and ten more
        ctypes.c_int64.from_address(int(worker["central"]) + COUNT).value = FRAME_SIZE + 10
        for turn in range(4):
            for slot in range(SLOTS):
                attack.put(packet(2048, slot), slot, flags=int(slot % 8 != 7))
            attack.shared.head(S2M, SLOTS * (turn + 1))
            router.turn()
        lost = router.errors()["memif-input", "buffer allocation failed"]
        assert lost + len(router.received()) == router.count("rx") == 8 and lost > 0
        assert router.link and router.balanced()


# --- anything at all, against an oracle


DESCRIPTOR = st.tuples(
    st.sampled_from([0, 0, 0, 1, 1, 2, 0xFFFF]),
    st.sampled_from([0, 0, 0, 0, 0, 1, 65535]),
    st.one_of(st.integers(1, 3000), st.sampled_from([0, 1, REGION, 65535, 65536, 2**32 - 1])),
    st.one_of(st.integers(0, REGION - 3000), st.sampled_from([0, REGION - 1, REGION, 2**31, 2**32 - 1])),
)


def oracle(shared: Shared, last: int, head: int) -> tuple[list[bytes], int, bool]:
    """The packets that are in the ring from ``last`` on, how far they reach, and whether all is well."""
    memory = bytes(shared.map)
    waiting = (head - last) & 0xFFFF
    if waiting > SLOTS:
        return [], last, False
    packets: list[bytes] = []
    piece, done = b"", 0
    for i in range(waiting):
        at = S2M + 128 + 16 * ((last + i) % SLOTS)
        flags = int.from_bytes(memory[at : at + 2], "little")
        region = int.from_bytes(memory[at + 2 : at + 4], "little")
        length = int.from_bytes(memory[at + 4 : at + 8], "little")
        offset = int.from_bytes(memory[at + 8 : at + 12], "little")
        if length == 0 or region != 0 or offset + length > REGION or len(piece) + length > 65535:
            return packets, last + done, False
        piece += memory[offset : offset + length]
        if not flags & 1:
            packets.append(piece)
            piece, done = b"", i + 1
    return packets, last + done, not (piece and waiting == SLOTS)


@given(
    st.lists(
        st.tuples(st.lists(DESCRIPTOR, max_size=SLOTS), st.one_of(st.none(), st.integers(0, 65535))),
        min_size=1,
        max_size=4,
    )
)
@examples(120)
def test_any_descriptors(
    tmp_path_factory: pytest.TempPathFactory,
    rounds: list[tuple[list[tuple[int, int, int, int]], int | None]],
) -> None:
    """What an obvious reading of the ring finds is what is received; where it finds a fault the link goes down."""
    with attacked(tmp_path_factory.mktemp("any")) as attack:
        last, head, shared = 0, 0, attack.shared
        for descriptors, wild in rounds:
            shared.map[BUFFERS:] = os.urandom(REGION - BUFFERS)
            for i, (flags, region, length, offset) in enumerate(descriptors):
                shared.descriptor(S2M, (head + i) % SLOTS, length, offset, flags, region)
            free = SLOTS - (head - last)
            head = (head + min(len(descriptors), free)) if wild is None else wild
            shared.head(S2M, head)
            packets, last, good = oracle(shared, last, head)
            attack.router.turn()
            attack.router.turn()
            assert attack.router.count("rx") >= len(packets)
            # one that is shorter than an Ethernet header is not cross-connected
            assert attack.router.received() == [p for p in packets if len(p) >= 14]
            assert attack.router.link == good
            assert attack.router.balanced()
            if not good:
                return
            assert shared.tail(S2M) == last & 0xFFFF


@given(
    st.lists(DESCRIPTOR, min_size=SLOTS, max_size=SLOTS),
    st.integers(0, 65535),
    st.lists(st.integers(14, 9000), max_size=8),
)
@examples(100)
def test_sending_into_anything(
    tmp_path_factory: pytest.TempPathFactory,
    descriptors: list[tuple[int, int, int, int]],
    head: int,
    sizes: list[int],
) -> None:
    """Whatever the buffers are: what is published as sent lies where its descriptors say, or the link is down."""
    with attacked(tmp_path_factory.mktemp("any")) as attack:
        shared, router = attack.shared, attack.router
        for slot, (flags, region, length, offset) in enumerate(descriptors):
            # buffers lie behind the rings and not over each other, as far as they are right
            right = BUFFERS + slot * BUFFER if offset < REGION and length <= BUFFER else offset
            shared.descriptor(M2S, slot, length, right, flags, region)
        head = head % (SLOTS + 1) if head % 4 else head
        shared.head(M2S, head)
        packets = [packet(size, mark) for mark, size in enumerate(sizes)]
        if packets:
            router.send(packets)
        router.turn()
        sent = shared.tail(M2S)
        assert sent <= SLOTS
        got, piece = [], b""
        for slot in range(sent):
            at = M2S + 128 + 16 * slot
            length, offset = shared.get(at + 4, "<I"), shared.get(at + 8, "<I")
            piece += bytes(shared.map[offset : offset + length])
            if not shared.get(at, "<H") & 1:
                got.append(piece)
                piece = b""
        assert piece == b"" and [len(p) for p in got] == [len(p) for p in packets][: len(got)]
        assert router.balanced()
