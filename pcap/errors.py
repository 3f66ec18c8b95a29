"""What can go wrong with a capture file, told with the file's name and the byte it is about."""

from __future__ import annotations

from dataclasses import dataclass


class CaptureError(Exception):
    """A capture can't be opened, read (``strict``) or written.

    ``name`` is the file, ``reason`` what is wrong with it, ``offset`` the byte it is about (None when
    the whole file is meant). The text is ``NAME: byte OFFSET: REASON``.
    """

    def __init__(self, name: str, reason: str, offset: int | None = None) -> None:
        where = "" if offset is None else f"byte {offset}: "
        super().__init__(f"{name}: {where}{reason}")
        self.name, self.reason, self.offset = name, reason, offset


@dataclass(frozen=True)
class Damage:
    """The first damaged place of a capture; what lies before it was delivered, nothing after it is.

    ``offset`` counts bytes from the start of the capture (of the decompressed data when ``compressed``),
    ``packets`` those delivered before it.
    """

    name: str
    offset: int
    reason: str
    packets: int
    compressed: bool = False

    def __str__(self) -> str:
        where = " of the decompressed data" if self.compressed else ""
        return (
            f"{self.name}: damaged at byte {self.offset}{where}: {self.reason}; "
            f"the {self.packets} packets before it were delivered"
        )
