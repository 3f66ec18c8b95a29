"""The statistics segment through the real client, vpp_papi's VPPStats."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from vpp_papi.vpp_stats import VPPStats, recv_fd

from tests.control.vppapi.client import Served, serve
from vectorplane.control.unix_socket import SocketPathError
from vectorplane.control.vppapi.stats_socket import StatsServer


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, StatsServer]]:
    directory = tmp_path_factory.mktemp("stats")
    with serve(directory) as it:
        with it.engine.paused():
            server = StatsServer(it.engine, directory / "stats.sock", interval=0.05)
        it.on_loop(server.start())
        yield it, server
        it.on_loop(server.close())


@pytest.fixture
def stats(served: tuple[Served, StatsServer]) -> Iterator[VPPStats]:
    client = VPPStats(socketname=str(served[1].path))
    client.connect()
    yield client
    client.disconnect()


def test_names_and_symlinks_follow_interfaces(served: tuple[Served, StatsServer], stats: VPPStats) -> None:
    engine, directory = served[0].engine, served[1].directory
    with engine.paused():
        first = engine.plane.add_interface("one/0")
        engine.plane.if_stats["rx"].thread(0)[first] = (3, 300)
        engine.plane.if_stats["drops"].thread(0)[first] = 2
        directory.follow()
    assert stats["/if/names"] == ["local0", "one/0"]
    assert stats["/interfaces/one_0/rx"].sum_octets() == 300
    assert stats["/interfaces/one_0/drops"].sum() == 2
    with engine.paused():
        engine.plane.remove_interface(first)
        engine.plane.add_interface("two")
        directory.follow()
    assert stats["/if/names"] == ["local0", "two"]
    assert "/interfaces/one_0/rx" not in stats.directory
    assert stats["/interfaces/two/rx"].sum_packets() == 0


def test_nodes_and_errors(served: tuple[Served, StatsServer], stats: VPPStats) -> None:
    plane = served[0].engine.plane
    with served[0].engine.paused():
        node = plane.graph["null-node"]
        plane.node_stats["calls"].thread(0)[node.index] = 7
        plane.errors.thread(0)[node.error_index(0)] = 5
    assert stats["/nodes/null-node/calls"].sum() == 7
    assert stats["/sys/node/names"] == [n.name for n in plane.graph.nodes]
    assert stats.get_err_counter(f"/err/null-node/{node.type.errors[0][0]}") == 5


def test_gauges(served: tuple[Served, StatsServer], stats: VPPStats) -> None:
    beat = stats["/sys/heartbeat"]
    while stats["/sys/heartbeat"] == beat:
        pass
    assert stats["/buffer-pools/default-numa-0/used"] == 0
    assert stats["/buffer-pools/default-numa-0/available"] == served[0].engine.plane.pool.free
    assert stats["/sys/boottime"] > 1_700_000_000 and stats["/sys/num_worker_threads"] == 0
    assert len(stats["/sys/vector_rate_per_worker"][0]) == 1


def test_every_entry_can_be_read(stats: VPPStats) -> None:
    assert all(stats[name] is not None for name in stats.directory if name)


def test_readers_cannot_write(served: tuple[Served, StatsServer]) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.connect(str(served[1].path))
        fd = recv_fd(s)
    with pytest.raises(OSError):
        os.write(fd, b"x")
    os.close(fd)
    assert oct(served[1].path.stat().st_mode & 0o777) == "0o660"


def test_many_readers_leave_nothing_behind(served: tuple[Served, StatsServer], stats: VPPStats) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(50):
        client = VPPStats(socketname=str(served[1].path))
        client.connect()
        client.disconnect()
    served[0].on_loop(_nothing())
    assert len(os.listdir("/proc/self/fd")) <= before + 1


async def _nothing() -> None:
    return


def test_the_path_is_taken(served: tuple[Served, StatsServer], tmp_path: Path) -> None:
    with served[0].engine.paused():
        second = StatsServer(served[0].engine, served[1].path)
    with pytest.raises(SocketPathError, match="another program"):
        served[0].on_loop(second.start())
