"""Makes a process that is ours alone: forked, so that it need not load anything again, and never outliving us."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import signal
import socket
import stat
import sys
import traceback
import warnings
from collections.abc import Callable
from typing import NoReturn

from vectorplane.control.channel import Channel

PATIENCE = 120.0
"""Seconds that the other process may take for an answer."""
_PR_SET_PDEATHSIG = 1

Life = Callable[[Channel], None]


class Process:
    """A process that lives ``life``, given its end of a channel, and ends with it.

    Raises:
        OSError: there can be no more processes.
    """

    def __init__(self, life: Life) -> None:
        ours, theirs = socket.socketpair()
        parent = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads: it uses none
                self.pid = os.fork()
            if self.pid == 0:
                _live(life, theirs, parent)
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        self.channel = Channel(ours, PATIENCE)
        self._status: int | None = None

    def ended(self) -> str | None:
        """How it ended; None: it lives."""
        if self._status is None:
            self._wait(os.WNOHANG)
        if self._status is None:
            return None
        code = os.waitstatus_to_exitcode(self._status)
        return f"ended by signal {-code}" if code < 0 else f"ended with status {code}"

    def kill(self) -> None:
        """End it at once (SIGKILL) and wait for that."""
        if self._status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self._wait(0)
        self.channel.close()

    def _wait(self, options: int) -> None:
        try:
            pid, status = os.waitpid(self.pid, options)
        except ChildProcessError:
            pid, status = self.pid, 0  # somebody else has waited for it
        if pid:
            self._status = status


def _live(life: Life, end: socket.socket, parent: int) -> NoReturn:
    """The process, from its beginning to its end."""
    status = 1
    try:
        gc.freeze()  # what was there before is not ours to tidy up
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(status)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        for number in (signal.SIGINT, signal.SIGHUP):  # of the terminal: the parent decides
            signal.signal(number, signal.SIG_IGN)
        _close_sockets(end.fileno())
        _leave_the_terminal()
        channel = Channel(end)
        try:
            life(channel)
            status = 0
        except BaseException:
            channel.send({"died": traceback.format_exc(limit=-6)})
    finally:
        os._exit(status)


def _leave_the_terminal() -> None:
    """Whoever reads what the parent writes would wait for us, too; what we have to say goes by the channel."""
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.close(null)


def _close_sockets(but: int) -> None:
    """Those of others would stay open as long as we live: their ends would not be noticed."""
    for name in os.listdir("/proc/self/fd"):
        fd = int(name)
        with contextlib.suppress(OSError):
            if fd > 2 and fd != but and stat.S_ISSOCK(os.fstat(fd).st_mode):
                os.close(fd)
