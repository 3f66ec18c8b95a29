"""``pcap trace rx | tx ...``: captures what interfaces receive and transmit into a file in the folder /tmp."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.words import Words
from vectorplane.control.pcap_trace import ANY, PcapTraceState, Settings
from vectorplane.pcap.errors import CaptureError

if TYPE_CHECKING:
    from vectorplane.control.debug_cli.cli import DebugCli

_FOLDER = "/tmp"
"""Where VPP writes it."""


def pcap_trace(cli: DebugCli, words: Words) -> str:
    """Begin or (``off``) end a capture, or (``status``) say what it has."""
    rx = tx = status = False
    path, most, most_bytes, interface = "", 1000, 512, ANY
    while not words.done:
        if words.accept("rx"):
            rx = True
        elif words.accept("tx"):
            tx = True
        elif words.accept("off"):
            rx = tx = False
        elif words.accept("status"):
            status = True
        elif words.accept("max", "packets-to-capture"):
            most = words.take_number("unknown input")
        elif words.accept("max-bytes-per-pkt"):
            most_bytes = words.take_number("unknown input")
        elif words.accept("file"):
            path = _path(words.take_word("expected file name, got"))
        elif words.accept("intfc any", "interface any"):
            interface = ANY
        elif words.accept("intfc", "interface"):
            interface = cli.interface(words, "unknown input").sw_if_index
        elif words.accept("preallocate-data", "free-data"):
            pass  # nothing is set aside here
        elif words.peek() in ("drop", "filter", "error"):
            raise CliError(f"capturing by {words.peek()} is not available")
        else:
            raise words.unknown()
    if status:
        return _status(cli)
    try:
        if rx or tx:
            path = path or f"{_FOLDER}/{'rx' if rx else ''}{'tx' if tx else ''}.pcap"
            cli.pcap_trace.start(Settings(path, rx, tx, most, most_bytes, interface))
            return ""
        count, path = cli.pcap_trace.stop()
    except PcapTraceState as error:
        raise CliError(str(error)) from None
    except (CaptureError, OSError):
        raise CliError("I/O writing trace capture...") from None
    if not count:
        raise CliError("No packets captured...")
    return f"Write {count} packets to {path}, and stop capture..."


def _path(name: str) -> str:
    if ".." in name or "/" in name or "\0" in name:
        raise CliError(f"illegal characters in filename '{name}'")
    return f"{_FOLDER}/{name}"


def _status(cli: DebugCli) -> str:
    settings = cli.pcap_trace.settings
    if settings is None:
        return "pcap dispatch capture disabled"
    ways = " ".join(name for on, name in ((settings.rx, "rx"), (settings.tx, "tx")) if on)
    counts = f"{cli.pcap_trace.captured} of {settings.most} pkts..."
    return f"pcap {ways} dispatch capture enabled: {counts}\ncapture to file {settings.path}"


COMMANDS = (
    Command(
        "pcap trace",
        "pcap trace [rx] [tx] [off] [max <nn>] [intfc <interface>|any] [file <name>] [status] "
        "[max-bytes-per-pkt <nnnn>]",
        pcap_trace,
    ),
)
