"""The log that `show logging` shows and the API's log_dump lists: the last entries, as VPP keeps them.

`LogHandler` brings what Python's `logging` is told into it.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from typing import NamedTuple

LEVELS = ("emerg", "alert", "crit", "error", "warn", "notice", "info", "debug", "disabled")
"""VPP's log levels, by number."""
EMERG, ALERT, CRIT, ERROR, WARN, NOTICE, INFO, DEBUG, DISABLED = range(9)
DEFAULT_SIZE = 512
MAX_SIZE = 1 << 20
_MESSAGE = 4096
_PYTHON = ((logging.CRITICAL, CRIT), (logging.ERROR, ERROR), (logging.WARNING, WARN), (logging.INFO, NOTICE))


class LogEntry(NamedTuple):
    """One entry: when (seconds since 1970), level (0 to 7), class (`fib` or `fib/entry`), text."""

    time: float
    level: int
    category: str
    text: str


class Log:
    """The last entries; may be added to from any thread."""

    def __init__(self, size: int = DEFAULT_SIZE) -> None:
        self._entries: deque[LogEntry] = deque(maxlen=size)
        self._levels: dict[str, int] = {}
        self.unthrottle_time = 3
        """Kept because it can be set; nothing is throttled here."""

    @property
    def size(self) -> int:
        """How many entries are kept at most."""
        return self._entries.maxlen or 0

    def resize(self, size: int) -> None:
        """Keep at most ``size`` entries. Raises `ValueError`: it is not within 1 to `MAX_SIZE`."""
        if not 1 <= size <= MAX_SIZE:
            raise ValueError(f"log size {size} is not within 1 to {MAX_SIZE}")
        self._entries = deque(self._entries, maxlen=size)

    def set_level(self, category: str, level: int) -> None:
        """Keep of a class (`fib`) only entries up to this level."""
        self._levels[category] = level

    def level(self, category: str) -> int:
        """The level of a class; `NOTICE` unless it was set."""
        return self._levels.get(category.partition("/")[0], NOTICE)

    def categories(self) -> dict[str, int]:
        """The classes whose level was set."""
        return dict(self._levels)

    def add(self, level: int, category: str, text: str) -> None:
        """One more entry, unless its class wants less."""
        if level <= self.level(category):
            self._entries.append(LogEntry(time.time(), level, category, text[:_MESSAGE]))

    def entries(self) -> list[LogEntry]:
        """All that are kept, oldest first."""
        return list(self._entries)

    def clear(self) -> None:
        """Forget all."""
        self._entries.clear()


class LogHandler(logging.Handler):
    """Adds what a Python logger says; the class is the last part of the logger's name."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Add one record."""
        level = next((ours for theirs, ours in _PYTHON if record.levelno >= theirs), DEBUG)
        self._log.add(level, record.name.rpartition(".")[2], record.getMessage())
