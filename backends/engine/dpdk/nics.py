"""Captures and simulated cards as virtual devices of DPDK: what ``--backend dpdk`` makes of a configuration's NICs.

A capture device becomes net_pcap, which reads and writes the same files; a simulated card without a cable net_null, or
net_pcap when what departs is recorded. libpcap reads the files: microseconds, Ethernet, not compressed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from vectorplane.backends.base import BackendError

_NOT_IN_PARAMETERS = ",=[]'\"\\"
_GZIP = b"\x1f\x8b"


def vdev_of(name: str, device: str, settings: dict[str, Any], number: str) -> str | None:
    """The virtual device in place of a device (``number`` makes its name unlike others); None: it stays what it is.

    Raises:
        BackendError: DPDK has none that does what this one does.
    """
    if device == "capture":
        if settings["loops"] != 1:
            raise BackendError(f"interface {name}: net_pcap plays a capture once")
        files = [("rx_pcap", _readable(name, path)) for path in settings["rx"]]
        files += [("tx_pcap", _plain(name, path)) for path in [settings["tx"]] if path is not None]
        return _pcap(number, files)
    if device == "sim":
        if settings["link"] is not None:
            raise BackendError(f"interface {name}: a DPDK port has no cable to another one: use --backend sim")
        if settings["tap"] is None:
            return f"net_null_{number},copy=0"
        Path(settings["tap"]).parent.mkdir(parents=True, exist_ok=True)
        return _pcap(number, [("tx_pcap", _plain(name, settings["tap"]))])
    return None


def _pcap(number: str, files: list[tuple[str, str]]) -> str:
    if not files:
        return f"net_null_{number},no-rx=1"
    return ",".join([f"net_pcap_{number}", *(f"{kind}={path}" for kind, path in files)])


def _plain(name: str, path: Any) -> str:
    text = os.fspath(path)
    if any(c in text for c in _NOT_IN_PARAMETERS):
        raise BackendError(f"interface {name}: {text}: DPDK takes no file name with any of {_NOT_IN_PARAMETERS}")
    return text


def _readable(name: str, path: Any) -> str:
    text = _plain(name, path)
    if text == "-":
        raise BackendError(f"interface {name}: net_pcap does not read standard input")
    with open(text, "rb") as file:  # OSError names the file
        head = file.read(24)
    if head[:2] == _GZIP:
        raise BackendError(f"interface {name}: {text} is compressed, which net_pcap does not read: gunzip it first")
    return text
