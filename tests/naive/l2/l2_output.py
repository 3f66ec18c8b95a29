"""l2-output, one frame at a time, as VPP's ``l2output_process_batch`` does it."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from tests.naive.l2.features import OUTPUT, bits, following
from tests.naive.l2.tags import Rewrite, pushed_here, rewrite


class OutputPort(NamedTuple):
    """What l2-output knows of a port; ``node`` None: its interface is in L3 mode."""

    node: str | None
    features: int = 1
    shg: int = 0
    incoming: Rewrite = Rewrite()
    outgoing: Rewrite = Rewrite()


class Sent(NamedTuple):
    """Where the frame goes, as what (None: it is dropped, and nobody looks at it)."""

    next: str
    data: bytes | None
    error: str | None = None


def l2_output(frame: bytes, length: int, shg: int, port: OutputPort, there: Collection[str]) -> Sent:
    """A frame, with a header of that length, of split-horizon group ``shg``, leaves by a port."""
    if port.node is None:
        return Sent("error-drop", None, "L2 Output interface not valid")
    others = port.features & ~bits("OUTPUT", of=OUTPUT)
    following_node = following(port.features, there, OUTPUT) if others else port.node
    data: bytes | None = frame
    error = None
    if port.outgoing != Rewrite():
        data = rewrite(frame, length, port.outgoing)
        if data is None:
            error = "L2 output tag rewrite drops"
        if others & bits("EFP_FILTER", of=OUTPUT) and not pushed_here(frame, port.incoming.push):
            error = "L2 EFP filter pre-rewrite drops"
    if port.shg and port.shg == shg:
        error = "L2 split horizon drops"
    return Sent("error-drop", None, error) if error else Sent(following_node, data)
