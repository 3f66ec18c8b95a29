"""What the tests of DPDK ports run in processes of their own; arguments and results are JSON."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from vectorplane.backends.base import BackendError
from vectorplane.backends.engine.dpdk import eal
from vectorplane.backends.engine.dpdk.port import DpdkPort, Wish
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.pg_device import PgDevice

_SERVER = 10 << 24 | 78 << 16 | 1
MACS = (bytes.fromhex("02fe00000001"), bytes.fromhex("02fe00000002"))


def _frames(sizes: list[int]) -> list[bytes]:
    return [bytes.fromhex("02fe0000000202fe000000010800") + bytes(i % 251 for i in range(n, 2 * n - 14)) for n in sizes]


def _up(engine: Engine, name: str, device: Any) -> int:
    made = engine.interfaces.add(name, device=device)
    engine.interfaces.set_up(made.sw_if_index)
    return made.sw_if_index


def ring(sizes: list[int], zero_copy: bool, buffers: int) -> dict[str, Any]:
    """Frames go out by a net_ring, which gives them back, to a packet generator; how many buffers are not free then."""
    engine = Engine(clock="fast", buffers=buffers)
    back = PgDevice()
    pg, other = _up(engine, "pg0", PgDevice()), _up(engine, "pg1", back)
    looped = _up(engine, "ring", DpdkPort("net_ring0", Wish(zero_copy=zero_copy)))
    engine.bridges.xconnect(looped, other)
    engine.bridges.xconnect(pg, looped)
    frames = _frames(sizes)
    engine.pg.add("s", pg, frames)
    engine.pg.enable()
    engine.run()
    came = [data for _, data in back.transmitted()]
    engine.interfaces.remove(looped)
    found = {
        "same": came == frames,
        "came": len(came),
        "drops": engine.plane.error_counts("drops"),
        "missing": engine.plane.pool.count - engine.plane.free_buffers(),
    }
    engine.close()
    return found


def flood(frames: int, size: int) -> dict[str, Any]:
    """A bridge domain floods by three net_rings, whose frames share their buffers; what each of them gives back."""
    engine = Engine(clock="fast")
    pg = _up(engine, "pg0", PgDevice())
    ports = [DpdkPort(f"net_ring{n}") for n in range(3)]
    rings = [_up(engine, f"r{n}", port) for n, port in enumerate(ports)]
    back = [PgDevice() for _ in ports]
    for index in (pg, *rings):
        engine.bridges.attach(index, 1)
    for n, port in enumerate(ports):
        port.redirect(f"b{n}-output", _up(engine, f"b{n}", back[n]))
    sent = _frames([size] * frames)
    engine.pg.add("s", pg, sent)
    engine.pg.enable()
    engine.run()
    came = [[data for _, data in device.transmitted()] for device in back]
    found = {"same": [c == sent for c in came], "drops": engine.plane.error_counts("drops")}
    engine.close()
    return found


def null(packets: int, queues: int, workers: int, buffers: int) -> dict[str, Any]:
    """From one net_null to another; counters."""
    engine = Engine(clock="fast", workers=workers, buffers=buffers)
    ports = [DpdkPort(f"net_null{n}", Wish(queues=queues)) for n in range(2)]
    a, b = (_up(engine, f"n{n}", port) for n, port in enumerate(ports))
    ports[0].redirect("n1-output", b)
    engine.interfaces.set_up(a)
    ports[1].redirect("error-drop")
    engine.link()
    rx = engine.plane.if_stats["rx"]
    while int(rx.total()[a, 0]) < packets:
        for worker in engine.plane.workers:
            worker.dispatch(10)
    engine.interfaces.set_up(a, False)
    engine.interfaces.set_up(b, False)
    for worker in engine.plane.workers:
        worker.dispatch(10)
    found = {
        "rx": int(rx.total()[a, 0]),
        "tx": int(engine.plane.if_stats["tx"].total()[b, 0]),
        "driver": ports[1].counters()["tx_packets"],
        "by_worker": [int(rx.thread(w)["packets"][a]) for w in range(workers)],
        "queues": [p.rx_queues for p in ports],
        "drops": engine.plane.error_counts("drops"),
        "version": eal.version(),
    }
    engine.close()
    return found


def refused(device: str, arguments: list[str] | None = None) -> str:
    """Why a port is not made; the engine is none the worse for it."""
    engine = Engine(clock="fast")
    try:
        engine.interfaces.add("a", device=DpdkPort(device, None, arguments))
    except BackendError as error:
        assert "a" not in engine.plane.interfaces.by_name
        engine.close()
        return str(error)
    return ""


def hotplug() -> list[str]:
    """Ports that come, go and come again; a name that is taken; a second EAL; a fork."""
    said = []
    engine = Engine(clock="fast")
    affinity = os.sched_getaffinity(0)
    for _ in range(3):
        index = engine.interfaces.add("a", device=DpdkPort("net_null0")).sw_if_index
        engine.interfaces.remove(index)
    engine.interfaces.add("a", device=DpdkPort("net_null0"))
    for device, arguments in (("net_null0", None), ("net_null1", ["--no-huge", "-m", "64"])):
        try:
            engine.interfaces.add("b", device=DpdkPort(device, None, arguments))
        except BackendError as error:
            said.append(str(error))
    said.append("pinned" if os.sched_getaffinity(0) != affinity else "free")
    child = os.fork()
    if child == 0:
        try:
            engine.interfaces.add("c", device=DpdkPort("net_null2"))
        except BackendError as error:
            os._exit(7 if "copy (fork)" in str(error) else 8)
        os._exit(9)
    said.append(f"child {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}")
    engine.close()
    return said


class Running:
    """An engine in real time on a thread of its own."""

    def __init__(self, device: str, address: str, mac: bytes) -> None:
        self.engine = Engine(clock="real")
        self.engine.start_real_clock()
        self.port = DpdkPort(device)
        made = self.engine.interfaces.add("d0", device=self.port, mac=mac)
        self.engine.interfaces.set_up(made.sw_if_index)
        self.engine.addresses.add(made.sw_if_index, address)
        self.index = made.sw_if_index
        self.idle = 0.0
        self._thread = threading.Thread(target=self.engine.serve)
        self._thread.start()

    def close(self) -> dict[str, Any]:
        """Stop it; what it counted."""
        self.engine.stop()
        self._thread.join()
        plane = self.engine.plane
        counted = {
            "rx": int(plane.if_stats["rx"].total()[self.index, 0]),
            "tx": int(plane.if_stats["tx"].total()[self.index, 0]),
            "link": self.engine.interfaces.link_is_up(self.index),
            "idle": self.idle,
            "interrupts": bool(self.port.wait_fds()),
            "consumed": plane.error_counts("consumed"),
        }
        self.engine.close()
        return counted


def tap() -> dict[str, Any]:
    """The host pings a router behind net_tap; in a network namespace of this process's own."""
    router = Running("net_tap0,iface=vptap0", "10.77.0.1/24", MACS[0])
    try:
        subprocess.run("ip addr add 10.77.0.2/24 dev vptap0; ip link set vptap0 up", shell=True, check=True)
        time.sleep(0.3)
        done = subprocess.run(["ping", "-c5", "-i0.05", "-W2", "-s1400", "10.77.0.1"], capture_output=True, text=True)
        router.idle = idle()
    finally:
        counted = router.close()
    return counted | {"ping": done.stdout}


def quiet(device: str) -> dict[str, Any]:
    """A port that nothing comes from."""
    router = Running(device, "10.77.0.1/24", MACS[0])
    router.idle = idle()
    return router.close()


def idle() -> float:
    """Seconds of a core that this process takes in a second, when all has been quiet for a while."""
    time.sleep(0.5)
    before = time.process_time()
    time.sleep(2)
    return (time.process_time() - before) / 2


def memif(role: str, path: str, address: str, until: str) -> dict[str, Any]:
    """One end of a memif. The client asks for the server's MAC address until it has it, and then makes ``until``."""
    router = Running(f"net_memif0,role={role},socket={path},socket-abstract=no", address, MACS[role == "client"])
    engine, index = router.engine, router.index
    deadline = time.monotonic() + 60
    try:
        while not Path(until).exists() and time.monotonic() < deadline:
            time.sleep(0.05)
            if role == "client" and engine.interfaces.link_is_up(index):
                with engine.paused():
                    engine.neighbours.probe(index, _SERVER)
                    known = engine.neighbours.get(index, _SERVER)
                if known is not None and known.mac == MACS[0]:
                    Path(until).touch()
    finally:
        counted = router.close()
    return counted
