"""Runs something on a copy of a running engine: in a forked process, so that nothing of it happens to the engine.

The engine stands still while the process is copied and the copy makes the memory that it shares (buffers, counters)
its own; then packets go on, and the copy works by itself. It must not touch devices, sockets or files, and ends without
tidying up. A page that the engine writes to meanwhile is copied by the kernel, once: that is what it costs.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

READY, PATIENCE = 3.0, 30.0
"""Seconds that the copy may take until the engine can go on, and in all."""


class CopyError(RuntimeError):
    """The process could not be copied, or the copy failed; the text says why."""


def in_a_copy(engines: Sequence[Engine], work: Callable[[], Any], meanwhile: Callable[[], None] | None = None) -> Any:
    """What ``work()``, run in a copy of this process, returns (JSON). To be called within `Engine.paused`.

    ``engines``: those that ``work`` touches; the copy's are its own.

    ``meanwhile`` is called here as soon as the copy is made: the engine is still what the copy saw. The caller leaves
    `Engine.paused` soon after; ``work`` need not have ended then: what this gives is called to get its result.

    Raises:
        CopyError: see there.
    """
    reading, writing = os.pipe()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads: the copy uses none
            pid = os.fork()
    except OSError as error:
        os.close(reading)
        os.close(writing)
        raise CopyError(f"the process can't be copied: {error.strerror}") from None
    if pid == 0:
        _copy(engines, work, writing)
    os.close(writing)
    answers = _Answers(pid, reading)
    answers.wait_until_ready()
    if meanwhile is not None:
        meanwhile()
    return answers


class _Answers:
    """What the copy tells: a byte when its memory is its own, then its result. Call it for the result."""

    def __init__(self, pid: int, reading: int) -> None:
        self._pid, self._reading = pid, reading
        self._deadline = time.monotonic() + READY

    def wait_until_ready(self) -> None:
        """The engine may go on."""
        if self._read(1) != b"1":
            self._end()
            raise CopyError("the copy of the process died at once, or took too long to begin")
        self._deadline = time.monotonic() + PATIENCE

    def __call__(self) -> Any:
        parts = []
        while part := self._read(1 << 16):
            parts.append(part)
        self._end()
        try:
            answer = json.loads(b"".join(parts))
        except ValueError:
            raise CopyError("the copy of the process died, or took too long") from None
        if "failure" in answer:
            raise CopyError(answer["failure"])
        return answer["result"]

    def _read(self, most: int) -> bytes:
        left = self._deadline - time.monotonic()
        if left <= 0 or not select.select([self._reading], [], [], left)[0]:
            return b""
        return os.read(self._reading, most)

    def _end(self) -> None:
        os.close(self._reading)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)  # it has told all, or will never
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)


def _copy(engines: Sequence[Engine], work: Callable[[], Any], writing: int) -> NoReturn:
    """The copy's life."""
    try:
        gc.disable()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        for engine in engines:
            engine.plane.make_private()
        os.write(writing, b"1")
        try:
            answer = {"result": work()}
        except Exception:
            answer = {"failure": traceback.format_exc(limit=-4)}
        data = memoryview(json.dumps(answer).encode())
        while data:
            data = data[os.write(writing, data) :]
    finally:
        os._exit(0)
