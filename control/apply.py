"""Brings an engine to what a configuration says, once; `run` keeps it there (see `vectorplane.control.controller`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vectorplane.control.config_engine import refuse_what_the_engine_cannot
from vectorplane.control.config_error import ConfigError, Problem
from vectorplane.control.scheduler import Scheduler
from vectorplane.control.transactions.change import Origin
from vectorplane.control.transactions.history import Record, reason_of
from vectorplane.control.transactions.runner import Unexpected
from vectorplane.control.yaml_source import change_of

if TYPE_CHECKING:
    from vectorplane.backends import items
    from vectorplane.backends.engine.device import Device
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.control.config import Config
    from vectorplane.control.config_acl import AclSettings
    from vectorplane.control.config_interface import Interface

MakeDevice = Callable[[str, "Interface"], "Device"]
"""The device of an interface, by name and settings."""


def make_engine(config: Config) -> Engine:
    """A new engine with the configuration's engine options; nothing else of it is applied."""
    from vectorplane.backends.engine.engine import Engine

    s = config.engine
    made = Engine(workers=s.workers, buffers=s.buffers, clock=s.clock, seed=s.seed, vector_size=s.vector_size)
    set_up_acls(made, s.acl)
    return made


def set_up_acls(engine: Engine, settings: AclSettings) -> None:
    """How its sessions behave."""
    acls = engine.acls
    for kind, seconds in enumerate((settings.udp_idle, settings.tcp_idle, settings.tcp_transient), 1):
        acls.set_timeout(kind, seconds)
    acls.max_sessions = settings.max_sessions
    acls.counters_enabled, acls.reclassify = settings.counters, settings.reclassify


def apply(config: Config, engine: Engine, make_device: MakeDevice, file: str = "config") -> Record:
    """Make an empty engine what ``config`` says; ``file`` is its name for messages.

    Gives what was done: its ``pending`` items wait for something that the configuration does not bring.

    Raises:
        ConfigError: the engine refused something; the message names the part. Then nothing of it was done.
        CaptureError, OSError: a device could not be opened.
    """
    from vectorplane.backends.engine.backend import EngineBackend

    refuse_what_the_engine_cannot(config, file)

    def device(item: items.Interface) -> Device:
        return make_device(item.name, config.interfaces[item.name])

    backend = EngineBackend(engine, device)
    try:
        return bring(config, Scheduler(backend), file)
    finally:
        backend.close()


def bring(config: Config, scheduler: Scheduler, file: str = "config") -> Record:
    """Make a backend what ``config`` says, all of it or nothing. Gives and raises as `apply`."""
    change = change_of(config, file)
    change.atomic = True
    record = scheduler.commit(change)
    if record.failures:
        _tell(record, {key: w.origin for key, w in change.puts.items()}, file)
    return record


def _tell(record: Record, origins: dict[str, Origin | None], file: str) -> None:
    from vectorplane.pcap.errors import CaptureError

    problems = []
    for step, error in record.failures:
        if isinstance(error, Unexpected) or isinstance(error.__cause__, OSError | CaptureError):
            raise error.__cause__ or error
        origin = origins.get(step.key)
        problems.append(Problem(origin.line if origin else 0, origin.field if origin else (), reason_of(step, error)))
    raise ConfigError(file, problems)
