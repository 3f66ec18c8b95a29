"""Taps between the host's network namespaces: real stacks on either side. Needs root."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import IPv4Address, ip_address, ip_interface
from pathlib import Path
from typing import Any

import pytest

from tests.backends.tap.namespaces import balance, digest_of, namespaces, needs_root, send_file, serving, sh
from vectorplane.backends.base import BackendError
from vectorplane.backends.engine.backend import EngineBackend
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.tap.device import TapDevice
from vectorplane.backends.engine.tap.host_link import HostLink
from vectorplane.backends.items import Interface
from vectorplane.graph_nodes.tap_input import E_NO_BUFFERS

pytestmark = needs_root


def add_tap(engine: Engine, name: str, namespace: str, net: int, **settings: bool | int) -> TapDevice:
    link = HostLink(
        "eth0",
        namespace=namespace,
        addresses=(ip_interface(f"10.77.{net}.2/24"),),
        gateways=(ip_address(f"10.77.{net}.1"),),
    )
    device = TapDevice(link, **settings)  # type: ignore[arg-type]
    index = engine.interfaces.add(name, device=device).sw_if_index
    engine.interfaces.set_up(index)
    engine.addresses.add(index, ip_interface(f"10.77.{net}.1/24"))  # type: ignore[arg-type]
    return device


@pytest.fixture
def hosts() -> Iterator[tuple[str, ...]]:
    with namespaces("a", "b") as names:
        yield names


def router(hosts: tuple[str, ...], workers: int = 1, **settings: bool | int) -> Engine:
    engine = Engine(clock="real", workers=workers)
    engine.start_real_clock()
    for net, (name, namespace) in enumerate(zip(("tap0", "tap1"), hosts, strict=True), 1):
        add_tap(engine, name, namespace, net, **settings)
    return engine


@pytest.mark.parametrize(
    ("workers", "settings"),
    [(1, {}), (1, {"checksum_offload": True}), (1, {"gso": True}), (1, {"gso": True, "gro": True}), (2, {"queues": 2})],
    ids=["plain", "checksums left to us", "TCP to be cut", "and put together", "two queues, two workers"],
)
def test_tcp_and_ping_between_namespaces(hosts: tuple[str, ...], workers: int, settings: dict[str, bool | int]) -> None:
    """A file arrives whole, the receiving kernel having checked its checksums; every packet is accounted for."""
    engine = router(hosts, workers, **settings)
    try:
        with serving(engine):
            answered = sh("ip", "netns", "exec", hosts[0], "ping", "-c", "4", "-i", "0.2", "10.77.2.2")
            assert " 3 received" in answered or " 4 received" in answered  # the first one waits for ARP in vain
            seen, count, digest = send_file(hosts[0], hosts[1], "10.77.2.2", 20_000_000)
        assert (seen, count, digest) == ("10.77.1.2", 20_000_000, digest_of(20_000_000))
        came, went = balance(engine)
        assert came == went > 500
    finally:
        engine.close()


@pytest.mark.parametrize("uncut", [0, 1], ids=["cut on the way", "put together on the way"])
def test_tcp_between_a_host_that_cuts_and_one_that_does_not(hosts: tuple[str, ...], uncut: int) -> None:
    """What one leaves uncut the router cuts for the other; what came cut it puts together. Nothing is lost."""
    engine = Engine(clock="real")
    engine.start_real_clock()
    for net in range(2):
        add_tap(engine, f"tap{net}", hosts[net], net + 1, **({"gso": True, "gro": True} if net == uncut else {}))
    engine.gso.enable(engine.interfaces[f"tap{1 - uncut}"].sw_if_index)
    try:
        with serving(engine):
            sh("ip", "netns", "exec", hosts[0], "ping", "-c", "2", "-i", "0.2", "10.77.2.2", check=False)
            _, count, digest = send_file(hosts[0], hosts[1], "10.77.2.2", 20_000_000)
        assert (count, digest) == (20_000_000, digest_of(20_000_000))
        came, went = balance(engine)
        assert came == went > 500
        cut = int(engine.plane.workers[0].record["generated"])
        assert cut > 5000 if uncut == 0 else cut < 100
        assert not [k for k, n in engine.plane.error_counts("drops").items() if "gso" in k and n]
        errors = sh("ip", "netns", "exec", hosts[1], "cat", "/proc/net/snmp").splitlines()
        names, values = [line.split() for line in errors if line.startswith("Tcp:")]
        assert dict(zip(names, values, strict=True))["InCsumErrors"] == "0"
    finally:
        engine.close()


def test_through_nat(hosts: tuple[str, ...]) -> None:
    """The receiver sees the router's address; the route back is nobody's but the router's."""
    engine = router(hosts)
    try:
        engine.nat44.enable()
        engine.nat44.interfaces.add(engine.interfaces["tap0"].sw_if_index, is_inside=True)
        engine.nat44.interfaces.add(engine.interfaces["tap1"].sw_if_index, is_inside=False)
        engine.nat44.addresses.add(int(IPv4Address("10.77.2.1")), None)
        with serving(engine):
            seen, count, digest = send_file(hosts[0], hosts[1], "10.77.2.2", 5_000_000)
        assert (seen, count, digest) == ("10.77.2.1", 5_000_000, digest_of(5_000_000))
    finally:
        engine.close()


def test_an_idle_router_sleeps(hosts: tuple[str, ...]) -> None:
    """Under 2 % of a core (a bound far above what is measured: 0.1 %)."""
    engine = router(hosts)
    try:
        with serving(engine):
            time.sleep(0.5)
            before = time.process_time()
            time.sleep(2)
            assert time.process_time() - before < 0.04
    finally:
        engine.close()


def test_a_deleted_host_interface_comes_back(hosts: tuple[str, ...], caplog: pytest.LogCaptureFixture) -> None:
    """The link goes down, the rest of the router goes on, and it is made anew with the same MAC address."""
    engine = router(hosts)
    device = engine.interfaces["tap1"].device
    assert isinstance(device, TapDevice)
    index = engine.interfaces["tap1"].sw_if_index
    backend, item = EngineBackend(engine), Interface("tap1", "tap")
    mac = device.host.mac
    try:
        with serving(engine):
            sh("ip", "-n", hosts[1], "link", "del", "eth0")
            end = time.monotonic() + 5
            while device.fault is None and time.monotonic() < end:
                time.sleep(0.02)
            assert device.fault == backend.fault(item) == "host interface eth0 is gone"
            with engine.paused():
                assert not engine.interfaces.link_is_up(index)
            sh("ip", "netns", "exec", hosts[0], "ping", "-c", "1", "10.77.1.1")
            while device.fault is not None and time.monotonic() < end:
                time.sleep(0.02)
            assert device.fault is None and backend.fault(item) == "" and device.host.mac == mac
            with engine.paused():
                assert engine.interfaces.link_is_up(index)
            answered = sh("ip", "netns", "exec", hosts[0], "ping", "-c", "3", "-i", "0.2", "10.77.2.2")
            assert " 2 received" in answered or " 3 received" in answered
        assert "tap1: host interface eth0 is gone; its link is down" in caplog.text
    finally:
        engine.close()


def test_a_name_in_use_and_a_namespace_that_is_not(hosts: tuple[str, ...]) -> None:
    """Clear errors, and no interface is left behind."""
    engine = router(hosts)
    try:
        with pytest.raises(OSError, match="another program has the host interface eth0"):
            add_tap(engine, "tap2", hosts[0], 3)
        with pytest.raises(OSError, match="network namespace nowhere: No such file"):
            add_tap(engine, "tap2", "nowhere", 3)
        assert "tap2" not in engine.plane.interfaces.by_name
    finally:
        engine.close()


def test_without_descriptors(hosts: tuple[str, ...]) -> None:
    """A full table of descriptors: no new tap, with the reason; what is there goes on, and later it works."""
    engine = router(hosts)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        with serving(engine), namespaces("c") as (third,):
            link = HostLink("eth0", namespace=third)
            backend, item = EngineBackend(engine, lambda _: TapDevice(link)), Interface("tap2", "tap")
            backend.create(item)  # whatever code it needs is loaded then
            backend.delete(item)
            resource.setrlimit(resource.RLIMIT_NOFILE, (1 + max(map(int, os.listdir("/proc/self/fd"))), hard))
            kept = []
            with suppress(OSError):
                while True:
                    kept.append(os.dup(0))
            with pytest.raises(BackendError, match="Too many open files") as refused:
                backend.create(item)
            assert refused.value.retry and "tap2" not in engine.plane.interfaces.by_name
            for fd in kept:
                os.close(fd)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            sh("ip", "netns", "exec", hosts[0], "ping", "-c", "1", "10.77.1.1")
            backend.create(item)
            assert "eth0" in sh("ip", "-n", third, "link")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        engine.close()


def test_without_the_right_to(hosts: tuple[str, ...]) -> None:
    """Who may not make taps is told what is needed."""
    program = (
        "import os; os.setgid(65534); os.setuid(65534)\n"
        "from vectorplane.backends.engine.tap.tun import open_queues\n"
        "open_queues('vptest0', 1, checksum_offload=False, gso=False)"
    )
    env = os.environ | {"HOME": "/tmp", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=env, check=False)
    assert done.returncode != 0
    if "ModuleNotFoundError" not in done.stderr:  # else the interpreter lies where nobody else may look
        assert "root is needed" in done.stderr or "Permission denied" in done.stderr


def test_the_example(tmp_path: Path) -> None:
    """`vectorplane run` with examples/taps.yaml, under names of its own."""
    with namespaces("i", "o") as (inner, outer):
        text = Path("examples/taps.yaml").read_text()
        config = tmp_path / "taps.yaml"
        for old, new in (("inside", inner), ("outside", outer)):
            text = text.replace(f"namespace: {old}", f"namespace: {new}")
        config.write_text(text)
        program = [sys.executable, "-c", "from vectorplane.cli import main; main()"]
        words = ["run", "-c", str(config), "--run-dir", str(tmp_path / "run")]
        running = subprocess.Popen([*program, *words], stderr=subprocess.PIPE, text=True)
        try:
            assert running.stderr is not None
            for line in running.stderr:
                if "runs; management socket" in line:
                    break
            end = time.monotonic() + 10
            while "10.77.2.2" not in sh("ip", "-n", outer, "addr", check=False) and time.monotonic() < end:
                time.sleep(0.1)
            answered = sh("ip", "netns", "exec", inner, "ping", "-c", "4", "-i", "0.2", "10.77.2.2")
            assert " 3 received" in answered or " 4 received" in answered
        finally:
            running.terminate()
            running.communicate(timeout=20)
        assert running.returncode == 0
        assert "eth0" not in sh("ip", "-n", inner, "link")


def test_a_tap_that_is_removed_while_its_host_is_away_stays_away(caplog: pytest.LogCaptureFixture) -> None:
    """Its namespace is gone, so it is tried again, by one timer; removed, it makes no host interface any more."""
    engine = Engine(clock="real")
    engine.start_real_clock()
    with namespaces("gone") as (host,):
        device = add_tap(engine, "tap0", host, 1)
        try:
            with serving(engine):
                sh("ip", "-n", host, "link", "del", "eth0")
                sh("ip", "netns", "del", host)
                end = time.monotonic() + 10
                while "No such file" not in (device.fault or "") and time.monotonic() < end:
                    time.sleep(0.02)
                assert "No such file" in (device.fault or "")
                time.sleep(2.2)
                with engine.paused():
                    assert sum(t.callback is not None for _, _, t in engine.timers._heap if _is_of(t, device)) == 1
                    engine.interfaces.remove(engine.interfaces["tap0"].sw_if_index)
                sh("ip", "netns", "add", host)
                time.sleep(1.5)
                assert "eth0" not in sh("ip", "-n", host, "link")
        finally:
            engine.close()


def _is_of(timer: Any, device: TapDevice) -> bool:
    return getattr(timer.callback, "__self__", None) is device


def test_without_buffers_packets_are_counted_and_the_engine_still_sleeps(hosts: tuple[str, ...]) -> None:
    """From the very first packet on: it is read and dropped, not left to wake the engine for ever."""
    engine = router(hosts)
    worker, free = engine.plane.workers[0].record, engine.plane.pool._free_count
    try:
        kept = int(worker["cache_n"]), int(free[0])
        worker["cache_n"] = free[0] = 0
        with serving(engine):
            sh("ip", "netns", "exec", hosts[0], "ping", "-c", "2", "-i", "0.2", "-W", "1", "10.77.1.1", check=False)
            before = time.process_time()
            time.sleep(1)
            assert time.process_time() - before < 0.3
            with engine.paused():
                worker["cache_n"], free[0] = kept
            # the host may still hold against us that nobody answered its ARP requests
            sh("ip", "netns", "exec", hosts[0], "ping", "-c", "10", "-i", "0.3", "10.77.1.1")
        error = engine.plane.graph["tap-input"].error_index(E_NO_BUFFERS)
        assert int(engine.plane.drops.thread(0)[error]) >= 1
        came, went = balance(engine)
        assert came == went
    finally:
        engine.close()


def test_two_routers_in_one_ethernet(hosts: tuple[str, ...]) -> None:
    """Their interfaces have different MAC addresses, though both are the first of their router; each keeps its own."""
    engines = [Engine(clock="real") for _ in range(2)]
    try:
        for engine, host in zip(engines, hosts, strict=True):
            engine.start_real_clock()
            device = add_tap(engine, "tap0", host, 1)
            assert device.default_mac(1, "tap0") == engine.interfaces["tap0"].mac
        first, second = (engine.interfaces["tap0"].mac for engine in engines)
        assert first != second and first[:2] == second[:2] == b"\x02\xfe"
    finally:
        for engine in engines:
            engine.close()
