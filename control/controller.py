"""The control loop of a running instance: a backend kept as its configuration file says.

The file is read again when it changes or when somebody asks (SIGHUP, `apply`). One with mistakes changes nothing: what
is wrong with it is logged and kept for `status`. What could not be brought is retried when the scheduler says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from vectorplane.control.config_error import ConfigError, Problem
from vectorplane.control.config_yaml import MAX_BYTES

if TYPE_CHECKING:
    from vectorplane.backends.base import Backend
    from vectorplane.control.scheduler import Scheduler
    from vectorplane.control.transactions.change import Change
    from vectorplane.control.transactions.history import Record
    from vectorplane.control.transactions.plan import Plan

log = logging.getLogger(__name__)

Read = Callable[[bytes, str], "Change"]
"""Makes the change of a configuration's text; the second argument is its file. Raises ConfigError."""
_LOOK = 0.5
"""Seconds between looks at the file."""
_PAUSE = 0.05
"""Seconds before anything is done that is due at once: events come in bursts."""
_TOLD = 10
"""Failures of a transaction that are logged one by one; its history has them all."""


class Controller:
    """A `Service`: brings the backend to the file when it starts, and keeps it there. Takes `Scheduler.on_record`."""

    def __init__(self, backend: Backend, scheduler: Scheduler, read: Read, path: str) -> None:
        self.backend, self.scheduler, self.path = backend, scheduler, os.path.abspath(path)
        self._read = read
        self.applied: str | None = None
        """The file whose text is in force."""
        self.mistakes: list[str] = []
        """What was wrong with the file when it was last read."""
        self.began = time.time()
        self._seen: tuple[int, ...] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._watcher: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Bring the backend to the file's state.

        Raises:
            ConfigError: the file has mistakes; nothing was changed.
        """
        self._seen = self._stamp()
        change = self._change(self.path)
        self.scheduler.on_record = self._recorded
        loop = asyncio.get_running_loop()
        # told in whatever thread it happens
        self.backend.on_event = lambda kind, fields: _soon(loop, self._event, kind)
        self.scheduler.resync("start")
        self._commit(change, self.path)
        self._watcher = asyncio.get_running_loop().create_task(self._watch())

    async def close(self) -> None:
        """Look no longer at the file. The backend stays as it is."""
        self.backend.on_event = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._watcher is not None:
            self._watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watcher

    def plan(self, text: bytes | None = None, file: str | None = None) -> Plan:
        """What `apply` would do; nothing is touched. Raises as `apply`."""
        name = file or self.path
        return self.scheduler.plan(self._change(name) if text is None else self._read(text, name))

    def apply(self, text: bytes | None = None, file: str | None = None) -> Record:
        """Make ``text`` (named ``file``), or else the instance's own file as it is now, what should be.

        Raises:
            ConfigError: it has mistakes; what should be stays what it was.
        """
        name = file or self.path
        if text is None:
            self._seen = self._stamp()
        try:
            change = self._change(name) if text is None else self._read(text, name)
        except ConfigError as error:
            if text is None:
                self.mistakes = error.lines()
            raise
        return self._commit(change, name)

    def reload(self, reason: str) -> None:
        """As `apply` of the own file; mistakes are logged."""
        log.info("%s: reading %s", reason, self.path)
        try:
            self.apply()
        except ConfigError as error:
            for line in error.lines():
                log.error("%s", line)
            log.error("%s is not used: what was configured before stays in force", self.path)

    def status(self) -> dict[str, Any]:
        """Where it stands."""
        states: dict[str, int] = {}
        for state in self.scheduler.items():
            states[state.state] = states.get(state.state, 0) + 1
        history = self.scheduler.history
        return {
            "backend": self.backend.name,
            "config": self.path,
            "applied": self.applied,
            "mistakes": self.mistakes,
            "pid": os.getpid(),
            "seconds": time.time() - self.began,
            "items": states,
            "transactions": len(history),
        }

    def _change(self, path: str) -> Change:
        try:
            with open(path, "rb") as f:
                text = f.read(MAX_BYTES + 1)
        except OSError as error:
            raise ConfigError(path, [Problem(0, (), (error.strerror or str(error)).lower())]) from None
        return self._read(text, path)

    def _commit(self, change: Change, file: str) -> Record:
        self.applied, self.mistakes = file, []
        return self.scheduler.commit(change)

    def _recorded(self, record: Record) -> None:
        """A transaction is over, whoever asked for it: tell, and be there when its failures are to be tried again."""
        for step, error in record.failures[:_TOLD]:
            log.warning("%s %s: %s", step.verb, step.key, error)
        self._arm()

    def _event(self, kind: str) -> None:
        """The backend told of something: others may have made what an item waits for."""
        if kind == "interface":
            self.scheduler.noticed()
            self._arm()

    def _arm(self) -> None:
        """Be there when something is due."""
        if self._timer is not None:
            self._timer.cancel()
        due = self.scheduler.next_retry()
        delay = 0.0 if due is None else max(due - self.scheduler.clock(), _PAUSE)
        self._timer = None if due is None else asyncio.get_running_loop().call_later(delay, self._retry)

    def _retry(self) -> None:
        self._timer = None
        if self.scheduler.run_retries() is None:
            self._arm()  # a record has done that already

    def _stamp(self) -> tuple[int, ...] | None:
        try:
            found = os.stat(self.path)
        except OSError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns

    async def _watch(self) -> None:
        pending: tuple[int, ...] | None = None
        while True:
            await asyncio.sleep(_LOOK)
            now = self._stamp()
            if now is None or now == self._seen:
                pending = None  # gone: an editor may be about to put it back
            elif now != pending:
                pending = now  # wait until whoever writes it has finished
            else:
                pending = None
                self.reload("the configuration has changed")


def _soon(loop: asyncio.AbstractEventLoop, call: Callable[[str], None], kind: str) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
        loop.call_soon_threadsafe(call, kind)
