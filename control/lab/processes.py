"""The processes of a lab: those that have its token in their environment, and those in its namespaces.

What was started for a lab, and all that it started, has ``VECTORPLANE_LAB=TOKEN`` in its environment: that is found
whatever was recorded before a crash, and no process that got an old number by chance has it.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

VARIABLE = "VECTORPLANE_LAB"
_PATIENCE = 5.0
"""Seconds that a process may take to end when it is asked to."""
_ROUNDS = 5
"""How often is looked for processes that were started meanwhile."""


def environment(token: str) -> dict[str, str]:
    """What a process of the lab is started with."""
    return {**os.environ, VARIABLE: token}


def has_token(pid: int, token: str) -> bool:
    """Was it started for that lab?"""
    try:
        with open(f"/proc/{pid}/environ", "rb") as f:
            return f"{VARIABLE}={token}".encode() in f.read().split(b"\0")
    except OSError:
        return False


def is_in(pid: int, namespaces: Iterable[tuple[int, int]]) -> bool:
    """Is it in one of the network namespaces (see `namespaces.identity`)?"""
    try:
        found = os.stat(f"/proc/{pid}/ns/net")
    except OSError:
        return False
    return (found.st_dev, found.st_ino) in namespaces


def _ancestors() -> set[int]:
    """This process and those that it descends from: `lab clean` may be called by a shell in a lab."""
    found: set[int] = set()
    pid = os.getpid()
    while pid > 0:
        found.add(pid)
        try:
            with open(f"/proc/{pid}/stat") as f:
                pid = int(f.read().rpartition(")")[2].split()[1])
        except OSError:
            break
    return found


def _all() -> Iterator[int]:
    spared = _ancestors()
    return (int(name) for name in os.listdir("/proc") if name.isdecimal() and int(name) not in spared)


def end_all(belongs: Callable[[int], bool]) -> int:
    """End every process of which that is true, and those that they start meanwhile; how many there were.

    They are asked first (SIGTERM), and killed when they are still there some seconds later.
    """
    ended: set[int] = set()
    for _ in range(_ROUNDS):
        handles = dict(_open(filter(belongs, _all()), belongs))
        if not handles:
            break
        ended |= handles.keys()
        try:
            _end(list(handles.values()))
        finally:
            for fd in handles.values():
                os.close(fd)
    return len(ended)


def _open(pids: Iterable[int], belongs: Callable[[int], bool]) -> Iterator[tuple[int, int]]:
    """A handle of each process, by which no other can be hit that got its number since."""
    for pid in pids:
        with suppress(ProcessLookupError):
            fd = os.pidfd_open(pid)
            if belongs(pid) and not select.select([fd], [], [], 0)[0]:
                yield pid, fd
            else:
                os.close(fd)


def _end(handles: list[int]) -> None:
    for number, seconds in ((signal.SIGTERM, _PATIENCE), (signal.SIGKILL, _PATIENCE)):
        for fd in handles:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(fd, number)
        end = time.monotonic() + seconds
        while handles and (left := end - time.monotonic()) > 0:
            poll = select.poll()
            for fd in handles:
                poll.register(fd, select.POLLIN)
            over = {fd for fd, _ in poll.poll(left * 1000)}
            handles = [fd for fd in handles if fd not in over]
