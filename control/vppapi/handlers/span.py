"""span.api: copies of what an interface receives or sends to another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vectorplane.backends.engine.span import RX, TX
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.interface_checks import NONE, interface_of
from vectorplane.control.vppapi.retval import INVALID_INTERFACE, UNIMPLEMENTED, ApiError


def sw_interface_span_enable_disable(api: Api, m: Any) -> None:
    """Mirror what an interface receives, sends or both to a target; 0: no longer (to none of them without a target)."""
    source, target, state, l2 = m.sw_if_index_from, m.sw_if_index_to, m.state, bool(m.is_l2)
    if state > RX | TX:
        raise ApiError(UNIMPLEMENTED, f"state {state}")
    if source == NONE or (target == NONE and state) or source == target:
        raise ApiError(INVALID_INTERFACE, f"from {source} to {target}")
    span = api.engine.span
    if state:  # VPP takes any number for an interface
        interface_of(api, source)
        interface_of(api, target)
        span.set(source, target, state, l2)
        return
    for its_source, its_target, _, its_l2 in span.dump():
        if (its_source, its_l2) == (source, l2) and target in (its_target, NONE):
            span.set(source, its_target, 0, l2)


def sw_interface_span_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """The mirrors of whole interfaces, or those of what is bridged."""
    for source, target, state, l2 in api.engine.span.dump():
        if l2 == bool(m.is_l2):
            yield {"sw_if_index_from": source, "sw_if_index_to": target, "state": state, "is_l2": l2}


HANDLERS = {
    "sw_interface_span_enable_disable": sw_interface_span_enable_disable,
    "sw_interface_span_dump": sw_interface_span_dump,
}
