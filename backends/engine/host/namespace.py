"""Runs a function in a network namespace of the host, on a thread of its own: the others stay where they are."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
FOLDER = Path("/run/netns")
"""Where ``ip netns`` keeps the names."""
_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def _path(namespace: str) -> Path:
    return FOLDER / namespace if "/" not in namespace else Path(namespace)


def identity(namespace: str | None) -> object:
    """What tells a namespace from another one that later has its name; None: there is none of that name, or no name."""
    if namespace is None:
        return None
    try:
        found = os.stat(_path(namespace))
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _enter(namespace: str) -> None:
    path = _path(namespace)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise OSError(error.errno, f"network namespace {namespace}: {error.strerror}", str(path)) from None
    try:
        if _libc.setns(fd, _CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"network namespace {namespace}: {os.strerror(number)}", str(path))
    finally:
        os.close(fd)


def leave_for_a_new_one() -> None:
    """Take the calling thread into a new, empty namespace; only for a thread that then ends. Raises OSError."""
    if _libc.unshare(_CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"a new network namespace: {os.strerror(number)}")


def inside(namespace: str | None, function: Callable[[], T]) -> T:
    """What ``function`` gives when it runs in a namespace (its name, or a path; None: where we are).

    Also where we are it has a thread of its own: pyroute2 wants one without a running asyncio loop.

    Raises:
        OSError: there is no such namespace, or it is not for us; and what the function raises.
    """

    def run() -> T:
        if namespace is not None:
            _enter(namespace)
        return function()

    return apart(run)


def apart(function: Callable[[], T]) -> T:
    """What ``function`` gives, or raises, on a thread of its own, which ends with it."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(function())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="netns")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
