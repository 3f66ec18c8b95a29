"""Explains a packet on a running engine, in a copy of its process; with ``inject`` it is then really received."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vectorplane.control.packet_explain.copy_of_process import in_a_copy
from vectorplane.control.packet_explain.given import (
    Captured,
    GivenError,
    framed,
    from_flow,
    from_hex,
    parse_flow,
    parse_mac,
)
from vectorplane.control.packet_explain.journey import Journey
from vectorplane.control.packet_explain.receive import port_of, receive
from vectorplane.jit.prepare import build, units_in

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

_MODULES = (
    "control.packet_explain.receive",
    "dataplane.inject",
    "dataplane.stepper",
    "graph_nodes.acl.session_peek",
    "backends.engine.rss",
)
"""Whose compiled functions a copy calls: loaded before, so that not every copy loads them again."""
COPY_NOTE = "explained on a copy of the instance: nothing of this has happened to it"
INJECT_NOTE = "explained on a copy of the instance as it was in this moment; then the packet was really received"


@dataclass(frozen=True)
class Request:
    """What is to be explained: a packet in hexadecimal, or a flow; ``ethertype``: of one without Ethernet header."""

    interface: str
    hex: str | None = None
    flow: str | None = None
    ethertype: int = 0
    mac: str | None = None
    inject: bool = False
    all_rules: bool = False


def packet_of(engine: Engine, request: Request) -> tuple[int, bytes]:
    """The interface and the bytes that arrive there.

    Raises:
        GivenError, FlowError: what was given is no packet, or there is no such interface.
    """
    try:
        interface = engine.interfaces[request.interface]
    except KeyError:
        names = ", ".join(i.name for i in engine.interfaces.by_index.values() if i.device.kind != "local")
        raise GivenError(f"there is no interface {request.interface}; known: {names or 'none'}") from None
    try:
        port_of(engine, interface.sw_if_index)
    except ValueError as error:
        raise GivenError(str(error)) from None
    mac = parse_mac(request.mac)
    if request.flow is not None:
        return interface.sw_if_index, from_flow(engine, interface, parse_flow(request.flow), mac)
    frame = framed(Captured(0, from_hex(request.hex or ""), request.ethertype), interface)
    return interface.sw_if_index, mac + frame[6:] if mac is not None and interface.device.ethernet else frame


def load_compiled() -> None:
    """Load what copies call, so that not each of them has to."""
    for unit in units_in([f"vectorplane.{name}" for name in _MODULES]):
        build(unit)


def explain_live(engine: Engine, request: Request) -> dict[str, Any]:
    """The explanation (JSON). The engine stands still for some milliseconds.

    Raises:
        GivenError, FlowError: as `packet_of`.
        CopyError: the process could not be copied.
    """
    load_compiled()
    with engine.paused():
        engine.link()
        sw_if_index, data = packet_of(engine, request)

        def work() -> dict[str, Any]:
            return Journey(engine, all_rules=request.all_rules).go(sw_if_index, data).json()

        def inject() -> None:
            receive(engine, sw_if_index, data)
            engine.settle()

        answers = in_a_copy([engine], work, inject if request.inject else None)
    answer: dict[str, Any] = answers()
    answer["notes"].insert(0, INJECT_NOTE if request.inject else COPY_NOTE)
    return answer
