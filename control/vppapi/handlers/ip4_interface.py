"""IPv4 on an interface without addresses."""

from __future__ import annotations

from typing import Any

from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.interface_checks import interface_of


def sw_interface_ip4_enable_disable(api: Api, m: Any) -> None:
    """On or off, counted, as its name says. (VPP 26.10's does the opposite; nobody can want that.)"""
    api.engine.interfaces.enable_ip4(interface_of(api, m.sw_if_index).sw_if_index, m.enable)


HANDLERS = {"sw_interface_ip4_enable_disable": sw_interface_ip4_enable_disable}
