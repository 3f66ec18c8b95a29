"""What the interface kind must know of a kind of tunnel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vectorplane.backends.vpp.interfaces import NO_INTERFACE
from vectorplane.backends.vpp.kinds.kind import Message
from vectorplane.backends.vpp.link import Link

Settings = dict[str, Any]
"""The settings of a tunnel's device (`vectorplane.backends.devices`)."""


@dataclass(frozen=True, slots=True)
class Tunnel:
    """One kind. ``change`` gives the message that makes (or, False, removes) the tunnel with this ``sw_if_index``.

    ``read`` takes the interface and the settings out of details of ``lister``; what they do not tell it leaves out.
    """

    title: str
    messages: tuple[str, ...]
    lister: str
    change: Callable[[Link, bool, Settings, int], Message]
    read: Callable[[Link, Any], tuple[int, Settings]]
    words: tuple[str, ...] = ()
    """Settings that details do not tell; when they were told, a word of the interface's tag remembers it."""


def multicast_index(link: Link, settings: Settings) -> int:
    """The interface by which it sends to its group. Raises `BackendError` when there is no such interface."""
    name = settings["multicast_interface"]
    return NO_INTERFACE if name is None else link.interfaces[name].index
