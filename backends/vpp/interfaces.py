"""The interfaces of a VPP under the names of the configuration.

VPP names interfaces itself (``pg0``, ``loop3``). Our name is kept in VPP, as the interface's tag, so that a controller
that was restarted finds its interfaces again; behind the name stand words for what VPP cannot tell (that a pg interface
stands for a capture, that its MAC was told ...). An interface without a tag goes by VPP's name; a sub-interface by that
of its parent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vectorplane.backends.base import BackendError

if TYPE_CHECKING:
    from vectorplane.backends.vpp.connection import Connection

NO_INTERFACE = 0xFFFFFFFF
TAG_SIZE = 63
UP = 1
_DEVICES = {
    "Loopback": "loopback",
    "GRE tunnel device": "gre",
    "IPIP tunnel device": "ipip",
    "af-packet": "af_packet",
}
"""VPP's device classes whose names are not those of our devices."""


@dataclass
class Known:
    """One interface of VPP. ``words`` are those of the tag behind the name; None: it has no tag of ours."""

    index: int
    name: str
    vpp_name: str
    device: str
    details: Any
    words: tuple[str, ...] | None = None

    @property
    def parent(self) -> int | None:
        """Index of the interface that this one is a sub-interface of."""
        return None if self.details.sup_sw_if_index == self.index else int(self.details.sup_sw_if_index)


def tag_text(name: str, words: tuple[str, ...]) -> str:
    """The tag for an interface. Raises `BackendError`: it is longer than VPP can hold."""
    text = " ".join((name, *words))
    if len(text) > TAG_SIZE or not text.isascii():
        raise BackendError(f"interface {name}: VPP has room for {TAG_SIZE} characters of name and notes: {text!r}")
    return text


class Interfaces:
    """What is known of the interfaces; asks VPP when a name or number is not known."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._by_index: dict[int, Known] = {}
        self._by_name: dict[str, Known] = {}

    def refresh(self) -> None:
        """Read them all."""
        self.take(self._connection.details("sw_interface_dump", sw_if_index=NO_INTERFACE))

    def take(self, details: list[Any]) -> None:
        """Take over what `sw_interface_dump` gave."""
        self._by_index = {d.sw_if_index: self._known(d) for d in details if d.interface_name != "local0"}
        for known in self._by_index.values():
            if known.parent is not None and known.words is None and known.parent in self._by_index:
                known.name = f"{self._by_index[known.parent].name}.{known.details.sub_id}"
        # tags decide when a name of VPP is also one of ours
        ordered = sorted(self._by_index.values(), key=lambda k: (k.words is not None, -k.index))
        self._by_name = {known.name: known for known in ordered}

    def _known(self, details: Any) -> Known:
        name, _, rest = details.tag.partition(" ")
        device = _DEVICES.get(details.interface_dev_type, details.interface_dev_type.lower() or "unknown")
        words = tuple(rest.split()) if name else None
        return Known(
            details.sw_if_index, name or details.interface_name, details.interface_name, device, details, words
        )

    def __iter__(self) -> Iterator[Known]:
        return iter(sorted(self._by_name.values(), key=lambda k: k.index))

    def find(self, name: str) -> Known | None:
        """An interface by our name; asks VPP when it is not known."""
        if name not in self._by_name:
            self.refresh()
        return self._by_name.get(name)

    def __getitem__(self, name: str) -> Known:
        """An interface by our name. Raises `BackendError` when there is none."""
        known = self.find(name)
        if known is None:
            raise BackendError(f"VPP has no interface {name}")
        return known

    def name(self, index: int) -> str | None:
        """Our name of an interface; None: it is local0, or not known."""
        known = self._by_index.get(index)
        return None if known is None else known.name

    def forget(self) -> None:
        """Something changed: ask again when a name is wanted."""
        self._by_index, self._by_name = {}, {}
