"""Two engines of ours, joined by memif: both roles, both ways, long packets, several queues, interrupts."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

from tests.backends.memif.routers import MEMIF, PG, packet, pair, routers, until
from tests.backends.tap.namespaces import serving
from vectorplane.backends.base import BackendError
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.memif.device import MemifDevice
from vectorplane.jit.kernel import JIT

SIZES = (14, 60, 61, 64, 1000, 1514, 2034, 2047, 2048, 2049, 4096, 4097, 9000)


@pytest.mark.parametrize("sizes", [{}, {"ring_size": 16, "buffer_size": 600}, {"ring_size": 256, "buffer_size": 9216}])
def test_packets_both_ways(tmp_path: Path, sizes: dict[str, int]) -> None:
    """Of every length, byte for byte and in order; packets longer than a buffer take several descriptors."""
    packets = [packet(size, mark) for mark, size in enumerate(SIZES)]
    with routers(*pair(tmp_path, **sizes)) as (server, client):
        assert not server.link and not client.link
        until(lambda: server.link and client.link, server, client)
        for sender, receiver in ((server, client), (client, server)):
            # a small ring has room for one long packet
            for batch in [[p] for p in packets] if sizes.get("ring_size") == 16 else [packets]:
                sender.send(batch)
                sender.turn()
                receiver.turn()
                assert receiver.received() == batch
        for router in (server, client):
            assert router.count("rx") == router.count("tx") == len(packets)
            assert router.balanced() and not router.errors()


def test_a_full_ring(tmp_path: Path) -> None:
    """What finds no room is dropped and counted; heads and tails go round."""
    with routers(*pair(tmp_path, ring_size=64)) as (server, client):
        until(lambda: server.link and client.link, server, client)
        for sender, receiver in ((server, client), (client, server)):
            sender.send([packet(60, i) for i in range(200)])
            sender.turn()
            for _ in range(3):
                receiver.turn()
            assert receiver.received() == [packet(60, i) for i in range(64)]
            assert sender.errors() == {("memif0/0-tx", "no free tx slots"): 136}
            assert sender.count("tx-error") == 136 and sender.balanced()
        for turn in range(1400 if JIT else 3):
            client.send([packet(60, turn + i) for i in range(50)])
            client.turn()
            server.turn()
            assert server.received() == [packet(60, turn + i) for i in range(50)]


@pytest.mark.skipif(not JIT, reason="not in CI: without the JIT there are no threads")
@pytest.mark.parametrize(("workers", "queues"), [(1, 1), (2, 2), (2, 1), (1, 3)])
def test_running_engines_wake_each_other(tmp_path: Path, workers: int, queues: int) -> None:
    """On threads of their own, asleep in between: each packet comes at once, none is lost, and idling costs little."""
    server, client = pair(tmp_path, rx_queues=queues, tx_queues=queues)
    with routers(server, client, workers=workers) as made:
        with serving(made[0].engine), serving(made[1].engine):
            end = time.monotonic() + 10
            while not (made[0].link and made[1].link):
                assert time.monotonic() < end
                time.sleep(0.01)
            for turn in range(20):
                sender, receiver = made if turn % 2 else made[::-1]
                before = receiver.count("rx")
                with sender.engine.paused():
                    sender.send([packet(100, turn)] * 10, worker=turn % workers)
                end = time.monotonic() + 5
                while receiver.count("rx") < before + 10:
                    assert time.monotonic() < end, f"turn {turn}: {receiver.count('rx') - before} of 10"
                    time.sleep(0.001)
                time.sleep(0.02)  # both go to sleep
            started = time.process_time()
            time.sleep(1.0)
            assert time.process_time() - started < 0.05
        assert all(router.balanced() and not router.errors() for router in made)
        assert all(router.device.link is not None and router.device.link.interrupts > 0 for router in made)


def test_a_peer_that_goes_and_returns(tmp_path: Path) -> None:
    """Either way round: the link goes down, and comes up again, with packets."""
    path = str(tmp_path / "m.sock")
    for stays, goes in ((False, True), (True, False)):
        with routers(MemifDevice(path, server=stays)) as (first,):
            for turn in range(2):
                with routers(MemifDevice(path, server=goes)) as (second,):
                    until(lambda: first.link and second.link, first, second)
                    first.send([packet(100, turn)])
                    until(lambda: second.count("rx") == 1, first, second)
                    second.send([packet(100, turn)])
                    until(lambda: first.count("rx") == turn + 1, first, second)  # noqa: B023
                until(lambda: not first.link, first)
                first.send([packet(100)])
                first.turn()
            assert first.errors() == {("memif0/0-output", "interface is down"): 2}
            assert first.balanced()


def test_a_socket_for_several(tmp_path: Path) -> None:
    """Interfaces are told apart by their ids; the socket has mode 0660, and goes with the last of them."""
    path = tmp_path / "m.sock"
    engine = Engine(clock="real")
    engine.start_real_clock()
    servers = [MemifDevice(str(path), number) for number in (3, 7)]
    for device in servers:
        engine.interfaces.set_up(engine.interfaces.add(f"memif0/{device.id}", device=device).sw_if_index)
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    with pytest.raises(BackendError, match="an interface of id 7"):
        engine.interfaces.add("twice", device=MemifDevice(str(path), 7))
    clients = [MemifDevice(str(path), number, server=False) for number in (7, 3)]
    for device in clients:
        engine.interfaces.set_up(engine.interfaces.add(f"memif1/{device.id}", device=device).sw_if_index)
    end = time.monotonic() + 10
    while not all(d.link for d in (*servers, *clients)):
        assert time.monotonic() < end
        for each in engine.devices():
            each.service()
        engine._runner.turn()
    names = [d.control.session.peer_interface for d in servers if d.control is not None]
    assert names == ["memif1/3", "memif1/7"]
    for name in ("memif0/3", "memif0/7"):
        assert path.exists()
        engine.interfaces.remove(engine.interfaces[name].sw_if_index)
    assert not path.exists()
    engine.close()


def test_nothing_is_left_open(tmp_path: Path) -> None:
    """File descriptors and mappings go with connections and engines."""

    def held() -> tuple[int, int]:
        maps = Path("/proc/self/maps").read_text()
        return len(os.listdir("/proc/self/fd")), maps.count("region 0") + maps.count("[aio]")

    with routers(*pair(tmp_path)) as (server, client):
        down = held()
        until(lambda: server.link and client.link, server, client)
        up = held()
        for end in (server, client):
            end.device.lost("test", tell=True)
            until(lambda: not server.link and not client.link, server, client)
            assert held() == down
            until(lambda: server.link and client.link, server, client)
            assert held() == up
        before = held()
        server.engine.interfaces.remove(MEMIF)
        client.engine.interfaces.remove(MEMIF)
        assert held() < down < before


def test_what_is_refused(tmp_path: Path) -> None:
    """Numbers out of range, secrets that are too long, sockets that can't be, virtual time."""
    wrong = [
        ({"ring_size": 100}, "no power of two"),
        ({"ring_size": 1 << 15}, "ring_size 32768 is not within"),
        ({"rx_queues": 0}, "rx_queues 0"),
        ({"buffer_size": 1 << 16}, "buffer_size 65536"),
        ({"secret": "x" * 24}, "at most 23 bytes"),
        ({"id": -1}, "id -1"),
        ({"rx_queues": 64, "ring_size": 16384, "buffer_size": 9216}, "more than 4 GiB"),
    ]
    for settings, why in wrong:
        with pytest.raises(ValueError, match=why):
            MemifDevice("m", **settings)  # type: ignore[arg-type]
    for name in ("", "x" * 200, "abstract:"):
        with pytest.raises(ValueError, match="no name for a socket"):
            MemifDevice(name)
    engine = Engine()
    with pytest.raises(BackendError, match="real time"):
        engine.interfaces.add("m", device=MemifDevice(str(tmp_path / "m")))
    engine.close()
    engine = Engine(clock="real")
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="no socket"):
        engine.interfaces.add("m", device=MemifDevice(str(tmp_path / "file")))
    with pytest.raises(OSError, match="No such file"):
        engine.interfaces.add("m", device=MemifDevice(str(tmp_path / "none" / "m")))
    one = engine.interfaces.add("m", device=MemifDevice(str(tmp_path / "m")))
    other = Engine(clock="real")
    with pytest.raises(OSError, match="somebody listens there"):
        other.interfaces.add("m", device=MemifDevice(str(tmp_path / "m")))
    assert one.sw_if_index == MEMIF and PG not in engine.interfaces.by_index
    other.close()
    engine.close()
