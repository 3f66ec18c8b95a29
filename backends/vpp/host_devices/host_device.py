"""What the interface kind must know of a kind of device that leads to the host, or to another process of it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from vectorplane.backends.vpp.kinds.kind import Message
from vectorplane.backends.vpp.link import Link

Settings = dict[str, Any]
"""The settings of a device (`vectorplane.backends.devices`)."""
Reader = Callable[[str, Any, Settings], Settings]
"""See `HostDevice`."""


@dataclass(frozen=True, slots=True)
class HostDevice:
    """One kind.

    ``create`` gives the messages that make one of a name, and in the end its ``sw_if_index``; ``remover`` the one that
    removes that of a name, settings and ``sw_if_index``; ``after`` what is to be done when it is gone. ``reader`` gives
    what takes settings out of the name of an interface, its details of ``lister``, and what was said of it by this
    connection; what a VPP does not tell is believed. ``wanted`` gives the settings as that does. Raises `BackendError`:
    VPP can't do that.
    """

    title: str
    messages: tuple[str, ...]
    lister: str
    create: Callable[[Link, str, Settings], Generator[Message, Any, int]]
    remover: Callable[[str, Settings, int], Message]
    reader: Callable[[Link], Reader]
    wanted: Callable[[str, Settings], Settings]
    after: Callable[[Link, Settings], Generator[Message, Any, None]] | None = None
    list_fields: Mapping[str, Any] = field(default_factory=dict)


def believed(told: Settings, before: Settings, untold: tuple[str, ...]) -> Settings:
    """What VPP told, and of the settings that it does not tell those that we said ourselves."""
    return told | {setting: before[setting] for setting in untold if setting in before}
