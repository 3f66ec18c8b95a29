"""Who may make routes: the sources of fib.api, with VPP's names, numbers and priorities."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vectorplane.control.vppapi.api import Api

_SOURCES = (
    (255, "invalid"),
    (0, "special"),
    (1, "classify"),
    (2, "proxy"),
    (3, "interface"),
    (16, "SR"),
    (32, "BIER"),
    (48, "6RD"),
    (128, "API"),
    (129, "CLI"),
    (144, "LISP"),
    (160, "MAP"),
    (176, "DHCP"),
    (192, "IPv6-proxy-nd"),
    (193, "IPv6-nd"),
    (208, "adjacency"),
    (224, "mpls"),
    (240, "attached_export"),
    (251, "recursive-resolution"),
    (252, "urpf-exempt"),
    (253, "default-route"),
    (254, "interpose"),
    (16, "path-mtu"),
)
"""By number: priority (the lowest decides) and name, as VPP 26.10 lists them."""


def fib_source_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """All of them, also those that nothing here makes routes for."""
    for number, (priority, name) in enumerate(_SOURCES):
        yield {"src": {"priority": priority, "id": number, "name": name}}


HANDLERS = {"fib_source_dump": fib_source_dump}
