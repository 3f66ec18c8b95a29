"""What the handlers of interface.api and pg.api have in common."""

from __future__ import annotations

from vectorplane.backends.engine.interfaces import Interface
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.retval import INVALID_SW_IF_INDEX, ApiError

NONE = 0xFFFFFFFF
"""A sw_if_index that is none (or, in some requests, all)."""


def interface_of(api: Api, sw_if_index: int, retval: int = INVALID_SW_IF_INDEX) -> Interface:
    """The interface. Raises `ApiError` with ``retval`` when there is none."""
    found = api.engine.interfaces.by_index.get(sw_if_index)
    if found is None:
        raise ApiError(retval, f"no interface {sw_if_index}")
    return found
