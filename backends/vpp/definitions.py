"""Where the definitions of VPP's messages come from: ``*.api.json`` files, read and (de)serialized by vpp-papi."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from vectorplane.backends.base import BackendError

INSTALLED = "/usr/share/vpp/api"
"""Where VPP's packages put them."""
FILES = (
    "memclnt",
    "vlib",
    "vpe",
    "interface",
    "ip",
    "ip_neighbor",
    "arp",
    "pg",
    "fib",
    "l2",
    "vxlan",
    "geneve",
    "gre",
    "ipip",
    "span",
    "l3xc",
    "acl",
    "feature",
    "nat_types",
    "nat44_ed",
    "gso",
    "tapv2",
    "memif",
    "af_packet",
)
"""All that the backend needs."""


@dataclass(frozen=True)
class Definitions:
    """Messages (vpp-papi's objects, by name), which request has which reply, and where they are from (for people)."""

    messages: dict[str, Any]
    services: dict[str, dict[str, Any]]
    source: str

    def name_crc(self, name: str) -> str | None:
        """The name with its CRC, as a VPP's message table has it; None: not defined here."""
        message = self.messages.get(name)
        return None if message is None else f"{name}_{message.crc.removeprefix('0x')}"


def load(folder: str | None = None) -> Definitions:
    """The definitions below a folder (default: `INSTALLED`).

    Raises:
        BackendError: they are not there, or can't be read.
    """
    source = folder or INSTALLED
    if not os.path.isdir(source):
        advice = "" if folder else " (`vectorplane api DIR` writes definitions: name that folder)"
        raise BackendError(f"no definitions of VPP's messages: there is no folder {source}{advice}")
    files = {
        name.removesuffix(".api.json"): os.path.join(path, name)
        for path, _, names in os.walk(source)
        for name in names
        if name.endswith(".api.json")
    }
    missing = [name for name in ("memclnt", "vlib", "interface", "ip") if name not in files]
    if missing:
        raise BackendError(f"{source} has no {missing[0]}.api.json: these are not the definitions of VPP's messages")
    from vpp_papi.vpp_papi import VPPApiJSONFiles

    try:
        wanted = [files[name] for name in FILES if name in files]
        _, messages, services = VPPApiJSONFiles.load_api(wanted)  # type: ignore[no-untyped-call]
    except (ValueError, KeyError, IndexError, TypeError, OSError) as error:
        raise BackendError(f"the definitions in {source} can't be read: {error}") from error
    return Definitions(messages, services, source)
