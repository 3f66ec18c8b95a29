"""Network namespaces of the host, for tests that let its own protocol stack talk to the engine."""

from __future__ import annotations

import os
import shutil
import subprocess
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
