"""Replaying captures through a VPP: into pg interfaces, and what they transmit into captures again.

VPP sends as fast as it can and stamps what it captures with its own clock: the captures' times mean nothing to it,
nor to the files that come out. VPP must run on this machine, and its user must be able to use the folder for temporary
files.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from vectorplane.backends.base import BackendError
from vectorplane.backends.report import Report
from vectorplane.backends.vpp.backend import VppBackend
from vectorplane.backends.vpp.injection import Captures, Piece, Port
from vectorplane.backends.vpp.kinds.interface import PROMISCUOUS
from vectorplane.backends.vpp.vpp_report import difference, read
from vectorplane.pcap.frames import frames
from vectorplane.pcap.writer import CaptureWriter

STREAM = "vectorplane-replay"
_STEP = 0.002
"""Seconds between two looks whether a stream has been sent."""
_SETTLE = 0.05
"""Seconds without any change after which no packet is left in VPP."""
NO_TIMES = "the times in the output are VPP's own: VPP plays captures as fast as it can"


def replay(
    backend: VppBackend,
    captures: Mapping[str, Sequence[str]],
    out: Mapping[str, Path],
    *,
    strict: bool = False,
    loops: int = 1,
    limit: int | None = None,
    stopped: Callable[[], bool] = lambda: False,
    patience: float = 60.0,
) -> Report:
    """Play captures (paths by interface) to their end; ``out``: files for what interfaces transmit.

    ``stopped`` is asked between pieces; ``patience``: seconds in which VPP must have sent a piece.

    Raises:
        BackendError: an interface is no pg interface of this VPP, or VPP refused something.
        CaptureError: a capture can't be read, or an output can't be written.
    """
    backend.link.interfaces.refresh()
    ports = {name: _pg(backend, name) for name in {*captures, *out}}
    into = {name: _port(backend, name) for name in captures}
    source = Captures(captures, into, strict=strict, loops=loops, limit=limit)
    folder = tempfile.mkdtemp(prefix="vectorplane-")
    try:
        before = read(backend)
        dumps = {name: os.path.join(folder, f"out-{number}.pcap") for number, name in enumerate(out)}
        for name, dump in dumps.items():
            backend.cli(f"packet-generator capture {ports[name]} pcap {dump}")
        began = time.perf_counter()
        try:
            for piece in source.pieces(folder):
                _inject(backend, ports[piece.interface], piece, patience)
                if stopped():
                    break
            _settle(backend)
        finally:
            seconds = time.perf_counter() - began
            for name in dumps:
                backend.cli(f"packet-generator capture {ports[name]} disable")
        for name, dump in dumps.items():
            _copy(dump, out[name])
        made = difference(before, read(backend), _ports(backend), seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    made.warnings += [*source.warnings, *([NO_TIMES] if out else [])]
    return made


def _pg(backend: VppBackend, name: str) -> str:
    """VPP's name of an interface that must be a pg interface."""
    known = backend.link.interfaces[name]
    if known.device != "pg":
        raise BackendError(f"interface {name}: packets go only into pg interfaces, this one is {known.vpp_name}")
    return known.vpp_name


def _port(backend: VppBackend, name: str) -> Port:
    known = backend.link.interfaces[name]
    return Port(bytes(known.details.l2_address), PROMISCUOUS in (known.words or ()))


def _ports(backend: VppBackend) -> set[str]:
    """What packets come and go by: no sub-interfaces, and no loopbacks, which receive what they send."""
    return {known.name for known in backend.link.interfaces if known.parent is None and known.device != "loopback"}


def _inject(backend: VppBackend, port: str, piece: Piece, patience: float) -> None:
    backend.cli(f"packet-generator new pcap {piece.path} source {port} name {STREAM} limit {piece.packets}")
    try:
        backend.cli(f"packet-generator enable-stream {STREAM}")
        deadline = time.monotonic() + patience
        while _enabled(backend.cli("show packet-generator")):
            if time.monotonic() > deadline:
                raise BackendError(f"VPP has not sent {piece.packets} packets into {port} within {patience:g} s")
            time.sleep(_STEP)
    finally:
        backend.cli(f"packet-generator delete {STREAM}")
        os.unlink(piece.path)


def _enabled(text: str) -> bool:
    return any(line.split()[1:2] == ["Yes"] for line in text.splitlines() if line.startswith(STREAM[:16]))


def _settle(backend: VppBackend) -> None:
    """Wait until nothing counts any more: workers may still have packets after the stream was sent."""
    last: Any = None
    while (now := backend.counters()["interfaces"]) != last:
        last = now
        time.sleep(_SETTLE)


def _copy(dump: str, path: Path) -> None:
    """What VPP captured, as our captures are (nanoseconds); an empty one when VPP wrote nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = CaptureWriter(path)
    try:
        if os.path.exists(dump):
            for frame in frames(dump):
                writer.write(frame.time, frame.data, frame.wirelen)
    finally:
        writer.close()
