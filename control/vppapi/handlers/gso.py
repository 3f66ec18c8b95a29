"""gso.api: TCP that devices bring uncut is cut before it leaves by an interface."""

from __future__ import annotations

from typing import Any

from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.interface_checks import interface_of


def feature_gso_enable_disable(api: Api, m: Any) -> None:
    """On or off; said twice is said once."""
    interface_of(api, m.sw_if_index)
    api.engine.gso.enable(m.sw_if_index, bool(m.enable_disable))


HANDLERS = {"feature_gso_enable_disable": feature_gso_enable_disable}
