"""``cpu { main-core N workers N corelist-workers 2-3,5 ... }``: threads and the cores they are meant for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vectorplane.control.startup.text import Cursor

if TYPE_CHECKING:
    from vectorplane.control.startup.sections import Cpu

MAX_CORES = 4096
_RANGE = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?")


def core_list(text: str) -> tuple[int, ...]:
    """The cores in ``2-3,5``, in order. Raises ValueError when it is no such list."""
    cores: set[int] = set()
    for piece in text.split(","):
        found = _RANGE.fullmatch(piece.strip())
        if found is None:
            raise ValueError(f"expected cores such as 2-3,5, got {text!r}")
        first, last = int(found[1]), int(found[2] or found[1])
        if not first <= last < MAX_CORES:
            raise ValueError(f"expected a range of cores below {MAX_CORES}, got {piece.strip()!r}")
        cores.update(range(first, last + 1))
    return tuple(sorted(cores))


def _core_mask(text: str) -> tuple[int, ...]:
    digits = text.removeprefix("0x").removeprefix("0X")
    if not re.fullmatch(r"[0-9a-fA-F]{1,1024}", digits):
        raise ValueError(f"expected a mask of cores such as 0xc, got {text!r}")
    mask = int(digits, 16)
    return tuple(i for i in range(mask.bit_length()) if mask >> i & 1)


def _cores(cpu: Cpu, c: Cursor, keyword: str, cores: tuple[int, ...]) -> None:
    if cpu.workers:
        raise c.error("core placement of 'workers' threads is already configured")
    if not cores:
        raise c.error(f"expected a core behind {keyword}")
    cpu.worker_cores, cpu.workers = cores, len(cores)


def cpu(cpu: Cpu, c: Cursor) -> None:
    """Read ``cpu { ... }``. Raises StartupError."""
    while c.more():
        if c.take("main-core"):
            cpu.main_core = c.number("main-core")
        elif c.take("skip-cores"):
            cpu.skip_cores = c.number("skip-cores")
        elif c.take("relative"):
            cpu.relative = True
        elif c.take("use-pthreads"):
            pass
        elif (keyword := next((k for k in _WORDS if c.take(k)), None)) is not None:
            c.need(keyword)
        elif c.take("scheduler-priority"):
            c.number("scheduler-priority")
        elif c.take("corelist-workers"):
            try:
                _cores(cpu, c, "corelist-workers", core_list(c.need("corelist-workers")))
            except ValueError as error:
                raise c.error(str(error)) from None
        elif c.take("coremask-workers"):
            try:
                _cores(cpu, c, "coremask-workers", _core_mask(c.need("coremask-workers")))
            except ValueError as error:
                raise c.error(str(error)) from None
        elif c.take("workers"):
            if cpu.workers:
                raise c.error("number of 'workers' threads is already configured")
            cpu.workers = c.number("workers")
            if cpu.workers >= MAX_CORES:
                raise c.error(f"expected less than {MAX_CORES} workers")
        else:
            raise c.unknown()


_WORDS = ("thread-prefix", "numa-heap-size", "scheduler-policy")
"""Settings with a value that means nothing here."""
