"""``packet-generator ...``: streams from capture files, and what is transmitted into capture files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.pg_interfaces import interface_number
from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.words import Words
from vectorplane.dataplane.abi import FRAME_SIZE, NEVER
from vectorplane.dataplane.buffer import DATA_SIZE
from vectorplane.dataplane.show.columns import centre, scientific
from vectorplane.pcap.errors import CaptureError

if TYPE_CHECKING:
    from vectorplane.backends.engine.pg import Stream
    from vectorplane.control.debug_cli.cli import DebugCli

_MOST = 1 << 48


def _limit(words: Words) -> int:
    limit = words.take_real("expected limit, got")
    if not 0 <= limit <= _MOST:
        raise CliError(f"limit {limit:g} is not within 0 to {_MOST}")
    return int(limit)


def new_stream(cli: DebugCli, words: Words) -> str:
    """A stream of a capture file's packets into ``source pgN`` (made when it is missing) or ``interface X``."""
    pg, interface = cli.engine.pg, None
    options: dict[str, Any] = {}
    name = path = ""
    while not words.done:
        if words.accept("name"):
            name = words.take_word("expected name, got")
        elif words.accept("pcap"):
            path = words.take_word("expected file name, got")
        elif words.accept("source"):
            interface = pg.create_interface(interface_number(words, "unknown input"))
        elif words.accept("interface"):
            interface = cli.interface(words)
        elif words.accept("node"):
            if words.peek() not in cli.engine.plane.graph.registry:
                raise words.unknown()
            options["node"] = words.take()
        elif words.accept("maxframe"):
            options["max_frame"] = min(words.take_number("expected packets, got"), FRAME_SIZE)
        elif words.accept("worker"):
            options["worker"] = words.take_number("expected worker, got")
        elif words.accept("limit"):
            options["limit"] = _limit(words)
        elif words.peek() in ("data", "rate", "size", "buffer-size"):
            raise CliError(f"{words.peek()}: streams are made of capture files, and are sent as fast as possible")
        else:
            raise words.unknown()
    if not path:
        raise CliError("no packet data given")
    if interface is None:
        raise CliError("output interface or node not given")
    try:
        stream = pg.add_pcap(name, interface.sw_if_index, path, **options)
    except (CaptureError, OSError) as error:
        raise CliError(str(error)) from None
    stream.record["remaining"] = stream.limit  # nothing is sent yet
    return ""


def _stream(cli: DebugCli, words: Words, complaint: str) -> Stream:
    if words.peek() not in cli.engine.pg.streams:
        raise words.unknown(complaint)
    return cli.engine.pg.streams[words.take()]


def delete_stream(cli: DebugCli, words: Words) -> str:
    """Forget a stream."""
    cli.engine.pg.delete(_stream(cli, words, "expected stream name").name)
    return ""


def enable_stream(cli: DebugCli, words: Words) -> str:
    """Start one stream, or all."""
    cli.engine.pg.enable(None if words.done else _stream(cli, words, "unknown input").name)
    return ""


def disable_stream(cli: DebugCli, words: Words) -> str:
    """Stop one stream, or all."""
    cli.engine.pg.disable(None if words.done else _stream(cli, words, "unknown input").name)
    return ""


def configure_stream(cli: DebugCli, words: Words) -> str:
    """How many packets a stream sends when it is started next (0: without end)."""
    stream = _stream(cli, words, "expecting stream name; got")
    while not words.done:
        if not words.accept("limit"):
            raise words.unknown()
        stream.limit = _limit(words) or NEVER
    return ""


def show_streams(cli: DebugCli, words: Words) -> str:
    """All streams; `Yes` while one has packets to send."""
    pg = cli.engine.pg
    words.accept("verbose")
    pg.active()  # when all are done, capture files shall be complete
    if not pg.streams:
        return "no streams currently defined"
    lines = [f"{'Name':<16}{centre('Enabled', 12)}{centre('Count', 16)}Parameters"]
    for s in pg.streams.values():
        shortest, longest = s.sizes
        limit = 0 if s.limit == NEVER else s.limit
        lines.append(
            f"{s.name:<16}{centre('Yes' if s.active else 'No', 12)}{centre(s.sent, 16)}limit {limit}, "
            f"rate {scientific(0.0, 2)} pps, size {shortest}-{longest}, buffer-size {DATA_SIZE}, worker {s.worker}, "
        )
    return "\n".join(lines)


def capture(cli: DebugCli, words: Words) -> str:
    """Write what a packet-generator interface transmits into a file, or (``disable``) no longer."""
    interface, path, count, disable = None, "", 0, False
    while not words.done:
        if words.accept("pcap"):
            path = words.take_word("expected file name, got")
        elif words.accept("count"):
            count = words.take_number("expected count, got")
        elif words.accept("disable"):
            disable = True
        else:
            interface = cli.interface(words, "unknown input")
    if interface is None:
        raise CliError("Please specify interface name")
    try:
        cli.engine.pg.device(interface.sw_if_index)
    except KeyError:
        raise CliError("Please specify packet-generator interface") from None
    if disable:
        cli.engine.pg.capture_stop(interface.sw_if_index)
    elif not path:
        raise CliError("Please specify pcap file name")
    else:
        cli.engine.pg.capture(interface.sw_if_index, path, count)
    return ""


COMMANDS = (
    Command(
        "packet-generator new",
        "packet-generator new pcap <filename> source pg<n>|interface <interface> name <name> [limit <n>] "
        "[maxframe <n>] [worker <n>] [node <node>]",
        new_stream,
    ),
    Command("packet-generator delete", "Delete stream with given name", delete_stream),
    Command("packet-generator enable-stream", "Enable packet generator streams", enable_stream),
    Command("packet-generator disable-stream", "Disable packet generator streams", disable_stream),
    Command("packet-generator configure", "packet-generator configure <stream> limit <n>", configure_stream),
    Command(
        "packet-generator capture",
        "packet-generator capture <interface name> pcap <filename> [count <n>] [disable]",
        capture,
    ),
    Command("show packet-generator", "show packet-generator [verbose]", show_streams),
)
