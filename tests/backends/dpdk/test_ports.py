"""DPDK ports over virtual devices: net_null, net_ring, net_tap, net_memif. Each in a process of its own."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

import pytest

from tests.backends.dpdk.child import needs_dpdk, needs_root, result, run, start

pytestmark = needs_dpdk


@pytest.mark.parametrize("zero_copy", [True, False])
def test_ring_gives_back_what_it_got(zero_copy: bool) -> None:
    """Short frames, frames of exactly a buffer, chains; all buffers are free again afterwards, but for caches."""
    sizes = [64, 60, 1514, 2047, 2048, 2049, 4096, 4097, 9000] * 20
    got = run("ring", sizes, zero_copy, 16384)
    assert got["same"] and not got["drops"], got
    # a thread's cache of DPDK keeps up to 768
    assert got["missing"] <= 768


def test_a_flood_shares_buffers_and_drivers_do_not() -> None:
    for size in (100, 5000):
        got = run("flood", 50, size)
        assert got["same"] == [True] * 3 and not got["drops"], got


@pytest.mark.parametrize(("queues", "workers"), [(1, 1), (2, 2), (1, 2)])
def test_null(queues: int, workers: int) -> None:
    got = run("null", 20_000, queues, workers, 16384)
    assert got["rx"] == got["tx"] == got["driver"] >= 20_000
    assert got["queues"] == [queues, queues] and got["version"].startswith("DPDK ")
    assert [n > 0 for n in got["by_worker"]] == [w < queues for w in range(workers)]
    assert not any("dpdk" in k or "tx" in k for k in got["drops"])


@pytest.mark.parametrize(
    ("device", "text"),
    [
        ("net_pcap0,rx_pcap=/nowhere.pcap", "DPDK: net_pcap0: no port net_pcap0 with rx_pcap=/nowhere.pcap"),
        ("net_nothing0", "DPDK: net_nothing0: no port net_nothing0"),
        ("net_null0,nonsense=1", "no port net_null0 with nonsense=1"),
        ("0000:ff:1f.7", "DPDK: "),
    ],
)
def test_refused(device: str, text: str) -> None:
    assert text in run("refused", device)


def test_eal_arguments_that_are_wrong() -> None:
    assert "EAL does not start with" in run("refused", "net_null0", ["--no-such-argument"])


def test_one_eal_a_process() -> None:
    taken, second, cpus, child = run("hotplug")
    assert "File exists" in taken
    assert "EAL runs with" in second and "there is one a process" in second
    assert (cpus, child) == ("free", "child 7")


@needs_root
@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare")
def test_tap() -> None:
    """A host's ping through net_tap, whose link comes up after the port."""
    got = run("tap", prefix=("unshare", "-n"))
    assert re.search(r"5 packets transmitted, 5 received", got["ping"]), got
    assert got["link"] and got["consumed"]["ip4-icmp-input: echo replies sent"] == 5
    assert got["interrupts"] and got["idle"] < 0.04


def test_a_port_without_interrupts_is_looked_at_less_and_less() -> None:
    """A bound above what is measured (about 1 %), far below what a look each half millisecond takes (19 %)."""
    got = run("quiet", "net_null0,no-rx=1")
    assert not got["interrupts"] and got["idle"] < 0.04


def test_memif(tmp_path: Path) -> None:
    """Two engines, a process each: ARP goes over and is answered."""
    path, until = str(tmp_path / "m.sock"), tmp_path / "until"
    server = start("memif", "server", path, "10.78.0.1/24", str(until))
    deadline = time.monotonic() + 60
    while not Path(path).exists() and server.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)  # a client whose server is not there does not start
    client = start("memif", "client", path, "10.78.0.2/24", str(until))
    learnt = result(client)
    answered = result(server)
    assert learnt["link"] and learnt["rx"] >= 1 and until.exists()
    assert answered["consumed"]["arp-reply: ARP replies sent"] >= 1
