"""What the interface kind must know of a kind of device whose other end is the host's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vectorplane.backends.vpp.kinds.kind import Message
from vectorplane.backends.vpp.tunnels.tunnel import Settings


@dataclass(frozen=True, slots=True)
class Host:
    """One kind. ``create`` gives the message that makes the interface of this name; its reply tells the sw_if_index.

    ``delete`` gives the one that removes the interface of this index, name and settings. ``read`` takes settings out of
    details of ``lister`` (asked for ``every``) of the interface of this name; what VPP does not tell is believed of
    what was said when this connection made the interface. ``canonical`` leaves out what means the same as nothing.
    ``create`` and ``canonical`` raise `BackendError`: there is more than VPP can be told.
    """

    title: str
    messages: tuple[str, ...]
    lister: str
    every: dict[str, Any]
    create: Callable[[str, Settings], Message]
    delete: Callable[[int, str, Settings], Message]
    read: Callable[[str, Any, Settings], Settings]
    canonical: Callable[[str, Settings], Settings]
