"""Network namespaces of the host, for tests that let its own protocol stack talk to the engine."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from vectorplane.backends.engine.engine import Engine

needs_root = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("ip") is None or not os.path.exists("/dev/net/tun"),
    reason="taps and network namespaces need root, ip (iproute2) and /dev/net/tun",
)


def sh(*words: str, check: bool = True, seconds: float = 60) -> str:
    """Run a command; gives what it printed."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=seconds, check=False)
    assert not check or done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
    return done.stdout


@contextmanager
def namespaces(*names: str) -> Iterator[tuple[str, ...]]:
    """New namespaces, named for this process, with their loopbacks up; gone at the end."""
    made = tuple(f"vp{os.getpid()}{n}" for n in names)
    try:
        for name in made:
            sh("ip", "netns", "add", name)
            sh("ip", "-n", name, "link", "set", "lo", "up")
        yield made
    finally:
        for name in made:
            sh("ip", "netns", "del", name, check=False)


@contextmanager
def serving(engine: Engine) -> Iterator[None]:
    """The engine runs on a thread of its own."""
    engine.link()
    thread = threading.Thread(target=engine.serve)
    thread.start()
    try:
        yield
    finally:
        engine.stop()
        thread.join()


TALK = """
import hashlib, socket, sys
what, address, port, size = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
data = bytes(i * 7 % 251 for i in range(4096))
if what == "serve":
    s = socket.create_server((address, port)); print("ready", flush=True); c, peer = s.accept()
    h, n = hashlib.sha256(), 0
    while (part := c.recv(65536)): h.update(part); n += len(part)
    print(peer[0], n, h.hexdigest())
else:
    c = socket.create_connection((address, port), timeout=20); left = size
    while left: left -= c.send(data[: min(left, 4096)])
    c.close()
"""


def send_file(source: str, target: str, address: str, size: int) -> tuple[str, int, str]:
    """TCP from one namespace to another; gives the address that the receiver saw, and bytes and hash received."""
    server = subprocess.Popen(
        ["ip", "netns", "exec", target, sys.executable, "-c", TALK, "serve", address, "5001", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    assert server.stdout.readline() == "ready\n"
    sh("ip", "netns", "exec", source, sys.executable, "-c", TALK, "send", address, "5001", str(size))
    seen, count, digest = server.stdout.read().split()
    server.wait()
    return seen, int(count), digest


def digest_of(size: int) -> str:
    """Hash of what `send_file` sends."""
    data = bytes(i * 7 % 251 for i in range(4096))
    whole = data * (size // 4096) + data[: size % 4096]
    return hashlib.sha256(whole).hexdigest()


def balance(engine: Engine) -> tuple[int, int]:
    """Packets in and generated; packets out, dropped and consumed."""
    from vectorplane.backends.engine.report import report

    told = report(engine.plane)
    return told.packets_in + told.generated, told.packets_in + told.generated - told.missing
