"""Which capture of the command line arrives on which interface, and which file each interface's output goes to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from vectorplane.cli.errors import fail
from vectorplane.control.config_device import CaptureSettings

if TYPE_CHECKING:
    from vectorplane.control.config import Config


def assign(config: Config, captures: list[str]) -> dict[str, list[str]]:
    """Interface to the captures given for it.

    ``NAME=FILE`` names the interface (unless there is a file of that whole name); a plain FILE goes to `in`, or
    else to the first capture interface without captures of its own.
    """
    free = [n for n, i in config.interfaces.items() if isinstance(i.device, CaptureSettings) and not i.device.rx]
    result: dict[str, list[str]] = {}
    for capture in captures:
        name, equals, path = capture.partition("=")
        if equals and name in config.interfaces and not os.path.exists(capture):
            if not isinstance(config.interfaces[name].device, CaptureSettings):
                fail(f"{capture}: interface {name} is no capture device", 2)
        elif free:
            name, path = ("in" if "in" in free else free[0]), capture
        else:
            fail(f"{capture}: the configuration has no interface that could take it (a capture device without rx)", 2)
        result.setdefault(name, []).append(path)
    if sum(paths.count("-") for paths in result.values()) > 1:
        fail("standard input (-) can be given once", 2)
    return result


def rx_files(config: Config, folder: str, given: dict[str, list[str]]) -> dict[str, list[str]]:
    """Interface to all files that it receives from: the configuration's, then the command line's."""
    files: dict[str, list[str]] = {}
    for name, interface in config.interfaces.items():
        if isinstance(interface.device, CaptureSettings):
            own = [os.path.join(folder, f) for f in interface.device.rx]
            files[name] = own + given.get(name, [])
    return files


def tx_files(config: Config, out: Path | None, rx: dict[str, list[str]]) -> dict[str, Path]:
    """Interface to the file that its output goes to: none without an output folder, unless the configuration names it.

    Ends the program when that would overwrite a capture that is to be read.
    """
    read = {os.path.realpath(f): f for files in rx.values() for f in files if f != "-"}
    result: dict[str, Path] = {}
    for name, interface in config.interfaces.items():
        if not isinstance(interface.device, CaptureSettings):
            continue
        if interface.device.tx is None and out is None:
            continue
        path = (out or Path()) / (interface.device.tx or name.replace("/", "-") + ".pcap")
        if os.path.realpath(path) in read:
            fail(f"{path}: the output of {name} would overwrite a capture that is to be read")
        result[name] = path
    for path in result.values():
        path.parent.mkdir(parents=True, exist_ok=True)
    return result
