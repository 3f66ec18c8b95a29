"""Interfaces of the host by packet sockets: real stacks at the other ends of veth pairs. Needs root."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from ipaddress import IPv4Interface
from pathlib import Path

import pytest

from tests.backends.af_packet.veths import add_host_interface, add_veth, router, veths
from tests.backends.tap.namespaces import balance, digest_of, namespaces, needs_root, send_file, serving, sh
from tests.budget import run_without_jit
from vectorplane.backends.base import BackendError
from vectorplane.backends.engine.af_packet.device import AfPacketDevice
from vectorplane.backends.engine.engine import Engine
from vectorplane.graph_nodes.af_packet_tx import E_FATAL
from vectorplane.jit.kernel import JIT

pytestmark = needs_root

NO_OFFLOADS = """
import ctypes, fcntl, socket, struct
for command in (0x17, 0x1F, 0x24):  # ETHTOOL_STXCSUM, _STSO, _SGSO
    value = ctypes.create_string_buffer(struct.pack("II", command, 0))
    request = struct.pack("16sQ16x", b"eth0", ctypes.addressof(value))
    fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0x8946, request)  # SIOCETHTOOL
"""


@pytest.fixture
def hosts() -> Iterator[tuple[str, str, str]]:
    with veths() as names:
        yield names


def until(done: Callable[[], bool], seconds: float = 5) -> None:
    """Wait for something."""
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        time.sleep(0.02)
    assert done()


def device_of(engine: Engine, name: str) -> AfPacketDevice:
    device = engine.interfaces[name].device
    assert isinstance(device, AfPacketDevice)
    return device


def count(engine: Engine, node: str, error: int) -> int:
    index = engine.plane.graph[node].error_index(error)
    return sum(int(engine.plane.drops.thread(w.index)[index]) for w in engine.plane.workers)


@pytest.mark.parametrize(
    ("workers", "settings"),
    [(1, {}), (1, {"gso": True}), (1, {"qdisc_bypass": False}), (2, {"queues": 2})],
    ids=["plain", "TCP to be cut stays whole", "through the host's queue", "two queues, two workers"],
)
def test_tcp_and_ping_between_hosts(hosts: tuple[str, str, str], workers: int, settings: dict[str, bool | int]) -> None:
    """A file arrives whole, the receiving kernel having checked its checksums; every packet is accounted for."""
    near, one, two = hosts
    engine = router(near, workers, **settings)
    try:
        with serving(engine):
            answered = sh("ip", "netns", "exec", one, "ping", "-c", "4", "-i", "0.2", "10.78.2.2")
            assert " 3 received" in answered or " 4 received" in answered  # the first one waits for ARP in vain
            assert send_file(one, two, "10.78.2.2", 20_000_000) == ("10.78.1.2", 20_000_000, digest_of(20_000_000))
        came, went = balance(engine)
        assert came == went > 300  # whole TCP: 64 KB each
    finally:
        engine.close()


def test_frames_as_they_are(hosts: tuple[str, str, str]) -> None:
    """Without vnet headers, from hosts that leave nothing to their cards."""
    near, one, two = hosts
    for host in (one, two):
        sh("ip", "netns", "exec", host, sys.executable, "-c", NO_OFFLOADS)
    engine = router(near, checksum_offload=False)
    try:
        with serving(engine):
            assert send_file(one, two, "10.78.2.2", 2_000_000) == ("10.78.1.2", 2_000_000, digest_of(2_000_000))
    finally:
        engine.close()


def test_vlans(hosts: tuple[str, str, str]) -> None:
    """The host takes the tag out of a frame; here it is there again: a sub-interface answers an ARP request."""
    near, one, _ = hosts
    program = (
        "import socket\n"
        "s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0x0608)\n"
        "s.bind(('eth0', 0x0806)); s.settimeout(5)\n"
        "mac = s.getsockname()[4]\n"
        "who = bytes.fromhex('0001080006040001') + mac + bytes([10, 78, 7, 2]) + bytes(6) + bytes([10, 78, 7, 1])\n"
        "s.send(bytes([255] * 6) + mac + bytes.fromhex('810000070806') + who)\n"
        "while True:\n"
        "    answer = s.recv(2048)\n"
        "    if answer[20:22] == bytes([0, 2]): break\n"
        "print(answer[28:32].hex())"
    )
    engine = router(near)
    try:
        sub = engine.interfaces.add_sub("host-v1", 7).sw_if_index
        engine.interfaces.set_up(sub)
        engine.addresses.add(sub, IPv4Interface("10.78.7.1/24"))
        with serving(engine):
            assert sh("ip", "netns", "exec", one, sys.executable, "-c", program) == "0a4e0701\n"
        assert int(engine.plane.if_stats["rx"].total(sub)[0]) == 1
    finally:
        engine.close()


def test_an_idle_router_sleeps(hosts: tuple[str, str, str]) -> None:
    """Under 2 % of a core (a bound far above what is measured: 0.1 %)."""
    engine = router(hosts[0])
    try:
        with serving(engine):
            time.sleep(1)
            before = time.process_time()
            time.sleep(2)
            assert time.process_time() - before < 0.04
    finally:
        engine.close()


def test_link_and_mtu_follow_the_host(hosts: tuple[str, str, str]) -> None:
    """The far end goes down and up; the near end gets another MTU, which an interface that was told one ignores."""
    near, one, _ = hosts
    engine = router(near)
    first, second = (engine.interfaces[f"host-v{n}"].sw_if_index for n in (1, 2))
    try:
        assert engine.interfaces.mtus(first)[0] == 1500 and engine.interfaces[first].link_mtu == 1500
        engine.interfaces.set_mtu(second, 1300)
        sub = engine.interfaces.add_sub("host-v1", 7).sw_if_index
        assert int(engine.interfaces.record(sub)["mtu"]) == 1500
        with serving(engine):
            sh("ip", "-n", one, "link", "set", "eth0", "down")
            until(lambda: not engine.interfaces.link_is_up(first))
            assert engine.interfaces.link_is_up(second) and device_of(engine, "host-v1").fault is None
            sh("ip", "-n", one, "link", "set", "eth0", "up")
            until(lambda: engine.interfaces.link_is_up(first))
            for name in ("v1", "v2"):
                sh("ip", "-n", near, "link", "set", name, "mtu", "1400")
            until(lambda: engine.interfaces.mtus(first)[0] == 1400)
            until(lambda: engine.interfaces[second].link_mtu == 1400)
            assert engine.interfaces.mtus(second)[0] == 1300
            assert engine.interfaces.mtus(sub)[0] == 0 and int(engine.interfaces.record(sub)["mtu"]) == 1400
            answered = sh("ip", "netns", "exec", one, "ping", "-c", "2", "-i", "0.2", "10.78.1.1")
            assert " 2 received" in answered
    finally:
        engine.close()


def test_an_interface_that_is_down_on_the_host(hosts: tuple[str, str, str]) -> None:
    """It is neither gone nor does it keep us awake; what should leave by it is counted; it comes back by itself."""
    near, one, _ = hosts
    engine = router(near)
    second = engine.interfaces["host-v2"].sw_if_index
    try:
        with serving(engine):
            sh("ip", "netns", "exec", one, "ping", "-c", "3", "-i", "0.2", "10.78.2.2")
            sh("ip", "-n", near, "link", "set", "v2", "down")
            until(lambda: not engine.interfaces.link_is_up(second))
            before = time.process_time()
            time.sleep(1)
            assert time.process_time() - before < 0.1
            with engine.paused():
                engine.interfaces.set_link(second, True)  # as if it had not been noticed yet
            sh("ip", "netns", "exec", one, "ping", "-c", "3", "-i", "0.2", "-W", "1", "10.78.2.2", check=False)
            assert count(engine, "host-v2-tx", E_FATAL) >= 1
            sh("ip", "-n", near, "link", "set", "v2", "up")
            until(lambda: device_of(engine, "host-v2").carrier())
            answered = sh("ip", "netns", "exec", one, "ping", "-c", "4", "-i", "0.2", "10.78.2.2")
            assert " 3 received" in answered or " 4 received" in answered
        came, went = balance(engine)
        assert came == went
    finally:
        engine.close()


def test_a_deleted_interface_comes_back(hosts: tuple[str, str, str], caplog: pytest.LogCaptureFixture) -> None:
    """The link goes down, the rest of the router goes on; when it is there again, so is the link, the MAC as before."""
    near, one, two = hosts
    engine = router(near)
    device = device_of(engine, "host-v2")
    index = engine.interfaces["host-v2"].sw_if_index
    mac = engine.interfaces["host-v2"].mac
    try:
        with serving(engine):
            sh("ip", "-n", two, "link", "del", "eth0")
            until(lambda: device.fault is not None)
            assert device.fault == "host interface v2 is gone"
            with engine.paused():
                assert not engine.interfaces.link_is_up(index)
            sh("ip", "netns", "exec", one, "ping", "-c", "1", "10.78.1.1")
            until(lambda: "not there" in (device.fault or ""))
            add_veth(near, "v2", two, 2)
            until(lambda: device.fault is None)
            until(lambda: engine.interfaces.link_is_up(index))
            assert engine.interfaces["host-v2"].mac == mac
            answered = sh("ip", "netns", "exec", one, "ping", "-c", "4", "-i", "0.3", "10.78.2.2")
            assert " 2 received" in answered or " 3 received" in answered or " 4 received" in answered
        assert "host-v2: host interface v2 is gone; its link is down" in caplog.text
        assert "host-v2: host interface v2 is back" in caplog.text
    finally:
        engine.close()


def test_a_namespace_that_is_deleted(hosts: tuple[str, str, str]) -> None:
    """Our sockets keep it alive, nameless; it is noticed all the same, and another one of that name is taken."""
    with namespaces("gone", "far") as (gone, far):
        add_veth(gone, "v3", far, 3)
        engine = Engine(clock="real")
        engine.start_real_clock()
        device = add_host_interface(engine, gone, "v3", 3)
        try:
            with serving(engine):
                sh("ip", "netns", "del", gone)
                until(lambda: device.fault is not None)
                until(lambda: "No such file" in (device.fault or ""))
                sh("ip", "-n", far, "link", "del", "eth0", check=False)
                sh("ip", "netns", "add", gone)
                add_veth(gone, "v3", far, 3)
                until(lambda: device.fault is None)
                assert " 2 received" in sh("ip", "netns", "exec", far, "ping", "-c", "2", "-i", "0.3", "10.78.3.1")
        finally:
            engine.close()


def test_what_can_not_be_had(hosts: tuple[str, str, str]) -> None:
    """Clear errors, and no interface is left behind."""
    near = hosts[0]
    engine = router(near)
    try:
        with pytest.raises(OSError, match="host interface v9 is not there"):
            add_host_interface(engine, near, "v9", 9)
        with pytest.raises(OSError, match="network namespace nowhere: No such file"):
            add_host_interface(engine, "nowhere", "v9", 9)
        sh(
            "ip",
            "-n",
            near,
            "link",
            "add",
            "t9",
            "type",
            "ipip",
            "local",
            "10.0.0.1",
            "remote",
            "10.0.0.2",
            check=False,
        )
        if "t9" in sh("ip", "-n", near, "link"):
            with pytest.raises(OSError, match="host interface t9 is no Ethernet interface"):
                add_host_interface(engine, near, "t9", 9)
        assert "host-v9" not in engine.plane.interfaces.by_name
    finally:
        engine.close()


def test_without_the_right_to() -> None:
    """Who may not open packet sockets is told what is needed."""
    program = (
        "import os; os.setgid(65534); os.setuid(65534)\n"
        "from vectorplane.backends.engine.af_packet.packet_socket import open_sockets\n"
        "open_sockets('lo', 1, vnet=True, bypass=True)"
    )
    env = os.environ | {"HOME": "/tmp", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=env, check=False)
    assert done.returncode != 0
    if "ModuleNotFoundError" not in done.stderr:  # else the interpreter lies where nobody else may look
        assert "root is needed" in done.stderr or "Permission denied" in done.stderr


def test_frames_that_find_the_ring_full(hosts: tuple[str, str, str]) -> None:
    """While nobody reads, the host drops what does not fit: counted as rx-miss when the router runs again."""
    near, one, _ = hosts
    engine = router(near)
    index = engine.interfaces["host-v1"].sw_if_index
    sh("ip", "-n", one, "neigh", "replace", "10.78.1.1", "lladdr", "02:00:00:00:00:09", "dev", "eth0")
    program = (
        "import socket\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "for _ in range(6000): s.sendto(bytes(1400), ('10.78.1.1', 9))"
    )
    try:
        sh("ip", "netns", "exec", one, sys.executable, "-c", program)
        with serving(engine):
            until(lambda: int(engine.plane.if_stats["rx-miss"].total(index)) > 1000)
            until(lambda: int(engine.plane.if_stats["rx"].total(index)[0]) > 1000)
        came, went = balance(engine)
        assert came == went
    finally:
        engine.close()


@pytest.mark.parametrize("queues", [1, 2])
def test_what_the_host_itself_sends(hosts: tuple[str, str, str], queues: int) -> None:
    """By the same interface: it is not received."""
    near = hosts[0]
    engine = router(near, queues=queues)
    index = engine.interfaces["host-v1"].sw_if_index
    program = (
        "import socket\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)\n"
        "for _ in range(300): s.sendto(bytes(10), ('10.78.1.255', 9))"
    )
    try:
        sh("ip", "-n", near, "addr", "add", "10.78.1.9/24", "brd", "+", "dev", "v1")
        with serving(engine):
            sh("ip", "netns", "exec", near, sys.executable, "-c", program)
            time.sleep(0.2)
        assert int(engine.plane.if_stats["rx"].total(index)[0]) < 100
    finally:
        engine.close()


def test_frames_for_others(hosts: tuple[str, str, str]) -> None:
    """The host's interface takes frames for our address, or all, as long as we have it (a veth knows no difference)."""
    near = hosts[0]
    engine = router(near)
    index = engine.interfaces["host-v1"].sw_if_index

    def promiscuity() -> int:
        (link,) = json.loads(sh("ip", "-n", near, "-d", "-j", "link", "show", "v1"))
        return int(link["promiscuity"])

    try:
        assert promiscuity() == 1
        engine.interfaces.set_promiscuous(index, True)
        assert promiscuity() == 1
        engine.interfaces.set_mac(index, bytes.fromhex("02fe00000777"))
        engine.interfaces.set_promiscuous(index, False)
        device_of(engine, "host-v1").joins_l2()
        assert promiscuity() == 1
    finally:
        engine.close()
    assert promiscuity() == 0


def test_the_example(tmp_path: Path) -> None:
    """`vectorplane run` with examples/af-packet.yaml, under names of its own."""
    with namespaces("1", "2") as hosts:
        text = Path("examples/af-packet.yaml").read_text()
        names = [f"v{os.getpid()}{n}" for n in (1, 2)]
        for net, (name, host) in enumerate(zip(names, hosts, strict=True), 1):
            sh("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", host)
            sh("ip", "-n", host, "link", "set", "eth0", "up")
            sh("ip", "-n", host, "addr", "add", f"10.78.{net}.2/24", "dev", "eth0")
            sh("ip", "-n", host, "route", "add", "default", "via", f"10.78.{net}.1")
        config = tmp_path / "af-packet.yaml"
        config.write_text(text.replace("host-v1:", f"host-{names[0]}:").replace("host: v2", f"host: {names[1]}"))
        program = [sys.executable, "-c", "from vectorplane.cli import main; main()"]
        words = ["run", "-c", str(config), "--run-dir", str(tmp_path / "run")]
        running = subprocess.Popen([*program, *words], stderr=subprocess.PIPE, text=True)
        try:
            assert running.stderr is not None
            for line in running.stderr:
                if "runs; management socket" in line:
                    break

            def answered() -> bool:
                text = sh("ip", "netns", "exec", hosts[0], "ping", "-c", "2", "-i", "0.2", "10.78.2.2", check=False)
                return " 2 received" in text

            until(answered, 20)
        finally:
            running.terminate()
            running.communicate(timeout=20)
        assert running.returncode == 0
        assert names[1] in sh("ip", "link")


def test_real_time_only() -> None:
    """A replay's time is not the host's."""
    engine = Engine()
    try:
        with pytest.raises(BackendError, match="an af_packet interface needs real time: use `vectorplane run`"):
            add_host_interface(engine, "nowhere", "v1", 1)
    finally:
        engine.close()


def test_without_jit() -> None:
    """The kernels as Python over checked memory, rings and messages included, between real hosts."""
    if JIT:
        run_without_jit("tests/backends/af_packet/test_af_packet.py", "-k", "vlans or idle_router")
