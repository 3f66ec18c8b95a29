"""``vectorplane explain-packet``: where a packet goes, and why."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vectorplane.cli.errors import fail, report

if TYPE_CHECKING:
    from vectorplane.control.packet_explain.given import Captured

STATUS = {"sent": 0, "consumed": 0, "held": 0, "dropped": 1}
_STYLES = {
    "head": "bold",
    "node": "bold cyan",
    "good": "bold green",
    "bad": "bold red",
    "note": "yellow",
    "faint": "dim",
}


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    interface: str
    config: Path | None = None
    socket: Path | None = None
    hex: str | None = None
    capture: Path | None = None
    number: int = 1
    flow: str | None = None
    mac: str | None = None
    before: list[str] = field(default_factory=list)
    play: bool = False
    wait: float = 0.0
    inject: bool = False
    all_rules: bool = False
    trace: bool = False
    json: bool = False


def run(options: Options) -> None:
    """The command. Ends the program: 0 sent, consumed or held; 1 dropped; 2 trouble."""
    try:
        _refuse_what_does_not_go_together(options)
        answer = _live(options) if options.socket is not None else _fresh(options)
    except ValueError as error:
        fail(str(error), 2)
    except Exception as error:
        if not report(error):
            raise
        sys.exit(2)
    if options.json:
        print(json.dumps(answer))
    else:
        _print(answer, options.trace)
    sys.exit(STATUS[answer["verdict"]])


def _refuse_what_does_not_go_together(o: Options) -> None:
    given = [
        name for name, value in (("--hex", o.hex), ("--capture", o.capture), ("--flow", o.flow)) if value is not None
    ]
    if len(given) != 1:
        fail(f"expected one of --hex, --capture and --flow, got {' and '.join(given) or 'none'}", 2)
    if o.socket is not None and o.config is not None:
        fail("--socket asks a running instance, -c makes a router of its own: give one of them", 2)
    if o.capture is None and (o.play or o.number != 1):
        fail("--number and --play go with --capture", 2)
    if o.socket is not None and (o.before or o.play or o.wait):
        fail("--before, --play and --wait are for a router of its own: a running instance is as it is", 2)
    if o.socket is None and o.inject:
        fail("--inject is for a running instance: name its socket with --socket", 2)


def _captured(o: Options) -> tuple[Captured | None, list[Captured]]:
    """The packet of the capture, and those before it."""
    if o.capture is None:
        return None, []
    from vectorplane.control.packet_explain.given import from_capture

    return from_capture(o.capture, o.number)


def _live(o: Options) -> Any:
    """Ask the instance."""
    from vectorplane.cli.client import ask
    from vectorplane.control.management_client import default_socket

    captured, _ = _captured(o)
    return ask(
        default_socket() if str(o.socket) == "default" else o.socket,
        "explain_packet",
        interface=o.interface,
        hex=o.hex if captured is None else captured.data.hex(),
        ethertype=None if captured is None else captured.ethertype,
        flow=o.flow,
        mac=o.mac,
        inject=o.inject or None,
        all_rules=o.all_rules or None,
    )


def _fresh(o: Options) -> Any:
    """Make a router of the configuration, and ask that."""
    from vectorplane.cli.errors import warn
    from vectorplane.cli.progress import compile_control, compile_missing
    from vectorplane.cli.replay import configuration

    config, _ = configuration(o.config)
    captured, before = _captured(o)
    import vectorplane.control.packet_explain.live  # noqa: F401  (its functions are compiled with the others)

    compile_control()
    from vectorplane.backends.engine.replay import needed_units
    from vectorplane.control.packet_explain.fresh import fresh_engine, wait_until
    from vectorplane.control.packet_explain.journey import Journey
    from vectorplane.control.packet_explain.live import Request, packet_of

    played: dict[str, list[str]] = {}
    for word in o.before:
        name, equals, path = ("", "", word) if Path(word).exists() else word.partition("=")
        played.setdefault(name if equals else o.interface, []).append(path if equals else word)
    port = o.interface.partition(".")[0] if o.interface not in config.interfaces else o.interface
    packets = (port, before) if o.play else None
    engine, record = fresh_engine(config, str(o.config or "config"), played, packets)
    try:
        for item in record.pending:
            warn(f"{item.origin}: pending: {item.reason}")
        compile_missing(needed_units(engine))
        digits = o.hex if captured is None else captured.data.hex()
        ethertype = 0 if captured is None else captured.ethertype
        request = Request(o.interface, digits, o.flow, ethertype, o.mac)
        sw_if_index, data = packet_of(engine, request)
        wait_until(engine, engine.now if captured is None else captured.time)
        wait_until(engine, engine.now + round(o.wait * 1e9))
        return Journey(engine, all_rules=o.all_rules).go(sw_if_index, data).json()
    finally:
        engine.close()


def _print(answer: Any, trace: bool) -> None:
    from vectorplane.control.packet_explain.text import lines_of

    lines = lines_of(answer, trace)
    if not sys.stdout.isatty():
        print("\n".join(line.text for line in lines))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    for line in lines:
        console.print(Text(line.text, style=_STYLES.get(line.kind, "")), soft_wrap=True)
