"""DPDK's net_memif in dpdk-testpmd at the other end: both roles, traffic both ways, its going and returning."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.backends.memif.routers import MEMIF, Router, packet, routers
from tests.backends.tap.namespaces import serving
from vectorplane.backends.engine.memif.device import MemifDevice
from vectorplane.jit.kernel import JIT

pytestmark = [
    pytest.mark.skipif(shutil.which("dpdk-testpmd") is None, reason="dpdk-testpmd is not installed (apt: dpdk)"),
    pytest.mark.skipif(not JIT, reason="not in CI: without the JIT there are no threads"),
]
EAL = ("-l", "0-1", "--no-huge", "-m", "256", "--no-pci", "--no-shconf", "--no-telemetry")


@contextmanager
def forwarder(path: Path, role: str, *arguments: str, queues: int = 1) -> Iterator[subprocess.Popen[str]]:
    """testpmd with a memif port of this role, forwarding."""
    device = f"--vdev=net_memif0,role={role},socket={path},socket-abstract=no,id=0,rsize=8"
    command = ["dpdk-testpmd", *EAL, device, "--", "--total-num-mbufs=8192", "--no-lsc-interrupt", *arguments]
    if queues > 1:
        command += [f"--rxq={queues}", f"--txq={queues}"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def within(condition: object, seconds: float, what: str) -> None:
    """Wait until ``condition()``."""
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, what
        time.sleep(0.02)


def echoed(router: Router, packets: list[bytes]) -> list[bytes]:
    """What comes back of these packets."""
    before = router.count("rx")
    with router.engine.paused():
        router.send(packets)
    within(lambda: router.count("rx") - before >= len(packets), 10, "packets do not come back")
    with router.engine.paused():
        return router.received()


@pytest.mark.parametrize("role", ["server", "client"])
@pytest.mark.parametrize("queues", [1, 2])
def test_packets_there_and_back(tmp_path: Path, role: str, queues: int) -> None:
    """testpmd sends back what it gets: every packet comes back whole. Then it dies, and returns."""
    device = MemifDevice(
        str(tmp_path / "m.sock"), server=role == "client", rx_queues=queues, tx_queues=queues, ring_size=256
    )
    packets = [packet(size, mark) for mark, size in enumerate((60, 61, 64, 128, 600, 1514) * 20)]
    with routers(device, workers=queues) as (router,), serving(router.engine):
        for _ in range(2):
            with forwarder(tmp_path / "m.sock", role, "--forward-mode=io", queues=queues) as process:
                within(lambda: router.link, 20, "no link")
                time.sleep(0.5)  # its forwarding begins a little later than its link
                assert echoed(router, packets) == packets
                assert device.control is not None and device.control.session.peer_name.startswith("DPDK 2")
                os.kill(process.pid, signal.SIGKILL)
                within(lambda: not router.link, 10, "the link does not go down")
            if role == "server":
                (tmp_path / "m.sock").unlink()  # DPDK does not take a socket's place that was left behind
        assert router.count("tx") == router.count("rx") == 2 * len(packets)
        assert not router.errors()


@pytest.mark.parametrize("role", ["server", "client"])
def test_load(tmp_path: Path, role: str) -> None:
    """Millions of packets that testpmd makes and takes back; every one is accounted for."""
    device = MemifDevice(str(tmp_path / "m.sock"), server=role == "client")
    with routers(device) as (router,):
        router.engine.bridges.xconnect(MEMIF, MEMIF)
        with serving(router.engine):
            with forwarder(tmp_path / "m.sock", role, "--forward-mode=flowgen"):
                within(lambda: router.count("rx") > 200_000, 30, "too few packets")
            within(lambda: not router.link, 10, "the link does not go down")
        assert router.balanced()
        assert {name for _, name in router.errors()} <= {"no free tx slots", "interface is down", "not connected"}
        lost, late = sum(router.errors().values()), router.errors().get(("memif0/0-output", "interface is down"), 0)
        assert router.count("rx") == router.count("tx") + late
        assert lost < router.count("rx") / 2
