"""feature.api: whether a feature is on, on an interface."""

from __future__ import annotations

from typing import Any

from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.interface_checks import interface_of


def feature_is_enabled(api: Api, m: Any) -> dict[str, bool]:
    """A feature or an arc that does not exist is not on (VPP says that it is)."""
    interface_of(api, m.sw_if_index)
    arc = api.engine.plane.arcs.get(m.arc_name)
    return {"is_enabled": arc is not None and m.feature_name in arc.chain(m.sw_if_index)}


HANDLERS = {"feature_is_enabled": feature_is_enabled}
