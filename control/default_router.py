"""The router that `replay` uses without a configuration.

Everything that arrives on ``in``, whatever its destination MAC and VLAN tags, and has an IPv4 destination
follows the default route out of ``out`` to a neighbour whose MAC is stated. The router has no addresses: nothing
is for itself.
"""

from __future__ import annotations

from vectorplane.control.config import Config

NEXT_HOP = "198.18.0.2"
"""Address of the neighbour on ``out`` (RFC 2544's range: on no real network)."""
NEXT_HOP_MAC = "02:fe:00:00:00:ff"
IN_MAC, OUT_MAC = "02:fe:00:00:00:01", "02:fe:00:00:00:02"


def default_router() -> Config:
    """The configuration of that router, as if it had been written in a file."""
    return Config.model_validate(
        {
            "interfaces": {
                "in": {
                    "mac": IN_MAC,
                    "promiscuous": True,
                    "ip4": True,
                    "sub_interfaces": {0: {"default": True, "ip4": True, "exact": False}},
                },
                "out": {"mac": OUT_MAC, "ip4": True},
            },
            "routes": [{"prefix": "0.0.0.0/0", "via": NEXT_HOP, "interface": "out"}],
            "neighbours": [{"interface": "out", "ip": NEXT_HOP, "mac": NEXT_HOP_MAC}],
        }
    )
